"""What stretch of time people mean: "since Monday", "last week", "seit gestern 15 Uhr", "unread".

Pure, and strict: a text is a stretch of time as a whole, or it is none. Days are the asker's own, from midnight to
midnight on their clock; a weekday is the last one before today. A grammar of its own, since general ones (dateparser
1.5 was tried) find a date in nearly any word ("may", "5"), take "yesterday" for 24 hours ago and "heute morgen" for
tomorrow, and cost two seconds before the first answer.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

MAX_WORDS = 120  # characters that are read
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A stretch of time: from `since` to `until`, or to now."""

    since: datetime
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Unread:
    """Since they last looked."""


_DAYS = {
    name: number
    for number, names in enumerate(
        (
            "monday mon montag mo",
            "tuesday tue tues dienstag di",
            "wednesday wed mittwoch mi",
            "thursday thu thur thurs donnerstag do",
            "friday fri freitag fr",
            "saturday sat samstag sonnabend sa",
            "sunday sun sonntag so",
        )
    )
    for name in names.split()
}
_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "january jan januar jänner",
            "february feb februar",
            "march mar märz mär",
            "april apr",
            "may mai",
            "june jun juni",
            "july jul juli",
            "august aug",
            "september sep sept",
            "october oct oktober okt",
            "november nov",
            "december dec dezember dez",
        ),
        1,
    )
    for name in names.split()
}
_NUMBERS = {
    word: number
    for number, words in enumerate(
        (
            "one a an the ein eine einen einem einer",
            "two zwei couple",
            "three drei few",
            "four vier",
            "five fünf",
            "six sechs",
            "seven sieben",
            "eight acht",
            "nine neun",
            "ten zehn",
        ),
        1,
    )
    for word in words.split()
}
_UNITS = {
    **dict.fromkeys(("h", "hour", "hours", "hrs", "stunde", "stunden"), timedelta(hours=1)),
    **dict.fromkeys(("d", "day", "days", "tag", "tage", "tagen"), timedelta(days=1)),
    **dict.fromkeys(("w", "week", "weeks", "woche", "wochen"), timedelta(weeks=1)),
    **dict.fromkeys(("month", "months", "monat", "monate", "monaten"), timedelta(days=30)),
}
_UNREAD = re.compile(
    r"(?:(?:the |all |my )?unread(?: (?:posts|messages|ones|stuff))?|(?:die |das )?ungelesen(?:e[sn]?)?|"
    r"since (?:i (?:last )?(?:looked|read it|was (?:last )?(?:here|there|in it|online))(?: last)?|my last visit)|"
    r"seit (?:ich zuletzt (?:da|dort|hier|drin) war|meinem letzten besuch))"
)
# The words that begin a stretch which goes on until now, and those that name a stretch with an end.
_SINCE = re.compile(r"(?:since|from|after|starting|seit|ab)\s+(?:(?:the|dem|der|den)\s+)?(.+)")
_WITHIN = re.compile(
    r"(?:(?:in|for|over|during|within|of|from|on|in|am|von|der|des|den|während)\s+)?"
    r"(?:(?:the|den|der|die|dem|this|diese[rnm]?)\s+)?(.+)"
)
_LENGTH = re.compile(
    rf"(?:(?:last|past|previous|letzten?|vergangenen?)\s+)?(\d{{1,4}}|{'|'.join(_NUMBERS)})?\s*"
    rf"({'|'.join(sorted(_UNITS, key=len, reverse=True))})(\s+ago)?"
)
_AGO = re.compile(rf"vor\s+(\d{{1,4}}|{'|'.join(_NUMBERS)})\s*({'|'.join(sorted(_UNITS, key=len, reverse=True))})")
_CLOCK = re.compile(
    r"(?:(?P<day>.*?)\s*[, ]?\s*\b)?(?:(?:at|um|gegen)\s+)?(?P<hour>[01]?\d|2[0-3])(?:[:.](?P<minute>[0-5]\d))?\s*"
    r"(?P<half>am|pm|a\.m\.|p\.m\.|uhr|h|o'clock)?"
)
_PART = re.compile(
    r"(?:(?P<day>.*?)\s*)?\b(?P<part>morning|noon|afternoon|evening|night|früh|morgen|mittag|nachmittag|abend|nacht)"
)
_PARTS = {
    **dict.fromkeys(("morning", "früh", "morgen"), time(5)),
    **dict.fromkeys(("noon", "afternoon", "mittag", "nachmittag"), time(12)),
    **dict.fromkeys(("evening", "night", "abend", "nacht"), time(18)),
}
_ISO = re.compile(r"(\d{4})-(\d{2})-(\d{2})")
_DOTTED = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})?")
_NAMED = re.compile(r"(\d{1,2})(?:st|nd|rd|th|\.)?\s+(?:of\s+)?([a-zä]+)\.?,?(?:\s+(\d{4}))?")
_NAMED_FIRST = re.compile(r"([a-zä]+)\.?\s+(\d{1,2})(?:st|nd|rd|th)?,?(?:\s+(\d{4}))?")
_RELATIVE = {
    **dict.fromkeys(("today", "heute"), 0),
    **dict.fromkeys(("yesterday", "gestern"), 1),
    **dict.fromkeys(("the day before yesterday", "day before yesterday", "vorgestern"), 2),
}
_THIS_WEEK = frozenset({"week", "this week", "woche", "diese woche", "dieser woche"})
_LAST_WEEK = frozenset({"last week", "previous week", "letzte woche", "letzter woche", "letzten woche", "vorige woche"})
_LAST_MONTH = frozenset({"last month", "letzten monat", "letztem monat", "letzter monat"})
_WEEKEND = frozenset({"weekend", "last weekend", "wochenende", "letztes wochenende", "letzten wochenende"})


def read_span(words: str, *, now: datetime) -> Span | Unread | None:
    """The stretch of time that some words name; None for words that name none, or one that is still to come.

    Args:
        words: the words, without anything else.
        now: this moment on the asker's clock, with their timezone.

    >>> from datetime import UTC
    >>> read_span("since Monday", now=datetime(2026, 11, 27, 9, 0, tzinfo=UTC)).since.isoformat()
    '2026-11-23T00:00:00+00:00'
    """
    text = " ".join(words[:MAX_WORDS].replace("’", "'").lower().split()).strip(" .,!?") + (
        "." if re.search(r"\d\.$", words.strip()) else ""
    )
    if not text:
        return None
    if _UNREAD.fullmatch(text):
        return Unread()
    try:
        found = _span(text, now)
    except (ValueError, OverflowError):
        return None  # no such day
    if found is None or found.since >= now or (found.until is not None and found.until <= found.since):
        return None
    return found if found.until is None or found.until < now else Span(since=found.since)


def _span(text: str, now: datetime) -> Span | None:
    if match := _SINCE.fullmatch(text):
        begin = _moment(match[1], now)
        if begin is not None:
            return Span(since=begin)
        if not text.startswith("from"):
            return None
    # Anything that has an end, or a bare day: `yesterday` is that day, `last week` the one before this.
    for rest in dict.fromkeys((text, _within(text))):
        if (found := _ended(rest, text, now)) is not None:
            return found
    return None


def _within(text: str) -> str:
    match = _WITHIN.fullmatch(text)
    return match[1] if match else text


def _ended(text: str, whole: str, now: datetime) -> Span | None:
    today = now.date()
    monday = today - timedelta(days=today.weekday())
    if text in _THIS_WEEK and "last" not in whole and whole not in {"week", "woche"}:
        return Span(since=_midnight(monday, now))
    # "In the last week" are seven days, "last week" is the one before this.
    if text in _LAST_WEEK and "the last" not in whole:
        return Span(since=_midnight(monday - timedelta(days=7), now), until=_midnight(monday, now))
    if text in _LAST_MONTH:
        first = today.replace(day=1)
        before = (first - timedelta(days=1)).replace(day=1)
        return Span(since=_midnight(before, now), until=_midnight(first, now))
    if text in _WEEKEND:
        saturday = monday - timedelta(days=2)
        return Span(since=_midnight(saturday, now), until=_midnight(monday, now))
    if (match := _LENGTH.fullmatch(text)) and not match[3]:
        begin = _before(now, match[1], match[2])
        return None if begin is None else Span(since=begin)
    day = _day(text, now)
    if day is not None:
        return Span(since=_midnight(day, now), until=_midnight(day + timedelta(days=1), now))
    if (begin := _moment(text, now)) is not None:
        return Span(since=begin)
    return None


def _moment(text: str, now: datetime) -> datetime | None:
    """The moment at which something begins; a day begins at midnight."""
    today = now.date()
    monday = today - timedelta(days=today.weekday())
    if text in _THIS_WEEK:
        return _midnight(monday, now)
    if text in _LAST_WEEK:
        return _midnight(monday - timedelta(days=7), now)
    if text in _LAST_MONTH:
        return _midnight((today.replace(day=1) - timedelta(days=1)).replace(day=1), now)
    if text in _WEEKEND:
        return _midnight(monday - timedelta(days=2), now)
    if match := _LENGTH.fullmatch(text) or _AGO.fullmatch(text):
        return _before(now, match[1], match[2])
    if (day := _day(text, now)) is not None:
        return _midnight(day, now)
    if (match := _PART.fullmatch(text)) and (day := _day_or_today(match["day"], now)) is not None:
        return _at(day, _PARTS[match["part"]], now)
    if (match := _CLOCK.fullmatch(text)) and (match["minute"] or match["half"] or " at " in f" {text}"):
        hour = int(match["hour"])
        if match["half"] in {"pm", "p.m."} and hour < 12:
            hour += 12
        if match["half"] in {"am", "a.m."} and hour == 12:
            hour = 0
        day = _day_or_today(match["day"], now)
        return None if day is None else _at(day, time(hour, int(match["minute"] or 0)), now)
    return None


def _day_or_today(text: str | None, now: datetime) -> date | None:
    bare = (text or "").strip(" ,")
    if bare in {"", "this", "the", "dem", "diesem"}:
        return now.date()
    return (now - timedelta(days=1)).date() if bare == "last" else _day(bare, now)


def _day(text: str, now: datetime) -> date | None:
    today = now.date()
    if text in _RELATIVE:
        return today - timedelta(days=_RELATIVE[text])
    bare = re.sub(r"^(?:last|this|letzte[nrms]?|vorige[nrms]?|on|am)\s+", "", text)
    if bare in _DAYS:
        # The last one before today: who means today says so.
        return today - timedelta(days=(today.weekday() - _DAYS[bare] - 1) % 7 + 1)
    if match := _ISO.fullmatch(text):
        return date(int(match[1]), int(match[2]), int(match[3]))
    if match := _DOTTED.fullmatch(text):
        return _past(int(match[1]), int(match[2]), match[3], today)
    if (match := _NAMED.fullmatch(text)) and match[2] in _MONTHS:
        return _past(int(match[1]), _MONTHS[match[2]], match[3], today)
    if (match := _NAMED_FIRST.fullmatch(text)) and match[1] in _MONTHS:
        return _past(int(match[2]), _MONTHS[match[1]], match[3], today)
    return None


def _past(day: int, month: int, year: str | None, today: date) -> date:
    if year is not None:
        return date(int(year), month, day)
    found = date(today.year, month, day)
    return found if found <= today else date(today.year - 1, month, day)


def _before(now: datetime, count: str | None, unit: str) -> datetime | None:
    """So long before now: hours have passed, days are counted by the clock on the wall."""
    number = 1 if count is None else int(count) if count.isdecimal() else _NUMBERS[count]
    if not number:
        return None
    length = number * _UNITS[unit]
    return (now.astimezone(UTC) - length).astimezone(now.tzinfo) if _UNITS[unit] < _DAY else now - length


def _midnight(day: date, now: datetime) -> datetime:
    return _at(day, time(), now)


def _at(day: date, clock: time, now: datetime) -> datetime:
    return datetime.combine(day, clock, tzinfo=now.tzinfo)
