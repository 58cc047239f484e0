"""Errors are one line, and survive being stored by the step engine."""

import errno
import importlib
import inspect
import os
import pickle
from pathlib import Path

import pytest

from meetings import errors
from meetings.errors import (
    MattermostRateLimitError,
    MeetingsError,
    ModelMissingError,
    RecordingNotFoundError,
    StorageError,
)

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


def ended(error: OSError, monkeypatch: pytest.MonkeyPatch) -> object:
    """How the command ends when this comes up from anywhere in it."""

    def failing(**_: object) -> None:
        raise error

    command = importlib.import_module("meetings.cli.main")
    monkeypatch.setattr(command.cli, "main", failing)
    with pytest.raises(SystemExit) as raised:
        command.main()
    return raised.value.code


@pytest.mark.parametrize(
    ("code", "remedy"),
    [
        (errno.EROFS, "check the folder and its permissions"),
        (errno.EACCES, "check the folder and its permissions"),
        (errno.ENOSPC, "free some space"),
        (errno.EDQUOT, "free some space"),
        (errno.EIO, "check the folder and its permissions"),
    ],
)
def test_what_a_disk_refuses_anywhere_is_one_line_with_the_file_and_the_remedy(
    code: int, remedy: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    refused = OSError(code, os.strerror(code), "/srv/meetings/search/.lock")
    assert ended(refused, monkeypatch) == 1
    told = f"{os.strerror(code)}; {remedy}"
    assert capsys.readouterr().err == f"error: /srv/meetings/search/.lock: {told}\n"
    assert str(StorageError(Path("/srv"), refused)) == f"cannot write /srv: {told}"


def test_what_no_disk_refuses_is_a_defect_and_tells_where(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConnectionResetError):
        ended(ConnectionResetError(errno.ECONNRESET, "reset"), monkeypatch)
