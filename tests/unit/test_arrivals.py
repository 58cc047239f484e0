"""When a posted recording is worked on."""

from __future__ import annotations

import errno
import os
from typing import Any

import pytest

from meetings.arrivals import (
    LONGEST_PAUSE,
    LOOK_AGAIN,
    PATIENT,
    UNEXPLAINED,
    Drop,
    Wait,
    Work,
    call_of,
    decide,
    decide_again,
    recording_of,
)
from meetings.errors import (
    BusyError,
    ConfigError,
    MattermostAuthError,
    MattermostError,
    MattermostForbiddenError,
    MattermostNotFoundError,
    MattermostRateLimitError,
    MattermostUnreachableError,
    ModelMissingError,
    ModelServerUnreachableError,
    NoAudioError,
    StorageError,
)
from meetings.mattermost import Recording
from meetings.mattermost.client import FileInfo, Post

POSTED = 1_000_000_000


def recording(**changed: Any) -> Recording:
    given: dict[str, Any] = {
        "file": FileInfo(id="f" * 26, post_id="p" * 26, name="call.mp4", size=1),
        "post_id": "p" * 26,
        "channel_id": "c" * 26,
        "call_post_id": "k" * 26,
        "title": "Weekly",
        "started_at": None,
        "participant_ids": (),
        "transcript_file_id": None,
        "posted_at": POSTED,
        "call_over": True,
        "transcript_announced": False,
    }
    return Recording(**{**given, **changed})


def test_a_recording_that_lacks_nothing_is_worked_on_at_once() -> None:
    assert decide(recording(), now=POSTED, patience=600) == Work()


def test_an_announced_transcription_is_waited_for() -> None:
    found = decide(recording(transcript_announced=True), now=POSTED + 1_000, patience=600)
    assert found == Wait(seconds=LOOK_AGAIN, reason="its transcription")


def test_a_transcription_that_is_there_is_not_waited_for() -> None:
    there = recording(transcript_announced=True, transcript_file_id="t" * 26)
    assert decide(there, now=POSTED, patience=600) == Work()


def test_people_who_talk_on_are_waited_for() -> None:
    found = decide(recording(call_over=False), now=POSTED, patience=600)
    assert isinstance(found, Wait)
    assert found.reason == "the end of its call"


def test_the_last_look_is_at_the_deadline() -> None:
    found = decide(recording(transcript_announced=True), now=POSTED + 595_000, patience=600)
    assert found == Wait(seconds=5.0, reason="its transcription")


def test_after_the_deadline_the_work_begins_without_and_says_so() -> None:
    found = decide(recording(transcript_announced=True), now=POSTED + 600_000, patience=600)
    assert found == Work(note="its transcription did not come within 10 minutes")


def test_a_clock_that_runs_behind_does_not_make_the_wait_longer() -> None:
    found = decide(recording(transcript_announced=True), now=POSTED - 10**9, patience=15)
    assert found == Wait(seconds=15, reason="its transcription")


PASSING = [
    MattermostUnreachableError("no answer"),
    MattermostRateLimitError("slow down", retry_after=1),
    MattermostAuthError("revoked", status=401),
    MattermostError("bad gateway", status=502),
    MattermostError("too slow", status=408),
    StorageError.__new__(StorageError),
    BusyError("at it"),
    ModelServerUnreachableError.__new__(ModelServerUnreachableError),
    ConfigError("wrong, until an admin mends it"),
    ModelMissingError.__new__(ModelMissingError),
]
LASTING = [
    MattermostNotFoundError("deleted", status=404),
    MattermostForbiddenError("not a member", status=403),
    MattermostError("no recording", status=400),
    MattermostError("not implemented", status=501),
    NoAudioError("call.mp4", "no sound"),
]


@pytest.mark.parametrize("error", PASSING, ids=lambda e: type(e).__name__)
def test_trouble_that_passes_is_waited_out(error: Exception) -> None:
    assert isinstance(decide_again(error, attempt=1), Wait)
    assert isinstance(decide_again(error, attempt=PATIENT - 1), Wait)
    assert isinstance(decide_again(error, attempt=PATIENT), Drop)


@pytest.mark.parametrize("error", LASTING, ids=lambda e: type(e).__name__)
def test_what_would_be_refused_again_is_not_tried_again(error: Exception) -> None:
    assert isinstance(decide_again(error, attempt=1), Drop)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EMFILE, errno.ENOMEM])
def test_what_a_machine_is_short_of_comes_back_and_is_waited_for(number: int) -> None:
    assert isinstance(decide_again(OSError(number, os.strerror(number)), attempt=PATIENT - 1), Wait)


def test_a_file_that_is_missing_does_not_come_back() -> None:
    assert isinstance(decide_again(FileNotFoundError(errno.ENOENT, "gone"), attempt=UNEXPLAINED), Drop)


def test_what_cannot_be_explained_is_tried_three_times() -> None:
    assert isinstance(decide_again(RuntimeError("?"), attempt=UNEXPLAINED - 1), Wait)
    assert isinstance(decide_again(RuntimeError("?"), attempt=UNEXPLAINED), Drop)


def test_pauses_double_up_to_a_quarter_of_an_hour() -> None:
    pauses = [decide_again(MattermostUnreachableError("x"), attempt=n) for n in range(1, 12)]
    seconds = [p.seconds for p in pauses if isinstance(p, Wait)]
    assert seconds[:3] == [15, 30, 60]
    assert seconds[-1] == LONGEST_PAUSE


def post(kind: str, **more: Any) -> Post:
    return Post(id="p" * 26, channel_id="c" * 26, user_id="u" * 26, type=kind, **more)


def test_only_the_plugins_posts_are_recordings() -> None:
    assert recording_of(post("custom_calls_recording", file_ids=("f",))) == "p" * 26
    assert recording_of(post("", file_ids=("f",))) is None
    assert recording_of(post("custom_calls_recording")) is None
    assert recording_of(post("custom_calls_recording", file_ids=("f",), delete_at=5)) is None


def test_a_transcription_leads_to_its_call() -> None:
    assert call_of(post("custom_calls_transcription", props={"call_post_id": "k"})) == "k"
    assert call_of(post("custom_calls_transcription", props={"call_post_id": 7})) is None
    assert call_of(post("custom_calls", props={"call_post_id": "k"})) is None
