"""What Mattermost tells about a person: position, channels, what they write and react to, what they think of summaries.

A bot may read only the channels it is a member of (another user's channel list is refused with 403, seen on 5.37), so
the context is gathered from those: one pass over the channels serves every person. It is used for that person's own
summary and quoted to nobody. Who is in a channel is asked anew each time; of its posts only what changed is read when
the rest is kept (`meetings.mattermost.kept`).
"""

from __future__ import annotations

import re
import time
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace
from datetime import timedelta

from meetings.mattermost.client import MAX_SINCE, PAGE, Channel, MattermostClient, Post, User
from meetings.mattermost.kept import KeptChannel, KeptContext, KeptPost
from meetings.mattermost.opinions import read_opinions
from meetings.people import ChannelContext, Person, PersonContext, PostContext
from meetings.progress import Progress, no_progress

WEEKS = 8
MAX_POSTS_PER_CHANNEL = 1_000
MAX_POSTS_PER_PERSON = 200
MAX_MESSAGE = 2_000  # characters of a post that are looked at
# Kept posts reach further back by this, so that a call of some days ago finds its eight weeks too.
SLACK = timedelta(weeks=2)
# What the server removed without a trace (retention rules do) is seen only when all is read again.
WHOLE_EVERY = timedelta(days=7)
# Times are given before a post is written: one that came late is still found. Reading it twice does no harm.
OVERLAP_MS = 5_000
_DAY_MS = 24 * 3600 * 1000
_HANDLE = re.compile(r"@([a-z0-9][a-z0-9._-]*)", re.IGNORECASE)


@dataclass(slots=True)
class Reading:
    """How a reading went: channels read whole, read in part and found unchanged; requests, seconds, what was odd."""

    people: int = 0
    channels: int = 0
    whole: int = 0
    changed: int = 0
    unchanged: int = 0
    posts: int = 0
    requests: int = 0
    seconds: float = 0.0
    notes: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Found:
    """What was found of one person so far."""

    channels: list[ChannelContext] = field(default_factory=list)
    posts: list[tuple[int, PostContext]] = field(default_factory=list)  # with the time written

    def add(self, at: int, post: PostContext) -> None:
        self.posts.append((at, post))
        if len(self.posts) >= 4 * MAX_POSTS_PER_PERSON:
            self.newest()

    def newest(self) -> tuple[PostContext, ...]:
        self.posts.sort(key=lambda p: -p[0])
        del self.posts[MAX_POSTS_PER_PERSON:]
        return tuple(post for _, post in self.posts)


def person_of(user: User) -> Person:
    """A Mattermost account as a reader of summaries."""
    return Person(username=user.username, name=user.name, position=user.position, locale=user.locale or None)


def read_contexts(
    client: MattermostClient,
    users: Collection[User],
    *,
    now: int,
    weeks: int = WEEKS,
    kept: KeptContext | None = None,
    reading: Reading | None = None,
) -> dict[str, PersonContext]:
    """Each person's context by username, from the channels that the bot and the person share.

    Args:
        client: the bot.
        users: the people asked about.
        now: the time that ages are counted from, in milliseconds since the epoch (the call's start).
        weeks: how far back posts count.
        kept: what earlier readings left, brought up to date; None: everything is read from the server.
        reading: what was done is told here.

    Raises:
        MattermostError: the server does not answer or refuses. What is kept is not used then: nobody could say who may
            still read it, and a summary could not be delivered either.
    """
    reading = Reading() if reading is None else reading
    began, sent = time.monotonic(), client.requests
    wanted = {u.id: u for u in users}
    by_name = {u.username: u.id for u in users}
    found = {u.id: _Found() for u in users}
    channels, direct = _channels(client)
    if kept is not None:
        # What the bot may no longer read goes at once.
        kept.keep_only({channel.id for channel in channels})
    for channel in channels:
        members = frozenset(client.channel_member_ids(channel.id))
        if not members & wanted.keys():
            continue
        reading.channels += 1
        oldest = now - int(timedelta(weeks=weeks).total_seconds() * 1000)
        posts = _posts(client, channel, oldest=oldest, kept=kept, reading=reading)
        _gather(channel, posts, members & wanted.keys(), found, by_name, now=now, oldest=oldest)
    opinions = read_opinions(client, users, direct, now=now, kept=kept)
    reading.people += len(wanted)
    reading.requests += client.requests - sent
    reading.seconds += time.monotonic() - began
    reading.notes += kept.notes if kept else []
    return {
        u.username: PersonContext(
            channels=tuple(found[u.id].channels), posts=found[u.id].newest(), feedback=opinions.get(u.id, ())
        )
        for u in users
    }


def refresh(
    client: MattermostClient, kept: KeptContext, *, now: int, weeks: int = WEEKS, progress: Progress = no_progress
) -> Reading:
    """Bring what is kept of everybody in the bot's channels up to date; one pass serves all of them.

    Raises:
        MattermostError: the server does not answer or refuses.
        StorageError: the data folder cannot be written.
    """
    reading = Reading()
    began, sent = time.monotonic(), client.requests
    channels, direct = _channels(client)
    oldest = now - int(timedelta(weeks=weeks).total_seconds() * 1000)
    members: set[str] = set()
    for number, channel in enumerate(channels, start=1):
        members.update(client.channel_member_ids(channel.id))
        reading.channels += 1
        _posts(client, channel, oldest=oldest, kept=kept, reading=reading)
        progress(0.9 * number / len(channels))
    kept.keep_only({c.id for c in channels})
    people = [u for u in client.users(sorted(members)) if not u.is_bot and not u.delete_at]
    read_opinions(client, people, direct, now=now, kept=kept)
    reading.people = len(people)
    reading.requests = client.requests - sent
    reading.seconds = time.monotonic() - began
    reading.notes = list(kept.notes)
    progress(1.0)
    return reading


def _channels(client: MattermostClient) -> tuple[list[Channel], dict[str, Channel]]:
    """The channels that the bot is in, and its direct channels by the other one's user id."""
    me = client.me().id
    found: dict[str, Channel] = {}
    direct: dict[str, Channel] = {}
    for channel in client.my_channels_everywhere():
        if channel.type in {"O", "P"}:
            found[channel.id] = channel
        elif channel.type == "D":
            # A direct channel's name is its members' ids (model.GetDMNameFromIds).
            others = [part for part in channel.name.split("__") if part != me]
            direct |= {others[0]: channel} if len(others) == 1 else {}
    return list(found.values()), direct


def _posts(
    client: MattermostClient, channel: Channel, *, oldest: int, kept: KeptContext | None, reading: Reading
) -> tuple[KeptPost, ...]:
    """A channel's posts, newest first: what is kept of it with what changed since, else all of them."""
    clock = int(time.time() * 1000)
    known = kept.channel(channel.id) if kept else None
    if known is not None and known.oldest <= oldest and clock - known.whole_at < WHOLE_EVERY // _MS:
        changes = client.posts_since(channel.id, known.position - OVERLAP_MS)
        # A full answer may have left something out.
        if len(changes) < MAX_SINCE:
            merged = _merged(known, changes)
            if merged.posts == known.posts:
                reading.unchanged += 1
            else:
                reading.changed += 1
                reading.posts += len(changes)
            # Now and then what has grown too old goes too.
            merged = _cut(merged, min(oldest, clock - _reach()))
            if merged != known and kept is not None:
                kept.keep_channel(channel.id, merged)
            return merged.posts
    reading.whole += 1
    deepest = min(oldest, clock - _reach())
    whole = _read_whole(client, channel, oldest=deepest, clock=clock)
    reading.posts += len(whole.posts)
    # An old call reaches further back than what is kept: it is read for that call alone.
    if kept is not None and oldest >= clock - _reach():
        kept.keep_channel(channel.id, whole)
    return whole.posts


_MS = timedelta(milliseconds=1)


def _reach() -> int:
    """How far back kept posts reach, in milliseconds."""
    return (timedelta(weeks=WEEKS) + SLACK) // _MS


def _read_whole(client: MattermostClient, channel: Channel, *, oldest: int, clock: int) -> KeptChannel:
    posts: list[KeptPost] = []
    position = 0
    for number, post in enumerate(client.latest_posts(channel.id, MAX_POSTS_PER_CHANNEL)):
        # What changes while the later pages are read is newer than all of the first.
        position = max(position, post.update_at) if number < PAGE else position
        if post.create_at < oldest:
            break
        if _counts(post):
            posts.append(_kept(post))
    return KeptChannel(position=position, oldest=oldest, whole_at=clock, posts=tuple(posts))


def _merged(known: KeptChannel, changes: Iterable[Post]) -> KeptChannel:
    """What is known with what changed: edited posts replaced, deleted ones gone."""
    posts = {p.id: p for p in known.posts}
    position = known.position
    for post in changes:
        position = max(position, post.update_at)
        if _counts(post) and post.create_at >= known.oldest:
            posts[post.id] = _kept(post)
        else:
            posts.pop(post.id, None)
    newest = sorted(posts.values(), key=lambda p: (-p.create_at, p.id))[:MAX_POSTS_PER_CHANNEL]
    same = {p.id: p for p in known.posts} == {p.id: p for p in newest}
    return replace(known, position=position, posts=known.posts if same else tuple(newest))


def _cut(kept: KeptChannel, oldest: int) -> KeptChannel:
    """Without posts older than a time."""
    if not kept.posts or kept.posts[-1].create_at >= oldest:
        return kept
    return replace(kept, oldest=oldest, posts=tuple(p for p in kept.posts if p.create_at >= oldest))


def _counts(post: Post) -> bool:
    # Typed posts (joins, calls) are the server's or a plugin's words, not a person's.
    return bool(post.message) and not post.delete_at and not post.type


def _kept(post: Post) -> KeptPost:
    return KeptPost(
        id=post.id,
        user_id=post.user_id,
        root_id=post.root_id,
        create_at=post.create_at,
        message=post.message[:MAX_MESSAGE],
        reacted=tuple(sorted({r.user_id for r in post.reactions})),
    )


def _gather(
    channel: Channel,
    posts: Iterable[KeptPost],
    members: Collection[str],
    found: dict[str, _Found],
    by_name: dict[str, str],
    *,
    now: int,
    oldest: int,
) -> None:
    """Give each member what the channel says of them."""
    told = ChannelContext(
        name=channel.name, display_name=channel.display_name, purpose=channel.purpose, header=channel.header
    )
    for member in members:
        found[member].channels.append(told)
    recent = [p for p in posts if p.create_at >= oldest]
    threads: dict[str, set[str]] = defaultdict(set)
    for post in recent:
        if post.user_id in members:
            threads[post.root_id or post.id].add(post.user_id)
    for post in recent:
        kinds = dict.fromkeys(threads.get(post.root_id or post.id, ()), "thread")
        kinds |= {by_name[n]: "mentioned" for n in _handles(post.message) if by_name.get(n) in members}
        kinds |= {post.user_id: "own"} if post.user_id in members else {}
        age = max(0.0, (now - post.create_at) / _DAY_MS)
        for user_id, kind in kinds.items():
            found[user_id].add(
                post.create_at, PostContext(text=post.message, age_days=age, kind=kind, channel=channel.name)
            )
        for user_id in post.reacted:
            if user_id in members and user_id != post.user_id:
                found[user_id].add(
                    post.create_at, PostContext(text=post.message, age_days=age, kind="reacted", channel=channel.name)
                )


def _handles(message: str) -> set[str]:
    """Usernames that a message may name: `@ana.` at the end of a sentence means ana."""
    named = {n.lower() for n in _HANDLE.findall(message)} if "@" in message else set()
    return named | {n.rstrip("._-") for n in named}
