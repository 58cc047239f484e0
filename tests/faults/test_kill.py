"""Whenever the process dies, the same command finishes the work: nothing done twice, nobody written to twice."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from meetings.mattermost import MattermostClient
from meetings.sandbox import Sandbox, post_call, run_in_thread
from tests.acceptance.conftest import SAMPLE, SAMPLE_PEOPLE, Meetings, Running
from tests.ports import held_port

pytestmark = [pytest.mark.models, pytest.mark.slow]

COMPANY = Path(__file__).parents[2] / "meetings" / "sandbox" / "data" / "company.yml"
STAGES = ["fetch", "audio", "segmentation", "transcription", "diarization", "conversation", "people", "summaries"]


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    with run_in_thread(tmp_path / "sandbox", company=COMPANY, now=datetime(2026, 11, 19, 10, tzinfo=UTC)) as running:
        yield running


def kill(process: Running, how: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, how)


def test_killed_again_and_again_the_run_still_writes_to_everyone_once(
    sandbox: Sandbox, meetings: Meetings, short: Path
) -> None:
    client = MattermostClient(sandbox.url, sandbox.bot_token)
    participants = ["maya.chen", "ben.okafor", "laura.stein", "oscar.lind", "nadia.haddad"]
    call = post_call(
        sandbox.tokens,
        short,
        channel="product",
        title="Weekly",
        started_by="maya.chen",
        participants=participants,
        duration=15.0,
    )
    env = {"MATTERMOST_URL": sandbox.url, "MATTERMOST_TOKEN": sandbox.bot_token}
    kills, patience = 0, 1.0
    while True:
        process = meetings.start("process", call.permalink, "--deliver", "--out", "out", "--json", env=env)
        try:
            out, err = process.communicate(timeout=patience)
            break
        except subprocess.TimeoutExpired:
            kill(process, signal.SIGKILL)
            process.communicate()
            kills += 1
            # Longer each time, so that the slowest stage gets done on the slowest machine too.
            patience *= 1.25
    assert process.returncode == 0, err
    assert kills >= 2
    delivered = {d["username"] for d in json.loads(out)["deliveries"]}
    assert set(participants) <= delivered
    for username in delivered:
        direct = client.direct_channel(client.user_by_username(username).id)
        mine = [p for p in client.latest_posts(direct, 50) if p.user_id == client.me().id]
        assert len(mine) == 1, username


# With two threads recognition and diarization run in turn, with four side by side, whatever the machine has.
@pytest.mark.parametrize(
    ("after", "threads"),
    [("audio", 2), ("segmentation", 2), ("segmentation", 4), ("transcription", 2), ("people", 4)],
)
def test_ctrl_c_ends_with_130_and_the_same_command_finishes(
    meetings: Meetings, short: Path, after: str, threads: int
) -> None:
    command = ("process", short, "--people", SAMPLE_PEOPLE, "--out", "out")
    for attempt in range(5):
        env = {"MEETINGS_THREADS": str(threads), "MEETINGS_HOME": f"{meetings.env['MEETINGS_HOME']}-{attempt}"}
        process = meetings.start(*command, env=env)
        assert process.stderr is not None
        seen = ""
        for line in process.stderr:
            seen += line
            if line.startswith(f"{after}:"):
                break
        kill(process, signal.SIGINT)
        _, rest = process.communicate(timeout=120)
        if process.returncode != 0:
            break
        # It was done before this process came to the signal: nothing was interrupted.
        shutil.rmtree(meetings.cwd / "out")
    assert process.returncode == 130, seen + rest
    assert "run the same command again" in rest
    assert "Traceback" not in seen + rest
    done = meetings(*command, "--json", env=env)
    assert done.code == 0, done.err
    # What was done before Ctrl-C is not done again.
    before = STAGES[: STAGES.index(after) + 1]
    assert all(s["reused"] for s in done.json()["stages"] if s["stage"] in before)
    assert not list((meetings.cwd / "out").rglob(".*"))


def test_a_second_process_on_the_same_recording_is_told_to_wait(meetings: Meetings) -> None:
    # Minutes of work: it is at it still, however late the second comes.
    first = meetings.start("process", SAMPLE, "--people", SAMPLE_PEOPLE, "--out", "one")
    assert first.stderr is not None
    first.stderr.readline()  # a stage is done: it is at work
    second = meetings("process", SAMPLE, "--people", SAMPLE_PEOPLE, "--out", "two")
    kill(first, signal.SIGKILL)
    first.communicate()
    assert second.code == 1
    assert "another process" in second.error_line()


def test_a_server_that_goes_away_before_delivery_leaves_a_run_that_can_be_finished(
    tmp_path: Path, meetings: Meetings, short: Path
) -> None:
    folder = tmp_path / "sandbox"
    with run_in_thread(folder, company=COMPANY) as sandbox:
        port = int(sandbox.url.rsplit(":", 1)[1])
        env = {"MATTERMOST_URL": sandbox.url, "MATTERMOST_TOKEN": sandbox.bot_token}
        process = meetings.start("process", short, "--people", SAMPLE_PEOPLE, "--deliver", "--out", "out", env=env)
        assert process.stderr is not None
        for line in process.stderr:
            if line.startswith("audio:"):
                break
    # Nobody else answers there meanwhile, nor takes the port that it comes back to.
    with held_port(port):
        _, err = process.communicate(timeout=400)
        assert process.returncode == 3, err
        assert "not delivered to" in err
        assert "ben.okafor" in err
        with run_in_thread(folder, company=COMPANY, port=port):
            again = meetings(
                *("process", short, "--people", SAMPLE_PEOPLE, "--deliver", "--out", "out", "--json"), env=env
            )
    assert again.code == 0, again.err
    assert {d["status"] for d in again.json()["deliveries"]} == {"sent"}
