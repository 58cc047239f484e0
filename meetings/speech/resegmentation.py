"""A second look at who speaks, once every voice is known.

pyannote's segmentation sees ten seconds at a time and tells at most three voices apart in them; short answers between
two turns of another are easily taken for that other. Here each voice's mean embedding is compared with a one-second
embedding every quarter of a second, and the most likely path through the voices (Viterbi 1967) replaces the labels
where one person speaks. Where and whether anybody speaks, and who overlaps whom, stays as pyannote found it.

Before that, two labels whose voices are the same are joined: the clustering sees ten seconds at a time and parts a
voice that is far from the microphone at times; over a whole recording the likeness shows.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from meetings.speech.campplus import CamPlusPlus
from meetings.speech.diarization import Turn, Voice
from meetings.speech.voice_features import CELL_FRAMES, FRAME_RATE, VoiceFeatures, embed

Floats = npt.NDArray[np.float32]

HOP = 2  # cells between one-second embeddings: 0.24 s
WINDOW = 8  # cells of one embedding: 0.96 s
MIN_SPEECH = 10.0  # CAM++ frames of speech in a window below which it says nothing
BLOCK = 2000  # embeddings computed at a time
SIMILARITY = 8.0  # weight of the cosine similarity to a voice
FOUND_SO = 1.0  # weight of pyannote's own label
SWITCH = 1.5  # cost of a change of voice
# Cosine similarity from which two labels are one voice. Seen on spoken and real meetings: parts of one voice 0.74 and
# more (0.47 to 0.68 with under four seconds of one), two voices 0.55 and less (0.45), a voice shifted to be another's
# up to 0.73. At 0.65 two more of a crowd of twenty are lost.
SAME_VOICE = 0.7
SAME_SHORT_VOICE = 0.52
SHORT = 4.0  # seconds
MIN_VOICE = 1.0  # seconds of speech alone without which a label has no voice


def resegment(
    turns: Sequence[Turn], features: VoiceFeatures, network: CamPlusPlus
) -> tuple[tuple[Turn, ...], tuple[Turn, ...]]:
    """All turns, and the exclusive ones, with voices looked at again.

    Args:
        turns: what the pipeline found.
        features: of the whole recording.
        network: the network that makes embeddings of pooled features.
    """
    labels = sorted({t.speaker for t in turns})
    active = activity(turns, labels, len(features.frames) * CELL_FRAMES)
    if len(labels) < 2:
        return turns_of(active, labels), turns_of(active, labels)
    alone = active.sum(axis=1) == 1
    speech = active.max(axis=1)
    voices = features.pool(network, _cells(active * alone[:, None]).T)
    voices[~np.isfinite(voices).all(axis=1)] = 0.0
    scores = FOUND_SO * _cells(active)[::HOP]
    similar, heard = _similarity(features, _cells(speech[:, None])[:, 0], voices, network)
    scores[heard] += SIMILARITY * similar[heard]
    path = np.repeat(most_likely_path(scores, SWITCH), HOP * CELL_FRAMES)[: len(active)]
    chosen = np.zeros_like(active)
    chosen[np.arange(len(active)), path] = 1.0
    merged = np.where(alone[:, None], chosen, active)
    return turns_of(merged, labels), turns_of(chosen * speech[:, None], labels)


def join_voices(turns: Sequence[Turn], features: VoiceFeatures, network: CamPlusPlus) -> tuple[Turn, ...]:
    """The turns with labels of one voice joined, the likest pair first, until no two are alike."""
    joined = tuple(turns)
    while pair := same_voices(voices_of(joined, features, network)):
        gone, kept = pair
        renamed = [Turn(start=t.start, end=t.end, speaker=kept) if t.speaker == gone else t for t in joined]
        labels = sorted({t.speaker for t in renamed})
        # Turns of both at once become one.
        joined = turns_of(activity(renamed, labels, len(features.frames) * CELL_FRAMES), labels)
    return joined


def same_voices(voices: Sequence[Voice]) -> tuple[str, str] | None:
    """The likest two labels that are one voice, the one heard less first; None if there are none."""
    best: tuple[float, str, str] | None = None
    for index, one in enumerate(voices):
        for other in voices[:index]:
            less, more = (one, other) if one.seconds < other.seconds else (other, one)
            likeness = float(np.dot(one.embedding, other.embedding))
            bar = SAME_SHORT_VOICE if less.seconds < SHORT else SAME_VOICE
            if likeness >= bar and (best is None or likeness > best[0]):
                best = likeness, less.speaker, more.speaker
    return best[1:] if best else None


def voices_of(turns: Sequence[Turn], features: VoiceFeatures, network: CamPlusPlus) -> tuple[Voice, ...]:
    """Each speaker's voice, from where they speak alone; speakers without a second of such speech have none."""
    labels = sorted({t.speaker for t in turns})
    active = activity(turns, labels, len(features.frames) * CELL_FRAMES)
    alone = _cells(active * (active.sum(axis=1, keepdims=True) == 1)).T
    seconds = (alone * features.frames).sum(axis=1) / FRAME_RATE
    embeddings = features.pool(network, alone)
    return tuple(
        Voice(speaker=label, embedding=tuple(float(x) for x in embeddings[i]), seconds=float(seconds[i]))
        for i, label in enumerate(labels)
        if seconds[i] >= MIN_VOICE
    )


def most_likely_path(scores: Floats, switch: float) -> npt.NDArray[np.int64]:
    """The path through states (time, states) with the highest sum of scores less `switch` for each change."""
    best = scores[0].astype(np.float64)
    back = np.zeros(scores.shape, dtype=np.int64)
    states = np.arange(scores.shape[1])
    for time in range(1, len(scores)):
        leader = int(best.argmax())
        changed = best[leader] - switch
        back[time] = np.where(best >= changed, states, leader)
        best = np.maximum(best, changed) + scores[time]
    path = np.zeros(len(scores), dtype=np.int64)
    path[-1] = best.argmax()
    for time in range(len(scores) - 1, 0, -1):
        path[time - 1] = back[time, path[time]]
    return path


def activity(turns: Sequence[Turn], labels: Sequence[str], count: int) -> Floats:
    """Turns as 0 and 1 at 50 Hz (frames, labels)."""
    result = np.zeros((count, len(labels)), dtype=np.float32)
    column = {label: i for i, label in enumerate(labels)}
    for turn in turns:
        result[round(turn.start * FRAME_RATE) : round(turn.end * FRAME_RATE), column[turn.speaker]] = 1.0
    return result


def turns_of(active: Floats, labels: Sequence[str]) -> tuple[Turn, ...]:
    """The turns of an activity (frames, labels), by start."""
    turns = []
    for column, label in enumerate(labels):
        edges = np.diff(np.concatenate([[0.0], active[:, column], [0.0]]))
        for start, end in zip(np.flatnonzero(edges > 0), np.flatnonzero(edges < 0), strict=True):
            turns.append(Turn(start=float(start) / FRAME_RATE, end=float(end) / FRAME_RATE, speaker=label))
    return tuple(sorted(turns, key=lambda t: (t.start, t.end, t.speaker)))


def _cells(active: Floats) -> Floats:
    """Activity at 50 Hz (frames, labels) as a share of each cell (cells, labels)."""
    result: Floats = active.reshape(-1, CELL_FRAMES, active.shape[1]).mean(axis=1)
    return result


def _similarity(
    features: VoiceFeatures, speech: Floats, voices: Floats, network: CamPlusPlus
) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """Likeness of each one-second piece to each voice (pieces, voices), and which pieces hold speech enough."""
    cells = len(features.frames)
    weights = speech * features.frames
    starts = np.arange(0, cells, HOP)
    firsts = starts + HOP // 2 - WINDOW // 2
    similar = np.zeros((len(starts), len(voices)), dtype=np.float32)
    heard = np.zeros(len(starts), dtype=np.bool_)
    for begin in range(0, len(starts), BLOCK):
        rows = firsts[begin : begin + BLOCK, None] + np.arange(WINDOW)
        inside = (rows >= 0) & (rows < cells)
        rows = np.clip(rows, 0, cells - 1)
        given = weights[rows] * inside
        total = given.sum(axis=1)
        sums = np.einsum("rc,rcd->rd", given, features.mean[rows].astype(np.float32))
        squares = np.einsum("rc,rcd->rd", given, features.square[rows].astype(np.float32))
        enough = total >= MIN_SPEECH
        block = slice(begin, begin + len(rows))
        heard[block] = enough
        similar[block][enough] = embed(network, total[enough], sums[enough], squares[enough]) @ voices.T
    return similar, heard
