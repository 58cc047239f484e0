"""A line of the log says what it is about; as JSON, a program can read it."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meetings.logs import JsonLines, about, talk

log = logging.getLogger("meetings.test")


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    own = logging.getLogger("meetings")
    kept = own.handlers, own.propagate, own.level
    yield
    own.handlers, own.propagate, own.level = kept


def line(message: str) -> dict[str, str]:
    record = logging.LogRecord("meetings.test", logging.INFO, "", 0, message, (), None)
    return json.loads(JsonLines().format(record))  # type: ignore[no-any-return]


def test_a_line_says_when_and_how_grave_and_of_which_recording() -> None:
    with about(recording="p1", channel="c1"), about(stage="audio"):
        found = line("hello")
    assert datetime.fromisoformat(found.pop("time")).tzinfo is not None
    assert found == {
        "level": "INFO",
        "logger": "meetings.test",
        "message": "hello",
        "recording": "p1",
        "channel": "c1",
        "stage": "audio",
    }


def test_what_is_over_is_not_told_of() -> None:
    with about(recording="p1"):
        pass
    assert "recording" not in line("hello")


def test_what_is_not_known_is_left_out() -> None:
    with about(recording="p1", channel=None):
        assert "channel" not in line("hello")


def test_another_thread_is_about_its_own() -> None:
    with about(recording="p1"), ThreadPoolExecutor(1) as other:
        assert "recording" not in other.submit(line, "hello").result()


@given(st.text())
def test_whatever_is_logged_it_is_one_line_of_json(message: str) -> None:
    record = logging.LogRecord("meetings.test", logging.INFO, "", 0, "%s", (message,), None)
    text = JsonLines().format(record)
    assert "\n" not in text
    assert json.loads(text)["message"] == message


def test_a_trace_of_an_error_stays_in_its_line() -> None:
    try:
        raise ValueError("x")
    except ValueError as error:
        record = logging.LogRecord("m", logging.ERROR, "", 0, "bad", (), (type(error), error, error.__traceback__))
    assert "ValueError" in json.loads(JsonLines().format(record))["exception"]


@pytest.mark.parametrize(("verbose", "told"), [(False, 1), (True, 2)])
def test_what_is_for_finding_faults_is_told_when_asked(
    verbose: bool, told: int, capsys: pytest.CaptureFixture[str]
) -> None:
    talk(form="json", verbose=verbose)
    log.info("one")
    log.debug("two")
    logging.getLogger("others").warning("what libraries say is theirs")
    assert len(capsys.readouterr().err.splitlines()) == told
