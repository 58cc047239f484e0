"""Answers "what is new in ~news for me since Monday?", in a direct message or by slash command."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from meetings.channels import answer, render_channel, require_member
from meetings.config import Settings
from meetings.errors import MattermostForbiddenError, MattermostNotFoundError
from meetings.intents import Ask, Outcome
from meetings.llm import TextEmbedder
from meetings.mattermost.client import MattermostClient
from meetings.mattermost.entities import Channel
from meetings.moments import Span
from meetings.personas import persona_of
from meetings.quiet import zone_of
from meetings.requests.places import channel_here, channels_meant
from meetings.requests.words import ChannelRequest, read_request
from meetings.summary import inert

DAYS = 7  # read where nobody said since when, and the server does not tell when they last looked
MAX_LISTED = 10

UNKNOWN = "I know no such channel that you and I are both in."
NOT_HERE = "Which channel? Name it, as in **what's new in ~news since Monday**, or ask in one that we are both in."


class ChannelIntent:
    """What is new in a channel, for who asks.

    Args:
        settings: where contexts and wishes are kept.
        client: the bot.
        embedder: gives sentence embeddings.
    """

    name = "channel"
    help = (
        "- **what's new in ~channel**, **summarise ~channel since Monday**, **~channel last week**, "
        "**what did I miss in ~channel**: what matters to you in a channel that we are both in"
    )

    def __init__(self, settings: Settings, client: MattermostClient, embedder: Callable[[], TextEmbedder]) -> None:
        self._settings = settings
        self._client = client
        self._embedder = embedder

    def understand(self, ask: Ask) -> Outcome | None:
        """The answer itself: reading changes nothing, so that all of it is done here."""
        zone = zone_of(ask.asker.timezone)
        now = datetime.fromtimestamp(ask.at / 1000, tz=zone) if ask.at else datetime.now(zone)
        request = read_request(ask.text, now=now)
        if request is None:
            return None
        found = self._places(ask, request)
        if found is None:
            return None
        if isinstance(found, str):
            return Outcome(text=found)
        if request.unclear:
            return Outcome(
                text=f"I do not understand “{inert(request.unclear, limit=80)}” there. One channel at a time, and a "
                "time such as **since Monday**, **last week**, **since 20 November** or **unread**."
            )
        try:
            return Outcome(text=self._told(ask, found, request, now))
        except (MattermostForbiddenError, MattermostNotFoundError):
            return Outcome(text=UNKNOWN)  # one of us left it in this moment

    def change(self, username: str, user_id: str, what: str, value: str) -> None:
        """Nothing is ever to be done."""

    def _places(self, ask: Ask, request: ChannelRequest) -> Channel | str | None:
        """The channel that is meant, or what is said instead; None: it was no channel that they spoke of."""
        if request.channel is None:
            if not ask.command:
                return None
            return channel_here(self._client, ask.asker, ask.channel_id) or NOT_HERE
        found = channels_meant(self._client, ask.asker, request.channel, team_id=ask.team_id)
        if not found:
            # A bare word that is no channel may be anything.
            return UNKNOWN if ask.command or not request.channel.loose else None
        if len(found) == 1:
            return found[0]
        listed = [f"- `{self._client.address_of(c)}`" for c in found[:MAX_LISTED]]
        return "\n".join(["Several channels that we are both in are called that; name one as TEAM/CHANNEL:", *listed])

    def _told(self, ask: Ask, channel: Channel, request: ChannelRequest, now: datetime) -> str:
        # First of all: nothing of a channel is read for who may not read it, not even when they looked.
        require_member(self._client, channel, ask.asker)
        since, until, when = self._stretch(ask, channel, request, now)
        found = answer(
            self._client,
            channel,
            ask.asker,
            lambda: persona_of(self._client, ask.asker, self._settings),
            since=since,
            until=until,
            embedder=self._embedder(),
        )
        # Reading takes a while: who was put out of the channel meanwhile is told nothing of it.
        require_member(self._client, channel, ask.asker)
        return render_channel(found.summary, url=found.url, names=found.names, when=when, zone=now.tzinfo or UTC)

    def _stretch(
        self, ask: Ask, channel: Channel, request: ChannelRequest, now: datetime
    ) -> tuple[int, int | None, str]:
        """From when to when (milliseconds since the epoch), and how an answer calls it."""
        if isinstance(request.span, Span):
            span = request.span
            return _ms(span.since) - 1, None if span.until is None else _ms(span.until), spoken(span, now)
        looked = self._client.last_viewed(channel.id, ask.asker.id)
        zone = now.tzinfo or UTC
        if not looked:
            begin = now - timedelta(days=DAYS)
            why = "the server does not tell when you last looked" if request.span else "you named no time"
            return _ms(begin), None, f"in the last {DAYS} days ({why})"
        begin = datetime.fromtimestamp(looked / 1000, tz=zone)
        return looked, None, f"since you last looked, {_shown(begin, now)}"


def spoken(span: Span, now: datetime) -> str:
    """How an answer names a stretch: `since Mon 23 Nov`, `from Mon 16 to Sun 22 Nov`."""
    if span.until is None:
        return f"since {_shown(span.since, now)}"
    last = span.until - timedelta(seconds=1)
    if span.since.date() == last.date():
        return f"on {_shown(span.since, now)}"
    return f"from {_shown(span.since, now)} to {_shown(last.replace(hour=0, minute=0), now)}"


def _shown(moment: datetime, now: datetime) -> str:
    day = f"{moment:%a} {moment.day} {moment:%b}" + (f" {moment.year}" if moment.year != now.year else "")
    return day if (moment.hour, moment.minute) == (0, 0) else f"{day}, {moment:%H:%M}"


def _ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
