"""Where the queue's steps are written down, and a look at them: what waits, what is worked on, what failed and why.

The steps' database is a SQLite file of this machine, or the PostgreSQL that several share. A look takes no lock of the
queue's, so it works while the service runs as well as when none does; nothing here runs any work.
"""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from meetings.config import Settings
from meetings.errors import DatabaseError
from meetings.remedies import DIED
from meetings.store import private_file

if TYPE_CHECKING:
    from dbos import DBOSClient, WorkflowStatus

FILE = "service.sqlite"
UNFINISHED = ("ENQUEUED", "DELAYED", "PENDING")
DEAD = "MAX_RECOVERY_ATTEMPTS_EXCEEDED"
ENDED = ("SUCCESS", "ERROR", DEAD)
# What ended longer ago (seconds) or before so many others is not looked at for failures.
LOOK_BACK, MOST_ENDED = 14 * 24 * 3600.0, 5_000
# A stage is under way from when the one before it is written down. A step, and the stage that follows it:
_FIRST = {"speech": "fetch", "summary": "people", "delivery": "delivery"}  # by queue, before any step is done
_NEXT = {
    "look": "fetch",
    "fetch_recording": "audio",
    "decode_recording": "segmentation",
    "segment_speech": "transcription and diarization",
    "transcribe_and_diarize": "conversation",
    "join_words_and_speakers": "people",
    "read_people": "summaries",
    "write_summaries": "delivery",
    "deliver_summary": "delivery",
    "tidy_up": "noting it",
}


def steps_url(settings: Settings) -> str:
    """The address of the steps' database; the file is made if it is not there, for its owner alone.

    Raises:
        OSError: the file cannot be made.
    """
    if settings.database_url is not None:
        return settings.database_url.get_secret_value()
    return f"sqlite:///{private_file(settings.home / 'state' / FILE)}"


@contextlib.contextmanager
def open_steps(settings: Settings) -> Iterator[DBOSClient | None]:
    """The steps' database, to look at or to queue something; None where nothing was ever queued.

    Raises:
        DatabaseError: it cannot be read.
    """
    from dbos import DBOSClient

    if settings.database_url is None and not (settings.home / "state" / FILE).is_file():
        yield None
        return
    client = None
    where = "database_url" if settings.database_url is not None else str(settings.home / "state" / FILE)
    try:
        with plain_trouble(where):
            client = DBOSClient(system_database_url=steps_url(settings), retry_connection_errors=False)
            yield client
    finally:
        if client is not None:
            client.destroy()


@contextlib.contextmanager
def plain_trouble(where: str) -> Iterator[None]:
    """Trouble with the steps' database as a `DatabaseError` that names where it is."""
    from sqlalchemy.exc import SQLAlchemyError

    try:
        yield
    except SQLAlchemyError as error:
        # What the driver says quotes the address, with its password; which kind of trouble it is must do.
        kind = type(error.__cause__ or error).__name__
        raise DatabaseError(f"the queue cannot be reached: {where} ({kind}); meetings doctor says more") from None


def plain(error: Exception) -> Exception:
    """What came of a step that could not be written down as a `DatabaseError` with a short reason; else the error.

    The engine's own words quote what was to be written: what was said, and to whom.
    """
    from sqlalchemy.exc import SQLAlchemyError

    if not isinstance(error, SQLAlchemyError):
        return error
    cause = getattr(error, "orig", None) or error
    # A server's words may quote, too; those of SQLite name what is the matter and no more.
    said = str(cause) if isinstance(cause, sqlite3.Error) else type(cause).__name__
    return DatabaseError(f"the steps' database cannot be used ({said})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """One piece of queued work: what it is on (a post's id), and how it stands. Times in seconds since the epoch.

    Args:
        id: its name in the steps' database.
        subject: the post, or whatever it is about.
        queue: the queue it is on.
        state: `waiting`, `later`, `running` or `ended`.
        created: when it was queued.
        began: when somebody took it up; None: nobody yet.
        over: when it ended; None: it has not.
        due: when something that waits for its time is taken up.
        worker: who has it, or had it.
        outcome: what came of it, of what ended: its `state`, `reason` and `cause`.
    """

    id: str
    subject: str
    queue: str
    state: str
    created: float
    began: float | None = None
    over: float | None = None
    due: float | None = None
    worker: str = ""
    outcome: Mapping[str, Any] | None = None

    @property
    def of_recording(self) -> bool:
        """Whether it is the work on a recording, and its subject the recording's post."""
        return self.id.startswith("recording:") or ":recording:" in self.id


def unfinished(client: DBOSClient) -> tuple[Work, ...]:
    """All that waits or is worked on, the oldest first."""
    found = client.list_workflows(status=list(UNFINISHED), load_input=False, load_output=False)
    return tuple(_work(one) for one in found)


def ended(client: DBOSClient, *, now: float) -> tuple[Work, ...]:
    """What ended lately, with what came of it, the oldest first."""
    begin = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now - LOOK_BACK))
    found = client.list_workflows(
        status=list(ENDED), start_time=begin, limit=MOST_ENDED, sort_desc=True, load_input=False, load_output=True
    )
    return tuple(_work(one) for one in reversed(found))


def stage_of(client: DBOSClient, work: Work) -> tuple[str, float]:
    """The stage that running work is in, and since when."""
    steps: Sequence[Any] = client.list_workflow_steps(work.id, load_output=False)
    known = [s for s in steps if s["function_name"].rpartition(".")[2] in _NEXT]
    if not known:
        return _FIRST.get(work.queue, "looking at it"), work.began or work.created
    since = known[-1]["completed_at_epoch_ms"]
    return _NEXT[known[-1]["function_name"].rpartition(".")[2]], since / 1000 if since else work.created


def _work(one: WorkflowStatus) -> Work:
    states = {"ENQUEUED": "waiting", "DELAYED": "later", "PENDING": "running"}
    # KIND:SUBJECT:…, where several machines work with the part of the work before it.
    parts = one.workflow_id.split(":")
    if parts[0] in _FIRST:
        parts = parts[1:]
    outcome: Mapping[str, Any] | None = None
    if one.status == DEAD:
        outcome = {"state": "given up", "reason": "the process died over it again and again", "cause": DIED}
    elif one.status == "ERROR":
        error = one.error
        outcome = {"state": "given up", "reason": str(error), "cause": type(error).__name__}
    elif isinstance(one.output, Mapping):
        outcome = one.output
    return Work(
        id=one.workflow_id,
        subject=parts[1] if len(parts) > 1 else one.workflow_id,
        queue=one.queue_name or "",
        state=states.get(one.status, "ended"),
        created=(one.created_at or 0) / 1000,
        over=one.completed_at / 1000 if one.completed_at else None,
        began=one.dequeued_at / 1000 if one.dequeued_at else None,
        due=one.delay_until_epoch_ms / 1000 if one.delay_until_epoch_ms else None,
        worker=one.executor_id or "",
        outcome=outcome,
    )
