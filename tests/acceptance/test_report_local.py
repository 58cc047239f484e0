"""`meetings report` as a user runs it: after `meetings process`, until Ctrl-C."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest
import requests

from tests.acceptance.conftest import Meetings

pytestmark = [pytest.mark.models, pytest.mark.slow]


def test_what_was_processed_is_looked_at_and_heard_until_ctrl_c(after_speech: Meetings, talk: Path) -> None:
    (after_speech.cwd / "one.yml").write_text("- username: zoe\n  name: Zoe Zed\n  position: Head of Sales\n")
    done = after_speech("process", talk, "--people", "one.yml", "--writer", "extract", "--out", "my call")
    assert done.code == 0, done.err
    assert "Look at it: meetings report 'my call'" in done.out
    command = after_speech.start("report", "my call", "--for", "zoe")
    try:
        assert command.stdout is not None
        address = command.stdout.readline().strip()
        page, _, _ = address.partition("?")
        assert page.startswith("http://127.0.0.1:")
        assert requests.get(page, timeout=60).status_code == 403
        session = requests.Session()
        session.get(address, timeout=60)
        assert "Summary for Zoe Zed" in session.get(page, timeout=60).text
        part = session.get(f"{page}/media", headers={"Range": "bytes=0-99"}, timeout=60)
        assert part.content == talk.read_bytes()[:100]
    finally:
        command.send_signal(signal.SIGINT)
        out, err = command.communicate(timeout=120)
    assert (command.returncode, out.splitlines()[-1], err) == (0, "Closed.", "")


def test_a_port_that_is_taken_is_said_in_one_line(after_speech: Meetings, talk: Path) -> None:
    command = after_speech.start("report", str(talk))
    try:
        assert command.stdout is not None
        port = command.stdout.readline().partition("?")[0].split(":")[2].partition("/")[0]
        refused = after_speech("report", str(talk), "--port", port)
        assert refused.code == 1
        assert f"cannot answer at port {port}" in refused.error_line()
    finally:
        command.send_signal(signal.SIGINT)
        command.communicate(timeout=120)
