"""Two clocks made one: how the transcript of Calls runs beside the recording.

Its times start where the recording starts, give or take some seconds, and may drift a little. The shift is the one at
which accounts tell most about voices, and words fall on the same words. Where two shifts would do as well (two people
who take turns like clockwork) there is no answer: the wrong one would give each the other's name.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from meetings.conversation import Utterance

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

STEP = 0.2  # seconds of one frame
MAX_SHIFT = 20.0  # seconds
LIKELY_SHIFT = 2.0  # seconds of shift that cost one nat
ENOUGH = 8.0  # nats by which the best shift must stand above what shifts tell by chance
APART = 2.0  # seconds from which on another shift is another answer
ALIKE = 0.8  # of what the best shift tells; a second one that tells as much makes both worthless
FEW_WORDS = 3  # unless so many more words fall on themselves
FEW_CUES = 8  # fewer than this fit somewhere by chance
WORD = 1.0  # nats of a word that falls on itself
WINDOW = 180.0  # seconds in which the shift is looked for again, to see the clocks drift
MAX_DRIFT = 2e-3


@dataclass(frozen=True, slots=True, kw_only=True)
class CallsCue:
    """A cue of the transcript that Calls made: whose track, when (seconds), what."""

    name: str
    start: float
    end: float
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """How the transcript's clock runs beside ours: ours = cue + `shift` + `drift` × cue."""

    shift: float = 0.0
    drift: float = 0.0

    def ours(self, time: float) -> float:
        """A time of the transcript on our clock."""
        return time + self.shift + self.drift * time


def text_matches(utterances: Sequence[Utterance], cues: Sequence[CallsCue]) -> tuple[float, ...]:
    """By how much (seconds) our clock is ahead at each word that both heard, words heard often left out."""
    ours: defaultdict[str, list[float]] = defaultdict(list)
    theirs: defaultdict[str, list[float]] = defaultdict(list)
    for u in utterances:
        for word, time in _word_times(u.text, u.start, u.end):
            ours[word].append(time)
    for cue in cues:
        for word, time in _word_times(cue.text, cue.start, cue.end):
            theirs[word].append(time)
    return tuple(
        found
        for word, times in theirs.items()
        if len(times) <= 3 and len(word) > 3
        for time in times
        if len(near := [o - time for o in ours[word] if abs(o - time) <= MAX_SHIFT]) == 1
        for found in near
    )


def _word_times(text: str, start: float, end: float) -> list[tuple[str, float]]:
    words = ["".join(c for c in w.casefold() if c.isalnum()) for w in text.split()]
    return [(w, start + (end - start) * (i + 0.5) / len(words)) for i, w in enumerate(words) if w]


def estimate_clock(
    ours: Sequence[tuple[str, float, float]],
    theirs: Sequence[tuple[str, float, float]],
    matches: Sequence[float] = (),
) -> Clock | None:
    """The shift and drift at which knowing the account tells most about the voice (mutual information).

    Args:
        ours: (voice, start, end).
        theirs: (account, start, end) on the transcript's clock.
        matches: shifts that words tell (`text_matches`).

    Returns:
        No clock where no shift fits better than chance, or two fit alike.
    """
    import numpy as np

    if not ours or not theirs:
        return None
    length = max(e for _, _, e in [*ours, *theirs])
    _, voice_grid = activity_grid(ours, length, STEP)
    _, account_grid = activity_grid(theirs, length, STEP)
    voices, accounts = _states(voice_grid), _states(account_grid)
    reach = min(round(MAX_SHIFT / STEP), voices.shape[1] // 2)
    lags = np.arange(-reach, reach + 1)
    shifts = lags * STEP
    told = np.array([_information(voices, accounts, int(lag)) for lag in lags])
    # Words are timed within a second, one by one; a few that agree are as good as many.
    words = np.minimum(30, [sum(1 for m in matches if abs(m - s) <= 0.75) for s in shifts])
    score = told * (length - np.abs(shifts)) + WORD * words - np.abs(shifts) / LIKELY_SHIFT
    best = int(score.argmax())
    alike = (told >= ALIKE * told[best]) & (words > words[best] - FEW_WORDS) & (np.abs(shifts - shifts[best]) > APART)
    by_chance = len(theirs) < FEW_CUES and words[best] < FEW_WORDS
    if by_chance or score[best] - np.median(score) < ENOUGH:
        return None
    mine = _reading(voices, accounts, int(lags[best]))
    if any(_reading(voices, accounts, int(lag)) != mine for lag in lags[alike]):
        return None
    return _drift(voices, accounts, int(lags[best])) or Clock(shift=float(shifts[best]))


def _drift(voices: npt.NDArray[np.float32], accounts: npt.NDArray[np.float32], lag: int) -> Clock | None:
    """Shift and drift from the shifts that fit best in windows along the recording; None if they do not drift."""
    import numpy as np
    from scipy.stats import theilslopes

    frames = accounts.shape[1]
    size, reach = round(WINDOW / STEP), round(4.0 / STEP)
    middles, found = [], []
    for start in range(0, frames - size + 1, size // 2):
        theirs = accounts[:, start : start + size]
        near = [
            n for n in range(lag - reach, lag + reach + 1) if start + n >= 0 and start + n + size <= voices.shape[1]
        ]
        if len(near) <= reach:
            continue
        told = np.array([_joint_information(voices[:, start + n : start + n + size], theirs) for n in near])
        # The middle of what fits nearly as well: cues are coarse, so the top is flat.
        good = np.flatnonzero(told >= told.max() - 0.05 * (told.max() - told.min()))
        middles.append((start + size / 2) * STEP)
        found.append(float(np.mean([near[int(g)] for g in good])) * STEP)
    if len(found) < 3:
        return None
    slope, start_shift, low, high = theilslopes(found, middles, alpha=0.9)
    # Less than half a second over the whole recording is no matter.
    if low <= 0.0 <= high or abs(slope) > MAX_DRIFT or abs(slope) * frames * STEP < 0.5:
        return None
    return Clock(shift=float(start_shift), drift=float(slope))


def activity_grid(
    spans: Sequence[tuple[str, float, float]], length: float, step: float
) -> tuple[list[str], npt.NDArray[np.float32]]:
    """Who is heard in which frame: names, and 0 or 1 (names, frames)."""
    import numpy as np

    names = sorted({n for n, _, _ in spans})
    row = {n: i for i, n in enumerate(names)}
    grid = np.zeros((len(names), max(1, math.ceil(length / step))), dtype=np.float32)
    for name, start, end in spans:
        grid[row[name], max(0, round(start / step)) : max(0, round(end / step))] = 1.0
    return names, grid


def _states(grid: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """A distribution in each frame: those who are heard share it, else nobody (the last row) has it."""
    import numpy as np

    heard = grid.sum(axis=0)
    nobody = (heard == 0).astype(np.float32)
    return np.vstack([grid / np.maximum(heard, 1.0), nobody[None]])


def _reading(voices: npt.NDArray[np.float32], accounts: npt.NDArray[np.float32], lag: int) -> tuple[int, ...]:
    """The voice that each account would be, with accounts moved `lag` frames later."""
    ours, theirs = _overlap(voices, accounts, lag)
    return tuple((ours[:-1] @ theirs[:-1].T).argmax(axis=0).tolist())


def _information(voices: npt.NDArray[np.float32], accounts: npt.NDArray[np.float32], lag: int) -> float:
    """What accounts tell of voices when they are moved `lag` frames later."""
    return _joint_information(*_overlap(voices, accounts, lag))


def _overlap(
    voices: npt.NDArray[np.float32], accounts: npt.NDArray[np.float32], lag: int
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """The frames that both have when accounts are moved `lag` frames later."""
    frames = min(voices.shape[1], accounts.shape[1])
    return voices[:, max(0, lag) : frames + min(0, lag)], accounts[:, max(0, -lag) : frames - max(0, lag)]


def _joint_information(ours: npt.NDArray[np.float32], theirs: npt.NDArray[np.float32]) -> float:
    """Mutual information, in nats, of the states (rows) over the same frames."""
    import numpy as np

    joint = (ours @ theirs.T).astype(np.float64)
    joint /= max(joint.sum(), 1e-9)
    expected = joint.sum(axis=1, keepdims=True) @ joint.sum(axis=0, keepdims=True)
    some = joint > 0
    return float((joint[some] * np.log(joint[some] / expected[some])).sum())
