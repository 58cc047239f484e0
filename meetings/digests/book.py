"""Who wants a digest, how often, and how far each was told; one document a person, under the id of their account.

Ids and times alone, no words: what a digest said is kept by nobody but Mattermost.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from meetings.config import Settings
from meetings.store import Database

KIND = "digests"
VERSION = 1
OFTEN = ("daily", "weekly")
MORNING = 8  # o'clock on the reader's wall
MAX_TOLD = 200  # calls that are remembered as told


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What somebody wants, and what they had.

    `often` is one of `OFTEN`; `last` names the morning that was seen to last (`daily:2026-11-27`), `until` is where
    that digest ended, in milliseconds since the epoch (0: there was none); `told` are the recordings it was about.
    """

    user_id: str
    username: str
    often: str
    last: str = ""
    until: int = 0
    told: tuple[str, ...] = ()


class DigestBook:
    """Everybody's."""

    def __init__(self, settings: Settings) -> None:
        self._database = Database.of(settings)

    def of(self, user_id: str) -> Standing | None:
        """What somebody wants; None if they want none."""
        document = self._database.read(KIND, user_id)
        return None if document is None else _standing(user_id, document.body)

    def everybody(self) -> tuple[Standing, ...]:
        """All who want one; what cannot be read is nobody's."""
        found = (_standing(d.name, d.body) for d in self._database.documents(KIND))
        return tuple(s for s in found if s is not None)

    def want(self, user_id: str, username: str, often: str, *, now: datetime) -> None:
        """Begin, or change how often; the first comes with the next morning that begins (`now` is on their clock)."""
        if often not in OFTEN:
            raise ValueError(often)
        begun = Standing(user_id=user_id, username=username, often=often, last=morning(often, now) or "")
        self._change(user_id, lambda old: old if old is not None and old.often == often else begun)

    def end(self, user_id: str) -> bool:
        """No more of them; whether there were any."""
        return self._database.delete(KIND, user_id)

    def seen_to(self, user_id: str, last: str, *, until: int, told: tuple[str, ...]) -> None:
        """Note that a morning was seen to, and how far it told."""

        def changed(old: Standing | None) -> Standing | None:
            if old is None:
                return None  # they ended it meanwhile
            kept = tuple(dict.fromkeys((*old.told, *told)))[-MAX_TOLD:]
            return replace(old, last=last, until=until, told=kept)

        self._change(user_id, changed)

    def forget(self, username: str, user_id: str | None, *, dry_run: bool) -> int:
        """Remove what is kept of somebody, by the id of their account or the name they asked under; how much."""
        theirs = [s.user_id for s in self.everybody() if s.user_id == user_id or s.username == username]
        if not dry_run:
            for one in theirs:
                self.end(one)
        return len(theirs)

    def held(self, username: str, user_id: str | None) -> list[dict[str, Any]]:
        """The same, for them to see."""
        return [asdict(s) for s in self.everybody() if s.user_id == user_id or s.username == username]

    def _change(self, user_id: str, change: Callable[[Standing | None], Standing | None]) -> None:
        def changed(body: str | None) -> str | None:
            after = change(None if body is None else _standing(user_id, body))
            return None if after is None else json.dumps({"version": VERSION, **asdict(after)})

        self._database.change(KIND, user_id, changed)


def morning(often: str, now: datetime) -> str | None:
    """The morning that a digest is due for at this moment of the reader's clock; None before it.

    A daily one is due from eight on that day. A weekly one is due from Monday at eight, in that week.
    """
    begins = now.date() if often == "daily" else now.date() - timedelta(days=now.weekday())
    if begins == now.date() and now.hour < MORNING:
        return None
    return f"{often}:{begins.isoformat()}"


def _standing(user_id: str, body: str) -> Standing | None:
    try:
        data = json.loads(body)
        if data["version"] != VERSION or data["often"] not in OFTEN:
            return None
        return Standing(
            user_id=user_id,
            username=str(data["username"]),
            often=data["often"],
            last=str(data["last"]),
            until=int(data["until"]),
            told=tuple(str(one) for one in data["told"]),
        )
    except (ValueError, TypeError, KeyError, RecursionError, OverflowError):
        return None
