"""What there is to catch up on for somebody, read from the server, and the briefing made of it.

Only channels that the bot and the person are both in at that moment are read, of each only the stretch that is meant,
and no more of it than memory holds. Whoever was put into a new channel with everybody else has nothing to catch up on.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from meetings.catchup.book import Due, Offer
from meetings.catchup.briefing import Briefing, Place, brief_channel, within_budget
from meetings.catchup.joins import in_crowd, joins
from meetings.channels import Reader, Stretch, read_stretch, require_member
from meetings.config import Settings
from meetings.errors import MattermostForbiddenError, MattermostNotFoundError
from meetings.llm import TextEmbedder
from meetings.mattermost import MattermostClient
from meetings.mattermost.entities import Channel, Post, User
from meetings.personas import persona_of

_MS = timedelta(milliseconds=1)
LOOK_BACK = timedelta(weeks=4) // _MS  # how far a briefing reaches back for somebody who is new
UNREAD_BACK = timedelta(days=7) // _MS  # how long before somebody went their unread posts may begin
YOUNG = timedelta(days=2) // _MS  # a channel that is younger has no past to be told
LATE = timedelta(hours=2) // _MS  # who has been back for so long has read what they opened
MOST_POSTS = 4_000  # newest posts of a channel that are read


@dataclass(frozen=True, slots=True, kw_only=True)
class Missed:
    """A channel with something to catch up on: `posts` written by others, after `since` and until `end`."""

    channel: Channel
    place: Place
    since: int
    end: int
    posts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A briefing with what it takes to show it, and how far each channel was told."""

    briefing: Briefing
    names: Mapping[str, tuple[str, str]]
    ends: Mapping[str, int]


class Briefer:
    """Reads and makes.

    Args:
        settings: what is worth a briefing, and where wishes and contexts are kept.
        client: the bot.
        embedder: gives sentence embeddings; asked once something is to be made.
    """

    def __init__(self, settings: Settings, client: MattermostClient, embedder: Callable[[], TextEmbedder]) -> None:
        self._settings = settings
        self._client = client
        self._embedder = embedder

    def channels(self) -> tuple[Channel, ...]:
        """The channels that the bot is in, of which people may be told."""
        every = self._client.my_channels_everywhere()
        return tuple(c for c in every if c.type in {"O", "P"} and not c.delete_at)

    def missed(self, user: User, due: Due, told: Mapping[str, int], *, now: int) -> tuple[Missed, ...]:
        """What somebody has to catch up on of what is due; nothing if it is quicker read than told of.

        Args:
            user: the person.
            due: what they came into, and since when they were away.
            told: until when they were told of each channel.
            now: milliseconds since the epoch.
        """
        joined: list[Missed] = []
        back: list[Missed] = []
        for channel in self.channels():
            since = told.get(channel.id, 0)
            if not self._may_be_told(channel, user):
                continue
            if channel.id in due.joined:
                joined += self._after_join(user, channel, due.joined[channel.id], since)
            elif due.away_since and channel.last_post_at > max(due.away_since, since):
                back += self._after_absence(user, channel, due, since, now=now)
        enough = self._settings.catchup.posts
        joined = [m for m in joined if m.posts >= enough]
        return (*joined, *(back if sum(m.posts for m in back) >= enough else ()))

    def again(self, user: User, offer: Offer) -> tuple[Missed, ...]:
        """What an offer holds as it is now: posts may have gone, and people left channels."""
        found = []
        for channel in self.channels():
            if channel.id not in offer.stretches or not self._is_member(channel, user):
                continue
            since, _ = offer.stretches[channel.id]
            posts = self._others(user, self._posts(channel, since))
            if posts:
                found.append(self._missed(channel, since, posts, joined=channel.id in offer.joined))
        return tuple(found)

    def brief(
        self, user: User, stretches: Mapping[str, tuple[Channel, int]], *, joined: Collection[str], now: int
    ) -> Made:
        """The briefing on stretches, each a channel and since when; those that the person may not read are left out.

        Raises:
            MattermostError: the server does not answer or refuses.
        """
        reader = Reader(user_id=user.id, persona=persona_of(self._client, user, self._settings, now=now))
        embedder = self._embedder()
        briefs = []
        names: dict[str, tuple[str, str]] = {user.id: (user.username, user.name)}
        ends: dict[str, int] = {}
        for channel, since in stretches.values():
            stretch = self._stretch(user, channel, since)
            if stretch is None or not stretch.posts:
                continue
            authors = self._client.users({p.user_id for p in stretch.posts})
            names |= {a.id: (a.username, a.name) for a in authors}
            members = set(self._client.channel_member_ids(channel.id))
            briefs.append(
                brief_channel(
                    self._place(channel, joined=channel.id in joined),
                    stretch,
                    reader,
                    names=names,
                    bots=frozenset(a.id for a in authors if a.is_bot),
                    askable=frozenset(a.id for a in authors if a.id in members and not a.delete_at and not a.is_bot),
                    embedder=embedder,
                )
            )
            ends[channel.id] = max(p.at for p in stretch.posts)
        return Made(briefing=within_budget(user.username, briefs), names=names, ends=ends)

    def _stretch(self, user: User, channel: Channel, since: int) -> Stretch | None:
        try:
            require_member(self._client, channel, user)
            return read_stretch(self._client, channel, since=since, limit=MOST_POSTS)
        except (MattermostForbiddenError, MattermostNotFoundError):
            return None  # the person, or the bot, has left it

    def _after_join(self, user: User, channel: Channel, at: int, told: int) -> list[Missed]:
        if channel.create_at and at - channel.create_at < YOUNG:
            return []
        if not self._is_member(channel, user):
            return []
        posts = self._posts(channel, at - LOOK_BACK)
        if in_crowd(at, joins(posts)):
            return []
        since = max(at - LOOK_BACK, told, _own(user, posts, at))
        others = self._others(user, (p for p in posts if p.create_at > since))
        return [self._missed(channel, since, others, joined=True)] if others else []

    def _after_absence(self, user: User, channel: Channel, due: Due, told: int, *, now: int) -> list[Missed]:
        try:
            viewed = self._client.last_viewed(channel.id, user.id)
        except (MattermostForbiddenError, MattermostNotFoundError):
            return []
        since = due.away_since
        if 0 < viewed < since:
            since = max(viewed, since - UNREAD_BACK)  # not read before they went either
        posts = self._posts(channel, max(since, told))
        # Opening a channel is not yet reading it; after some hours it was.
        read = viewed if now - due.at > LATE else 0
        since = max(since, told, read, _own(user, posts, due.at))
        others = self._others(user, (p for p in posts if p.create_at > since))
        return [self._missed(channel, since, others, joined=False)] if others else []

    def _missed(self, channel: Channel, since: int, posts: Collection[Post], *, joined: bool) -> Missed:
        return Missed(
            channel=channel,
            place=self._place(channel, joined=joined),
            since=since,
            end=max(p.create_at for p in posts),
            posts=len(posts),
        )

    def _posts(self, channel: Channel, since: int) -> list[Post]:
        """A channel's posts after a moment, newest first, those of the server among them."""
        found = []
        for post in self._client.latest_posts(channel.id, MOST_POSTS):
            if post.create_at <= since:
                break
            found.append(post)
        return found

    def _others(self, user: User, posts: Iterable[Post]) -> list[Post]:
        me = self._client.me().id
        return [
            p for p in posts if not p.type and not p.delete_at and p.message.strip() and p.user_id not in {user.id, me}
        ]

    def _place(self, channel: Channel, *, joined: bool) -> Place:
        return Place(
            address=self._client.address_of(channel),
            title=channel.display_name or channel.name,
            purpose=channel.purpose,
            header=channel.header,
            joined=joined,
        )

    def _may_be_told(self, channel: Channel, user: User) -> bool:
        """Whether the settings of a channel let this person be written to about it."""
        rules = self._settings.channels.get(self._client.address_of(channel)) if self._settings.channels else None
        if rules is None:
            return True
        return rules.audience != "nobody" and (not rules.people or user.username in rules.people)

    def _is_member(self, channel: Channel, user: User) -> bool:
        try:
            require_member(self._client, channel, user)
        except (MattermostForbiddenError, MattermostNotFoundError):
            return False
        return True


def _own(user: User, posts: Iterable[Post], at: int) -> int:
    """When somebody last wrote here who came at a moment, 0 for never: what was written before, they know.

    `Hello, I am back` is not yet having read anything: what they write in the first hours does not count.
    """
    own = (p.create_at for p in posts if p.user_id == user.id and not p.type and not 0 <= p.create_at - at <= LATE)
    return max(own, default=0)
