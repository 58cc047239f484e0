"""`meetings sandbox` as a user runs it."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
import requests

from meetings.cli.sandbox import sandbox as group
from tests.acceptance.conftest import Meetings


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Meetings]:
    """The command with a home of its own; whatever it left running is stopped."""
    env = {"MEETINGS_HOME": str(tmp_path / "home"), "HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path / "config")}
    meetings = Meetings(cwd=tmp_path, env=env)
    yield meetings
    meetings("sandbox", "stop")


def test_every_command_shows_an_example() -> None:
    for name, command in group.commands.items():
        assert command.epilog is not None, name
        assert command.epilog.startswith("Example: ")
        assert f"meetings sandbox {name}" in command.epilog


@pytest.mark.slow
def test_from_start_to_reset(run: Meetings, tmp_path: Path) -> None:
    assert run("sandbox", "status").code == 1
    started = run("sandbox", "start", "--background", "--port", "0")
    assert started.code == 0, started.err
    url = started.out.strip()
    assert requests.get(url, timeout=60).status_code == 200
    assert run("sandbox", "start", "--background", "--port", "0").out == f"already running: {url}\n"
    status = run("sandbox", "status", "--json").json()
    assert (status["running"], status["url"]) == (True, url)

    shell = run("sandbox", "env").out
    token = re.fullmatch(rf"export MATTERMOST_URL={url}\nexport MATTERMOST_TOKEN=([a-z0-9]{{26}})\n", shell)
    assert token is not None
    me = requests.get(f"{url}/api/v4/users/me", headers={"Authorization": f"Bearer {token.group(1)}"}, timeout=60)
    assert me.json()["username"] == "meetings"

    first = run("sandbox", "call", "--json").json()
    assert requests.get(first["permalink"], timeout=60).status_code == 200
    assert run("sandbox", "call", "--once", "--permalink").out.strip() == first["permalink"]
    plain = run("sandbox", "call", "--once")
    assert plain.out == f"{first['permalink']}\npost {first['recording_post_id']} (posted earlier)\n"
    assert run("sandbox", "dms").out == "no direct messages yet\n"
    assert (
        run("sandbox", "dms", "--person", "nobody").error_line().startswith("error: the sandbox has no user 'nobody'")
    )

    assert run("sandbox", "stop").out == f"stopped: {url}\n"
    assert run("sandbox", "stop").out == "not running\n"
    with pytest.raises(requests.ConnectionError):
        requests.get(url, timeout=60)
    assert "does not answer" in run("sandbox", "call").error_line()

    again = run("sandbox", "start", "--background", "--port", "0")
    assert run("sandbox", "call", "--once", "--json").json()["recording_post_id"] == first["recording_post_id"]
    keep = tmp_path / "home" / "sandbox" / "mine.txt"
    keep.write_text("not the sandbox's")
    assert run("sandbox", "reset", "--yes").code == 0
    with pytest.raises(requests.ConnectionError):
        requests.get(again.out.strip(), timeout=60)
    assert [p.name for p in keep.parent.iterdir()] == ["mine.txt"]
    assert "there is no sandbox" in run("sandbox", "env").error_line()


@pytest.mark.slow
def test_it_misbehaves_and_behaves_again_as_it_is_told(run: Meetings, tmp_path: Path) -> None:
    started = run("sandbox", "start", "--background", "--port", "0", "--misbehave", "drop-before")
    ping = f"{started.out.strip()}/api/v4/system/ping"
    with pytest.raises(requests.ConnectionError):
        requests.get(ping, timeout=60)
    assert run("sandbox", "misbehave").out == '{"fault": "drop-before", "seen": 1, "struck": 1}\n'
    (tmp_path / "plan.yml").write_text("rules:\n- {fault: web-page, path: /system/*}\n")
    assert '"web-page"' in run("sandbox", "misbehave", tmp_path / "plan.yml").out
    assert "Sign in" in requests.get(ping, timeout=60).text
    assert run("sandbox", "misbehave", "--stop").out == "nothing goes wrong on purpose\n"
    assert requests.get(ping, timeout=60).json()["status"] == "OK"
    assert "no such fault" in run("sandbox", "misbehave", "explode").error_line()
    assert "no such fault" in run("sandbox", "start", "--misbehave", "explode").error_line()


@pytest.mark.slow
def test_direct_messages_are_printed_without_steering_the_terminal(run: Meetings) -> None:
    run("sandbox", "start", "--background", "--port", "0", "--now", "2026-11-23T10:00:00")
    credentials = json.loads((Path(run.env["MEETINGS_HOME"]) / "sandbox" / "credentials.json").read_text())
    bot, api = {"Authorization": f"Bearer {credentials['bot_token']}"}, f"{credentials['url']}/api/v4"

    def user_id(name: str) -> str:
        return str(requests.get(f"{api}/users/{name}", headers=bot, timeout=60).json()["id"])

    pair = [user_id("me"), user_id("username/laura.stein")]
    channel = requests.post(f"{api}/channels/direct", json=pair, headers=bot, timeout=60).json()
    body = {"channel_id": channel["id"], "message": "#### Weekly\n- one \x1b]0;owned\x07\x1b[31m"}
    requests.post(f"{api}/posts", json=body, headers=bot, timeout=60)
    shown = run("sandbox", "dms", "--person", "laura.stein").out
    assert shown.startswith("--- Laura Stein, Head of Content (@laura.stein)\n#### Weekly\n- one ")
    assert "\x1b" not in shown
    assert run("sandbox", "dms", "--json").json()[0]["message"] == body["message"]


@pytest.mark.slow
def test_in_the_foreground_it_ends_in_order_on_ctrl_c_and_on_sigterm(run: Meetings, tmp_path: Path) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        process = run.start("sandbox", "start", "--port", "0", "--empty")
        assert process.stdout is not None
        url = process.stdout.readline().split()[0]
        assert requests.get(f"{url}/api/v4/system/ping", timeout=60).status_code == 200
        os.killpg(process.pid, number)
        out, err = process.communicate(timeout=120)
        assert (process.returncode, out, err) == (0, "", "")
        assert not (tmp_path / "home" / "sandbox" / "server.json").exists()


@pytest.mark.slow
def test_what_keeps_it_from_starting_is_said_in_one_line(run: Meetings, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        for more in ([], ["--background"]):
            line = run("sandbox", "start", "--empty", "--port", port, *more).error_line()
            assert line.startswith(f"error: cannot listen on 127.0.0.1:{port} (")
            assert "--port" in line
    (tmp_path / "file").write_text("")
    assert "cannot use this folder" in run("sandbox", "start", "--folder", tmp_path / "file" / "x").error_line()
    assert run("sandbox", "start", "--now", "yesterday").code == 2


@pytest.mark.slow
def test_a_killed_sandbox_leaves_nothing_in_the_way(run: Meetings) -> None:
    run("sandbox", "start", "--background", "--port", "0", "--empty")
    os.kill(run("sandbox", "status", "--json").json()["pid"], signal.SIGKILL)
    assert run("sandbox", "status").code == 1
    assert run("sandbox", "stop").out == "not running\n"
    started = run("sandbox", "start", "--background", "--port", "0")
    assert started.code == 0, started.err


def test_the_process_behind_it_says_what_is_wrong_with_its_arguments(tmp_path: Path) -> None:
    import sys

    command = [sys.executable, "-m", "meetings.sandbox", str(tmp_path), "--now", "soon"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 2
    assert "--now" in done.stderr


def test_options_have_help() -> None:
    for command in group.commands.values():
        for option in command.params:
            assert not isinstance(option, click.Option) or option.help
