"""What people say to the bot about alerts is understood, and nothing else is taken for it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meetings.alerts.wording import MAX_SUBJECT, Amount, Drop, Pause, Show, Tell, read_alerts


@pytest.mark.parametrize(
    ("text", "subject", "channel"),
    [
        ("tell me when anyone talks about the parser release", "the parser release", ""),
        ("Tell me when anyone talks about the parser release, please.", "the parser release", ""),
        ("Please tell me if somebody mentions Amberley Libraries", "Amberley Libraries", ""),
        ("tell me whenever people discuss pricing of Harrier in ~sales", "pricing of Harrier", "sales"),
        ("tell me when the parser release comes up", "the parser release", ""),
        ("could you alert me about water leaks?", "water leaks", ""),
        ("alert me when there is news about hiring", "hiring", ""),
        ("let me know about the Sable budget", "the Sable budget", ""),
        ("let me know if anyone says something about the audit", "the audit", ""),
        ("let me know when “type hints” is mentioned", "type hints", ""),
        ("watch for GDPR requests in ~Support", "GDPR requests", "support"),
        ("keep an eye on the migration", "the migration", ""),
        ("keep an eye out for outages", "outages", ""),
        ("notify me about 'release 2.3'", "release 2.3", ""),
        ("alert add the parser release", "the parser release", ""),
        ("Sag mir Bescheid, wenn es um Preise geht", "Preise", ""),
        ("sag bitte Bescheid, sobald jemand über den Parser spricht", "den Parser", ""),
        ("Gib mir Bescheid bei Ausfällen", "Ausfällen", ""),
        ("Sag mir Bescheid, wenn es etwas Neues zum Parser gibt", "Parser", ""),
    ],
)
def test_an_interest_is_heard_in_many_words(text: str, subject: str, channel: str) -> None:
    assert read_alerts(text) == Tell(subject=subject, channel=channel)


@pytest.mark.parametrize(
    ("text", "subject"),
    [
        ("stop telling me about water leaks", "water leaks"),
        ("Stop alerts about the parser release, please", "the parser release"),
        ("stop watching for outages", "outages"),
        ("no more alerts about hiring", "hiring"),
        ("don't tell me about hiring", "hiring"),
        ("stop telling me about 2", "2"),
        ("remove alert 3", "3"),
        ("sag mir nicht mehr Bescheid, wenn es um Preise geht", "Preise"),
    ],
)
def test_an_interest_is_taken_off(text: str, subject: str) -> None:
    assert read_alerts(text) == Drop(subject=subject)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("my alerts", Show()),
        ("show me my alerts", Show()),
        ("alerts", Show()),
        ("What are you watching for?", Show()),
        ("no alerts", Pause()),
        ("Pause my alerts, please", Pause()),
        ("keine Hinweise", Pause()),
        ("alerts again", Pause(again=True)),
        ("resume alerts", Pause(again=True)),
        ("fewer alerts", Amount(step=-1)),
        ("more alerts please", Amount(step=1)),
        ("weniger Hinweise", Amount(step=-1)),
    ],
)
def test_alerts_as_a_whole_are_listed_paused_and_made_fewer(text: str, said: object) -> None:
    assert read_alerts(text) == said


@pytest.mark.parametrize(
    "text",
    [
        "stop",
        "start",
        "less about memory please",
        "more about prices",
        "why this?",
        "what did I miss about pricing?",
        "Speaker 2 is Ben",
        "settings",
        "help",
        "shorter",
        "tell me about the call",
        "The watch for the office broke",
        "I will let you know about the release",
        "",
    ],
)
def test_what_is_about_something_else_is_left_to_others(text: str) -> None:
    assert read_alerts(text) is None


def test_what_the_help_names_is_understood() -> None:
    from meetings.alerts.asking import HELP

    for phrase in HELP.split("**")[1::2]:
        assert read_alerts(phrase) is not None, phrase


@given(st.text(max_size=400))
def test_any_text_is_read_without_harm(text: str) -> None:
    said = read_alerts(text)
    if isinstance(said, Tell | Drop):
        assert 0 < len(said.subject) <= MAX_SUBJECT
        assert "\n" not in said.subject


@given(st.from_regex(r"[a-z]{3,9}( [a-z]{3,9}){0,4}", fullmatch=True))
def test_any_subject_of_plain_words_survives_as_it_is(subject: str) -> None:
    said = read_alerts(f"tell me when anyone talks about {subject}")
    assert said is not None
