"""What Mattermost tells about a person: position, channels, what they write and react to.

A bot may read only the channels it is a member of (another user's channel list is refused with 403, seen on 5.37), so
the context is gathered from those: one pass over the channels serves every person. It is used for that person's own
summary and quoted to nobody.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import timedelta

from meetings.mattermost.client import Channel, MattermostClient, Post, User
from meetings.people import ChannelContext, Person, PersonContext, PostContext

WEEKS = 8
MAX_POSTS_PER_CHANNEL = 1_000
MAX_POSTS_PER_PERSON = 200
_DAY_MS = 24 * 3600 * 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class _ChannelPosts:
    channel: Channel
    members: frozenset[str]
    posts: tuple[Post, ...]


def person_of(user: User) -> Person:
    """A Mattermost account as a reader of summaries."""
    return Person(username=user.username, name=user.name, position=user.position, locale=user.locale or None)


def read_contexts(
    client: MattermostClient, users: Collection[User], *, now: int, weeks: int = WEEKS
) -> dict[str, PersonContext]:
    """Each person's context by username, from the channels that the bot and the person share.

    Args:
        client: the bot.
        users: the people asked about.
        now: the time that ages are counted from, in milliseconds since the epoch (the call's start).
        weeks: how far back posts count.
    """
    wanted = {u.id: u for u in users}
    shared = [
        read
        for channel in _channels(client)
        if (read := _read_channel(client, channel, wanted.keys(), now=now, weeks=weeks)) is not None
    ]
    posts_by_id = {p.id: p for c in shared for p in c.posts}
    reactions = defaultdict(list)
    for reaction in client.reactions(posts_by_id) if posts_by_id else ():
        reactions[reaction.user_id].append(posts_by_id[reaction.post_id])
    return {user.username: _context(user, shared, reactions[user.id], now=now) for user in users}


def _channels(client: MattermostClient) -> Iterable[Channel]:
    seen: set[str] = set()
    for team in client.my_teams():
        for channel in client.my_channels(team.id):
            if channel.type in {"O", "P"} and channel.id not in seen:
                seen.add(channel.id)
                yield channel


def _read_channel(
    client: MattermostClient, channel: Channel, wanted: Collection[str], *, now: int, weeks: int
) -> _ChannelPosts | None:
    members = frozenset(client.channel_member_ids(channel.id))
    if not members & set(wanted):
        return None
    oldest = now - int(timedelta(weeks=weeks).total_seconds() * 1000)
    posts: list[Post] = []
    for post in client.latest_posts(channel.id, MAX_POSTS_PER_CHANNEL):
        if post.create_at < oldest:
            break
        # Typed posts (joins, calls) are the server's or a plugin's words, not a person's.
        if post.message and not post.delete_at and not post.type:
            posts.append(post)
    return _ChannelPosts(channel=channel, members=members, posts=tuple(posts))


def _context(user: User, shared: Iterable[_ChannelPosts], reacted: Iterable[Post], *, now: int) -> PersonContext:
    channels: list[ChannelContext] = []
    found: list[PostContext] = []
    names: dict[str, str] = {}
    handle = f"@{user.username}"
    for read in shared:
        if user.id not in read.members:
            continue
        names[read.channel.id] = read.channel.name
        channels.append(
            ChannelContext(
                name=read.channel.name,
                display_name=read.channel.display_name,
                purpose=read.channel.purpose,
                header=read.channel.header,
            )
        )
        own_threads = {p.root_id or p.id for p in read.posts if p.user_id == user.id}
        for post in read.posts:
            if post.user_id == user.id:
                kind = "own"
            elif handle in post.message:
                kind = "mentioned"
            elif (post.root_id or post.id) in own_threads:
                kind = "thread"
            else:
                continue
            found.append(_post_context(post, kind, read.channel.name, now=now))
    found += [
        _post_context(post, "reacted", names[post.channel_id], now=now)
        for post in reacted
        if post.channel_id in names and post.user_id != user.id
    ]
    found.sort(key=lambda p: p.age_days)
    return PersonContext(channels=tuple(channels), posts=tuple(found[:MAX_POSTS_PER_PERSON]))


def _post_context(post: Post, kind: str, channel: str, *, now: int) -> PostContext:
    return PostContext(
        text=post.message, age_days=max(0.0, (now - post.create_at) / _DAY_MS), kind=kind, channel=channel
    )
