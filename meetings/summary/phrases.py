"""The message's own words in the reader's language: headings, opening, dates, reasons, footer (`phrases.yml`)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from importlib import resources
from typing import Any

import yaml


@dataclass(frozen=True, slots=True, kw_only=True)
class Phrases:
    """The words of one language; `texts` is its part of `phrases.yml`."""

    language: str
    texts: Mapping[str, Any]

    def text(self, key: str, part: str = "", **places: object) -> str:
        """A phrase as it stands, or with named places filled in."""
        found = self.texts[key][part] if part else self.texts[key]
        return str(found).format(**places) if places else str(found)

    def filled(self, key: str, part: str, value: str, **places: object) -> str:
        """A phrase with its unnamed place filled in, which may hold anything."""
        found = self.texts[key][part] if part else self.texts[key]
        return str(found).format(value, **places)

    def day(self, day: date, *, year: bool = False) -> str:
        """A day in short form: `Fri 4 Dec`."""
        shown = str(self.texts["date"]).format(
            weekday=self.texts["days"][day.weekday()], day=day.day, month=self.texts["months"][day.month - 1]
        )
        return f"{shown} {day.year}" if year else shown

    def length(self, seconds: float) -> str:
        """How long something is: `7 min`; below a minute and from two hours on in signs that all languages share."""
        minutes = round(seconds / 60)
        if seconds < 60:
            return f"{max(1, round(seconds))} s"
        if minutes >= 120:
            return f"{minutes // 60} h" + (f" {minutes % 60} min" if minutes % 60 else "")
        return self.filled("minutes", "", str(max(1, minutes)))

    def count(self, what: str, number: int) -> str:
        """`two decisions`, by the keys of `counts`."""
        one, many = self.texts["counts"][what]
        if number == 1:
            return str(one)
        words = self.texts["numbers"]
        return str(many).format(words[number] if number < len(words) else number)

    def reason(self, why: str) -> str:
        """A reason in this language; empty if there are no words for it."""
        if self.language == "en":
            return why
        for pattern, told in _reasons(self.language):
            if found := pattern.fullmatch(why):
                return told.format(*found.groups())
        return ""


@lru_cache(maxsize=1)
def _shipped() -> Mapping[str, Any]:
    data: Mapping[str, Any] = yaml.safe_load(
        (resources.files("meetings.summary") / "phrases.yml").read_text(encoding="utf-8")
    )
    return data


def phrases(language: str) -> Phrases:
    """The words of a language; English for one that has none."""
    code = language if language in _shipped() else "en"
    return Phrases(language=code, texts=_shipped()[code])


@lru_cache(maxsize=8)
def _reasons(language: str) -> tuple[tuple[re.Pattern[str], str], ...]:
    return tuple(
        (re.compile(re.escape(english).replace(r"\{\}", "(.+)")), str(told))
        for english, told in _shipped()[language]["why"].items()
    )
