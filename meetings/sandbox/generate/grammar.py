"""The words of a generated workspace: templates from `data/workspace/`, and how a sentence is made of one.

A template is a line of text with alternatives in brackets and slots for facts. Lines are dealt like cards: none comes
again before all others of its kind were used.
"""

from __future__ import annotations

import re
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from random import Random
from typing import Any

import yaml

ACTS = ("open", "more", "info", "ask", "assign", "risk", "decide")
_CHOICE = re.compile(r"\[([^\[\]]*\|[^\[\]]*)\]")
_SLOT = re.compile(r"\{(\w+)\}")

Facts = Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """Something that is talked about at work: whose business it is, where, and templates by act.

    `kinds` are the kinds of products that it fits; none: all.
    """

    name: str
    roles: tuple[str, ...]
    side: tuple[str, ...]
    where: tuple[str, ...]
    kinds: frozenset[str]
    lines: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Theme:
    """Something that people care about beside their role; `interest` is how they would put it."""

    name: str
    interest: str
    lines: tuple[str, ...]
    links: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Grammar:
    """All templates. `general` are lines that fit every subject; the rest is as in its file."""

    subjects: Mapping[str, Subject]
    themes: Mapping[str, Theme]
    words: Mapping[str, Any]
    general: Mapping[str, tuple[str, ...]]
    incident: Mapping[str, Any]

    def lines(self, name: str) -> tuple[str, ...]:
        """The templates of a small phrase."""
        return _lines(self.words[name])


@lru_cache(maxsize=1)
def load_grammar() -> Grammar:
    """The grammar that comes with the program."""
    subjects = {
        name: Subject(
            name=name,
            roles=tuple(entry["for"]),
            side=tuple(entry["side"]),
            where=tuple(entry["where"].split(", ")),
            kinds=frozenset(entry.get("kinds", ())),
            lines={act: _lines(entry[act]) for act in ACTS},
        )
        for name, entry in _load("subjects").items()
    }
    themes = {
        name: Theme(name=name, interest=entry["interest"], lines=_lines(entry["lines"]), links=_lines(entry["links"]))
        for name, entry in _load("themes").items()
    }
    words = _load("words")
    general = {act: _lines(text) for act, text in words["general"].items()}
    return Grammar(subjects=subjects, themes=themes, words=words, general=general, incident=_load("incident"))


def _load(name: str) -> dict[str, Any]:
    text = (files("meetings.sandbox") / "data" / "workspace" / f"{name}.yml").read_text(encoding="utf-8")
    loaded: dict[str, Any] = yaml.safe_load(text)
    return loaded


def _lines(text: str) -> tuple[str, ...]:
    return tuple(line for line in text.splitlines() if line)


def fill(template: str, facts: Facts, chance: Random) -> str:
    """A template as a sentence.

    >>> fill("[It|That] takes {small} days.", {"small": "4"}, Random(1))
    'It takes 4 days.'
    """
    chosen = _CHOICE.sub(lambda found: chance.choice(found.group(1).split("|")), template)
    said = _SLOT.sub(lambda found: facts[found.group(1)], chosen)
    return said[:1].upper() + said[1:]


class Deck:
    """Deals templates by kind; each about once before any comes again."""

    def __init__(self, chance: Random) -> None:
        self._chance = chance
        self._left: dict[str, list[str]] = {}

    def draw(self, kind: str, lines: Sequence[str], avoid: Container[str] = ()) -> str | None:
        """The next template of a kind, of these, that is not to be avoided; None if all are."""
        if all(line in avoid for line in lines):
            return None
        left = self._left.setdefault(kind, [])
        if not any(line not in avoid for line in left):
            left += lines
            self._chance.shuffle(left)
        # From the end: the last one dealt comes first where nothing is avoided.
        place = next(n for n in reversed(range(len(left))) if left[n] not in avoid)
        return left.pop(place)

    def next(self, kind: str, lines: Sequence[str]) -> str:
        """The next template of a kind, of these."""
        drawn = self.draw(kind, lines)
        assert drawn is not None
        return drawn
