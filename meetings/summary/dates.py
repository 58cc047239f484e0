"""Due dates as people say them: `by Friday`, `end of next week`, `the tenth`, resolved against the day of the meeting.

Only deadlines are looked for, only forward in time, and only in English; what cannot be resolved stays as it was said.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_MONTHS = tuple(m.lower() for m in calendar.month_name)[1:]
_ONES = ["first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth"]
_TEENS = [
    "tenth",
    "eleventh",
    "twelfth",
    "thirteenth",
    "fourteenth",
    "fifteenth",
    "sixteenth",
    "seventeenth",
    "eighteenth",
    "nineteenth",
    "twentieth",
]
_ORDINALS = {
    **{w: i for i, w in enumerate(_ONES + _TEENS, start=1)},
    **{f"twenty{s}{w}": 20 + i for i, w in enumerate(_ONES, start=1) for s in ("-", " ")},
    "thirtieth": 30,
    "thirty-first": 31,
    "thirty first": 31,
}
_COUNTS = {
    "a": 1,
    "one": 1,
    "two": 2,
    "three": 3,
    "four": 4,
    "five": 5,
    "six": 6,
    "seven": 7,
    "ten": 10,
    "a couple of": 2,
}

_DAY = "|".join(_DAYS)
_MONTH = "|".join([*_MONTHS, "jan", "feb", "mar", "apr", "jun", "jul", "aug", "sept", "sep", "oct", "nov", "dec"])
_NTH = "|".join(sorted(_ORDINALS, key=len, reverse=True)) + r"|\d{1,2}(?:st|nd|rd|th)"
_COUNT = "|".join(sorted(_COUNTS, key=len, reverse=True)) + r"|\d{1,2}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """A deadline: the words it was said in, and the day, if it can be known."""

    phrase: str
    day: date | None

    @property
    def shown(self) -> str:
        """`2026-11-27`, or the phrase when the day is not known."""
        return self.day.isoformat() if self.day else self.phrase


def find_due(text: str, said_on: date | None) -> Due | None:
    """The deadline named in a text, the first if there are several; None if there is none.

    Args:
        text: what was said.
        said_on: the day of the meeting; None if nobody knows, then a day is never made up.
    """
    best: tuple[int, Due] | None = None
    for pattern, resolve in _PATTERNS:
        match = pattern.search(text)
        if match and (best is None or match.start() < best[0]):
            phrase = match.group("when")
            day = _safely(resolve, match, said_on) if said_on else None
            best = (match.start(), Due(phrase=phrase, day=day))
    return best[1] if best else None


def _safely(resolve: Callable[[re.Match[str], date], date | None], match: re.Match[str], today: date) -> date | None:
    try:
        return resolve(match, today)
    except (ValueError, OverflowError):
        # The thirty-first of November: no such day.
        return None


_BY = r"(?:\b(?:by|until|till|before|on|for|due|no later than|latest)\s+)"


def _p(expression: str) -> re.Pattern[str]:
    return re.compile(expression, re.IGNORECASE)


def _weekday(match: re.Match[str], today: date) -> date:
    wanted = _DAYS.index(match.group("day").lower())
    monday = today - timedelta(days=today.weekday())
    which = (match.group("which") or "").lower()
    if which == "next":
        return monday + timedelta(days=7 + wanted)
    # A weekday without more is the next to come; on that very day people say `today`.
    return today + timedelta(days=(wanted - today.weekday() - 1) % 7 + 1)


def _weekday_of_next_week(match: re.Match[str], today: date) -> date:
    wanted = _DAYS.index(match.group("day").lower())
    return today - timedelta(days=today.weekday()) + timedelta(days=7 + wanted)


def _end_of(match: re.Match[str], today: date) -> date:
    following = (match.group("which") or "").strip().lower() == "next"
    unit = match.group("unit").lower()
    if unit == "day":
        return today
    if unit == "week":
        friday = today - timedelta(days=today.weekday()) + timedelta(days=4 + 7 * following)
        return friday if friday >= today else friday + timedelta(days=7)
    if unit == "month":
        return _month_end(today.year, today.month + following)
    if unit == "quarter":
        return _month_end(today.year, (today.month - 1) // 3 * 3 + 3 + 3 * following)
    return date(today.year + following, 12, 31)


def _month_end(year: int, month: int) -> date:
    year, month = year + (month - 1) // 12, (month - 1) % 12 + 1
    return date(year, month, calendar.monthrange(year, month)[1])


def _end_of_month_named(match: re.Match[str], today: date) -> date:
    month = _month(match.group("month"))
    return _month_end(today.year + (month < today.month), month)


def _month(name: str) -> int:
    return next(i for i, full in enumerate(_MONTHS, start=1) if full.startswith(name.lower()[:3]))


def _nth(word: str) -> int:
    return _ORDINALS.get(word.lower()) or int(re.sub(r"\D", "", word))


def _month_day(match: re.Match[str], today: date) -> date:
    month, number = _month(match.group("month")), _nth(match.group("nth"))
    found = date(today.year, month, number)
    return found if found >= today else date(today.year + 1, month, number)


def _the_nth(match: re.Match[str], today: date) -> date:
    number = _nth(match.group("nth"))
    month = today.month + (number <= today.day)
    return date(today.year + (month - 1) // 12, (month - 1) % 12 + 1, number)


def _in_some(match: re.Match[str], today: date) -> date:
    said = match.group("count").lower()
    count = _COUNTS.get(said) or int(said)
    return today + timedelta(days=count * {"day": 1, "week": 7}[match.group("unit").lower().rstrip("s")])


def _next_week(_match: re.Match[str], today: date) -> date:
    return today - timedelta(days=today.weekday()) + timedelta(days=11)


_PATTERNS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str], date], date | None]], ...] = (
    (_p(rf"\b(?P<when>(?P<day>{_DAY}) (?:of )?next week|next week (?:on )?(?P<day2>{_DAY}))\b"),
     lambda m, t: _weekday_of_next_week(m, t) if m.group("day") else _named_next_week(m, t)),
    (_p(r"\b(?P<when>(?:the )?end of (?:the |this )?(?P<which>next )?(?:business |working )?"
        r"(?P<unit>day|week|month|quarter|year))\b"), _end_of),
    (_p(rf"\b(?P<when>(?:the )?end of (?P<month>{_MONTH}))\b"), _end_of_month_named),
    (_p(rf"\b(?P<when>(?P<month>{_MONTH})\.? (?:the )?(?P<nth>{_NTH}|\d{{1,2}}(?!\d|:| ?%)))(?!\w)"), _month_day),
    (_p(rf"\b(?P<when>(?:the )?(?P<nth>{_NTH}|\d{{1,2}}) (?:of )?(?P<month>{_MONTH}))\b"), _month_day),
    (_p(rf"{_BY}(?P<when>the (?P<nth>{_NTH}))(?! (?:of|time|version|one|release|quarter|point|item|thing|floor|"
        rf"step|phase|half|part|draft|round|week|day|month|place|sprint|party|option|meeting|call)\b)\b"), _the_nth),
    (_p(rf"(?<!last )(?<!every )(?<!each )(?<!since )\b(?P<when>(?:(?P<which>next|this|coming) )?(?P<day>{_DAY})"
        r"(?: (?:morning|noon|afternoon|evening|night))?)\b"), _weekday),
    (_p(r"\b(?P<when>tomorrow(?: (?:morning|noon|afternoon|evening|night))?)\b"), lambda _m, t: t + timedelta(days=1)),
    (_p(r"\b(?P<when>the day after tomorrow)\b"), lambda _m, t: t + timedelta(days=2)),
    (_p(rf"{_BY}(?P<when>today|tonight|eod|close of business|noon|this (?:afternoon|evening))\b"), lambda _m, t: t),
    (_p(r"\b(?P<when>later today|tonight|eod)\b"), lambda _m, t: t),
    (_p(rf"\b(?:with)?(?P<when>in (?P<count>{_COUNT}) (?P<unit>days?|weeks?))\b"
        r"(?! ago| before)"), _in_some),
    (_p(r"\b(?:by|until|before|for|during|sometime|early|late|do it|this)\s+(?P<when>next week)\b"), _next_week),
)  # fmt: skip


def _named_next_week(match: re.Match[str], today: date) -> date:
    wanted = _DAYS.index(match.group("day2").lower())
    return today - timedelta(days=today.weekday()) + timedelta(days=7 + wanted)
