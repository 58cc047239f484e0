"""What an admin sees of the work: queues, recordings under way, failures with their remedies, who got no message.

Read from the steps' database and from the audit log, whoever works: one process, or many machines.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from meetings.audit import AuditLog
from meetings.config import Settings
from meetings.errors import DatabaseError
from meetings.headway import StageProgress, read_headway, stages_of
from meetings.queueing import RECORDINGS, errand, workflow_id
from meetings.remedies import remedy_of
from meetings.steps import LOOK_BACK, Work, ended, open_steps, stage_of, unfinished

SEEN_LATELY = 3600.0  # seconds in which a worker that ended something counts as seen


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueState:
    """How a queue stands; `oldest` is since when its oldest work waits (seconds since the epoch)."""

    name: str
    waiting: int = 0
    later: int = 0
    running: int = 0
    failed: int = 0
    oldest: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UnderWay:
    """Something that is worked on: its post, the stage it is in and since when, and who has it.

    `stages` says of each stage of a recording whether it is done, works now and how far it is, or is still to come;
    there are none of an answer or a correction, which is of no recording's post (`recording` is false).
    """

    post: str
    queue: str
    stage: str
    since: float
    worker: str
    stages: tuple[StageProgress, ...] = ()
    recording: bool = True

    @property
    def now(self) -> tuple[StageProgress, ...]:
        """The stages that work now."""
        return tuple(stage for stage in self.stages if stage.state == "now")


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A recording that nobody is at: its post, since when, and when it is looked at again if it waits for a time."""

    post: str
    since: float
    due: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A recording that failed: for good (`given up`), or to be tried again at `due`."""

    post: str
    state: str
    at: float
    cause: str
    reason: str
    remedy: str
    due: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Undelivered:
    """Somebody whose newest message of a recording could not be delivered."""

    username: str
    recording: str
    reason: str
    at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Worker:
    """A process that works, or did lately: what it is called, how much it has in hand, when it was last seen."""

    name: str
    running: int
    seen: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """All of it, at one moment."""

    at: float
    queues: tuple[QueueState, ...] = ()
    under_way: tuple[UnderWay, ...] = ()
    waiting: tuple[Waiting, ...] = ()
    failures: tuple[Failure, ...] = ()
    undelivered: tuple[Undelivered, ...] = ()
    workers: tuple[Worker, ...] = ()


def look(settings: Settings, *, now: float | None = None) -> Seen:
    """How everything stands.

    Raises:
        DatabaseError: the steps' database cannot be read.
        AuditError: the audit log cannot be read.
    """
    now = time.time() if now is None else now
    missed = tuple(undelivered(AuditLog(settings), now=now))
    with open_steps(settings) as client:
        if client is None:
            return Seen(at=now, undelivered=missed)
        # What ended first: work that ends between the two looks is then seen as running, and not missed.
        over, open_ = ended(client, now=now), unfinished(client)
        running = [work for work in open_ if work.state == "running"]
        far = read_headway(settings) if running else {}
        under_way = []
        for work in running:
            stage, since = stage_of(client, work)
            under_way.append(
                UnderWay(
                    post=work.subject,
                    queue=work.queue,
                    stage=stage,
                    since=since,
                    worker=work.worker,
                    stages=stages_of(stage, far.get(work.subject, {}), now=now) if work.of_recording else (),
                    recording=work.of_recording,
                )
            )
    failed = failures(over, open_)
    return Seen(
        at=now,
        queues=queues(over, open_, failed),
        under_way=tuple(under_way),
        waiting=waiting(open_, failed),
        failures=failed,
        undelivered=missed,
        workers=workers(over, running, now=now),
    )


def waiting(open_: Sequence[Work], failed: Iterable[Failure]) -> tuple[Waiting, ...]:
    """Recordings that wait for their turn or their time, the oldest first; what failed before is among the failures."""
    elsewhere = {failure.post for failure in failed} | {work.subject for work in open_ if work.state == "running"}
    found: dict[str, Waiting] = {}
    for work in open_:
        if work.of_recording and work.subject not in elsewhere:
            due = work.due if work.state == "later" else None
            found.setdefault(work.subject, Waiting(post=work.subject, since=work.created, due=due))
    return tuple(found.values())


def failures(over: Sequence[Work], open_: Sequence[Work]) -> tuple[Failure, ...]:
    """Recordings whose newest ended work failed, and which nobody is at now."""
    newest: dict[str, Work] = {}
    for work in over:
        # A correction that failed is in the log: it is of no post, and said again it is made again.
        if work.of_recording and work.outcome is not None and "state" in work.outcome:
            newest[work.subject] = work
    again = {work.subject: work for work in open_}
    found = []
    for post, work in newest.items():
        outcome = work.outcome or {}
        cause = str(outcome.get("cause") or "")
        next_look = again.get(post)
        if next_look is not None and next_look.state == "running":
            continue
        # One that waits for its transcription failed at nothing: it has no cause.
        if outcome.get("state") == "given up" or (outcome.get("state") == "waiting" and cause and next_look):
            remedy = remedy_of(cause)
            found.append(
                Failure(
                    post=post,
                    state="tried again" if next_look else "given up",
                    at=work.over or work.created,
                    cause=remedy.cause,
                    reason=str(outcome.get("reason") or ""),
                    remedy=remedy.todo.replace("POST", post),
                    due=next_look.due if next_look else None,
                )
            )
    return tuple(found)


def queues(over: Iterable[Work], open_: Sequence[Work], failed: Iterable[Failure]) -> tuple[QueueState, ...]:
    """How each queue stands that anything was on lately."""
    of_post = {work.subject: work.queue for work in over}
    lost = [of_post.get(failure.post, "") for failure in failed if failure.state == "given up"]
    states = []
    for name in sorted({work.queue for work in open_} | set(of_post.values())):
        mine = [work for work in open_ if work.queue == name]
        waiting = [work.created for work in mine if work.state == "waiting"]
        states.append(
            QueueState(
                name=name,
                waiting=len(waiting),
                later=sum(work.state == "later" for work in mine),
                running=sum(work.state == "running" for work in mine),
                failed=lost.count(name),
                oldest=min(waiting, default=None),
            )
        )
    return tuple(states)


def workers(over: Iterable[Work], running: Iterable[Work], *, now: float) -> tuple[Worker, ...]:
    """Who works, or did within the last hour."""
    seen: dict[str, tuple[int, float]] = {}
    for work in over:
        at = work.over or work.created
        if work.worker and at > now - SEEN_LATELY:
            seen[work.worker] = (0, max(at, seen.get(work.worker, (0, 0.0))[1]))
    for work in running:
        seen[work.worker] = (seen.get(work.worker, (0, 0.0))[0] + 1, now)
    return tuple(Worker(name=name, running=n, seen=at) for name, (n, at) in sorted(seen.items()))


def undelivered(log: AuditLog, *, now: float) -> Iterator[Undelivered]:
    """People whose newest delivery of a recording failed, within the last two weeks."""
    begin = datetime.fromtimestamp(now - LOOK_BACK, tz=UTC).isoformat()
    newest: dict[tuple[str, str], Undelivered | None] = {}
    # Few fail: what became of theirs is looked up for them alone, as a log may hold a year of deliveries.
    for user in dict.fromkeys(e.user for e in log.entries(event="delivery", since=begin, status="failed")):
        for entry in log.entries(user=user, event="delivery", since=begin):
            recording = str(entry.facts.get("recording", ""))
            failed = entry.facts.get("status") == "failed"
            reason = str(entry.facts.get("reason", ""))
            newest[recording, entry.user] = (
                Undelivered(username=entry.user, recording=recording, reason=reason, at=entry.at) if failed else None
            )
    return (one for one in newest.values() if one is not None)


def retry(settings: Settings, posts: Sequence[str], *, now: float | None = None) -> dict[str, str]:
    """Put recordings back into the queue; what was done with each.

    Works while a service runs, which then takes them up; else the next one that is started does. What is known of a
    recording already is not made again, and nobody gets a second message.

    Args:
        settings: where the queue is.
        posts: ids of recordings' posts; none: all that failed.
        now: seconds since the epoch.

    Raises:
        DatabaseError: the steps' database cannot be read or written, or nothing was ever queued.
    """
    now = time.time() if now is None else now
    with open_steps(settings) as client:
        if client is None:
            raise DatabaseError("nothing was ever queued here; start meetings listen")
        open_ = unfinished(client)
        wanted = list(dict.fromkeys(posts)) or [one.post for one in failures(ended(client, now=now), open_)]
        done = {}
        for post in wanted:
            mine = [work for work in open_ if work.subject == post]
            if any(work.state == "running" for work in mine):
                done[post] = "is being worked on"
            elif any(work.state == "waiting" for work in mine):
                done[post] = "waits for its turn"
            elif later := [work for work in mine if work.state == "later"]:
                for work in later:
                    client.set_workflow_delay(work.id, delay_seconds=0)
                done[post] = "is tried now"
            else:
                cause = f"retry:{int(now)}"
                client.enqueue(errand(RECORDINGS, "take_recording", workflow_id(post, cause, 0)), post, cause, 0, 0)
                done[post] = "queued"
        return done


def span(seconds: float) -> str:
    """A span of time as somebody would say it."""
    if seconds < 90:
        return f"{max(0.0, seconds):.0f} s"
    if seconds < 90 * 60:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.0f} h" if seconds < 48 * 3600 else f"{seconds / 86_400:.0f} days"


def told_of(stage: StageProgress) -> str:
    """How far a stage is, in words: its share, and the time that it takes on where its rate says it."""
    if stage.far is None:
        return ""
    # Rounded down: nothing is said to be done that is not.
    words = [f"{int(stage.far * 100)}%"]
    if stage.left is not None:
        words.append(f"about {span(max(1.0, stage.left))} left")
    if stage.silent is not None:
        words.append(f"nothing heard for {span(stage.silent)}")
    return ", ".join(words)
