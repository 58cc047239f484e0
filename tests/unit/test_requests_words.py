"""What people ask of channels, and since when, in everyday words: the whole sentence is understood, or none of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meetings.requests import ChannelRequest, Reference, Span, Unread, read_request, read_span

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 27, 9, 30, tzinfo=BERLIN)  # a Friday


def day(number: int, hour: int = 0, minute: int = 0, month: int = 11) -> datetime:
    return datetime(2026, month, number, hour, minute, tzinfo=BERLIN)


@pytest.mark.parametrize(
    ("words", "since", "until"),
    [
        ("since Monday", day(23), None),
        ("seit Montag", day(23), None),
        ("since last monday", day(23), None),
        ("on Monday", day(23), day(24)),
        ("am Montag", day(23), day(24)),
        # Today is a Friday: who means today says so.
        ("since Friday", day(20), None),
        ("today", day(27), None),
        ("yesterday", day(26), day(27)),
        ("since yesterday", day(26), None),
        ("seit vorgestern", day(25), None),
        ("since yesterday 3pm", day(26, 15), None),
        ("seit gestern 15 Uhr", day(26, 15), None),
        ("since yesterday afternoon", day(26, 12), None),
        ("seit heute morgen", day(27, 5), None),
        ("since 9am", day(27, 9), None),
        ("since 12 am", day(27), None),
        ("since Monday at 14:30", day(23, 14, 30), None),
        ("this week", day(23), None),
        ("diese Woche", day(23), None),
        ("last week", day(16), day(23)),
        ("letzte Woche", day(16), day(23)),
        ("in the last week", day(20, 9, 30), None),
        ("since last week", day(16), None),
        ("over the weekend", day(21), day(23)),
        ("last month", day(1, month=10), day(1)),
        ("for the last 3 days", day(24, 9, 30), None),
        ("in den letzten drei Tagen", day(24, 9, 30), None),
        ("7d", day(20, 9, 30), None),
        ("past 24 hours", day(26, 9, 30), None),
        ("since two weeks ago", day(13, 9, 30), None),
        ("seit vor 3 Tagen", day(24, 9, 30), None),
        ("since 2026-11-20", day(20), None),
        ("since 20 Nov", day(20), None),
        ("since November 20th", day(20), None),
        ("seit dem 20. November", day(20), None),
        ("seit 20.11.", day(20), None),
        ("on 20.11.", day(20), day(21)),
    ],
)
def test_a_stretch_of_time_is_counted_on_the_askers_own_clock(
    words: str, since: datetime, until: datetime | None
) -> None:
    found = read_span(words, now=NOW)
    assert isinstance(found, Span)
    assert (found.since, found.until) == (since, until)


def test_a_day_of_the_past_is_meant_and_not_one_to_come() -> None:
    found = read_span("since 24 December", now=NOW)
    assert isinstance(found, Span)
    assert found.since == datetime(2025, 12, 24, tzinfo=BERLIN)


@pytest.mark.parametrize("words", ["unread", "the unread posts", "since I last looked", "ungelesen", "Ungelesenes"])
def test_unread_is_understood(words: str) -> None:
    assert read_span(words, now=NOW) == Unread()


@pytest.mark.parametrize(
    "words",
    ["", "may", "5", "on", "since", "since tomorrow", "since 2026-12-01", "since 31.02.", "since 0 days", "11pm"],
)
def test_what_is_no_time_or_still_to_come_is_none(words: str) -> None:
    assert read_span(words, now=NOW) is None


@given(st.text(max_size=200))
def test_no_text_whatever_makes_a_stretch_that_begins_in_the_future(text: str) -> None:
    found = read_span(text, now=NOW)
    assert found is None or isinstance(found, Unread) or found.since < NOW


@given(
    st.sampled_from(["since", "seit", "for the last", "in den letzten"]),
    st.integers(1, 60),
    st.sampled_from([("days", 24), ("hours", 1), ("Wochen", 168), ("Tagen", 24), ("h", 1)]),
)
def test_any_number_of_units_is_that_long(begin: str, number: int, unit: tuple[str, int]) -> None:
    found = read_span(f"{begin} {number} {unit[0]}", now=NOW)
    assert isinstance(found, Span)
    passed = NOW.astimezone(UTC) - found.since.astimezone(UTC)
    # Days are those of the wall clock: a day on which it is put back has 25 hours.
    on_the_wall = NOW.replace(tzinfo=None) - found.since.replace(tzinfo=None)
    assert timedelta(hours=number * unit[1]) == (passed if unit[1] == 1 else on_the_wall)


@given(
    st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1)), st.sampled_from(["UTC", "Europe/Berlin", "Asia/Tokyo"])
)
def test_monday_is_a_midnight_of_the_last_seven_days(moment: datetime, zone: str) -> None:
    now = moment.replace(tzinfo=ZoneInfo(zone))
    found = read_span("since monday", now=now)
    assert isinstance(found, Span)
    assert (found.since.weekday(), found.since.hour) == (0, 0)
    assert timedelta(0) < now.date() - found.since.date() <= timedelta(days=7)


PRODUCT = Reference(name="product")


@pytest.mark.parametrize(
    ("text", "channel", "since"),
    [
        ("summarise ~product for me since Monday", PRODUCT, day(23)),
        ("Could you please summarize ~product since Monday, thanks!", PRODUCT, day(23)),
        ("what's new in ~product", PRODUCT, None),
        ("What did I miss in ~product since yesterday?", PRODUCT, day(26)),
        ("what is new since yesterday in ~product?", PRODUCT, day(26)),
        ("~product last week", PRODUCT, day(16)),
        ("~product", PRODUCT, None),
        ("fasse ~product seit Montag zusammen", PRODUCT, day(23)),
        ("Fass mir bitte ~product seit Montag zusammen", PRODUCT, day(23)),
        ("was gibt es Neues in ~product", PRODUCT, None),
        ("Was habe ich seit Montag in ~product verpasst?", PRODUCT, day(23)),
        ("summarise acme/product since Monday", Reference(name="product", team="acme"), day(23)),
        ("summarise acme/~product", Reference(name="product", team="acme"), None),
        ('what\'s new in "Product Team"', Reference(name="Product Team"), None),
        ("fasse „Product Team“ seit Montag zusammen", Reference(name="Product Team"), day(23)),
        ("summarise https://chat.example.org/acme/channels/product", Reference(name="product", team="acme"), None),
        ("summarise product since Monday", Reference(name="product", loose=True), day(23)),
        ("what's new in the product channel?", Reference(name="product", loose=True), None),
        ("what's new since Monday", None, day(23)),
        ("summarise", None, None),
        ("what did I miss in here", None, None),
    ],
)
def test_a_question_about_a_channel_is_understood(text: str, channel: Reference | None, since: datetime | None) -> None:
    found = read_request(text, now=NOW)
    assert found is not None
    assert found.channel == channel
    assert (found.span.since if isinstance(found.span, Span) else found.span) == since
    assert not found.unclear


@pytest.mark.parametrize(
    "text",
    [
        "what did I miss about pricing?",
        "less about ~product",
        "more about ~product since Monday",
        "tell me when anyone in ~product mentions prices",
        "catch me up on ~product",
        "~product: the release is out",
        "why?",
        "shorter",
        "stop",
        "who is speaker 2",
        "digest",
        "what was decided on the release",
        "",
    ],
)
def test_what_asks_for_something_else_is_left_to_others(text: str) -> None:
    assert read_request(text, now=NOW) is None


@pytest.mark.parametrize(
    ("text", "unclear"),
    [("what's new in ~product about prices", "about prices"), ("summarise ~product and ~news", "~news")],
)
def test_words_that_are_no_time_are_named_rather_than_ignored(text: str, unclear: str) -> None:
    assert read_request(text, now=NOW) == ChannelRequest(channel=PRODUCT, unclear=unclear)


@given(st.text(max_size=600))
def test_no_text_whatever_breaks_the_reading(text: str) -> None:
    read_request(text, now=NOW)
    read_request(f"summarise ~news {text}", now=NOW)
