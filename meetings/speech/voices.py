"""Voiceprints: how likely it is that a voice of this recording is that of somebody who agreed to be known by it.

Pure functions over unit-length CAM++ embeddings; where prints are kept, and with whose consent, is not their matter.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from meetings.speech.diarization import Voice


@dataclass(frozen=True, slots=True, kw_only=True)
class Voiceprint:
    """What somebody sounds like: a unit-length embedding over `seconds` of their clean speech."""

    username: str
    embedding: tuple[float, ...] = field(repr=False)
    seconds: float


# Measured with CAM++ (docs/benchmarks.md): one synthesizer's voice in two meetings 0.86 to 0.99, four pairs; different
# people, synthetic and real (AMI, far-field): half of 253 pairs under 0.13, 95 % under 0.49, two real people in one
# room 0.63. One voice moved up by 6 % in pitch is 0.85 and stands for somebody who sounds alike: alone that does not
# pass the bar, with somebody thanking them by name it does.
EVEN = 0.72  # cosine similarity at which a print says nothing
SLOPE = 32.0  # log-odds by similarity
STRONGEST = 8.0
WEAKEST = -8.0
ENOUGH = 10.0  # seconds of clean speech from which a voice, or a print, counts fully
TOO_LITTLE = 2.0  # seconds below which it says nothing

SAME_PRINT = 0.75  # both voices at least so similar to one print: one person
SAME_ACCOUNT = 0.7  # two voices of one account at least so similar: one person


def similarity(one: Sequence[float], other: Sequence[float]) -> float:
    """Cosine similarity of two embeddings."""
    lengths = math.sqrt(math.fsum(x * x for x in one) * math.fsum(y * y for y in other))
    return math.fsum(x * y for x, y in zip(one, other, strict=True)) / lengths if lengths else 0.0


def voice_evidence(voices: Mapping[str, Voice], prints: Sequence[Voiceprint]) -> Mapping[tuple[str, str], float]:
    """Log-odds of (voice, username) from how similar voice and print are."""
    evidence = {}
    for label, voice in voices.items():
        for known in prints:
            seconds = min(voice.seconds, known.seconds)
            if seconds < TOO_LITTLE:
                continue
            weight = min(1.0, math.sqrt(seconds / ENOUGH))
            odds = SLOPE * (similarity(voice.embedding, known.embedding) - EVEN)
            evidence[label, known.username] = weight * min(STRONGEST, max(WEAKEST, odds))
    return evidence


def mean_voice(label: str, voices: Sequence[Voice]) -> Voice:
    """One voice of several of the same person, weighted by their seconds."""
    total = [math.fsum(v.seconds * v.embedding[i] for v in voices) for i in range(len(voices[0].embedding))]
    length = math.sqrt(math.fsum(x * x for x in total)) or 1.0
    return Voice(
        speaker=label, embedding=tuple(x / length for x in total), seconds=math.fsum(v.seconds for v in voices)
    )
