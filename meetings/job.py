"""What one run is asked to do, as a value that a later process can pick up again.

A `Job` holds everything that decides the result: which recording, for whom, with which models. Its hash names the run,
so the same command finds the same run again, finished or half done.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from meetings.store import digest

# Raised when a stage would give another result from the same inputs, so that old files are not taken for new ones.
VERSION = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where the sound comes from.

    `media_id` names the content: the SHA-256 of a local file, the file id of one in Mattermost (files there never
    change). The fields below `path` are set for a recording in Mattermost alone.
    """

    media_id: str
    name: str
    title: str
    started_at: str | None = None
    path: str | None = None
    post_id: str | None = None
    channel_id: str | None = None
    participant_ids: tuple[str, ...] = ()
    transcript_file_id: str | None = None
    url: str | None = None
    size: int = 0

    @property
    def in_mattermost(self) -> bool:
        """Whether the recording has to be fetched."""
        return self.path is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One recording for some people. `people_key` is a stored people list; None: those of the channel."""

    source: Source
    people_key: str | None
    deliver: bool
    writer: str
    language: str | None
    device: str
    # The models by role ("recogniser", "segmentation", "speaker_embedding", "text_embedding", "language_model").
    models: Mapping[str, str]
    fingerprints: Mapping[str, str]
    server: str | None = None
    audience: str = "members"
    # Usernames; not empty: only these, of the audience. The channel's rule, where a people file is the command's.
    listed: tuple[str, ...] = ()
    max_people: int = 50
    # Names and terms that the user says are spoken.
    vocabulary: tuple[str, ...] = ()
    nonce: str = ""
    # Changes when names may: a human's correction, a voiceprint learnt or forgotten.
    names: str = ""
    # Changes when somebody asks for another kind of summary.
    wishes: str = ""

    def to_json(self) -> dict[str, Any]:
        """A plain object that `from_json` reads back."""
        return asdict(self)

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> Job:
        """Read what `to_json` wrote."""
        source = Source(**{**data["source"], "participant_ids": tuple(data["source"]["participant_ids"])})
        lists = {key: tuple(data.get(key, ())) for key in ("vocabulary", "listed")}
        return Job(**{**data, "source": source, **lists})

    @property
    def run_id(self) -> str:
        """The run's name: same job, same run. Where a local file lies does not matter, only what is in it."""
        bare = replace(self, source=replace(self.source, path="" if self.source.path else None))
        return digest("run", VERSION, bare.to_json())

    def key(self, stage: str, *parts: object) -> str:
        """The key of a stage's result for this recording."""
        return digest(stage, VERSION, self.source.media_id, self.nonce, *parts)


def local_source(path: Path, *, media_id: str, title: str | None, started_at: str | None) -> Source:
    """A file on this machine."""
    return Source(
        media_id=media_id,
        name=path.stem,
        title=title or path.stem,
        started_at=started_at,
        path=str(path.resolve()),
    )
