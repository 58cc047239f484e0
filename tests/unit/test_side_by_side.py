"""Stages at the same time: results in order, and a failure that stops the others."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest

from meetings.errors import ModelError
from meetings.logs import about, current
from meetings.side_by_side import checked, in_turn, side_by_side


def test_results_come_in_the_order_of_the_tasks() -> None:
    first_may_end = threading.Event()

    def slow(_check: Callable[[], None]) -> str:
        assert first_may_end.wait(60)  # only the other task, running beside this one, can set it
        return "slow"

    def quick(_check: Callable[[], None]) -> str:
        first_may_end.set()
        return "quick"

    assert side_by_side(slow, quick) == ["slow", "quick"]


def test_a_failure_stops_the_others_and_is_the_one_that_is_raised() -> None:
    stopped = threading.Event()

    def fails(_check: Callable[[], None]) -> None:
        raise ModelError("broken weights")

    def works(check: Callable[[], None]) -> None:
        tell = checked(lambda _f: None, check)
        try:
            for _ in range(60_000):
                tell(0.5)
                time.sleep(0.001)
        except BaseException:
            stopped.set()
            raise

    with pytest.raises(ModelError, match="broken weights"):
        side_by_side(works, fails)
    assert stopped.is_set()


def test_beside_one_another_each_knows_what_it_is_about() -> None:
    with about(recording="post"):
        assert side_by_side(lambda _check: current("recording"), lambda _check: current("recording")) == ["post"] * 2


def test_in_turn_what_one_task_held_is_given_back_before_the_next_begins() -> None:
    seen: list[str] = []

    def task(name: str) -> Callable[[Callable[[], None]], str]:
        def run(check: Callable[[], None]) -> str:
            check()
            seen.append(name)
            return name

        return run

    assert in_turn(task("words"), task("voices"), between=lambda: seen.append("free")) == ["words", "voices"]
    assert seen == ["words", "free", "voices", "free"]
