"""The lines of the audit log as they lie in the database: each a JSON object in one spelling, chained by hashes.

What the lines say and how the chain is checked is `meetings.audit`'s; here is how a line is spelt, hashed and added.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sqlalchemy import Connection

FIRST = "0" * 64  # what the first line names as the hash of the line before it
TORN = "torn line"
_ODD = "base64:"  # begins what is no line, in a column of text
_BATCH = 1_000


def append(connection: Connection, data: Mapping[str, Any]) -> None:
    """Add a line behind the newest, in a transaction that no other writer is in."""
    last, place = _newest(connection)
    before, number = (str(last["hash"]), number_of(last)) if last else (FIRST, 0)
    line, _ = chained(data, number=number + 1, before=before)
    write_raw(connection, place + 1, line)


def write_raw(connection: Connection, place: int, raw: bytes) -> None:
    """Put a line, or what is none, at its place."""
    from sqlalchemy import text

    data = read_line(raw) or {}
    connection.execute(
        text(
            "INSERT INTO audit (place, at, event, username, by_whom, line) "
            "VALUES (:place, :at, :event, :username, :by_whom, :line)"
        ),
        {"place": place, "line": _to_text(raw), **columns(data)},
    )


def columns(data: Mapping[str, Any]) -> dict[str, str]:
    """What the table's columns say of a line."""
    names = {"at": "at", "event": "event", "username": "user", "by_whom": "by"}
    said = {column: str(data.get(key, "")).replace("\x00", "") for column, key in names.items()}
    return {column: text.encode("utf-8", "backslashreplace").decode() for column, text in said.items()}


def read_rows(connection: Connection, *, where: str = "", **values: str) -> Iterator[tuple[int, bytes, dict[str, str]]]:
    """Place, line and columns of each, in order, a batch at a time: a log may be longer than memory."""
    from sqlalchemy import text

    last = 0
    query = text(
        f"SELECT place, line, at, event, username, by_whom FROM audit WHERE place > :last {where} "  # noqa: S608
        f"ORDER BY place LIMIT {_BATCH}"
    )
    while rows := connection.execute(query, {"last": last, **values}).all():
        for place, line, at, event, username, by_whom in rows:
            yield place, _from_text(line), {"at": at, "event": event, "username": username, "by_whom": by_whom}
        last = rows[-1][0]


def read_lines(connection: Connection) -> Iterator[bytes]:
    """Every line, in order."""
    return (line for _, line, _ in read_rows(connection))


def is_empty(connection: Connection) -> bool:
    """Whether nothing was ever noted."""
    from sqlalchemy import text

    return connection.execute(text("SELECT place FROM audit LIMIT 1")).first() is None


def chained(data: Mapping[str, Any], *, number: int, before: str) -> tuple[bytes, str]:
    """A line that follows the one with the hash `before`, and its own hash."""
    line = {"n": number, **{k: v for k, v in data.items() if v != ""}, "before": before}
    digest = hash_of(line)
    return spelt({**line, "hash": digest}), digest


def hash_of(data: Mapping[str, Any]) -> str:
    """SHA-256 of a line without its own hash."""
    bare = {k: v for k, v in data.items() if k != "hash"}
    return hashlib.sha256(spelt(bare)).hexdigest()


def spelt(data: Mapping[str, Any]) -> bytes:
    """Canonical for the hash: as it is written, key by key. Non-ASCII is escaped, so a line has no odd line ends."""
    return json.dumps(data, ensure_ascii=True, separators=(",", ":")).encode("ascii")


def read_line(raw: bytes) -> dict[str, Any] | None:
    """A line as written by this log; None for anything else, another spelling of the same JSON included."""
    try:
        data = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    if not isinstance(data, dict) or not isinstance(data.get("hash"), str):
        return None
    return data if spelt(data) == raw else None


def number_of(data: Mapping[str, Any]) -> int:
    """A line's number; 0 if it has none."""
    number = data.get("n")
    return number if isinstance(number, int) else 0


def _newest(connection: Connection) -> tuple[dict[str, Any] | None, int]:
    """The newest line that is one, and the newest place."""
    from sqlalchemy import text

    query = text("SELECT place, line FROM audit WHERE place < :below ORDER BY place DESC LIMIT 1")
    newest, below = 0, 2**62
    # Almost always the first that is looked at.
    while (row := connection.execute(query, {"below": below}).first()) is not None:
        below, line = row
        newest = newest or below
        if (found := read_line(_from_text(line))) is not None:
            return found, newest
    return None, newest


def _to_text(raw: bytes) -> str:
    """A line is ASCII without control characters; what is none may be anything, of which a database takes less."""
    if raw.isascii() and raw.decode("ascii").isprintable() and not raw.startswith(_ODD.encode()):
        return raw.decode("ascii")
    return _ODD + base64.b64encode(raw).decode("ascii")


def _from_text(text: str) -> bytes:
    if not text.startswith(_ODD):
        return text.encode("utf-8", "surrogatepass")
    try:
        return base64.b64decode(text.removeprefix(_ODD), validate=True)
    except ValueError:
        return text.encode("utf-8", "surrogatepass")
