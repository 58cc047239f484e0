"""Runs of the step engine that are over: what they were given and what their steps gave, which is about people."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from meetings.config import Settings

if TYPE_CHECKING:
    from dbos import DBOSClient

Engine = Path | str  # a database of the step engine: a SQLite file, or the URL of a server
ENDED = ["SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"]


def engines(settings: Settings) -> tuple[Engine, ...]:
    """Where the step engine keeps runs: that of commands, that of one listener, and that of several machines."""
    files = [settings.home / "state" / name for name in ("steps.sqlite", "service.sqlite")]
    shared = settings.database_url
    return (*(f for f in files if f.is_file()), *([] if shared is None else [shared.get_secret_value()]))


def ended_runs(database: Engine, *, completed_before: str | None = None, names: Sequence[str] = ()) -> list[str]:
    """Ids of runs of the step engine that are over.

    Args:
        database: its file, which has none if it is not there; or the URL of a server.
        completed_before: only what ended before this time (ISO 8601).
        names: only workflows of these names; none: all.
    """
    if isinstance(database, Path) and not database.is_file():
        return []
    with _looking_into(database) as client:
        found = client.list_workflows(
            status=ENDED,
            completed_before=completed_before,
            name=list(names) or None,
            load_input=False,
            load_output=False,
        )
        return [one.workflow_id for one in found]


def delete_runs(database: Engine, ids: Sequence[str]) -> None:
    """Remove runs with everything that their steps gave."""
    with _looking_into(database) as client:
        for at in range(0, len(ids), 500):
            client.delete_workflows(list(ids[at : at + 500]))


@contextlib.contextmanager
def _looking_into(database: Engine) -> Iterator[DBOSClient]:
    from dbos import DBOS, DBOSClient

    if isinstance(database, str):
        DBOS.migrate(database)  # no worker may have been here before
    client = DBOSClient(system_database_url=database if isinstance(database, str) else f"sqlite:///{database}")
    try:
        yield client
    finally:
        client.destroy()
