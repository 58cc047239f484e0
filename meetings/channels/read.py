"""Reading a stretch of a channel for somebody: only what they may read themselves, and no more than memory holds."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from meetings.channels.items import Written
from meetings.errors import MattermostForbiddenError
from meetings.mattermost.client import MattermostClient
from meetings.mattermost.entities import Channel, Post, User

# Newest posts of a stretch that are read: with `MAX_TEXT` this bounds memory at about 50 MB.
MAX_POSTS = 20_000
PASSED_OVER = 5  # times as many posts may lie between a stretch that ended and now
MAX_TEXT = 2_000  # characters of a post that are looked at


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """What was written in a channel since a moment (milliseconds since the epoch), oldest first.

    `until` is where it ends; None: it goes on. `cut` says that there was more than is read, and its oldest part is
    missing.
    """

    posts: tuple[Written, ...]
    since: int
    cut: bool = False
    until: int | None = None


def require_member(client: MattermostClient, channel: Channel, user: User) -> None:
    """Refuse to read a channel for somebody who could not read it themselves.

    Raises:
        MattermostForbiddenError: they are not in it, or their account is switched off.
    """
    if user.delete_at or not client.is_channel_member(channel.id, user.id):
        raise MattermostForbiddenError(
            f"{user.username} is not in ~{channel.name}; a channel is read only for its members", status=403
        )


def read_stretch(
    client: MattermostClient, channel: Channel, *, since: int, until: int | None = None, limit: int = MAX_POSTS
) -> Stretch:
    """What people and bots wrote in a channel after a moment.

    Args:
        client: the bot; must be in the channel.
        channel: the channel.
        since: milliseconds since the epoch.
        until: milliseconds since the epoch, where the stretch ends before now.
        limit: how many of the newest posts of the stretch to read.

    Raises:
        MattermostError: the server does not answer or refuses.
    """
    # What came after the stretch is passed over, as far as that is bearable.
    read = limit + 1 if until is None else PASSED_OVER * limit + 1
    return stretch_of(client.latest_posts(channel.id, read), since=since, until=until, limit=limit)


def stretch_of(
    newest_first: Iterable[Post], *, since: int, until: int | None = None, limit: int = MAX_POSTS
) -> Stretch:
    """A stretch of posts that come newest first; reading stops where it begins."""
    found: list[Written] = []
    cut = False
    number = 0
    for post in newest_first:
        if until is not None and post.create_at >= until:
            continue
        if post.create_at <= since:
            break
        number += 1
        if number > limit:
            cut = True
            break
        # Typed posts (joins, calls) are the server's or a plugin's words.
        if post.message.strip() and not post.is_deleted and not post.type:
            found.append(_written(post))
    return Stretch(posts=tuple(reversed(found)), since=since, cut=cut, until=until)


def _written(post: Post) -> Written:
    return Written(
        id=post.id,
        user_id=post.user_id,
        root_id=post.root_id,
        at=post.create_at,
        text=post.message[:MAX_TEXT],
        reactors=frozenset(r.user_id for r in post.reactions),
    )
