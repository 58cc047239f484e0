"""The measure of summaries against what people ought to get."""

from __future__ import annotations

from typing import Any

import pytest

from meetings.conversation import Conversation, Utterance
from meetings.evaluation import score_summaries

CALL = Conversation(
    id="c",
    utterances=(
        Utterance(id="a", speaker="s", start=0.0, end=5.0, text="The parser release moves to December."),
        Utterance(id="b", speaker="s", start=5.0, end=10.0, text="Northgate may leave us in March."),
        Utterance(id="c", speaker="s", start=10.0, end=15.0, text="The webinar brought three hundred visitors."),
    ),
)
TRUTH: dict[str, Any] = {
    "speakers": ["maya"],
    "turns": [{"speaker": "maya", "start": u.start, "end": u.end, "text": u.text} for u in CALL.utterances],
    "confidential": {"turns": [1]},
    "expected": {
        "maya": {
            "items": [{"what": "release", "must": True, "turns": [0]}, {"what": "N", "must": False, "turns": [1]}]
        },
        "tom": {"items": [{"what": "release", "must": True, "turns": [0]}]},
    },
}


def summary(username: str, *ids: str) -> dict[str, Any]:
    by_id = {u.id: u.text for u in CALL.utterances}
    return {"person": {"username": username}, "bullets": [{"text": by_id[i], "evidence": [i]} for i in ids]}


def test_items_found_and_missed_are_told_by_person() -> None:
    score = score_summaries([summary("maya", "a", "c"), summary("tom", "c")], TRUTH, CALL)
    maya, tom = score.people
    assert (maya.must_found, maya.may_missed) == (("release",), ("N",))
    assert tom.must_missed == ("release",)
    assert score.must_recall == pytest.approx(1 / 2)
    assert score.recall == pytest.approx(1 / 3)
    assert score.unasked == 2
    assert score.bullets == 3


def test_a_confidence_told_to_somebody_absent_is_a_leak() -> None:
    score = score_summaries([summary("maya", "b"), summary("tom", "b")], TRUTH, CALL)
    assert score.leaked == 1
    assert score.people[1].leaked == ("Northgate may leave us in March.",)


def test_a_bullet_must_hold_words_of_the_turn_it_overlaps() -> None:
    stray = {
        "person": {"username": "tom"},
        "bullets": [{"text": "Entirely different subject matter.", "evidence": ["a"]}],
    }
    assert score_summaries([stray], TRUTH, CALL).must_recall == 0.0


def test_people_without_expectation_do_not_count() -> None:
    assert score_summaries([summary("eve", "a")], TRUTH, CALL).people == ()
