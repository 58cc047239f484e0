"""Feedback on the sample call, with the real embeddings: what is not wanted goes, what is asked for comes."""

from __future__ import annotations

import json

import pytest

from tests.acceptance.conftest import SAMPLE, SAMPLE_PEOPLE, Meetings

POSTING = "open the job posting"
SEARCH = "a person with experience in search"


@pytest.fixture
def sample(meetings: Meetings) -> Meetings:
    """The sample call's true words and speakers, as a transcript in the working folder."""
    truth = json.loads(SAMPLE.with_suffix(".truth.json").read_text(encoding="utf-8"))
    who = sorted({t["speaker"] for t in truth["turns"]})
    conversation = {
        "id": "sample",
        "title": truth["title"],
        "language": "en",
        "duration": truth["duration"],
        "started_at": None,
        "participants": who,
        "speakers": [{"id": w, "name": w, "username": w, "confidence": 1.0, "how": "transcript"} for w in who],
        "utterances": [
            {"id": f"u{n}", "speaker": t["speaker"], "start": t["start"], "end": t["end"], "text": t["text"]}
            for n, t in enumerate(truth["turns"])
        ],
    }
    (meetings.cwd / "transcript.json").write_text(json.dumps(conversation))
    return meetings


def bullets(meetings: Meetings, username: str) -> list[dict[str, object]]:
    done = meetings("summarize", "transcript.json", "--people", SAMPLE_PEOPLE, "--writer", "extract", "--json",
                    env={"MEETINGS_LANGUAGE_MODEL": "none"})  # fmt: skip
    assert done.code == 0, done.err
    found = {s["person"]["username"]: s["bullets"] for s in done.json()["summaries"]}
    result: list[dict[str, object]] = found[username]
    return result


def ask(meetings: Meetings, *args: str) -> None:
    done = meetings("people", "feedback", *args)
    assert done.code == 0, done.err


@pytest.mark.models
def test_less_of_a_subject_takes_its_bullets_away_but_not_ones_own_task(sample: Meetings) -> None:
    before = [str(b["text"]) for b in bullets(sample, "tom.becker")]
    assert any(SEARCH in t for t in before)
    ask(sample, "tom.becker", "--less", "hiring")
    after = [str(b["text"]) for b in bullets(sample, "tom.becker")]
    assert not any(SEARCH in t for t in after)
    assert any(POSTING in t for t in after)  # Maya says that it falls to Tom


@pytest.mark.models
def test_more_of_a_subject_brings_a_bullet_with_its_reason(sample: Meetings) -> None:
    assert not any(POSTING in str(b["text"]) for b in bullets(sample, "oscar.lind"))
    ask(sample, "oscar.lind", "--more", "hiring")
    (found,) = [b for b in bullets(sample, "oscar.lind") if POSTING in str(b["text"])]
    assert found["why"] == "you asked for more of this: hiring"


@pytest.mark.models
def test_a_shorter_summary_is_shorter(sample: Meetings) -> None:
    before = len(bullets(sample, "oscar.lind"))
    ask(sample, "oscar.lind", "--length", "short")
    assert len(bullets(sample, "oscar.lind")) < before
