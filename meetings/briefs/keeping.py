"""What was read of an incident's channel is kept, encrypted, so that the next brief reads only what is new.

One document a channel: how far it was read, and the notes of its posts. It is made anew from the whole channel when the
rules change, when it cannot be read, or when so much happened that the server does not say what was deleted.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from meetings.briefs.facts import Colleague, Note, desk_of, read_post
from meetings.briefs.rules import Rules, read_rules
from meetings.briefs.state import State, add_notes, state_of
from meetings.config import Settings
from meetings.errors import BusyError, VoicesKeyError
from meetings.kept_briefs import STATES
from meetings.mattermost.client import MAX_SINCE, MattermostClient
from meetings.mattermost.entities import Channel, Post
from meetings.store import Sealed

FORMAT = 1
MAX_POSTS = 20_000  # of a channel's newest, where it is read as a whole
# What is written in the same moment as the last post read may become visible after it (milliseconds).
OVERLAP = 2_000
TRIES = 3  # of several processes that read a channel at once, the last to finish begins again


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What is known of a channel: read up to `since` (milliseconds, by the server's clock), colleagues by user id."""

    since: int = 0
    notes: Mapping[str, Note]
    people: Mapping[str, Colleague]
    shown: Mapping[str, int]

    def to_json(self, stamp: str) -> dict[str, Any]:
        """The plain form; `stamp` is that of the rules."""
        return {
            "format": FORMAT,
            "rules": stamp,
            "since": self.since,
            "notes": [n.to_json() for n in self.notes.values()],
            "people": {i: [c.username, c.name, c.desk] for i, c in self.people.items()},
            "shown": dict(self.shown),
        }

    @classmethod
    def from_json(cls, data: Any, stamp: str) -> Kept | None:
        """As it was kept; None if it was made by other rules or is damaged."""
        try:
            if data["format"] != FORMAT or data["rules"] != stamp:
                return None
            notes = [Note.from_json(n) for n in data["notes"]]
            people = {i: Colleague(username=u, name=n, desk=d) for i, (u, n, d) in data["people"].items()}
            return cls(
                since=int(data["since"]),
                notes={n.post_id: n for n in notes},
                people=people,
                shown={str(i): int(v) for i, v in data["shown"].items()},
            )
        except (KeyError, TypeError, ValueError, AttributeError):
            return None


EMPTY = Kept(notes={}, people={}, shown={})


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a look at a channel gave: the state, who is in it, and what the look cost.

    `read` are posts that were read and classified, `whole` says that it was the whole channel.
    """

    state: State
    people: Mapping[str, Colleague]
    read: int
    whole: bool
    seconds: float


class Incidents:
    """The states of incidents' channels.

    Args:
        settings: the database, its key, and the rules.
        client: the bot.
    """

    def __init__(self, settings: Settings, client: MattermostClient) -> None:
        self._client = client
        self._sealed = Sealed.of(settings, STATES)
        self._rules = read_rules(settings.incident_rules)

    @property
    def rules(self) -> Rules:
        """How posts are read."""
        return self._rules

    def look(self, channel: Channel) -> Reading:
        """The state of a channel now. Whom it may be shown to, the caller decides (`may_read`).

        Raises:
            MattermostError: the server does not answer or refuses.
            BusyError: others keep reading the same channel.
        """
        began = time.perf_counter()
        for _ in range(TRIES):
            before = self._kept(channel.id)
            posts, whole = self._new(channel, before)
            kept = EMPTY if whole or before is None else before
            after = self._added(kept, posts, channel)
            if after == before or self._written(channel.id, before, after):
                return Reading(
                    state=state_of(after.notes.values()),
                    people=after.people,
                    read=len(posts),
                    whole=whole,
                    seconds=time.perf_counter() - began,
                )
        raise BusyError(f"~{channel.name} is being read by others; ask again")

    def forget(self, channel_id: str) -> None:
        """Remove what is kept of a channel."""
        self._sealed.delete(channel_id)

    def _kept(self, channel_id: str) -> Kept | None:
        try:
            return Kept.from_json(self._sealed.read(channel_id), self._rules.stamp)
        except VoicesKeyError:
            # It was sealed with a key that is gone; everything in it is still in the channel.
            self._sealed.delete(channel_id)
            return None

    def _new(self, channel: Channel, kept: Kept | None) -> tuple[tuple[Post, ...], bool]:
        """Posts that were written, edited or deleted since the last look; or the whole channel."""
        if kept is not None and kept.since:
            found = self._client.posts_since(channel.id, max(1, kept.since - OVERLAP))
            if len(found) < MAX_SINCE // 2:
                # Roots that did not change come along and count. Left out is what the last look saw in this version.
                return tuple(p for p in found if kept.shown.get(p.id) != p.update_at), False
        return tuple(self._client.latest_posts(channel.id, MAX_POSTS)), True

    def _added(self, kept: Kept, posts: Iterable[Post], channel: Channel) -> Kept:
        posts = tuple(posts)
        if not posts:
            return kept
        people, me = dict(kept.people), self._client.me().id
        missing = [
            u for u in (*self._client.channel_member_ids(channel.id), *(p.user_id for p in posts)) if u not in people
        ]
        for user in self._client.users(missing):
            people[user.id] = Colleague(username=user.username, name=user.name, desk=desk_of(user.position))
        since = max(kept.since, *(p.update_at for p in posts))
        shown = {**kept.shown, **{p.id: p.update_at for p in posts}}
        return Kept(
            since=since,
            # What I wrote there myself, as the notice of what I do, tells nothing of the incident.
            notes=add_notes(kept.notes, notes_of((p for p in posts if p.user_id != me), people, self._rules)),
            people=people,
            shown={i: at for i, at in shown.items() if at >= since - OVERLAP},
        )

    def _written(self, channel_id: str, before: Kept | None, after: Kept) -> bool:
        """Keep it, unless somebody else kept something meanwhile."""
        done = False

        def changed(body: Any | None) -> Any:
            nonlocal done
            done = body is None or Kept.from_json(body, self._rules.stamp) == before
            return after.to_json(self._rules.stamp) if done else body

        self._sealed.change(channel_id, changed)
        return done


def notes_of(posts: Iterable[Post], people: Mapping[str, Colleague], rules: Rules) -> Iterable[Note | tuple[str, int]]:
    """Each post's note, or its id and version if it tells nothing."""
    for post in posts:
        yield read_post(post, people, rules) or (post.id, post.update_at)
