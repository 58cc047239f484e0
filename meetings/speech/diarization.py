"""Who spoke when: pyannote.audio's pipeline, offline, with speaker features computed once.

The stock pipeline embeds every speaker of every 10 s window from scratch although windows overlap by 90 %. CAM++ is a
convolution followed by pooling, so the convolution runs once over the recording and each window's speakers are pooled
from its sums. Then each voice is known, and labels are looked at again (`splitting`, `resegmentation`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from meetings.errors import ModelError
from meetings.progress import Progress, no_progress
from meetings.telemetry import no_telemetry

# A voice that was hidden in another's label shows itself only when turns have been put right once.
ROUNDS = 2

if TYPE_CHECKING:
    from meetings.speech.segmentation import Segmentation


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


def segment(
    audio: Path, *, segmentation: Path, device: str = "cpu", threads: int = 2, progress: Progress = no_progress
) -> Segmentation:
    """Find where voices are active, window by window.

    Args:
        audio: a WAV of `decode_audio`.
        segmentation: folder or file of pyannote's segmentation weights.
        device: `cpu` or `cuda`.
        threads: CPU threads.
        progress: told the fraction done.

    Raises:
        ModelError: weights cannot be loaded.
    """
    no_telemetry()
    from meetings.speech.segmentation_network import segment_recording

    try:
        return segment_recording(
            audio, weights=weights_file(segmentation), device=device, threads=threads, progress=progress
        )
    except (RuntimeError, OSError, KeyError, ValueError) as error:
        raise ModelError(f"segmentation weights cannot be used ({error}); run: meetings models verify") from error


def diarize(
    audio: Path,
    *,
    activity: Segmentation,
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
        activity: what `segment` found in it.
        segmentation: folder or file of pyannote's segmentation weights.
        embedding: folder or file of the CAM++ weights.
        device: `cpu` or `cuda`.
        threads: CPU threads.
        max_speakers: an upper bound, if one is known.
        progress: told the fraction done.

    Raises:
        ModelError: weights cannot be loaded.
    """
    no_telemetry()
    import torch

    from meetings.speech.pyannote_pipeline import build_pipeline
    from meetings.speech.resegmentation import join_voices, resegment, voices_of
    from meetings.speech.splitting import split_voices
    from meetings.speech.voice_features import voice_features

    count = activity.count()
    if not count.any():
        progress(1.0)
        return Diarization(turns=(), exclusive=())
    if device == "cpu":
        torch.set_num_threads(1)
    try:
        pipeline = build_pipeline(weights_file(segmentation), weights_file(embedding))
    except (RuntimeError, OSError, KeyError, ValueError) as error:
        raise ModelError(f"diarization weights cannot be loaded ({error}); run: meetings models verify") from error
    pipeline.to(torch.device(device))
    features = voice_features(
        audio, count > 0, network=pipeline.network, threads=threads, progress=lambda f: progress(0.9 * f)
    )
    pipeline.segmentation_found, pipeline.features = activity, features
    with torch.inference_mode():
        # The pipeline asks for a file and never looks at it.
        nothing = {"waveform": torch.zeros(1, 1), "sample_rate": 16_000, "uri": "recording"}
        result: Any = pipeline(nothing, max_speakers=max_speakers)
        turns = _turns(result.speaker_diarization, activity.duration)
        if not turns:
            progress(1.0)
            return Diarization(turns=(), exclusive=())
        for done in range(ROUNDS):
            parted = split_voices(turns, features, pipeline.network)
            joined = join_voices(parted, features, pipeline.network)
            turns, exclusive = resegment(joined, features, pipeline.network)
            progress(0.9 + 0.1 * (done + 1) / ROUNDS)
        voices = voices_of(turns, features, pipeline.network)
    return Diarization(turns=turns, exclusive=exclusive, voices=voices)


def weights_file(path: Path) -> Path:
    """The weights in a model's folder.

    Raises:
        ModelError: there are none.
    """
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
