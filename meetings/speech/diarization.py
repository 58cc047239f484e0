"""Who spoke when: pyannote.audio's pipeline, offline, with speaker features computed once.

The stock pipeline embeds every speaker of every 10 s window from scratch although windows overlap by 90 %. CAM++ is a
convolution followed by pooling, so the convolution runs once over the recording and each window's speakers are pooled
from its frames. Everything else (segmentation, counting, clustering, stitching) is pyannote's.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from meetings.errors import ModelError
from meetings.progress import Progress, no_progress
from meetings.speech.audio import SAMPLE_RATE, load_audio

# Measured on spoken meetings: DER is flat from 0.6 to 0.8, at 0.9 speakers are lost.
CLUSTERING_THRESHOLD = 0.7
MIN_CLUSTER_SIZE = 12
CHUNK = 20.0  # seconds of features computed at a time
CONTEXT = 1.0  # seconds on each side of a chunk that are computed and thrown away


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One speaker talking from `start` to `end`, in seconds; `speaker` is a label of this recording alone."""

    start: float
    end: float
    speaker: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Voice:
    """What a speaker sounds like: a CAM++ embedding of unit length (192 numbers) of `seconds` of clean speech.

    It is a person's biometric trait: it is not part of any result that is kept in plain text.
    """

    speaker: str
    embedding: tuple[float, ...] = field(repr=False)
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Diarization:
    """All turns, overlapping ones among them, the exclusive ones (one speaker at a time), and each speaker's voice."""

    turns: tuple[Turn, ...]
    exclusive: tuple[Turn, ...]
    voices: tuple[Voice, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """A plain object that `from_json` reads back: the turns, never the voices."""
        return {"turns": _plain(self.turns), "exclusive": _plain(self.exclusive)}

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> Diarization:
        """Read what `to_json` wrote."""
        return Diarization(
            turns=tuple(Turn(**t) for t in data["turns"]), exclusive=tuple(Turn(**t) for t in data["exclusive"])
        )


def _plain(turns: tuple[Turn, ...]) -> list[dict[str, object]]:
    return [{"start": round(t.start, 3), "end": round(t.end, 3), "speaker": t.speaker} for t in turns]


def diarize(
    audio: Path,
    *,
    segmentation: Path,
    embedding: Path,
    device: str = "cpu",
    threads: int = 2,
    max_speakers: int | None = None,
    progress: Progress = no_progress,
) -> Diarization:
    """Find the turns of each voice.

    Args:
        audio: a WAV of `decode_audio`.
        segmentation: folder or file of pyannote's segmentation weights.
        embedding: folder or file of the CAM++ weights.
        device: `cpu` or `cuda`.
        threads: CPU threads of torch.
        max_speakers: an upper bound, if one is known.
        progress: told the fraction done.

    Raises:
        ModelError: weights cannot be loaded.
    """
    os.environ["PYANNOTE_METRICS_ENABLED"] = "false"  # pyannote.audio 4 sends telemetry unless told not to
    import torch

    from meetings.speech.pyannote_pipeline import build_pipeline
    from meetings.speech.resegmentation import resegment, voices_of

    torch.set_num_threads(threads)
    samples = load_audio(audio)
    # Shorter than one window of the segmentation: pad, so that a two-second greeting has a speaker too.
    waveform = torch.from_numpy(samples)
    if len(waveform) < SAMPLE_RATE:
        waveform = torch.nn.functional.pad(waveform, (0, SAMPLE_RATE - len(waveform)))
    try:
        pipeline = build_pipeline(_file(segmentation), _file(embedding))
    except (RuntimeError, OSError, KeyError, ValueError) as error:
        raise ModelError(f"diarization weights cannot be loaded ({error}); run: meetings models verify") from error
    pipeline.to(torch.device(device))
    voices: tuple[Voice, ...] = ()
    with torch.inference_mode():
        result: Any = pipeline(
            {"waveform": waveform[None], "sample_rate": SAMPLE_RATE, "uri": "recording"},
            max_speakers=max_speakers,
            hook=_hook(progress),
        )
        turns = _turns(result.speaker_diarization, len(samples) / SAMPLE_RATE)
        exclusive = _turns(result.exclusive_speaker_diarization, len(samples) / SAMPLE_RATE)
        if turns and pipeline.frames is not None:
            looked_again = resegment(turns, pipeline.frames, pipeline.network)
            turns, exclusive = tuple(looked_again[0]), tuple(looked_again[1])
            voices = voices_of(turns, pipeline.frames, pipeline.network)
    progress(1.0)
    return Diarization(turns=turns, exclusive=exclusive, voices=voices)


def _file(path: Path) -> Path:
    """The weights in a model's folder."""
    if path.is_file():
        return path
    found = sorted(p for p in path.iterdir() if p.suffix in {".bin", ".pt", ".ckpt"})
    if not found:
        raise ModelError(f"{path} holds no weights; run: meetings models verify")
    return found[0]


def _turns(annotation: Any, duration: float) -> tuple[Turn, ...]:
    turns = (
        Turn(start=max(0.0, s.start), end=min(duration, s.end), speaker=str(label))
        for s, _, label in annotation.itertracks(yield_label=True)
    )
    return tuple(sorted((t for t in turns if t.end > t.start), key=lambda t: (t.start, t.end, t.speaker)))


def _hook(progress: Progress) -> Callable[..., None]:
    """pyannote's progress: segmentation is about 6 parts of 10, embeddings 4 (2 cores)."""
    share = {"segmentation": (0.0, 0.6), "embeddings": (0.6, 0.4)}

    def hook(step: str, _artifact: object, **about: Any) -> None:
        if step in share and about.get("total"):
            base, width = share[step]
            progress(base + width * min(1.0, about["completed"] / about["total"]))

    return hook


def chunk_bounds(duration: float) -> list[tuple[float, float]]:
    """Chunks of features in seconds: adjoining, `CHUNK` long, the last one shorter."""
    count = max(1, math.ceil(duration / CHUNK))
    return [(i * CHUNK, min(duration, (i + 1) * CHUNK)) for i in range(count)]
