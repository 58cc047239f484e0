"""Moments in the past as people say them to a bot: `Monday`, `yesterday`, `the last 3 days`, in English or German.

Pure, and by the asker's own clock. Own rules, because libraries that read dates out of any text take `may` for one,
prefer the future for a bare weekday, and know nothing of what is too far back to be meant.
"""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta, tzinfo

LONGEST = timedelta(days=366)  # further back nobody is told

_DAYS = (
    ("monday", "mon", "montag"),
    ("tuesday", "tue", "dienstag"),
    ("wednesday", "wed", "mittwoch"),
    ("thursday", "thu", "donnerstag"),
    ("friday", "fri", "freitag"),
    ("saturday", "sat", "samstag", "sonnabend"),
    ("sunday", "sun", "sonntag"),
)
_WEEKDAY = {name: number for number, names in enumerate(_DAYS) for name in names}
_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            ("january", "jan", "januar"),
            ("february", "feb", "februar"),
            ("march", "mar", "märz"),
            ("april", "apr"),
            ("may", "mai"),
            ("june", "jun", "juni"),
            ("july", "jul", "juli"),
            ("august", "aug"),
            ("september", "sept", "sep"),
            ("october", "oct", "oktober", "okt"),
            ("november", "nov"),
            ("december", "dec", "dezember", "dez"),
        ),
        start=1,
    )
    for name in names
}
_UNITS = {
    "m": timedelta(minutes=1),
    "min": timedelta(minutes=1),
    "minute": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "hour": timedelta(hours=1),
    "stunde": timedelta(hours=1),
    "d": timedelta(days=1),
    "day": timedelta(days=1),
    "tag": timedelta(days=1),
    "w": timedelta(weeks=1),
    "week": timedelta(weeks=1),
    "woche": timedelta(weeks=1),
    "month": timedelta(days=30),
    "monat": timedelta(days=30),
}
_COUNTS = {
    "": 1, "a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "ten": 10,
    "einem": 1, "einer": 1, "eine": 1, "ein": 1, "zwei": 2, "drei": 3, "vier": 4, "fünf": 5, "couple of": 2,
    "a couple of": 2, "a few": 3, "few": 3, "paar": 3,
}  # fmt: skip
_COUNT = "|".join(sorted((c for c in _COUNTS if c), key=len, reverse=True)) + r"|\d{1,3}"
_UNIT = "|".join(sorted((u for u in _UNITS if len(u) > 1), key=len, reverse=True))
_SPAN = re.compile(rf"(?:(?P<count>{_COUNT})\s+)?(?P<unit>{_UNIT})(?:e?s|e?n|en)?(?: ago)?")
_SHORT = re.compile(r"(?P<count>\d{1,4})\s*(?P<unit>min|[hdw])")
_LEAD = re.compile(
    r"^(?:(?:since|from|for|over|in|during|within|after|seit|ab|von|vor|in den|während|the|der|den|dem|die|am|on|at|um|"
    r"past|last|previous|letzten?|letzter|vergangenen?|vergangener)\s+)+"
)
_LAST = re.compile(r"\b(?:last|past|previous|letzte[rns]?|vergangene[rns]?)\b")
_CLOCK = re.compile(r"(?P<hour>[01]?\d|2[0-3])(?:[:.](?P<minute>[0-5]\d))?\s*(?P<half>am|pm|uhr)?")
_DATE = re.compile(r"(?P<day>\d{1,2})(?:st|nd|rd|th|\.)?(?:\s+of)?\s+(?P<month>[a-zä]+)\.?(?:\s+(?P<year>\d{4}))?")
_DATE_US = re.compile(r"(?P<month>[a-zä]+)\.?\s+(?P<day>\d{1,2})(?:st|nd|rd|th)?(?:,?\s+(?P<year>\d{4}))?")
_DOTTED = re.compile(r"(?P<day>\d{1,2})\.(?P<month>0?[1-9]|1[0-2])(?:\.(?P<year>\d{4})?)?")


def read_moment(text: str, *, now: datetime, zone: tzinfo) -> datetime | None:
    """The moment in the past that a phrase means; None if it means none.

    A weekday is the last one of that name, today not counted; `last week` begins with the Monday of the week before.

    Args:
        text: as `since Monday`, `the last 3 days`, `gestern`, `2026-11-23`, `9:30`, `7d`.
        now: the present moment.
        zone: the asker's timezone, in which days begin.
    """
    here = now.astimezone(zone)
    bare = " ".join(text.lower().split()).strip(" .,!?")
    try:
        found = _moment(bare, here)
    except (ValueError, OverflowError):
        return None
    if found is None or found >= here or found < here - LONGEST:
        return None
    return found


def _moment(text: str, here: datetime) -> datetime | None:
    last = bool(_LAST.search(text))
    bare = _LEAD.sub("", text)
    if short := _SHORT.fullmatch(bare):
        return here - int(short["count"]) * _UNITS[short["unit"]]
    fixed = {
        "today": 0, "heute": 0, "this morning": 0, "heute morgen": 0, "yesterday": 1, "gestern": 1,
        "day before yesterday": 2, "vorgestern": 2,
    }  # fmt: skip
    if bare in fixed:
        return _midnight(here, here.date() - timedelta(days=fixed[bare]))
    if bare in {"week", "woche"} and last:
        return _midnight(here, here.date() - timedelta(days=here.weekday() + 7))
    if bare in {"this week", "diese woche", "dieser woche"}:
        return _midnight(here, here.date() - timedelta(days=here.weekday()))
    if bare in {"this month", "diesen monat", "diesem monat"}:
        return _midnight(here, here.date().replace(day=1))
    if bare in _WEEKDAY:
        return _midnight(here, here.date() - timedelta(days=(here.weekday() - _WEEKDAY[bare] - 1) % 7 + 1))
    if span := _SPAN.fullmatch(bare):
        count = span["count"] or ""
        return here - (int(count) if count.isdecimal() else _COUNTS[count]) * _UNITS[span["unit"]]
    return _dated(bare, here) or _clock(bare, here)


def _dated(text: str, here: datetime) -> datetime | None:
    if re.fullmatch(r"\d{4}-\d\d-\d\d(?:[t ]\d\d:\d\d.*)?", text):
        moment = datetime.fromisoformat(text.upper())
        return moment if moment.tzinfo else moment.replace(tzinfo=here.tzinfo)
    if dotted := _DOTTED.fullmatch(text):
        return _day(here, dotted["year"], int(dotted["month"]), int(dotted["day"]))
    match = _DATE.fullmatch(text) or _DATE_US.fullmatch(text)
    if match is None or match["month"] not in _MONTHS:
        return None
    return _day(here, match["year"], _MONTHS[match["month"]], int(match["day"]))


def _day(here: datetime, year: str | None, month: int, day: int) -> datetime:
    if year:
        return _midnight(here, date(int(year), month, day))
    found = date(here.year, month, day)
    return _midnight(here, found if found <= here.date() else found.replace(year=here.year - 1))


def _clock(text: str, here: datetime) -> datetime | None:
    match = _CLOCK.fullmatch(text)
    if match is None or not (match["minute"] or match["half"]):
        return None  # `3` alone is no time
    hour = int(match["hour"])
    if match["half"] in {"am", "pm"}:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if match["half"] == "pm" else 0)
    found = datetime.combine(here.date(), time(hour, int(match["minute"] or 0)), tzinfo=here.tzinfo)
    return found if found < here else found - timedelta(days=1)


def _midnight(here: datetime, day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=here.tzinfo)
