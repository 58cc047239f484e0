"""What stands in one person's digest: nothing that they may not read at that moment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from meetings.channels import ChannelSummary, Pick, answer
from meetings.channels.summary import BAR
from meetings.config import Settings
from meetings.digests.calls import Call, calls_of
from meetings.errors import MattermostForbiddenError, MattermostNotFoundError
from meetings.llm import TextEmbedder
from meetings.mattermost.client import MattermostClient
from meetings.mattermost.entities import Channel, User
from meetings.people import Persona
from meetings.personas import persona_of
from meetings.progress import Progress, no_progress
from meetings.store import FileStore
from meetings.summary import Bullet

_MS = timedelta(milliseconds=1)
MOST_POSTS = 2_000  # newest posts of a channel that are read
MOST_ITEMS = 12  # of all channels
OF_A_CHANNEL = 3
GIVEN = timedelta(days=45)  # tasks that were given longer ago are not told as due


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """A task of theirs that is due on `day`, from `call`."""

    bullet: Bullet
    day: date
    call: Call


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A channel: its summary, the best of it, best first, and usernames and names as shown by user id."""

    summary: ChannelSummary
    picks: tuple[Pick, ...]
    names: Mapping[str, tuple[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest:
    """What somebody is told of the time from `since` to `until` (milliseconds since the epoch)."""

    username: str
    since: int
    until: int
    url: str
    calls: tuple[Call, ...] = ()
    due: tuple[Due, ...] = ()
    channels: tuple[Part, ...] = ()

    @property
    def missed(self) -> tuple[Call, ...]:
        """Calls that they were not in."""
        return tuple(c for c in self.calls if c.missed)

    @property
    def attended(self) -> tuple[Call, ...]:
        """Calls that they were in, or may have been."""
        return tuple(c for c in self.calls if not c.missed)

    @property
    def empty(self) -> bool:
        """Whether there is nothing to tell."""
        return not (self.calls or self.due or self.channels)


def make_digest(
    settings: Settings,
    client: MattermostClient,
    user: User,
    embedder: TextEmbedder,
    *,
    since: int,
    until: int,
    today: date,
    ahead: timedelta,
    progress: Progress = no_progress,
) -> Digest:
    """One person's digest.

    Args:
        settings: where results, contexts and wishes are.
        client: the bot.
        user: the person.
        embedder: sentence embeddings.
        since: milliseconds since the epoch.
        until: now, milliseconds since the epoch.
        today: the day that it is for them.
        ahead: tasks that are due until then are told.
        progress: told the fraction done.

    Raises:
        MattermostError: the server does not answer or refuses.
    """
    may: dict[str, bool] = {}

    def readable(channel_id: str) -> bool:
        if channel_id not in may:
            may[channel_id] = _is_member(client, channel_id, user)
        return may[channel_id]

    store = FileStore.of(settings)
    got = calls_of(store, user.username, since=until - GIVEN // _MS, until=until)
    given = [c for c in got if readable(c.channel_id)]
    progress(0.2)
    return Digest(
        username=user.username,
        since=since,
        until=until,
        url=client.url,
        calls=tuple(sorted((c for c in given if c.at > since), key=lambda c: c.at)),
        due=_due(given, today, today + ahead),
        channels=_channels(settings, client, user, embedder, since=since, until=until, progress=progress),
    )


def _channels(
    settings: Settings,
    client: MattermostClient,
    user: User,
    embedder: TextEmbedder,
    *,
    since: int,
    until: int,
    progress: Progress,
) -> tuple[Part, ...]:
    known: list[Persona] = []

    def persona() -> Persona:
        if not known:
            known.append(persona_of(client, user, settings, now=until))
        return known[0]

    places = [c for c in client.my_channels_everywhere() if _told(c) and c.last_post_at > since]
    parts = []
    for number, channel in enumerate(places, start=1):
        try:
            found = answer(client, channel, user, persona, since=since, embedder=embedder, limit=MOST_POSTS)
        except (MattermostForbiddenError, MattermostNotFoundError):
            continue  # they or the bot are not in it
        # A quiet channel's answer holds everything; here only what is theirs is told.
        best = tuple(p for p in found.summary.picks if p.score >= BAR)[:OF_A_CHANNEL]
        if best:
            parts.append(Part(summary=found.summary, picks=best, names=found.names))
        progress(0.2 + 0.8 * number / len(places))
    progress(1.0)
    bar = sorted((p.score for part in parts for p in part.picks), reverse=True)[:MOST_ITEMS][-1:]
    kept = [(part, tuple(p for p in part.picks if p.score >= bar[0])) for part in parts] if bar else []
    shown = [Part(summary=part.summary, picks=picks, names=part.names) for part, picks in kept if picks]
    return tuple(sorted(shown, key=lambda part: -part.picks[0].score))


def _told(channel: Channel) -> bool:
    return channel.type in {"O", "P"} and not channel.delete_at


def _due(calls: list[Call], today: date, last: date) -> tuple[Due, ...]:
    """What falls to the reader and is due from today on, each once: the newest call counts."""
    found: dict[str, Due] = {}
    for call in sorted(calls, key=lambda c: c.at):
        for bullet in call.summary.bullets:
            if bullet.mine and bullet.due and (day := _day(bullet.due)) and today <= day <= last:
                found[bullet.text.lower()] = Due(bullet=bullet, day=day, call=call)
    return tuple(sorted(found.values(), key=lambda d: (d.day, d.call.at)))


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _is_member(client: MattermostClient, channel_id: str, user: User) -> bool:
    try:
        return client.is_channel_member(channel_id, user.id)
    except (MattermostForbiddenError, MattermostNotFoundError):
        return False
