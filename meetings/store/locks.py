"""Named locks: of one machine, or of all that share a database.

On one machine a lock is a file. Where `database_url` is set it is an advisory lock of PostgreSQL, held by a connection
of its own: the server gives it back when the process is gone, or when its machine has not answered for `LOST_AFTER`.
"""

from __future__ import annotations

import threading
import time
from types import TracebackType
from typing import Any, Protocol

import psycopg
from filelock import FileLock, Timeout

from meetings.config import Settings
from meetings.errors import DatabaseError, StorageError
from meetings.store.files import private_folder

# Seconds after which the server takes a machine for lost that no longer answers, and after which a client takes the
# server for lost. The client has to be the first of the two: who may have lost a lock must stop before another has it.
LOST_AFTER = 30
SERVER_LOST_AFTER = 10
AGAIN = 0.5  # seconds between two looks at a lock that another holds


class NamedLock(Protocol):
    """What both kinds can do; also a context manager, which waits for the lock."""

    def acquire(self, timeout: float = -1) -> Any:
        """Take the lock, and give a context manager that gives it back.

        Raises:
            Timeout: another holds it still, after so many seconds; below 0 it is waited for without end.
        """

    def __enter__(self) -> Any: ...

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Give it back."""


def named_lock(settings: Settings, name: str) -> NamedLock:
    """The lock of a name: a file name without its ending.

    Raises:
        StorageError: the folder of the locks cannot be made.
    """
    if settings.database_url is not None:
        return DatabaseLock(settings.database_url.get_secret_value(), name)
    folder = settings.home / "state" / "locks"
    try:
        for one in (settings.home, folder.parent, folder):
            private_folder(one)
    except OSError as error:
        raise StorageError(folder, error) from error
    return FileLock(folder / f"{name}.lock", mode=0o600)


class DatabaseLock:
    """An advisory lock of a PostgreSQL server, held by a connection of its own."""

    def __init__(self, url: str, name: str) -> None:
        self._url = url
        self._name = name
        self._connection: psycopg.Connection[Any] | None = None
        self._one_at_a_time = threading.Lock()

    @property
    def held(self) -> bool:
        """Whether this object took it and has not given it back."""
        return self._connection is not None

    def take(self) -> bool:
        """Take the lock if nobody has it; whether it was taken.

        Raises:
            DatabaseError: the server cannot be reached.
        """
        connection = connect(self._url)
        try:
            row = connection.execute("SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", [self._name]).fetchone()
        except psycopg.Error as error:
            connection.close()
            raise _away(error) from error
        if row is None or not row[0]:
            connection.close()
            return False
        self._connection = connection
        return True

    def acquire(self, timeout: float = -1) -> DatabaseLock:
        """Take the lock, waiting for whoever has it.

        Raises:
            DatabaseError: the server cannot be reached.
            Timeout: another holds it still, after so many seconds; below 0 it is waited for without end.
        """
        began = time.monotonic()
        while not self.take():
            if 0 <= timeout <= time.monotonic() - began:
                raise Timeout(self._name)
            time.sleep(AGAIN)
        return self

    def release(self) -> None:
        """Give it back."""
        with self._one_at_a_time:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def check(self) -> None:
        """Ask the server whether it is still there, and with it the lock; nothing, once it was given back.

        Raises:
            DatabaseError: it is not: another may have the lock.
        """
        with self._one_at_a_time:
            try:
                if self._connection is not None:
                    self._connection.execute("SELECT 1")
            except psycopg.Error as error:
                raise _away(error) from error

    def __enter__(self) -> DatabaseLock:
        return self if self.held else self.acquire()

    def __exit__(self, *exc: object) -> None:
        self.release()


def connect(url: str) -> psycopg.Connection[Any]:
    """A connection that both ends give up soon when the other is gone.

    Raises:
        DatabaseError: the server cannot be reached.
    """
    settings = {
        "tcp_keepalives_idle": LOST_AFTER // 3,
        "tcp_keepalives_interval": LOST_AFTER // 6,
        "tcp_keepalives_count": 4,
        "idle_session_timeout": 0,
    }
    try:
        return psycopg.connect(
            url,
            autocommit=True,
            connect_timeout=SERVER_LOST_AFTER,
            tcp_user_timeout=SERVER_LOST_AFTER * 1000,
            options=" ".join(f"-c {name}={value}" for name, value in settings.items()),
        )
    except psycopg.Error as error:
        raise _away(error) from None


def _away(error: psycopg.Error) -> DatabaseError:
    # The server's own words, in one line: they name host and user, and no password.
    return DatabaseError(f"the database does not answer: {' '.join(str(error).split())}")
