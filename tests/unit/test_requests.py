"""What people ask of channels is understood or left to others, and answered of what they may read alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meetings.config import Settings
from meetings.intents import Ask
from meetings.requests import ChannelIntent, Wanted, read_moment, read_wanted
from meetings.requests.places import UNKNOWN
from meetings.summary import MAX_MESSAGE
from tests.unit.chat_server import DAY, HOUR, NOW, ChatServer
from tests.unit.summary_builders import TermEmbedder

LONG = "@ana the parser is down again for all of the customers in the north and nobody knows why."
# A Tuesday, 10:00 in Berlin.
BERLIN = ZoneInfo("Europe/Berlin")
HERE = datetime(2026, 11, 24, 10, tzinfo=BERLIN)


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("since Monday", "2026-11-23T00:00"),
        ("since tuesday", "2026-11-17T00:00"),
        ("since last Friday", "2026-11-20T00:00"),
        ("seit Freitag", "2026-11-20T00:00"),
        ("yesterday", "2026-11-23T00:00"),
        ("seit gestern", "2026-11-23T00:00"),
        ("vorgestern", "2026-11-22T00:00"),
        ("today", "2026-11-24T00:00"),
        ("this week", "2026-11-23T00:00"),
        ("last week", "2026-11-16T00:00"),
        ("letzte Woche", "2026-11-16T00:00"),
        ("this month", "2026-11-01T00:00"),
        ("for the last 3 days", "2026-11-21T10:00"),
        ("the last three days", "2026-11-21T10:00"),
        ("in den letzten zwei Wochen", "2026-11-10T10:00"),
        ("two hours ago", "2026-11-24T08:00"),
        ("7d", "2026-11-17T10:00"),
        ("12h", "2026-11-23T22:00"),
        ("since 9:30", "2026-11-24T09:30"),
        ("since 11:00", "2026-11-23T11:00"),
        ("since 3 pm", "2026-11-23T15:00"),
        ("since 8 Uhr", "2026-11-24T08:00"),
        ("since 2026-11-20", "2026-11-20T00:00"),
        ("since November 3", "2026-11-03T00:00"),
        ("since 3rd of November", "2026-11-03T00:00"),
        ("seit 3. November", "2026-11-03T00:00"),
        ("ab 20.11.", "2026-11-20T00:00"),
        ("since December 24", "2025-12-24T00:00"),
    ],
)
def test_a_moment_is_the_askers_own(said: str, meant: str) -> None:
    found = read_moment(said, now=HERE.astimezone(UTC), zone=BERLIN)
    assert found == datetime.fromisoformat(meant).replace(tzinfo=BERLIN)


@pytest.mark.parametrize(
    "said",
    ["since the flood", "since 3", "tomorrow", "2031-01-01", "February 31", "1999-01-01", "since 25:00", "may", ""],
)
def test_what_is_no_moment_of_the_last_year_is_none(said: str) -> None:
    assert read_moment(said, now=HERE, zone=BERLIN) is None


@given(st.text(max_size=60))
def test_any_text_is_a_moment_in_the_past_or_none(text: str) -> None:
    found = read_moment(text, now=HERE, zone=BERLIN)
    assert found is None or found < HERE


@pytest.mark.parametrize(
    ("said", "channel", "since"),
    [
        ("summarise ~news for me since Monday", "news", "since monday"),
        ("Summarize ~news", "news", ""),
        ("what's new in ~product?", "product", ""),
        ("What’s new in ~product since yesterday, please", "product", "since yesterday"),
        ("what did I miss in ~product last week", "product", "last week"),
        ("~news last week", "news", "last week"),
        ("~news", "news", ""),
        ("hi, can you give me a summary of ~news for the last 3 days?", "news", "for the last 3 days"),
        ("anything new in acme/~news since 9:30", "acme/news", "since 9:30"),
        ('what happened in "Product news" today', "product news", "today"),
        ("fasse ~news seit Montag zusammen", "news", "seit montag"),
        ("was gibt es Neues in ~product?", "product", ""),
        ("was habe ich in ~product seit gestern verpasst", "product", None),
        ("what's new in ~product 7d", "product", "7d"),
    ],
)
def test_a_question_about_a_channel_is_understood(said: str, channel: str, since: str | None) -> None:
    if since is None:
        assert read_wanted(said) is None
    else:
        assert read_wanted(said) == Wanted(channel=channel, since=since)


@pytest.mark.parametrize(
    "said",
    [
        "what did I miss about pricing?",
        "more about prices",
        "shorter",
        "stop",
        "yes",
        "summarise",
        "tell me when anyone in ~news talks about the parser",
        "catch me up on ~news",
        "watch for parser in ~dev",
        "~news is too loud",
    ],
)
def test_what_others_understand_is_left_to_them(said: str) -> None:
    assert read_wanted(said) is None


@pytest.mark.parametrize("said", ["summarise", "what's new", "what did I miss since Monday", "summarise this channel"])
def test_a_command_means_the_channel_it_is_typed_in(said: str) -> None:
    found = read_wanted(said, command=True)
    assert found is not None
    assert found.channel == ""


@pytest.mark.parametrize("said", ["what's new in ~news unread", "summarise ~news since I last looked"])
def test_what_is_unread_can_be_asked_for(said: str) -> None:
    assert read_wanted(said) == Wanted(channel="news", unread=True)


@given(st.text(max_size=400), st.booleans())
def test_any_text_is_a_request_or_none(text: str, command: bool) -> None:
    read_wanted(text, command=command)


# Answers


@pytest.fixture
def server() -> ChatServer:
    server = ChatServer()
    server.add_user("ana", position="Director of Product Engineering")
    server.add_user("ben", position="Head of Content")
    server.add_user("cleo")
    server.add_channel("product", "ana", "ben")
    server.add_channel("secret", "cleo")
    for number, text in enumerate(
        (
            "We decided to ship the parser on Friday.",
            "The blog post about accessibility is ready for the customers.",
            "The build server of the parser fails with a timeout since Monday.",
            "Does anybody have the slides of the conference?",
            "Lunch is at noon today.",
            "The offer for Hartwell Archive went out.",
            "@ana the parser release needs your review.",
        )
    ):
        server.write("product", "cleo" if number == 5 else "ben" if number % 2 else "ana", text, at=NOW - number * HOUR)
    server.write("product", "cleo", "@ana please look at the parser crash by tomorrow.", at=NOW - HOUR)
    return server


def asked(server: ChatServer, tmp_path: Path, who: str, text: str, *, command: str = "", where: str = "") -> str:
    intent = ChannelIntent(
        Settings(home=tmp_path / "home"), server.client, TermEmbedder, clock=lambda: server.now / 1000
    )
    asker = server.user_by_username(who)
    ask = Ask(asker=asker, text=text, channel_id=where or "dm", command=command, at=server.now)
    found = intent.understand(ask)
    assert found is not None
    assert found.effects == ()
    return found.text


def test_a_member_is_told_what_is_new(server: ChatServer, tmp_path: Path) -> None:
    text = asked(server, tmp_path, "ana", "what's new in ~product since yesterday")
    assert "parser crash" in text
    assert "/acme/pl/" in text


def test_two_people_who_ask_the_same_are_told_different_things(server: ChatServer, tmp_path: Path) -> None:
    question = "summarise ~product since Monday"
    assert asked(server, tmp_path, "ana", question) != asked(server, tmp_path, "ben", question)


@pytest.mark.parametrize("name", ["secret", "nothing-of-that-name"])
def test_of_a_channel_that_one_is_not_in_one_learns_what_one_learns_of_none(
    server: ChatServer, tmp_path: Path, name: str
) -> None:
    assert asked(server, tmp_path, "ana", f"what's new in ~{name}") == UNKNOWN


def test_who_leaves_while_asking_is_told_nothing(
    server: ChatServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = iter([True, False])
    monkeypatch.setattr(server, "is_channel_member", lambda *_: next(answers))
    assert asked(server, tmp_path, "ana", "what's new in ~product since yesterday") == UNKNOWN


def test_a_channel_that_the_bot_has_left_is_unknown(server: ChatServer, tmp_path: Path) -> None:
    del server.members["product"][server.me().id]
    assert asked(server, tmp_path, "ana", "what's new in ~product") == UNKNOWN


def test_an_archived_channel_is_unknown(server: ChatServer, tmp_path: Path) -> None:
    server.add_channel("old", "ana", delete_at=NOW - DAY)
    assert asked(server, tmp_path, "ana", "what's new in ~old") == UNKNOWN


def test_of_several_channels_of_one_name_the_asker_says_which(server: ChatServer, tmp_path: Path) -> None:
    for place, team in (("one", "t"), ("two", "u")):
        server.add_channel(place, "ana", team_id=team)
        server.places[place] = replace(server.places[place], name="plans")
    assert "several channels" in asked(server, tmp_path, "ana", "what's new in ~plans")


def test_a_command_asks_about_the_channel_it_is_typed_in(server: ChatServer, tmp_path: Path) -> None:
    text = asked(server, tmp_path, "ana", "what's new since yesterday", command="meetings", where="product")
    assert "parser crash" in text


def test_a_command_typed_where_the_bot_is_not_finds_nothing(server: ChatServer, tmp_path: Path) -> None:
    assert asked(server, tmp_path, "ana", "what's new", command="meetings", where="elsewhere") == UNKNOWN


def test_without_a_time_it_is_since_they_last_looked(server: ChatServer, tmp_path: Path) -> None:
    server.members["product"][server.user_by_username("ana").id] = NOW - 90 * 60_000
    text = asked(server, tmp_path, "ana", "what's new in ~product")
    assert "Since you last looked" in text
    assert "conference" not in text


def test_where_that_is_not_told_it_is_a_week_and_says_so(server: ChatServer, tmp_path: Path) -> None:
    assert "the last 7 days" in asked(server, tmp_path, "ana", "what's new in ~product")


def test_a_time_that_nobody_understands_is_asked_for_again(server: ChatServer, tmp_path: Path) -> None:
    assert "since when" in asked(server, tmp_path, "ana", "what's new in ~product since the flood")


def test_what_was_written_does_nothing_in_the_answer(server: ChatServer, tmp_path: Path) -> None:
    server.write("product", "ben", f"@channel [click](http://evil.example) {LONG}", at=NOW - HOUR)
    text = asked(server, tmp_path, "ana", "what's new in ~product since yesterday")
    assert "parser is down" in text
    assert "@channel" not in text
    assert "](http://evil" not in text


def test_an_answer_fits_a_message(server: ChatServer, tmp_path: Path) -> None:
    for number in range(60):
        server.write(
            "product", "ben", f"@ana the parser {number} " + "fails with a long story " * 60, at=NOW - HOUR + number
        )
    assert len(asked(server, tmp_path, "ana", "what's new in ~product since yesterday")) <= MAX_MESSAGE
