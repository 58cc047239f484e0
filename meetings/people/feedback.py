"""What people say about the summaries they get: more of this, less of that, shorter or longer.

One document a person in the database. It belongs to the person: it changes their own summary and nobody else's, and
`forget` removes it at once.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any

from meetings.config import Settings
from meetings.errors import PeopleError
from meetings.people.person import LENGTHS, Person
from meetings.people.persona import FeedbackContext, PersonContext
from meetings.people.terms import terms
from meetings.store import Database, Document, digest

KIND = "feedback"
VERSION = 1
MAX_WISHES = 40  # of one person; the oldest go first
MAX_TEXT = 200  # characters
_DAY = 24 * 3600.0
_USERNAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """More or less (`kind`) of a subject; `at` in seconds since the epoch."""

    kind: str
    text: str
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What one person asked for.

    `length` is one of `LENGTHS`, `only` are kinds of bullets (none: all), `locale` is a language, `stopped` means no
    messages, `user_id` is the account that said so: usernames change hands.
    """

    wishes: tuple[Wish, ...] = ()
    length: str | None = None
    only: tuple[str, ...] = ()
    locale: str | None = None
    stopped: bool = False
    user_id: str = ""

    def context(self, now: float) -> tuple[FeedbackContext, ...]:
        """As ingredients of a context; whole days of age, so that a run today gives what a run this morning gave."""
        return tuple(
            FeedbackContext(text=w.text, age_days=float(max(0, int((now - w.at) // _DAY))), kind=w.kind)
            for w in self.wishes
        )


class FeedbackBook:
    """Everybody's wishes."""

    def __init__(self, settings: Settings) -> None:
        self._database = Database.of(settings)

    def of(self, username: str) -> Wishes:
        """What somebody asked for; nothing if they never did.

        Raises:
            PeopleError: what is kept of it is damaged.
        """
        document = self._database.read(KIND, _name(username))
        return _wishes(username, None if document is None else document.body)

    def add(self, username: str, kind: str, text: str, *, at: float | None = None) -> Wishes:
        """More or less of something; the same subject said again takes the place of what was said.

        Raises:
            PeopleError: the text says nothing that a call could be compared with.
        """
        text = " ".join(text.split())[:MAX_TEXT]
        if not terms(text):
            raise PeopleError(f"{text!r} names no subject; say it in a few words, as: prices and competitors")
        wish = Wish(kind=_kind(kind), text=text, at=time.time() if at is None else at)

        def changed(before: Wishes) -> Wishes:
            others = [w for w in before.wishes if w.text.lower() != text.lower()]
            return replace(before, wishes=(*others, wish)[-MAX_WISHES:])

        return self._change(username, changed)

    def set_length(self, username: str, length: str) -> Wishes:
        """How many bullets they like."""
        if length not in LENGTHS:
            raise PeopleError(f"length {length!r} is none of {', '.join(LENGTHS)}")
        return self._change(username, lambda before: replace(before, length=length))

    def set_only(self, username: str, kinds: tuple[str, ...]) -> Wishes:
        """Which kinds of bullets they want; none given: all."""
        return self._change(username, lambda before: replace(before, only=kinds))

    def set_locale(self, username: str, locale: str) -> Wishes:
        """The language that they want to read."""
        return self._change(username, lambda before: replace(before, locale=locale))

    def set_stopped(self, username: str, stopped: bool, *, user_id: str = "") -> Wishes:
        """Whether they want no messages."""
        return self._change(
            username, lambda before: replace(before, stopped=stopped, user_id=user_id or before.user_id)
        )

    def keep_only_stop(self, username: str, *, stopped: bool) -> None:
        """Forget all but that they want no messages, in one write."""
        if stopped:
            self._change(username, lambda before: Wishes(stopped=True, user_id=before.user_id), anyway=True)
        else:
            self.forget(username)

    def has_stopped(self, username: str, user_id: str) -> bool:
        """Whether an account wants no messages, also if it said so under another name. What cannot be read says yes."""
        try:
            mine = self.of(username)
        except PeopleError:
            return True
        if mine.stopped and mine.user_id in {"", user_id}:
            return True
        return any(_stopped_by(document.body, user_id) for document in self._database.documents(KIND))

    def forget(self, username: str) -> bool:
        """Remove what somebody said; whether there was anything."""
        return self._database.delete(KIND, _name(username))

    def documents(self) -> tuple[tuple[Document, bool], ...]:
        """Everybody's, each with whether they want no messages; what cannot be read says yes."""
        return tuple((document, _stopped(document.body)) for document in self._database.documents(KIND))

    def stamp(self) -> str:
        """Changes when anybody's wishes do; empty while nobody has any."""
        found = self._database.documents(KIND)
        return digest([[d.name, d.body] for d in found]) if found else ""

    def apply(
        self, person: Person, context: PersonContext | None, *, now: float
    ) -> tuple[Person, PersonContext | None]:
        """A person and their context with what they asked for.

        Args:
            person: who they are; their own word on length counts more than the people file's.
            context: what Mattermost tells; None if nothing is known.
            now: the time that ages are counted from, in seconds since the epoch.
        """
        wishes = self.of(person.username)
        person = replace(
            person,
            length=wishes.length or person.length,
            locale=wishes.locale or person.locale,
            only=wishes.only,
        )
        if not wishes.wishes:
            return person, context
        before = context or PersonContext()
        return person, replace(before, feedback=(*before.feedback, *wishes.context(now)))

    def _change(self, username: str, change: Callable[[Wishes], Wishes], *, anyway: bool = False) -> Wishes:
        """Change somebody's wishes; `anyway`: also if what they were cannot be read."""
        after = Wishes()

        def changed(body: str | None) -> str:
            nonlocal after
            try:
                before = _wishes(username, body)
            except PeopleError:
                if not anyway:
                    raise
                before = Wishes()
            after = change(before)
            return json.dumps({"version": VERSION, **asdict(after)}, ensure_ascii=False)

        self._database.change(KIND, _name(username), changed)
        return after


def _name(username: str) -> str:
    """What somebody's document is called.

    Raises:
        PeopleError: it can be no username.
    """
    if not username or any(c.isspace() or c in "/\\" for c in username):
        raise PeopleError(f"{username!r} is no username")
    # As files were called, when these were files: one of another form (`alice:partner`) goes by its hash.
    return username if _USERNAME.fullmatch(username) else f"other-{digest(username)}"


def _wishes(username: str, body: str | None) -> Wishes:
    if body is None:
        return Wishes()
    try:
        data: dict[str, Any] = json.loads(body)
        if data["version"] != VERSION:
            raise PeopleError(
                f"what {username} asked for was written by another version of this program; update it, or forget it: "
                f"meetings people feedback {username} --forget"
            )
        length = data["length"]
        if length not in (None, *LENGTHS):
            raise ValueError(length)
        return Wishes(
            wishes=tuple(Wish(kind=_kind(w["kind"]), text=str(w["text"]), at=float(w["at"])) for w in data["wishes"]),
            length=length,
            only=tuple(str(kind) for kind in data.get("only", ())),
            locale=None if data.get("locale") is None else str(data["locale"]),
            stopped=bool(data.get("stopped", False)),
            user_id=str(data.get("user_id", "")),
        )
    except (ValueError, TypeError, KeyError, RecursionError, OverflowError):
        # It cannot be made again as a cache can: somebody's words are not dropped without a word.
        raise PeopleError(
            f"what {username} asked for is damaged; forget it and say it again: "
            f"meetings people feedback {username} --forget"
        ) from None


def _stopped_by(body: str, user_id: str) -> bool:
    try:
        data = json.loads(body)
        return bool(user_id) and data["user_id"] == user_id and data["stopped"] is True
    except (ValueError, TypeError, KeyError, RecursionError):
        return False


def _stopped(body: str) -> bool:
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        return True
    return not isinstance(data, dict) or bool(data.get("stopped"))


def _kind(kind: str) -> str:
    if kind not in {"more", "less"}:
        raise ValueError(kind)
    return kind
