"""What is kept of people for catching up: how far each was told of which channel, what is due, and when they were last
there. Times and ids alone, no words; one document a person, under the id of their account, and one for last activities.

Of presence no history is kept: only when somebody last did something, which the next look replaces.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from meetings.config import Settings
from meetings.store import Database

KIND = "catchup"
SEEN_KIND, SEEN_NAME = "catchup-seen", "everybody"
VERSION = 1
_DAY = 24 * 3_600_000
# How far channels were told is of no use once no briefing reaches back there any more (milliseconds).
KEPT = 120 * _DAY
OFFER_LASTS = 21 * _DAY  # an offer that is older is no longer meant by a `yes`


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """What somebody is to be told: channels that they came into, with when; and since when they were away (0: not).

    `at` is when the last of it was noted; `not_before` when quiet hours end. Milliseconds since the epoch.
    """

    joined: Mapping[str, int] = field(default_factory=dict)
    away_since: int = 0
    at: int = 0
    not_before: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """What was offered, or is being told: for each channel from when to when; `key` is in the message's props.

    `joined` are those of the channels that they came into.
    """

    key: str
    stretches: Mapping[str, tuple[int, int]]
    joined: tuple[str, ...] = ()
    away_since: int = 0
    at: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What is kept of one person.

    `told` is the end of what they were told or offered, by channel; `due` waits to be looked at, `sending` is being
    sent and not yet known to be, `offer` waits for an answer. `off`: they want no such messages.
    """

    username: str = ""
    off: bool = False
    told: Mapping[str, int] = field(default_factory=dict)
    due: Due | None = None
    sending: Offer | None = None
    offer: Offer | None = None


class CatchupBook:
    """Everybody's entries."""

    def __init__(self, settings: Settings) -> None:
        self._database = Database.of(settings)

    def of(self, user_id: str) -> Entry:
        """What is kept of somebody."""
        document = self._database.read(KIND, user_id)
        return _entry(None if document is None else document.body)

    def change(self, user_id: str, change: Callable[[Entry], Entry]) -> Entry:
        """Change it, and give what it is now."""
        after = Entry()

        def changed(body: str | None) -> str | None:
            nonlocal after
            after = change(_entry(body))
            return None if after == Entry() else _text(after)

        self._database.change(KIND, user_id, changed)
        return after

    def waiting(self) -> tuple[str, ...]:
        """User ids of those for whom something is due or being sent."""
        found = ((d.name, _entry(d.body)) for d in self._database.documents(KIND))
        return tuple(name for name, entry in found if entry.due is not None or entry.sending is not None)

    def note_due(self, user_id: str, *, joined: Mapping[str, int], away_since: int, at: int) -> None:
        """Note that somebody came into channels, or came back; nothing for who wants none."""

        def noted(before: Entry) -> Entry:
            if before.off:
                return before
            due = before.due or Due()
            since = min(s for s in (due.away_since, away_since) if s) if due.away_since or away_since else 0
            both = {**joined, **due.joined}
            if both == due.joined and since == due.away_since:
                return before
            return replace(before, due=replace(due, joined=both, away_since=since, at=at))

        self.change(user_id, noted)

    def set_off(self, user_id: str, username: str, *, off: bool) -> None:
        """Whether somebody wants no such messages; what was due to who wants none is dropped."""

        def changed(before: Entry) -> Entry:
            if off:
                return Entry(username=username, off=True, told=before.told)
            return replace(before, username=username, off=False)

        self.change(user_id, changed)

    def note_told(self, user_id: str, ends: Mapping[str, int], *, now: int) -> None:
        """Note how far somebody was told of channels; an offer of that is answered."""

        def changed(before: Entry) -> Entry:
            told = {c: e for c, e in before.told.items() if e > now - KEPT}
            told |= {c: max(e, told.get(c, 0)) for c, e in ends.items()}
            offer = before.offer
            if offer and all(ends.get(c, 0) >= end for c, (_, end) in offer.stretches.items()):
                offer = None
            return replace(before, told=told, offer=offer)

        self.change(user_id, changed)

    # When people were last there

    def seen(self) -> tuple[dict[str, int], int]:
        """When each was last seen to do something, and when that was looked at; milliseconds since the epoch."""
        document = self._database.read(SEEN_KIND, SEEN_NAME)
        try:
            data: dict[str, Any] = json.loads(document.body) if document else {"seen": {}, "at": 0}
            return {str(u): int(t) for u, t in data["seen"].items()}, int(data["at"])
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError, OverflowError):
            return {}, 0  # damaged: everybody is met anew

    def set_seen(self, seen: Mapping[str, int], *, at: int) -> None:
        """Note it; who is not in it is no longer known."""
        self._database.write(SEEN_KIND, SEEN_NAME, json.dumps({"seen": dict(seen), "at": at}, separators=(",", ":")))

    # Whose it is

    def held(self, user_id: str) -> dict[str, Any]:
        """Everything that is kept of somebody, for them."""
        seen, _ = self.seen()
        document = self._database.read(KIND, user_id)
        kept = asdict(_entry(document.body)) if document else {}
        return {**kept, "last_activity_at": seen[user_id]} if user_id in seen else kept

    def forget(self, username: str, user_id: str | None, *, dry_run: bool = False) -> int:
        """Remove what is kept of somebody, but not that they want no messages; how much there was.

        Without their account's id what was last seen of everybody goes, and is seen anew.
        """
        count = 0
        for document in self._database.documents(KIND):
            entry = _entry(document.body)
            if user_id != document.name and (user_id is not None or entry.username != username):
                continue
            if entry != _without_all(entry):
                count += 1
                if not dry_run:
                    self.change(document.name, _without_all)
        seen, at = self.seen()
        if seen and (user_id is None or user_id in seen):
            count += 1
            if not dry_run:
                self.set_seen({u: t for u, t in seen.items() if user_id is not None and u != user_id}, at=at)
        return count


def _without_all(entry: Entry) -> Entry:
    """What is left of an entry of somebody who is forgotten: that they want nothing."""
    return Entry(username=entry.username, off=True) if entry.off else Entry()


def _text(entry: Entry) -> str:
    return json.dumps({"version": VERSION, **asdict(entry)}, ensure_ascii=False, separators=(",", ":"))


def _entry(body: str | None) -> Entry:
    """An entry; an empty one of what is damaged or of another version: it is made again as people come and go."""
    if body is None:
        return Entry()
    try:
        data = json.loads(body)
        if data["version"] != VERSION:
            return Entry(off=data.get("off") is True)
        return Entry(
            username=str(data["username"]),
            off=bool(data["off"]),
            told={str(c): int(at) for c, at in data["told"].items()},
            due=_due(data["due"]) if data["due"] else None,
            sending=_offer(data["sending"]) if data["sending"] else None,
            offer=_offer(data["offer"]) if data["offer"] else None,
        )
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, OverflowError):
        # Of what cannot be read it cannot be told that it was no opt-out.
        return Entry(off=True)


def _due(data: Mapping[str, Any]) -> Due:
    return Due(
        joined={str(c): int(at) for c, at in data["joined"].items()},
        away_since=int(data["away_since"]),
        at=int(data["at"]),
        not_before=int(data["not_before"]),
    )


def _offer(data: Mapping[str, Any]) -> Offer:
    return Offer(
        key=str(data["key"]),
        stretches={str(c): (int(since), int(end)) for c, (since, end) in data["stretches"].items()},
        joined=tuple(str(c) for c in data["joined"]),
        away_since=int(data["away_since"]),
        at=int(data["at"]),
    )
