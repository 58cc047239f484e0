"""Whatever network and server do, each recording is heard of once and each person told once."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from meetings.config import load_settings
from meetings.listening import listen_forever
from meetings.mattermost import MattermostClient, deliver
from meetings.mattermost.delivery import KEY_PROP
from meetings.sandbox import post_call, run_in_thread
from tests.acceptance.conftest import Meetings
from tests.acceptance.sandbox_company import ANCHOR, COMPANY
from tests.acceptance.test_listen import World
from tests.faults.known_speech import KnownSpeech


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with run_in_thread(tmp_path / "sandbox", company=COMPANY, now=ANCHOR) as sandbox:
        made = World(sandbox=sandbox, folder=tmp_path)
        made.join("calls", "product")
        made.listener().sweep()
        yield made


def misbehave(world: World, *rules: dict[str, Any]) -> None:
    """The sandbox does this from now on."""
    answer = requests.put(
        f"{world.sandbox.url}/api/sandbox/misbehave",
        json={"seed": 7, "rules": list(rules)},
        headers={"Authorization": f"Bearer {world.sandbox.tokens.admin_token}"},
        timeout=60,
    )
    assert answer.status_code == 200, answer.text


def hear(world: World, act: Callable[[], object], *, recordings: int, sweep_every: float = 2.0) -> None:
    """Listen while something happens, until so many recordings were heard of."""

    async def run() -> None:
        listening = asyncio.create_task(
            listen_forever(
                world.listener(), url=world.sandbox.url, token=world.sandbox.bot_token or "", sweep_every=sweep_every
            )
        )
        await asyncio.sleep(1.0)
        await asyncio.to_thread(act)
        end = time.monotonic() + 120
        while time.monotonic() < end and len({post for post, _ in world.noted.put_}) < recordings:
            await asyncio.sleep(0.1)
        await asyncio.sleep(1.0)  # what would come twice has the time to
        listening.cancel()

    asyncio.run(run())


@pytest.mark.parametrize(
    "rule",
    [
        {"fault": "duplicate", "event": "posted"},
        {"fault": "reorder", "event": "posted", "every": 2},
        {"fault": "delay", "event": "posted", "seconds": 0.5, "jitter": 0.5},
        {"fault": "lose", "event": "posted", "every": 2},
        {"fault": "lose", "event": "posted"},
        {"fault": "cut-frame", "event": "posted", "every": 3},
    ],
    ids=lambda r: f"{r['fault']}-{r.get('every', 'all')}",
)
def test_events_that_come_wrong_change_nothing(world: World, rule: dict[str, Any]) -> None:
    posted: list[str] = []

    def act() -> None:
        misbehave(world, rule)
        posted.extend(world.recording() for _ in range(6))

    hear(world, act, recordings=6)
    assert sorted(world.noted.put_) == sorted((post, "") for post in posted)


def test_a_server_that_fails_while_channels_are_looked_through_is_asked_again(world: World) -> None:
    posted = [world.recording()]
    misbehave(world, {"fault": "error", "status": 503, "path": "/channels/*/posts", "times": 3})
    hear(world, lambda: None, recordings=1)
    assert world.noted.put_ == [(posted[0], "")]


def test_a_token_that_is_switched_off_is_told_and_waited_for(world: World, caplog: pytest.LogCaptureFixture) -> None:
    posted: list[str] = []
    admin = world.as_("admin")
    bot = world.client.me().id
    (token,) = admin.get(f"/users/{bot}/tokens")

    def act() -> None:
        admin.post("/users/tokens/disable", {"token_id": token["id"]})
        posted.append(world.recording())
        end = time.monotonic() + 60
        while "refuses the token" not in caplog.text and time.monotonic() < end:
            time.sleep(0.1)
        admin.post("/users/tokens/enable", {"token_id": token["id"]})

    with caplog.at_level(logging.WARNING, logger="meetings"):
        hear(world, act, recordings=1)
    assert world.noted.put_ == [(posted[0], "")]
    assert "refuses the token" in caplog.text
    assert (world.sandbox.bot_token or "?") not in caplog.text


def test_the_token_is_in_no_log_of_the_socket(world: World, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        hear(world, world.recording, recordings=1)
    assert caplog.text
    assert (world.sandbox.bot_token or "?") not in caplog.text


@pytest.mark.parametrize(
    "rule",
    [
        {"fault": "drop-after", "path": "/posts", "method": "POST", "times": 2},
        {"fault": "drop-before", "path": "/posts", "method": "POST", "times": 2},
        {"fault": "half-answer", "path": "/posts", "method": "POST", "times": 1, "bytes": 20},
        {"fault": "error", "status": 502, "path": "/posts", "method": "POST", "times": 2},
        {"fault": "rate-limit", "every": 2, "retry_after": 1},
    ],
    ids=lambda r: str(r["fault"]),
)
def test_a_message_whose_answer_is_lost_is_there_once(world: World, rule: dict[str, Any]) -> None:
    misbehave(world, rule)

    def send() -> str:
        channel = world.client.channel_by_name("acme", "product").id
        return deliver(world.client, "ana", "Your summary", recording="r" * 26, channel_id=channel).status

    outcomes = [send() for _ in range(3)]
    misbehave(world)
    direct = world.client.direct_channel(world.client.user_by_username("ana").id)
    assert sum(KEY_PROP in p.props for p in world.client.latest_posts(direct, 50)) == 1
    assert outcomes[-1] == "unchanged"


@pytest.mark.models
@pytest.mark.slow
def test_two_listeners_with_homes_of_their_own_write_once(
    world: World, after_speech: Meetings, talk: Path, tmp_path: Path
) -> None:
    speech = KnownSpeech.of(Path(after_speech.env["MEETINGS_HOME"]))
    call = post_call(world.sandbox.tokens, talk, channel="product", title="W", started_by="ana", duration=40.0)
    running = []
    for name in ("one", "two"):
        env = {
            "MATTERMOST_URL": world.sandbox.url,
            "MATTERMOST_TOKEN": world.sandbox.bot_token or "",
            "MEETINGS_HOME": str(tmp_path / name),
            "MEETINGS_LANGUAGE_MODEL": "none",
        }
        settings = load_settings(
            environ=after_speech.environment(env), folder=after_speech.cwd, user_folder=after_speech.cwd
        )
        speech.give(settings, call.recording_post_id)
        running.append(after_speech.start("listen", env=env))
    logs = []
    for process in running:
        assert process.stderr is not None
        for line in process.stderr:
            logs.append(line)
            if ": done" in line or "given up" in line:
                break
        process.kill()
        process.communicate()
    client = MattermostClient(world.sandbox.url, world.sandbox.bot_token or "")
    for username in ("ana", "ben"):
        direct = client.direct_channel(client.user_by_username(username).id)
        assert sum(KEY_PROP in p.props for p in client.latest_posts(direct, 50)) == 1, "".join(logs)
