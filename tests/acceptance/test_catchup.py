"""Somebody joins a channel while `meetings listen` runs: they are asked, they say yes, and are caught up."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from meetings.catchup import CATCHUP_PROP
from meetings.config import load_settings
from meetings.mattermost import MattermostClient
from meetings.mattermost.client import Channel, Post, User
from meetings.positions import Positions
from meetings.sandbox import Sandbox, run_in_thread
from meetings.sandbox.generate import generate_workspace
from meetings.watchers import KIND as WATCHED
from tests.acceptance.conftest import Meetings
from tests.acceptance.sandbox_company import api

pytestmark = [pytest.mark.models, pytest.mark.slow]


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    company = tmp_path_factory.mktemp("company") / "made"
    generate_workspace(company, people=12, weeks=4, seed=3)
    with run_in_thread(tmp_path_factory.mktemp("sandbox") / "data", company=company) as running:
        yield running


def wait_for(what: Callable[[], Post | int | None], *, seconds: float = 200) -> Post | int:
    """What there is once there is something."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if (found := what()) is not None:
            return found
        time.sleep(1.0)
    raise AssertionError(f"nothing came in {seconds:g} seconds")


def place_and_newcomer(client: MattermostClient, sandbox: Sandbox) -> tuple[Channel, User]:
    """The open channel with most posts that somebody is not in, and who that is."""
    channels = [c for c in client.my_channels_everywhere() if c.type == "O"]
    for channel in sorted(channels, key=lambda c: -sum(1 for _ in client.latest_posts(c.id, 500))):
        members = set(client.channel_member_ids(channel.id))
        for username in sandbox.tokens.users:
            user = client.user_by_username(username)
            if user.id not in members:
                return channel, user
    raise AssertionError("everybody is everywhere")


def environment(sandbox: Sandbox) -> dict[str, str]:
    return {
        "MATTERMOST_URL": sandbox.url,
        "MATTERMOST_TOKEN": sandbox.bot_token,
        "MEETINGS_LANGUAGE_MODEL": "none",
        "MEETINGS_QUIET_HOURS": "none",
    }


def test_who_joins_a_channel_is_asked_and_caught_up(meetings: Meetings, sandbox: Sandbox, tmp_path: Path) -> None:
    env = environment(sandbox)
    client = MattermostClient(sandbox.url, sandbox.bot_token)
    channel, user = place_and_newcomer(client, sandbox)
    settings = load_settings(environ=meetings.environment(env), folder=tmp_path, user_folder=tmp_path)
    direct = client.direct_channel(user.id)
    listener = meetings.start("listen", env=env)
    try:
        wait_for(lambda: Positions(settings, kind=WATCHED).of(channel.id))
        api(sandbox, "admin").post(f"/channels/{channel.id}/members", {"user_id": user.id})
        wait_for(lambda: next((p for p in client.latest_posts(direct, 9) if CATCHUP_PROP in p.props), None))
        said = api(sandbox, user.username).write(direct, "yes")
        answer = wait_for(
            lambda: next((p for p in client.latest_posts(direct, 9) if p.root_id == said["id"]), None), seconds=120
        )
    finally:
        listener.kill()
        _, log = listener.communicate()
    assert isinstance(answer, Post), log
    assert channel.display_name in answer.message
    for part in ("What it is for", "**Decided lately**", "**Whom to ask**"):
        assert part in answer.message
    offers = [p for p in client.latest_posts(direct, 50) if CATCHUP_PROP in p.props]
    assert len(offers) == 1


def test_the_command_says_the_same_and_refuses_who_is_not_there(meetings: Meetings, sandbox: Sandbox) -> None:
    client = MattermostClient(sandbox.url, sandbox.bot_token)
    channel, stranger = place_and_newcomer(client, sandbox)
    address = f"{sandbox.tokens.team}/{channel.name}"
    member = next(
        u.username for u in client.users(client.channel_member_ids(channel.id)) if u.username in sandbox.tokens.users
    )
    told = meetings("catchup", address, "--person", member, "--json", env=environment(sandbox))
    assert told.code == 0, told.err
    (brief,) = told.json()["channels"]
    assert brief["channel"] == address
    assert brief["decisions"]
    assert all(line["permalink"].startswith(sandbox.url) for line in brief["decisions"])
    refused = meetings("catchup", address, "--person", stranger.username, env=environment(sandbox))
    assert refused.code == 1
    assert "is not in" in refused.error_line()
