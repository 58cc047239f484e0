"""Numbers and dates in a text, however they are written: `twenty five` and `25`, `twelve fifty` and `12.50`.

What a writer says is read strictly, what a speaker said leniently: speech leaves open whether `twelve fifty` is a
price, a time or a year, so every reading of it counts as said.
"""

from __future__ import annotations

import itertools
import re
from collections import Counter, defaultdict

from meetings.people.terms import stem

_UNITS = {
    "zero": 0, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9,
    "ten": 10, "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14, "fifteen": 15, "sixteen": 16,
    "seventeen": 17, "eighteen": 18, "nineteen": 19, "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60,
    "seventy": 70, "eighty": 80, "ninety": 90,
    "first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5, "sixth": 6, "seventh": 7, "eighth": 8, "ninth": 9,
    "tenth": 10, "eleventh": 11, "twelfth": 12, "thirteenth": 13, "fourteenth": 14, "fifteenth": 15, "sixteenth": 16,
    "seventeenth": 17, "eighteenth": 18, "nineteenth": 19, "twentieth": 20, "thirtieth": 30,
}  # fmt: skip
_SCALES = {"hundred": 100, "thousand": 1_000, "million": 1_000_000, "billion": 1_000_000_000}
_LETTERS = {"k": 1_000, "m": 1_000_000, "bn": 1_000_000_000}
# `one` is a pronoun more often than a number, `second` a moment, `third` a share.
AMBIGUOUS = frozenset({"one", "second", "first", "third"})
# Said for a number; not expected of a writer.
_LOOSE = {
    "couple": 2,
    "dozen": 12,
    "twice": 2,
    "both": 2,
    "once": 1,
    "single": 1,
    "another": 1,
    "year": 12,
    "pair": 2,
    "double": 2,
    "doubled": 2,
    "doubles": 2,
    "doubling": 2,
    "triple": 3,
    "tripled": 3,
    "triples": 3,
    "tripling": 3,
    "thrice": 3,
    "quadruple": 4,
    "quadrupled": 4,
}
_MULTIPLES = frozenset(w for w in _LOOSE if w[:5] in {"doubl", "tripl", "quadr"}) | {"twice", "thrice"}
NUMBER_WORDS = frozenset({*_UNITS, *_SCALES})

_TOKEN = re.compile(r"\d+(?:[.,:]\d+)*(?:(?:k|m|bn)\b)?|%|[^\W\d_]+")
# What a number counts; the others are left to the content words around it.
_COUNTED = {
    "%": "percent", "percent": "percent", "percentage": "percent",
    "euro": "euro", "euros": "euro", "eur": "euro", "dollar": "dollar", "dollars": "dollar", "usd": "dollar",
    "pound": "pound", "pounds": "pound", "cent": "cent", "cents": "cent",
    "second": "second", "seconds": "second", "minute": "minute", "minutes": "minute", "hour": "hour", "hours": "hour",
    "day": "day", "days": "day", "week": "week", "weeks": "week", "month": "month", "months": "month", "year": "year",
    "years": "year", "gigabyte": "gigabyte", "gigabytes": "gigabyte", "gb": "gigabyte", "megabytes": "megabyte",
    "mb": "megabyte", "people": "people", "seats": "seat", "customers": "customer", "users": "user",
}  # fmt: skip
_SIGNS = {"$": "dollar", "€": "euro", "£": "pound"}

_MONTHS = {
    m[:n]: m for m in ("january", "february", "march", "april", "june", "july", "august", "september", "october",
                       "november", "december") for n in (3, len(m))
}  # fmt: skip
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_RELATIVE = re.compile(
    r"\b(today|tonight|tomorrow|yesterday|(?:next|this|last|coming) (?:week|month|quarter|year|spring|summer|autumn|"
    r"fall|winter|sprint)|(?:first|second|third|fourth) quarter|q[1-4])\b"
)
_QUARTERS = {"first quarter": "q1", "second quarter": "q2", "third quarter": "q3", "fourth quarter": "q4"}
# The end of which period; of what period it is by default is left open.
_END = re.compile(r"\bend of (?:the |this )?(next )?(day|week|month|quarter|year|sprint)\b")
# `May` the month, told from the verb by its capital and what stands beside it.
_MAY = re.compile(
    r"\b(?:(?:in|by|until|before|after|since|from|of|early|late|end|\d{1,2}(?:st|nd|rd|th)?|to) May|May \d)\b"
)


def numbers(text: str) -> Counter[str]:
    """The numbers that a text tells; ordinals count as their number, ambiguous words (`one`) not at all."""
    return Counter(value for readings, _ in _read(text, loose=False) for value in readings)


def told_numbers(text: str) -> list[tuple[tuple[str, ...], str]]:
    """Each number of a text with its possible readings, and what it counts (empty if not known)."""
    return _read(text, loose=False)


def said_numbers(text: str) -> set[str]:
    """Every number that speech may be understood to hold."""
    return {value for readings, _ in _read(text, loose=True) for value in readings} | set(_shares(text)) | _priced(text)


_BEFORE = re.compile(r"(?=\b([a-z]+|\d+)[ -]([a-z]+))")


def changed_counts(text: str, said: str) -> set[str]:
    """Ambiguous number words of a text that stand where another number was said: `one-factor` for `two-factor`."""
    pairs = {(word, stem(thing)) for word, thing in _BEFORE.findall(said.lower())}
    return {
        word
        for word, thing in _BEFORE.findall(text.lower())
        if word in AMBIGUOUS
        and (word, stem(thing)) not in pairs
        and any(thing_said == stem(thing) and _is_count(other) for other, thing_said in pairs)
    }


def _is_count(word: str) -> bool:
    return word.isdigit() or word in NUMBER_WORDS or word in AMBIGUOUS


_SHARE = re.compile(r"\b(\w+) (?:in|out of) (?:every |a )?(\w+)\b")
_PRICE = re.compile(
    r"\b([a-z]+|\d+) (?:euros?|dollars?|pounds?) "
    r"((?:[a-z]+|\d+)(?:[ -](?:one|two|three|four|five|six|seven|eight|nine))?)\b"
)


def _shares(text: str) -> list[str]:
    """The percentages that shares amount to: `one in ten` is 10."""
    found = []
    for match in _SHARE.finditer(text.lower()):
        part, whole = (_number(m) for m in match.groups())
        if part and whole and whole >= part:
            found.append(_canonical(f"{100 * part / whole:.1f}"))
    found += [share for word, share in (("half", "50"), ("quarter", "25")) if re.search(rf"\b{word}\b", text.lower())]
    return found


def _priced(text: str) -> set[str]:
    """Prices with the unit inside: `twelve euros fifty`."""
    pairs = [(_number(a), _number(b)) for a, b in _PRICE.findall(text.lower())]
    return {_canonical(f"{a:.0f}.{b:02.0f}") for a, b in pairs if a is not None and b is not None and b < 100}


def _number(words: str) -> float | None:
    values = [readings[0] for readings, _ in _read(words, loose=True)]
    try:
        return float(values[0]) if len(values) == 1 else None
    except ValueError:
        return None


def counted(text: str) -> dict[str, set[str]]:
    """What each number that was said counts, where that is a known unit: `{"40": {"percent"}}`."""
    found: dict[str, set[str]] = defaultdict(set)
    for readings, unit in _read(text, loose=True):
        for value in readings:
            found[value].add(unit)
    for share in _shares(text):
        found[share].add("percent")
    return found


def dates(text: str) -> set[str]:
    """Weekdays, months, quarters and relative days or periods, in one spelling each."""
    low = text.lower()
    low = re.sub(r"\btoday'?s\b", " ", low)
    found = {_QUARTERS.get(m, m) for m in _RELATIVE.findall(low)}
    for word in re.findall(r"[a-z]+", low):
        if word in _MONTHS and (word != "mar" and word != "sun"):
            found.add(_MONTHS[word])
        elif word in _WEEKDAYS or word.removesuffix("s") in _WEEKDAYS:
            found.add(word.removesuffix("s"))
    found |= {f"end of {which}{unit}" for which, unit in _END.findall(low)}
    if _MAY.search(text) or re.search(r"\b(?:of|in|until|by) may\b", low):
        found.add("may")
    return found


def _read(text: str, *, loose: bool) -> list[tuple[tuple[str, ...], str]]:
    low = re.sub(r"(?<=\d),(?=\s)", " ,", text.lower().replace("per cent", "percent"))
    tokens = _TOKEN.findall(low.replace("-", " "))
    found: list[tuple[tuple[str, ...], str]] = []
    signs = {_canonical(m.group(2)): _SIGNS[m.group(1)] for m in re.finditer(r"([$€£])\s?(\d[\d.,]*\d|\d)", low)}
    position = 0
    while position < len(tokens):
        values, used = _run(tokens, position, loose=loose)
        if not values:
            position += 1
            continue
        after = tokens[position + used] if position + used < len(tokens) else ""
        found.append((tuple(values), _COUNTED.get(after, "") or signs.get(values[0], "")))
        position += used
    return found


def _run(tokens: list[str], at: int, *, loose: bool) -> tuple[list[str], int]:
    """The readings of the number that begins at a token, and how many tokens it takes; none if there is no number."""
    first = tokens[at]
    if first[0].isdecimal():
        return _digits(tokens, at)
    if first in _MULTIPLES or (loose and first in _LOOSE):
        return [str(_LOOSE[first])], 1
    if first in AMBIGUOUS and not loose and not _goes_on(tokens, at):
        return [], 0
    if first not in _UNITS and not (first in {"a", "half"} and at + 1 < len(tokens) and tokens[at + 1] in _SCALES):
        return [], 0
    parts: list[int] = []
    total = group = 0.0
    position = at
    while position < len(tokens):
        word = tokens[position]
        following = tokens[position + 1] if position + 1 < len(tokens) else ""
        if word in _UNITS:
            if parts and not (parts[-1] >= 20 and parts[-1] % 10 == 0 and parts[-1] < 100 and _UNITS[word] < 10):
                parts.append(_UNITS[word])
            elif parts:
                parts[-1] += _UNITS[word]
            else:
                parts = [_UNITS[word]]
        elif word in _SCALES:
            last = parts.pop() if parts else 0.5 if first == "half" else 0 if group else 1
            if word == "hundred":
                group += last * 100
            else:
                total, group = total + (group + last) * _SCALES[word], 0.0
        elif word == "and" and following == "a" and tokens[position + 2 : position + 3] == ["half"] and parts:
            scale = _SCALES.get(tokens[position + 3], 1) if position + 3 < len(tokens) else 1
            return [_canonical(str((parts[-1] + 0.5) * scale))], position + (4 if scale > 1 else 3) - at
        elif word == "and" and following in _UNITS and (total or group):
            pass
        elif word == "point" and following in _UNITS and parts:
            decimals = list(itertools.takewhile(lambda w: w in _UNITS and _UNITS[w] < 10, tokens[position + 1 :]))
            value = f"{parts[-1]}.{''.join(str(_UNITS[d]) for d in decimals)}"
            return [_canonical(value)], position + 1 + len(decimals) - at
        elif not (word in {"a", "half"} and position == at):
            break
        position += 1
    used = position - at
    if total or group:
        return [_canonical(str(total + group + sum(parts)))], used
    if len(parts) == 1:
        return [str(parts[0])], used
    readings = [str(p) for p in parts]
    if len(parts) == 2 and parts[1] < 100:
        # Twelve fifty: a price, a time, a year.
        readings += [_canonical(f"{parts[0]}.{parts[1]:02d}"), f"{parts[0]}{parts[1]:02d}"]
    return readings, used


def _goes_on(tokens: list[str], at: int) -> bool:
    return at + 1 < len(tokens) and (tokens[at + 1] in _SCALES)


def _digits(tokens: list[str], at: int) -> tuple[list[str], int]:
    token = tokens[at]
    match = re.fullmatch(r"([\d.,:]+)(k|m|bn)?", token)
    if match is None:
        return [token], 1
    value = _canonical(match.group(1))
    if match.group(2):
        return [_canonical(str(float(value) * _LETTERS[match.group(2)]))], 1
    following = tokens[at + 1] if at + 1 < len(tokens) else ""
    if following in _SCALES:
        return [_canonical(str(float(value) * _SCALES[following]))] if "." in value or ":" not in value else [value], 2
    return [value], 1


def _canonical(token: str) -> str:
    # 1,000 is a thousand, 1,5 and 1.5 are one and a half, 12.50 is 12.5.
    if re.fullmatch(r"\d{1,3}(?:[.,]\d{3})+", token):
        return re.sub(r"\D", "", token)
    token = token.replace(",", ".")
    return token.rstrip("0").rstrip(".") if re.fullmatch(r"\d+\.\d+", token) else token
