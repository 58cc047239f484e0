"""Queued work that this process took and is at no longer, though nobody wrote down that it ended, is taken up again.

That is what is left of work while the steps' database cannot be written, as on a full disk: the work fails, that it
failed cannot be kept either, and the engine would look for it at the next start alone.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Any

from dbos import DBOS
from dbos._dbos import _get_dbos_instance
from dbos._utils import INTERNAL_QUEUE_NAME

EVERY = 30.0  # seconds between two looks; work that is found in two of them is taken up again
LONGEST = 900.0  # seconds: each time that it is left again it waits twice as long, so that days of trouble end none

log = logging.getLogger("meetings.service")


class LeftWork:
    """Looks for it.

    Args:
        executor: the name by which the engine knows this process.
        clock: seconds.
    """

    def __init__(self, executor: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._executor = executor
        self._clock = clock
        self._due: dict[str, float] = {}
        self._pauses: dict[str, float] = {}
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def look(self) -> list[str]:
        """Put back into its queue what was left at the look before already; what that was.

        Raises:
            SQLAlchemyError: the steps' database cannot be read or written.
        """
        found = DBOS.list_workflows(status="PENDING", executor_id=[self._executor], load_input=False, load_output=False)
        engine: Any = _get_dbos_instance()
        at_work = set(engine._active_workflows_set.activeList())
        left = {one.workflow_id for one in found} - at_work
        # What is at work again, or over, is met anew if it is ever left again; what was tried before keeps its pause.
        self._due = {name: due for name, due in self._due.items() if name in left}
        again = []
        for name in sorted(left):
            pause = self._pauses.get(name, EVERY)
            if name not in self._due:
                self._due[name] = self._clock() + pause
            elif self._due[name] <= self._clock():
                engine._sys_db.reenqueue_for_recovery(name, [self._executor], INTERNAL_QUEUE_NAME)
                del self._due[name]
                self._pauses[name] = min(LONGEST, 2 * pause)
                again.append(name)
        if not found:
            self._pauses.clear()
        return again

    def start(self) -> None:
        """Look from now on, beside the work."""
        self._thread = threading.Thread(target=self._run, daemon=True, name="left work")
        self._thread.start()

    def stop(self) -> None:
        """Look no more."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout=5.0)

    def _run(self) -> None:
        while not self._stop.wait(EVERY):
            try:
                for name in self.look():
                    log.warning("work was left unfinished and is taken up again: %s", name)
            except Exception as error:  # noqa: BLE001 - the next look is in a moment
                log.warning("could not look for unfinished work (%s)", type(error).__name__)
