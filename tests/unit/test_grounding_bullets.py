"""The planted bullets: what grounding lets through and refuses by its rules alone, without a model of meaning."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from meetings.summary.ground import FATAL
from meetings.summary.judge import FOR, load_judge
from tests.grounding_cases import Case, all_cases

ROUNDS = ("round 1", "round 2", "round 3", "round 4")


def test_the_set_is_large_and_has_every_fault() -> None:
    faults = Counter(c.fault for c in all_cases())
    assert sum(faults.values()) >= 900
    assert 0.4 <= faults[""] / sum(faults.values()) <= 0.6
    assert len(faults) == 10
    assert min(faults.values()) >= 12


def share(cases: list[Case], *, passed: bool) -> float:
    return sum(c.judge(None).ok == passed for c in cases) / len(cases)


@pytest.mark.parametrize(("parts", "most"), [(("tune", "confirm"), 0.03), (ROUNDS, 0.17)])
def test_of_unfaithful_bullets_no_more_are_let_through_than_is_known(parts: tuple[str, ...], most: float) -> None:
    assert share([c for c in all_cases() if c.fault and c.half in parts], passed=True) <= most


@pytest.mark.parametrize(("parts", "most"), [(("tune", "confirm"), 0.25), (ROUNDS, 0.55)])
def test_of_faithful_bullets_no_more_are_refused_than_is_known(parts: tuple[str, ...], most: float) -> None:
    assert share([c for c in all_cases() if not c.fault and c.half in parts], passed=False) <= most


def test_a_number_name_or_date_that_was_not_said_is_never_outweighed() -> None:
    class Agrees:
        """Holds every text alike."""

        def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
            return np.ones((len(texts), 1), np.float32)

    told = [c for c in all_cases() if c.fault in {"wrong number", "prompt example"} and c.half in {"tune", "confirm"}]
    outweighed = [
        c.text for c in told if c.judge(Agrees()).ok and any(o.startswith(FATAL) for o in c.measure(Agrees())[0])
    ]
    assert outweighed == []


def test_every_weight_counts_only_the_way_its_figure_points() -> None:
    assert [n for n, weight in load_judge().weights.items() if (weight > 0) != (n in FOR)] == []
