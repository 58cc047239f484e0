"""`meetings status` and `meetings retry`, beside a service that runs, on SQLite and on PostgreSQL."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from meetings.cli.main import cli
from meetings.config import load_settings
from meetings.pipeline import Silent
from meetings.queueing import Inbox
from meetings.service import open_inbox
from meetings.worker import QUEUES, Worker
from tests.acceptance.conftest import Meetings, hear_ctrl_c
from tests.acceptance.sandbox_company import api, sandbox_in
from tests.databases import made_ready


def command(*args: str) -> Result:
    return CliRunner().invoke(cli, args, catch_exceptions=False)


def seen() -> Any:
    return json.loads(command("status", "--json").output)


def await_(what: Callable[[], object], patience: float = 120.0) -> None:
    end = time.monotonic() + patience
    while not what():
        assert time.monotonic() < end, seen()
        time.sleep(0.1)


@dataclass
class Running:
    """A service that runs, with a recording that is none: a person posted it."""

    inbox: Inbox
    post: str


@pytest.fixture(params=["sqlite", "postgresql"])
def running(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    if request.param == "postgresql":
        monkeypatch.setenv("MEETINGS_DATABASE_URL", request.getfixturevalue("postgres_url"))
        monkeypatch.setenv("MEETINGS_VOICES_KEY", "A" * 43 + "=")
    with sandbox_in(tmp_path / "sandbox") as sandbox:
        ana = api(sandbox, "ana")
        place = ana.channel("product")["id"]
        file = ana.upload(place, "call.mp4", b"x")
        post = ana.write(place, "", type="custom_calls_recording", file_ids=[file["id"]])
        monkeypatch.setenv("MATTERMOST_URL", sandbox.url)
        monkeypatch.setenv("MATTERMOST_TOKEN", sandbox.bot_token or "")
        settings = made_ready(load_settings(folder=tmp_path, user_folder=tmp_path))
        with contextlib.ExitStack() as open_:
            inbox = open_.enter_context(open_inbox(settings, Silent()))
            if settings.database_url is not None:
                worker = Worker(settings, Silent(), queues=QUEUES)
                open_.callback(worker._alive.release)  # it would hold that to the process's end
                open_.enter_context(worker)
            yield Running(inbox=inbox, post=str(post["id"]))


def test_a_failure_is_shown_with_its_remedy_and_can_be_tried_again(
    running: Running, caplog: pytest.LogCaptureFixture
) -> None:
    running.inbox.put(running.post)
    await_(lambda: seen()["failures"])
    (failure,) = seen()["failures"]
    assert (failure["post"], failure["state"], failure["cause"]) == (running.post, "given up", "recording")
    assert failure["reason"] in command("status").output
    assert failure["remedy"] in command("status").output
    assert command("retry", "--all").output == f"{running.post} queued\n"
    await_(lambda: caplog.text.count("is given up") == 2)


def test_what_waits_for_its_time_is_tried_now(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(self: object, post_id: str) -> None:
        from meetings.errors import MattermostUnreachableError

        raise MattermostUnreachableError("no answer")

    monkeypatch.setattr("meetings.arrivals.FIRST_PAUSE", 3600.0)
    with monkeypatch.context() as patch:
        patch.setattr("meetings.mattermost.client.MattermostClient.post", away)
        running.inbox.put(running.post)
        await_(lambda: any(f["due"] for f in seen()["failures"]))
    assert seen()["failures"][0]["state"] == "tried again"
    assert command("retry", running.post).output == f"{running.post} is tried now\n"
    # At once, and not after its hour; then it is known for what it is.
    await_(lambda: [f["state"] for f in seen()["failures"]] == ["given up"])


def test_where_nothing_was_ever_queued_there_is_nothing_to_see(tmp_path: Path) -> None:
    assert command("status").output == "nothing waits, and nothing is being worked on\n"


def test_nothing_is_put_back_where_nothing_was_ever_queued(meetings: Meetings) -> None:
    done = meetings("retry", "--all")
    assert done.code == 1
    assert "nothing was ever queued" in done.error_line()


@pytest.mark.parametrize(
    "args", [("retry",), ("retry", "--all", "p" * 26), ("retry", "no-post"), ("status", "--watch", "--json")]
)
def test_what_makes_no_sense_is_refused(args: tuple[str, ...]) -> None:
    assert command(*args).exit_code == 2


def test_a_database_that_is_away_is_told_in_one_line_without_its_password(meetings: Meetings) -> None:
    url = "postgresql://somebody:s3cret@127.0.0.1:9/nowhere"
    done = meetings("status", env={"MEETINGS_DATABASE_URL": url})
    assert done.code == 1
    assert "database_url" in done.error_line()
    assert "s3cret" not in done.err


def test_a_watch_draws_until_ctrl_c(meetings: Meetings) -> None:
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        meetings.command("status", "--watch"),
        cwd=meetings.cwd,
        env=meetings.environment(),
        stdout=theirs,
        stderr=theirs,
        preexec_fn=hear_ctrl_c,
    )
    os.close(theirs)
    shown = b""
    try:
        while b"nothing waits" not in shown:
            shown += os.read(ours, 4096)
        process.send_signal(signal.SIGINT)
        with contextlib.suppress(OSError):  # a terminal that nobody is behind any more
            while os.read(ours, 4096):
                pass
        assert process.wait(120) == 130
    finally:
        process.kill()
        process.wait()
        os.close(ours)
