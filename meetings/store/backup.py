"""A copy of the database in one file, and the way back: from SQLite or PostgreSQL, into either.

The file is a SQLite database of the same tables, as it was at one moment; it holds what the database holds, so it is
readable by its owner alone. What is restored goes into a database that has nothing in it yet: nothing is overwritten.
A backup that an earlier version made is brought to this version's schema on the way.
"""

from __future__ import annotations

import contextlib
import sqlite3
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from meetings.errors import DatabaseError, SchemaError, StorageError
from meetings.store.audit_lines import is_empty
from meetings.store.database import Database
from meetings.store.files import private_folder, writing
from meetings.store.schema import upgrade

if TYPE_CHECKING:
    from sqlalchemy import Connection

# Their columns are listed: a backup of this schema has these and no others.
TABLES = {
    "documents": ("kind", "name", "body", "changed_at"),
    "audit": ("place", "at", "event", "username", "by_whom", "line"),
}
_BATCH = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Copied:
    """How many documents and lines of the audit log were copied."""

    documents: int
    lines: int


def back_up(database: Database, file: Path) -> Copied:
    """Write a backup; others go on reading and writing meanwhile. A file of that name is replaced.

    Raises:
        DatabaseError: the database is damaged, does not answer, or is not of this schema.
        StorageError: the disk is full or the folder cannot be written.
    """
    database.prepare()
    with writing(file) as part:
        if database.path is not None:
            _copy_file(database.path, part)
            return _count(part)
        assert database.home is not None
        with _folder(database.home) as folder:
            made = Database.file(folder / "made.sqlite")
            upgrade(made)
            with database.reading() as source, made.writing("restore") as target:
                source.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
                copied = _copy_rows(source, target)
            _copy_file(folder / "made.sqlite", part)
        return copied


def restore(database: Database, file: Path) -> Copied:
    """Fill an empty database from a backup, all or nothing.

    Raises:
        DatabaseError: the file is no backup, or there is something in the database already.
        SchemaError: a newer program made the backup.
        StorageError: the disk is full or a folder cannot be written.
    """
    assert database.home is not None
    if not file.is_file():
        raise DatabaseError(f"{file}: no such file; give one that `meetings db backup` wrote")
    upgrade(database)
    with _own_copy(file, database.home) as copy:
        version = copy.version()
        if version is None:
            raise DatabaseError(f"{file} is no backup of this program")
        try:
            copy.refuse_newer(version)
        except SchemaError:
            raise SchemaError(f"{file} was made by a newer meetings (schema {version}); update this program") from None
        upgrade(copy)
        with copy.reading() as source, database.writing("restore") as target:
            if not is_empty(target) or target.exec_driver_sql("SELECT 1 FROM documents LIMIT 1").first():
                raise DatabaseError(
                    f"{database.where} has something in it already; restore into an empty one "
                    "(docs/operations.md tells how)"
                )
            return _copy_rows(source, target)


def _copy_rows(source: Connection, target: Connection) -> Copied:
    from sqlalchemy import text

    counts = {}
    for table, columns in TABLES.items():
        names, values = ", ".join(columns), ", ".join(f":{c}" for c in columns)
        rows = source.execution_options(yield_per=_BATCH).execute(
            text(f"SELECT {names} FROM {table} ORDER BY {columns[0]}, {columns[1]}")  # noqa: S608
        )
        put = text(f"INSERT INTO {table} ({names}) VALUES ({values})")  # noqa: S608
        counts[table] = 0
        for batch in rows.partitions():
            target.execute(put, [row._asdict() for row in batch])
            counts[table] += len(batch)
    return Copied(documents=counts["documents"], lines=counts["audit"])


@contextlib.contextmanager
def _own_copy(file: Path, home: Path) -> Iterator[Database]:
    """A copy of a backup that may be changed; the backup itself is only read."""
    with _folder(home) as folder:
        _copy_file(file, folder / "copy.sqlite")
        yield Database.file(folder / "copy.sqlite")


@contextlib.contextmanager
def _folder(above: Path) -> Iterator[Path]:
    """A folder of its owner alone, for as long as the block runs: where its content goes in any case."""
    try:
        made = tempfile.TemporaryDirectory(prefix=".meetings-", dir=private_folder(above))
    except OSError as error:
        raise StorageError(above, error) from error
    with made as name:
        yield Path(name)


def _copy_file(source: Path, target: Path) -> None:
    """A SQLite file as it is at one moment, checked; by SQLite's own way: its file alone may miss what came last."""
    private_folder(target.parent)
    target.touch(mode=0o600)
    try:
        with (
            contextlib.closing(sqlite3.connect(f"{source.resolve().as_uri()}?mode=ro", uri=True)) as old,
            contextlib.closing(sqlite3.connect(target)) as new,
        ):
            old.backup(new)
            (found,) = new.execute("PRAGMA integrity_check").fetchone()
    except sqlite3.Error as error:
        raise DatabaseError(f"{source} cannot be copied: {error}; is it a database, and whole?") from error
    if found != "ok":
        raise DatabaseError(f"{source} is damaged ({found}); use an older backup")
    _settle(target)


def _settle(file: Path) -> None:
    """Make it one file, without a journal beside it."""
    with contextlib.closing(sqlite3.connect(file)) as made:
        made.execute("PRAGMA journal_mode = DELETE")


def _count(file: Path) -> Copied:
    with contextlib.closing(sqlite3.connect(file)) as made:
        documents, lines = (
            made.execute(f"SELECT count(*) FROM {table}").fetchone()[0]  # noqa: S608
            for table in TABLES
        )
    return Copied(documents=documents, lines=lines)
