"""Many old recordings, one after the other: which there are, what will be done with each, and what became of it.

A recording that fails keeps nobody else from theirs, and what is done stays done: the same command goes on where it
stopped, since every run is found again by what was asked of it.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

from meetings.config import Settings
from meetings.errors import ConfigError, MeetingsError, RecordingError
from meetings.export import export_run, file_name
from meetings.job import Job
from meetings.mattermost import MattermostClient
from meetings.mattermost.calls import CALL, MEDIA, RECORDING
from meetings.mattermost.entities import Post
from meetings.pipeline import Observer, run_job
from meetings.prepare import prepare_job
from meetings.stages import Stages
from meetings.store import FileStore

# Speech of so many seconds is worked on in one second's share of this, until a machine has shown its own pace
# (docs/benchmarks.md: .09 to .10 on two cores with the starter models; the rest is for what comes after).
PACE = 0.12
REMEMBERED = 20  # paces of this machine that are kept
OLD = timedelta(days=1)  # older recordings are told to nobody unless that is said

State = Literal["todo", "done", "reused", "failed", "not delivered", "left out"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A recording to work on: what names it, when it was made (None: nobody knows), its length in seconds (None:
    nobody says)."""

    reference: str
    title: str
    made: datetime | None = None
    seconds: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """What is to be done with a recording. `job` is None if that is clear to be nothing: `reason` says why."""

    found: Found
    job: Job | None
    speech_known: bool = False
    deliver: bool = False
    state: State = "todo"
    reason: str = ""
    folder: str = ""
    took: float = 0.0


def find_files(paths: Iterable[Path]) -> tuple[Found, ...]:
    """The recordings among files and folders, each once, by name.

    Raises:
        RecordingError: a path does not exist.
    """
    found: dict[Path, None] = {}
    for path in paths:
        if path.is_dir():
            inside = (p for p in sorted(path.rglob("*")) if p.suffix.lower().removeprefix(".") in MEDIA)
            found.update(dict.fromkeys(p for p in inside if p.is_file() and not p.name.startswith(".")))
        elif path.is_file():
            found[path] = None
        else:
            raise RecordingError(path, "there is no such file or folder")
    return tuple(
        Found(
            reference=str(path),
            title=path.stem,
            made=datetime.fromtimestamp(path.stat().st_mtime, tz=UTC),
        )
        for path in found
    )


def find_posts(
    client: MattermostClient, channel: str, *, since: datetime | None, until: datetime | None
) -> tuple[Found, ...]:
    """The recordings that Calls posted in a channel (TEAM/CHANNEL) between two moments, oldest first.

    Raises:
        ConfigError: `channel` has another form.
        MattermostError: there is no such channel, or the bot may not read it.
    """
    team, slash, name = channel.partition("/")
    if not (team and slash and name) or "/" in name:
        raise ConfigError(f"--channel {channel!r} is no channel; write it as TEAM/CHANNEL, as in its address")
    begin = int(since.timestamp() * 1000) if since else 0
    end = int(until.timestamp() * 1000) if until else None
    calls: dict[str, Post] = {}
    recordings: list[Post] = []
    for post in client.latest_posts(client.channel_by_name(team, name).id, 1_000_000):
        # A call begins before its recording is posted: a little further back lies the post with its title.
        if post.create_at < begin - int(OLD.total_seconds() * 1000):
            break
        if post.type == CALL:
            calls[post.id] = post
        elif (
            post.type == RECORDING
            and post.file_ids
            and begin <= post.create_at
            and (end is None or post.create_at < end)
        ):
            recordings.append(post)
    return tuple(_found(p, calls.get(str(p.props.get("call_post_id")))) for p in reversed(recordings))


def _found(post: Post, call: Post | None) -> Found:
    start, over = (call.props.get("start_at"), call.props.get("end_at")) if call else (None, None)
    seconds = (over - start) / 1000 if isinstance(start, int) and isinstance(over, int) and over > start else None
    return Found(
        reference=post.id,
        title=str((call.props.get("title") if call else "") or "Call"),
        made=datetime.fromtimestamp(post.create_at / 1000, tz=UTC),
        seconds=seconds,
    )


def decide_delivery(made: datetime | None, *, now: datetime, asked: bool | None, usual: bool) -> bool:
    """Whether people are told of a recording: as asked; else as usual, but not of what is older than a day."""
    if asked is not None:
        return asked
    return usual and made is not None and now - made <= OLD


def plan(
    found: Sequence[Found],
    settings: Settings,
    *,
    people: Path | None,
    deliver: bool | None,
    summaries_only: bool,
    now: datetime,
    progress: Callable[[float], None] = lambda _fraction: None,
) -> tuple[Planned, ...]:
    """What will be done with each; what cannot be done is told now, and nothing is sent or changed.

    Args:
        found: the recordings.
        settings: what they are done with.
        people: a people file for all of them.
        deliver: as told on the command line; None: by each recording's age.
        summaries_only: recordings whose speech is not known are left out.
        now: for their age.
        progress: told the fraction planned.
    """
    stages = Stages(settings=settings, store=FileStore.of(settings))
    planned = []
    for number, one in enumerate(found, start=1):
        tell = decide_delivery(one.made, now=now, asked=deliver, usual=settings.deliver)
        try:
            job = prepare_job(one.reference, settings, people=people, deliver=tell)
            known = stages.speech_done(job)
            seconds = one.seconds if one.seconds is not None or known else _length(one.reference)
        except MeetingsError as error:
            planned.append(Planned(found=one, job=None, state="failed", reason=_line(error)))
        else:
            step = Planned(found=replace(one, seconds=seconds), job=job, speech_known=known, deliver=tell)
            if summaries_only and not known:
                step = replace(step, job=None, state="left out", reason="its speech is not known yet")
            planned.append(step)
        progress(number / len(found))
    return tuple(planned)


def _length(reference: str) -> float | None:
    path = Path(reference)
    if not path.is_file():
        return None
    from meetings.speech.media import probe

    try:
        return probe(path).announced or None
    except RecordingError:
        return None  # what is wrong with it is said when its turn comes


def estimate(planned: Iterable[Planned], pace: float) -> float:
    """Seconds of work that the speech of all of them will take; what has no known length counts for nothing."""
    return sum((p.found.seconds or 0.0) * pace for p in planned if p.job is not None and not p.speech_known)


def pace_of(store: FileStore) -> float:
    """Seconds of work for a second of speech on this machine, from its last runs."""
    known = store.read_json("pace", "speech") if store.has("pace", "speech") else []
    return statistics.median(known) if known else PACE


def run(step: Planned, settings: Settings, *, out: Path, taken: set[str], observer: Observer) -> Planned:
    """Do one recording, and tell what became of it.

    Args:
        step: what was planned.
        settings: what it is done with.
        out: the folder above the recording's own.
        taken: names of folders that are in use; the recording's is added.
        observer: who looks on.
    """
    if step.job is None:
        return step
    began = datetime.now(tz=UTC)
    store = FileStore.of(settings)
    try:
        done = run_job(step.job, settings, observer=observer)
        conversation = Stages(settings=settings, store=store).conversation(done.conversation_key)
        folder = out / folder_name(step, taken)
        report = export_run(done, store, folder, conversation=conversation)
    except MeetingsError as error:
        return replace(step, state="failed", reason=_line(error), took=_since(began))
    if isinstance(factor := report["speech_real_time_factor"], float) and factor > 0 and not step.speech_known:
        known = store.read_json("pace", "speech") if store.has("pace", "speech") else []
        store.write_json("pace", "speech", [*known, round(factor, 4)][-REMEMBERED:])
    reasons = sorted({str(d["reason"]) for d in done.deliveries if d["status"] == "failed"})
    undelivered = f"{', '.join(done.not_delivered)}: {'; '.join(reasons)}" if done.not_delivered else ""
    return replace(
        step,
        state="not delivered" if undelivered else "reused" if step.speech_known else "done",
        reason=undelivered,
        folder=str(folder),
        took=_since(began),
    )


def folder_name(step: Planned, taken: set[str]) -> str:
    """A folder for a recording: day and title, with a number where that is not enough to tell it from another."""
    day = step.found.made.date().isoformat() if step.found.made else ""
    base = file_name(f"{day} {step.found.title}".strip())[:80]
    name, number = base, 2
    while name in taken:
        name, number = f"{base}-{number}", number + 1
    taken.add(name)
    return name


def _since(began: datetime) -> float:
    return (datetime.now(tz=UTC) - began).total_seconds()


def _line(error: Exception) -> str:
    return " ".join(str(error).split())
