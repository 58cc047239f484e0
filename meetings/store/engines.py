"""How databases are reached: a SQLite file of this machine, or a PostgreSQL server that several share."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from meetings.errors import ConfigError

if TYPE_CHECKING:
    from sqlalchemy import URL, Connection, Engine

PATIENCE = 30.0  # seconds that a write waits for another process's to end, or a server for its answer


def sqlite_engine(path: Path) -> Engine:
    """Of a file on this machine."""
    from sqlalchemy import URL, create_engine, event
    from sqlalchemy.pool import NullPool

    # No connection is kept: the last one that closes empties the journal, so that what was forgotten is gone from it.
    url = URL.create("sqlite", database=str(path))
    engine = create_engine(url, hide_parameters=True, poolclass=NullPool, connect_args={"timeout": PATIENCE})

    @event.listens_for(engine, "connect")
    def connect(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # the driver's own idea of when a transaction begins leaves out too much
        connection.execute("PRAGMA secure_delete = ON")
        connection.execute("PRAGMA synchronous = FULL")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        immediate = connection.get_execution_options().get("immediate")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")

    return engine


def server_url(url: str) -> URL:
    """The address of a server.

    Raises:
        ConfigError: it is none.
    """
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        return make_url(url)
    except (ArgumentError, ValueError):  # its words would quote the password
        raise ConfigError("database_url has to be postgresql://USER:PASSWORD@HOST/NAME") from None


def server_engine(url: str) -> Engine:
    """Of a PostgreSQL server; raises as `server_url` does."""
    from sqlalchemy import create_engine

    return create_engine(
        server_url(url).set(drivername="postgresql+psycopg"),
        pool_pre_ping=True,
        hide_parameters=True,
        connect_args={"connect_timeout": int(PATIENCE)},
    )
