"""The bot's token and people's words stay where they belong: in no log, no command line, no file of others."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from meetings.config import load_settings
from meetings.mattermost import MattermostClient
from meetings.sandbox import post_call, run_in_thread
from tests.acceptance.conftest import SAMPLE, SAMPLE_PEOPLE, Done, Meetings
from tests.faults.known_speech import KnownSpeech
from tests.faults.test_queue_kills import COMPANY
from tests.faults.witness import Witness

pytestmark = [pytest.mark.models, pytest.mark.slow]


@dataclass(frozen=True)
class Ran:
    """What was run, and where its traces lie: the token, each command's ending, the folders it wrote."""

    token: str
    witness: Witness
    ended: dict[str, Done]
    home: Path
    work: Path

    def files(self) -> Iterator[Path]:
        """Everything that was written."""
        for folder in (self.home, self.work):
            yield from folder.rglob("*")


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory, make_media: Callable[..., Path], models_folder: Path) -> Ran:
    """A clip heard for real, the same from Mattermost with delivery, a wrong token, a transcript, and `listen`."""
    root = tmp_path_factory.mktemp("secrets")
    witness, work, home = Witness.at(root / "witness"), root / "work", root / "deep" / "er" / "home"
    work.mkdir(mode=0o700)
    # A user's own umask lets everybody read.
    before = os.umask(0o022)
    env = {
        **{"MEETINGS_HOME": str(home), "MEETINGS_MODELS": str(models_folder), "HOME": str(root)},
        **{"XDG_CONFIG_HOME": str(root / "config"), "MEETINGS_LANGUAGE_MODEL": "none", **witness.env()},
    }
    meetings = Meetings(cwd=work, env=env)
    clip = make_media("short.wav", "-ss", "24", "-t", "15", "-i", str(SAMPLE), "-ac", "1", "-ar", "16000")
    try:
        with run_in_thread(root / "sandbox", company=COMPANY, now=datetime(2026, 11, 19, 10, tzinfo=UTC)) as sandbox:
            ended = {"process": meetings("process", clip, "--people", SAMPLE_PEOPLE, "--out", "local")}
            assert ended["process"].code == 0, ended["process"].err
            speech = KnownSpeech.of(home)
            meetings.env |= {"MATTERMOST_URL": sandbox.url, "MATTERMOST_TOKEN": sandbox.bot_token}
            call = post_call(
                sandbox.tokens,
                clip,
                channel="product",
                title="Weekly",
                started_by="ana",
                participants=["ana", "ben"],
                duration=15.0,
            )
            settings = load_settings(environ=meetings.environment(), folder=root, user_folder=root)
            speech.give(settings, call.permalink)
            ended["deliver"] = meetings("process", call.permalink, "--deliver", "--out", "sent", "--json")
            wrong = {"MATTERMOST_TOKEN": sandbox.bot_token[::-1]}
            ended["wrong"] = meetings("process", call.permalink, "--deliver", "--fresh", "--out", "wrong", env=wrong)
            ended["summarize"] = meetings(
                "summarize", "sent/transcript.json", "--people", SAMPLE_PEOPLE, "--out", "again"
            )
            ended["doctor"] = meetings("doctor")
            ended["config"] = meetings("config", "show")
            ended["listen"] = _listen(meetings, witness)
            assert MattermostClient(sandbox.url, sandbox.bot_token).me().username == "meetings"
    finally:
        os.umask(before)
    assert ended["deliver"].code == 0, ended["deliver"].err
    assert ended["summarize"].code == 0, ended["summarize"].err
    return Ran(token=sandbox.bot_token, witness=witness, ended=ended, home=home, work=work)


def _listen(meetings: Meetings, witness: Witness) -> Done:
    """Listen until the socket is open for a moment."""
    listener = meetings.start("listen")
    until = time.monotonic() + 180
    while "listening" not in witness.seen("log") and time.monotonic() < until and listener.poll() is None:
        time.sleep(0.2)
    time.sleep(3)
    os.killpg(listener.pid, signal.SIGINT)
    try:
        out, err = listener.communicate(timeout=120)
    except subprocess.TimeoutExpired:
        os.killpg(listener.pid, signal.SIGKILL)
        out, err = listener.communicate()
    return Done(code=listener.returncode, out=out, err=err)


def test_the_token_is_in_no_log_however_much_is_logged(ran: Ran) -> None:
    log = ran.witness.seen("log")
    assert "DEBUG" in log
    assert "urllib3" in log
    assert "listening" in log
    # Not even a part: websockets cuts the middle out of what it logs.
    parts = {token[i : i + 8] for token in (ran.token, ran.token[::-1]) for i in range(len(ran.token) - 7)}
    assert [line for line in log.splitlines() if any(part in line for part in parts)] == []


def test_the_token_is_in_no_command_line(ran: Ran) -> None:
    commands = ran.witness.seen("commands")
    assert "ffmpeg" in commands
    assert ran.token not in commands


def test_the_token_is_in_nothing_that_is_printed(ran: Ran) -> None:
    assert ran.ended["wrong"].code == 1
    for name, done in ran.ended.items():
        assert ran.token not in done.out + done.err, name
        assert ran.token[::-1] not in done.out + done.err, name
        assert "Traceback" not in done.err, done.err


def test_the_token_is_in_no_file(ran: Ran) -> None:
    names = {path.name for path in ran.files()}
    # The engine's state and the reports are among what is searched.
    assert {"steps.sqlite", "service.sqlite", "run.json"} <= names
    holders = [p for p in ran.files() if p.is_file() and ran.token.encode() in p.read_bytes()]
    assert holders == []


def test_everything_under_the_data_folder_is_the_owners_alone(ran: Ran) -> None:
    open_ = {
        str(path.relative_to(ran.home)): oct(stat.S_IMODE(path.lstat().st_mode))
        for path in [ran.home, ran.home.parent, *ran.home.rglob("*")]
        if path != ran.home.parent and stat.S_IMODE(path.lstat().st_mode) & 0o077
    }
    assert open_ == {}
    # The folders above it that had to be made are private too.
    assert stat.S_IMODE(ran.home.parent.stat().st_mode) == 0o700


def test_what_is_written_out_is_the_owners_alone(ran: Ran) -> None:
    written = [p for p in ran.work.rglob("*") if p.is_file()]
    assert len(written) > 10
    assert [p for p in written if stat.S_IMODE(p.stat().st_mode) & 0o077] == []


def test_nothing_is_connected_to_but_the_server(ran: Ran) -> None:
    assert "127.0.0.1" in ran.witness.seen("log")
    assert ran.witness.seen("connections") == ""


def test_no_library_keeps_anything_to_be_sent_to_its_maker(ran: Ran) -> None:
    cache = ran.work.parent / ".cache"
    kept = {path.relative_to(cache).parts[0] for path in cache.rglob("*")}
    assert kept <= {"matplotlib"}  # which fonts there are, for itself
