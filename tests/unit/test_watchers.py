"""What is new in channels reaches every watcher, whatever fails in between."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest

from meetings.config import Settings
from meetings.errors import (
    MattermostAuthError,
    MattermostError,
    MattermostForbiddenError,
    MattermostNotFoundError,
    MattermostUnreachableError,
    StorageError,
)
from meetings.mattermost.client import MattermostClient
from meetings.mattermost.entities import Channel, Post
from meetings.positions import Positions
from meetings.watchers import KIND, News, Watch

NOW = 1_700_000_000_000


class Server:
    """One channel, whose posts a test writes."""

    def __init__(self) -> None:
        self.posts: list[Post] = []
        self.type = "O"
        self.reads = 0

    def write(self, name: str, at: int, **more: Any) -> None:
        self.posts.append(
            Post(**{"id": name, "channel_id": "c", "user_id": "u", "create_at": at, "update_at": at, **more})
        )

    def channel(self, channel_id: str) -> Channel:
        last = max((p.create_at for p in self.posts), default=NOW)
        return Channel(id=channel_id, team_id="t", type=self.type, name="c", last_post_at=last)

    def my_channels_everywhere(self) -> tuple[Channel, ...]:
        return (self.channel("c"),)

    def posts_since(self, _channel_id: str, since: int) -> tuple[Post, ...]:
        self.reads += 1
        return tuple(p for p in self.posts if p.update_at > since)


class Seeing:
    """Remembers what it was shown; fails as often as it is told to."""

    def __init__(self, *failures: Exception) -> None:
        self.failures = list(failures)
        self.seen: list[str] = []

    def look(self, news: News) -> None:
        if self.failures:
            raise self.failures.pop(0)
        self.seen += [p.id for p in news.written]

    def tick(self, _now: float) -> None:
        raise ValueError


@pytest.fixture
def server() -> Server:
    server = Server()
    server.write("old", NOW)
    return server


def look_after_a_post(watch: Watch, server: Server) -> None:
    server.write("new", NOW + 5_000)
    watch.note("c")
    watch.look()


def watch_of(server: Server, tmp_path: Path, *watchers: Seeing) -> Watch:
    positions = Positions(Settings(home=tmp_path), kind=KIND)
    return Watch(cast(MattermostClient, server), positions, watchers)


def test_a_channel_that_is_met_for_the_first_time_begins_now(server: Server, tmp_path: Path) -> None:
    one = Seeing()
    watch_of(server, tmp_path, one).look()
    assert one.seen == []


def test_what_is_written_after_that_is_seen_by_every_watcher(server: Server, tmp_path: Path) -> None:
    watch = watch_of(server, tmp_path, one := Seeing(), two := Seeing())
    watch.look()
    look_after_a_post(watch, server)
    assert one.seen == two.seen == ["new"]


def test_nothing_is_read_where_nothing_happened(server: Server, tmp_path: Path) -> None:
    watch = watch_of(server, tmp_path, Seeing())
    watch.look()
    watch.note_all()
    watch.look()
    assert server.reads == 0


def test_what_happened_while_no_process_ran_is_seen_by_the_next(server: Server, tmp_path: Path) -> None:
    watch_of(server, tmp_path, Seeing()).look()
    server.write("meanwhile", NOW + 5_000)
    watch_of(server, tmp_path, one := Seeing()).look()
    assert one.seen == ["meanwhile"]


def test_a_server_that_fails_while_a_watcher_looks_shows_the_same_again(server: Server, tmp_path: Path) -> None:
    one = Seeing(MattermostUnreachableError("away"))
    watch = watch_of(server, tmp_path, one)
    watch.look()
    look_after_a_post(watch, server)
    watch.look()
    assert one.seen == ["new"]


def test_a_full_disk_loses_nothing_of_what_was_to_be_seen(server: Server, tmp_path: Path) -> None:
    one = Seeing(StorageError(tmp_path, "no space left"))
    watch = watch_of(server, tmp_path, one)
    watch.look()
    look_after_a_post(watch, server)
    watch.look()
    assert one.seen == ["new"]


def test_a_position_that_cannot_be_written_shows_the_same_again(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    watch = watch_of(server, tmp_path, one := Seeing())
    watch.look()
    server.write("new", NOW + 5_000)
    watch.note("c")
    with monkeypatch.context() as full:
        full.setattr(Positions, "move", lambda *_: (_ for _ in ()).throw(StorageError(tmp_path, "no space left")))
        watch.look()
    watch.look()
    assert one.seen == ["new", "new"]


def test_a_watcher_that_cannot_take_a_post_keeps_no_other_from_it(server: Server, tmp_path: Path) -> None:
    watch = watch_of(server, tmp_path, Seeing(ValueError("odd")), two := Seeing())
    watch.look()
    look_after_a_post(watch, server)
    assert two.seen == ["new"]


def test_a_watcher_that_cannot_take_the_time_ends_nothing(server: Server, tmp_path: Path) -> None:
    watch_of(server, tmp_path, Seeing(), Seeing()).tick(1.0)


def test_direct_channels_are_watched_by_nobody(server: Server, tmp_path: Path) -> None:
    watch = watch_of(server, tmp_path, one := Seeing())
    server.type = "D"
    watch.look()
    look_after_a_post(watch, server)
    assert one.seen == []


def test_what_was_deleted_or_written_by_the_server_is_nothing_that_people_wrote(server: Server, tmp_path: Path) -> None:
    watch = watch_of(server, tmp_path, one := Seeing())
    watch.look()
    server.write("joined", NOW + 5_000, type="system_join_channel")
    server.write("gone", NOW + 5_001, delete_at=NOW + 6_000)
    watch.note("c")
    watch.look()
    assert one.seen == []


def test_a_post_that_becomes_visible_after_a_later_one_is_seen(server: Server, tmp_path: Path) -> None:
    watch = watch_of(server, tmp_path, one := Seeing())
    watch.look()
    server.write("second", NOW + 5_000)
    watch.note("c")
    watch.look()
    server.write("first", NOW + 4_900)
    watch.note("c")
    watch.look()
    assert one.seen == ["second", "first"]


@pytest.mark.parametrize("kind", [MattermostForbiddenError, MattermostNotFoundError])
def test_a_refusal_that_one_watcher_meets_keeps_no_other_from_what_is_new(
    kind: type[MattermostError], server: Server, tmp_path: Path
) -> None:
    watch = watch_of(server, tmp_path, Seeing(kind("one person's message is gone", status=403)), other := Seeing())
    watch.look()
    look_after_a_post(watch, server)
    assert other.seen == ["new"]


def test_a_refused_token_shows_the_same_again(server: Server, tmp_path: Path) -> None:
    one = Seeing(MattermostAuthError("the token is refused", status=401))
    watch = watch_of(server, tmp_path, one)
    watch.look()
    look_after_a_post(watch, server)
    watch.look()
    assert one.seen == ["new"]
