"""Who got what and why, and what was done with people's data: an append-only log whose lines are chained by hashes.

A line holds facts (who, when, which recording, why), never what was said or written. Each carries the hash of the line
before it, so an edited, removed, added or moved line is found by `AuditLog.check`. Only whole lines cut off at the end
leave no trace in the log itself: for that the newest hash (`head`) is noted elsewhere. Lines lie in the database, which
refuses to change or remove one; those of versions that wrote a file were taken in as they were, also what a power loss
had torn, and a file of that kind can still be read and checked.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from meetings.config import Settings
from meetings.errors import AuditError
from meetings.store import Database
from meetings.store.audit_lines import FIRST, TORN, append, columns, hash_of, number_of, read_line, read_rows

NO_LINE = "it is no line of this log"
MAX_FACT = 300  # characters
_ASKED = {
    "user": "AND (username = :user OR by_whom = :user)",
    "event": "AND event = :event",
    "since": "AND at >= :since",
    "status": "AND line LIKE :status",
}
_OWN = ("n", "at", "event", "user", "by", "before", "hash")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line: its number, when (ISO 8601 in UTC), what happened, to whom (`user`), by whom; further facts."""

    n: int
    at: str
    event: str
    user: str = ""
    by: str = ""
    facts: Mapping[str, str | int] = field(default_factory=dict)
    hash: str = ""

    def concerns(self, username: str) -> bool:
        """Whether it is about somebody, or somebody did it."""
        return username in {self.user, self.by}


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What a look at the chain found.

    Args:
        lines: whole lines that were read, up to the first broken one.
        head: the hash of the last of them; `FIRST` of an empty log.
        broken: the number of the first line that is not what was written; 0: none.
        why: what is wrong with it.
        notes: lines that were torn by a power loss, in words.
        known_head: whether the hash that was asked for is among the lines; None if none was asked for.
    """

    lines: int
    head: str
    broken: int = 0
    why: str = ""
    notes: tuple[str, ...] = ()
    known_head: bool | None = None


class AuditLog:
    """The log in the database that the settings name; `where` is what that is called."""

    def __init__(self, settings: Settings) -> None:
        self._database = Database.of(settings)
        self.where = self._database.where

    def note(self, event: str, *, user: str = "", by: str = "", **facts: str | int) -> None:
        """Add a line; it is on the disk when this returns. Several processes may do so at once.

        Args:
            event: what happened, in a word or two.
            user: username of whom it concerns.
            by: who did it.
            facts: what else there is to know, short; empty ones are left out.

        Raises:
            StorageError: the disk is full or the folder cannot be written.
            DatabaseError: the database does not answer.
        """
        with self._database.writing("audit") as connection:
            append(connection, _line(event, {"user": user, "by": by}, facts))

    def note_settings(self, **facts: str | int) -> None:
        """Add a line about the settings that say who gets what and where it is sent, if they are others than before."""
        now = _short(facts)
        with self._database.writing("audit") as connection:
            before: Mapping[str, str | int] | None = None
            for _, raw, _ in read_rows(connection, where="AND event = :event", event="settings"):
                data = read_line(raw)
                before = before if data is None else _entry(data).facts
            if before != now:
                append(connection, _line("settings", {}, now))

    def entries(self, *, user: str = "", event: str = "", since: str = "", status: str = "") -> Iterator[Entry]:
        """Every line that can be read, in order; `check` says which cannot.

        Args:
            user: only what concerns somebody.
            event: only what happened so.
            since: only what is not older (ISO 8601 in UTC).
            status: only what has this fact `status`, a word; the database finds them, whatever else there is.
        """
        asked = {"user": user, "event": event, "since": since, "status": status and f'%"status":"{status}"%'}
        values = {name: value for name, value in asked.items() if value}
        with self._database.reading() as connection:
            for _, raw, _ in read_rows(connection, where=" ".join(_ASKED[name] for name in values), **values):
                data = read_line(raw)
                if data is not None:
                    yield _entry(data)

    def check(self, *, head: str = "") -> Checked:
        """Go through the chain from its beginning, to the first line that is not what was written.

        Args:
            head: a hash that was noted elsewhere, to be looked for.
        """
        with self._database.reading() as connection:
            rows = ((raw, told) for _, raw, told in read_rows(connection))
            return _check(rows, head=head, torn_end=False)


class AuditFile:
    """A log of a version that kept it in a file, `log.jsonl`: read and checked, not written."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.where = str(path)

    def entries(self, *, user: str = "") -> Iterator[Entry]:
        """Every line that can be read, in order, or only what concerns somebody."""
        for raw in self._lines():
            data = read_line(raw)
            if data is not None and (not user or _entry(data).concerns(user)):
                yield _entry(data)

    def check(self, *, head: str = "") -> Checked:
        """Go through the chain as `AuditLog.check` does; a line torn at the file's end is no break."""
        lines = self._content().split(b"\n")
        return _check(((raw, None) for raw in self._lines()), head=head, torn_end=bool(lines[-1]))

    def _lines(self) -> list[bytes]:
        content = self._content()
        return content.removesuffix(b"\n").split(b"\n") if content else []

    def _content(self) -> bytes:
        try:
            return self.path.read_bytes()
        except OSError as error:
            raise AuditError(f"{self.path} cannot be read ({error.strerror})") from error


def _check(rows: Iterable[tuple[bytes, Mapping[str, str] | None]], *, head: str, torn_end: bool) -> Checked:
    """Go through lines, each with what is told of it beside it (None: nothing is).

    Args:
        rows: in order.
        head: a hash to be looked for; empty: none.
        torn_end: the last line has no end, so that it may be one that was being written when the power went.
    """
    before, lines, number = FIRST, 0, 0
    notes: list[str] = []
    torn: list[bytes] = []  # lines that are none, and must be owned up to by the next
    known = head == FIRST
    why = ""
    for index, (raw, told) in enumerate(rows, 1):
        data = read_line(raw)
        if data is None:
            torn.append(raw)
            continue
        why = _wrong(data, before=before, number=number + 1, torn=b"\n".join(torn) if torn else None)
        if not why and told is not None and told != columns(data):
            why = "what stands beside it in the table is not what it says"
        if why:
            break
        if torn:
            notes.append(_told(lines + 1, torn))
            torn = []
        before, number, lines = str(data["hash"]), number + 1, index
        known = known or before == head
    if not why and torn:
        if torn_end:
            notes.append(_told(lines + 1, torn))
        else:
            why = NO_LINE
    return Checked(
        lines=lines,
        head=before,
        broken=lines + 1 if why else 0,
        why=why,
        notes=tuple(notes),
        known_head=known if head else None,
    )


def _wrong(data: Mapping[str, Any], *, before: str, number: int, torn: bytes | None) -> str:
    """What is wrong with a line that follows `before`; empty if nothing is."""
    if torn is not None and not (
        data.get("event") == TORN
        and data.get("bytes") == len(torn)
        and data.get("sha256") == hashlib.sha256(torn).hexdigest()
    ):
        return NO_LINE
    if data.get("hash") != hash_of(data):
        return "it was changed: its hash is another"
    if data.get("before") != before or data.get("n") != number:
        return "it does not follow the line before it: lines were removed, added or moved"
    if torn is None and data.get("event") == TORN:
        return "the torn line that it tells of is not there"
    return ""


def _short(facts: Mapping[str, str | int]) -> dict[str, str | int]:
    return {k: v[:MAX_FACT] if isinstance(v, str) else v for k, v in facts.items() if v != ""}


def _told(number: int, torn: list[bytes]) -> str:
    return f"line {number} was torn, as by a power loss: {sum(map(len, torn))} bytes of it are left"


def _entry(data: Mapping[str, Any]) -> Entry:
    return Entry(
        n=number_of(data),
        at=str(data.get("at", "")),
        event=str(data.get("event", "")),
        user=str(data.get("user", "")),
        by=str(data.get("by", "")),
        facts={k: v for k, v in data.items() if k not in _OWN},
        hash=str(data["hash"]),
    )


def _line(event: str, who: Mapping[str, str], facts: Mapping[str, str | int]) -> dict[str, str | int]:
    at = datetime.now(tz=UTC).isoformat(timespec="seconds")
    return {"at": at, "event": event, **who, **_short(facts)}
