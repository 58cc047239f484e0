"""What an admin is shown follows from how the queued work stands: plain values in, plain values out."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from meetings import errors
from meetings.audit import AuditLog
from meetings.cli.status import lines
from meetings.config import Settings
from meetings.headway import StageProgress
from meetings.remedies import DIED, remedy_of
from meetings.steps import Work
from meetings.watching import Seen, Undelivered, Waiting, failures, queues, told_of, undelivered, waiting, workers

GONE = {"state": "given up", "reason": "it is gone", "cause": "MattermostNotFoundError"}
AWAY = {"state": "waiting", "reason": "no answer", "cause": "MattermostUnreachableError"}
DONE = {"state": "done", "deliveries": []}


def work(
    subject: str = "p1",
    state: str = "ended",
    *,
    created: float = 0.0,
    outcome: Mapping[str, Any] | None = None,
    due: float | None = None,
    worker: str = "w1",
) -> Work:
    return Work(
        id=f"recording:{subject}::{created:.0f}",
        subject=subject,
        queue="recordings",
        state=state,
        created=created,
        due=due,
        worker=worker,
        outcome=outcome,
    )


def test_what_was_given_up_is_shown_with_what_to_do() -> None:
    (found,) = failures([work(outcome=GONE)], [])
    assert (found.state, found.cause, found.reason) == ("given up", "gone", "it is gone")
    assert found.remedy


def test_what_is_to_be_tried_again_is_shown_with_its_time() -> None:
    (found,) = failures([work(outcome=AWAY)], [work(state="later", created=1, due=30.0)])
    assert (found.state, found.due) == ("tried again", 30.0)


def test_what_waits_for_its_transcription_failed_at_nothing() -> None:
    waiting = {"state": "waiting", "reason": "its transcription"}
    assert failures([work(outcome=waiting)], [work(state="later", created=1)]) == ()


@pytest.mark.parametrize("later", [work(outcome=DONE, created=1), work(outcome=AWAY, created=1)])
def test_a_failure_that_something_newer_followed_is_none(later: Work) -> None:
    assert failures([work(outcome=GONE), later], []) == ()


def test_a_failure_that_somebody_is_at_is_none() -> None:
    assert failures([work(outcome=GONE)], [work(state="running", created=1)]) == ()


def test_a_correction_that_failed_is_no_recording_that_failed() -> None:
    correction = Work(id="speech:names:n1:0", subject="n1", queue="speech", state="ended", created=0.0, outcome=GONE)
    assert failures([correction], []) == ()


def test_a_remedy_names_the_post() -> None:
    (found,) = failures([work(outcome={**GONE, "cause": "MattermostForbiddenError"})], [])
    assert "meetings retry p1" in found.remedy


# What waits


def test_what_waits_is_told_by_its_post_the_oldest_first() -> None:
    open_ = [work("a", "waiting", created=5), work("b", "later", created=7, due=60.0)]
    assert waiting(open_, ()) == (Waiting(post="a", since=5), Waiting(post="b", since=7, due=60.0))


def test_what_is_worked_on_or_failed_before_does_not_wait() -> None:
    open_ = [work("a", "waiting"), work("a", "running"), work("b", "later", created=1, due=9.0)]
    failed = failures([work("b", outcome=AWAY)], open_)
    assert waiting(open_, failed) == ()


def test_an_answer_to_somebody_is_no_recording_that_waits() -> None:
    answer = Work(id="answer:p1", subject="p1", queue="answers", state="waiting", created=0.0)
    assert waiting([answer], ()) == ()


def test_a_part_of_the_work_on_a_recording_is_of_that_recording() -> None:
    assert work().of_recording
    assert Work(id="speech:recording:p1::0", subject="p1", queue="speech", state="waiting", created=0.0).of_recording
    assert not Work(id="gone:recording", subject="recording", queue="q", state="waiting", created=0.0).of_recording


@pytest.mark.parametrize(
    ("stage", "words"),
    [
        (StageProgress(name="audio", state="now"), ""),
        (StageProgress(name="audio", state="now", far=0.999), "99%"),
        (StageProgress(name="audio", state="now", far=0.5, left=240.0), "50%, about 4 min left"),
        (StageProgress(name="audio", state="now", far=0.5, left=0.0), "50%, about 1 s left"),
        (StageProgress(name="audio", state="now", far=0.5, silent=300.0), "50%, nothing heard for 5 min"),
    ],
)
def test_how_far_a_stage_is_in_words(stage: StageProgress, words: str) -> None:
    assert told_of(stage) == words


def test_queues_count_by_state_and_know_their_oldest() -> None:
    open_ = [work("a", "waiting", created=7), work("b", "waiting", created=5), work("c", "later"), work("d", "running")]
    (queue,) = queues([work(outcome=GONE)], open_, failures([work(outcome=GONE)], []))
    assert (queue.waiting, queue.later, queue.running, queue.failed, queue.oldest) == (2, 1, 1, 1, 5)


def test_who_works_or_worked_lately_is_seen() -> None:
    over = [work(created=100, worker="old"), work(created=9_000, worker="lately")]
    seen = workers(over, [work(state="running", worker="now")], now=10_000)
    assert [(w.name, w.running, w.seen) for w in seen] == [("lately", 0, 9_000), ("now", 1, 10_000)]


def test_whom_a_later_try_reached_is_no_longer_undelivered(tmp_path: Path) -> None:
    log = AuditLog(Settings(home=tmp_path))
    for user, status in (("ana", "failed"), ("ben", "failed"), ("ana", "sent")):
        log.note("delivery", user=user, status=status, reason="down", recording="r1")
    assert [(u.username, u.reason) for u in undelivered(log, now=0.0)] == [("ben", "down")]


def test_of_a_delivery_of_long_ago_nothing_is_shown(tmp_path: Path) -> None:
    log = AuditLog(Settings(home=tmp_path))
    log.note("delivery", user="ana", status="failed", reason="down", recording="r1")
    assert list(undelivered(log, now=4e9)) == []


def _own_errors() -> list[str]:
    return [n for n, c in inspect.getmembers(errors, inspect.isclass) if issubclass(c, errors.MeetingsError)]


@pytest.mark.parametrize("kind", [*_own_errors(), DIED, "ZeroDivisionError", ""])
def test_every_trouble_has_a_cause_and_a_remedy(kind: str) -> None:
    found = remedy_of(kind)
    assert found.cause
    assert found.todo


def test_the_nearest_kind_of_trouble_decides() -> None:
    assert remedy_of("MattermostTLSError").cause == "certificate"
    assert remedy_of("MattermostAnswerError").cause == "unreachable"
    assert remedy_of("KeyError").cause == "unexplained"


def test_words_of_others_steer_no_terminal() -> None:
    missed = Undelivered(username="ana", recording="r1", reason="\x1b[2Jgone\nnext", at="")
    assert lines(Seen(at=0.0, undelivered=(missed,))) == ["! ana not delivered (r1): ?[2Jgone next"]
