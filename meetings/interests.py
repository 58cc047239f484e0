"""What people want to hear of, and what they were told: one document a person in the database.

It holds their phrases, and of messages which posts they are about and what a thumb said of them: where something was
written, never what. It belongs to the person: `forget` removes it at once.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from meetings.config import Settings
from meetings.errors import PeopleError
from meetings.people.terms import terms
from meetings.store import Database, digest

KIND = "alerts"
VERSION = 1
MAX_INTERESTS = 20  # of one person
MAX_TEXT = 120  # characters of a phrase
MAX_TOLD, MAX_HELD = 200, 20  # messages and held moments of one person that are remembered
DAYS_TOLD = 30.0
DAY = 86_400.0

# The bar that a moment has to reach, in [0, 1], and how far thumbs move it (docs/alerts.md).
BAR, LEARNED_BAR = 0.66, 0.72
STEP = 0.04
LOWEST, HIGHEST = -3, 5
SILENT = 5  # thumbs down, more than up, at which a learned interest is silent


@dataclass(frozen=True, slots=True, kw_only=True)
class Interest:
    """Something to hear of, everywhere or in one channel; `at` in seconds since the epoch.

    `step` is how far thumbs that are no longer remembered one by one moved its bar.
    """

    text: str
    channel_id: str = ""
    channel: str = ""
    learned: bool = False
    at: float = 0.0
    step: int = 0

    @property
    def id(self) -> str:
        """The same for the same phrase in the same channel."""
        return digest([self.text.lower(), self.channel_id])[:12]


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """Where something was written or said: a post's sentence, or an utterance of a recording (`call` is its id).

    `thread` is the thread's root post, of a call the recording's post; `part` is a sentence's number in its post, or an
    utterance's.
    """

    post: str
    part: int
    thread: str
    channel_id: str
    score: float
    call: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A moment that waits for a message: over the day's number (`over`), or for the end of quiet hours."""

    interest: str
    moment: Moment
    at: float
    over: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A message: its key and post, what it is about, when it began (seconds), its moments, and what a thumb said."""

    key: str
    post: str
    interests: tuple[str, ...]
    at: float
    moments: tuple[Moment, ...]
    thumb: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Wants:
    """All of one person. `lean` lowers (positive) or raises the bar of everything by so many steps."""

    username: str
    user_id: str
    interests: tuple[Interest, ...] = ()
    paused: bool = False
    lean: int = 0
    told: tuple[Told, ...] = ()
    held: tuple[Held, ...] = ()

    def interest(self, name: str) -> Interest | None:
        """An interest by its id."""
        return next((i for i in self.interests if i.id == name), None)

    def thumbs(self, interest: Interest) -> int:
        """Thumbs down less thumbs up on what was told of an interest, bounded."""
        down = interest.step - sum(t.thumb for t in self.told if interest.id in t.interests)
        return max(LOWEST, min(HIGHEST, down))

    def bar(self, interest: Interest) -> float:
        """What a moment has to reach to be told."""
        thumbs = self.thumbs(interest)
        if interest.learned and thumbs >= SILENT:
            return float("inf")
        return (LEARNED_BAR if interest.learned else BAR) + STEP * (thumbs - self.lean)

    def knows(self, moment: Moment) -> bool:
        """Whether somebody was told of a moment, or is going to be."""
        same = (moment.post, moment.part, moment.call)
        known = (*(m for t in self.told for m in t.moments), *(h.moment for h in self.held))
        return any((m.post, m.part, m.call) == same for m in known)


@dataclass(slots=True)
class AlertBook:
    """Everybody's."""

    settings: Settings
    _database: Database = field(init=False)

    def __post_init__(self) -> None:
        self._database = Database.of(self.settings)

    def of(self, user_id: str, username: str = "") -> Wants:
        """What somebody wants; nothing, if they never said."""
        document = self._database.read(KIND, user_id)
        known = None if document is None else _read(document.body)
        return known or Wants(username=username, user_id=user_id)

    def everybody(self) -> tuple[Wants, ...]:
        """Everybody who ever said something; what is damaged is left out."""
        found = (_read(d.body) for d in self._database.documents(KIND))
        return tuple(w for w in found if w is not None)

    def named(self, username: str) -> tuple[Wants, ...]:
        """What is kept under a username: of one account, or of several that had it."""
        return tuple(w for w in self.everybody() if w.username == username)

    def change(self, user_id: str, username: str, change: Callable[[Wants], Wants]) -> Wants:
        """Change what is kept of somebody."""
        after = Wants(username=username, user_id=user_id)

        def changed(body: str | None) -> str | None:
            nonlocal after
            before = (None if body is None else _read(body)) or Wants(username=username, user_id=user_id)
            after = change(replace(before, username=username or before.username))
            if body is None and after == Wants(username=username, user_id=user_id):
                return None
            return json.dumps({"version": VERSION, **asdict(after)}, ensure_ascii=False)

        self._database.change(KIND, user_id, changed)
        return after

    def add(self, user_id: str, username: str, interest: Interest) -> Wants:
        """One more interest; the same one said again is not two.

        Raises:
            PeopleError: it names no subject, or there are too many.
        """
        if not terms(interest.text):
            raise PeopleError(f"{interest.text!r} names no subject; say it in a few words, as: the parser release")
        interest = replace(interest, text=interest.text[:MAX_TEXT], at=interest.at or time.time())

        def more(before: Wants) -> Wants:
            others = tuple(i for i in before.interests if i.id != interest.id)
            if sum(not i.learned for i in others) >= MAX_INTERESTS:
                raise PeopleError(f"you have {MAX_INTERESTS} alerts; **my alerts** lists them, take one off first")
            return replace(before, interests=(*others, interest), paused=False)

        return self.change(user_id, username, more)

    def remove(self, user_id: str, username: str, names: tuple[str, ...]) -> Wants:
        """Interests away, by their ids, with what waits because of them."""

        def fewer(before: Wants) -> Wants:
            return replace(
                before,
                interests=tuple(i for i in before.interests if i.id not in names),
                held=tuple(h for h in before.held if h.interest not in names),
            )

        return self.change(user_id, username, fewer)

    def set(self, user_id: str, username: str, *, paused: bool | None = None, lean: int | None = None) -> Wants:
        """Alerts at all or not, and how clearly everything has to fit."""
        return self.change(
            user_id,
            username,
            lambda before: replace(
                before,
                paused=before.paused if paused is None else paused,
                lean=before.lean if lean is None else lean,
            ),
        )

    def note(self, user_id: str, username: str, told: Told, *, now: float) -> Wants:
        """A message was sent or grew. What is old of messages goes; what their thumbs said stays with the interest."""

        def noted(before: Wants) -> Wants:
            kept = [t for t in before.told if t.key != told.key]
            mine = next((t for t in before.told if t.key == told.key), None)
            kept.append(replace(told, thumb=mine.thumb if mine else told.thumb))
            moments = {(m.post, m.part, m.call) for m in told.moments}
            held = (h for h in before.held if (h.moment.post, h.moment.part, h.moment.call) not in moments)
            return aged(replace(before, told=tuple(kept), held=tuple(held)), now=now)

        return self.change(user_id, username, noted)

    def hold(self, user_id: str, username: str, held: Held) -> Wants:
        """A moment waits; of too many the weakest is dropped."""

        def waiting(before: Wants) -> Wants:
            if before.knows(held.moment):
                return before
            best = sorted((*before.held, held), key=lambda h: -h.moment.score)[:MAX_HELD]
            return replace(before, held=tuple(best))

        return self.change(user_id, username, waiting)

    def release(self, user_id: str, username: str, held: tuple[Held, ...] | list[Held]) -> Wants:
        """Moments wait no longer."""
        return self.change(
            user_id, username, lambda before: replace(before, held=tuple(h for h in before.held if h not in held))
        )

    def keep_learned(self, user_id: str, username: str, interest: Interest) -> Wants:
        """A learned interest by which somebody is told something for the first time."""

        def kept(before: Wants) -> Wants:
            known = any(i.id == interest.id for i in before.interests)
            return before if known else replace(before, interests=(*before.interests, interest))

        return self.change(user_id, username, kept)

    def thumb(self, user_id: str, username: str, post: str, thumb: int) -> Wants:
        """What a thumb says of a message; 0 takes it back."""

        def judged(before: Wants) -> Wants:
            return replace(before, told=tuple(replace(t, thumb=thumb) if t.post == post else t for t in before.told))

        return self.change(user_id, username, judged)

    def forget(self, username: str) -> int:
        """Remove what is kept under a username; how many documents that were."""
        return sum(self._database.delete(KIND, w.user_id) for w in self.named(username))


def aged(wants: Wants, *, now: float) -> Wants:
    """Without what is too old; what thumbs said of it stays as a step of the interest's bar."""
    newest = sorted(wants.told, key=lambda t: t.at)[-MAX_TOLD:]
    kept = tuple(t for t in newest if t.at > now - DAYS_TOLD * DAY)
    gone = [t for t in wants.told if t not in kept and t.thumb]
    interests = tuple(
        replace(i, step=max(LOWEST, min(HIGHEST, i.step - sum(t.thumb for t in gone if i.id in t.interests))))
        for i in wants.interests
    )
    return replace(wants, told=kept, interests=interests)


def _read(body: str) -> Wants | None:
    """A person from their document; None of one that is damaged or of another version."""
    try:
        data: dict[str, Any] = json.loads(body)
        if data["version"] != VERSION:
            return None
        return Wants(
            username=str(data["username"]),
            user_id=str(data["user_id"]),
            interests=tuple(Interest(**i) for i in data["interests"]),
            paused=bool(data["paused"]),
            lean=int(data["lean"]),
            told=tuple(
                Told(
                    key=str(t["key"]),
                    post=str(t["post"]),
                    interests=tuple(t["interests"]),
                    at=float(t["at"]),
                    moments=tuple(Moment(**m) for m in t["moments"]),
                    thumb=int(t["thumb"]),
                )
                for t in data["told"]
            ),
            held=tuple(
                Held(interest=h["interest"], moment=Moment(**h["moment"]), at=float(h["at"]), over=bool(h["over"]))
                for h in data["held"]
            ),
        )
    except (ValueError, TypeError, KeyError, RecursionError, OverflowError):
        return None
