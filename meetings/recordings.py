"""Which runs there were of a recording, so that a correction can find them and make them again.

One small file a recording: for each thing that was asked (which people, which writer, which models) the newest job, its
results, and the folders it was written to.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from meetings.config import Settings
from meetings.job import Job
from meetings.store import FileStore, NamedLock, named_lock

STAGE = "recordings"


@dataclass(frozen=True, slots=True, kw_only=True)
class PastRun:
    """The newest run of one request: keys of its job and results, and the folders it was written to."""

    asked: str
    job: str
    conversation: str
    diarization: str
    delivers: bool
    folders: tuple[str, ...] = ()
    summaries: str = ""


def asked(job: Job) -> str:
    """What was asked, apart from what is known of names and from how often."""
    return replace(
        job, names="", wishes="", nonce="", source=replace(job.source, path="" if job.source.path else None)
    ).run_id


def past_runs(store: FileStore, media_id: str) -> tuple[PastRun, ...]:
    """The runs of a recording, the newest last."""
    if not store.has(STAGE, media_id):
        return ()
    return tuple(_past(entry) for entry in store.read_json(STAGE, media_id))


def remember_run(store: FileStore, job: Job, *, conversation: str, diarization: str, summaries: str) -> None:
    """Note a finished run; it is the newest now."""
    runs = list(past_runs(store, job.source.media_id))
    mine = asked(job)
    earlier = next((r for r in runs if r.asked == mine), None)
    run = PastRun(
        asked=mine,
        job=store.put_json("jobs", job.to_json()),
        conversation=conversation,
        diarization=diarization,
        delivers=job.deliver,
        folders=earlier.folders if earlier else (),
        summaries=summaries,
    )
    _write(store, job.source.media_id, [*(r for r in runs if r.asked != mine), run])


def remember_folder(store: FileStore, job: Job, folder: Path) -> None:
    """Note that a run was written to a folder: whatever was there before is not."""
    name, mine = str(folder.resolve()), asked(job)
    runs = []
    for run in past_runs(store, job.source.media_id):
        folders = tuple(f for f in run.folders if f != name)
        runs.append(replace(run, folders=(*folders, name) if run.asked == mine else folders))
    _write(store, job.source.media_id, runs)


def find_media(store: FileStore, reference: str) -> str | None:
    """The recording that an id of a post, a file or a recording means, among those that were processed."""
    if store.has(STAGE, reference):
        return reference
    for media_id in store.keys(STAGE):
        for run in past_runs(store, media_id):
            source = Job.from_json(store.read_json("jobs", run.job)).source
            if reference in {source.post_id, source.media_id}:
                return media_id
    return None


def _past(data: dict[str, Any]) -> PastRun:
    return PastRun(**{**data, "folders": tuple(data["folders"])})


def _write(store: FileStore, media_id: str, runs: Sequence[PastRun]) -> None:
    """Keep the newest, and what still lies in a folder or in somebody's messages."""
    kept = [r for r in runs[:-1] if r.folders or r.delivers] + list(runs[-1:])
    store.write_json(STAGE, media_id, [asdict(r) for r in kept])


def recording_lock(settings: Settings, media_id: str) -> NamedLock:
    """The lock that whoever works on a recording holds: one process makes, removes or changes what belongs to it.

    Raises:
        StorageError: its folder cannot be made.
    """
    return named_lock(settings, media_id)
