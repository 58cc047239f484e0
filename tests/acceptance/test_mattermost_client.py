"""What the bot reads and writes, over a real socket: pages beyond 200, what changed since, threads, edits."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from meetings.errors import MattermostForbiddenError, MattermostNotFoundError
from meetings.mattermost import MattermostClient
from meetings.mattermost.client import MAX_SINCE, PAGE
from meetings.sandbox import Sandbox, run_in_thread
from tests.acceptance.sandbox_company import ANCHOR, COMPANY, api, sandbox_in


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with sandbox_in(tmp_path_factory.mktemp("client") / "sandbox") as running:
        yield running


@pytest.fixture
def client(sandbox: Sandbox) -> MattermostClient:
    return MattermostClient(sandbox.url, sandbox.bot_token)


@pytest.fixture
def product(client: MattermostClient) -> str:
    return client.channel_by_name("acme", "product").id


def changed(client: MattermostClient, channel_id: str, since: int) -> dict[str, Any]:
    return {p.id: p for p in client.posts_since(channel_id, since)}


def now_of(client: MattermostClient, channel_id: str) -> int:
    """The moment of the newest change in a channel."""
    return max(p.update_at for p in client.posts_since(channel_id, 1))


def test_what_changed_since_is_new_edited_deleted_and_reacted_to(
    sandbox: Sandbox, client: MattermostClient, product: str
) -> None:
    ana = api(sandbox, "ana")
    edited, deleted, liked, quiet = (ana.write(product, word)["id"] for word in ("one", "two", "three", "four"))
    since = now_of(client, product)
    ana.put(f"/posts/{edited}/patch", {"message": "better"})
    ana.delete(f"/posts/{deleted}")
    ana.post("/reactions", {"user_id": ana.get("/users/me")["id"], "post_id": liked, "emoji_name": "tada"})
    new = ana.write(product, "new")["id"]
    found = changed(client, product, since)
    assert set(found) == {edited, deleted, liked, new}
    assert quiet not in found
    assert (found[edited].message, found[edited].edit_at > since) == ("better", True)
    assert (found[deleted].is_deleted, found[deleted].message) == (True, "")
    assert [p.id for p in client.posts_since(product, since)][-1] == new
    assert client.posts_since(product, now_of(client, product)) == ()


def test_a_root_that_only_comes_along_with_its_reply_counts_as_changed_by_it(
    sandbox: Sandbox, client: MattermostClient, product: str
) -> None:
    ana = api(sandbox, "ana")
    root = ana.write(product, "root")["id"]
    since = now_of(client, product)
    reply = ana.write(product, "reply", root_id=root)["id"]
    assert set(changed(client, product, since)) == {root, reply}
    since = now_of(client, product)
    ana.post("/reactions", {"user_id": ana.get("/users/me")["id"], "post_id": reply, "emoji_name": "eyes"})
    assert set(changed(client, product, since)) == {reply}


def test_more_changes_than_the_server_gives_at_once_are_all_there(tmp_path: Path) -> None:
    count = MAX_SINCE + PAGE + 50
    company = {**COMPANY, "posts": []}
    with run_in_thread(tmp_path / "sandbox", company=company, now=ANCHOR - timedelta(days=1)) as sandbox:
        client, ana = MattermostClient(sandbox.url, sandbox.bot_token), api(sandbox, "ana")
        channel_id = client.channel_by_name("acme", "product").id
        old = ana.write(channel_id, "before")
        written = [ana.write(channel_id, str(number))["id"] for number in range(count)]
        found = client.posts_since(channel_id, old["create_at"])
        assert [p.id for p in found] == written
        assert [p.message for p in client.latest_posts(channel_id, 450)] == [str(count - 1 - n) for n in range(450)]


def test_posts_of_one_millisecond_are_not_lost_between_two_pages(tmp_path: Path) -> None:
    with sandbox_in(tmp_path / "sandbox") as sandbox:
        client, admin = MattermostClient(sandbox.url, sandbox.bot_token), api(sandbox, "admin")
        channel_id = client.channel_by_name("acme", "product").id
        time = admin.write(channel_id, "start")["create_at"] + 60_000
        written = {admin.write(channel_id, str(n), create_at=time + n // 7)["id"] for n in range(PAGE * 2 + 10)}
        assert {p.id for p in client.latest_posts(channel_id, 1_000)} >= written
        found = [p.id for p in client.latest_posts(channel_id, 1_000)]
        assert len(found) == len(set(found))


def test_more_members_than_a_page_are_all_there(tmp_path: Path) -> None:
    names = [f"user{n:03}" for n in range(PAGE + 7)]
    more = [{"username": n, "first_name": n, "last_name": "X", "position": "Tester"} for n in names]
    channels = [{**COMPANY["channels"][0], "members": ["ana", "ben", "meetings", *names]}, COMPANY["channels"][1]]
    company = {**COMPANY, "users": [*COMPANY["users"], *more], "channels": channels}
    with run_in_thread(tmp_path / "sandbox", company=company, now=ANCHOR) as sandbox:
        client = MattermostClient(sandbox.url, sandbox.bot_token)
        ids = client.channel_member_ids(client.channel_by_name("acme", "product").id)
        assert len(ids) == len(set(ids)) == PAGE + 10
        assert {u.username for u in client.users(ids)} == {"ana", "ben", "meetings", *names}
        found = client.users([*ids, ids[0], "z" * 26])
        assert len(found) == len(ids)


def test_more_reactions_than_a_page_of_posts_are_all_there(
    sandbox: Sandbox, client: MattermostClient, product: str
) -> None:
    ana = api(sandbox, "ana")
    ana_id = ana.get("/users/me")["id"]
    posts = [ana.write(product, str(n))["id"] for n in range(PAGE + 3)]
    for post_id in (posts[0], posts[-1]):
        ana.post("/reactions", {"user_id": ana_id, "post_id": post_id, "emoji_name": "tada"})
    assert {r.post_id for r in client.reactions(posts)} == {posts[0], posts[-1]}


def test_one_persons_membership_is_asked_for_alone(sandbox: Sandbox, client: MattermostClient, product: str) -> None:
    ids = {name: client.user_by_username(name).id for name in ("ana", "chloe")}
    assert client.is_channel_member(product, ids["ana"])
    assert not client.is_channel_member(product, ids["chloe"])
    secret = api(sandbox, "chloe").channel("secret")["id"]
    with pytest.raises(MattermostForbiddenError):
        client.is_channel_member(secret, ids["chloe"])


def test_the_bots_direct_channels_are_listed_once(client: MattermostClient) -> None:
    direct = client.direct_channel(client.user_by_username("ben").id)
    assert [c.id for c in client.my_direct_channels() if c.type == "D"].count(direct) == 1


def test_an_edit_keeps_the_props_and_puts_new_ones_over_them(client: MattermostClient, product: str) -> None:
    post = client.create_post(product, "one", props={"ours": "key"})
    assert client.edit_post(post.id, "two").props["ours"] == "key"
    more = client.edit_post(post.id, "three", props={"seen": True})
    assert (more.message, more.props["ours"], more.props["seen"]) == ("three", "key", True)


def test_a_reply_a_reaction_and_a_deletion(client: MattermostClient, product: str) -> None:
    root = client.create_post(product, "root")
    reply = client.create_post(product, "reply", root_id=root.id)
    client.react(reply.id, "white_check_mark")
    client.react(reply.id, "white_check_mark")
    assert [p.id for p in client.thread(reply.id)] == [root.id, reply.id]
    assert [(r.user_id, r.emoji_name) for r in client.reactions_to(reply.id)] == [(client.me().id, "white_check_mark")]
    assert client.reactions_to(root.id) == ()
    client.delete_post(reply.id)
    assert [p.id for p in client.thread(root.id)] == [root.id]
    with pytest.raises(MattermostNotFoundError):
        client.post(reply.id)


def test_an_account_says_its_zone_roles_and_whether_it_is_online(sandbox: Sandbox, client: MattermostClient) -> None:
    ana = api(sandbox, "ana")
    zone = {"useAutomaticTimezone": "false", "manualTimezone": "Europe/Lisbon", "automaticTimezone": "UTC"}
    ana.put("/users/me/patch", {"timezone": zone})
    user = client.user_by_username("ana")
    assert (user.timezone, user.roles, user.is_admin) == ("Europe/Lisbon", ("system_user",), False)
    assert client.status(client.user_by_username("chloe").id) == "offline"


def test_one_connection_serves_many_requests(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    ana = api(sandbox, "ana")
    channel_id = ana.channel("product")["id"]
    file = ana.upload(channel_id, "call.mp4", bytes(2_000_000))
    ana.write(channel_id, "call", file_ids=[file["id"]])
    caplog.set_level("DEBUG", logger="urllib3")
    client = MattermostClient(sandbox.url, sandbox.bot_token)
    for number in range(3):
        client.user_by_username("ana")
        with pytest.raises(MattermostNotFoundError):
            client.post("z" * 26)
        client.download(client.file_info(file["id"]), tmp_path / f"{number}.mp4")
    opened = [r for r in caplog.records if "Starting new HTTP connection" in r.getMessage()]
    assert len(opened) == 1
