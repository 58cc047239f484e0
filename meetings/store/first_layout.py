"""Takes in what versions before there was a database kept in files of the data folder.

What is copied keeps its text and its time; what the database knows newer stays. Files are removed when the copy is
done for good, so that it can be broken off anywhere and done again. An audit log whose chain is not the database's
(of another machine, or an old version that was started again) cannot be joined to it: it stays, under a name of its
own, and the database's log says so.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from meetings.store.audit_lines import TORN, append, is_empty, read_line, read_lines, write_raw
from meetings.store.database import Document, put

if TYPE_CHECKING:
    from sqlalchemy import Connection

# Files below the data folder, and the kind of the document each becomes; its name is the file's, without the ending.
_FILES = (
    ("people/feedback/*.json", "feedback"),
    ("voices/book.sealed", "voices"),
    ("results/voices/*.sealed", "recording voices"),
    ("state/redacting-*.json", "redacting"),
)
_CONTEXT = (
    ("people/context/*/channels/*.json", "context channel"),
    ("people/context/*/summaries/*.json", "context summaries"),
)
_POSITIONS, _NOTICES, _AUDIT = "state/positions.json", "state/notices.json", "audit/log.jsonl"
_FOLDERS = ("people/feedback", "results/voices", "people/context/*/channels", "people/context/*/summaries", "audit")


def is_left(home: Path) -> bool:
    """Whether there is any such file."""
    return any(True for _ in _left(home))


def take_in(connection: Connection, home: Path) -> dict[Path, Path | None]:
    """Copy what is left in files, in a transaction that is under way and that no writer is beside.

    Returns:
        What to do with each file when that is done for good: the name to give it, or None: it can go.
    """
    taken: dict[Path, Path | None] = {}
    for path, kind, name in _documents(home):
        put_if_newer(connection, Document(kind=kind, name=name, body=_text(path), changed_at=path.stat().st_mtime))
        taken[path] = None
    path = home / _POSITIONS
    if path.is_file():
        for channel, at in _object(path).items():
            if isinstance(at, int) and not isinstance(at, bool):
                _move(connection, str(channel), at, path.stat().st_mtime)
        taken[path] = None
    path = home / _NOTICES
    if path.is_file():
        told = _json(path)
        for channel in told if isinstance(told, list) else ():
            put_if_newer(
                connection,
                Document(kind="notices", name=str(channel), body="true", changed_at=path.stat().st_mtime),
            )
        taken[path] = None
    path = home / _AUDIT
    if path.is_file():
        taken[path] = _take_log(connection, path)
    return taken


def settle(taken: Mapping[Path, Path | None], home: Path) -> None:
    """Remove or rename files when all is copied, and remove folders that are empty then."""
    for path, name in taken.items():
        if name is None:
            path.unlink(missing_ok=True)
        else:
            path.rename(name)
    for pattern in _FOLDERS:
        for folder in home.glob(pattern):
            (folder / ".lock").unlink(missing_ok=True)
            with contextlib.suppress(OSError):  # something else is in it
                folder.rmdir()
    for pattern in ("people/context/*", "people/context"):
        for folder in home.glob(pattern):
            with contextlib.suppress(OSError):
                folder.rmdir()


def _left(home: Path) -> Iterator[Path]:
    for name in (_POSITIONS, _NOTICES, _AUDIT):
        if (home / name).is_file():
            yield home / name
    yield from (path for path, _, _ in _documents(home))


def _documents(home: Path) -> Iterator[tuple[Path, str, str]]:
    """Files that become a document each, with its kind and name."""
    for pattern, kind in _FILES:
        for path in _whole(home, pattern):
            yield path, kind, path.stem.removeprefix("redacting-") if kind == "redacting" else path.stem
    for pattern, kind in _CONTEXT:
        for path in _whole(home, pattern):
            yield path, kind, f"{path.parts[-3]}/{path.stem}"


def _whole(home: Path, pattern: str) -> list[Path]:
    return [p for p in sorted(home.glob(pattern)) if p.is_file() and not p.name.startswith(".")]


def put_if_newer(connection: Connection, document: Document) -> None:
    """Store a document, unless there is one that was changed later."""
    known = _known(connection, document.kind, document.name)
    if known is None or document.changed_at > known[1]:
        put(connection, document)


def _move(connection: Connection, channel: str, at: int, changed_at: float) -> None:
    """A position never moves back."""
    known = _known(connection, "positions", channel)
    if known is None or not known[0].isdecimal() or int(known[0]) < at:
        put(connection, Document(kind="positions", name=channel, body=str(at), changed_at=changed_at))


def _known(connection: Connection, kind: str, name: str) -> tuple[str, float] | None:
    from sqlalchemy import text

    row = connection.execute(
        text("SELECT body, changed_at FROM documents WHERE kind = :kind AND name = :name"),
        {"kind": kind, "name": name},
    ).first()
    return None if row is None else (row[0], row[1])


def _text(path: Path) -> str:
    """A file's text; what is no text of a database in it was damaged before, and is so after."""
    return path.read_bytes().decode("utf-8", "replace").replace("\x00", "\ufffd")


def _json(path: Path) -> Any:
    try:
        return json.loads(_text(path))
    except (ValueError, RecursionError):
        return None  # nothing that this program wrote


def _object(path: Path) -> dict[str, Any]:
    found = _json(path)
    return found if isinstance(found, dict) else {}


# The audit log


def _take_log(connection: Connection, path: Path) -> Path | None:
    """Copy a log, or note that it cannot be joined to the one that is there; the name to give it then."""
    content = path.read_bytes()
    lines = content.removesuffix(b"\n").split(b"\n") if content else []
    if not is_empty(connection):
        same = 0
        for raw, own in zip(read_lines(connection), lines, strict=False):
            if raw != own:
                break
            same += 1
        if same == len(lines):
            return None  # it was taken in before
        return _put_aside(connection, path, content, lines)
    for place, raw in enumerate(lines, 1):
        write_raw(connection, place, raw)
    if lines and not content.endswith(b"\n") and read_line(lines[-1]) is None:
        # As the next line of a file would own up to the rest of a line that a power loss tore.
        left = []
        while lines and read_line(lines[-1]) is None:
            left.append(lines.pop())
        rest = b"\n".join(reversed(left))
        append(connection, {"at": _now(), "event": TORN, "bytes": len(rest), "sha256": _sha256(rest)})
    return None


def _put_aside(connection: Connection, path: Path, content: bytes, lines: list[bytes]) -> Path:
    digest = _sha256(content)
    aside = path.with_name(f"log-{digest[:12]}.jsonl")
    known = [own for own in read_lines(connection) if digest.encode() in own]
    if not known:
        facts = {"file": aside.name, "lines": len(lines), "sha256": digest}
        append(connection, {"at": _now(), "event": "log put aside", **facts})
    return aside


def _now() -> str:
    return datetime.now(tz=UTC).isoformat(timespec="seconds")


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
