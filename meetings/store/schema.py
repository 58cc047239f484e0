"""Brings a database to the schema that this program wants: forward only, one process at a time, whole or not at all.

Each step of migrations/versions is a transaction of its own, in PostgreSQL and in SQLite. What an earlier version kept
in files is then taken in: copied in one transaction, and removed only when that is done, so that whoever is killed on
the way is followed by anybody.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock

from meetings.errors import StorageError
from meetings.store import first_layout
from meetings.store.database import WANTED, Database, lock_key
from meetings.store.files import private_folder

if TYPE_CHECKING:
    from sqlalchemy import Connection

MIGRATIONS = Path(__file__).parent / "migrations"


def upgrade(database: Database) -> None:
    """Bring a database to the newest schema, and take in what its data folder still has in files.

    Raises:
        SchemaError: a newer program made it.
        DatabaseError: it is damaged or does not answer.
        StorageError: the disk is full or a folder cannot be written.
    """
    with _alone(database) as connection:
        version = database.version()
        database.refuse_newer(version)
        if version != WANTED:
            if database.path is not None:
                assert connection.connection.driver_connection is not None
                # Past the engine, which would begin a transaction; it stays with the file.
                connection.connection.driver_connection.execute("PRAGMA journal_mode = WAL")
            migrate(connection, to="head")
        home = database.home
        if home is None or not first_layout.is_left(home):
            return
        with connection.execution_options(immediate=True).begin():
            taken = first_layout.take_in(connection, home)
        first_layout.settle(taken, home)


def migrate(connection: Connection, *, to: str) -> None:
    """Carry out the steps up to one of migrations/versions, or to `head`."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, to)


@contextlib.contextmanager
def _alone(database: Database) -> Iterator[Connection]:
    """A connection, while no other process changes the schema; on a server also: while none writes."""
    if database.path is not None:
        lock = database.path.with_name(f".{database.path.name}.lock")
        try:
            private_folder(lock.parent)
            held = FileLock(lock, mode=0o600)
            held.acquire()
        except OSError as error:
            raise StorageError(database.path, error) from error
        try:
            with database.reading() as connection:
                yield connection
        finally:
            held.release()
        return
    key = lock_key("schema")
    with database.reading() as connection:
        connection.exec_driver_sql(f"SELECT pg_advisory_lock({key})")
        connection.commit()
        try:
            yield connection
        finally:
            connection.rollback()
            connection.exec_driver_sql(f"SELECT pg_advisory_unlock({key})")
            connection.commit()
