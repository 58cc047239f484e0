"""Who asks too often waits, and nobody else does."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from meetings.rates import Buckets


def test_a_burst_is_served_and_then_one_at_a_time() -> None:
    buckets = Buckets(per_second=2, burst=3)
    assert [buckets.take("a", now=0.0) for _ in range(4)] == [0, 0, 0, 0.5]
    assert buckets.take("a", now=0.5) == 0
    assert buckets.take("a", now=0.6) > 0


def test_one_who_asks_too_often_takes_nothing_from_another() -> None:
    buckets = Buckets(per_second=1, burst=1)
    assert buckets.take("a", now=0.0) == 0
    assert buckets.take("a", now=0.0) > 0
    assert buckets.take("b", now=0.0) == 0


def test_waiting_as_long_as_told_is_enough() -> None:
    buckets = Buckets(per_second=0.3, burst=1)
    buckets.take("a", now=5.0)
    wait = buckets.take("a", now=5.0)
    assert buckets.take("a", now=5.0 + wait + 1e-9) == 0


def test_a_crowd_of_strangers_does_not_fill_the_memory() -> None:
    buckets = Buckets(peers=100)
    for number in range(5000):
        buckets.take(f"peer {number}", now=0.0)
    assert len(buckets._left) == 100


@given(st.lists(st.floats(0, 5), max_size=200))
def test_never_more_than_the_burst_and_what_time_gives(pauses: list[float]) -> None:
    buckets, now, served = Buckets(per_second=2, burst=5), 0.0, 0
    for pause in pauses:
        now += pause
        served += buckets.take("a", now=now) == 0
    assert served <= 5 + 2 * now + 1e-6


def test_a_clock_that_goes_back_gives_nothing() -> None:
    buckets = Buckets(per_second=1, burst=1)
    buckets.take("a", now=100.0)
    assert buckets.take("a", now=0.0) > 0
