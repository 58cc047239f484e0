"""Reads what is new in the bot's channels, once, for everything that acts on it: alerts, briefings, briefs.

The socket and the sweeps only say in which channels something happened; what it was is read from the server, from the
channel's own position on. The position moves when all watchers have seen it, so that a process that dies has them see
it again: a watcher does nothing twice that it did once. A channel that is met for the first time begins now.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from meetings.errors import (
    DatabaseError,
    MattermostError,
    MattermostForbiddenError,
    MattermostNotFoundError,
    StorageError,
)
from meetings.mattermost.client import MattermostClient
from meetings.mattermost.entities import Channel, Post
from meetings.positions import Positions

KIND = "watched"  # documents: how far each channel was read
# What is written in the same moment as the last post seen may become visible after it: each look begins this much
# (milliseconds) before the end of the last.
OVERLAP = 2_000
# Posts that come within this time (seconds) are read together.
TOGETHER = 10.0
# The clock is told to watchers this often (seconds).
TICK = 60.0

# What is over when a server is back or a disk has room: what was to be seen then is seen again.
PASSES = (MattermostError, DatabaseError, StorageError)

log = logging.getLogger("meetings.watchers")


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """What happened in a channel: posts written, changed or deleted after `since` (milliseconds), oldest first.

    Posts that joined or left people are among them (`type` begins with `system_`), and the bot's own.
    """

    channel: Channel
    posts: tuple[Post, ...]
    since: int

    @property
    def written(self) -> tuple[Post, ...]:
        """What people and bots wrote meanwhile; no edits, and nothing that is gone or that the server wrote."""
        return tuple(p for p in self.posts if p.create_at > self.since and not p.type and not p.delete_at)


class Watcher(Protocol):
    """Acts on what is new."""

    def look(self, news: News) -> None:
        """See what is new in a channel that is no direct one. The same may be seen again after a failure.

        Raises:
            MattermostError: the server failed; the same is seen again later.
            DatabaseError, StorageError: as before.
        """

    def tick(self, now: float) -> None:
        """What is due by the clock (seconds since the epoch); raises as `look` does."""


@contextlib.contextmanager
def one_alone(what: str) -> Iterator[None]:
    """What the server refuses of one person or message keeps no other from what is theirs; it is logged.

    Args:
        what: what could then not be done, for the log.
    """
    try:
        yield
    except MattermostError as error:
        if error.everywhere:
            raise
        log.warning("%s: %s", what, error)


class Watch:
    """Has watchers see what is new. One of a deployment: where several machines listen, the one whose turn it is.

    Args:
        client: the bot.
        positions: how far each channel was read (of kind `KIND`).
        watchers: who sees it.
    """

    def __init__(self, client: MattermostClient, positions: Positions, watchers: Sequence[Watcher]) -> None:
        self._client = client
        self._positions = positions
        self._watchers = watchers
        self._lock = threading.Lock()
        self._changed: set[str] = set()
        self._all = True  # what happened before this process began
        self._failed: set[str] = set()
        # What each channel's last look showed.
        self._shown: dict[str, frozenset[tuple[str, int]]] = {}

    def note(self, channel_id: str) -> None:
        """Something happened in a channel; cheap."""
        with self._lock:
            self._changed.add(channel_id)

    def note_all(self) -> None:
        """Something may have happened anywhere."""
        with self._lock:
            self._all = True

    def look(self) -> int:
        """Read what is new, and show it; in how many channels there was something."""
        if not self._watchers:
            return 0
        with self._lock:
            everywhere, changed = self._all, self._changed | self._failed
            self._all, self._changed, self._failed = False, set(), set()
        try:
            channels = self._channels(None if everywhere else changed)
        except PASSES:
            with self._lock:
                self._all, self._changed = self._all or everywhere, self._changed | changed
            raise
        found = 0
        for channel in channels:
            try:
                found += self._look_at(channel, quiet=everywhere and channel.id not in changed)
            except (MattermostForbiddenError, MattermostNotFoundError):
                continue  # the bot has left it
            except PASSES as error:
                log.warning("what is new in a channel is looked at again: %s", error)
                self._failed.add(channel.id)
        return found

    def tick(self, now: float) -> None:
        """Tell watchers the time (seconds since the epoch)."""
        for watcher in self._watchers:
            try:
                watcher.tick(now)
            except Exception as error:  # noqa: BLE001 - one watcher's trouble keeps no other from its work
                log.warning("%s: %s", type(watcher).__name__, " ".join(str(error).split()))

    def run(self, stop: threading.Event) -> None:
        """Look and tick until told to stop."""
        ticked = 0.0
        while not stop.wait(TOGETHER):
            try:
                self.look()
            except Exception as error:  # noqa: BLE001 - a server that is away comes back
                log.warning("%s; looking again soon", " ".join(str(error).split()) or type(error).__name__)
            now = time.time()
            if not 0 <= now - ticked < TICK:
                ticked = now
                self.tick(now)

    def _channels(self, ids: Collection[str] | None) -> Iterable[Channel]:
        if ids is None:
            return tuple(c for c in self._client.my_channels_everywhere() if c.type != "D")
        found = []
        for channel_id in ids:
            try:
                channel = self._client.channel(channel_id)
            except (MattermostForbiddenError, MattermostNotFoundError):
                continue
            if channel.type != "D":
                found.append(channel)
        return found

    def _look_at(self, channel: Channel, *, quiet: bool) -> int:
        """Look at a channel; `quiet`: nobody said that something happened in it."""
        since = self._positions.of(channel.id)
        if since is None:
            self._positions.move(channel.id, channel.last_post_at)
            return 0
        if quiet and channel.last_post_at <= since:
            return 0
        shown = self._shown.get(channel.id, frozenset())
        begin = max(0, since - OVERLAP) if shown else since
        posts = tuple(p for p in self._client.posts_since(channel.id, begin) if (p.id, p.update_at) not in shown)
        if not posts:
            return 0
        news = News(channel=channel, posts=posts, since=begin)
        for watcher in self._watchers:
            try:
                watcher.look(news)
            except Exception as error:
                # What one watcher cannot take it never sees again; nor a refusal that concerns one person or message.
                if isinstance(error, PASSES) and not (isinstance(error, MattermostError) and not error.everywhere):
                    raise
                log.warning("%s: %s", type(watcher).__name__, " ".join(str(error).split()))
        self._positions.move(channel.id, max(p.update_at for p in posts))
        self._shown[channel.id] = frozenset((p.id, p.update_at) for p in posts)
        return 1
