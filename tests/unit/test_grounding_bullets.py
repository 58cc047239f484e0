"""The planted bullets: what grounding lets through and refuses by its rules alone, without a model of meaning."""

from __future__ import annotations

from collections import Counter

from tests.grounding_cases import all_cases


def test_the_set_is_large_and_has_every_fault() -> None:
    faults = Counter(c.fault for c in all_cases())
    assert sum(faults.values()) >= 130
    assert abs(2 * faults[""] - sum(faults.values())) <= 10
    assert len(faults) == 10
    assert min(faults.values()) >= 12


def test_no_more_than_three_unfaithful_bullets_in_a_hundred_are_let_through() -> None:
    unfaithful = [c for c in all_cases() if c.fault]
    passed = [c.text for c in unfaithful if c.judge(None).ok]
    assert len(passed) / len(unfaithful) <= 0.03, passed


def test_three_faithful_bullets_in_four_pass_even_without_embeddings() -> None:
    faithful = [c for c in all_cases() if not c.fault]
    refused = [c.text for c in faithful if not c.judge(None).ok]
    assert len(refused) / len(faithful) <= 0.25, refused
