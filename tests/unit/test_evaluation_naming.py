"""Names are counted as right or wrong by who truly speaks most of a voice's time."""

from __future__ import annotations

import pytest

from meetings.evaluation import Said, score_names, true_speakers

TRUTH = [
    Said(speaker="ana", start=0, end=10),
    Said(speaker="ben", start=10, end=14),
    Said(speaker="ana", start=14, end=20),
]
HEARD = [Said(speaker="A", start=0, end=11), Said(speaker="B", start=11, end=14), Said(speaker="A", start=14, end=20)]


def test_a_voice_is_whoever_speaks_most_of_it() -> None:
    assert true_speakers(TRUTH, HEARD) == {"A": "ana", "B": "ben"}


def test_coverage_is_the_share_of_time_under_a_right_name() -> None:
    score = score_names(TRUTH, HEARD, {"A": "ana"})
    assert (score.voices, score.right, score.wrong) == (2, 1, 0)
    assert score.coverage == pytest.approx(17 / 20)


def test_a_wrong_name_is_listed_and_covers_nothing() -> None:
    score = score_names(TRUTH, HEARD, {"A": "ben", "B": "ben"})
    assert score.wrong == 1
    assert score.mistaken == (("A", "ben", "ana"),)
    assert score.coverage == pytest.approx(3 / 20)


def test_a_name_for_a_voice_that_nobody_speaks_is_wrong() -> None:
    assert score_names([], HEARD, {"A": "ana"}).wrong == 1
