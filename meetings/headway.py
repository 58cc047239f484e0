"""How far each stage of a recording is, for whoever looks on from another process or machine.

A small document a recording in the database, written every few seconds while a stage works and removed when it is done.
It is told on the way and never relied on: what a killed process leaves is written over by whoever goes on.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable, Mapping

from meetings.config import Settings
from meetings.errors import MeetingsError
from meetings.logs import current
from meetings.store import Database

KIND = "headway"
EVERY = 3.0  # seconds between two writes of a stage

log = logging.getLogger("meetings.stage")


class Headway:
    """Notes how far stages are. Each call is about the recording that the log is about (`meetings.logs.about`).

    Args:
        settings: where the database is.
        clock: seconds that never step back.
    """

    def __init__(self, settings: Settings, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._settings = settings
        self._clock = clock
        self._lock = threading.Lock()
        self._written: dict[tuple[str, str], float] = {}

    def tell(self, stage: str, fraction: float) -> None:
        """A stage is so far (0 to 1); written now and then. A database that is away is no trouble of the stage's."""
        recording = current("recording")
        if not recording:
            return
        with self._lock:
            now = self._clock()
            if now - self._written.get((recording, stage), float("-inf")) < EVERY:
                return
            self._written[recording, stage] = now
        self._change(recording, lambda known: {**known, stage: round(min(1.0, max(0.0, fraction)), 3)})

    def done(self, stage: str) -> None:
        """A stage is done."""
        recording = current("recording")
        with self._lock:
            told = self._written.pop((recording, stage), None)
        if told is not None:
            self._change(recording, lambda known: {s: f for s, f in known.items() if s != stage})

    def _change(self, recording: str, change: Callable[[Mapping[str, float]], Mapping[str, float]]) -> None:
        def changed(body: str | None) -> str | None:
            now = change(_read(body))
            return json.dumps(now) if now else None

        try:
            Database.of(self._settings).change(KIND, recording, changed)
        except MeetingsError as error:
            log.debug("how far a stage is could not be noted: %s", error)


def read_headway(settings: Settings) -> dict[str, Mapping[str, float]]:
    """How far the stages of each recording are (0 to 1), by its post.

    Raises:
        DatabaseError: the database does not answer.
    """
    return {d.name: _read(d.body) for d in Database.of(settings).documents(KIND)}


def _read(body: str | None) -> Mapping[str, float]:
    try:
        data = json.loads(body or "{}")
        return {str(stage): float(fraction) for stage, fraction in data.items()}
    except (ValueError, TypeError, AttributeError):
        return {}
