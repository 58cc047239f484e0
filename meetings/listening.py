"""Hears of recordings and queues them: from the bot's socket as it happens, and by looking through channels after gaps.

Everything heard is checked against the server before anything is done with it, and queued under a name of its own, so
that an event that comes twice, late, out of order or never changes nothing: the sweep finds what the socket missed.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Protocol

from meetings.arrivals import call_of, recording_of
from meetings.errors import (
    MattermostAuthError,
    MattermostError,
    MattermostForbiddenError,
    MattermostNotFoundError,
    MattermostRateLimitError,
    MattermostUnreachableError,
)
from meetings.mattermost.calls import CALL, RECORDING, caption_of
from meetings.mattermost.client import Channel, MattermostClient, Post, Reaction
from meetings.mattermost.events import MemberChanged, PostGone, PostWritten, Reacted
from meetings.mattermost.opinions import DISLIKES, LIKES
from meetings.mattermost.socket import Gap, Lost, listen
from meetings.notices import Notices
from meetings.positions import Positions
from meetings.talkback import MORE
from meetings.watchers import Watch

# Channels are looked through this often (seconds) even if the socket seems well.
SWEEP_EVERY = 600.0
# The first start ever looks back this far (milliseconds): older recordings are for `meetings batch`.
FIRST_LOOK = 24 * 3600 * 1000
# Answers to the bot this old (milliseconds) are still answered when it meets a direct channel for the first time.
ANSWERS_LOOK = 7 * 24 * 3600 * 1000
# What is written in the same moment as the last post seen may become visible after it: for so long (milliseconds) the
# next look begins that much earlier.
OVERLAP = 2_000
LONG_AGO = 24 * 3600 * 1000  # milliseconds: no two machines' clocks differ by a day
# Events that wait while the queue's file is written; more are dropped, and the sweep after finds them.
MAX_WAITING = 10_000

log = logging.getLogger("meetings.listen")

ANSWERED = LIKES | DISLIKES | {MORE}


class Queue(Protocol):
    """Where what is heard is queued; each tells whether it was new."""

    def put(self, post_id: str, *, cause: str = "") -> bool:
        """A recording's post, under what is new about it."""

    def put_answer(self, post_id: str, user_id: str) -> bool:
        """A post that somebody wrote to the bot, and who."""

    def put_reaction(self, reaction: Reaction) -> bool:
        """An emoji that somebody put on a post."""

    def put_gone(self, post_id: str, channel_id: str) -> bool:
        """A post that was deleted: recordings of its channel may be gone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Swept:
    """What a look through the channels found."""

    channels: int = 0
    posts: int = 0
    queued: int = 0


class Listener:
    """Turns what the server says into queued recordings.

    Args:
        client: the bot.
        queue: where what is heard is queued.
        positions: how far each channel was looked through.
        notices: tells each channel once what the bot does; None: nobody is told.
        watch: is told in which channels something happened; None: nobody is.
        clock: seconds that never step back.
    """

    def __init__(
        self,
        client: MattermostClient,
        queue: Queue,
        positions: Positions,
        notices: Notices | None = None,
        *,
        watch: Watch | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._notices = notices
        self.watch = watch
        self._clock = clock
        # Of each channel the newest post's time (milliseconds of the server), and when it was first seen.
        self._newest: dict[str, tuple[int, float]] = {}
        # Channels in which changes of old posts are still to be looked for; and whether that is all of them.
        self._owed: set[str] = set()
        self._owed_everywhere = False
        self._client = client
        self._waiting = queue
        self._positions = positions

    def note(self, event: object) -> None:
        """Tell the watch where something happened. Cheap, as `concerns` is."""
        if self.watch is not None:
            if isinstance(event, PostWritten | PostGone):
                self.watch.note(event.post.channel_id)
            elif isinstance(event, MemberChanged):
                self.watch.note(event.channel_id)

    def concerns(self, event: object) -> bool:
        """Whether an event is worth a look. Cheap: a server sends thousands that are not."""
        if isinstance(event, PostWritten):
            if event.channel_type == "D" and not event.edited:
                return self._is_said(event.post)
            return recording_of(event.post) is not None or call_of(event.post) is not None
        if isinstance(event, Reacted):
            return (
                not event.removed and event.reaction.emoji_name in ANSWERED and self._is_other(event.reaction.user_id)
            )
        if isinstance(event, PostGone):
            return _held_a_recording(event.post)
        return isinstance(event, MemberChanged) and not event.removed and event.user_id == self._client.me().id

    def hear(self, event: object) -> int:
        """Act on an event; how many recordings were queued. What fails is found by the next look."""
        try:
            return self._hear(event)
        except Exception:
            if isinstance(event, PostWritten | PostGone):
                self._owed.add(event.post.channel_id)
            raise

    def _hear(self, event: object) -> int:
        if isinstance(event, PostWritten):
            if event.channel_type == "D" and self._is_said(event.post):
                self._waiting.put_answer(event.post.id, event.post.user_id)
                return 0
            return self._look_at(event.post)
        if isinstance(event, Reacted):
            self._waiting.put_reaction(event.reaction)
            return 0
        if isinstance(event, PostGone):
            self._waiting.put_gone(event.post.id, event.post.channel_id)
            return 0
        if isinstance(event, MemberChanged):
            log.info("the bot was added to a channel")
            return self.sweep(only={event.channel_id}).queued
        return 0

    def sweep(self, *, only: Collection[str] | None = None, edits: bool = False) -> Swept:
        """Look through the bot's channels, each from its position on.

        Args:
            only: ids of the channels to look through; None for all of them.
            edits: also look for changes of old posts where nothing new was written: a request for each channel. Where
                that fails the next look does it.

        Raises:
            MattermostError: the server failed; channels that were looked through keep their new position.
        """
        if self.watch is not None and only is None:
            self.watch.note_all()
        self._owed_everywhere = self._owed_everywhere or edits
        there = self._client.my_channels_everywhere()
        if self._owed_everywhere:
            self._owed |= {channel.id for channel in there}
            self._owed_everywhere = False
        first = self._positions.met_first(channel.id for channel in there)
        channels = posts = queued = 0
        trouble: MattermostError | None = None
        for channel in there:
            if only is not None and channel.id not in only:
                continue
            try:
                seen, new = self._sweep_channel(channel, first_ever=channel.id in first, edits=channel.id in self._owed)
            except (MattermostForbiddenError, MattermostNotFoundError) as error:
                # The bot was removed a moment ago; the other channels are looked through all the same.
                log.info("channel %s: %s", channel.id, error)
                continue
            except (MattermostUnreachableError, MattermostAuthError, MattermostRateLimitError):
                raise
            except MattermostError as error:
                # One channel's trouble keeps no other from being looked through.
                trouble = error
                continue
            self._owed.discard(channel.id)
            if self._notices is not None:
                self._notices.give(channel)
            channels, posts, queued = channels + 1, posts + seen, queued + new
        if trouble is not None:
            raise trouble
        return Swept(channels=channels, posts=posts, queued=queued)

    def _sweep_channel(self, channel: Channel, *, first_ever: bool, edits: bool) -> tuple[int, int]:
        known = self._positions.of(channel.id)
        begin = self._first_position(channel, first_ever=first_ever) if known is None else known
        # An edit does not make the channel's last post any newer: after a gap every channel is asked.
        if known is not None and channel.last_post_at <= begin and not edits:
            return 0, 0
        seen, queued, newest = 0, 0, begin
        for post in self._client.posts_since(channel.id, begin):
            seen += 1
            newest = max(newest, post.update_at)
            if channel.type != "D":
                queued += self._look_at(post)
            elif self._is_said(post) and post.create_at > begin:
                self._waiting.put_answer(post.id, post.user_id)
        self._positions.move(channel.id, self._next_look(channel.id, newest) if seen else begin)
        return seen, queued

    def _next_look(self, channel_id: str, newest: int) -> int:
        """Where the look after this one begins, whose newest post is of that time.

        Not for ever at the last post: what was removed here, after its days, would come back.
        """
        if self._newest.get(channel_id, (-1, 0.0))[0] != newest:
            self._newest[channel_id] = newest, self._clock()
        seen_for = (self._clock() - self._newest[channel_id][1]) * 1000
        settled = seen_for > OVERLAP or newest < time.time() * 1000 - LONG_AGO
        return newest if settled else max(0, newest - OVERLAP)

    def _first_position(self, channel: Channel, *, first_ever: bool) -> int:
        """Where to begin in a channel that was never looked through.

        A channel that the bot came to while nobody listened: with its coming, which a post of the server tells. The
        channels that there were at the first start ever: a day back at most, and never before the bot came. Where no
        post tells when it came: a day back.
        """
        if channel.type == "D":
            # Who answered a message that was sent while nobody listened is still heard: `stop` above all.
            return max(0, channel.last_post_at - ANSWERS_LOOK)
        came = 0
        me = self._client.me().id
        for post in self._client.latest_posts(channel.id, 1_000):
            if post.type in {"system_add_to_channel", "system_join_channel"}:
                who = post.props.get("addedUserId") or post.user_id
                if who == me:
                    came = post.create_at
                    break
        a_day_back = max(0, channel.last_post_at - FIRST_LOOK)
        return max(came, a_day_back) if first_ever else came or a_day_back

    def _is_other(self, user_id: str) -> bool:
        return user_id != self._client.me().id

    def _is_said(self, post: Post) -> bool:
        """Whether somebody wrote a post themselves."""
        return self._is_other(post.user_id) and not post.type and not post.delete_at

    def _look_at(self, post: Post) -> int:
        if post.delete_at and _held_a_recording(post):
            self._waiting.put_gone(post.id, post.channel_id)
        if (recording := recording_of(post)) is not None:
            return self._queue(recording, caption_of(post) or "")
        if (call := call_of(post)) is not None:
            return self._transcribed(post, call)
        return 0

    def _transcribed(self, post: Post, call_id: str) -> int:
        """A transcription came: the recordings of its call are looked at again."""
        try:
            thread = self._client.thread(call_id)
        except (MattermostForbiddenError, MattermostNotFoundError):
            return 0
        # A post may name any other in its props: only a call of the same channel counts.
        if not any(p.id == call_id and p.type == CALL and p.channel_id == post.channel_id for p in thread):
            return 0
        return sum(self._queue(p.id, post.id) for p in thread if recording_of(p) is not None)

    def _queue(self, post_id: str, cause: str) -> int:
        new = self._waiting.put(post_id, cause=cause)
        if new:
            log.info("queued the recording of post %s", post_id)
        return int(new)


def _held_a_recording(post: Post) -> bool:
    """Whether a recording may have gone with a post. With the root of a thread all of the thread goes."""
    return post.type in {RECORDING, CALL} or bool(post.file_ids)


async def listen_forever(listener: Listener, *, url: str, token: str, sweep_every: float = SWEEP_EVERY) -> None:
    """Listen until cancelled.

    A refused token, a server that is away or a full disk is logged and waited out; what happened meanwhile is found by
    the sweep that follows.
    """
    waiting: asyncio.Queue[object] = asyncio.Queue(MAX_WAITING)
    async with asyncio.TaskGroup() as group:
        group.create_task(_hear(listener, url, token, waiting))
        group.create_task(_act(listener, waiting, sweep_every))


async def _hear(listener: Listener, url: str, token: str, waiting: asyncio.Queue[object]) -> None:
    overflow = False
    async for event in listen(url, token):
        if isinstance(event, Lost):
            level = logging.ERROR if isinstance(event.error, MattermostAuthError) else logging.WARNING
            log.log(level, "%s; trying again in %.0f s", event.error, event.wait)
            continue
        listener.note(event)
        if not isinstance(event, Gap) and not listener.concerns(event):
            continue
        overflow = overflow or waiting.full()
        if overflow and not waiting.full():
            overflow = False
            waiting.put_nowait(Gap())
        if not waiting.full():
            waiting.put_nowait(event)


async def _act(listener: Listener, waiting: asyncio.Queue[object], sweep_every: float) -> None:
    due = time.monotonic() + sweep_every
    while True:
        event: object = None
        with contextlib.suppress(TimeoutError):
            event = await asyncio.wait_for(waiting.get(), timeout=max(0.1, due - time.monotonic()))
        try:
            if event is None or isinstance(event, Gap):
                due = time.monotonic() + sweep_every
                began = time.monotonic()
                swept = await asyncio.to_thread(listener.sweep, edits=event is not None)
                log.info(
                    "looked through %d channels (%d posts, %.1f s): %d recordings queued",
                    swept.channels,
                    swept.posts,
                    time.monotonic() - began,
                    swept.queued,
                )
            else:
                await asyncio.to_thread(listener.hear, event)
        except Exception as error:  # noqa: BLE001 - a full disk, a damaged answer: the next look finds what was missed
            log.warning("%s; looking again soon", " ".join(str(error).split()) or type(error).__name__)
            due = min(due, time.monotonic() + 30.0)
