"""Voiceprints come about: from a file that holds one voice, or from voices of a recording that are surely known.

Nobody is enrolled without their recorded consent; what is refused is refused before the work where that can be known.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from meetings.config import Settings
from meetings.corrections import USERNAME
from meetings.errors import ConsentError, RecordingNotFoundError, VoicesError
from meetings.job import Job
from meetings.kept_voices import KeptVoices
from meetings.models import fingerprint, locate
from meetings.prepare import choose_device
from meetings.progress import Progress, no_progress
from meetings.recordings import PastRun
from meetings.speech import Voice, decode_audio, diarize, mean_voice, segment, similarity
from meetings.stages import Stages
from meetings.store import FileStore, file_digest, private_folder
from meetings.voicebook import Consent, Sample, VoiceBook

ENOUGH = 10.0  # seconds of clean speech that a print needs
ANOTHER = 2.0  # seconds of a second voice that make a file one of several people
SAME = 0.7  # similarity from which two voices of such a file are one
UNLIKE = 0.5  # similarity to somebody's print under which a voice is not taken for theirs without asking
CERTAIN = 0.99  # probability of a name, through the transcript of Calls, from which a voice may be learnt


@dataclass(frozen=True, slots=True, kw_only=True)
class Learnt:
    """What became of one voice of a recording: learnt for `username`, or not, and why."""

    username: str
    status: Literal["learnt", "skipped"]
    seconds: float = 0.0
    reason: str = ""


def checked_username(text: str) -> str:
    """A username as it is kept.

    Raises:
        VoicesError: it is none.
    """
    username = text.strip().removeprefix("@").lower()
    if not USERNAME.fullmatch(username):
        raise VoicesError(f"{text!r} is no username; give the account's name, like ana.ruiz")
    return username


def now() -> str:
    """The time that is noted beside a consent or a sample."""
    return datetime.now(tz=UTC).isoformat(timespec="seconds")


def enroll(
    username: str, file: Path, settings: Settings, *, consent: Consent | None, progress: Progress = no_progress
) -> Sample:
    """Make a voiceprint of the one voice in a file.

    Args:
        username: whose voice it is.
        file: any media with at least ten seconds of their speech and nobody else's.
        settings: models and data folder.
        consent: given now; None if it was recorded before.
        progress: told the fraction done.

    Raises:
        ConsentError: there is no consent.
        VoicesError: too little speech, or more than one voice.
        MeetingsError: the file cannot be read, or a model is missing.
    """
    book = VoiceBook.of(settings)
    if consent is None and username not in {e.username for e in book.entries()}:
        raise ConsentError(username)
    if not file.is_file():
        raise RecordingNotFoundError(file)
    source = file_digest(file)
    voice = _one_voice(file, settings, progress)
    sample = Sample(
        embedding=voice.embedding,
        seconds=round(voice.seconds, 1),
        source=source,
        model=fingerprint(settings.embedding_model, settings.models_folder),
        at=now(),
    )
    if consent is not None:
        book.record_consent(username, consent)
    book.add_sample(username, sample)
    return sample


def _one_voice(file: Path, settings: Settings, progress: Progress) -> Voice:
    segmentation = locate(settings.segmentation_model, settings.models_folder)
    embedding = locate(settings.embedding_model, settings.models_folder)
    private_folder(settings.home)
    with tempfile.TemporaryDirectory(prefix=".enrol-", dir=settings.home) as folder:
        audio = Path(folder) / "audio.wav"
        info = decode_audio(file, audio, max_hours=settings.max_hours)
        if info.duration < ENOUGH:
            raise VoicesError(f"{file} is {info.duration:.0f} s long; a voiceprint needs {ENOUGH:.0f} s of speech")
        device, threads = choose_device(settings), settings.cpu_threads
        found = diarize(
            audio,
            activity=segment(audio, segmentation=segmentation, device=device, threads=threads),
            segmentation=segmentation,
            embedding=embedding,
            device=device,
            threads=threads,
            progress=progress,
        )
    return only_voice(found.voices, file)


def only_voice(voices: tuple[Voice, ...], file: Path) -> Voice:
    """The one voice that a file holds.

    Raises:
        VoicesError: nobody speaks, or not for long enough, or several do.
    """
    ordered = sorted(voices, key=lambda v: -v.seconds)
    if not ordered:
        raise VoicesError(f"{file}: nobody speaks in it; record {ENOUGH:.0f} s or more of one person talking")
    main = ordered[0]
    same = [main, *(v for v in ordered[1:] if similarity(v.embedding, main.embedding) >= SAME)]
    others = [v for v in ordered if v not in same and v.seconds >= ANOTHER]
    if others:
        raise VoicesError(
            f"{file}: {len(others) + 1} voices are heard in it; give a file in which only this person speaks, or "
            "process it, say who is who (meetings speakers --set) and learn from it (meetings voices learn)"
        )
    voice = mean_voice(main.speaker, same)
    if voice.seconds < ENOUGH:
        raise VoicesError(
            f"{file}: {voice.seconds:.0f} s of clean speech are too little for a voiceprint; it needs {ENOUGH:.0f} s"
        )
    return voice


def learn(run: PastRun, settings: Settings) -> tuple[Learnt, ...]:
    """Take up the voices of a recording that a human named, or that the transcript of Calls names for certain.

    Raises:
        VoicesError: the recording's voices are no longer kept.
    """
    store = FileStore.of(settings)
    voices = {v.speaker: v for v in KeptVoices.of(settings).voices(run.diarization)}
    if not voices:
        raise VoicesError(
            "the voices of this recording are not kept (any more); process it again: meetings process ... --fresh"
        )
    job = Job.from_json(store.read_json("jobs", run.job))
    conversation = Stages(settings=settings, store=store).conversation(run.conversation)
    book = VoiceBook.of(settings)
    entries = {e.username: e for e in book.entries()}
    model = job.fingerprints["speaker_embedding"]
    result = []
    for speaker in conversation.speakers:
        if speaker.username is None:
            continue
        certain = speaker.how == "given" or ("transcript" in speaker.how and speaker.confidence >= CERTAIN)
        heard = [voices[label] for label in (speaker.id, *speaker.joined) if label in voices]
        voice = mean_voice(speaker.id, heard) if heard else None
        entry = entries.get(speaker.username)
        known = entry.print_of(model) if entry else None
        reason = ""
        if not certain:
            reason = f"the name is not certain ({speaker.how}, {speaker.confidence:.2f}); confirm it: meetings speakers"
        elif entry is None:
            reason = f"no consent is recorded; meetings voices consent {speaker.username} --consent '...'"
        elif voice is None or voice.seconds < ENOUGH:
            reason = f"less than {ENOUGH:.0f} s of clean speech"
        elif known is not None and (near := similarity(voice.embedding, known.embedding)) < UNLIKE:
            reason = f"sounds unlike their voiceprint ({near:.2f}); if that is wrong: meetings voices forget"
        if reason or voice is None:
            result.append(Learnt(username=speaker.username, status="skipped", reason=reason))
            continue
        sample = Sample(
            embedding=voice.embedding,
            seconds=round(voice.seconds, 1),
            source=job.source.media_id,
            model=model,
            at=now(),
        )
        book.add_sample(speaker.username, sample)
        result.append(Learnt(username=speaker.username, status="learnt", seconds=sample.seconds))
    return tuple(result)
