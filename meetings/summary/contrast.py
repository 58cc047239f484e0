"""What was said beside what: words of one class exchanged, spans of time, restrictions gone or new."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from functools import lru_cache

from meetings.people.terms import STOPWORDS, stem, words
from meetings.summary.claims import OPPOSITE, TELLING, held, key_of
from meetings.summary.figures import NUMBER_WORDS, said_numbers
from meetings.summary.wordnet import opposite, synonymous


@lru_cache(maxsize=262_144)
def likeness(one: str, other: str) -> float:
    a, b = key_of(one), key_of(other)
    if a == b:
        return 1.0
    if held(a, frozenset({b})):
        return 0.95
    if synonymous(stem(one), stem(other)):
        return 0.9
    if min(len(a), len(b)) >= 4 and (a.startswith(b[:5]) and b.startswith(a[:5])) and len(a[:5]) == 5:
        return 0.8
    return 0.0


_SPAN = re.compile(r"\b(?:(half|quarter|couple)(?: an?| of an?)? )?(minute|hour|day|week|month|quarter|year)s?\b")


def other_span(text: str, said: str) -> bool:
    """Whether a span of time is told that is another than those said: `a month` for `a year`, `an hour` for half."""
    told, heard = set(_SPAN.findall(text.lower())), set(_SPAN.findall(said.lower()))
    units = {unit for _, unit in heard}
    return bool(heard) and any(unit not in units or (part, unit) not in heard for part, unit in told)


_ALL = re.compile(r"\b(all|every|each|any)(?: of)?(?: the| our)? (\w+)(?: (\w+))?")
_ONLY = re.compile(r"\b(?:only|just|solely|merely|except|but|exempt|apart)\b")


def widened(text: str, said: str) -> bool:
    """Whether a restriction of what was said is gone or new: `all` for `all admin accounts`, `only` left out."""
    low = text.lower()
    for match in _ALL.finditer(low):
        noun = stem(match[2])
        heard = [m for m in _ALL.finditer(said) if noun in {stem(m[2]), stem(m[3] or "")}]
        wider = [m for m in heard if stem(m[2]) != noun and m[2] not in low]
        if not heard or len(wider) == len(heard):
            return True
    if re.search(r"\bonly\b", low) and not _ONLY.search(said) and not _NEGATION_ANYWHERE.search(said):
        return True
    kept = {stem(w) for w in words(low)}
    return not _ONLY.search(low) and any(
        sum(stem(w) in kept for w in words(m[1]) if w not in STOPWORDS) >= 1 for m in _NARROW.finditer(said)
    )


_NEGATION_ANYWHERE = re.compile(r"\b(?:not|no|nobody|none|nothing|\w+n't)\b")
_NARROW = re.compile(r"\bonly (?:for |to |on |in |if |when |the )?(\w+ \w+)")


def _stations(text: str) -> list[tuple[str, int, frozenset[str]]]:
    """The content words of a text with their place; a number, of however many words, with its possible values."""
    parts = words(text.replace("-", " "))
    found: list[tuple[str, int, frozenset[str]]] = []
    position = 0
    while position < len(parts):
        word = parts[position]
        if word in NUMBER_WORDS or word[0].isdigit():
            end = position
            while end < len(parts) and (parts[end] in NUMBER_WORDS or parts[end][0].isdigit() or parts[end] == "point"):
                end += 1
            found.append(("#", position, frozenset(said_numbers(" ".join(parts[position:end])))))
            position = end
            continue
        if word not in STOPWORDS and len(word) > 1 and not word.endswith("n't"):
            found.append((word.removesuffix("'s"), position, frozenset()))
        position += 1
    return found


def contrasts(text: str, heard: Sequence[str], people: frozenset[str]) -> dict[str, float]:
    """Whether words of one class (numbers, opposites, names) stand beside what the others of it stood beside.

    `Buttons below, casing above` for `buttons above, the casing below`; `eighty of a hundred` for what is needed.
    """
    said = _stations(" ".join(heard))
    told = _stations(text)
    proper = {w.lower() for w in re.findall(r"(?<=[a-z,] )[A-Z][a-z]+", text)}
    speakers = {p for person in people for p in person.split()}

    def same(one: tuple[str, int, frozenset[str]], other: tuple[str, int, frozenset[str]]) -> bool:
        if one[0] == "#" or other[0] == "#":
            return bool(one[2] & other[2])
        return likeness(one[0], other[0]) >= 0.8

    def rival(one: tuple[str, int, frozenset[str]], other: tuple[str, int, frozenset[str]]) -> bool:
        if one[0] == "#" and other[0] == "#":
            return not one[2] & other[2]
        if "#" in (one[0], other[0]):
            return False
        if opposite(one[0], other[0]) or any({stem(one[0]), stem(other[0])} == set(pair) for pair in OPPOSITE):
            return True
        return one[0] in proper and one[0] not in speakers and other[0] in proper

    crossed = beaten = 0
    for word in told:
        mine = [s for s in said if same(word, s)]
        against = [s for s in said if rival(word, s)]
        if not mine or not against:
            continue
        partners = [t for t in told if t is not word and abs(t[1] - word[1]) <= 4 and not rival(word, t)]
        partners = [t for t in partners if t[0] not in speakers and key_of(t[0]) not in TELLING and t[0] != "#"]
        partners.sort(key=lambda t: (abs(t[1] - word[1]), -t[1]))
        for partner in partners[:2]:
            places = [s for s in said if same(partner, s)]
            if not places:
                continue
            own = min(abs(a[1] - b[1]) for a in mine for b in places)
            theirs = min(abs(a[1] - b[1]) for a in against for b in places)
            if theirs + 1 < own:
                beaten += 1
                crossed += any(rival(word, t) for t in told)
            break
    numbers = [[s for s in said if same(t, s)] for t in told if t[0] == "#"]
    order = [min(s[1] for s in places) for places in numbers if places]
    return {
        "crossed": min(2.0, crossed),
        "beside another": min(2.0, beaten),
        "numbers in another order": float(any(b < a for a, b in itertools.pairwise(order))),
    }
