"""Who reads summaries: `Person`, and the people file (YAML) that lists them.

The file is a list of entries, strict by design: a misspelt key would silently change what somebody gets, so it is
refused by name with a suggestion. Every refusal is one line with the file and the entry.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from meetings.errors import PeopleError

LENGTHS = ("short", "medium", "long")


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A reader. `speaks_as` is the name their voice has in a transcript, when it is not `name` or `username`.

    `length` is how many bullets they like (`short`, `medium`, `long`); `tone` is for writers that can follow one.
    `only` are the kinds of bullets they asked for, none: all.
    """

    username: str
    name: str
    position: str = ""
    about: str = ""
    speaks_as: str | None = None
    interests: tuple[str, ...] = ()
    locale: str | None = None
    length: str | None = None
    tone: str | None = None
    only: tuple[str, ...] = ()


_Line = Annotated[str, StringConstraints(strip_whitespace=True, max_length=200)]


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    # Mattermost's own rule for usernames, a little wider: a folder name is made from it.
    username: Annotated[
        str,
        StringConstraints(
            strip_whitespace=True, min_length=1, max_length=64, to_lower=True, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$"
        ),
    ]
    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
    position: _Line = ""
    about: Annotated[str, StringConstraints(strip_whitespace=True, max_length=4000)] = ""
    speaks_as: _Line | None = None
    interests: list[_Line] = Field(default_factory=list, max_length=50)
    locale: Annotated[str, StringConstraints(pattern=r"^[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})*$")] | None = None
    length: Literal["short", "medium", "long"] | None = None
    tone: _Line | None = None


def read_people(path: Path) -> tuple[Person, ...]:
    """Everybody in a people file, in its order.

    Raises:
        PeopleError: the file is missing, not YAML or not a list of people; an entry has an unknown key, a wrong value
            or a username that stands twice.
    """
    entries = _load(path)
    if not isinstance(entries, list):
        what = "empty" if entries is None else f"a {_kind(entries)}"
        raise PeopleError(f"{path}: must be a list of people, each with username and name, but is {what}")
    if not entries:
        raise PeopleError(f"{path}: lists no one; add an entry with username and name")
    people: list[Person] = []
    seen: dict[str, int] = {}
    for number, entry in enumerate(entries, start=1):
        person = _person(entry, where=f"{path}: entry {number}")
        if person.username in seen:
            raise PeopleError(
                f"{path}: entry {number}: username {person.username} stands in entry {seen[person.username]} already; "
                "remove one"
            )
        seen[person.username] = number
        people.append(person)
    return tuple(people)


class _StrictLoader(yaml.SafeLoader):
    """SafeLoader that refuses a key given twice instead of keeping the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
        for key in keys:
            if keys.count(key) > 1:
                line = node.start_mark.line + 1
                raise yaml.YAMLError(f"key {key!r} stands twice in the entry at line {line}")
        return super().construct_mapping(node, deep=deep)


def _load(path: Path) -> object:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise PeopleError(f"{path}: no such file") from None
    except UnicodeDecodeError:
        raise PeopleError(f"{path}: not a text file in UTF-8") from None
    except OSError as error:
        raise PeopleError(f"{path}: cannot be read ({error.strerror})") from error
    try:
        # _StrictLoader is a SafeLoader: plain values only.
        loaded: object = yaml.load(text, Loader=_StrictLoader)
    except yaml.MarkedYAMLError as error:
        line = f" at line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise PeopleError(f"{path}: not YAML{line} ({error.problem or error.context})") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise PeopleError(f"{path}: not YAML ({' '.join(str(error).split())})") from None
    return loaded


def _person(entry: object, *, where: str) -> Person:
    if not isinstance(entry, Mapping):
        raise PeopleError(f"{where}: must have keys like username and name, but is a {_kind(entry)}")
    name = entry.get("username")
    where = f"{where} ({name})" if isinstance(name, str) else where
    for key in entry:
        if key not in _Entry.model_fields:
            near = difflib.get_close_matches(str(key), _Entry.model_fields, n=1)
            hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(_Entry.model_fields)}"
            raise PeopleError(f"{where}: unknown key {str(key)!r}; {hint}")
    # An empty value (`about:`) means: not given.
    given = {key: value for key, value in entry.items() if value is not None}
    try:
        checked = _Entry.model_validate(given)
    except ValidationError as error:
        first = error.errors()[0]
        at = ".".join(str(part) for part in first["loc"])
        reason = "is missing" if first["type"] == "missing" else _reason(first["msg"], first.get("input"))
        raise PeopleError(f"{where}: {at} {reason}") from None
    return Person(**{**checked.model_dump(), "interests": tuple(i for i in checked.interests if i)})


def _reason(message: str, value: object) -> str:
    reason = message[:1].lower() + message[1:]
    # `no` and `1` are a boolean and a number to YAML.
    quotes = "; put it in quotes" if isinstance(value, (bool, int, float)) else ""
    return f"is wrong: {reason}{quotes}"


def _kind(value: object) -> str:
    names = {dict: "mapping", list: "list", str: "text", bool: "yes/no value", int: "number", float: "number"}
    return names.get(type(value), type(value).__name__)
