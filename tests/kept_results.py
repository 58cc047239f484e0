"""A data folder as runs leave it, made of a few words instead of a recording: for tests of what is kept and removed."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from meetings.config import Settings
from meetings.conversation import Conversation, Speaker, Utterance, Word, to_json
from meetings.job import Job, Source
from meetings.kept_voices import KeptVoices
from meetings.recordings import remember_run
from meetings.speech import Voice
from meetings.stages import Stages
from meetings.store import FileStore, digest
from tests.naming_cases import sound

ROLES = ("recogniser", "segmentation", "speaker_embedding", "text_embedding", "language_model")
# Who says what: label, username, words.
SAID = (
    ("S1", "ana", "the budget is forty thousand"),
    ("S2", "ben", "zebra stripes were discussed privately"),
    ("S1", "ana", "we ship on Friday"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """One recording's results in a data folder."""

    settings: Settings
    job: Job
    conversation: str
    diarization: str
    transcription: str
    summaries: str

    @property
    def store(self) -> FileStore:
        return FileStore.of(self.settings)

    def files(self) -> set[Path]:
        return {p for p in self.settings.home.rglob("*") if p.is_file() and p.name not in {".lock", "lock", "key"}}

    def of_recording(self) -> set[Path]:
        """Files that hold something of the recording: those below results, without admissions and people."""
        results = self.settings.home / "results"
        return {p for p in self.files() if results in p.parents and p.parent.name not in {"people", "feedback"}}

    def everything_said(self) -> str:
        """All text of the data folder, in one string, the audit log's apart."""
        return "\n".join(
            p.read_text(encoding="utf-8", errors="replace") for p in self.files() if p.parent.name != "audit"
        )


def summary_of(username: str, media_id: str, quote: str) -> dict[str, Any]:
    return {
        "person": {"username": username, "name": username.title(), "position": ""},
        "headline": "",
        "bullets": [
            {"kind": "info", "text": quote, "evidence": ["u1"], "start": 0.0, "speaker": "Ana", "why": "", "score": 1.0}
        ],
        "model": "",
        "writer": "extract",
        "conversation": media_id,
    }


def keep_recording(
    settings: Settings,
    media_id: str = "r" * 26,
    *,
    said: Sequence[tuple[str, str | None, str]] = SAID,
    readers: Sequence[str] = ("ana", "ben"),
    channel_id: str | None = None,
    post_id: str | None = None,
    server: str | None = None,
    path: str | None = "/calls/weekly.mp4",
    age_days: float = 0.0,
    naming: str = "",
    delivered: bool = True,
    timed: bool = True,
) -> Kept:
    """Leave behind what a run over a recording leaves behind, with sound as if the run had not ended."""
    store = FileStore.of(settings)
    job = Job(
        source=Source(
            media_id=media_id,
            name="weekly",
            title="Weekly",
            path=None if post_id else path,
            post_id=post_id,
            channel_id=channel_id,
        ),
        people_key=None,
        deliver=post_id is not None,
        writer="extract",
        language=None,
        device="cpu",
        models=dict.fromkeys(ROLES, "m"),
        fingerprints=dict.fromkeys(ROLES, "f"),
        server=server,
        names=naming,
    )
    store.write_json("vocabulary", job.key("vocabulary", []), ["Zebra"])
    store.write_json("notes", job.key("audio"), [])
    stages = Stages(settings=settings, store=store)
    words: list[dict[str, Any]] = []
    utterances, at = [], 0.0
    for number, (label, _, text) in enumerate(said, 1):
        begin = at
        for word in text.split():
            words.append({"word": word, "start": at, "end": at + 0.4, "probability": 0.9})
            at += 0.5
        heard = tuple(Word(word=w["word"], start=w["start"], end=w["end"]) for w in words if w["start"] >= begin)
        utterances.append(
            Utterance(
                id=f"u{number}", speaker=label, start=begin, end=at - 0.1, text=text, words=heard if timed else ()
            )
        )
        at += 1.0
    transcription, diarization = stages._transcription_key(job), stages._diarization_key(job)
    store.write_json(
        "transcription", transcription, {"words": words, "language": "en", "language_probability": 1.0, "duration": at}
    )
    turns = [{"start": u.start, "end": u.end, "speaker": u.speaker} for u in utterances]
    store.write_json("diarization", diarization, {"turns": turns, "exclusive": turns})
    names = {label: username for label, username, _ in said}
    conversation = Conversation(
        id=media_id,
        title="Weekly",
        duration=at,
        participants=tuple(sorted({u for u in names.values() if u})),
        speakers=tuple(Speaker(id=k, name=(u or k).title(), username=u) for k, u in names.items()),
        utterances=tuple(utterances),
    )
    conversation_key = digest("conversation", media_id, naming)
    store.write_json("conversation", conversation_key, to_json(conversation))
    summaries = digest("summaries", media_id, naming)
    store.write_json("summaries", summaries, [summary_of(r, media_id, said[-1][2]) for r in readers])
    for reader in readers if delivered else ():
        noted = digest("delivered", server, media_id, reader)
        store.write_json("delivered", noted, {"username": reader, "post_id": "p" * 26})
    people = [{"person": {"username": r, "name": r.title(), "interests": []}, "context": None} for r in readers]
    store.put_json("people", people)
    kept = KeptVoices.of(settings)
    kept.keep(diarization, [Voice(speaker=k, embedding=sound(k, 0.97), seconds=20.0) for k in names])
    kept.note_names(diarization, {k: u for k, u in names.items() if u}, {})
    for file in stages.sound_files(job)[:1] + stages.sound_files(job)[3:]:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"sound")
    remember_run(store, job, conversation=conversation_key, diarization=diarization, summaries=summaries)
    made = Kept(
        settings=settings,
        job=job,
        conversation=conversation_key,
        diarization=diarization,
        transcription=transcription,
        summaries=summaries,
    )
    if age_days:
        then = time.time() - age_days * 86_400
        for file in made.files():
            os.utime(file, (then, then))
    return made
