"""A label that holds several voices: taken apart by its turns, and only then."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("torch")

import torch

from meetings.speech.campplus import EMBEDDING_SIZE, FRAME_CHANNELS
from meetings.speech.diarization import Turn
from meetings.speech.splitting import MIN_SECONDS, split_voices
from meetings.speech.voice_features import CELL, CELL_FRAMES, VoiceFeatures

SHAPES = np.random.default_rng(3).standard_normal((4, EMBEDDING_SIZE))


class Mean:
    """A network whose embedding is the mean of the first channels."""

    def parameters(self):
        yield torch.zeros(1)

    def embed(self, total, sums, squares):
        del squares
        return (sums / total[:, None])[:, :EMBEDDING_SIZE]


def recording(spoken: list[tuple[int, float]]) -> tuple[list[Turn], VoiceFeatures]:
    """Turns of one label half a second apart, each by a voice for some seconds, and what features they have."""
    rng = np.random.default_rng(5)
    seconds = sum(length + 0.5 for _, length in spoken)
    mean = np.zeros((round(seconds / CELL) + 1, FRAME_CHANNELS), dtype=np.float16)
    turns, clock = [], 0.0
    for voice, length in spoken:
        cells = slice(round(clock / CELL), round((clock + length) / CELL))
        count = cells.stop - cells.start
        mean[cells, :EMBEDDING_SIZE] = SHAPES[voice] + 0.8 * rng.standard_normal((count, EMBEDDING_SIZE))
        turns.append(Turn(start=clock, end=clock + length, speaker="A"))
        clock += length + 0.5
    return turns, VoiceFeatures(
        mean=mean, square=mean.astype(np.float32).astype(np.float16) ** 2, frames=np.full(len(mean), CELL_FRAMES, "f4")
    )


def test_two_people_under_one_label_become_two() -> None:
    spoken = [(0, 4.0), (1, 3.0), (0, 2.0), (1, 5.0), (0, 0.6), (1, 2.5)]
    turns, features = recording(spoken)
    found = split_voices(turns, features, Mean())
    names = {}
    for turn, (voice, _) in zip(turns, spoken, strict=True):
        middle = (turn.start + turn.end) / 2
        names.setdefault(voice, set()).add(next(t.speaker for t in found if t.start <= middle < t.end))
    assert all(len(n) == 1 for n in names.values()), names
    assert {n for s in names.values() for n in s} == {"A.0", "A.1"}


def test_one_person_stays_one() -> None:
    turns, features = recording([(0, 4.0), (0, 3.0), (0, 2.0), (0, 5.0)])
    assert split_voices(turns, features, Mean()) == tuple(turns)


def test_a_stranger_heard_for_a_moment_does_not_split_a_label() -> None:
    turns, features = recording([(0, 4.0), (1, MIN_SECONDS / 2 - 0.5), (0, 5.0), (1, MIN_SECONDS / 2 - 0.5), (0, 3.0)])
    assert {t.speaker for t in split_voices(turns, features, Mean())} == {"A"}


@given(st.lists(st.tuples(st.integers(0, 3), st.floats(0.3, 12.0)), min_size=1, max_size=20))
def test_splitting_keeps_every_second_of_speech(spoken: list[tuple[int, float]]) -> None:
    turns, features = recording(spoken)
    found = split_voices(turns, features, Mean())
    assert sum(t.end - t.start for t in found) == pytest.approx(
        sum(t.end - t.start for t in turns), abs=0.03 * len(turns)
    )
    for one, other in pairwise(found):
        assert one.end <= other.start + 1e-6
