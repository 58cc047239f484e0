"""The way from a question ("what is new in ~news for me since Monday?") to its answer: who may ask, since when, what is
read, and who wrote it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from meetings.channels.rank import Reader
from meetings.channels.read import MAX_POSTS, read_stretch, require_member
from meetings.channels.summary import ChannelSummary, summarize_channel
from meetings.errors import ConfigError
from meetings.llm import TextEmbedder
from meetings.mattermost.client import MattermostClient
from meetings.mattermost.entities import Channel, User
from meetings.people import Persona
from meetings.progress import Progress, no_progress

_AGO = re.compile(r"([1-9]\d{0,3})\s*([hdw])")
_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A summary with what is needed to show it: the server's address; username and name as shown by user id."""

    summary: ChannelSummary
    url: str
    names: Mapping[str, tuple[str, str]]


def moment_of(text: str, *, now: datetime) -> int:
    """The moment that `7d`, `12h`, `2w` or a date means, in milliseconds since the epoch; a date begins in UTC.

    Raises:
        ConfigError: it means none, or one that is still to come.
    """
    ago = _AGO.fullmatch(text.strip())
    try:
        if ago:
            moment = now - int(ago.group(1)) * _UNITS[ago.group(2)]
        else:
            moment = datetime.fromisoformat(text.strip())
            moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        found = int(moment.timestamp() * 1000)
    except (ValueError, OverflowError):
        raise ConfigError(f"since {text!r}: give hours, days or weeks (12h, 7d, 2w) or a date (2026-11-23)") from None
    if moment >= now:
        raise ConfigError(f"since {text!r}: that is still to come")
    return max(0, found)


def find_channel(client: MattermostClient, address: str) -> Channel:
    """The channel that `TEAM/CHANNEL` or `TEAM/~CHANNEL` names.

    Raises:
        ConfigError: it is no such address.
        MattermostError: the bot finds no such channel.
    """
    team, slash, name = address.strip().partition("/")
    name = name.removeprefix("~")
    if not (team and slash and name) or "/" in name:
        raise ConfigError(f"{address!r} is no channel; name it as TEAM/CHANNEL, as its address in the browser does")
    return client.channel_by_name(team, name)


def answer(
    client: MattermostClient,
    channel: Channel,
    user: User,
    persona: Callable[[], Persona],
    *,
    since: int,
    until: int | None = None,
    embedder: TextEmbedder,
    limit: int = MAX_POSTS,
    progress: Progress = no_progress,
) -> Answer:
    """What a person should know of a channel.

    Args:
        client: the bot; must be in the channel.
        channel: the channel.
        user: the person.
        persona: gives what matters to them; asked only once it is known that they may read the channel.
        since: milliseconds since the epoch.
        until: milliseconds since the epoch, where the stretch ends before now.
        embedder: sentence embeddings.
        limit: how many of the newest posts to read.
        progress: told the fraction done.

    Raises:
        MattermostForbiddenError: the person is not in the channel; nothing of it was read then.
        MattermostError: the server does not answer or refuses.
    """
    require_member(client, channel, user)
    stretch = read_stretch(client, channel, since=since, until=until, limit=limit)
    progress(0.3)
    authors = client.users({p.user_id for p in stretch.posts} | {user.id})
    names = {a.id: (a.username, a.name) for a in authors}
    reader = Reader(user_id=user.id, persona=persona())
    progress(0.5)
    summary = summarize_channel(
        stretch,
        reader,
        channel=client.address_of(channel),
        names=names,
        bots=frozenset(a.id for a in authors if a.is_bot),
        embedder=embedder,
    )
    progress(1.0)
    return Answer(summary=summary, url=client.url, names=names)
