"""What home and search show somebody, as plain values. Pure: what they may read was settled before."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from urllib.parse import urlencode

from meetings.conversation import clock
from meetings.mattermost.entities import Channel
from meetings.search import Card, Found, Moment
from meetings.summary.phrases import phrases

LONGEST = 500  # characters of what is asked for that are read


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What somebody searches for, as they typed it."""

    q: str = ""
    channel: str = ""
    since: str = ""
    speaker: str = ""

    @property
    def narrowed(self) -> bool:
        """Whether they kept to a channel, a time or a speaker."""
        return bool(self.channel or self.since or self.speaker)

    def address(self, **also: str) -> str:
        """The address of this search, beside the page itself."""
        fields = {"q": self.q, "channel": self.channel, "since": self.since, "speaker": self.speaker, **also}
        return f"search?{urlencode({name: value for name, value in fields.items() if value})}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A meeting in a list."""

    meeting: str
    title: str
    day: str
    channel: str
    length: str = ""
    headline: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A moment that was found: its text in pieces, each with whether it was looked for; `start` in whole seconds."""

    at: str
    start: int
    speaker: str
    pieces: tuple[tuple[str, bool], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """A meeting that was found."""

    meeting: str
    title: str
    day: str
    channel: str
    moments: tuple[Shown, ...]


def asked_of(query: dict[str, str]) -> Asked:
    """What an address asks for."""

    def read(name: str) -> str:
        return " ".join(query.get(name, "")[:LONGEST].split())

    return Asked(q=read("q"), channel=read("channel"), since=read("since"), speaker=read("speaker"))


def make_row(card: Card, channel: Channel | None, zone: tzinfo, *, seconds: float, headline: str) -> Row:
    """A meeting of the list; `seconds` is how long it was spoken in."""
    return Row(
        meeting=card.id,
        title=card.title or "Call",
        day=day_of(card.started_at, zone),
        channel=channel_name(channel),
        length=phrases("en").length(seconds) if seconds > 0 else "",
        headline=headline,
    )


def make_result(found: Found, channel: Channel | None, zone: tzinfo) -> Result:
    """A meeting that was found."""
    return Result(
        meeting=found.card.id,
        title=found.card.title or "Call",
        day=day_of(found.card.started_at, zone),
        channel=channel_name(channel),
        moments=tuple(_shown(m) for m in found.moments),
    )


def day_of(started_at: str, zone: tzinfo, *, hour: bool = True) -> str:
    """When a meeting began, on the reader's own clock, with the hour or without; empty if nobody knows."""
    try:
        when = datetime.fromisoformat(started_at)
        there = (when if when.tzinfo else when.astimezone()).astimezone(zone)
    except (ValueError, OverflowError):  # no time, or one that no calendar there has
        return ""
    return f"{there:%a}, {there.day} {there:%B %Y}" + (f", {there:%H:%M}" if hour else "")


def channel_name(channel: Channel | None) -> str:
    """What people call a channel; empty of one that the bot does not see."""
    if channel is None:
        return ""
    if channel.type == "D":
        return "Direct message"
    return channel.display_name or channel.name


def pages_of(many: int, each: int) -> int:
    """How many pages there are; at least one."""
    return max(1, -(-many // each))


def _shown(moment: Moment) -> Shown:
    return Shown(
        at=clock(moment.start),
        start=int(moment.start),
        speaker=moment.speakers[0] if moment.speakers else "",
        pieces=tuple(_pieces(moment.text, moment.marks)),
    )


def _pieces(text: str, marks: Sequence[tuple[int, int]]) -> Iterator[tuple[str, bool]]:
    at = 0
    for begin, end in marks:
        begin, end = max(at, begin), min(end, len(text))
        if end <= begin:
            continue
        if begin > at:
            yield text[at:begin], False
        yield text[begin:end], True
        at = end
    if at < len(text):
        yield text[at:], False
