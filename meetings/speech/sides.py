"""One voice a side: where left and right carry different people, the sides tell who speaks.

Telephone recorders and two-track captures put each party on a channel of its own. A diarization of the mix is then put
right: speech on the left and speech on the right are never the same speaker, and where both talk at once, each gets a
turn. Only levels are looked at, in frames of 20 ms; sound that crosses from one side to the other (an echo, a leaking
cable) is known by being weaker by a steady amount.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from meetings.speech.audio import SAMPLE_RATE, audio_blocks

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from meetings.speech.diarization import Diarization, Turn

    Mask = npt.NDArray[np.bool_]
    Levels = npt.NDArray[np.float32]

STEP = 0.02  # seconds a frame
FRAME = round(STEP * SAMPLE_RATE)
SILENT = -100.0  # dB of full scale, instead of minus infinity
# When two channels are two sides.
RANGE = 25.0  # dB below the loud frames: what is weaker says nothing about the channels
DOMINANT = 9.0  # dB by which one side is louder when it alone speaks; crosstalk is weaker than that
SHARED = 0.2  # share of frames at most in which both carry the same at like strength
MIN_SIDE, MIN_SHARE = 3.0, 0.02  # seconds, and share of the talk, that each side has to itself
# When somebody speaks on a side.
SPOKEN = 22.0  # dB below the loud frames of the side's own speech
ABOVE_NOISE = 8.0
ABOVE_CROSSTALK = 6.0
ECHO = 0.3  # seconds for which the other side's loudness is remembered
PAUSE, SHORTEST = 0.4, 0.2  # seconds: shorter pauses are bridged, shorter sounds are dropped
# Which labels live on which side.
AT_HOME = 0.8  # share of a label's time on one side that makes it that side's alone
MIN_PART = 2.0  # seconds on the other side below which it is taken for an error

Channels = Literal["same", "opposite", "apart"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sides:
    """Levels of left and right in dB of full scale, for each frame of `STEP` seconds; their correlation in [-1, 1]."""

    left: Levels
    right: Levels
    correlation: Levels

    @property
    def channels(self) -> Channels:
        """Whether the channels carry different people, or the same sound, perhaps upside down.

        A room in stereo counts as the same sound: there everybody is heard on both.
        """
        import numpy as np

        loudest = np.maximum(self.left, self.right)
        if not len(loudest):
            return "same"
        talk = loudest > max(float(np.quantile(loudest, 0.95)) - RANGE, SILENT + 10)
        total = int(talk.sum())
        if total * STEP < 1.0:
            return "same"
        difference, alike = (self.left - self.right)[talk], self.correlation[talk]
        if float(np.median(alike)) < -0.8:
            return "opposite"
        shared = float(((np.abs(difference) < DOMINANT) & (alike > 0.5)).mean())
        alone = min(int((difference > DOMINANT).sum()), int((difference < -DOMINANT).sum()))
        return "apart" if shared <= SHARED and alone * STEP >= MIN_SIDE and alone >= MIN_SHARE * total else "same"


def read_sides(path: Path) -> Sides:
    """The levels of a two-channel WAV, a minute in memory at a time.

    Raises:
        RecordingError: it is not a 16 kHz two-channel 16-bit WAV.
    """
    import numpy as np

    parts = []
    for block in audio_blocks(path, channels=2):
        frames = block[: len(block) // FRAME * FRAME].reshape(-1, FRAME, 2).astype(np.float32) / np.float32(32768)
        frames -= frames.mean(axis=1, keepdims=True)
        power = (frames**2).mean(axis=1)
        product = (frames[:, :, 0] * frames[:, :, 1]).mean(axis=1)
        level = 10 * np.log10(np.maximum(power, 10 ** (SILENT / 10)))
        alike = product / np.sqrt(np.maximum(power[:, 0] * power[:, 1], 1e-20))
        parts.append(np.column_stack([level, alike]).astype(np.float32))
    whole = np.concatenate(parts) if parts else np.zeros((0, 3), dtype=np.float32)
    return Sides(left=whole[:, 0], right=whole[:, 1], correlation=whole[:, 2])


def speaking(sides: Sides) -> tuple[Mask, Mask]:
    """In which frames somebody speaks on the left, and on the right."""
    left, right = _smooth(sides.left), _smooth(sides.right)
    return _talks(left, right), _talks(right, left)


def split_by_side(diarization: Diarization, sides: Sides) -> Diarization:
    """A diarization of the mix, put right by the sides.

    A label that is heard on both sides becomes two. Where a side speaks, its own labels speak: the one that the
    diarization has there, else the nearest of that side. Where neither side is loud enough to tell, the diarization
    stands. The voice of a label that was two people is dropped.
    """
    import numpy as np

    count = len(sides.left)
    if not diarization.turns or not count:
        return diarization
    talks = speaking(sides)
    before = {label: _mask(turns, count) for label, turns in _by_label(diarization.turns).items()}
    names = _homes(before, talks)
    spoken = np.zeros(count, dtype=bool)
    for mask in before.values():
        spoken |= mask
    after: dict[str, Mask] = {}
    for side in (0, 1):
        for label, mask in _on_side(side, before, names, talks[side] & spoken).items():
            after[label] = after.get(label, np.zeros(count, dtype=bool)) | mask
    quiet = spoken & ~talks[0] & ~talks[1]
    nearest_side = _nearest_side(talks)
    for label, mask in before.items():
        for side in (0, 1):
            here = mask & quiet & (nearest_side == side)
            name = names[side].get(label) or names[1 - side].get(label)
            if name is not None and here.any():
                after[name] = after.get(name, np.zeros(count, dtype=bool)) | here
    turns = _turns(after)
    homes = {name: side for side in (0, 1) for name in names[side].values()}
    exclusive = _turns(_one_at_a_time(after, homes, sides, diarization.exclusive))
    whole = {label for label in before if (label in names[0]) != (label in names[1])}
    voices = tuple(v for v in diarization.voices if v.speaker in whole and v.speaker in after)
    return replace(diarization, turns=turns, exclusive=exclusive, voices=voices)


def _smooth(levels: Levels) -> Levels:
    """Power over a tenth of a second."""
    import numpy as np
    from scipy.ndimage import uniform_filter1d

    power = uniform_filter1d(10 ** (levels.astype(np.float64) / 10), 5)
    return np.asarray(10 * np.log10(np.maximum(power, 10 ** (SILENT / 10))), dtype=np.float32)


def _talks(own: Levels, other: Levels) -> Mask:
    import numpy as np
    from scipy.ndimage import binary_closing, binary_opening, maximum_filter1d

    size = round(ECHO / STEP)
    # The loudest of the last moments: `origin` moves the window into the past.
    recent = maximum_filter1d(other, size, origin=size // 2 - 2)
    alone = own > other
    if not alone.any():
        return np.zeros(len(own), dtype=bool)
    level = float(np.quantile(own[alone], 0.95))
    noise = float(np.quantile(own, 0.1))
    threshold = np.full(len(own), max(noise + ABOVE_NOISE, level - SPOKEN), dtype=np.float32)
    others = other > np.quantile(other, 0.95) - SPOKEN
    listening = others & ~alone
    if listening.any():
        gap = (own - recent)[listening]
        usual = float(np.median(gap))
        spread = 1.4826 * float(np.median(np.abs(gap - usual)))
        # Somebody heard only while the other side speaks is no crosstalk, however often it happens.
        margin = min(min(usual, -DOMINANT) + max(ABOVE_CROSSTALK, 2 * spread), -3.0)
        threshold = np.maximum(threshold, recent + margin)
    talks = own > threshold
    padded = np.pad(talks, round(PAUSE / STEP))
    closed = binary_closing(padded, np.ones(round(PAUSE / STEP)))
    closed = closed[round(PAUSE / STEP) : len(closed) - round(PAUSE / STEP)]
    return np.asarray(binary_opening(closed, np.ones(round(SHORTEST / STEP))), dtype=bool)


def _by_label(turns: Iterable[Turn]) -> dict[str, list[Turn]]:
    result: dict[str, list[Turn]] = {}
    for turn in turns:
        result.setdefault(turn.speaker, []).append(turn)
    return result


def _mask(turns: Iterable[Turn], count: int) -> Mask:
    import numpy as np

    mask = np.zeros(count, dtype=bool)
    for turn in turns:
        mask[round(turn.start / STEP) : round(turn.end / STEP)] = True
    return mask


def _homes(labels: dict[str, Mask], talks: tuple[Mask, Mask]) -> tuple[dict[str, str], dict[str, str]]:
    """For each side the labels that live there, by what they are called there."""
    names: tuple[dict[str, str], dict[str, str]] = ({}, {})
    taken = set(labels)
    for label, mask in labels.items():
        alone = [int((mask & talks[side] & ~talks[1 - side]).sum()) for side in (0, 1)]
        home = 0 if alone[0] >= alone[1] else 1
        names[home][label] = label
        if alone[1 - home] > (1 - AT_HOME) * sum(alone) and alone[1 - home] * STEP >= MIN_PART:
            names[1 - home][label] = _free(taken)
    for side in (0, 1):
        # Somebody whom the diarization never had, heard only while others speak.
        if not names[side] and talks[side].any():
            names[side][""] = _free(taken)
    return names


def _free(taken: set[str]) -> str:
    number = next(n for n in range(len(taken) + 1) if f"SPEAKER_{n:02d}" not in taken)
    taken.add(f"SPEAKER_{number:02d}")
    return f"SPEAKER_{number:02d}"


def _on_side(
    side: int, labels: dict[str, Mask], names: tuple[dict[str, str], dict[str, str]], talks: Mask
) -> dict[str, Mask]:
    """Who speaks on a side: its labels where they are active, else the nearest of them."""
    import numpy as np

    own = names[side]
    if not own:
        return {}
    found: dict[str, Mask] = {}
    # Labels of this side alone may speak together. Of those that are heard on both, the diarization often has two where
    # two sides speak: one for each.
    shared = np.zeros(len(talks), dtype=bool)
    for label in sorted(own, key=lambda label: label in names[1 - side]):
        mask = labels.get(label, np.zeros(len(talks), dtype=bool)) & talks
        if label in names[1 - side]:
            mask &= ~shared
        found[own[label]] = mask
        shared |= mask
    order = list(found)
    known = np.zeros(len(talks), dtype=bool)
    speaker = np.zeros(len(talks), dtype=np.int16)
    for number, name in enumerate(order):
        known |= found[name]
        speaker[found[name]] = number
    open_frames = np.flatnonzero(talks & ~known)
    if len(open_frames):
        nearest = _nearest(known, open_frames)
        for number, name in enumerate(order):
            found[name][open_frames[speaker[nearest] == number]] = True
    return found


def _nearest(known: Mask, frames: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """For each frame the nearest one that is known; 0 if none is."""
    import numpy as np

    at = np.flatnonzero(known)
    if not len(at):
        return np.zeros(len(frames), dtype=np.int64)
    after = np.clip(np.searchsorted(at, frames), 0, len(at) - 1)
    before = np.maximum(after - 1, 0)
    nearer = np.abs(at[before] - frames) <= np.abs(at[after] - frames)
    return np.asarray(np.where(nearer, at[before], at[after]), dtype=np.int64)


def _nearest_side(talks: tuple[Mask, Mask]) -> npt.NDArray[np.int64]:
    """For each frame the side that speaks nearest to it."""
    import numpy as np

    nearest = _nearest(talks[0] | talks[1], np.arange(len(talks[0])))
    return np.where(talks[0][nearest], 0, 1)


def _one_at_a_time(
    masks: dict[str, Mask], homes: dict[str, int], sides: Sides, before: Iterable[Turn]
) -> dict[str, Mask]:
    """Of those who speak at once, the one whose side is louder against its own usual level."""
    import numpy as np
    from scipy.ndimage import uniform_filter1d

    count = len(sides.left)
    scores: dict[str, npt.NDArray[np.float32]] = {}
    levels = [uniform_filter1d(level, round(0.5 / STEP)) for level in (sides.left, sides.right)]
    usual = [float(np.quantile(level, 0.95)) for level in levels]
    earlier = {label: _mask(turns, count) for label, turns in _by_label(before).items()}
    for label, mask in masks.items():
        side = homes[label]
        # Two on one side are equally loud: there the diarization's choice stands.
        chosen = earlier.get(label, np.zeros(count, dtype=bool))
        scores[label] = np.where(mask, levels[side] - usual[side] + 0.1 * chosen, -np.inf).astype(np.float32)
    order = list(masks)
    winner = np.argmax(np.stack([scores[label] for label in order]), axis=0)
    return {label: masks[label] & (winner == number) for number, label in enumerate(order)}


def _turns(masks: dict[str, Mask]) -> tuple[Turn, ...]:
    import numpy as np

    from meetings.speech.diarization import Turn

    turns = []
    for label, mask in masks.items():
        edges = np.flatnonzero(np.diff(np.concatenate([[0], mask.astype(np.int8), [0]])))
        turns += [
            Turn(start=round(float(a) * STEP, 3), end=round(float(b) * STEP, 3), speaker=label)
            for a, b in zip(edges[::2], edges[1::2], strict=True)
        ]
    return tuple(sorted(turns, key=lambda t: (t.start, t.end, t.speaker)))
