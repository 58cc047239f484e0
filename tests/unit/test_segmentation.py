"""The segmentation as data: stitching windows, counting speakers, regions for the recogniser."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from meetings.speech.segmentation import (
    CLASSES,
    FIRST_FRAME,
    FRAME,
    FRAME_SAMPLES,
    REGION_GAP,
    STEP_FRAMES,
    WINDOW_FRAMES,
    Segmentation,
    load_segmentation,
    runs,
    save_segmentation,
    speech_regions,
    stitch,
    window_count,
)

NOBODY, FIRST, FIRST_AND_SECOND = 0, 1, 4


def segmentation(classes: np.ndarray) -> Segmentation:
    """Windows that are sure of one class in each frame of the recording (frames,)."""
    windows = 1 + -(-max(0, len(classes) - WINDOW_FRAMES) // STEP_FRAMES)
    length = (windows - 1) * STEP_FRAMES + WINDOW_FRAMES
    padded = np.pad(classes, (0, length - len(classes)))
    scores = np.zeros((windows, WINDOW_FRAMES, CLASSES), dtype=np.uint8)
    for index in range(windows):
        part = padded[index * STEP_FRAMES : index * STEP_FRAMES + WINDOW_FRAMES]
        scores[index, np.arange(WINDOW_FRAMES), part] = 255
    return Segmentation(scores=scores, duration=len(classes) * FRAME + 2 * FIRST_FRAME)


def frames(*stretches: tuple[int, int]) -> np.ndarray:
    """Classes of so many frames each."""
    return np.concatenate([np.full(length, kind, dtype=np.int64) for kind, length in stretches])


def test_stitching_gives_back_what_all_windows_agree_on() -> None:
    truth = np.arange(1000, dtype=np.float32)[:, None]
    windows = np.stack([truth[i * STEP_FRAMES : i * STEP_FRAMES + WINDOW_FRAMES] for i in range(3)])
    assert np.allclose(stitch(windows)[:, 0], truth[: 2 * STEP_FRAMES + WINDOW_FRAMES, 0])


def test_two_voices_at_once_are_counted_as_two() -> None:
    found = segmentation(frames((NOBODY, 100), (FIRST, 200), (FIRST_AND_SECOND, 100), (NOBODY, 400)))
    count = found.count()
    assert count[50] == 0
    assert count[200] == 1
    assert count[350] == 2
    assert count[500] == 0


def test_a_second_voice_needs_less_certainty_than_the_first() -> None:
    scores = np.zeros((1, WINDOW_FRAMES, CLASSES), dtype=np.uint8)
    scores[:, :, FIRST], scores[:, :, FIRST_AND_SECOND] = 180, 75
    assert set(Segmentation(scores=scores, duration=10.0).count()) == {2}
    scores[:, :, FIRST], scores[:, :, NOBODY], scores[:, :, FIRST_AND_SECOND] = 75, 180, 0
    assert set(Segmentation(scores=scores, duration=10.0).count()) == {0}


def test_regions_reach_beyond_speech_and_join_over_short_pauses() -> None:
    pause = int(0.4 / FRAME)
    found = segmentation(frames((NOBODY, 200), (FIRST, 100), (NOBODY, pause), (FIRST, 100), (NOBODY, 300)))
    (region,) = speech_regions(found)
    assert 200 * FRAME - 0.3 < region.start < 200 * FRAME
    assert (400 + pause) * FRAME < region.end < (400 + pause) * FRAME + 0.4


def test_where_nobody_speaks_there_is_no_region() -> None:
    assert speech_regions(segmentation(frames((NOBODY, 700)))) == ()


@given(
    st.lists(
        st.tuples(st.sampled_from([NOBODY, FIRST, FIRST_AND_SECOND]), st.integers(1, 200)), min_size=1, max_size=20
    )
)
def test_regions_hold_all_speech_in_order_and_apart(stretches: list[tuple[int, int]]) -> None:
    classes = frames(*stretches)
    found = segmentation(classes)
    regions = speech_regions(found)
    for one, other in pairwise(regions):
        assert other.start - one.end >= REGION_GAP - 1e-9
    assert all(0.0 <= r.start < r.end <= found.duration for r in regions)
    for frame in np.flatnonzero(classes):
        middle = frame * FRAME + FIRST_FRAME
        assert any(r.start <= middle <= r.end for r in regions)


@given(st.lists(st.booleans(), max_size=60))
def test_runs_are_the_stretches_of_true(values: list[bool]) -> None:
    mask = np.array(values, dtype=np.bool_)
    again = np.zeros_like(mask)
    for first, last in runs(mask):
        assert first < last
        assert not again[max(0, first - 1) : last].any()
        again[first:last] = True
    assert (again == mask).all()


@given(st.integers(0, 400 * 16_000))
def test_windows_cover_every_sample(samples: int) -> None:
    step = STEP_FRAMES * FRAME_SAMPLES
    last = (window_count(samples) - 1) * step
    assert last + 160_000 >= samples
    assert window_count(samples) == 1 or last - step + 160_000 < samples


def test_a_segmentation_survives_the_disk(tmp_path: Path) -> None:
    found = segmentation(frames((FIRST, 300), (NOBODY, 500)))
    save_segmentation(found, tmp_path / "s.npz")
    again = load_segmentation(tmp_path / "s.npz")
    assert again.duration == pytest.approx(found.duration)
    assert (again.scores == found.scores).all()
