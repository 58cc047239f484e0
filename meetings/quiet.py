"""Quiet hours: when a message that nobody asked for may be sent, by the clock on the wall of its reader.

Pure. Answers to what somebody asked are sent at once; what the bot says of its own accord waits for the reader's
morning, and is then made anew, so that it is still true. An unknown timezone counts as UTC: wrong by hours at worst,
where guessing by the server's place would be wrong in the same way and harder to explain.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo

# HH:MM-HH:MM, with `, weekends` if Saturday and Sunday are quiet as a whole; `weekends` alone; or `none`.
PATTERN = re.compile(
    r"\s*(?:none|weekends|(?P<start>(?:[01]\d|2[0-3]):[0-5]\d)\s*-\s*(?P<end>(?:[01]\d|2[0-3]):[0-5]\d)"
    r"(?P<days>\s*,\s*weekends)?)\s*"
)
_MINUTE = timedelta(minutes=1)
_SATURDAY = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class QuietHours:
    """From `start` to `end` of each day, past midnight where `end` comes first; the same twice: at no hour.

    `weekends`: Saturday and Sunday are quiet as a whole.
    """

    start: time
    end: time
    weekends: bool = False

    def contain(self, moment: datetime) -> bool:
        """Whether a moment, as the reader's wall clock shows it, is quiet."""
        if self.weekends and moment.weekday() >= _SATURDAY:
            return True
        clock = moment.time()
        if self.start <= self.end:
            return self.start <= clock < self.end
        return clock >= self.start or clock < self.end


NONE = QuietHours(start=time(), end=time())


def read_quiet_hours(text: str) -> QuietHours:
    """What `20:00-08:00, weekends` says.

    Raises:
        ValueError: it is nothing of the kind.
    """
    found = PATTERN.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r}: give quiet hours as 20:00-08:00, with `, weekends` if these are quiet, or none")
    if found["start"] is None:
        return QuietHours(start=time(), end=time(), weekends=text.strip() == "weekends")
    start, end = time.fromisoformat(found["start"]), time.fromisoformat(found["end"])
    return QuietHours(start=start, end=end, weekends=found["days"] is not None)


def zone_of(timezone: str) -> tzinfo:
    """The zone of an IANA name, `Europe/Berlin`; UTC for one that is empty or unknown here."""
    try:
        return ZoneInfo(timezone) if timezone else UTC
    except (ValueError, OSError, LookupError):  # not there, a folder's name, or no name at all
        return UTC


def is_quiet(now: datetime, timezone: str, quiet: QuietHours) -> bool:
    """Whether a reader in this timezone is to be left in peace now (a moment with its zone)."""
    return quiet.contain(now.astimezone(zone_of(timezone)))


def next_moment(now: datetime, timezone: str, quiet: QuietHours) -> datetime:
    """When a reader in this timezone may be sent a message: now, or in UTC the first minute that is not quiet.

    Minute by minute: what a clock does that is put forward or back needs no rule then. A weekend is 4,000 of them, a
    few milliseconds, and no hours of a day cover all of it.
    """
    if not is_quiet(now, timezone, quiet):
        return now
    zone = zone_of(timezone)
    moment = now.astimezone(UTC).replace(second=0, microsecond=0) + _MINUTE
    while quiet.contain(moment.astimezone(zone)):
        moment += _MINUTE
    return moment
