"""An answer counts for a while and no longer."""

from __future__ import annotations

from meetings.report.lately import Lately
from tests.report_site import Moving


def made(clock: Moving, most: int = 2) -> Lately[str, bool]:
    return Lately(seconds=30.0, most=most, clock=clock)


def test_an_answer_counts_until_it_is_too_old() -> None:
    clock = Moving(100.0)
    kept = made(clock)
    assert kept.put("a", True) is True
    clock.now = 129.9
    assert kept.get("a") is True
    clock.now = 130.0
    assert kept.get("a") is None


def test_no_is_an_answer_too() -> None:
    kept = made(Moving(0.0))
    kept.put("a", False)
    assert kept.get("a") is False
    assert kept.get("b") is None


def test_an_answer_is_as_old_as_its_question() -> None:
    clock = Moving(100.0)
    kept = made(clock)
    kept.put("a", True, at=71.0)
    assert kept.get("a") is True
    clock.now = 101.0
    assert kept.get("a") is None


def test_what_was_found_out_first_goes_first() -> None:
    kept = made(Moving(0.0))
    for key in ("a", "b", "a", "c"):
        kept.put(key, True)
    assert [kept.get(key) for key in ("a", "b", "c")] == [True, None, True]
