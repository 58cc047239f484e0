"""What is held of each recording, in the data folder and the database, found from what is there.

Results are named by hashes that cannot be turned round; but every job is kept, and from a job follow the names of what
was made of its recording. What follows from no job is an orphan: of a run that was given up, or of an older version.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from meetings.config import Settings
from meetings.edits import KIND as EDITS
from meetings.job import Job
from meetings.kept_voices import KIND as VOICES
from meetings.recordings import past_runs
from meetings.stages import Stages
from meetings.store import Database, FileStore, Listed, reached

# Folders of results whose files belong to one recording each.
OF_RECORDINGS = (
    "media",
    "audio",
    "segmentation",
    "transcription",
    "diarization",
    "vocabulary",
    "notes",
    "conversation",
    "summaries",
    "jobs",
)


@dataclass(slots=True, kw_only=True)
class Held:
    """What there is of one recording: files that exist, and documents of the database, by kind.

    Args:
        media_id: the recording.
        jobs: what was asked of it, by key.
        sound: the recording itself, decoded sound, segmentation.
        words: recognised words and turns, corrections, the index of its runs, jobs.
        voices: sealed voices.
        voice_notes: whom voices were taken for, sealed.
        conversations: transcripts.
        summaries: everybody's.
        edits: what people corrected in the words.
        folders: where results were written to, outside the data folder.
    """

    media_id: str
    jobs: dict[str, Job] = field(default_factory=dict)
    sound: set[Path] = field(default_factory=set)
    words: set[Path] = field(default_factory=set)
    voices: set[Listed] = field(default_factory=set)
    voice_notes: set[Listed] = field(default_factory=set)
    conversations: set[Path] = field(default_factory=set)
    summaries: set[Path] = field(default_factory=set)
    edits: set[Listed] = field(default_factory=set)
    folders: set[str] = field(default_factory=set)

    @property
    def title(self) -> str:
        """What the call was called."""
        return next((job.source.title for job in self.jobs.values()), self.media_id)

    @property
    def channel_id(self) -> str | None:
        """The channel it was posted in."""
        return next((j.source.channel_id for j in self.jobs.values() if j.source.channel_id), None)

    def files(self) -> set[Path]:
        """All files."""
        return self.sound | self.words | self.conversations | self.summaries


class Holdings:
    """Everything of recordings, as it was when this was made; `orphans` and `orphan_voices` belong to none."""

    def __init__(self, settings: Settings) -> None:
        self.store = FileStore.of(settings)
        self._settings = settings
        self._stages = Stages(settings=settings, store=self.store)
        self.recordings: dict[str, Held] = {}
        self._voices = {one.name: one for one in Database.of(settings).listed(VOICES)}
        self._find_by_jobs()
        self._find_by_content()
        owned = {path for held in self.recordings.values() for path in held.files()}
        voiced = {one for held in self.recordings.values() for one in held.voices | held.voice_notes}
        self.orphan_voices = tuple(one for one in self._voices.values() if one not in voiced)
        self.orphans = tuple(path for stage in OF_RECORDINGS for path in stored(self.store, stage) if path not in owned)

    def of(self, media_id: str) -> Held:
        """What there is of a recording."""
        if media_id not in self.recordings:
            self.recordings[media_id] = Held(media_id=media_id)
        return self.recordings[media_id]

    def _find_by_jobs(self) -> None:
        for path in stored(self.store, "jobs"):
            job = read_job(path)
            if job is None:
                continue
            held = self.of(job.source.media_id)
            held.jobs[path.stem] = job
            held.words.add(path)
            held.sound |= there(self._stages.sound_files(job))
            held.words |= there(self._stages.speech_files(job))
            voices, note = self._stages.voice_names(job)
            held.voices |= {self._voices[name] for name in (voices,) if name in self._voices}
            held.voice_notes |= {self._voices[name] for name in (note,) if name in self._voices}

    def _find_by_content(self) -> None:
        for path in stored(self.store, "conversation"):
            data = read_json(path)
            if isinstance(data, dict) and isinstance(data.get("id"), str):
                self.of(data["id"]).conversations.add(path)
        for path in stored(self.store, "summaries"):
            data = read_json(path)
            if isinstance(data, list) and data and isinstance(data[0], dict) and data[0].get("conversation"):
                self.of(str(data[0]["conversation"])).summaries.add(path)
        for one in Database.of(self._settings).listed(EDITS):
            self.of(one.name).edits.add(one)
        for stage in ("recordings", "corrections"):
            for path in stored(self.store, stage):
                self.of(path.stem).words.add(path)
        for media_id, held in self.recordings.items():
            for run in past_runs(self.store, media_id):
                held.folders |= set(run.folders)
                # Of a run of an older version, whose names follow from its job no more.
                held.words |= there([self.store.path("diarization", run.diarization)])


def files(folder: Path) -> Iterator[Path]:
    """A folder's files by name, those that are being written left out."""
    with reached(folder):
        found = sorted(folder.iterdir(), key=str) if folder.is_dir() else []
        yield from (p for p in found if p.is_file() and not p.name.startswith("."))


def stored(store: FileStore, stage: str) -> Iterator[Path]:
    """A stage's results, and what this machine alone has of it."""
    yield from files(store.results / stage)
    if store.results != store.root:
        yield from files(store.root / stage)


def there(paths: Iterable[Path]) -> set[Path]:
    """Those that exist."""
    return {path for path in paths if path.is_file()}


def read_json(path: Path) -> Any:
    """A file's JSON; None if it is gone or none."""
    try:
        with reached(path):
            text = path.read_bytes()
        return json.loads(text)
    except (OSError, ValueError, RecursionError):
        return None


def read_job(path: Path) -> Job | None:
    """A stored job; None for one of another version."""
    try:
        job = Job.from_json(read_json(path))
    except (TypeError, KeyError, AttributeError):
        return None
    roles = {"recogniser", "segmentation", "speaker_embedding"}
    return job if roles <= job.fingerprints.keys() else None
