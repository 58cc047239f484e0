"""Lists of posts: paging loses nothing and repeats nothing, whatever was written, answered, edited and deleted."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meetings.sandbox import channels, posts, reading, teams, users
from meetings.sandbox.model import Channel, User
from meetings.sandbox.world import Change, World

# Each step: what is done, and to which of the posts there are (modulo their number).
STEPS = st.lists(st.tuples(st.sampled_from(["post", "reply", "edit", "delete"]), st.integers(0, 50)), max_size=25)


@contextmanager
def channel_after(steps: list[tuple[str, int]]) -> Iterator[tuple[Change, Channel, User, list[tuple[str, int]]]]:
    """A channel in which these things happened; with each post's id and the time of its last change, oldest first."""
    with tempfile.TemporaryDirectory() as folder:
        ticks = iter(range(1_000, 10**9))
        world = World.open(Path(folder), source=lambda: next(ticks))
        try:
            with world.change() as tx:
                user = users.create(tx, users.Profile(username="ana", email="a@b.example"), password=None)
                team = teams.create(tx, user, name="acme", display_name="Acme", announce=False)
                channel = channels.create(
                    tx, user, team, name="product", display_name="Product", kind="O", announce=False
                )
                written: list[str] = []
                for kind, number in steps:
                    _do(tx, user, channel, written, kind, number)
                left = [p for i in written if (p := posts.by_id(tx, i))]
                yield tx, channel, user, [(p.id, p.update_at) for p in left]
        finally:
            world.close()


def _do(tx: Change, user: User, channel: Channel, written: list[str], kind: str, number: int) -> None:
    there = [i for i in written if posts.by_id(tx, i)]
    if kind == "post" or not there:
        written.append(_write(tx, user, channel))
        return
    post = posts.by_id(tx, there[number % len(there)])
    assert post is not None
    if kind == "reply":
        written.append(_write(tx, user, channel, root_id=post.root_id or post.id))
    elif kind == "edit":
        posts.edit(tx, user, post, message=post.message + "!", props=post.props, is_pinned=False)
    else:
        posts.delete(tx, user, post)


def _write(tx: Change, user: User, channel: Channel, root_id: str = "") -> str:
    draft = posts.Draft(channel_id=channel.id, message="words", root_id=root_id)
    post_id: str = posts.create(tx, user, draft)["id"]
    return post_id


@settings(max_examples=25, deadline=None)
@given(STEPS, st.integers(1, 7))
def test_pages_give_every_post_once_newest_first(steps: list[tuple[str, int]], per_page: int) -> None:
    with channel_after(steps) as (tx, channel, _, left):
        seen: list[str] = []
        for number in range(len(left) // per_page + 1):
            seen += reading.page(tx, channel.id, page=number, per_page=per_page).order
        assert seen == [i for i, _ in reversed(left)]


@settings(max_examples=25, deadline=None)
@given(STEPS, st.integers(1, 7))
def test_walking_back_by_cursor_gives_every_post_once(steps: list[tuple[str, int]], per_page: int) -> None:
    with channel_after(steps) as (tx, channel, _, left):
        found = reading.page(tx, channel.id, page=0, per_page=per_page)
        seen = list(found.order)
        while found.prev_post_id:
            assert found.prev_post_id not in seen
            found = reading.before(tx, channel.id, seen[-1], page=0, per_page=per_page)
            seen += found.order
        assert seen == [i for i, _ in reversed(left)]


@settings(max_examples=25, deadline=None)
@given(STEPS, st.integers(1, 7))
def test_walking_forward_gives_the_same_posts(steps: list[tuple[str, int]], per_page: int) -> None:
    with channel_after(steps) as (tx, channel, _, left):
        seen = [i for i, _ in left[:1]]
        while seen:
            found = reading.after(tx, channel.id, seen[-1], page=0, per_page=per_page)
            seen += reversed(found.order)
            if not found.next_post_id:
                break
        assert seen == [i for i, _ in left]


@settings(max_examples=25, deadline=None)
@given(STEPS, st.integers(0, 50))
def test_since_gives_what_changed_later_and_nothing_else(steps: list[tuple[str, int]], number: int) -> None:
    with channel_after(steps) as (tx, channel, _, left):
        time = left[number % len(left)][1] if left else 0
        found = reading.since(tx, channel.id, time)
        alive = [i for i in found.order if not found.posts[i]["delete_at"]]
        assert sorted(alive) == sorted(i for i, changed in left if changed > time)
        assert all(found.posts[i]["update_at"] > time for i in found.order)
        assert all(found.posts[i]["message"] == "" for i in found.order if found.posts[i]["delete_at"])


@settings(max_examples=25, deadline=None)
@given(STEPS)
def test_replies_are_counted_where_the_server_counts_them(steps: list[tuple[str, int]]) -> None:
    with channel_after(steps) as (tx, _, _, left):
        for post_id, _ in left:
            post = posts.by_id(tx, post_id)
            assert post is not None
            thread = reading.thread(tx, post)
            replies = {i for i, p in thread.posts.items() if p["root_id"]}
            assert {p["reply_count"] for p in thread.posts.values()} == {len(replies)}
            assert thread.order[0] == post_id
            assert set(thread.order) == set(thread.posts)


def test_an_unknown_post_has_nothing_before_or_after_it() -> None:
    with channel_after([("post", 0), ("post", 0)]) as (tx, channel, _, _):
        for walk in (reading.before, reading.after):
            assert walk(tx, channel.id, "z" * 26, page=0, per_page=10).order == ()


@pytest.mark.parametrize("given", [{}, {"a": 1, "attachments": [{"text": "x"}]}])
def test_props_come_back_as_they_were_with_attachments_written_out(given: dict[str, Any]) -> None:
    with channel_after([]) as (tx, channel, user, _):
        shown = posts.create(tx, user, posts.Draft(channel_id=channel.id, props=given))
        assert set(shown["props"]) == set(given)
        for attachment in shown["props"].get("attachments", []):
            assert (attachment["text"], attachment["fields"], len(attachment)) == ("x", None, 16)
