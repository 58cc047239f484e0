"""What was said, word by word with times: faster-whisper over the stretches that hold speech.

Voice activity comes first, recognition runs in batches over packed stretches of speech, and what comes out is checked
against the known ways in which Whisper invents text: over sound without speech, in loops, and in its training data's
farewell phrases.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from meetings.conversation import Word
from meetings.errors import ModelError
from meetings.progress import Progress, no_progress
from meetings.speech.audio import SAMPLE_RATE, load_audio
from meetings.speech.segmentation import Region

BATCH = {"cpu": 4, "cuda": 16}
# Silero's own default is 0.5; music and tones pass it at times, speech over noise fails it rarely at 0.5.
SPEECH_PROBABILITY = 0.5
MIN_SPEECH_MS = 200
# Thresholds of Whisper's paper (Radford et al. 2022, section 4.5) and its reference code.
MAX_NO_SPEECH = 0.6
MIN_LOG_PROBABILITY = -1.0
MAX_COMPRESSION = 2.4
MIN_WORD_PROBABILITY = 0.3
# What Whisper writes over silence and music, from its subtitles (Koenecke et al. 2024, arXiv 2402.08021, and reports).
HALLUCINATIONS = frozenset(
    {
        "thank you for watching",
        "thanks for watching",
        "thank you so much for watching",
        "please subscribe",
        "subtitles by the amara org community",
        "untertitel der amara org community",
        "untertitel im auftrag des zdf",
        "you",
        "music",
        "applause",
        "bye bye bye",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Transcription:
    """All words in order, the language (ISO 639-1) with its probability, and the sound's length in seconds."""

    language: str
    language_probability: float
    duration: float
    words: tuple[Word, ...]

    def to_json(self) -> dict[str, Any]:
        """A plain object that `from_json` reads back."""
        return {**asdict(self), "words": [asdict(w) for w in self.words]}

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> Transcription:
        """Read what `to_json` wrote."""
        return Transcription(**{**data, "words": tuple(Word(**w) for w in data["words"])})


def transcribe(
    audio: Path,
    *,
    model: Path,
    device: str = "cpu",
    threads: int = 2,
    language: str | None = None,
    vocabulary: Sequence[str] = (),
    regions: Sequence[Region] | None = None,
    progress: Progress = no_progress,
) -> Transcription:
    """Recognise speech.

    Args:
        audio: a WAV of `decode_audio`.
        model: a folder with a CTranslate2 Whisper.
        device: `cpu` (int8) or `cuda` (float16).
        threads: CPU threads.
        language: ISO 639-1 code; None: detected from the speech.
        vocabulary: names and terms that are likely to be said.
        regions: where voices are active; if they are nowhere, nothing was said. None: not known.
        progress: told the fraction of speech done.

    Raises:
        ModelError: the weights cannot be loaded.
    """
    from faster_whisper import BatchedInferencePipeline, WhisperModel
    from faster_whisper.vad import VadOptions, get_speech_timestamps

    samples = load_audio(audio)
    duration = len(samples) / SAMPLE_RATE
    options = VadOptions(
        threshold=SPEECH_PROBABILITY,
        min_speech_duration_ms=MIN_SPEECH_MS,
        min_silence_duration_ms=160,
        speech_pad_ms=120,
        max_speech_duration_s=28,
    )
    heard = get_speech_timestamps(samples, options) if regions is None else regions
    if not heard:
        return Transcription(language=language or "", language_probability=0.0, duration=duration, words=())
    try:
        whisper = WhisperModel(
            str(model),
            device=device,
            compute_type="float16" if device == "cuda" else "int8",
            cpu_threads=threads,
            local_files_only=True,
        )
    except (RuntimeError, ValueError, OSError) as error:
        raise ModelError(f"{model} cannot be loaded ({error}); run: meetings models verify") from error
    segments, info = BatchedInferencePipeline(whisper).transcribe(
        samples,
        language=language,
        word_timestamps=True,
        batch_size=BATCH[device],
        vad_filter=True,
        vad_parameters=options,
        hotwords=", ".join(vocabulary) or None,
        without_timestamps=True,
        condition_on_previous_text=False,
    )
    words: list[Word] = []
    for segment in segments:
        found = _whole_words(segment.words or ())
        if not invented(
            segment.text,
            found,
            no_speech=float(segment.no_speech_prob),
            log_probability=float(segment.avg_logprob),
        ):
            words += found
        progress(min(1.0, float(segment.end) / duration))
    progress(1.0)
    return Transcription(
        language=str(info.language),
        language_probability=float(info.language_probability),
        duration=duration,
        words=tuple(_in_order(_without_loops(words), duration)),
    )


def invented(text: str, words: Sequence[Word], *, no_speech: float, log_probability: float) -> bool:
    """Whether a segment is text that nobody said.

    Args:
        text: the segment's text.
        words: its words with probabilities.
        no_speech: the model's probability that there is no speech.
        log_probability: mean log probability of its tokens.
    """
    if not words:
        return True
    if no_speech > MAX_NO_SPEECH and log_probability < MIN_LOG_PROBABILITY:
        return True
    encoded = text.encode()
    if len(encoded) > 200 and len(encoded) / len(zlib.compress(encoded)) > MAX_COMPRESSION:
        return True
    sure = sum(w.probability for w in words) / len(words)
    phrase = " ".join(re.sub(r"[^\w ]", " ", text.lower()).split())
    if phrase in HALLUCINATIONS and sure < 0.8:
        return True
    return sure < MIN_WORD_PROBABILITY


def _whole_words(pieces: Iterable[Any]) -> tuple[Word, ...]:
    """The recogniser's words; a piece without a space before it (`-factor`, `%`) belongs to the word before."""
    words: list[Word] = []
    for piece in pieces:
        text = piece.word.strip()
        if not text:
            continue
        if words and not piece.word.startswith(" "):
            last = words[-1]
            sure = min(last.probability, float(piece.probability))
            words[-1] = Word(word=last.word + text, start=last.start, end=float(piece.end), probability=sure)
        else:
            words.append(
                Word(word=text, start=float(piece.start), end=float(piece.end), probability=float(piece.probability))
            )
    return tuple(words)


def _without_loops(words: Iterable[Word], limit: int = 4) -> list[Word]:
    """Drop the repeats of a word said more than `limit` times in a row: a stuck decoder, not a person."""
    kept: list[Word] = []
    run = 0
    for word in words:
        same = bool(kept) and kept[-1].word.lower().strip(".,!?") == word.word.lower().strip(".,!?")
        run = run + 1 if same else 0
        if run < limit:
            kept.append(word)
    return kept


def _in_order(words: Iterable[Word], duration: float) -> list[Word]:
    """Words by start, none before the one before it, none beyond the sound."""
    result: list[Word] = []
    clock = 0.0
    for word in sorted(words, key=lambda w: w.start):
        start = min(max(word.start, clock), duration)
        end = min(max(word.end, start), duration)
        result.append(Word(word=word.word, start=start, end=end, probability=word.probability))
        clock = start
    return result
