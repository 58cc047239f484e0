"""The kinds of what is said in real meetings: what the recogniser is held to on sentences labelled by hand."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from meetings.evaluation import Labelled, score_kinds
from meetings.summary.kinds import QUIET, read_sentence
from meetings.summary.text import clean

LABELS = Path(__file__).parents[1] / "data" / "kinds" / "labels.jsonl"
ROLES = ("project manager", "industrial designer", "user interface", "marketing")
KINDS = ("decision", "action", "risk", "question", "number")


@pytest.fixture(scope="module")
def items() -> list[dict[str, Any]]:
    return [json.loads(line) for line in LABELS.read_text(encoding="utf-8").splitlines()]


@pytest.fixture(scope="module")
def labelled(items: list[dict[str, Any]]) -> list[Labelled]:
    found = []
    for item in items:
        reading = read_sentence(clean(item["text"]), names=ROLES)
        quiet = reading.kind == "question" and reading.strength < QUIET
        kind = "info" if quiet else reading.kind
        found.append(Labelled(kind=item["kind"], also=tuple(item["also"]), found=kind))
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_at_least_four_of_five_that_are_found_are_right(labelled: list[Labelled], kind: str) -> None:
    score = score_kinds(labelled, [kind])[kind]
    assert score.found >= 50
    assert score.precision >= 0.8


@pytest.mark.parametrize("kind", KINDS)
def test_precision_is_not_bought_with_silence(labelled: list[Labelled], kind: str) -> None:
    assert score_kinds(labelled, [kind])[kind].recall >= 0.8


def test_owners_of_tasks_are_those_labelled(items: list[dict[str, Any]]) -> None:
    right = total = 0
    for item in items:
        reading = read_sentence(clean(item["text"]), names=ROLES)
        if item["kind"] == reading.kind == "action":
            total += 1
            right += sorted(o.lower() for o in reading.owners) == sorted(o.lower() for o in item["owners"])
    assert right / total >= 0.8


def test_no_meeting_is_in_two_parts(items: list[dict[str, Any]]) -> None:
    parts = {(item["meeting"], item["half"]) for item in items}
    assert len(parts) == len({meeting for meeting, _ in parts})


def test_no_sentence_is_labelled_twice(items: list[dict[str, Any]]) -> None:
    places = Counter((item["meeting"], item["turn"], item["text"]) for item in items)
    assert max(places.values()) == 1


def test_labels_are_of_the_rule(items: list[dict[str, Any]]) -> None:
    assert {item["kind"] for item in items} == {*KINDS, "info"}
    assert {kind for item in items for kind in item["also"]} <= set(KINDS)
    assert not [item for item in items if item["owners"] and item["kind"] != "action"]
