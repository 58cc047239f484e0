"""`meetings channel` as it is used: two people, two answers, and nothing for those who are not in the channel."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from meetings.mattermost import MattermostClient
from meetings.sandbox import Sandbox, run_in_thread
from meetings.sandbox.generate import generate_workspace
from tests.acceptance.conftest import Meetings
from tests.acceptance.sandbox_company import Api, api
from tests.ports import held_port

pytestmark = [pytest.mark.models, pytest.mark.slow]


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("company") / "made"
    generate_workspace(folder, people=10, weeks=2, seed=4)
    return folder


@pytest.fixture(scope="module")
def sandbox(company: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with run_in_thread(tmp_path_factory.mktemp("sandbox") / "data", company=company) as running:
        yield running


@pytest.fixture
def port() -> Iterator[int]:
    with held_port() as free:
        yield free


def environment(sandbox: Sandbox, token: str | None = None) -> dict[str, str]:
    return {"MATTERMOST_URL": sandbox.url, "MATTERMOST_TOKEN": token or sandbox.bot_token}


def test_two_people_are_told_different_links_of_the_same_channel(meetings: Meetings, sandbox: Sandbox) -> None:
    team, people = sandbox.tokens.team, list(sandbox.tokens.users)
    told = []
    for person in people[:2]:
        done = meetings(
            "channel", f"{team}/news", "--person", person, "--since", "3w", "--json", env=environment(sandbox)
        )
        assert done.code == 0, done.err
        items = [item for topic in done.json()["topics"] for item in topic["items"]]
        assert all(item["why"] and item["permalink"].startswith(f"{sandbox.url}/{team}/pl/") for item in items)
        told.append([item["permalink"] for item in items])
    assert told[0] != told[1]
    assert all(told)


def test_a_token_of_ones_own_asks_for_oneself(meetings: Meetings, sandbox: Sandbox) -> None:
    person, token = next(iter(sandbox.tokens.users.items()))
    done = meetings("channel", f"{sandbox.tokens.team}/news", "--unread", "--json", env=environment(sandbox, token))
    assert done.code == 0, done.err
    assert done.json()["person"] == person
    # The sandbox's people have read everything.
    assert done.json()["posts"] == 0


def test_who_is_not_in_a_channel_is_told_that_and_nothing_else(meetings: Meetings, sandbox: Sandbox) -> None:
    bot = MattermostClient(sandbox.url, sandbox.bot_token)
    (team,) = bot.my_teams()
    private = next(c for c in bot.my_channels(team.id) if c.type == "P")
    inside = {u.username for u in bot.users(bot.channel_member_ids(private.id))}
    outside = next(name for name in sandbox.tokens.users if name not in inside)
    done = meetings("channel", f"{team.name}/{private.name}", "--person", outside, env=environment(sandbox))
    assert done.code == 1
    assert done.out == ""
    assert f"{outside} is not in ~{private.name}" in done.error_line()


def test_for_a_bots_token_somebody_must_be_named(meetings: Meetings, sandbox: Sandbox) -> None:
    done = meetings("channel", f"{sandbox.tokens.team}/news", env=environment(sandbox))
    assert done.code == 2
    assert "--person" in done.err


def test_a_slash_command_and_a_direct_message_are_answered_to_the_asker_alone(
    meetings: Meetings, sandbox: Sandbox, port: int
) -> None:
    bot = MattermostClient(sandbox.url, sandbox.bot_token)
    person, token = next(iter(sandbox.tokens.users.items()))
    asker = Api(sandbox.url, token)
    news = next(c for c in bot.my_channels_everywhere() if c.name == "news")
    admin = api(sandbox, "admin")
    made = {"team_id": news.team_id, "trigger": "meetings", "url": f"http://127.0.0.1:{port}/commands/meetings"}
    command_token = admin.post("/commands", made)["token"]
    env = {**environment(sandbox), "MEETINGS_COMMAND_TOKEN": command_token}
    serving = meetings.start("serve", "--port", str(port), env=env)
    try:
        assert serving.stderr is not None
        while "looked through" not in (line := serving.stderr.readline()):
            assert line, "the command ended"
        direct = bot.direct_channel(bot.user_by_username(person).id)
        typed = {"channel_id": news.id, "command": "/meetings what's new since 2 weeks ago"}
        assert "direct messages" in asker.post("/commands/execute", typed)["text"]
        asker.write(direct, "summarise ~news since 2 weeks ago")
        asker.write(direct, "digest of the week")
        end = time.monotonic() + 240
        answers: list[str] = []
        while time.monotonic() < end and len(answers) < 3:
            time.sleep(0.5)
            answers = [p.message for p in bot.latest_posts(direct, 50) if p.user_id == bot.me().id]
    finally:
        serving.send_signal(signal.SIGINT)
        serving.communicate(timeout=120)
    assert len(answers) == 3
    assert sum(a.startswith("**news** since") and "/pl/" in a for a in answers) == 2
    assert sum(a.startswith("#### Your week") or a.startswith("Nothing new") for a in answers) == 1
    # What was typed in the channel is seen there by nobody.
    assert not any(p.user_id == bot.me().id and "since" in p.message for p in bot.latest_posts(news.id, 5))


def test_a_digest_is_delivered_once_a_week(meetings: Meetings, sandbox: Sandbox) -> None:
    bot = MattermostClient(sandbox.url, sandbox.bot_token)
    person = list(sandbox.tokens.users)[1]
    for expected in ("sent to", "already"):
        done = meetings("digest", person, "--weekly", "--deliver", "--json", env=environment(sandbox))
        assert done.code == 0, done.err
        assert done.json()["channels"]
        assert expected in done.err
    direct = bot.direct_channel(bot.user_by_username(person).id)
    assert len([p for p in bot.latest_posts(direct, 50) if "meetings_digest" in p.props]) == 1
