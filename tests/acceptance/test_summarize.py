"""`meetings summarize` and `meetings people`, as a user runs them, with the real starter models."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from meetings.conversation import from_json, to_json
from meetings.evaluation import score_summaries
from tests.acceptance.conftest import Meetings
from tests.unit.summary_builders import WEEKLY

DATA = Path(__file__).parents[2] / "meetings" / "sandbox" / "data"
PEOPLE = """\
- {username: maya, name: Maya Chen, position: Director of Product Engineering}
- {username: ben, name: Ben Okafor, position: Backend Engineer}
- {username: laura, name: Laura Stein, position: Head of Content}
- {username: tom, name: Tom Becker, position: Head of People, interests: [hiring, onboarding]}
"""


@pytest.fixture
def files(meetings: Meetings) -> Path:
    """The folder the command runs in, with a call and its people."""
    (meetings.cwd / "call.json").write_text(json.dumps(to_json(WEEKLY)), encoding="utf-8")
    (meetings.cwd / "people.yml").write_text(PEOPLE, encoding="utf-8")
    return meetings.cwd


NO_LANGUAGE_MODEL = {"MEETINGS_LANGUAGE_MODEL": "none"}


@pytest.mark.slow
@pytest.mark.models
def test_a_transcript_becomes_a_different_summary_for_each_person(meetings: Meetings, files: Path) -> None:
    done = meetings("summarize", "call.json", "--people", "people.yml", "--out", "out", "--explain", "--json")
    assert done.code == 0, done.err
    assert done.err == ""
    summaries = {s["person"]["username"]: s for s in json.loads(done.out)["summaries"]}
    assert set(summaries) == {"maya", "ben", "laura", "tom"}
    ben = [b for b in summaries["ben"]["bullets"] if b["mine"]]
    assert any(b["owner"] == "Ben Okafor" and b["due"] == "2026-11-20" for b in ben)
    for summary in summaries.values():
        assert any("tenth of December" in b["text"] for b in summary["bullets"])
        assert set(summary["relevance"]) == {u.id for u in WEEKLY.utterances}
    assert not any("Northgate" in b["text"] for b in summaries["tom"]["bullets"])
    for username, summary in summaries.items():
        assert json.loads((files / "out" / f"{username}.json").read_text(encoding="utf-8")) == summary
    assert "You missed this one, Tom." in (files / "out" / "tom.md").read_text(encoding="utf-8")


@pytest.mark.models
def test_without_a_language_model_summaries_are_made_all_the_same(meetings: Meetings, files: Path) -> None:
    done = meetings("summarize", "call.json", "--people", "people.yml", env=NO_LANGUAGE_MODEL)
    assert done.code == 0, done.err
    assert "##### For you" in done.out
    assert "headline by" not in done.out


@pytest.mark.slow
@pytest.mark.models
def test_the_sample_call_gives_people_what_they_ought_to_get(meetings: Meetings) -> None:
    truth = json.loads((DATA / "sample_call" / "weekly-product-call.truth.json").read_text(encoding="utf-8"))
    utterances = [{"id": str(n), **turn} for n, turn in enumerate(truth["turns"])]
    call = {
        "title": truth["title"],
        "started_at": f"{truth['date']}T10:00:00Z",
        "participants": truth["speakers"],
        "speakers": [
            {"id": u, "name": u.replace(".", " ").title(), "username": u, "confidence": 1.0, "how": "talk"}
            for u in truth["speakers"]
        ],
        "utterances": utterances,
    }
    (meetings.cwd / "call.json").write_text(json.dumps(call), encoding="utf-8")
    done = meetings("summarize", "call.json", "--people", str(DATA / "people.yml"), "--json", env=NO_LANGUAGE_MODEL)
    assert done.code == 0, done.err
    score = score_summaries(json.loads(done.out)["summaries"], truth, from_json(call))
    assert score.leaked == 0
    assert score.must_recall >= 0.85
    assert score.unasked <= 0.4 * score.bullets


def test_a_silent_transcript_needs_no_models(meetings: Meetings, files: Path) -> None:
    (files / "call.json").write_text('{"title": "Quiet", "utterances": []}', encoding="utf-8")
    done = meetings("summarize", "call.json", "--people", "people.yml", env={"MEETINGS_MODELS": str(files / "no")})
    assert done.code == 0, done.err
    assert done.out.count("Nothing was said in this recording.") == 4


def test_a_missing_model_is_one_line_with_its_remedy(meetings: Meetings, files: Path) -> None:
    done = meetings("summarize", "call.json", "--people", "people.yml", env={"MEETINGS_MODELS": str(files / "no")})
    assert done.code == 1
    assert done.out == ""
    assert done.err.count("\n") == 1
    assert "meetings models pull" in done.err


@pytest.mark.models
def test_a_writer_without_admission_is_one_line(meetings: Meetings, files: Path) -> None:
    done = meetings("summarize", "call.json", "--people", "people.yml", "--writer", "compose")
    assert done.code == 1
    assert done.err.startswith("error: writer compose cannot be used: ")
    assert done.err.count("\n") == 1


@pytest.mark.parametrize(
    ("call", "told"),
    [("{", "not JSON"), ("[]", "must be a JSON object"), ('{"utterances": [{"text": "x"}]}', "lacks 'speaker'")],
)
def test_a_broken_transcript_is_one_line(meetings: Meetings, files: Path, call: str, told: str) -> None:
    (files / "call.json").write_text(call, encoding="utf-8")
    done = meetings("summarize", "call.json", "--people", "people.yml")
    assert done.code == 1
    assert told in done.err
    assert done.err.count("\n") == 1


def test_a_person_is_shown_with_every_ingredient_and_its_weight(meetings: Meetings, files: Path) -> None:
    done = meetings("people", "show", "tom", "--people", "people.yml", "--json")
    assert done.code == 0, done.err
    shown = json.loads(done.out)
    assert shown["profiles"] == ["people"]
    why = "an interest in the people file weighs 1.2"
    interest = {"source": "interest", "text": "onboarding", "weight": 1.2, "detail": "", "why": why}
    assert interest in shown["ingredients"]
    plain = meetings("people", "show", "tom", "--people", "people.yml")
    assert "1.20  interest  onboarding" in plain.out


def test_a_misspelt_person_is_one_line_with_a_suggestion(meetings: Meetings, files: Path) -> None:
    done = meetings("people", "show", "tomm", "--people", "people.yml")
    assert done.code == 1
    assert "did you mean tom?" in done.err


def test_a_people_file_is_checked(meetings: Meetings, files: Path) -> None:
    done = meetings("people", "check", "people.yml")
    assert done.code == 0
    assert "4 people, all well" in done.out
    (files / "people.yml").write_text("- {username: tom, name: Tom, postion: x}\n", encoding="utf-8")
    refused = meetings("people", "check", "people.yml")
    assert refused.code == 1
    assert "did you mean position?" in refused.err
