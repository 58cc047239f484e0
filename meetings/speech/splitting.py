"""Labels that hold several people taken apart, once turns are known.

The clustering sees ten seconds at a time, and at most three voices in them: where many speak in turn, a window's voice
is a mixture, and mixtures are alike. A whole turn of one label is a cleaner sample of a voice. Where a label's turns
fall into groups that are unlike one another, each group becomes a label. What was parted wrongly is joined again by
`join_voices`, which compares whole voices.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import pdist

from meetings.speech.campplus import EMBEDDING_SIZE, CamPlusPlus
from meetings.speech.diarization import Turn
from meetings.speech.resegmentation import Floats, activity, turns_of
from meetings.speech.voice_features import CELL, CELL_FRAMES, FRAME_RATE, VoiceFeatures

LONGEST, SHORTEST = 3.0, 0.4  # seconds of a sample: longer turns give several, shorter ones none
# Seconds of a sample that says who speaks. Cosine similarity of two such samples on three spoken meetings: one voice
# 0.45 and more (1st percentile), two voices 0.50 and less (99th).
TELLING = 1.5
SAME_GROUP = 0.5  # mean cosine similarity between two groups of samples from which they are one
# A group that is a person. With 4 s the voice of one excerpt of ami-excerpts falls apart, with 10 s two are missed.
MIN_SECONDS, MIN_SAMPLES = 6.0, 2
MAX_SAMPLES = 2000  # of a label compared with one another: half the square of so many are 16 MB


@dataclass(frozen=True, slots=True, kw_only=True)
class _Samples:
    """Stretches of one label speaking alone, in order: seconds (samples,), embeddings (samples, 192)."""

    start: Floats
    end: Floats
    embeddings: Floats

    @property
    def seconds(self) -> Floats:
        """How long each is."""
        length: Floats = self.end - self.start
        return length


def split_voices(turns: Sequence[Turn], features: VoiceFeatures, network: CamPlusPlus) -> tuple[Turn, ...]:
    """The turns with each label that holds several voices as several labels: `SPEAKER_03` as `SPEAKER_03.0`, `.1`.

    Args:
        turns: who speaks when.
        features: of the whole recording.
        network: what makes embeddings of pooled features.
    """
    labels = sorted({t.speaker for t in turns})
    active = activity(turns, labels, len(features.frames) * CELL_FRAMES)
    alone = active * (active.sum(axis=1, keepdims=True) == 1)
    result: list[Turn] = []
    for column, label in enumerate(labels):
        samples = _samples(alone[:, column], features, network)
        groups = _groups(samples)
        if len(groups) < 2:
            result += [t for t in turns if t.speaker == label]
            continue
        parts = _parts(active[:, column], samples, (samples.embeddings @ groups.T).argmax(axis=1), len(groups))
        result += turns_of(parts, [f"{label}.{i}" for i in range(len(groups))])
    return tuple(sorted(result, key=lambda t: (t.start, t.end, t.speaker)))


def _samples(alone: Floats, features: VoiceFeatures, network: CamPlusPlus) -> _Samples:
    spans = [
        (start, end)
        for turn in turns_of(alone[:, None], [""])
        for start, end in _cut(turn.start, turn.end)
        if end - start >= SHORTEST
    ]
    embeddings = [_embedding(start, end, features, network) for start, end in spans]
    kept = [i for i, e in enumerate(embeddings) if np.isfinite(e).all()]
    return _Samples(
        start=np.array([spans[i][0] for i in kept], dtype=np.float32),
        end=np.array([spans[i][1] for i in kept], dtype=np.float32),
        embeddings=np.array([embeddings[i] for i in kept], dtype=np.float32).reshape(-1, EMBEDDING_SIZE),
    )


def _cut(start: float, end: float) -> Iterator[tuple[float, float]]:
    """A turn as equal parts of about three seconds."""
    number = max(1, round((end - start) / LONGEST))
    edges = np.linspace(start, end, number + 1)
    yield from zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True)


def _embedding(start: float, end: float, features: VoiceFeatures, network: CamPlusPlus) -> Floats:
    first = round(start / CELL)
    last = min(len(features.frames), max(first + 1, round(end / CELL)))
    result: Floats = features.pool(network, np.ones((1, last - first), dtype=np.float32), first=first)[0]
    return result


def _groups(samples: _Samples) -> Floats:
    """The voices among a label's samples: mean embeddings of unit length (voices, 192); none of what cannot be told."""
    telling = np.flatnonzero(samples.seconds >= TELLING)
    if len(telling) < 2 * MIN_SAMPLES:
        return np.zeros((0, EMBEDDING_SIZE), dtype=np.float32)
    every = -(-len(telling) // MAX_SAMPLES)
    embeddings, seconds = samples.embeddings[telling[::every]], samples.seconds[telling[::every]]
    tree = linkage(np.clip(pdist(embeddings, "cosine"), 0.0, 2.0), "average")
    found = fcluster(tree, 1.0 - SAME_GROUP, "distance")
    voices = [
        (embeddings[found == group] * seconds[found == group, None]).sum(axis=0)
        for group in np.unique(found)
        if (found == group).sum() >= MIN_SAMPLES and seconds[found == group].sum() * every >= MIN_SECONDS
    ]
    if not voices:
        return np.zeros((0, EMBEDDING_SIZE), dtype=np.float32)
    means: Floats = np.stack(voices).astype(np.float32)
    means /= np.linalg.norm(means, axis=1, keepdims=True)
    return means


def _parts(active: Floats, samples: _Samples, groups: npt.NDArray[np.int64], number: int) -> Floats:
    """A label's activity (frames,) as that of its groups (frames, number): each frame goes with the nearest sample."""
    frames = np.flatnonzero(active)
    times = (frames / FRAME_RATE).astype(np.float32)
    before = np.clip(np.searchsorted(samples.start, times, side="right") - 1, 0, len(groups) - 1)
    after = np.clip(before + 1, 0, len(groups) - 1)
    later = np.maximum(0.0, samples.start[after] - times) < np.maximum(0.0, times - samples.end[before])
    parts = np.zeros((len(active), number), dtype=np.float32)
    parts[frames, groups[np.where(later, after, before)]] = 1.0
    return parts
