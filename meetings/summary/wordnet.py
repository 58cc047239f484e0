"""Words that say the same and words that say the opposite, by WordNet 3.1 (Miller 1995); see `thesaurus.yml`."""

from __future__ import annotations

from functools import lru_cache
from importlib import resources

import yaml

from meetings.people.terms import stem


@lru_cache(maxsize=1)
def _thesaurus() -> tuple[dict[str, frozenset[int]], dict[str, frozenset[str]], dict[str, list[str]]]:
    """The numbers of the groups that a stem is in, the stems of its opposites, and the opposites of a word."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    text = (resources.files("meetings.summary") / "thesaurus.yml").read_text(encoding="utf-8")
    lists: dict[str, str] = yaml.load(text, Loader=loader)
    groups: dict[str, set[int]] = {}
    for number, line in enumerate(lists["same"].splitlines()):
        for word in line.split():
            groups.setdefault(stem(word), set()).add(number)
    opposite: dict[str, set[str]] = {}
    plain: dict[str, list[str]] = {}
    for line in lists["opposite"].splitlines():
        one, other = line.split()
        plain.setdefault(one, []).append(other)
        plain.setdefault(other, []).append(one)
        opposite.setdefault(stem(one), set()).add(stem(other))
        opposite.setdefault(stem(other), set()).add(stem(one))
    return {w: frozenset(g) for w, g in groups.items()}, {w: frozenset(o) for w, o in opposite.items()}, plain


def synonymous(one: str, other: str) -> bool:
    """Whether two stems share a group of WordNet."""
    groups = _thesaurus()[0]
    return bool(groups.get(one, frozenset()) & groups.get(other, frozenset()))


def opposites_of(word: str) -> list[str]:
    """The antonyms of a word, comparatives as `more` and `less` of one."""
    plain = _thesaurus()[2]
    found = list(plain.get(word, []))
    for root in (word.removesuffix("er"), word.removesuffix("r"), word.removesuffix("s"), word.removesuffix("ed")):
        if root != word and root in plain:
            found += [f"{o}{word[len(root) :]}" for o in plain[root]]
    return found


@lru_cache(maxsize=65_536)
def opposite(one: str, other: str) -> bool:
    """Whether two words are antonyms in WordNet, in any degree: `longer` and `short`."""
    opposites = _thesaurus()[1]
    return any(b in opposites.get(a, frozenset()) for a in _degrees(one) for b in _degrees(other))


@lru_cache(maxsize=16_384)
def _degrees(word: str) -> tuple[str, ...]:
    """The stem of a word, and of the adjective that it may be a degree of: `cheaper`, `earliest`, `badly`."""
    found = [stem(word)]
    for ending in ("er", "est", "ly"):
        if word.endswith(ending) and len(word) > len(ending) + 2:
            root = word.removesuffix(ending)
            found += [stem(root), stem(f"{root}e"), stem(f"{root[:-1]}y"), stem(root[:-1])]
    return tuple(dict.fromkeys(found))
