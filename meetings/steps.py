"""Where the queue's steps are written down: a SQLite file of this machine, or the PostgreSQL that several share."""

from __future__ import annotations

from meetings.config import Settings
from meetings.store import private_file

FILE = "service.sqlite"


def steps_url(settings: Settings) -> str:
    """The address of the steps' database; the file is made if it is not there, for its owner alone.

    Raises:
        OSError: the file cannot be made.
    """
    if settings.database_url is not None:
        return settings.database_url.get_secret_value()
    return f"sqlite:///{private_file(settings.home / 'state' / FILE)}"
