"""Which meetings are one series, and what goes on in it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from meetings.conversation import Conversation
from meetings.llm import TextEmbedder
from meetings.trends.balance import Share, talk_time
from meetings.trends.follow import Change, Followed, Read, follow_decisions, follow_work

MOST = 26  # meetings of a series that are read: half a year of weekly ones

# What tells one meeting of a series from another in its title: dates, numbers, "part 2".
_COUNTED = re.compile(
    r"\b(?:\d+(?:st|nd|rd|th)?|mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|satur|sun|(?:mon|tues|wednes|thurs|fri|satur|sun)days?|"
    r"jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|"
    r"nov(?:ember)?|dec(?:ember)?|part|cw|kw|week|w\d+|no|nr)\b|[\d\W_]+",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Meeting:
    """A meeting that may belong to a series: `channel` is an id or empty, `started_at` is ISO 8601 or empty."""

    id: str
    title: str
    channel: str = ""
    started_at: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trends:
    """What goes on in a series: its meetings in order of time, the work, the decisions, and who talked how much."""

    meetings: tuple[Meeting, ...]
    work: tuple[Followed, ...]
    decisions: tuple[Change, ...]
    talk: tuple[Share, ...] = ()

    def of(self, state: str) -> tuple[Followed, ...]:
        """The tasks of a state."""
        return tuple(f for f in self.work if f.state == state)


def same_series(one: Meeting, other: Meeting) -> bool:
    """Whether two meetings belong together: the same channel, and the same title but for dates and numbers."""
    return one.channel == other.channel and _bare(one.title) == _bare(other.title)


def find_series(meeting: Meeting, among: Sequence[Meeting]) -> tuple[Meeting, ...]:
    """The series of a meeting in order of time, the newest `MOST` up to that one; at least the meeting itself."""
    found = {m.id: m for m in among if same_series(m, meeting) and m.started_at <= meeting.started_at}
    found[meeting.id] = meeting
    return tuple(sorted(found.values(), key=lambda m: (m.started_at, m.id)))[-MOST:]


def trends_of(
    meetings: Sequence[Meeting], said: Sequence[Conversation], embedder: TextEmbedder, *, talk: bool = False
) -> Trends:
    """What goes on in a series.

    Args:
        meetings: in order of time.
        said: what was said in each; all of it is shown, so whoever is told must be allowed to read all.
        embedder: sentence embeddings.
        talk: also who talked how much.
    """
    read = Read(said, embedder)
    return Trends(
        meetings=tuple(meetings),
        work=follow_work(read),
        decisions=follow_decisions(read),
        talk=talk_time(said) if talk else (),
    )


def _bare(title: str) -> str:
    return " ".join(_COUNTED.sub(" ", title).lower().split())
