"""The measure of kinds against labels given by hand."""

from __future__ import annotations

import pytest

from meetings.evaluation import Labelled, score_kinds


def test_right_ones_and_missed_ones_are_counted_by_kind() -> None:
    said = [
        Labelled(kind="risk", found="risk"),
        Labelled(kind="info", found="risk"),
        Labelled(kind="risk", found="info"),
        Labelled(kind="number", found="number"),
    ]
    scores = score_kinds(said, ["risk", "number"])
    assert (scores["risk"].precision, scores["risk"].recall) == (0.5, 0.5)
    assert (scores["number"].precision, scores["number"].recall) == (1.0, 1.0)


def test_what_a_sentence_does_besides_is_right_too() -> None:
    score = score_kinds([Labelled(kind="action", also=("decision",), found="decision")], ["action", "decision"])
    assert score["decision"].precision == 1.0
    assert score["action"].recall == 1.0


def test_few_sentences_promise_little() -> None:
    few = score_kinds([Labelled(kind="risk", found="risk")] * 2, ["risk"])["risk"]
    many = score_kinds([Labelled(kind="risk", found="risk")] * 200, ["risk"])["risk"]
    assert few.at_least == pytest.approx(0.342, abs=0.001)
    assert many.at_least > 0.98


def test_a_kind_that_was_never_found_promises_nothing() -> None:
    assert score_kinds([Labelled(kind="risk", found="info")], ["risk"])["risk"].at_least == 0.0
