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

from meetings.audience import possible_speakers, readers
from meetings.config import Settings
from meetings.conversation import Conversation, from_json, to_json
from meetings.corrections import answers_of
from meetings.errors import ConfigError, RecordingNotFoundError
from meetings.job import Job
from meetings.kept_voices import KeptVoices
from meetings.known_voices import known_voices
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
from meetings.store import FileStore, writing

EVERYONE = Person(username="everyone", name="Everyone", position="")


@dataclass(frozen=True, slots=True, kw_only=True)
class StageResult:
    """What became of one stage: its result's key, when it began (seconds since the epoch) and how long it took
    (seconds), whether it was found done."""

    stage: str
    key: str
    seconds: float
    reused: bool
    model: str = ""
    device: str = ""
    began: float = 0.0
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
        began = time.time()
        reused = not job.source.in_mattermost or self._speech_done(job) or self._media(job).is_file()
        if not reused:
            self._fetch(job, progress)
        return StageResult(
            stage="fetch", key=job.source.media_id, seconds=time.time() - began, reused=reused, began=began
        )

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
        began = time.time()
        reused = self._speech_done(job) or self._audio(job).is_file()
        if not reused:
            self._decode(job, progress)
        key = job.key("audio")
        notes = self._store.read_json("notes", key) if self._store.has("notes", key) else ()
        return StageResult(
            stage="audio",
            key=key,
            seconds=time.time() - began,
            reused=reused,
            began=began,
            info={"notes": list(notes)},
        )

    def _decode(self, job: Job, progress: Progress) -> None:
        from meetings.speech import decode_audio

        media = self._media(job)
        if not media.is_file():
            if not job.source.in_mattermost:
                raise RecordingNotFoundError(media)
            self._fetch(job, progress)
        info = decode_audio(media, self._audio(job), name=job.source.name, progress=progress)
        # They outlive the sound: a later run that finds the speech done tells of them again.
        self._store.write_json("notes", job.key("audio"), list(info.warnings))

    def segment(self, job: Job, progress: Progress) -> StageResult:
        """Where voices are active: what recognition listens to and speakers are found in."""
        began = time.time()
        reused = self._speech_done(job) or self._segmentation(job).is_file()
        if not reused:
            self._segment(job, progress)
        return StageResult(
            stage="segmentation",
            key=self._segmentation_key(job),
            seconds=time.time() - began,
            reused=reused,
            model=job.models["segmentation"],
            device=job.device,
            began=began,
        )

    def _segment(self, job: Job, progress: Progress) -> None:
        from meetings.speech import save_segmentation, segment

        found = segment(
            self._ready_audio(job),
            segmentation=self._model(job, "segmentation"),
            device=job.device,
            threads=self._settings.cpu_threads,
            progress=progress,
        )
        with writing(self._segmentation(job)) as part:
            save_segmentation(found, part)

    def transcribe(self, job: Job, progress: Progress) -> StageResult:
        """Words with times."""
        key = self._transcription_key(job)

        def make() -> object:
            from meetings.speech import load_segmentation, speech_regions, transcribe

            return transcribe(
                self._ready_audio(job),
                model=self._model(job, "recogniser"),
                device=job.device,
                threads=self._settings.cpu_threads,
                language=job.language,
                regions=speech_regions(load_segmentation(self._ready_segmentation(job))),
                progress=progress,
            ).to_json()

        return self._stored("transcription", key, make, model=job.models["recogniser"], device=job.device)

    def diarize(self, job: Job, progress: Progress) -> StageResult:
        """Turns of voices."""
        key = self._diarization_key(job)
        threads = self._settings.cpu_threads
        # Recognition runs beside this and takes several times as long: most cores are its.
        alone = self._store.has("transcription", self._transcription_key(job))

        def make() -> object:
            from meetings.speech import diarize, load_segmentation, read_sides, sides_path, split_by_side

            audio = self._ready_audio(job)
            found = diarize(
                audio,
                activity=load_segmentation(self._ready_segmentation(job)),
                segmentation=self._model(job, "segmentation"),
                embedding=self._model(job, "speaker_embedding"),
                device=job.device,
                threads=threads if alone else max(1, threads // 4),
                max_speakers=None,
                progress=progress,
            )
            # Different people on left and right: the sides tell them apart better than their voices do.
            sides = sides_path(audio)
            found = split_by_side(found, read_sides(sides)) if sides.is_file() else found
            KeptVoices.of(self._settings).keep(key, found.voices)  # sealed; the plain result below leaves them out
            return found.to_json()

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
        known = known_voices(
            self._settings,
            self._store,
            media_id=job.source.media_id,
            diarization=diarization,
            embedding_model=job.fingerprints["speaker_embedding"],
            usernames={c.username for c in candidates},
        )
        source = job.source
        key = job.key(
            "conversation",
            transcription,
            diarization,
            [asdict(c) for c in candidates],
            transcript,
            [source.title, source.started_at],
            known.fingerprint(),
        )

        def make() -> object:
            from meetings import speech

            words = speech.Transcription.from_json(self._store.read_json("transcription", transcription))
            voices = speech.Diarization.from_json(self._store.read_json("diarization", diarization))
            utterances = speech.align_words(words.words, voices)
            naming = speech.name_speakers(
                utterances,
                [
                    speech.Candidate(username=p.username, name=p.name, nickname=p.nickname, joined_at=p.joined_at)
                    for p in candidates
                ],
                calls_cues=speech.read_calls_vtt(transcript) if transcript else (),
                voices=known.voices,
                prints=known.prints,
                heard_before=known.heard_before,
                answers=answers_of(known.corrections, utterances),
            )
            if naming.usernames() and not known.notes:  # with the wrong key there is nothing to note it in
                KeptVoices.of(self._settings).note_names(diarization, naming.usernames(), naming.by_voice())
            return to_json(
                Conversation(
                    id=source.media_id,
                    title=source.title,
                    language=words.language,
                    duration=words.duration,
                    started_at=source.started_at,
                    participants=tuple(c.username for c in candidates if c.attended),
                    speakers=naming.speakers,
                    utterances=naming.relabel(utterances),
                )
            )

        return replace(self._stored("conversation", key, make), info={"notes": list(known.notes)})

    # People and summaries

    def read_people(self, job: Job, conversation_key: str, progress: Progress) -> StageResult:
        """The readers with their context, as a stored list."""
        del progress, conversation_key
        began = time.time()
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
            stage="people",
            key=key,
            seconds=time.time() - began,
            reused=False,
            began=began,
            info={"notes": notes},
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

        began = time.time()
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
            seconds=time.time() - began,
            reused=outcome.status == "unchanged",
            began=began,
            info={**asdict(outcome), "down": outcome.reason if outcome.server_gone else ""},
        )

    def tidy(self, job: Job) -> None:
        """Remove sound, its segmentation, the downloaded file, and voices that are to be kept for no days."""
        from meetings.speech import sides_path

        KeptVoices.of(self._settings).release(self._diarization_key(job))
        self._audio(job).unlink(missing_ok=True)
        sides_path(self._audio(job)).unlink(missing_ok=True)
        self._segmentation(job).unlink(missing_ok=True)
        if job.source.in_mattermost:
            self._media(job).unlink(missing_ok=True)

    # Shared

    def conversation(self, key: str) -> Conversation:
        """A stored conversation."""
        return from_json(self._store.read_json("conversation", key))

    def _stored(
        self, stage: str, key: str, make: Callable[[], object], *, model: str = "", device: str = ""
    ) -> StageResult:
        began = time.time()
        reused = self._store.has(stage, key)
        if not reused:
            self._store.write_json(stage, key, make())
        return StageResult(
            stage=stage,
            key=key,
            seconds=time.time() - began,
            reused=reused,
            model=model,
            device=device,
            began=began,
        )

    def _segmentation_key(self, job: Job) -> str:
        return job.key("segmentation", job.fingerprints["segmentation"])

    def _transcription_key(self, job: Job) -> str:
        return job.key("transcription", job.fingerprints["recogniser"], job.fingerprints["segmentation"], job.language)

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

    def _segmentation(self, job: Job) -> Path:
        return self._store.path("segmentation", self._segmentation_key(job), ".npz")

    def _ready_segmentation(self, job: Job) -> Path:
        """The segmentation, made again if it was tidied away."""
        if not self._segmentation(job).is_file():
            self._segment(job, lambda _f: None)
        return self._segmentation(job)

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
