"""What home and search show is what is known, in the reader's own time, and whatever was typed or said stays text."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meetings.mattermost.entities import Channel
from meetings.report.home_view import Asked, asked_of, channel_name, day_of, make_result, make_row, pages_of
from meetings.search import Card, Found, Moment

BERLIN = ZoneInfo("Europe/Berlin")
CARD = Card(id="m", title="Weekly", started_at="2026-11-25T23:30:00+00:00")


def test_a_meeting_is_dated_on_the_reader_s_own_clock() -> None:
    assert day_of("2026-11-25T23:30:00+00:00", BERLIN) == "Thu, 26 November 2026, 00:30"


@pytest.mark.parametrize(
    "text", ["", "soon", "2026-13-01", "<b>", "9999-12-31T23:30:00+00:00", "0001-01-01T00:00:00+14:00"]
)
def test_a_meeting_of_which_nobody_knows_when_has_no_date(text: str) -> None:
    assert day_of(text, BERLIN) == ""


@pytest.mark.parametrize(
    ("seconds", "shown"), [(0, ""), (5, "5 s"), (401, "7 min"), (3599, "60 min"), (11_000, "3 h 3 min")]
)
def test_a_meeting_s_length_is_told_as_in_its_message(seconds: float, shown: str) -> None:
    assert make_row(CARD, None, BERLIN, seconds=seconds, headline="").length == shown


def test_a_meeting_without_a_title_is_a_call() -> None:
    assert make_row(Card(id="m", title=""), None, BERLIN, seconds=1, headline="").title == "Call"


@pytest.mark.parametrize(
    ("kind", "shown"), [("O", "Product"), ("P", "Product"), ("D", "Direct message"), ("G", "Product")]
)
def test_a_channel_has_the_name_that_people_know(kind: str, shown: str) -> None:
    channel = Channel(id="c", team_id="t", type=kind, name="product", display_name="Product")
    assert channel_name(channel) == shown


def test_a_channel_that_the_bot_does_not_see_has_no_name() -> None:
    assert channel_name(None) == ""


@pytest.mark.parametrize(("many", "pages"), [(0, 1), (1, 1), (20, 1), (21, 2), (41, 3)])
def test_a_list_has_as_many_pages_as_it_needs(many: int, pages: int) -> None:
    assert pages_of(many, 20) == pages


def shown(text: str, marks: tuple[tuple[int, int], ...]) -> tuple[tuple[str, bool], ...]:
    moment = Moment(start=61.9, utterances=("u1",), speakers=("Ana",), text=text, marks=marks, kinds=())
    (one,) = make_result(Found(card=CARD, moments=(moment,)), None, BERLIN).moments
    assert (one.at, one.start) == ("1:01", 61)
    return one.pieces


def test_the_words_that_were_looked_for_are_marked() -> None:
    assert shown("the parser is late", ((4, 10),)) == (("the ", False), ("parser", True), (" is late", False))


@given(
    text=st.text(max_size=40),
    marks=st.lists(st.tuples(st.integers(0, 45), st.integers(0, 45)), max_size=6),
)
def test_pieces_are_the_text_whatever_is_marked_in_it(text: str, marks: list[tuple[int, int]]) -> None:
    assert "".join(piece for piece, _ in shown(text, tuple(marks))) == text


@given(q=st.text(max_size=60), speaker=st.text(max_size=20))
def test_the_address_of_a_search_asks_for_the_same(q: str, speaker: str) -> None:
    asked = asked_of({"q": q, "speaker": speaker, "since": "4w"})
    query = {name: values[0] for name, values in parse_qs(urlsplit(asked.address()).query).items()}
    assert asked_of(query) == asked


def test_what_is_typed_without_end_is_cut() -> None:
    assert len(asked_of({"q": "x" * 10_000}).q) == 500
    assert not Asked(q="x").narrowed
