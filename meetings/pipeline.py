"""The stages of one recording, in order, as durable steps: the product's table of contents.

Each stage is a step of a DBOS workflow and leaves its result as a file keyed by what it was made from. A killed run
goes on in the step it was in; another run over the same recording (other people, another writer) finds the speech
already done. The bodies of the stages are in `meetings.stages`.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cache
from typing import Any, Protocol

from dbos import DBOS, DBOSConfig, DBOSConfiguredInstance, SetWorkflowID
from filelock import Timeout

from meetings.config import Settings
from meetings.errors import BusyError
from meetings.hearing import give_memory_back
from meetings.job import Job
from meetings.logs import about
from meetings.recordings import recording_lock, remember_run
from meetings.side_by_side import MANY_THREADS, checked, in_turn, side_by_side
from meetings.stage import StageResult
from meetings.stages import Stages
from meetings.store import FileStore, private_file
from meetings.traces import Traces

# A run that was killed under one version goes on under the next: stages are keyed by content, not by code.
APPLICATION_VERSION = "meetings-2"


class Observer(Protocol):
    """Who looks on: the command line draws bars, tests take notes."""

    def stage_started(self, stage: str) -> None:
        """Work on a stage begins."""

    def stage_progress(self, stage: str, fraction: float) -> None:
        """The stage is this far, in [0, 1]."""

    def stage_finished(self, result: StageResult) -> None:
        """The stage is done, or was found done."""


class Silent:
    """Nobody looks on."""

    def stage_started(self, stage: str) -> None:
        """Nothing."""

    def stage_progress(self, stage: str, fraction: float) -> None:
        """Nothing."""

    def stage_finished(self, result: StageResult) -> None:
        """Nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A finished run: its stages, and where conversation and summaries are in the store."""

    job: Job
    stages: tuple[StageResult, ...]
    conversation_key: str
    diarization_key: str
    summaries_key: str
    deliveries: tuple[Mapping[str, Any], ...] = ()
    notes: tuple[str, ...] = field(default=())

    @property
    def not_delivered(self) -> tuple[str, ...]:
        """Usernames whose message failed."""
        return tuple(str(d["username"]) for d in self.deliveries if d["status"] == "failed")


@DBOS.dbos_class()
class Pipeline(DBOSConfiguredInstance):
    """Runs jobs. One instance a process; DBOS finds it by name when it takes up a killed run."""

    _stages: Stages
    _observer: Observer
    _process: str

    def __init__(self) -> None:
        super().__init__("pipeline")

    def take(self, stages: Stages, observer: Observer) -> None:
        """What the next run works with."""
        self._stages = stages
        self._observer = observer
        # Tells results made by this run from those that an earlier one left.
        self._process = uuid.uuid4().hex

    @DBOS.workflow(name="process_recording")
    def process_recording(self, job_key: str) -> dict[str, Any]:
        """A recording becomes a different message for each person."""
        return self.work(job_key)

    def work(self, job_key: str) -> dict[str, Any]:
        """The stages, for a workflow to run: this one's, or a queue's."""
        steps = self.hear(job_key)
        steps += self.write(job_key, steps)
        told = self.tell(job_key, steps)
        self.tidy_up(job_key)
        return told

    def hear(self, job_key: str) -> list[dict[str, Any]]:
        """From the recording to who said what."""
        return [
            self.fetch_recording(job_key),
            self.decode_recording(job_key),
            self.segment_speech(job_key),
            *self.transcribe_and_diarize(job_key),
            self.join_words_and_speakers(job_key),
        ]

    def write(self, job_key: str, steps: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """From who said what to everybody's summary."""
        conversation = _key(steps, "conversation")
        readers = self.read_people(job_key, conversation)
        return [readers, self.write_summaries(job_key, conversation, readers["key"])]

    def tell(self, job_key: str, steps: Sequence[dict[str, Any]]) -> dict[str, Any]:
        """From everybody's summary to everybody's message; the outcome of the whole run."""
        conversation, summaries = _key(steps, "conversation"), _key(steps, "summaries")
        all_steps, deliveries, down = list(steps), [], ""
        for username in steps[-1]["info"].get("deliver_to", ()):
            outcome = self.deliver_summary(job_key, conversation, summaries, username, down)
            down = outcome["info"].pop("down", "")
            deliveries.append(outcome["info"])
            all_steps.append(outcome)
        return {"stages": all_steps, "deliveries": deliveries}

    @DBOS.step()
    def fetch_recording(self, job_key: str) -> dict[str, Any]:
        """Download the recording, if it lies in Mattermost."""
        return self._run("fetch", lambda job, tell: self._stages.fetch(job, tell), job_key)

    @DBOS.step()
    def decode_recording(self, job_key: str) -> dict[str, Any]:
        """Any container or codec becomes 16 kHz mono."""
        return self._run("audio", lambda job, tell: self._stages.decode(job, tell), job_key)

    @DBOS.step()
    def segment_speech(self, job_key: str) -> dict[str, Any]:
        """Where voices are active: one pass for the two that follow."""
        return self._run("segmentation", lambda job, tell: self._stages.segment(job, tell), job_key)

    @DBOS.step()
    def transcribe_and_diarize(self, job_key: str) -> list[dict[str, Any]]:
        """What was said, word by word with times, and who spoke when, as voices without names."""

        def transcribe(check: Callable[[], None]) -> dict[str, Any]:
            return self._run(
                "transcription", lambda job, tell: self._stages.transcribe(job, checked(tell, check)), job_key
            )

        def diarize(check: Callable[[], None]) -> dict[str, Any]:
            return self._run("diarization", lambda job, tell: self._stages.diarize(job, checked(tell, check)), job_key)

        if self._stages.threads < MANY_THREADS:
            return in_turn(transcribe, diarize, between=give_memory_back)
        found = side_by_side(transcribe, diarize)
        give_memory_back()
        return found

    @DBOS.step()
    def join_words_and_speakers(self, job_key: str) -> dict[str, Any]:
        """Words and turns become utterances, voices get names where they can be known."""
        return self._run("conversation", lambda job, tell: self._stages.join(job, tell), job_key)

    @DBOS.step()
    def read_people(self, job_key: str, conversation_key: str) -> dict[str, Any]:
        """Who reads, and what matters to them."""
        return self._run("people", lambda job, tell: self._stages.read_people(job, conversation_key, tell), job_key)

    @DBOS.step()
    def write_summaries(self, job_key: str, conversation_key: str, people_key: str) -> dict[str, Any]:
        """Evidence, bullets, grounding, for each person."""
        return self._run(
            "summaries",
            lambda job, tell: self._stages.summarise(job, conversation_key, people_key, tell),
            job_key,
        )

    @DBOS.step()
    def deliver_summary(
        self, job_key: str, conversation_key: str, summaries_key: str, username: str, down: str
    ) -> dict[str, Any]:
        """One person's direct message."""
        return self._run(
            "delivery",
            lambda job, _tell: self._stages.deliver(job, conversation_key, summaries_key, username, down),
            job_key,
        )

    @DBOS.step()
    def tidy_up(self, job_key: str) -> None:
        """Sound and context are needed no longer; transcripts and summaries stay."""
        self._stages.tidy(self._stages.read_job(job_key))

    def _run(
        self, name: str, stage: Callable[[Job, Callable[[float], None]], StageResult], job_key: str
    ) -> dict[str, Any]:
        job = self._stages.read_job(job_key)
        with about(recording=job.source.post_id or job.source.media_id, channel=job.source.channel_id, stage=name):
            self._observer.stage_started(name)
            result = stage(job, lambda f: self._observer.stage_progress(name, f))
            self._observer.stage_finished(result)
        return {**asdict(result), "process": self._process}

    def result(self, job: Job, outcome: Mapping[str, Any]) -> Run:
        """The workflow's plain output as a `Run`; what an earlier process did counts as reused."""
        stages = tuple(
            StageResult(**{**{k: v for k, v in s.items() if k != "process"}, "reused": s["reused"] or
                           s["process"] != self._process})
            for s in outcome["stages"]
        )  # fmt: skip
        keys = {s.stage: s.key for s in stages}
        return Run(
            job=job,
            stages=stages,
            conversation_key=keys["conversation"],
            diarization_key=keys["diarization"],
            summaries_key=keys["summaries"],
            deliveries=tuple(outcome["deliveries"]),
            notes=tuple(note for s in stages for note in s.info.get("notes", ())),
        )


def _key(steps: Sequence[Mapping[str, Any]], stage: str) -> str:
    """The key of a stage's result."""
    return next(str(step["key"]) for step in steps if step["stage"] == stage)


@cache
def shared_pipeline() -> Pipeline:
    """The process's one: DBOS takes an instance of a name once, and a correction makes several runs again."""
    return Pipeline()


def run_job(job: Job, settings: Settings, *, observer: Observer | None = None) -> Run:
    """Run a job to its end, or take up where an earlier process stopped.

    A run that ended well is not run again; one that ended in an error, or left people without their message, is.

    Raises:
        BusyError: another process works on the same recording.
        MeetingsError: a stage failed; its results so far are kept.
    """
    lock = recording_lock(settings, job.source.media_id)
    try:
        with lock.acquire(timeout=0):
            return _run_locked(job, settings, observer or Silent())
    except Timeout:
        raise BusyError(
            f"another process is working on {job.source.title}; wait for it, then run the command again"
        ) from None


def _run_locked(job: Job, settings: Settings, observer: Observer) -> Run:
    store = FileStore.of(settings)
    pipeline_stages = Stages(settings=settings, store=store)
    traces = Traces(settings.otlp_endpoint)
    job_key = store.put_json("jobs", job.to_json())
    config: DBOSConfig = {
        "name": "meetings",
        "system_database_url": f"sqlite:///{private_file(settings.home / 'state' / 'steps.sqlite')}",
        # On launch DBOS takes up what its executor left pending: with the run's own id that is this run alone.
        "executor_id": job.run_id,
        "application_version": APPLICATION_VERSION,
        "log_level": "CRITICAL",
        "notification_listener_polling_interval_sec": 0.1,
    }
    DBOS(config=config)
    pipeline = shared_pipeline()
    pipeline.take(pipeline_stages, observer)
    DBOS.launch()
    try:
        outcome = _finished(job, store, pipeline)
        if outcome is None:
            with SetWorkflowID(job.run_id):
                outcome = DBOS.start_workflow(pipeline.process_recording, job_key).get_result()
        run = pipeline.result(job, outcome)
        traces.run(job, outcome["stages"])
        remember_run(
            store, job, conversation=run.conversation_key, diarization=run.diarization_key, summaries=run.summaries_key
        )
        return run
    finally:
        DBOS.destroy(workflow_completion_timeout_sec=0)
        traces.close()


def _finished(job: Job, store: FileStore, pipeline: Pipeline) -> Mapping[str, Any] | None:
    """The outcome of an earlier run of this job, waited for if it was taken up just now; None if it must run."""
    status = DBOS.get_workflow_status(job.run_id)
    if status is None:
        return None
    outcome: Mapping[str, Any] | None = None
    if status.status in {"PENDING", "ENQUEUED"}:
        handle: Any = DBOS.retrieve_workflow(job.run_id)
        outcome = handle.get_result(polling_interval_sec=0.2)
    elif status.status == "SUCCESS":
        handle = DBOS.retrieve_workflow(job.run_id)
        outcome = handle.get_result()
    if outcome is not None:
        run = pipeline.result(job, outcome)
        if not run.not_delivered and store.has("summaries", run.summaries_key):
            return outcome
    # It failed, was cancelled, left people without their message, or its files were purged: from the top, cheaply.
    DBOS.delete_workflow(job.run_id)
    return None
