"""Where left and right carry different people, the sides decide who speaks; crosstalk does not."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from meetings.speech import Diarization, Turn, Voice, read_sides, split_by_side
from meetings.speech.sides import STEP, Sides, speaking
from tests.sounds import RATE, write_wav

Spans = list[tuple[float, float]]
LENGTH = 40.0
# Left and right in turn; they talk at once from 18 to 20 s.
LEFT: Spans = [(1, 6), (12, 20), (30, 34)]
RIGHT: Spans = [(7, 11), (18, 26), (35, 39)]


def babble(spans: Spans, *, seed: int, level: float = -22) -> np.ndarray:
    """Noise with the syllables and pauses of speech, at these times (seconds)."""
    rng = np.random.default_rng(seed)
    sound = np.zeros(round(LENGTH * RATE))
    for start, end in spans:
        count = round((end - start) * RATE)
        t = np.arange(count) / RATE
        syllables = 0.15 + np.abs(np.sin(2 * np.pi * 2.1 * t + seed))
        sound[round(start * RATE) : round(start * RATE) + count] = rng.standard_normal(count) * syllables
    return sound * 10 ** (level / 20)


def stereo(tmp_path: Path, left: np.ndarray, right: np.ndarray, *, echo: float | None = None) -> Sides:
    """Both sides with a little noise; `echo` dB of each come through on the other a tenth of a second later."""
    if echo is not None:
        delay, gain = RATE // 10, 10 ** (echo / 20)
        left, right = (
            left + gain * np.concatenate([np.zeros(delay), right[:-delay]]),
            right + gain * np.concatenate([np.zeros(delay), left[:-delay]]),
        )
    noise = np.random.default_rng(9).standard_normal((len(left), 2)) * 10 ** (-65 / 20)
    return read_sides(write_wav(tmp_path / "sides.wav", np.column_stack([left, right]) + noise))


def diarization(*turns: tuple[float, float, str]) -> Diarization:
    made = tuple(Turn(start=a, end=b, speaker=s) for a, b, s in turns)
    voices = tuple(Voice(speaker=s, embedding=(1.0,), seconds=1.0) for s in sorted({t[2] for t in turns}))
    return Diarization(turns=made, exclusive=made, voices=voices)


def spans(turns: tuple[Turn, ...], speaker: str) -> Spans:
    return [(t.start, t.end) for t in turns if t.speaker == speaker]


def near(expected: Spans) -> list[object]:
    return [pytest.approx(span, abs=0.3) for span in expected]


# Whether there are sides


def test_different_people_on_left_and_right_are_sides(tmp_path: Path) -> None:
    assert stereo(tmp_path, babble(LEFT, seed=1), babble(RIGHT, seed=2)).channels == "apart"
    assert stereo(tmp_path, babble(LEFT, seed=1), babble(RIGHT, seed=2), echo=-15).channels == "apart"


def test_a_mono_signal_twice_is_no_sides(tmp_path: Path) -> None:
    both = babble(LEFT + RIGHT, seed=1)
    assert stereo(tmp_path, both, both).channels == "same"
    assert stereo(tmp_path, both, 0.2 * both).channels == "same"


def test_a_room_in_stereo_is_no_sides(tmp_path: Path) -> None:
    one, other = babble(LEFT, seed=1), babble(RIGHT, seed=2)
    assert stereo(tmp_path, one + 0.5 * other, 0.5 * one + other).channels == "same"


def test_a_silent_side_is_no_side(tmp_path: Path) -> None:
    assert stereo(tmp_path, babble(LEFT + RIGHT, seed=1), np.zeros(round(LENGTH * RATE))).channels == "same"


def test_a_side_that_only_clicks_once_is_no_side(tmp_path: Path) -> None:
    click = babble([(10, 10.5)], seed=3)
    assert stereo(tmp_path, babble(LEFT + RIGHT, seed=1), click).channels == "same"


def test_a_channel_that_is_upside_down_is_seen(tmp_path: Path) -> None:
    both = babble(LEFT + RIGHT, seed=1)
    assert stereo(tmp_path, both, -both).channels == "opposite"


def test_silence_is_no_sides(tmp_path: Path) -> None:
    silent = np.zeros(round(LENGTH * RATE))
    assert stereo(tmp_path, silent, silent).channels == "same"


# Who speaks


@pytest.mark.parametrize("echo", [None, -25.0, -15.0, -12.0])
@pytest.mark.parametrize("right_level", [-22.0, -30.0])
def test_each_side_speaks_when_it_does_and_an_echo_does_not(
    tmp_path: Path, echo: float | None, right_level: float
) -> None:
    sides = stereo(tmp_path, babble(LEFT, seed=1), babble(RIGHT, seed=2, level=right_level), echo=echo)
    for talks, true in zip(speaking(sides), (LEFT, RIGHT), strict=True):
        truth = np.zeros(len(talks), dtype=bool)
        for start, end in true:
            truth[round(start / STEP) : round(end / STEP)] = True
        assert (talks & ~truth).sum() * STEP < 1.0
        assert (truth & ~talks).sum() * STEP < (2.5 if echo else 1.5)


# What becomes of a diarization


def test_one_label_on_both_sides_becomes_two_and_its_voice_is_dropped(tmp_path: Path) -> None:
    sides = stereo(tmp_path, babble(LEFT, seed=1), babble(RIGHT, seed=2), echo=-15)
    before = diarization(*((a, b, "SPEAKER_00") for a, b in [(1, 6), (7, 11), (12, 26), (30, 34), (35, 39)]))
    after = split_by_side(before, sides)
    assert spans(after.turns, "SPEAKER_00") == near(LEFT)
    assert spans(after.turns, "SPEAKER_01") == near(RIGHT)
    assert after.voices == ()


def test_talk_at_once_gives_each_side_its_turn_and_one_of_them_the_floor(tmp_path: Path) -> None:
    sides = stereo(tmp_path, babble(LEFT, seed=1), babble(RIGHT, seed=2))
    # The mix showed one voice where there were two.
    before = diarization((1, 6, "A"), (7, 11, "B"), (12, 20, "A"), (20, 26, "B"), (30, 34, "A"), (35, 39, "B"))
    after = split_by_side(before, sides)
    assert spans(after.turns, "A") == near(LEFT)
    assert spans(after.turns, "B") == near(RIGHT)
    ordered = sorted(after.exclusive, key=lambda t: t.start)
    assert all(a.end <= b.start for a, b in pairwise(ordered))
    assert {v.speaker for v in after.voices} == {"A", "B"}


def test_a_turn_under_the_label_of_the_other_side_is_put_right(tmp_path: Path) -> None:
    sides = stereo(tmp_path, babble(LEFT, seed=1), babble(RIGHT, seed=2))
    before = diarization(
        (1, 6, "A"), (7, 8.5, "A"), (8.5, 11, "B"), (12, 20, "A"), (20, 26, "B"), (30, 34, "A"), (35, 39, "B")
    )
    after = split_by_side(before, sides)
    assert spans(after.turns, "A") == near(LEFT)
    assert spans(after.turns, "B") == near(RIGHT)


def test_two_people_on_one_side_stay_two(tmp_path: Path) -> None:
    sides = stereo(tmp_path, babble(LEFT, seed=1), babble(RIGHT, seed=2))
    before = diarization((1, 6, "A"), (7, 11, "B"), (12, 18, "C"), (18, 26, "B"), (30, 34, "A"), (35, 39, "B"))
    after = split_by_side(before, sides)
    assert spans(after.turns, "A") == near([(1, 6), (30, 34)])
    assert spans(after.turns, "B") == near(RIGHT)
    assert spans(after.turns, "C")[0] == pytest.approx((12, 20), abs=0.3)


def test_two_labels_where_two_sides_speak_are_one_for_each(tmp_path: Path) -> None:
    # Both labels are heard on both sides: the diarization of one voice against itself.
    sides = stereo(tmp_path, babble(LEFT, seed=1), babble(RIGHT, seed=2))
    before = diarization(
        *((a, b, "A") for a, b in LEFT + RIGHT), (3, 6, "B"), (8, 11, "B"), (18, 20, "B"), (22, 26, "B")
    )
    after = split_by_side(before, sides)
    for label in {t.speaker for t in after.turns}:
        mine = spans(after.turns, label)
        assert all(any(a - 0.3 <= start and end <= b + 0.3 for a, b in LEFT) for start, end in mine) or all(
            any(a - 0.3 <= start and end <= b + 0.3 for a, b in RIGHT) for start, end in mine
        )
    together = [t for t in after.turns if min(t.end, 19.8) - max(t.start, 18.3) > 1]
    assert len(together) == 2


def test_noise_on_a_side_while_nobody_speaks_is_no_turn(tmp_path: Path) -> None:
    sides = stereo(tmp_path, babble([*LEFT, (27, 29)], seed=1), babble(RIGHT, seed=2))
    before = diarization((1, 6, "A"), (7, 11, "B"), (12, 20, "A"), (18, 26, "B"), (30, 34, "A"), (35, 39, "B"))
    after = split_by_side(before, sides)
    assert not [t for t in after.turns if t.start < 28.5 and t.end > 27.5]


def test_somebody_heard_only_while_others_speak_gets_a_label(tmp_path: Path) -> None:
    sides = stereo(tmp_path, babble([(1, 30)], seed=1), babble([(10, 14)], seed=2))
    after = split_by_side(diarization((1, 30, "SPEAKER_00")), sides)
    assert spans(after.turns, "SPEAKER_00") == near([(1, 30)])
    assert spans(after.turns, "SPEAKER_01") == near([(10, 14)])


def test_without_turns_there_is_nothing_to_split(tmp_path: Path) -> None:
    sides = stereo(tmp_path, babble(LEFT, seed=1), babble(RIGHT, seed=2))
    empty = Diarization(turns=(), exclusive=())
    assert split_by_side(empty, sides) == empty
