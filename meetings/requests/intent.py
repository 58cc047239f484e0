"""The request for what is new in a channel, answered for the one who asks."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from meetings.channels import answer, render_channel
from meetings.config import Settings
from meetings.errors import MattermostForbiddenError, MattermostNotFoundError
from meetings.intents import Ask, Outcome
from meetings.llm import TextEmbedder
from meetings.mattermost.client import MattermostClient
from meetings.mattermost.entities import Channel, User
from meetings.personas import persona_of
from meetings.quiet import zone_of
from meetings.requests.moments import read_moment
from meetings.requests.phrases import Wanted, read_wanted
from meetings.requests.places import UNKNOWN, find_places
from meetings.summary import MAX_MESSAGE, inert

DEFAULT = timedelta(days=7)  # where nobody says since when and the server does not tell when they looked
_MS = timedelta(milliseconds=1)


class ChannelIntent:
    """The kind of request (`meetings.intents.Intent`).

    Args:
        settings: where contexts and wishes are kept.
        client: the bot.
        embedder: gives sentence embeddings; asked once something is to be read.
        clock: seconds since the epoch.
    """

    name = "channel"
    help = (
        "- **what's new in ~news since Monday**, **summarise ~product**, **~product last week**: a channel, read for "
        "you; without a time since you last looked at it"
    )

    def __init__(
        self,
        settings: Settings,
        client: MattermostClient,
        embedder: Callable[[], TextEmbedder],
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._settings = settings
        self._client = client
        self._embedder = embedder
        self._clock = clock

    def understand(self, ask: Ask) -> Outcome | None:
        """What a request comes to; None if it is of another kind."""
        wanted = read_wanted(ask.text, command=bool(ask.command))
        if wanted is None:
            return None
        found = find_places(self._client, ask.asker, wanted.channel, channel_id=ask.channel_id)
        if not found:
            return Outcome(text=UNKNOWN)
        if len(found) > 1:
            listed = ", ".join(f"`{self._client.address_of(c)}`" for c in found)
            return Outcome(text=f"There are several channels of that name: {listed}. Say which, as TEAM/~CHANNEL.")
        (channel,) = found
        since, told = self._since(wanted, channel, ask.asker)
        if since is None:
            return Outcome(text=f"I do not know since when “{inert(wanted.since, limit=80)}” is; say it as **{_AS}**.")
        try:
            made = answer(
                self._client,
                channel,
                ask.asker,
                lambda: persona_of(self._client, ask.asker, self._settings, now=int(self._clock() * 1000)),
                since=since,
                embedder=self._embedder(),
            )
        except (MattermostForbiddenError, MattermostNotFoundError):
            return Outcome(text=UNKNOWN)  # they left between the two questions
        text = render_channel(made.summary, url=made.url, names=made.names)
        return Outcome(text=_fitting(f"{text}\n\n_{told}_" if told else text))

    def change(self, username: str, user_id: str, what: str, value: str) -> None:
        """Nothing: a question changes nothing."""

    def _since(self, wanted: Wanted, channel: Channel, asker: User) -> tuple[int | None, str]:
        """Since when, in milliseconds since the epoch (None: nobody knows what they said), and what is to be told."""
        now = datetime.fromtimestamp(self._clock(), tz=UTC)
        if wanted.since and not wanted.unread:
            moment = read_moment(wanted.since, now=now, zone=zone_of(asker.timezone))
            return (None if moment is None else int(moment.timestamp() * 1000)), ""
        looked = self._client.last_viewed(channel.id, asker.id)
        if looked:
            return looked, "Since you last looked at it; say **since Monday** for more."
        days = DEFAULT // timedelta(days=1)
        note = f"When you last looked I am not told: these are the last {days} days. Say **since Monday** for others."
        return int(now.timestamp() * 1000) - DEFAULT // _MS, note


_AS = "since Monday**, **yesterday**, **the last 3 days**, **2026-11-23"


def _fitting(text: str) -> str:
    """A message the server takes: whole lines, as many as fit."""
    lines = text.split("\n")
    while len("\n".join(lines)) > MAX_MESSAGE:
        lines.pop(-2 if len(lines) > 2 else -1)
    return "\n".join(lines)
