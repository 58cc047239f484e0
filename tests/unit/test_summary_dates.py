"""Due dates against the day of the meeting: Thursday, 19 November 2026."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meetings.summary.dates import find_due

THURSDAY = date(2026, 11, 19)


@pytest.mark.parametrize(
    ("said", "due"),
    [
        ("I'll send it by Friday.", "2026-11-20"),
        ("I'll send it by Monday morning.", "2026-11-23"),
        ("until Thursday", "2026-11-26"),
        ("by next Tuesday", "2026-11-24"),
        ("by Tuesday next week", "2026-11-24"),
        ("next week on Wednesday", "2026-11-25"),
        ("I'll do it tomorrow.", "2026-11-20"),
        ("the day after tomorrow", "2026-11-21"),
        ("by tonight", "2026-11-19"),
        ("by the end of the day", "2026-11-19"),
        ("by the end of this week", "2026-11-20"),
        ("by the end of next week", "2026-11-27"),
        ("end of the month", "2026-11-30"),
        ("by the end of the quarter", "2026-12-31"),
        ("by the end of next month", "2026-12-31"),
        ("by the end of January", "2027-01-31"),
        ("in two weeks", "2026-12-03"),
        ("within three days", "2026-11-22"),
        ("by the tenth", "2026-12-10"),
        ("by the twenty-third", "2026-11-23"),
        ("moves to the tenth of December", "2026-12-10"),
        ("December 3rd", "2026-12-03"),
        ("on December the third", "2026-12-03"),
        ("by 5 March", "2027-03-05"),
        ("before next week", "2026-11-27"),
    ],
)
def test_a_deadline_is_resolved(said: str, due: str) -> None:
    found = find_due(said, THURSDAY)
    assert found is not None
    assert found.shown == due


@pytest.mark.parametrize(
    "said",
    [
        "We shipped last Friday.",
        "Every Monday we meet.",
        "The second version is better.",
        "In the first week they train.",
        "Two weeks ago it broke.",
        "This is the third time.",
        "On the second point I disagree.",
        "It may rain.",
        "",
    ],
)
def test_what_is_no_deadline_is_left_alone(said: str) -> None:
    assert find_due(said, THURSDAY) is None


def test_without_the_meetings_day_the_words_stay() -> None:
    found = find_due("I'll send it by the end of next week.", None)
    assert found is not None
    assert found.day is None
    assert found.shown == "the end of next week"


def test_a_day_that_does_not_exist_stays_as_it_was_said() -> None:
    found = find_due("by the thirty-first of November", THURSDAY)
    assert found is not None
    assert found.shown == "the thirty-first of November"


@given(
    st.sampled_from(
        ["by Friday", "by next Monday", "tomorrow", "by the end of next week", "in ten days", "by the 29th"]
    ),
    st.dates(min_value=date(2000, 1, 1), max_value=date(2100, 1, 1)),
)
def test_a_deadline_never_lies_before_the_meeting(said: str, today: date) -> None:
    found = find_due(said, today)
    assert found is not None
    assert found.day is None or found.day >= today
