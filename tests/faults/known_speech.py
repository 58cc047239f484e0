"""Recordings whose speech is known already, so that a test of what comes after need not hear each of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from meetings.config import Settings
from meetings.prepare import prepare_job
from meetings.stages import Stages
from meetings.store import FileStore


@dataclass(frozen=True)
class KnownSpeech:
    """What was really heard in a clip: the results of recognition and diarization."""

    transcription: Any
    diarization: Any

    @staticmethod
    def of(home: Path) -> KnownSpeech:
        """What the one run in a home has heard."""

        def only(stage: str) -> Any:
            store = FileStore(home / "results")
            (found,) = (store.root / stage).glob("*.json")
            return store.read_json(stage, found.stem)

        return KnownSpeech(transcription=only("transcription"), diarization=only("diarization"))

    def give(self, settings: Settings, post_id: str) -> None:
        """Let the clip in a recording's post count as heard in the home of `settings`."""
        store = FileStore.of(settings)
        stages = Stages(settings=settings, store=store)
        job = prepare_job(post_id, settings, deliver=True)
        store.write_json("transcription", stages._transcription_key(job), self.transcription)
        store.write_json("diarization", stages._diarization_key(job), self.diarization)
