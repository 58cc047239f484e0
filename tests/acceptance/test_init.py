"""Settings are asked for, proved and written where nobody else reads them."""

from __future__ import annotations

import stat
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from meetings.sandbox import Sandbox
from tests.acceptance.conftest import Meetings
from tests.acceptance.sandbox_company import sandbox_in


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    with sandbox_in(tmp_path / "sandbox") as running:
        yield running


@pytest.fixture
def token(tmp_path: Path, sandbox: Sandbox) -> Path:
    path = tmp_path / "token"
    path.write_text(f"{sandbox.bot_token}\n")
    return path


def test_what_is_written_is_what_the_program_reads(meetings: Meetings, sandbox: Sandbox, token: Path) -> None:
    done = meetings("init", "--url", sandbox.url, "--token-file", token, "--yes")
    assert done.code == 0, done.err
    assert sandbox.bot_token not in done.out + done.err
    shown = {row["key"]: row for row in meetings("config", "show", "--json").json()}
    assert shown["mattermost_url"]["value"] == sandbox.url
    assert shown["mattermost_token"]["value"] == "(set)"
    written = Path(shown["mattermost_url"]["origin"])
    assert stat.S_IMODE(written.stat().st_mode) == 0o600
    assert stat.S_IMODE(written.parent.stat().st_mode) == 0o700
    assert tomllib.loads(written.read_text())["mattermost_token"] == sandbox.bot_token


def test_a_wrong_token_is_not_written(meetings: Meetings, sandbox: Sandbox, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong"
    wrong.write_text("x" * 26)
    done = meetings("init", "--url", sandbox.url, "--token-file", wrong, "--yes", "--file", "m.toml")
    assert done.code == 1
    assert "refuses the token" in done.error_line()
    assert not (meetings.cwd / "m.toml").exists()


def test_a_file_that_is_there_is_kept(meetings: Meetings, sandbox: Sandbox, token: Path) -> None:
    (meetings.cwd / "m.toml").write_text("threads = 2\n")
    command = ("init", "--url", sandbox.url, "--token-file", token, "--yes", "--file", "m.toml")
    done = meetings(*command)
    assert done.code == 1
    assert "--force" in done.error_line()
    assert (meetings.cwd / "m.toml").read_text() == "threads = 2\n"
    assert meetings(*command, "--force").code == 0
