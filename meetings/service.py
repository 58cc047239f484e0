"""Recordings that wait to be worked on, and the work on them, one after the other: a durable queue.

Everything that finds recordings (the socket, a sweep, a webhook, a batch) only puts them here; what is put here is done
once, whenever the process dies. The queue is DBOS's, in a file of its own beside that of `meetings process`, so that a
command on the same machine neither takes its work nor lends it a hand. Stages find what others have done already.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from functools import cache
from typing import Any

from dbos import DBOS, DBOSConfig, DBOSConfiguredInstance, EnqueueOptions, SetWorkflowID
from filelock import FileLock, Timeout

from meetings.arrivals import Drop, Wait, decide, decide_again
from meetings.audit import AuditLog
from meetings.config import Settings
from meetings.errors import (
    BusyError,
    MattermostForbiddenError,
    MattermostNotFoundError,
    MattermostUnreachableError,
    RecordingError,
    StorageError,
)
from meetings.job import Job
from meetings.known_voices import names_stamp
from meetings.llm import server_address
from meetings.mattermost import MattermostClient, find_recording
from meetings.mattermost.entities import Reaction
from meetings.mattermost.policy import site_of
from meetings.pipeline import Observer, Pipeline, shared_pipeline
from meetings.prepare import prepare_job
from meetings.recordings import past_runs, recording_lock, remember_run
from meetings.retention import plan_gone, purge
from meetings.stages import Stages
from meetings.store import FileStore, private_file, private_folder
from meetings.talkback import Talkback, Understood

QUEUE = "recordings"
ANSWERS = "answers"
# A server that is away for some minutes is waited for; then the answer is given up, as its question has grown old.
PATIENTLY: Any = {"retries_allowed": True, "max_attempts": 6, "interval_seconds": 5.0, "backoff_rate": 2.0}
# Raised when the steps below change; what an earlier version left undone is then begun anew.
VERSION = "meetings-service-1"
# A recording that kills the process this many times is given up, so that the ones behind it get their turn.
DEATHS = 60
# Server trouble of a single person's message is not waited out for days.
TRIES_FOR_A_PERSON = 8

log = logging.getLogger("meetings.service")


@DBOS.dbos_class()
class Recordings(DBOSConfiguredInstance):
    """The work on a queued recording."""

    _settings: Settings
    _store: FileStore
    _pipeline: Pipeline

    def __init__(self) -> None:
        super().__init__("recordings")

    def take(self, settings: Settings, store: FileStore, pipeline: Pipeline) -> None:
        """What the work is done with."""
        self._settings, self._store, self._pipeline = settings, store, pipeline

    @DBOS.workflow(name="take_recording", max_recovery_attempts=DEATHS)
    def take_recording(self, post_id: str, cause: str, turn: int, failures: int) -> dict[str, Any]:
        """Look at a recording; wait, give up, or do all of it. What has to wait is queued again, and the next goes on.

        Args:
            post_id: the recording's post.
            cause: what was new about it when it was queued; empty at first.
            turn: how often it was looked at before.
            failures: how often work on it failed before.
        """
        try:
            plan = self.look(post_id)
            if plan["wait"]:
                return self._later(post_id, cause, turn, failures, Wait(seconds=plan["wait"], reason=plan["reason"]))
            outcome = self._work(plan["job"])
        except Exception as error:  # noqa: BLE001 - the queue goes on, whatever one recording does
            return self._failed(post_id, cause, turn, failures + 1, error)
        undelivered = [d for d in outcome["deliveries"] if d["status"] == "failed"]
        if undelivered and (failures + 1 < TRIES_FOR_A_PERSON or any(d["server_gone"] for d in undelivered)):
            reason = f"not delivered to {', '.join(d['username'] for d in undelivered)}: {undelivered[0]['reason']}"
            return self._failed(post_id, cause, turn, failures + 1, MattermostUnreachableError(reason))
        return {"state": "done", "deliveries": outcome["deliveries"]}

    @DBOS.step()
    def look(self, post_id: str) -> dict[str, Any]:
        """Whether to begin; if so, the job."""
        client = MattermostClient.required(self._settings)
        recording = find_recording(client, post_id)
        if not client.user(recording.author_id).is_bot:
            # Anybody may write a post of this type, with any participants in it.
            raise RecordingError(
                recording.title,
                "was posted by a person and not by the Calls plugin; if it is one, run: meetings process",
            )
        found = decide(recording, now=int(time.time() * 1000), patience=self._settings.transcription_patience)
        if isinstance(found, Wait):
            log.info("%s: waiting for %s", recording.title, found.reason)
            return {"wait": found.seconds, "reason": found.reason, "job": ""}
        if found.note:
            log.warning("%s: %s", recording.title, found.note)
        job = prepare_job(post_id, self._settings, deliver=True)
        log.info("%s: beginning (post %s)", recording.title, post_id)
        return {"wait": 0.0, "reason": "", "job": self._store.put_json("jobs", job.to_json())}

    @DBOS.workflow(name="correct_names", max_recovery_attempts=DEATHS)
    def correct_names(self, media_id: str) -> int:
        """Make the runs of a recording again with what is known of its voices now, for the same people as before."""
        done = 0
        for job_key in self.jobs_with_names(media_id):
            try:
                self._work(job_key)
                done += 1
            except Exception as error:  # noqa: BLE001 - one run's trouble keeps no other from being corrected
                log.warning("recording %s could not be corrected: %s", media_id, error)
        return done

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
    def remove_gone(self, channel_id: str) -> int:
        """Remove what is held of recordings of a channel that were deleted; how many files that were."""
        try:
            return self.purge_gone(channel_id)
        except Exception as error:  # noqa: BLE001 - `meetings purge` finds it again
            log.warning("deleted recordings of channel %s are still held: %s; meetings purge", channel_id, error)
            return 0

    @DBOS.step(**PATIENTLY)
    def purge_gone(self, channel_id: str) -> int:
        """The step: one that is being worked on elsewhere is waited for."""
        plan = plan_gone(self._settings, MattermostClient.required(self._settings), channel_id)
        done = purge(plan, self._settings, by="the listener")
        if len(done.doomed) < len(plan.doomed):
            raise BusyError("a deleted recording is still being worked on")
        for recording in {one.recording for one in done.doomed}:
            log.info("%s was deleted in Mattermost; everything made of it is removed", done.titles[recording])
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
        counts = {s: sum(d["status"] == s for d in run.deliveries) for s in ("sent", "edited", "unchanged", "failed")}
        told = ", ".join(f"{n} {status}" for status, n in counts.items() if n) or "no messages"
        log.info("%s: done, %s", job.source.title, told)
        for notice in run.notes:
            log.info("%s: %s", job.source.title, notice)

    def _failed(self, post_id: str, cause: str, turn: int, failures: int, error: Exception) -> dict[str, Any]:
        again = decide_again(error, attempt=failures)
        if isinstance(again, Drop):
            log.error("recording %s is given up: %s", post_id, again.reason)
            return {"state": "given up", "reason": again.reason}
        log.warning("recording %s: %s; trying again in %.0f s", post_id, again.reason, again.seconds)
        return self._later(post_id, cause, turn, failures, again)

    def _later(self, post_id: str, cause: str, turn: int, failures: int, wait: Wait) -> dict[str, Any]:
        _enqueue_recording(post_id, cause, turn + 1, failures, delay=wait.seconds)
        return {"state": "waiting", "reason": wait.reason}


def _enqueue_recording(post_id: str, cause: str, turn: int, failures: int, *, delay: float = 0.0) -> None:
    """Queue a look at a recording, from within a workflow."""
    options: EnqueueOptions = {
        "queue_name": QUEUE,
        "workflow_name": "take_recording",
        "class_name": "Recordings",
        "instance_name": "recordings",
        "workflow_id": workflow_id(post_id, cause, turn),
        "app_version": VERSION,
    }
    if delay > 0:
        options["delay_seconds"] = delay
    DBOS.enqueue_workflow_with_options(options, post_id, cause, turn, failures)


def workflow_id(post_id: str, cause: str, turn: int) -> str:
    """The name of one look at a recording: the same news of the same post is queued once."""
    return f"recording:{post_id}:{cause}:{turn}"


@DBOS.dbos_class()
class Answers(DBOSConfiguredInstance):
    """Answers to what people write and to the emojis they put on their summaries."""

    _settings: Settings

    def __init__(self) -> None:
        super().__init__("answers")

    def take(self, settings: Settings) -> None:
        """What the work is done with."""
        self._settings = settings

    @DBOS.workflow(name="answer_post", max_recovery_attempts=DEATHS)
    def answer_post(self, post_id: str) -> str:
        """Answer somebody's post."""
        return self._answer(lambda: self.understand(post_id))

    @DBOS.workflow(name="answer_reaction", max_recovery_attempts=DEATHS)
    def answer_reaction(self, post_id: str, user_id: str, emoji_name: str) -> str:
        """Answer somebody's emoji."""
        return self._answer(lambda: self.understand_reaction(post_id, user_id, emoji_name))

    def _answer(self, understand: Callable[[], dict[str, Any] | None]) -> str:
        try:
            found = understand()
            if found is None:
                return "nothing to answer"
            self.say(found, self.change(found))
        except Exception as error:  # noqa: BLE001 - the next one gets their answer
            log.warning("an answer could not be given: %s", error)
            return f"failed: {error}"
        if found["again"]:
            # A voice got a name: every run of the recording is made again from there, and messages are corrected.
            options: EnqueueOptions = {
                "queue_name": QUEUE,
                "workflow_name": "correct_names",
                "class_name": "Recordings",
                "instance_name": "recordings",
                "workflow_id": f"names:{found['answers']}",
                "app_version": VERSION,
            }
            DBOS.enqueue_workflow_with_options(options, found["again"])
        return "answered"

    @DBOS.step(**PATIENTLY)
    def understand(self, post_id: str) -> dict[str, Any] | None:
        """The first step for a post."""
        client = MattermostClient.required(self._settings)
        try:
            post = client.post(post_id)
        except (MattermostNotFoundError, MattermostForbiddenError):
            return None
        return _plain(Talkback(self._settings, client).understand(post))

    @DBOS.step(**PATIENTLY)
    def understand_reaction(self, post_id: str, user_id: str, emoji_name: str) -> dict[str, Any] | None:
        """The first step for an emoji."""
        reaction = Reaction(user_id=user_id, post_id=post_id, emoji_name=emoji_name)
        return _plain(Talkback(self._settings, MattermostClient.required(self._settings)).understand_reaction(reaction))

    @DBOS.step()
    def change(self, found: dict[str, Any]) -> str:
        """The second step."""
        return self._talkback().change(_understood(found))

    @DBOS.step(**PATIENTLY)
    def say(self, found: dict[str, Any], text: str) -> None:
        """The third step."""
        self._talkback().say(_understood(found), text)

    def _talkback(self) -> Talkback:
        return Talkback(self._settings, MattermostClient.required(self._settings))


def _understood(found: Mapping[str, Any]) -> Understood:
    return Understood(
        **{
            **found,
            "effects": tuple((what, value) for what, value in found["effects"]),
            "voice": tuple(found["voice"]) if found["voice"] else None,
        }
    )


def _plain(understood: Understood | None) -> dict[str, Any] | None:
    return None if understood is None else asdict(understood)


@cache
def _answers() -> Answers:
    return Answers()


@cache
def _recordings() -> Recordings:
    """The process's one, as with `shared_pipeline`."""
    return Recordings()


class Service:
    """The queue, open. A context manager: `with Service(settings, observer) as service: service.put(post_id)`."""

    def __init__(self, settings: Settings, observer: Observer) -> None:
        self._settings = settings
        self._observer = observer
        self._lock = FileLock(settings.home / "state" / "service.lock", mode=0o600)

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
            raise StorageError(state, error.strerror or str(error)) from error
        note_wide_settings(self._settings)
        store = FileStore(self._settings.home / "results")
        config: DBOSConfig = {
            "name": "meetings-service",
            "system_database_url": f"sqlite:///{private_file(state / 'service.sqlite')}",
            "executor_id": "service",
            "application_version": VERSION,
            "log_level": "CRITICAL",
            "notification_listener_polling_interval_sec": 0.5,
        }
        DBOS(config=config)
        pipeline = shared_pipeline()
        pipeline.take(Stages(settings=self._settings, store=store), self._observer)
        _recordings().take(self._settings, store, pipeline)
        _answers().take(self._settings)
        DBOS.launch()
        for queue in (QUEUE, ANSWERS):
            DBOS.register_queue(queue, worker_concurrency=1, polling_interval_sec=0.5)
        return self

    def __exit__(self, *exc: object) -> None:
        DBOS.destroy(workflow_completion_timeout_sec=0)
        self._lock.release()

    def put(self, post_id: str, *, cause: str = "") -> bool:
        """Queue a recording; False if the same news of it was queued before."""
        return self._put(workflow_id(post_id, cause, 0), QUEUE, _recordings().take_recording, post_id, cause, 0, 0)

    def put_answer(self, post_id: str) -> bool:
        """Queue an answer to a post; False if that was done before."""
        return self._put(f"answer:{post_id}", ANSWERS, _answers().answer_post, post_id)

    def put_reaction(self, reaction: Reaction) -> bool:
        """Queue an answer to an emoji; False if that was done before."""
        name = f"reaction:{reaction.post_id}:{reaction.user_id}:{reaction.emoji_name}"
        return self._put(
            name, ANSWERS, _answers().answer_reaction, reaction.post_id, reaction.user_id, reaction.emoji_name
        )

    def put_gone(self, post_id: str, channel_id: str) -> bool:
        """Queue the removal of what is held of deleted recordings; False if that was done before."""
        return self._put(f"gone:{post_id}", QUEUE, _recordings().remove_gone, channel_id)

    @staticmethod
    def _put(name: str, queue: str, workflow: Callable[..., Any], *arguments: Any) -> bool:
        if DBOS.get_workflow_status(name) is not None:
            return False
        with SetWorkflowID(name):
            DBOS.enqueue_workflow(queue, workflow, *arguments)
        return True

    def waiting(self) -> int:
        """How many recordings are queued, waiting or being worked on."""
        return len(
            DBOS.list_workflows(
                name="take_recording",
                status=["ENQUEUED", "PENDING", "DELAYED"],
                load_input=False,
                load_output=False,
            )
        )


def note_wide_settings(settings: Settings) -> None:
    """Put into the audit log who gets what and where what was said may be sent, when that is another than before."""
    channels = [f"{name}: {rules.audience}" for name, rules in settings.channels.items() if rules.audience]
    AuditLog(settings.home).note_settings(
        audience=settings.audience,
        max_people=settings.max_people,
        channels=", ".join(channels),
        language_model=settings.language_model,
        llm_url=site_of(address) if (address := server_address(settings)) else "",
        llm_allowed_hosts=", ".join(settings.llm_allowed_hosts),
    )
