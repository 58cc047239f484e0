"""Errors are one line, and survive being stored by the step engine."""

import inspect
import pickle
from pathlib import Path

import pytest

from meetings import errors
from meetings.errors import MattermostRateLimitError, MeetingsError, ModelMissingError, RecordingNotFoundError

SAMPLES = [
    MeetingsError("x"),
    RecordingNotFoundError("call.mp4"),
    ModelMissingError("whisper-base", Path("/m")),
    MattermostRateLimitError("slow", retry_after=3.0),
]


@pytest.mark.parametrize("error", SAMPLES, ids=lambda e: type(e).__name__)
def test_an_error_is_the_same_after_storage(error: MeetingsError) -> None:
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is type(error)
    assert str(again) == str(error)
    assert again.__dict__ == error.__dict__


def test_every_error_is_in_the_one_tree() -> None:
    classes = [c for _, c in inspect.getmembers(errors, inspect.isclass) if c.__module__ == errors.__name__]
    assert len(classes) > 10
    assert all(issubclass(c, MeetingsError) for c in classes)
