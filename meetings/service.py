"""Recordings that wait to be worked on, and the work on them: a durable queue.

What was put into the queue (`meetings.queueing`) is done once, whenever the process dies. On one machine a recording is
worked on from end to end, one after the other, by the process that listens; the queue is in a file of its own beside
that of `meetings process`, so that a command on the same machine neither takes its work nor lends it a hand. Where
several machines share a database, each part of the work ends with queueing the next, for whichever machine is free
(`meetings.worker`). Stages find what others have done already.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

from dbos import DBOS, DBOSConfig, DBOSConfiguredInstance
from filelock import FileLock, Timeout

from meetings.alerts import alert_of_call
from meetings.answering import DEATHS, shared_answers
from meetings.arrivals import Drop, Wait, decide, decide_again
from meetings.config import Settings
from meetings.errors import (
    BusyError,
    MattermostError,
    MattermostUnreachableError,
    MeetingsError,
    RecordingError,
    StorageError,
)
from meetings.job import Job
from meetings.known_voices import names_stamp
from meetings.left_work import LeftWork
from meetings.logs import about
from meetings.mattermost import MattermostClient, find_recording
from meetings.metrics import count_failure
from meetings.pipeline import Observer, Pipeline, shared_pipeline
from meetings.prepare import prepare_job
from meetings.queueing import (
    ANSWERS,
    APPLICATION,
    CORRECTION,
    DELIVERY,
    FRESH,
    LATE,
    RECORDINGS,
    SPEECH,
    SUMMARY,
    VERSION,
    Inbox,
    SharedInbox,
    errand,
    workflow_id,
)
from meetings.recordings import past_runs, recording_lock, remember_run
from meetings.retention import plan_gone, purge
from meetings.search import index_recording
from meetings.stages import Stages
from meetings.steps import plain
from meetings.store import FileStore, private_file, private_folder
from meetings.traces import Traces
from meetings.wide_settings import note_wide_settings

# Server trouble of a single person's message is not waited out for days.
TRIES_FOR_A_PERSON = 8
# A recording that was posted longer ago (seconds) is no call that just ended.
JUST_ENDED = 6 * 3600.0

log = logging.getLogger("meetings.service")


@DBOS.dbos_class()
class Recordings(DBOSConfiguredInstance):
    """The work on a queued recording."""

    _settings: Settings
    _store: FileStore
    _pipeline: Pipeline
    _shared: bool
    _traces: Traces

    def __init__(self) -> None:
        super().__init__("recordings")

    def take(self, settings: Settings, store: FileStore, pipeline: Pipeline) -> None:
        """What the work is done with."""
        self._settings, self._store, self._pipeline = settings, store, pipeline
        self._shared = settings.database_url is not None
        self._traces = Traces(settings.otlp_endpoint)

    def close(self) -> None:
        """Send what is left of traces."""
        self._traces.close()

    @DBOS.workflow(name="take_recording", max_recovery_attempts=DEATHS)
    def take_recording(self, post_id: str, cause: str, turn: int, failures: int) -> dict[str, Any]:
        """Look at a recording; wait, give up, or do all of it. What has to wait is queued again, and the next goes on.

        Args:
            post_id: the recording's post.
            cause: what was new about it when it was queued; empty at first.
            turn: how often it was looked at before.
            failures: how often work on it failed before.
        """
        look = (post_id, cause, turn, failures)
        with about(recording=post_id):
            return self._take(look)

    def _take(self, look: tuple[str, str, int, int]) -> dict[str, Any]:
        post_id, cause, turn, _failures = look
        try:
            plan = self.look(post_id)
            if plan["wait"]:
                return self._later(*look, Wait(seconds=plan["wait"], reason=plan["reason"]))
            if self._shared:
                return self._hand_on(SPEECH, workflow_id(post_id, cause, turn), {**plan, "look": look, "steps": []})
            outcome = self._work(plan["job"])
        except Exception as error:  # noqa: BLE001 - the queue goes on, whatever one recording does
            return self._failed(*look, error)
        return self._ended(look, outcome)

    @DBOS.workflow(name="work_on", max_recovery_attempts=DEATHS)
    def work_on(self, part: str, name: str, work: dict[str, Any]) -> dict[str, Any]:
        """One part of the work on a recording, where several machines work; it ends with queueing the next.

        Args:
            part: which; its queue's name.
            name: the work's name: `workflow_id` of the look that it follows, or a name of a correction.
            work: the job's key, the recording, what the parts before gave, and what to go on with: see `look`.
        """
        # Nothing may be read here but in steps: after a death the same has to follow from the same.
        post = work["look"][0] if work["look"] else work["recording"]
        try:
            with about(recording=post), recording_lock(self._settings, work["recording"]):
                if part == SPEECH:
                    steps = self._pipeline.hear(work["job"])
                    self._pipeline.tidy_up(work["job"])  # sound lies on the machine that heard it
                    return self._hand_on(SUMMARY, name, {**work, "steps": steps})
                if part == SUMMARY:
                    steps = [*work["steps"], *self._pipeline.write(work["job"], work["steps"])]
                    return self._hand_on(DELIVERY, name, {**work, "steps": steps})
                outcome = self._pipeline.tell(work["job"], work["steps"])
                self.note(work["job"], outcome)
        except Exception as error:  # noqa: BLE001 - the queue goes on, whatever one recording does
            if work["look"] is None:
                log.warning("a recording could not be corrected: %s", plain(error))
                return {"state": "given up", "reason": str(plain(error))}
            post_id, cause, turn, failures = work["look"]
            with about(recording=post_id):
                return self._failed(post_id, cause, turn, failures, error)
        return self._ended(work["look"], outcome)

    def _hand_on(self, part: str, name: str, work: dict[str, Any]) -> dict[str, Any]:
        options = errand(part, "work_on", f"{part}:{name}", priority=work["priority"], share=work["share"])
        DBOS.enqueue_workflow_with_options(options, part, name, work)
        return {"state": "handed on", "to": part}

    def _ended(self, look: Sequence[Any] | None, outcome: Mapping[str, Any]) -> dict[str, Any]:
        undelivered = [d for d in outcome["deliveries"] if d["status"] == "failed"]
        if undelivered and look is not None:
            post_id, cause, turn, failures = look
            if failures + 1 < TRIES_FOR_A_PERSON or any(d["server_gone"] for d in undelivered):
                reason = f"not delivered to {', '.join(d['username'] for d in undelivered)}: {undelivered[0]['reason']}"
                return self._failed(post_id, cause, turn, failures, MattermostUnreachableError(reason))
        return {"state": "done", "deliveries": outcome["deliveries"]}

    @DBOS.step()
    def look(self, post_id: str) -> dict[str, Any]:
        """Whether to begin; if so, the job."""
        client = MattermostClient.required(self._settings)
        recording = find_recording(client, post_id)
        if not client.user(recording.author_id).is_bot:
            # Anybody may write a post of this type, with any participants in it.
            raise RecordingError(
                f"post {post_id}",
                "was posted by a person and not by the Calls plugin; if it is one, run: meetings process",
            )
        found = decide(recording, now=int(time.time() * 1000), patience=self._settings.transcription_patience)
        if isinstance(found, Wait):
            log.info("recording %s: waiting for %s", post_id, found.reason)
            return {"wait": found.seconds, "reason": found.reason, "job": ""}
        if found.note:
            log.warning("recording %s: %s", post_id, found.note)
        job = prepare_job(post_id, self._settings, deliver=True)
        log.info("recording %s: beginning", post_id)
        log.debug("recording %s is %s", post_id, recording.title)
        plan = {"wait": 0.0, "reason": "", "job": self._store.put_json("jobs", job.to_json())}
        if self._shared:
            fresh = time.time() - recording.posted_at / 1000 < JUST_ENDED
            share = self._share(client, recording.channel_id)
            plan |= {"recording": recording.file.id, "priority": FRESH if fresh else LATE, "share": share}
        return plan

    @DBOS.workflow(name="correct_names", max_recovery_attempts=DEATHS)
    def correct_names(self, media_id: str) -> int:
        """Make the runs of a recording again with what is known of its voices now, for the same people as before."""
        done = 0
        for number, job_key in enumerate(self.jobs_with_names(media_id)):
            try:
                if self._shared:
                    work: dict[str, Any] = {"job": job_key, "recording": media_id, "look": None, "steps": []}
                    share = {"priority": CORRECTION, "share": self.share_of(job_key)}
                    self._hand_on(SPEECH, f"names:{DBOS.workflow_id}:{number}", {**work, **share})
                else:
                    self._work(job_key)
                done += 1
            except Exception as error:  # noqa: BLE001 - one run's trouble keeps no other from being corrected
                log.warning("recording %s could not be corrected: %s", media_id, plain(error))
        return done

    @DBOS.step()
    def share_of(self, job_key: str) -> str:
        """Whose share of the workers a job's work is."""
        job = Job.from_json(self._store.read_json("jobs", job_key))
        return self._share(MattermostClient.required(self._settings), job.source.channel_id or "")

    @staticmethod
    def _share(client: MattermostClient, channel_id: str) -> str:
        """A team, by its id; a channel that is of no team, or cannot be asked about, is one by itself."""
        try:
            return client.channel(channel_id).team_id or channel_id or "none"
        except MattermostError:
            return channel_id or "none"

    @DBOS.step()
    def jobs_with_names(self, media_id: str) -> list[str]:
        """The jobs of a recording's past runs that wrote to people, with today's names."""
        names = names_stamp(self._settings, self._store, media_id)
        jobs = (
            Job.from_json(self._store.read_json("jobs", past.job))
            for past in past_runs(self._store, media_id)
            if past.delivers
        )
        return [self._store.put_json("jobs", replace(job, names=names).to_json()) for job in jobs]

    @DBOS.workflow(name="remove_gone", max_recovery_attempts=DEATHS)
    def remove_gone(self, channel_id: str, turn: int = 0) -> int:
        """Remove what is held of a channel's deleted recordings; how many files. `turn`: how often it was put off."""
        try:
            return self.purge_gone(channel_id)
        except Exception as error:  # noqa: BLE001 - `meetings purge` finds it again
            again = decide_again(plain(error), attempt=turn + 1)
        if isinstance(again, Drop):
            log.warning("deleted recordings of channel %s stay: %s; meetings purge", channel_id, again.reason)
            return 0
        log.info("deleted recordings of channel %s: %s; trying again", channel_id, again.reason)
        name = f"{str(DBOS.workflow_id).partition('/')[0]}/{turn + 1}"
        options = errand(RECORDINGS, "remove_gone", name, delay=again.seconds)
        DBOS.enqueue_workflow_with_options(options, channel_id, turn + 1)
        return 0

    @DBOS.step()
    def purge_gone(self, channel_id: str) -> int:
        """The step; what could be asked and removed is gone, also where it fails for the rest."""
        plan = plan_gone(self._settings, MattermostClient.required(self._settings), channel_id)
        done = purge(plan, self._settings, by="the listener")
        for recording in {one.recording for one in done.doomed}:
            log.info("recording %s was deleted in Mattermost; everything made of it is removed", recording)
        if len(done.doomed) < len(plan.doomed):
            raise BusyError("a deleted recording is still being worked on")
        if plan.trouble is not None:
            raise plan.trouble
        return len(done.doomed)

    def _work(self, job_key: str) -> Mapping[str, Any]:
        job = Job.from_json(self._store.read_json("jobs", job_key))
        # `meetings process` may be at the same recording: then this waits, and finds the speech done.
        with recording_lock(self._settings, job.source.media_id):
            outcome = self._pipeline.work(job_key)
        self.note(job_key, outcome)
        return outcome

    @DBOS.step()
    def note(self, job_key: str, outcome: dict[str, Any]) -> None:
        """Remember the run, so that a correction finds it."""
        job = Job.from_json(self._store.read_json("jobs", job_key))
        run = self._pipeline.result(job, outcome)
        remember_run(
            self._store,
            job,
            conversation=run.conversation_key,
            diarization=run.diarization_key,
            summaries=run.summaries_key,
        )
        try:
            index_recording(self._settings, job.source.media_id)
        except MeetingsError as error:
            log.warning("recording %s: not searched yet (%s); the next search tries again", job.source.post_id, error)
        counts = {s: sum(d["status"] == s for d in run.deliveries) for s in ("sent", "edited", "unchanged", "failed")}
        told = ", ".join(f"{n} {status}" for status, n in counts.items() if n) or "no messages"
        log.info("recording %s: done, %s", job.source.post_id, told)
        for notice in run.notes:
            log.info("recording %s: %s", job.source.post_id, notice)
        self._traces.run(job, outcome["stages"])
        if job.deliver:
            alert_of_call(self._settings, job, run.deliveries)

    def _failed(self, post_id: str, cause: str, turn: int, failures: int, error: Exception) -> dict[str, Any]:
        """Work failed, after so many failures before."""
        error = plain(error)
        again, kind = decide_again(error, attempt=failures + 1), type(error).__name__
        count_failure(error, given_up=isinstance(again, Drop))
        self._traces.failure(post_id, kind, given_up=isinstance(again, Drop))
        if isinstance(again, Drop):
            log.error("recording %s is given up: %s", post_id, again.reason)
            return {"state": "given up", "reason": again.reason, "cause": kind}
        log.warning("recording %s: %s; trying again in %.0f s", post_id, again.reason, again.seconds)
        return {**self._later(post_id, cause, turn, failures + 1, again), "cause": kind}

    def _later(self, post_id: str, cause: str, turn: int, failures: int, wait: Wait) -> dict[str, Any]:
        options = errand(RECORDINGS, "take_recording", workflow_id(post_id, cause, turn + 1), delay=wait.seconds)
        DBOS.enqueue_workflow_with_options(options, post_id, cause, turn + 1, failures)
        return {"state": "waiting", "reason": wait.reason}


@cache
def _recordings() -> Recordings:
    """The process's one, as with `shared_pipeline`."""
    return Recordings()


class Service(Inbox):
    """The queue of one machine, open. A context manager: `with Service(settings, observer) as service: ...`."""

    def __init__(self, settings: Settings, observer: Observer) -> None:
        self._settings = settings
        self._observer = observer
        self._lock = FileLock(settings.home / "state" / "service.lock", mode=0o600)
        self._left = LeftWork("service")
        self._enqueue = DBOS.enqueue_workflow_with_options
        self._list = DBOS.list_workflows

    def __enter__(self) -> Service:
        """Open the queue and take up what an earlier process left.

        Raises:
            BusyError: another process works on this queue.
            StorageError: its folder cannot be written.
        """
        state = self._settings.home / "state"
        try:
            for folder in (self._settings.home, state, state / "locks"):
                private_folder(folder)
            self._lock.acquire(timeout=0)
        except Timeout:
            raise BusyError(
                f"another `meetings listen` or `meetings serve` works in {self._settings.home}; stop it first, or give "
                "this one a MEETINGS_HOME of its own"
            ) from None
        except OSError as error:
            raise StorageError(state, error) from error
        note_wide_settings(self._settings)
        prepare_engine(
            self._settings,
            self._observer,
            {
                "system_database_url": f"sqlite:///{private_file(state / 'service.sqlite')}",
                "executor_id": "service",
                "notification_listener_polling_interval_sec": 0.5,
            },
        )
        DBOS.launch()
        for queue in (RECORDINGS, ANSWERS):
            DBOS.register_queue(queue, worker_concurrency=1, polling_interval_sec=0.5)
        self._left.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._left.stop()
        stop_engine()
        self._lock.release()


def open_inbox(settings: Settings, observer: Observer) -> Service | SharedInbox:
    """Where this process puts what it hears of: a queue that it works on itself, or one that workers work on."""
    if settings.database_url is None:
        return Service(settings, observer)
    note_wide_settings(settings)
    return SharedInbox(settings.database_url.get_secret_value())


def prepare_engine(settings: Settings, observer: Observer, where: DBOSConfig) -> None:
    """Set up the engine and hand the workflows what they work with; `DBOS.launch` is next."""
    DBOS(config={"name": APPLICATION, "application_version": VERSION, "log_level": "CRITICAL", **where})
    store = FileStore.of(settings)
    pipeline = shared_pipeline()
    pipeline.take(Stages(settings=settings, store=store), observer)
    _recordings().take(settings, store, pipeline)
    shared_answers().take(settings)


def stop_engine() -> None:
    """End; what is under way is taken up by the next that begins."""
    DBOS.destroy(workflow_completion_timeout_sec=0)
    _recordings().close()
