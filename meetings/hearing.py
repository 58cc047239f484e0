"""The stages from a recording to words and voices: fetch, decode, segment, transcribe, diarize."""

from __future__ import annotations

import ctypes
import gc
import sys
import time
from pathlib import Path

from meetings.audience import spoken_terms
from meetings.errors import RecordingNotFoundError
from meetings.job import Job
from meetings.kept_voices import NOTE, KeptVoices
from meetings.mattermost.client import FileInfo
from meetings.progress import Progress
from meetings.stage import Stage, StageResult
from meetings.store import writing

M_ARENA_MAX = -8  # mallopt(3)
ARENAS = 2


class Hearing(Stage):
    """The stages that listen."""

    def fetch(self, job: Job, progress: Progress) -> StageResult:
        """Download the recording unless its speech is known already."""
        began = time.time()
        reused = not job.source.in_mattermost or self.speech_done(job) or self._media(job).is_file()
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
        reused = self.speech_done(job) or self._audio(job).is_file()
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
        info = decode_audio(
            media,
            self._audio(job),
            name=job.source.name,
            # Where we keep a downloaded file is nobody's business.
            shown=job.source.name if job.source.in_mattermost else None,
            max_hours=self._settings.max_hours,
            progress=progress,
        )
        # They outlive the sound: a later run that finds the speech done tells of them again.
        self._store.write_json("notes", job.key("audio"), list(info.warnings))

    def segment(self, job: Job, progress: Progress) -> StageResult:
        """Where voices are active: what recognition listens to and speakers are found in."""
        began = time.time()
        reused = self.speech_done(job) or self._segmentation(job).is_file()
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
        vocabulary = self._vocabulary(job)
        key = self._transcription_key(job)

        def make() -> object:
            from meetings.speech import load_segmentation, phrase_ends, speech_regions, transcribe

            _few_arenas()
            activity = load_segmentation(self._ready_segmentation(job))
            return transcribe(
                self._ready_audio(job),
                model=self._model(job, "recogniser"),
                device=job.device,
                threads=self._settings.cpu_threads,
                language=job.language,
                regions=speech_regions(activity),
                turn_ends=phrase_ends(activity),
                vocabulary=vocabulary,
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

    # Where results are

    def sound_files(self, job: Job) -> tuple[Path, ...]:
        """Where a recording's sound and what is heard in it are while it is worked on; asks nobody."""
        from meetings.speech import sides_path

        fetched = self._store.path("media", job.source.media_id, ".bin")
        audio = self._audio(job)
        parts = [fetched.with_name(f"{fetched.name}{end}") for end in (".part", ".part.json")]
        return (fetched, *parts, audio, sides_path(audio), self._segmentation(job))

    def speech_files(self, job: Job) -> tuple[Path, ...]:
        """Where a recording's words and turns are, or would be; asks nobody."""
        store, vocabulary = self._store, job.key("vocabulary", list(job.vocabulary))
        words = (
            [store.path("transcription", self._transcription_key(job))] if store.has("vocabulary", vocabulary) else []
        )
        turns = store.path("diarization", self._diarization_key(job))
        return (*words, turns, store.path("vocabulary", vocabulary), store.path("notes", job.key("audio")))

    def voice_names(self, job: Job) -> tuple[str, str]:
        """What a recording's voices are called in the database, and the note of whom they were taken for."""
        key = self._diarization_key(job)
        return key, f"{key}{NOTE}"

    def _segmentation_key(self, job: Job) -> str:
        return job.key("segmentation", job.fingerprints["segmentation"])

    def _transcription_key(self, job: Job) -> str:
        models = [job.fingerprints["recogniser"], job.fingerprints["segmentation"]]
        return job.key("transcription", *models, job.language, list(self._vocabulary(job)))

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

    def speech_done(self, job: Job) -> bool:
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


def give_memory_back() -> None:
    """What the engines of speech held goes back to the system before the language model takes its own."""
    gc.collect()
    _libc("malloc_trim", 0)


def _few_arenas() -> None:
    """Let glibc's threads share memory that others gave back: 0.2 GB less at the peak than an arena for each."""
    _libc("mallopt", M_ARENA_MAX, ARENAS)


def _libc(function: str, *arguments: int) -> None:
    """Call a function of the C library, where it has it: musl and others do not."""
    if sys.platform == "linux":
        call = getattr(ctypes.CDLL(None), function, None)
        if call is not None:
            call(*arguments)
