"""The bodies of the pipeline's stages: find the result, or make it and store it.

A stage takes the job and the keys of earlier results and returns a `StageResult`. Engines are imported inside the
stage that needs them, so that a run which reuses speech never loads torch.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from meetings.audience import possible_speakers, readers, spoken_terms
from meetings.config import Settings
from meetings.conversation import Conversation, from_json, to_json
from meetings.errors import ConfigError, RecordingNotFoundError
from meetings.job import Job
from meetings.mattermost import MattermostClient, Outcome, deliver, person_of, read_contexts
from meetings.mattermost.client import FileInfo
from meetings.models import locate
from meetings.people import (
    ChannelContext,
    Person,
    PersonContext,
    PostContext,
    build_persona,
)
from meetings.progress import Progress
from meetings.store import FileStore

EVERYONE = Person(username="everyone", name="Everyone", position="")


@dataclass(frozen=True, slots=True, kw_only=True)
class StageResult:
    """What became of one stage: its result's key, how long it took (seconds), whether it was found done."""

    stage: str
    key: str
    seconds: float
    reused: bool
    model: str = ""
    device: str = ""
    info: Mapping[str, Any] = field(default_factory=dict)


class Stages:
    """The stages over one settings object and one store."""

    def __init__(self, *, settings: Settings, store: FileStore) -> None:
        self._settings = settings
        self._store = store

    def read_job(self, job_key: str) -> Job:
        """The job behind a key."""
        return Job.from_json(self._store.read_json("jobs", job_key))

    # Speech

    def fetch(self, job: Job, progress: Progress) -> StageResult:
        """Download the recording unless its speech is known already."""
        began = time.monotonic()
        reused = not job.source.in_mattermost or self._speech_done(job) or self._media(job).is_file()
        if not reused:
            self._fetch(job, progress)
        return StageResult(stage="fetch", key=job.source.media_id, seconds=time.monotonic() - began, reused=reused)

    def _fetch(self, job: Job, progress: Progress) -> None:
        info = FileInfo(
            id=job.source.media_id,
            post_id=job.source.post_id or "",
            name=job.source.name,
            size=job.source.size,
        )
        self._client(job).download(info, self._media(job), progress=progress)

    def decode(self, job: Job, progress: Progress) -> StageResult:
        """Decode to 16 kHz mono unless the speech is known already."""
        began = time.monotonic()
        reused = self._speech_done(job) or self._audio(job).is_file()
        notes = () if reused else self._decode(job, progress)
        return StageResult(
            stage="audio",
            key=job.key("audio"),
            seconds=time.monotonic() - began,
            reused=reused,
            info={"notes": list(notes)},
        )

    def _decode(self, job: Job, progress: Progress) -> tuple[str, ...]:
        from meetings.speech import decode_audio

        media = self._media(job)
        if not media.is_file():
            if not job.source.in_mattermost:
                raise RecordingNotFoundError(media)
            self._fetch(job, progress)
        return tuple(decode_audio(media, self._audio(job), progress=progress).warnings)

    def transcribe(self, job: Job, progress: Progress) -> StageResult:
        """Words with times."""
        vocabulary = self._vocabulary(job)
        key = self._transcription_key(job)

        def make() -> object:
            from meetings.speech import transcribe

            return transcribe(
                self._ready_audio(job),
                model=self._model(job, "recogniser"),
                device=job.device,
                threads=self._settings.cpu_threads,
                language=job.language,
                vocabulary=vocabulary,
                progress=progress,
            ).to_json()

        return self._stored("transcription", key, make, model=job.models["recogniser"], device=job.device)

    def diarize(self, job: Job, progress: Progress) -> StageResult:
        """Turns of voices."""
        key = self._diarization_key(job)

        def make() -> object:
            from meetings.speech import diarize

            return diarize(
                self._ready_audio(job),
                segmentation=self._model(job, "segmentation"),
                embedding=self._model(job, "speaker_embedding"),
                device=job.device,
                threads=self._settings.cpu_threads,
                max_speakers=None,
                progress=progress,
            ).to_json()

        model = f"{job.models['segmentation']} + {job.models['speaker_embedding']}"
        return self._stored("diarization", key, make, model=model, device=job.device)

    def join(self, job: Job, progress: Progress) -> StageResult:
        """Utterances with named speakers: a `Conversation`."""
        del progress
        client = self._client(job) if job.source.in_mattermost else None
        candidates = possible_speakers(job, client, self._people_file(job))
        transcript = ""
        if client is not None and job.source.transcript_file_id:
            transcript = client.read_file(job.source.transcript_file_id).decode("utf-8", errors="replace")
        transcription, diarization = self._transcription_key(job), self._diarization_key(job)
        source = job.source
        key = job.key(
            "conversation",
            transcription,
            diarization,
            [asdict(c) for c in candidates],
            transcript,
            [source.title, source.started_at],
        )

        def make() -> object:
            from meetings import speech

            words = speech.Transcription.from_json(self._store.read_json("transcription", transcription))
            voices = speech.Diarization.from_json(self._store.read_json("diarization", diarization))
            utterances = speech.align_words(words.words, voices)
            speakers = speech.name_speakers(
                utterances,
                [speech.Candidate(username=p.username, name=p.name, nickname=p.nickname) for p in candidates],
                calls_cues=speech.read_calls_vtt(transcript) if transcript else (),
            )
            return to_json(
                Conversation(
                    id=source.media_id,
                    title=source.title,
                    language=words.language,
                    duration=words.duration,
                    started_at=source.started_at,
                    participants=tuple(c.username for c in candidates if c.attended),
                    speakers=speakers,
                    utterances=utterances,
                )
            )

        return self._stored("conversation", key, make)

    # People and summaries

    def read_people(self, job: Job, conversation_key: str, progress: Progress) -> StageResult:
        """The readers with their context, as a stored list."""
        del progress, conversation_key
        began = time.monotonic()
        notes: list[str] = []
        given = {p.username: p for p in self._people_file(job)}
        entries: list[dict[str, Any]]
        if job.source.in_mattermost:
            client = self._client(job)
            users = readers(job, client, given.keys(), notes)
            contexts = read_contexts(client, users, now=_start_ms(job))
            entries = [
                {
                    "person": asdict(given.get(u.username) or person_of(u)),
                    "context": asdict(contexts[u.username]),
                }
                for u in users
            ]
        else:
            people = given.values() or (EVERYONE,)
            entries = [{"person": asdict(p), "context": None} for p in people]
        key = self._store.put_json("people", entries)
        return StageResult(
            stage="people", key=key, seconds=time.monotonic() - began, reused=False, info={"notes": notes}
        )

    def summarise(self, job: Job, conversation_key: str, people_key: str, progress: Progress) -> StageResult:
        """Everybody's summary, as the list that `summaries/*.json` is cut from."""
        models = {k: job.fingerprints[k] for k in ("text_embedding", "language_model") if k in job.fingerprints}
        key = job.key("summaries", conversation_key, people_key, job.writer, models)

        def make() -> object:
            from meetings import llm
            from meetings.summary import summarize, summary_to_json

            conversation = self.conversation(conversation_key)
            entries = self._store.read_json("people", people_key)
            personas = tuple(build_persona(_person(e["person"]), _context(e["context"])) for e in entries)
            threads = self._settings.cpu_threads
            speaks = bool(conversation.utterances)
            embedder = llm.Embedder(self._model(job, "text_embedding"), threads=threads) if speaks else None
            model = None
            if speaks and job.models["language_model"] != "none":
                model = llm.LlamaCpp(
                    self._model(job, "language_model"), threads=threads, name=job.models["language_model"]
                )
            attended = set(conversation.participants) or None
            return [
                summary_to_json(s)
                for s in summarize(
                    conversation,
                    personas,
                    writer=job.writer,
                    embedder=embedder,
                    language_model=model,
                    attended=attended,
                    progress=progress,
                )
            ]

        result = self._stored("summaries", key, make, model=job.models["language_model"])
        deliver_to = [s["person"]["username"] for s in self._store.read_json("summaries", key)] if job.deliver else []
        return replace(result, info={"deliver_to": deliver_to})

    # Delivery

    def deliver(self, job: Job, conversation_key: str, summaries_key: str, username: str, down: str) -> StageResult:
        """One person's direct message; `down` is why the server cannot be reached, known from the person before."""
        from meetings.summary import render_markdown, summary_from_json

        began = time.monotonic()
        if down:
            outcome = Outcome(username=username, status="failed", reason=down, server_gone=True)
        else:
            summary = next(
                s for s in self._store.read_json("summaries", summaries_key) if s["person"]["username"] == username
            )
            message = render_markdown(
                summary_from_json(summary),
                self.conversation(conversation_key),
                recording_url=job.source.url,
            )
            outcome = deliver(
                self._client(job),
                username,
                message,
                recording=job.source.media_id,
                channel_id=job.source.channel_id,
            )
        return StageResult(
            stage=f"delivery to {username}",
            key=outcome.post_id,
            seconds=time.monotonic() - began,
            reused=outcome.status == "unchanged",
            info={**asdict(outcome), "down": outcome.reason if outcome.server_gone else ""},
        )

    def tidy(self, job: Job) -> None:
        """Remove the decoded sound and the downloaded file."""
        self._audio(job).unlink(missing_ok=True)
        if job.source.in_mattermost:
            self._media(job).unlink(missing_ok=True)

    # Shared

    def conversation(self, key: str) -> Conversation:
        """A stored conversation."""
        return from_json(self._store.read_json("conversation", key))

    def _stored(
        self, stage: str, key: str, make: Callable[[], object], *, model: str = "", device: str = ""
    ) -> StageResult:
        began = time.monotonic()
        reused = self._store.has(stage, key)
        if not reused:
            self._store.write_json(stage, key, make())
        return StageResult(
            stage=stage,
            key=key,
            seconds=time.monotonic() - began,
            reused=reused,
            model=model,
            device=device,
        )

    def _transcription_key(self, job: Job) -> str:
        parts = [job.fingerprints["recogniser"], job.language]
        terms = self._vocabulary(job)
        return job.key("transcription", *parts, *([list(terms)] if terms else []))

    def _vocabulary(self, job: Job) -> tuple[str, ...]:
        """What may be said, by the user's list and by what is written around the call; read once for a recording.

        The first answer is kept: other readers, or a post that is written later, must not make the words anew.
        """
        key = job.key("vocabulary", list(job.vocabulary))
        if not self._store.has("vocabulary", key):
            client = self._client(job) if job.source.in_mattermost else None
            terms = spoken_terms(job, client, self._people_file(job))
            self._store.write_json("vocabulary", key, list(terms))
        return tuple(self._store.read_json("vocabulary", key))

    def _diarization_key(self, job: Job) -> str:
        return job.key("diarization", job.fingerprints["segmentation"], job.fingerprints["speaker_embedding"])

    def _speech_done(self, job: Job) -> bool:
        return self._store.has("transcription", self._transcription_key(job)) and self._store.has(
            "diarization", self._diarization_key(job)
        )

    def _media(self, job: Job) -> Path:
        if job.source.path is not None:
            return Path(job.source.path)
        return self._store.path("media", job.source.media_id, ".bin")

    def _audio(self, job: Job) -> Path:
        return self._store.path("audio", job.key("audio"), ".wav")

    def _ready_audio(self, job: Job) -> Path:
        """The decoded sound, decoded again if it was tidied away."""
        if not self._audio(job).is_file():
            self._decode(job, lambda _f: None)
        return self._audio(job)

    def _model(self, job: Job, role: str) -> Path:
        return locate(job.models[role], self._settings.models_folder)

    def _client(self, job: Job) -> MattermostClient:
        token = self._settings.mattermost_token
        if job.server is None or token is None:
            raise ConfigError("no Mattermost is configured; set MATTERMOST_URL and MATTERMOST_TOKEN")
        return MattermostClient(job.server, token.get_secret_value())

    def _people_file(self, job: Job) -> tuple[Person, ...]:
        """The people the user listed, if any."""
        if job.people_key is None:
            return ()
        return tuple(_person(p) for p in self._store.read_json("people", job.people_key))


def _start_ms(job: Job) -> int:
    """When the call began, in milliseconds since the epoch; now, if nobody knows."""
    began = datetime.fromisoformat(job.source.started_at) if job.source.started_at else datetime.now(tz=UTC)
    return int(began.timestamp() * 1000)


def _person(data: Mapping[str, Any]) -> Person:
    return Person(**{**data, "interests": tuple(data["interests"])})


def _context(data: Mapping[str, Any] | None) -> PersonContext | None:
    if data is None:
        return None
    return PersonContext(
        channels=tuple(ChannelContext(**c) for c in data["channels"]),
        posts=tuple(PostContext(**p) for p in data["posts"]),
    )
