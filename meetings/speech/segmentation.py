"""Who is active in ten seconds of sound, for every ten seconds: what pyannote's segmentation says, as plain data.

The network's windows overlap, and each knows at most three local speakers, in no order that another window shares.
This module holds the probabilities and answers what can be answered without knowing voices: where somebody speaks,
how many at once, and where pauses are. Both recognition and diarization stand on it: one voice-activity pass for both.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt

from meetings.speech.audio import SAMPLE_RATE
from meetings.speech.chunks import Region
from meetings.store import private_file

Floats = npt.NDArray[np.float32]

WINDOW = 10.0  # seconds; what the network was trained on
WINDOW_FRAMES = 589
FRAME_SAMPLES = 270  # samples between the network's frames (its strides multiplied: 10 * 3 * 3 * 3)
FRAME = FRAME_SAMPLES / SAMPLE_RATE  # seconds
FIRST_FRAME = 991 / 2 / SAMPLE_RATE  # seconds to the middle of the first frame's receptive field
# Frames between windows: 2.5 s, a multiple of the network's strides. At 1 s (pyannote's default) the work is 2.5 times
# as much for a little less DER: 0.056, 0.060, 0.060 against 0.064, 0.062, 0.060 (ES2014b, IS1006b, sample call; with
# votes of the windows and the second look, before probabilities were used).
STEP_FRAMES = 148
# Classes of the powerset (Plaquet & Bredin 2023, arXiv 2310.13025): nobody, each of three, each pair of three.
CLASSES = 7
BLOCK = 256  # windows made real numbers at a time
SPEAKERS = 3
MEMBERS: Floats = np.array(
    [[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 0], [1, 0, 1], [0, 1, 1]], dtype=np.float32
)
# A frame holds speech if the windows over it say so with this mean probability, and two voices from the second one on.
# pyannote asks 0.5 for both. A second voice is missed far more often than invented, on real meetings above all: DER
# on ami-excerpts trn 0.249 with (0.5, 0.4), 0.235 with these and all else as shipped.
SPEECH = 0.52
OVERLAP = 0.18
# For recognition a lost word is worse than a second of silence: speech is wider there.
REGION_SPEECH = 0.3
REGION_PAD = 0.16  # seconds on each side
REGION_GAP = 0.3  # shorter pauses do not part regions


@dataclass(frozen=True, slots=True, kw_only=True)
class Segmentation:
    """Probabilities of the seven classes in every window, as 255ths: uint8 (windows, 589, 7); `duration` in seconds."""

    scores: npt.NDArray[np.uint8]
    duration: float

    def speakers(self) -> Floats:
        """The probability of each local speaker being active: (windows, 589, 3)."""
        found = np.empty((*self.scores.shape[:2], SPEAKERS), dtype=np.float32)
        for part in self._blocks():
            found[part] = self._probabilities(part) @ MEMBERS
        return found

    def decided(self) -> Floats:
        """The likeliest class of each frame as activity of the local speakers, 0 or 1: (windows, 589, 3)."""
        result: Floats = MEMBERS[self.scores.argmax(axis=2)]
        return result

    def speech(self) -> Floats:
        """The mean probability over the windows that somebody speaks, that two do: (frames, 2)."""
        found = np.empty((*self.scores.shape[:2], 2), dtype=np.float32)
        for part in self._blocks():
            probabilities = self._probabilities(part)
            found[part, :, 0] = 1.0 - probabilities[..., 0]
            found[part, :, 1] = probabilities[..., 1 + SPEAKERS :].sum(axis=2)
        return stitch(found)

    def _blocks(self) -> list[slice]:
        """Windows a few hundred at a time: three hours of them as real numbers would be 70 MB each time."""
        return [slice(first, first + BLOCK) for first in range(0, len(self.scores), BLOCK)]

    def _probabilities(self, part: slice) -> Floats:
        """Of the classes in some windows, each frame's sum is 1."""
        scores = self.scores[part].astype(np.float32)
        scores /= np.maximum(scores.sum(axis=2, keepdims=True), 1.0)
        return scores

    def count(self) -> npt.NDArray[np.uint8]:
        """How many speak at once, 0 to 2, for each frame."""
        speech = self.speech()
        somebody = speech[:, 0] > SPEECH
        return somebody.astype(np.uint8) + (somebody & (speech[:, 1] > OVERLAP)).astype(np.uint8)


def save_segmentation(segmentation: Segmentation, path: Path) -> None:
    """Write to a file that `load_segmentation` reads; three hours are a few MB."""
    with private_file(path).open("wb") as file:
        np.savez_compressed(file, scores=segmentation.scores, duration=np.float64(segmentation.duration))


def load_segmentation(path: Path) -> Segmentation:
    """Read what `save_segmentation` wrote."""
    with np.load(path, allow_pickle=False) as data:
        return Segmentation(scores=data["scores"], duration=float(data["duration"]))


def window_count(samples: int) -> int:
    """How many windows cover so many samples; the last one may reach beyond them."""
    window, step = round(WINDOW * SAMPLE_RATE), STEP_FRAMES * FRAME_SAMPLES
    return 1 + max(0, -(-(samples - window) // step))


def stitch(values: Floats) -> Floats:
    """Values of overlapping windows (windows, 589, columns) as the mean for each frame (frames, columns)."""
    windows, length, columns = values.shape
    total = np.zeros(((windows - 1) * STEP_FRAMES + length, columns), dtype=np.float32)
    seen = np.zeros((len(total), 1), dtype=np.float32)
    for index in range(windows):
        start = index * STEP_FRAMES
        total[start : start + length] += values[index]
        seen[start : start + length] += 1.0
    total /= seen
    return total


def speech_regions(segmentation: Segmentation) -> tuple[Region, ...]:
    """Where the recogniser should listen, in order, apart by pauses; generous at the edges."""
    speech = segmentation.speech()[:, 0] > REGION_SPEECH
    regions: list[Region] = []
    for first, last in runs(speech):
        start = max(0.0, first * FRAME + FIRST_FRAME - REGION_PAD)
        end = min(segmentation.duration, last * FRAME + FIRST_FRAME + REGION_PAD)
        if regions and start - regions[-1].end < REGION_GAP:
            regions[-1] = Region(start=regions[-1].start, end=max(end, regions[-1].end))
        elif end > start:
            regions.append(Region(start=start, end=end))
    return tuple(regions)


def phrase_ends(segmentation: Segmentation) -> tuple[float, ...]:
    """Seconds at which somebody stops and nobody else speaks: where a window may best end."""
    speech = segmentation.count() > 0
    return tuple(min(segmentation.duration, last * FRAME + FIRST_FRAME) for _, last in runs(speech))


def runs(mask: npt.NDArray[np.bool_]) -> list[tuple[int, int]]:
    """The stretches of True as (first, one after the last)."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], mask.astype(np.int8), [0]])))
    return [(int(a), int(b)) for a, b in pairwise(edges)][::2]
