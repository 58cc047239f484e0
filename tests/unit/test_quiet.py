"""Nobody is written to at night: quiet hours by the reader's own wall clock."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meetings.quiet import NONE, QuietHours, is_quiet, next_moment, read_quiet_hours, zone_of

NIGHT = read_quiet_hours("20:00-08:00, weekends")
# Zones that put their clocks forward by an hour, by half an hour, at midnight, never, and that skip oddly.
ZONES = (
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "America/Santiago",
    "Asia/Kathmandu",
    "Africa/Cairo",
)

moments = st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31)).map(lambda d: d.replace(tzinfo=UTC))
clocks = st.times().map(lambda t: t.replace(second=0, microsecond=0))
hours = st.builds(QuietHours, start=clocks, end=clocks, weekends=st.booleans())


def at(zone: str, *when: int) -> datetime:
    return datetime(*when, tzinfo=ZoneInfo(zone))  # type: ignore[misc]


@given(moments, st.sampled_from(ZONES), hours)
def test_the_next_moment_is_never_quiet_and_never_past(now: datetime, zone: str, quiet: QuietHours) -> None:
    found = next_moment(now, zone, quiet)
    assert found >= now
    assert not is_quiet(found, zone, quiet)


@given(moments, st.sampled_from(ZONES), hours)
def test_no_moment_before_the_next_one_would_have_done(now: datetime, zone: str, quiet: QuietHours) -> None:
    found = next_moment(now, zone, quiet)
    between = now
    while between < found:
        assert is_quiet(between, zone, quiet)
        between += timedelta(minutes=7)
    if found > now:
        assert is_quiet(max(now, found - timedelta(minutes=1)), zone, quiet)


@given(moments, st.sampled_from(ZONES), hours)
def test_a_message_waits_for_less_than_the_longest_weekend(now: datetime, zone: str, quiet: QuietHours) -> None:
    assert next_moment(now, zone, quiet) - now <= timedelta(days=4)


@given(st.text(max_size=30))
def test_any_timezone_gives_a_moment(zone: str) -> None:
    assert not is_quiet(next_moment(datetime(2026, 5, 4, 2, tzinfo=UTC), zone, NIGHT), zone, NIGHT)


@pytest.mark.parametrize(
    ("now", "then"),
    [
        (at("Europe/Berlin", 2026, 11, 24, 12, 0), at("Europe/Berlin", 2026, 11, 24, 12, 0)),
        (at("Europe/Berlin", 2026, 11, 24, 20, 0), at("Europe/Berlin", 2026, 11, 25, 8, 0)),
        (at("Europe/Berlin", 2026, 11, 24, 7, 59), at("Europe/Berlin", 2026, 11, 24, 8, 0)),
        # Friday evening: Monday morning.
        (at("Europe/Berlin", 2026, 11, 27, 20, 30), at("Europe/Berlin", 2026, 11, 30, 8, 0)),
        (at("Europe/Berlin", 2026, 11, 29, 12, 0), at("Europe/Berlin", 2026, 11, 30, 8, 0)),
        # The nights in which the clock is put forward and back end at eight all the same.
        (at("Europe/Berlin", 2026, 3, 29, 1, 30), at("Europe/Berlin", 2026, 3, 30, 8, 0)),
        (at("America/New_York", 2026, 10, 31, 23, 0), at("America/New_York", 2026, 11, 2, 8, 0)),
    ],
)
def test_the_morning_of_the_reader_is_waited_for(now: datetime, then: datetime) -> None:
    assert next_moment(now, str(now.tzinfo), NIGHT) == then


def test_hours_that_end_in_an_hour_that_the_clock_skips_end_when_it_jumps() -> None:
    quiet = QuietHours(start=time(22), end=time(2, 30))
    assert next_moment(at("Europe/Berlin", 2026, 3, 28, 23), "Europe/Berlin", quiet) == at(
        "Europe/Berlin", 2026, 3, 29, 3, 0
    )


def test_an_unknown_timezone_counts_as_utc() -> None:
    for name in ("", "Mars/Olympus", "../etc/passwd", "Europe", "\0"):
        assert zone_of(name) is UTC


@pytest.mark.parametrize("text", ["none", "weekends", "20:00-08:00", "20:00-08:00, weekends", " 13:00 - 14:00 "])
def test_what_the_setting_may_say_is_read(text: str) -> None:
    quiet = read_quiet_hours(text)
    assert quiet.weekends is ("weekends" in text)
    assert (quiet.start == quiet.end) is ("-" not in text)


@pytest.mark.parametrize("text", ["", "night", "8-20", "20:00", "24:00-08:00", "20:00-08:60", "20:00-08:00 weekends"])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="quiet hours"):
        read_quiet_hours(text)


def test_without_quiet_hours_now_is_the_moment() -> None:
    now = datetime(2026, 11, 28, 3, tzinfo=UTC)
    assert next_moment(now, "UTC", NONE) == now
