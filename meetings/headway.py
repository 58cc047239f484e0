"""How far each stage of a recording is, for whoever looks on from another process or machine.

A small document a recording in the database, written every few seconds while a stage works and removed when it is done.
It says when a stage began to tell and when it last did, so that whoever looks once knows how fast it goes. It is told
on the way and never relied on: what a killed process leaves is written over by whoever goes on.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass

from meetings.config import Settings
from meetings.errors import MeetingsError
from meetings.logs import current
from meetings.progress import STAGES
from meetings.store import Database

KIND = "headway"
EVERY = 3.0  # seconds between two writes of a stage
# What nothing was heard of for so long (seconds) has no rate any more: it waits, or its process is dead.
SILENT = 120.0
# A rate is told from this much on: seconds, and share of the stage.
LONG_ENOUGH, FAR_ENOUGH = 10.0, 0.02
# Stages that may work at the same time: one that is done is told as done until both are.
TOGETHER = "transcription and diarization"
_TOGETHER = tuple(TOGETHER.split(" and "))

log = logging.getLogger("meetings.stage")


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a stage last told.

    Args:
        far: how far it is (0 to 1); 1 of a stage that is done while the one beside it works.
        at: when it said so, seconds since the epoch; 0: nobody knows.
        began: when the stage began; 0: nobody knows.
        since: when it first told anything.
        base: how far it was then; one that goes on after a death does not begin at 0.
    """

    far: float
    at: float = 0.0
    began: float = 0.0
    since: float = 0.0
    base: float = 0.0

    def left(self, now: float) -> float | None:
        """Seconds that the stage takes on; None while it has shown no rate, and when it took longer than that said.

        Two rates are known: since it began, and since it first told. The slower one counts: what tells of a batch at a
        time seems fast from its first word on, and what goes on with a part of a file seems fast from its beginning.
        """
        took, done = self.at - self.since, self.far - self.base
        if now - self.at > SILENT or took < LONG_ENOUGH or done < FAR_ENOUGH or self.far >= 1.0:
            return None
        pace = max(took / done, (self.at - self.began) / self.far if self.began else 0.0)  # seconds for all of it
        left = (1.0 - self.far) * pace - max(0.0, now - self.at)
        return left if left > 0 else None


@dataclass(frozen=True, slots=True, kw_only=True)
class StageProgress:
    """A stage of something that is worked on.

    Args:
        name: one of `meetings.progress.STAGES`.
        state: `done`, `now` or `next`.
        far: how far it is (0 to 1), of one that works now and told.
        left: seconds that it takes on, at the rate that it has had; None: it has shown none.
        silent: seconds since it last told, if that is long ago.
    """

    name: str
    state: str
    far: float | None = None
    left: float | None = None
    silent: float | None = None


class Headway:
    """Notes how far stages are. Each call is about the recording that the log is about (`meetings.logs.about`).

    Args:
        settings: where the database is.
        clock: seconds that never step back.
        wall: seconds since the epoch.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._wall = wall
        self._lock = threading.Lock()
        self._written: dict[tuple[str, str], float] = {}
        self._began: dict[tuple[str, str], float] = {}
        self._first: dict[tuple[str, str], tuple[float, float]] = {}

    def begin(self, stage: str) -> None:
        """A stage begins, perhaps again: how fast it went before its failure says nothing of now."""
        which = current("recording"), stage
        with self._lock:
            self._written.pop(which, None)
            self._first.pop(which, None)
            self._began[which] = round(self._wall(), 1)

    def tell(self, stage: str, fraction: float) -> None:
        """A stage is so far (0 to 1); written now and then. A database that is away is no trouble of the stage's."""
        recording = current("recording")
        if not recording:
            return
        far = round(min(1.0, max(0.0, fraction)), 3)
        with self._lock:
            now = self._clock()
            if now - self._written.get((recording, stage), float("-inf")) < EVERY:
                return
            self._written[recording, stage] = now
            since, base = self._first.setdefault((recording, stage), (round(self._wall(), 1), far))
            began = self._began.get((recording, stage), 0.0)
        # Done is what `done` says.
        told = Told(far=min(far, 0.999), at=round(self._wall(), 1), began=began, since=since, base=base)
        self._change(recording, lambda known: {**known, stage: told})

    def done(self, stage: str) -> None:
        """A stage is done."""
        recording = current("recording")
        with self._lock:
            told = self._written.pop((recording, stage), None) is not None
            self._first.pop((recording, stage), None)
            self._began.pop((recording, stage), None)
        if stage in _TOGETHER and recording:
            ended = Told(far=1.0, at=round(self._wall(), 1))
            self._change(recording, lambda known: _rest({**known, stage: ended}))
        elif told:
            self._change(recording, lambda known: {s: t for s, t in known.items() if s != stage})

    def _change(self, recording: str, change: Callable[[Mapping[str, Told]], Mapping[str, Told]]) -> None:
        def changed(body: str | None) -> str | None:
            now = change(_read(body))
            return json.dumps({stage: asdict(told) for stage, told in now.items()}) if now else None

        try:
            Database.of(self._settings).change(KIND, recording, changed)
        except MeetingsError as error:
            log.debug("how far a stage is could not be noted: %s", error)


def read_headway(settings: Settings) -> dict[str, Mapping[str, Told]]:
    """What the stages of each recording last told, by its post.

    Raises:
        DatabaseError: the database does not answer.
    """
    return {d.name: _read(d.body) for d in Database.of(settings).documents(KIND)}


def stages_of(stage: str, told: Mapping[str, Told], *, now: float) -> tuple[StageProgress, ...]:
    """Each stage of a recording, in order, by the one that it is in and by what was told.

    Args:
        stage: as `meetings.steps.stage_of` says; of one that is in none, all are still to come or done.
        told: what stages last told; what is of another stage is an earlier process's.
        now: seconds since the epoch.
    """
    names = list(STAGES)
    here = _TOGETHER if stage == TOGETHER else (stage,)
    if stage not in {*names, TOGETHER}:
        return tuple(StageProgress(name=n, state="done" if stage == "noting it" else "next") for n in names)
    first, found = names.index(here[0]), []
    for at, name in enumerate(names):
        if name not in here:
            found.append(StageProgress(name=name, state="done" if at < first else "next"))
        elif (one := told.get(name)) is None:
            # Of two, the one that told works; the other one may be still to come.
            found.append(StageProgress(name=name, state="next" if any(n in told for n in here) else "now"))
        elif one.far >= 1.0:
            found.append(StageProgress(name=name, state="done"))
        else:
            silent = now - one.at if one.at and now - one.at > SILENT else None
            found.append(StageProgress(name=name, state="now", far=one.far, left=one.left(now), silent=silent))
    return tuple(found)


def _rest(known: Mapping[str, Told]) -> Mapping[str, Told]:
    """What is left to tell of stages: nothing of those that work together, once both are done."""
    if all(name in known and known[name].far >= 1.0 for name in _TOGETHER):
        return {s: t for s, t in known.items() if s not in _TOGETHER}
    return known


def _read(body: str | None) -> Mapping[str, Told]:
    try:
        data = json.loads(body or "{}")
        return {str(stage): _told(value) for stage, value in data.items()}
    except (ValueError, TypeError, AttributeError, RecursionError):
        return {}


def _told(value: object) -> Told:
    # Versions before wrote the fraction alone.
    return Told(**{k: float(v) for k, v in value.items()}) if isinstance(value, dict) else Told(far=float(str(value)))
