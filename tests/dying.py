"""What processes do that tests start to be killed, or to be several: a module that is light to import anew."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

from meetings.config import Settings
from meetings.store import first_layout
from tests.databases import made_ready


def upgrade_and_die_in_a_step(settings: Settings) -> None:
    """Begin to make the tables, in a process that is killed before it is done."""
    from alembic import op

    op.create_index = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
    made_ready(settings)


def upgrade_and_die_taking_in(settings: Settings, at: int) -> None:
    """Upgrade, in a process that is killed at its `at`th step of taking in files, if it has as many."""
    left = [at]

    def dying(really: Callable[..., Any]) -> Callable[..., Any]:
        def step(*args: Any, **options: Any) -> Any:
            if not left[0]:
                os.kill(os.getpid(), signal.SIGKILL)
            left[0] -= 1
            return really(*args, **options)

        return step

    for name in ("put_if_newer", "write_raw", "settle"):
        setattr(first_layout, name, dying(getattr(first_layout, name)))
    Path.unlink = dying(Path.unlink)  # type: ignore[method-assign]
    made_ready(settings)


def note_many(settings: Settings, lines: int) -> None:
    """Add lines to the audit log."""
    from meetings.audit import AuditLog

    log = AuditLog(settings)
    for n in range(lines):
        log.note("delivery", user="ana", turn=n)


def change_much(settings: Settings, number: int, turns: int) -> None:
    """Change the same documents as others do at the same time."""
    from meetings.people import FeedbackBook
    from meetings.positions import Positions
    from meetings.store import Database

    database, book, positions = Database.of(settings), FeedbackBook(settings), Positions(settings)
    for turn in range(turns):
        database.change("test", "count", lambda body: str(int(body or 0) + 1))
        book.add("ana", "more", f"subject{number} turn{turn} x", at=1.0)
        positions.move("c", number * 1000 + turn)


def change_in_threads(settings: Settings, threads: int, turns: int) -> None:
    """Change the same document as others do at the same time, in several threads, and write one's own beside it."""
    from concurrent.futures import ThreadPoolExecutor

    from meetings.store import Database

    def change(thread: int) -> None:
        for turn in range(turns):
            Database.of(settings).change("test", "count", lambda body: str(int(body or 0) + 1))
            Database.of(settings).write("test", f"{os.getpid()} {thread} {turn}", "x" * 3_000)

    with ThreadPoolExecutor(threads) as pool:
        for done in [pool.submit(change, n) for n in range(threads)]:
            done.result()
