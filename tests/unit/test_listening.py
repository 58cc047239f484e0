"""What changed while nobody listened is found, also when the first look for it fails."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest

from meetings.config import Settings
from meetings.errors import DatabaseError, MattermostUnreachableError
from meetings.listening import Listener
from meetings.mattermost.calls import RECORDING
from meetings.mattermost.client import MattermostClient
from meetings.mattermost.entities import Channel, Post, Reaction, User
from meetings.mattermost.events import PostGone
from meetings.positions import Positions

NOW = 1_700_000_000_000
CALL = Post(id="call", channel_id="c", user_id="calls", type=RECORDING, file_ids=("f",), create_at=NOW, update_at=NOW)
DELETED = Post(
    id="call", channel_id="c", user_id="calls", type=RECORDING, file_ids=("f",), create_at=NOW,
    update_at=NOW + 60_000, delete_at=NOW + 60_000,
)  # fmt: skip


class Server:
    """A channel with one recording, whose deletion makes its channel's last post no newer."""

    def __init__(self) -> None:
        self.posts = [CALL]
        self.trouble: dict[str, int] = {}
        self.asked = 0

    def me(self) -> User:
        return User(id="bot", username="meetings", is_bot=True)

    def my_channels_everywhere(self) -> tuple[Channel, ...]:
        self._fail("channels")
        return (Channel(id="c", team_id="t", type="O", name="c", last_post_at=NOW),)

    def posts_since(self, _channel_id: str, since: int) -> tuple[Post, ...]:
        self.asked += 1
        self._fail("posts")
        return tuple(p for p in self.posts if p.update_at > since)

    def latest_posts(self, _channel_id: str, _limit: int) -> Iterator[Post]:
        return iter(())

    def _fail(self, what: str) -> None:
        if self.trouble.get(what):
            self.trouble[what] -= 1
            raise MattermostUnreachableError("away")


class Noted:
    """A queue that notes which deletions were put; fails as often as it is told to."""

    def __init__(self) -> None:
        self.gone: list[str] = []
        self.failures = 0

    def put(self, _post_id: str, *, cause: str = "") -> bool:
        del cause
        return True

    def put_answer(self, _post_id: str, _user_id: str) -> bool:
        return True

    def put_reaction(self, _reaction: Reaction) -> bool:
        return True

    def put_gone(self, post_id: str, _channel_id: str) -> bool:
        if self.failures:
            self.failures -= 1
            raise DatabaseError("another process holds it")
        self.gone.append(post_id)
        return True


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
def queue() -> Noted:
    return Noted()


@pytest.fixture
def listener(server: Server, queue: Noted, tmp_path: Path) -> Listener:
    made = Listener(cast(MattermostClient, server), queue, Positions(Settings(home=tmp_path)))
    made.sweep()
    return made


@pytest.mark.parametrize("where", ["channels", "posts"])
def test_a_deletion_in_a_gap_is_found_though_the_first_look_for_it_failed(
    where: str, server: Server, queue: Noted, listener: Listener
) -> None:
    server.posts, server.trouble = [DELETED], {where: 1}
    with pytest.raises(MattermostUnreachableError):
        listener.sweep(edits=True)
    listener.sweep()
    assert queue.gone == ["call"]


def test_a_deletion_that_could_not_be_queued_is_found_again(server: Server, queue: Noted, listener: Listener) -> None:
    server.posts, queue.failures = [DELETED], 1
    with pytest.raises(DatabaseError):
        listener.hear(PostGone(seq=1, post=DELETED))
    listener.sweep()
    assert queue.gone == ["call"]


def test_a_channel_whose_changes_were_looked_at_is_not_asked_for_them_again(server: Server, listener: Listener) -> None:
    listener.sweep(edits=True)
    asked = server.asked
    listener.sweep()
    assert server.asked == asked
