"""The product against a real Mattermost server, which MEETINGS_LIVE_URL and MEETINGS_LIVE_ADMIN_TOKEN name.

The server is filled with the sample company first; what a test writes it deletes again, the company stays.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import websockets.sync.client

from meetings.errors import MattermostAuthError, MattermostForbiddenError, MattermostNotFoundError
from meetings.mattermost import MattermostClient, find_recording
from meetings.mattermost.client import Post
from meetings.mattermost.delivery import KEY_PROP
from meetings.sandbox import Call, load_credentials, post_call, read_direct_messages
from meetings.sandbox.company import read_company, sample_company
from meetings.sandbox.credentials import Credentials
from meetings.sandbox.real_server import seed_server
from tests.acceptance.conftest import Meetings
from tests.conftest import LIVE_ADMIN_TOKEN, LIVE_URL

pytestmark = [pytest.mark.live, pytest.mark.slow]

COMPANY = read_company(sample_company())
TITLE = "Live acceptance test"


@pytest.fixture(scope="session")
def live(tmp_path_factory: pytest.TempPathFactory) -> Credentials:
    """The server with the company in it."""
    return seed_server(LIVE_URL, LIVE_ADMIN_TOKEN, COMPANY, tmp_path_factory.mktemp("live")).credentials


@pytest.fixture
def bot(live: Credentials) -> MattermostClient:
    return MattermostClient(live.url, live.bot_token or "")


@pytest.fixture
def product(live: Credentials, bot: MattermostClient) -> str:
    return bot.channel_by_name(live.team or "", "product").id


def person(live: Credentials, name: str) -> MattermostClient:
    return MattermostClient(live.url, live.users[name])


@contextmanager
def written(who: MattermostClient, channel_id: str, *texts: str) -> Iterator[list[Post]]:
    """Posts that are gone afterwards."""
    made: list[Post] = []
    try:
        made.extend(who.create_post(channel_id, text) for text in texts)
        yield made
    finally:
        for post in made:
            delete(who, post.id)


def delete(who: MattermostClient, post_id: str) -> None:
    try:
        who.delete_post(post_id)
    except (MattermostNotFoundError, MattermostForbiddenError):
        # A test deleted it itself: a post that is gone is not the bot's to see.
        return


@contextmanager
def call(live: Credentials, recording: Path) -> Iterator[Call]:
    """A call in the company's channel, gone afterwards with its thread."""
    posted = post_call(
        live,
        recording,
        channel="product",
        title=TITLE,
        started_by="maya.chen",
        participants=["maya.chen", "ben.okafor"],
        duration=40.0,
    )
    try:
        yield posted
    finally:
        person(live, "maya.chen").delete_post(posted.call_post_id)


def test_seeding_again_makes_nothing_twice(live: Credentials, tmp_path: Path) -> None:
    again = seed_server(LIVE_URL, LIVE_ADMIN_TOKEN, COMPANY, tmp_path / "again")
    assert {kind: made for kind, (made, _) in again.counts.items() if made} == {}


def test_the_bot_sees_its_channels_and_no_others(live: Credentials, bot: MattermostClient) -> None:
    [team] = [t for t in bot.my_teams() if t.name == live.team]
    mine = {c.name for c in COMPANY.channels if "meetings" in c.members}
    # Everybody who joins a team is in its two default channels.
    others = {c.name for c in COMPANY.channels} - mine - {"town-square", "off-topic"}
    found = {c.name for c in bot.my_channels(team.id)}
    assert mine <= found
    assert not others & found


def test_what_changed_since_a_time_is_told(live: Credentials, bot: MattermostClient, product: str) -> None:
    maya = person(live, "maya.chen")
    with written(maya, product, "one", "two", "three", "four") as (edited, deleted, liked, quiet):
        since = max(p.update_at for p in bot.posts_since(product, edited.create_at - 1))
        maya.edit_post(edited.id, "better")
        maya.delete_post(deleted.id)
        maya.react(liked.id, "tada")
        found = {p.id: p for p in bot.posts_since(product, since)}
        assert {edited.id, deleted.id, liked.id} <= set(found)
        assert quiet.id not in found
        assert found[edited.id].message == "better"
        assert found[deleted.id].is_deleted
        assert [r.emoji_name for r in bot.reactions_to(liked.id)] == ["tada"]


def test_a_key_keeps_a_message_from_coming_twice(bot: MattermostClient, live: Credentials) -> None:
    direct = bot.direct_channel(person(live, "ben.okafor").me().id)
    key = secrets.token_hex(8)
    first = bot.create_post(direct, "once", key=key, props={KEY_PROP: "live"})
    try:
        assert bot.create_post(direct, "once", key=key).id == first.id
        edited = bot.edit_post(first.id, "twice")
        assert (edited.message, edited.props[KEY_PROP]) == ("twice", "live")
    finally:
        bot.delete_post(first.id)


def test_membership_is_what_it_is_now(live: Credentials, bot: MattermostClient, product: str) -> None:
    assert bot.is_channel_member(product, bot.user_by_username("maya.chen").id)
    assert not bot.is_channel_member(product, bot.user_by_username("sara.novak").id)


def test_a_wrong_token_is_said_to_be_one(live: Credentials) -> None:
    with pytest.raises(MattermostAuthError):
        MattermostClient(live.url, "wrong").me()


def test_a_recording_comes_whole_and_goes_on_where_it_broke(
    live: Credentials, bot: MattermostClient, tmp_path: Path
) -> None:
    content = bytes(range(256)) * 8_000
    (tmp_path / "call.mp4").write_bytes(content)
    with call(live, tmp_path / "call.mp4") as posted:
        found = find_recording(bot, posted.permalink)
        assert (found.title, found.file.size) == (TITLE, len(content))
        assert bot.download(found.file, tmp_path / "whole.mp4") == hashlib.sha256(content).hexdigest()
        half = 1_000_000
        (tmp_path / "again.mp4.part").write_bytes(content[:half])
        note = {
            "file_id": found.file.id,
            "size": len(content),
            "validator": "",
            "bytes": half,
            "sha256": hashlib.sha256(content[:half]).hexdigest(),
        }
        (tmp_path / "again.mp4.part.json").write_text(json.dumps(note))
        assert bot.download(found.file, tmp_path / "again.mp4") == hashlib.sha256(content).hexdigest()
    with pytest.raises(MattermostNotFoundError):
        bot.download(found.file, tmp_path / "gone.mp4")


def test_the_bots_socket_hears_of_a_post(live: Credentials, product: str) -> None:
    url = live.url.replace("http", "ws", 1) + "/api/v4/websocket"
    with websockets.sync.client.connect(url) as socket:
        challenge = {"seq": 1, "action": "authentication_challenge", "data": {"token": live.bot_token}}
        socket.send(json.dumps(challenge))
        with written(person(live, "maya.chen"), product, "do you hear me?"):
            while (frame := json.loads(socket.recv(timeout=60))).get("event") != "posted":
                pass
        assert json.loads(frame["data"]["post"])["message"] == "do you hear me?"


@pytest.mark.models
def test_a_call_is_processed_and_everybody_gets_one_message_once(
    live: Credentials, bot: MattermostClient, meetings: Meetings, talk: Path
) -> None:
    env = {"MATTERMOST_URL": live.url, "MATTERMOST_TOKEN": live.bot_token or ""}
    before = {m.post_id for m in read_direct_messages(live)}
    fresh = []
    try:
        with call(live, talk) as posted:
            for _ in range(2):
                done = meetings("process", posted.permalink, "--deliver", "--out", "out", "--json", env=env)
                assert done.code == 0, done.err
                fresh = [m for m in read_direct_messages(live) if m.post_id not in before]
                members = {u.username for u in bot.users(bot.channel_member_ids(posted.channel_id)) if not u.is_bot}
                assert sorted(m.username for m in fresh) == sorted(members & set(live.users))
    finally:
        for message in fresh:
            bot.delete_post(message.post_id)
    assert {m.post_id for m in read_direct_messages(live)} == before


def test_tokens_of_the_company_lie_where_the_program_says(live: Credentials, tmp_path: Path) -> None:
    seeded = seed_server(LIVE_URL, LIVE_ADMIN_TOKEN, COMPANY, tmp_path / "tokens")
    assert load_credentials(seeded.folder).url == live.url
    assert seeded.token_file.stat().st_mode & 0o777 == 0o600
