"""Who got what and why, and what was done with people's data: an append-only log whose lines are chained by hashes.

A line holds facts (who, when, which recording, why), never what was said or written. Each carries the hash of the line
before it, so an edited, removed, added or moved line is found by `AuditLog.check`. Only whole lines cut off at the end
leave no trace in the file itself: for that the newest hash (`head`) is noted elsewhere. A line that a power loss tore
stays as it is; the line after it says so, with the hash of what is left of it.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from filelock import FileLock

from meetings.errors import AuditError, StorageError
from meetings.store import private_folder

FIRST = "0" * 64  # what the first line names as the hash of the line before it
TORN = "torn line"
NO_LINE = "it is no line of this log"
MAX_FACT = 300  # characters
_BLOCK = 65_536
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
    """The log of one data folder: `audit/log.jsonl`, readable by its owner alone."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self.path = home / "audit" / "log.jsonl"

    def note(self, event: str, *, user: str = "", by: str = "", **facts: str | int) -> None:
        """Add a line; it is on the disk when this returns. Several processes may do so at once.

        Args:
            event: what happened, in a word or two.
            user: username of whom it concerns.
            by: who did it.
            facts: what else there is to know, short; empty ones are left out.

        Raises:
            StorageError: the disk is full or the folder cannot be written.
        """
        self._add(event, {"user": user, "by": by}, facts)

    def note_settings(self, **facts: str | int) -> None:
        """Add a line about the settings that say who gets what and where it is sent, if they are others than before."""
        before: Mapping[str, str | int] | None = None
        for entry in self.entries():
            before = entry.facts if entry.event == "settings" else before
        now = _short(facts)
        if before != now:
            self._add("settings", {"user": "", "by": ""}, now)

    def _add(self, event: str, who: Mapping[str, str], facts: Mapping[str, str | int]) -> None:
        at = datetime.now(tz=UTC).isoformat(timespec="seconds")
        try:
            private_folder(self._home)
            private_folder(self.path.parent)
            with FileLock(self.path.parent / ".lock", mode=0o600):
                self._append({"at": at, "event": event, **who, **_short(facts)})
        except OSError as error:
            raise StorageError(self.path, error.strerror or str(error)) from error

    def entries(self) -> Iterator[Entry]:
        """Every line that can be read, in order; `check` says which cannot."""
        for raw in self._lines():
            data = _object(raw)
            if data is not None:
                yield _entry(data)

    def check(self, *, head: str = "") -> Checked:
        """Go through the chain from its beginning, to the first line that is not what was written.

        Args:
            head: a hash that was noted elsewhere, to be looked for.
        """
        before, lines, number = FIRST, 0, 0
        notes: list[str] = []
        torn: list[bytes] = []  # lines that are none, and must be owned up to by the next
        known = head == FIRST
        why = ""
        for index, raw in enumerate(self._lines(), 1):
            data = _object(raw)
            if data is None:
                torn.append(raw)
                continue
            why = _wrong(data, before=before, number=number + 1, torn=b"\n".join(torn) if torn else None)
            if why:
                break
            if torn:
                notes.append(_told(lines + 1, torn))
                torn = []
            before, number, lines = str(data["hash"]), number + 1, index
            known = known or before == head
        if not why and torn:
            if self._ends_whole():
                why = NO_LINE
            else:
                notes.append(_told(lines + 1, torn))
        return Checked(
            lines=lines,
            head=before,
            broken=lines + 1 if why else 0,
            why=why,
            notes=tuple(notes),
            known_head=known if head else None,
        )

    def _append(self, data: Mapping[str, Any]) -> None:
        handle = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
        with os.fdopen(handle, "r+b", buffering=0) as file:
            last, left, whole = _tail(file)
            before, number = (str(last["hash"]), _number(last)) if last else (FIRST, 0)
            text = b"" if whole else b"\n"
            if left and not whole:
                told = {"at": data["at"], "event": TORN, "bytes": len(left), "sha256": hashlib.sha256(left).hexdigest()}
                number += 1
                line, before = _chained(told, number=number, before=before)
                text += line
            line, _ = _chained(data, number=number + 1, before=before)
            _write_all(handle, text + line)
            os.fsync(handle)

    def _lines(self) -> Iterator[bytes]:
        """Lines without their ends, of a file that may be growing: what was there when it was opened."""
        try:
            file = self.path.open("rb")
        except FileNotFoundError:
            return
        except OSError as error:
            raise AuditError(f"{self.path} cannot be read ({error.strerror})") from error
        with file:
            for line in file:
                yield line.removesuffix(b"\n")

    def _ends_whole(self) -> bool:
        with self.path.open("rb") as file:
            file.seek(-1, os.SEEK_END)
            return file.read(1) == b"\n"


def _wrong(data: Mapping[str, Any], *, before: str, number: int, torn: bytes | None) -> str:
    """What is wrong with a line that follows `before`; empty if nothing is."""
    if torn is not None and not (
        data.get("event") == TORN
        and data.get("bytes") == len(torn)
        and data.get("sha256") == hashlib.sha256(torn).hexdigest()
    ):
        return NO_LINE
    if data.get("hash") != _hash(data):
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


def _chained(data: Mapping[str, Any], *, number: int, before: str) -> tuple[bytes, str]:
    line = {"n": number, **{k: v for k, v in data.items() if v != ""}, "before": before}
    digest = _hash(line)
    return _plain({**line, "hash": digest}) + b"\n", digest


def _hash(data: Mapping[str, Any]) -> str:
    bare = {k: v for k, v in data.items() if k != "hash"}
    return hashlib.sha256(_plain(bare)).hexdigest()


def _plain(data: Mapping[str, Any]) -> bytes:
    """Canonical for the hash: as it is written, key by key. Non-ASCII is escaped, so a line has no odd line ends."""
    return json.dumps(data, ensure_ascii=True, separators=(",", ":")).encode("ascii")


def _object(raw: bytes) -> dict[str, Any] | None:
    """A line as written by this log; None for anything else, another spelling of the same JSON included."""
    try:
        data = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    if not isinstance(data, dict) or not isinstance(data.get("hash"), str):
        return None
    return data if _plain(data) == raw else None


def _entry(data: Mapping[str, Any]) -> Entry:
    return Entry(
        n=_number(data),
        at=str(data.get("at", "")),
        event=str(data.get("event", "")),
        user=str(data.get("user", "")),
        by=str(data.get("by", "")),
        facts={k: v for k, v in data.items() if k not in _OWN},
        hash=str(data["hash"]),
    )


def _number(data: Mapping[str, Any] | None) -> int:
    number = data.get("n") if data else 0
    return number if isinstance(number, int) else 0


def _tail(file: Any) -> tuple[dict[str, Any] | None, bytes, bool]:
    """The last line that is one, what stands behind it, and whether the file ends with a line's end."""
    size = at = file.seek(0, os.SEEK_END)
    tail = b""
    while at > 0:
        step = min(_BLOCK, at)
        at -= step
        file.seek(at)
        tail = file.read(step) + tail
        lines = tail.removesuffix(b"\n").split(b"\n")
        for back in range(len(lines) - 1, -1 if at == 0 else 0, -1):
            found = _object(lines[back])
            if found is not None:
                return found, b"\n".join(lines[back + 1 :]), tail.endswith(b"\n")
    return None, tail.removesuffix(b"\n"), not size or tail.endswith(b"\n")


def _write_all(handle: int, data: bytes) -> None:
    while data:
        data = data[os.write(handle, data) :]
