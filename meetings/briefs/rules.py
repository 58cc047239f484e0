"""How posts of an incident's channel are read, and whose view they belong in: `rules.yml`, and an admin's rules."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from meetings.errors import ConfigError
from meetings.store import digest

AUDIENCES = ("engineering", "customers", "pr")


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What belongs in an audience's view; the fields are those of `rules.yml`."""

    desks: frozenset[str] = frozenset()
    kinds: frozenset[str] = frozenset()
    topics: frozenset[str] = frozenset()
    never: frozenset[str] = frozenset()
    without: frozenset[str] = frozenset()
    decisions: frozenset[str] = frozenset()
    outside: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """Compiled rules; `stamp` changes when they do, and what was read by others is read again."""

    marks: Mapping[str, re.Pattern[str]]
    topics: Mapping[str, re.Pattern[str]]
    views: Mapping[str, View]
    stamp: str


class _View(BaseModel):
    model_config = ConfigDict(extra="forbid")
    desks: list[str] = Field(default_factory=list)
    kinds: list[str] = Field(default_factory=list)
    topics: list[str] = Field(default_factory=list)
    never: list[str] = Field(default_factory=list)
    without: list[str] = Field(default_factory=list)
    decisions: list[str] = Field(default_factory=list)
    outside: list[str] = Field(default_factory=list)


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")
    marks: dict[str, list[str]] = Field(default_factory=dict)
    topics: dict[str, list[str]] = Field(default_factory=dict)
    audiences: dict[str, _View] = Field(default_factory=dict)


@cache
def read_rules(path: Path | None = None) -> Rules:
    """Our rules, with those that an admin's file adds.

    Raises:
        ConfigError: the file cannot be read, or something in it is not as `rules.yml` has it.
    """
    own = _parsed((resources.files("meetings.briefs") / "rules.yml").read_text(encoding="utf-8"), "rules.yml")
    if path is None:
        return _compiled(own, "rules.yml")
    try:
        added = _parsed(path.read_text(encoding="utf-8"), str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"incident_rules: {path} cannot be read ({error})") from None
    unknown = [f"marks.{n}" for n in added.marks if n not in own.marks]
    unknown += [f"audiences.{n}" for n in added.audiences if n not in own.audiences]
    if unknown:
        raise ConfigError(f"incident_rules: {path}: {unknown[0]} is not known; see meetings/briefs/rules.yml")
    for name, patterns in added.marks.items():
        own.marks[name] += patterns
    for name, patterns in added.topics.items():
        own.topics[name] = own.topics.get(name, []) + patterns
    for name, view in added.audiences.items():
        for field in _View.model_fields:
            getattr(own.audiences[name], field).extend(getattr(view, field))
    return _compiled(own, str(path))


def _parsed(text: str, where: str) -> _File:
    try:
        data: Any = yaml.safe_load(text)
        return _File.model_validate(data or {})
    except yaml.YAMLError as error:
        raise ConfigError(f"incident_rules: {where}: not YAML ({' '.join(str(error).split())})") from None
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "the file"
        raise ConfigError(f"incident_rules: {where}: {place}: {first['msg']}") from None


def _compiled(file: _File, where: str) -> Rules:
    def compiled(patterns: list[str]) -> re.Pattern[str]:
        try:
            return re.compile("|".join(f"(?:{p})" for p in patterns), re.IGNORECASE)
        except re.error as error:
            raise ConfigError(f"incident_rules: {where}: no regular expression ({error})") from None

    return Rules(
        marks={name: compiled(patterns) for name, patterns in file.marks.items()},
        topics={name: compiled(patterns) for name, patterns in file.topics.items()},
        views={
            name: View(**{field: frozenset(getattr(view, field)) for field in _View.model_fields})
            for name, view in file.audiences.items()
        },
        stamp=digest(file.model_dump()),
    )
