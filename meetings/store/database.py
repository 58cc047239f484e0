"""One database for the small state that every process, and every machine, has to agree on.

Named documents (a kind, a name, a text) that change one at a time and whole, and the lines of the audit log. On one
machine it is a SQLite file in the data folder, brought up to date by whoever opens it; where `database_url` is set it
is PostgreSQL, which `meetings db upgrade` alone changes the schema of. Large or reproducible things are not in here:
results are files, vectors are a cache.
"""

from __future__ import annotations

import atexit
import contextlib
import hashlib
import os
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Self

from meetings.errors import ConfigError, DatabaseError, SchemaError, StorageError
from meetings.store.engines import PATIENCE, server_engine, server_url, sqlite_engine
from meetings.store.files import private_file

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

    from meetings.config import Settings

FILE = Path("state") / "meetings.sqlite"
SERVERS = ("postgresql://", "postgres://")
WANTED = "0001"  # the schema that this program reads and writes: the newest of migrations/versions
KNOWN = (WANTED,)
VERSIONS = "meetings_schema"  # the table that says which schema it is


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A named text; `changed_at` in seconds since the epoch."""

    kind: str
    name: str
    body: str = field(repr=False)
    changed_at: float


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Listed:
    """A document without its text; `size` in characters."""

    kind: str
    name: str
    changed_at: float
    size: int

    def __str__(self) -> str:
        return f"{self.kind}: {self.name}"


class Database:
    """The database of one data folder, or the one that several machines share.

    Args:
        url: `sqlite:///PATH` or `postgresql://…`.
        home: the data folder, whose files of earlier versions are taken in; None: there is none (a backup's file).
    """

    def __init__(self, url: str, *, home: Path | None = None) -> None:
        self._url = url
        self.home = home

    @classmethod
    def named(cls, settings: Settings) -> Self:
        """The database that the settings name, as it is: not looked at yet.

        Raises:
            ConfigError: the URL is none of a PostgreSQL database.
        """
        if settings.database_url is not None:
            url = settings.database_url.get_secret_value()
            if not url.startswith(SERVERS):
                raise ConfigError("database_url has to be postgresql://USER:PASSWORD@HOST/NAME")
            return cls(url, home=settings.home)
        return cls.file(settings.home / FILE, home=settings.home)

    @classmethod
    def file(cls, path: Path, *, home: Path | None = None) -> Self:
        """A SQLite file."""
        return cls(f"sqlite:///{path}", home=home)

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """The database that the settings name, ready to be read and written.

        Raises:
            SchemaError: it is of a newer program, or (PostgreSQL) not yet of this one.
            DatabaseError: it is damaged or does not answer.
            StorageError: its file cannot be made.
        """
        database = cls.named(settings)
        database.prepare()
        return database

    @property
    def path(self) -> Path | None:
        """The SQLite file; None on a server."""
        return Path(self._url.removeprefix("sqlite:///")) if self._url.startswith("sqlite:///") else None

    @property
    def where(self) -> str:
        """What it is called in messages; tells no password."""
        if self.path is not None:
            return str(self.path)
        url = server_url(self._url)
        port = f":{url.port}" if url.port else ""
        return f"postgresql://{url.host or 'localhost'}{port}/{url.database or ''}"

    def prepare(self) -> None:
        """See that it has the schema this program wants: one SELECT, where it has."""
        from meetings.store import first_layout
        from meetings.store.schema import upgrade

        if self.path is None and (os.getpid(), self._url) in _READY:
            return
        version = self.version()
        left = self.home is not None and first_layout.is_left(self.home)
        if version == WANTED and not left:
            _READY.add((os.getpid(), self._url))
            return
        self.refuse_newer(version)
        if self.path is not None:
            upgrade(self)
        elif version == WANTED:
            raise SchemaError(f"files of an earlier version are left in {self.home}; run: meetings db upgrade")
        else:
            what = f"has schema {version}" if version else "has no tables yet"
            raise SchemaError(f"{self.where} {what}, this program wants {WANTED}; run: meetings db upgrade")

    def verify(self) -> None:
        """Go through a SQLite file from end to end; a server sees to its own.

        Raises:
            DatabaseError: it is damaged.
        """
        if self.path is None or not self.path.is_file():
            return
        with self.reading() as connection:
            found = str(connection.exec_driver_sql("PRAGMA integrity_check(1)").scalar_one())
        if found != "ok":
            raise self._damaged(found)

    def refuse_newer(self, version: str | None) -> None:
        """Raises SchemaError for a schema that a newer program made."""
        if version is not None and version not in KNOWN:
            raise SchemaError(
                f"{self.where} has schema {version}, made by a newer meetings than this one ({WANTED}); "
                "update this program"
            )

    def version(self) -> str | None:
        """Its schema; None if it has none yet, also where there is no file yet."""
        from sqlalchemy import text
        from sqlalchemy.exc import OperationalError, ProgrammingError

        if self.path is not None and not self.path.is_file():
            return None
        with self.reading() as connection:
            try:
                row = connection.execute(text(f"SELECT version_num FROM {VERSIONS}")).first()  # noqa: S608
            except ProgrammingError:
                return None  # PostgreSQL's word for: no such table
            except OperationalError as error:
                if "no such table" in str(error):
                    return None
                raise
            return None if row is None else str(row[0])

    # Documents

    def read(self, kind: str, name: str) -> Document | None:
        """A document; None if there is none."""
        with self.reading() as connection:
            return _read(connection, kind, name)

    def documents(self, kind: str) -> tuple[Document, ...]:
        """Every document of a kind, by name."""
        from sqlalchemy import text

        with self.reading() as connection:
            rows = connection.execute(
                text("SELECT name, body, changed_at FROM documents WHERE kind = :kind"), {"kind": kind}
            )
            found = [Document(kind=kind, name=r[0], body=r[1], changed_at=r[2]) for r in rows]
        return tuple(sorted(found, key=lambda d: d.name))  # not by the database's own idea of an alphabet

    def listed(self, kind: str) -> tuple[Listed, ...]:
        """Every document of a kind, by name, without what is in it."""
        from sqlalchemy import text

        with self.reading() as connection:
            rows = connection.execute(
                text("SELECT name, changed_at, length(body) FROM documents WHERE kind = :kind"), {"kind": kind}
            )
            return tuple(sorted(Listed(kind=kind, name=r[0], changed_at=r[1], size=r[2]) for r in rows))

    def write(self, kind: str, name: str, body: str) -> None:
        """Store a document, whatever was there."""
        self.change(kind, name, lambda _: body)

    def change(
        self, kind: str, name: str, change: Callable[[str | None], str | None], *, aged: bool = False
    ) -> str | None:
        """Change a document by what it is now; of two that change it at once, one waits for the other.

        Args:
            kind: of the document.
            name: of the document.
            change: makes the new text of the old one (None: there was none); None removes it. Raising changes nothing.
            aged: keep its time: what is only made less becomes no younger.

        Returns:
            The text as it is now.
        """
        from sqlalchemy import text

        with self.writing(f"{kind}/{name}") as connection:
            before = _read(connection, kind, name)
            body = change(before.body if before else None)
            which = {"kind": kind, "name": name}
            if body is None:
                connection.execute(text("DELETE FROM documents WHERE kind = :kind AND name = :name"), which)
            elif before is None or body != before.body or not aged:
                at = before.changed_at if before and aged else time.time()
                put(connection, Document(kind=kind, name=name, body=body, changed_at=at))
        return body

    def delete(self, kind: str, name: str, *, unless_changed_since: float | None = None) -> bool:
        """Remove a document; whether there was one (that is no younger than it was thought to be)."""
        from sqlalchemy import text

        limit = "" if unless_changed_since is None else " AND changed_at <= :at"
        with self.writing(f"{kind}/{name}") as connection:
            done = connection.execute(
                text(f"DELETE FROM documents WHERE kind = :kind AND name = :name{limit}"),  # noqa: S608
                {"kind": kind, "name": name, "at": unless_changed_since},
            )
            return bool(done.rowcount)

    # Transactions

    @contextlib.contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection that sees one state of the database."""
        with self._told(), self._engine().connect() as connection:
            yield connection

    @contextlib.contextmanager
    def writing(self, lock: str) -> Iterator[Connection]:
        """A transaction, done when the block ends well; one at a time of the same `lock`, on whichever machine."""
        from sqlalchemy import text

        with self._told(), self._engine().connect() as connection:
            if self.path is not None:
                # SQLite has one writer at a time in any case; it has to say so before it reads.
                with connection.execution_options(immediate=True).begin():
                    yield connection
            else:
                with connection.begin():
                    # Any number write at once, but none while the schema is changed or files are taken in.
                    connection.execute(
                        text("SELECT pg_advisory_xact_lock_shared(:schema), pg_advisory_xact_lock(:key)"),
                        {"schema": lock_key("schema"), "key": lock_key(f"writing {lock}")},
                    )
                    yield connection

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        """Turns what the engine says into one line with a remedy."""
        from sqlalchemy.exc import SQLAlchemyError

        try:
            yield
        except SQLAlchemyError as error:
            raise self._error(error) from None  # its text may quote what was to be written

    def _error(self, error: Exception) -> DatabaseError | StorageError:
        cause = getattr(error, "orig", None) or error
        said = " ".join(str(cause).split("\n")[0].split()) or type(cause).__name__
        if self.path is None:
            return DatabaseError(f"{self.where}: {said[:200]}; is the server running, and database_url right?")
        if "full" in said or "disk I/O" in said:
            return StorageError(self.path, f"{said}; free some space")
        if "unable to open" in said or "readonly" in said:
            return StorageError(self.path, f"{said}; check the folder and its permissions")
        if "locked" in said:
            return DatabaseError(f"{self.path}: another process holds it for {PATIENCE:g} s and more; try again")
        if "malformed" in said or "not a database" in said:
            return self._damaged(said)
        return DatabaseError(f"{self.path}: {said[:200]}; see: meetings db check")

    def _damaged(self, said: str) -> DatabaseError:
        cause = " ".join(said.split())[:200]
        return DatabaseError(
            f"{self.path} is damaged ({cause}); move it away and restore a backup: "
            "meetings db restore FILE (docs/operations.md)"
        )

    def _engine(self) -> Engine:
        path = self.path
        if path is not None:
            try:
                private_file(path)
            except OSError as error:
                raise StorageError(path, error) from error
        with _LOCK:
            key = (os.getpid(), self._url)  # a connection must not be shared with a forked child
            if key not in _ENGINES:
                _ENGINES[key] = sqlite_engine(path) if path is not None else server_engine(self._url)
            return _ENGINES[key]


def put(connection: Connection, document: Document) -> None:
    """Store a document in a transaction that is under way."""
    from sqlalchemy import text

    # Half a surrogate pair, as JSON may spell one, has no UTF-8; spelt out it is the same JSON.
    body = document.body.encode("utf-8", "backslashreplace").decode()
    connection.execute(
        text(
            "INSERT INTO documents (kind, name, body, changed_at) VALUES (:kind, :name, :body, :at) "
            "ON CONFLICT (kind, name) DO UPDATE SET body = excluded.body, changed_at = excluded.changed_at"
        ),
        {"kind": document.kind, "name": document.name, "body": body, "at": document.changed_at},
    )


def lock_key(name: str) -> int:
    """The number by which PostgreSQL knows a lock (64 bits)."""
    return int.from_bytes(hashlib.sha256(f"meetings {name}".encode()).digest()[:8], signed=True)


def close_databases() -> None:
    """Give up the connections that are kept open; the next use opens new ones."""
    with _LOCK:
        for (pid, _), engine in _ENGINES.items():
            # One of the parent's is the parent's to close.
            engine.dispose(close=pid == os.getpid())
        _ENGINES.clear()
        _READY.clear()


_ENGINES: dict[tuple[int, str], Engine] = {}
_READY: set[tuple[int, str]] = set()
_LOCK = threading.Lock()
atexit.register(close_databases)


def _read(connection: Connection, kind: str, name: str) -> Document | None:
    from sqlalchemy import text

    row = connection.execute(
        text("SELECT body, changed_at FROM documents WHERE kind = :kind AND name = :name"),
        {"kind": kind, "name": name},
    ).first()
    return None if row is None else Document(kind=kind, name=name, body=row[0], changed_at=row[1])
