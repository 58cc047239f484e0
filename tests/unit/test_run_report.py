"""What `meetings process` tells in the end, and how long a message says that a call took."""

from typing import Any

import pytest

from meetings.cli.process import stage_rows
from meetings.summary.phrases import phrases


def stage(name: str, seconds: float, *, reused: bool = False) -> dict[str, Any]:
    return {"stage": name, "seconds": seconds, "reused": reused, "real_time_factor": seconds / 100}


def test_deliveries_to_many_people_are_one_row() -> None:
    stages = [stage("summaries", 3.0), stage("delivery to ana", 0.5), stage("delivery to ben", 1.0)]
    assert list(stage_rows({"stages": stages})) == [
        ("summaries", 3.0, 0.03, ""),
        ("delivery to 2 people", 1.5, 0.015, ""),
    ]


def test_nothing_is_told_of_fetching_what_was_there() -> None:
    stages = [stage("fetch", 0.0, reused=True), stage("audio", 1.0)]
    assert [name for name, *_ in stage_rows({"stages": stages})] == ["audio"]


def test_what_was_fetched_has_its_row() -> None:
    assert [name for name, *_ in stage_rows({"stages": [stage("fetch", 2.0)]})] == ["fetch"]


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (2, "2 s"),
        (30, "30 s"),
        (59.4, "59 s"),
        (61, "1 min"),
        (401, "7 min"),
        (7140, "119 min"),
        (7200, "2 h"),
        (11100, "3 h 5 min"),
    ],
)
def test_a_length_is_told_as_people_say_it(seconds: float, told: str) -> None:
    assert phrases("en").length(seconds) == told
