"""Who came into a channel, as the server's own posts in it say; so that nobody is lost who came while nobody listened.

Pure. A person may be named twice, by the team's post and the channel's; the first counts.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from meetings.mattermost.entities import ID_PATTERN, Post

# By themselves: the author came. Added: the props say who, and the author added them. Guests have types of their own.
CAME = frozenset({"system_join_channel", "system_join_team", "system_guest_join_channel"})
ADDED = frozenset({"system_add_to_channel", "system_add_to_team", "system_add_guest_to_chan"})
# So many who come within so many milliseconds were put there together, and none of them is asked anything.
CROWD = 8
TOGETHER = 15 * 60_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Join:
    """Somebody came (`user_id`), `at` milliseconds since the epoch."""

    user_id: str
    at: int


def joins(posts: Iterable[Post]) -> tuple[Join, ...]:
    """Who came, each once, in order of time."""
    found: dict[str, Join] = {}
    for post in sorted(posts, key=lambda p: p.create_at):
        user_id = _who(post)
        if user_id and not post.delete_at:
            found.setdefault(user_id, Join(user_id=user_id, at=post.create_at))
    return tuple(found.values())


def in_crowd(at: int, every: Iterable[Join]) -> bool:
    """Whether somebody who came at a moment came together with many others."""
    return sum(abs(join.at - at) <= TOGETHER for join in every) >= CROWD


def _who(post: Post) -> str:
    if post.type in CAME:
        return post.user_id
    if post.type in ADDED:
        who = post.props.get("addedUserId")
        return who if isinstance(who, str) and ID_PATTERN.fullmatch(who) else ""
    return ""
