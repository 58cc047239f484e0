"""Decisions that only the exchange shows, and sentences that do not stand alone."""

from __future__ import annotations

import pytest

from meetings.conversation import Conversation
from meetings.summary.standing import cost, faults
from meetings.summary.statements import build_statements
from tests.unit.summary_builders import talk


def kinds(call: Conversation) -> list[str]:
    return [s.reading.kind for s in build_statements(call)]


@pytest.mark.parametrize("answer", ["Yeah, okay.", "Sure.", "That's fine.", "I agree."])
def test_a_conclusion_that_somebody_agrees_to_is_a_decision(answer: str) -> None:
    assert kinds(talk(("maya", "So we'll have rubber push buttons."), ("ben", answer)))[0] == "decision"


@pytest.mark.parametrize(
    "answer", ["No, wood is better.", "Yeah, but rubber is expensive.", "Why rubber?", "I saw it there."]
)
def test_a_conclusion_that_nobody_agrees_to_is_none(answer: str) -> None:
    assert kinds(talk(("maya", "So we'll have rubber push buttons."), ("ben", answer)))[0] != "decision"


def test_nobody_agrees_with_themselves() -> None:
    assert kinds(talk(("maya", "So we'll have rubber push buttons."), ("maya", "Yeah, okay.")))[0] != "decision"


@pytest.mark.parametrize(
    "said",
    ["So we'll have three presentations then.", "Maybe we'll have rubber push buttons.", "So we'll have that then."],
)
def test_the_running_of_the_meeting_and_what_is_unsure_is_no_decision(said: str) -> None:
    assert kinds(talk(("maya", said), ("ben", "Yeah, okay.")))[0] != "decision"


def test_what_the_end_of_a_meeting_sums_up_is_decided() -> None:
    chat = [("ben" if n % 2 else "laura", f"Number {n} of the list is the colour of the box.") for n in range(45)]
    call = talk(
        *chat, ("maya", "Let me recap what we have got."), ("maya", "It's going to be yellow with rubber buttons.")
    )
    assert kinds(call)[-1] == "decision"


@pytest.mark.parametrize(
    ("said", "fault"),
    [
        ("We will put the button in the", "unfinished"),
        ("It should be like that one.", "points"),
        ("My role in the project is the industrial designer.", "meeting"),
        ("The the button a of rubber costs more.", "broken"),
        ("Chip on print and case.", "no verb"),
        ("As you can see the case is curved.", "shown"),
        ("Because the battery costs less than the case.", "goes on"),
    ],
)
def test_what_keeps_a_sentence_from_standing_alone_is_named(said: str, fault: str) -> None:
    assert fault in faults(said)


@pytest.mark.parametrize(
    "said",
    [
        "The parser release moves to the tenth of December.",
        "We're planning to sell the remote controls for twenty five Euros each.",
        "That button costs more than the whole case.",
        "They [Brightwater] need the written quote by Tuesday.",
    ],
)
def test_a_sentence_that_stands_alone_costs_nothing(said: str) -> None:
    assert cost(said) == 0
