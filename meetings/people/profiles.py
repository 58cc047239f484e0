"""Role profiles: what a position cares about when nothing else is known, from `profiles.yml` beside this file.

An admin's own profiles (`profiles` in meetings.toml: a file, or a folder of them) are added; one of the same name takes
the place of ours. They are strict, like the people file: a misspelt key is refused by name.
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from meetings.errors import PeopleError
from meetings.people.terms import terms

# They say how somebody works, not in what field.
_BARE_TRADES = frozenset(
    ("engineer", "developer", "architect", "designer", "writer", "product", "tester", "researcher", "partner")
) | frozenset(("analyst", "*analyst", "*analystin", "analyste", "analista", "*designer", "*designerin"))
# At most so many roles make up a person.
MAX_ROLES = 3
_RANK_SHARE = 0.5
# Entwickler*in, Leiter/-in, Chargé·e, Directeur(trice), (m/w/d), (H/F)
_GENDERS = re.compile(
    r"[*:_](?:in|innen)\b|/-?(?:in|innen)\b|[·.]e\b|\((?:e|a|ne|se|in|trice)\)|\((?:[mwfdxh]\s*/\s*)+[mwfdxh]\)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """A role: the words of a position that call for it, phrases and terms it cares about, kinds it wants more of.

    `origin` is the admin's file it comes from; empty for those that ship with the product.
    """

    name: str
    match: tuple[str, ...]
    interests: tuple[str, ...]
    terms: tuple[str, ...]
    wants: Mapping[str, float]
    origin: str = ""


@lru_cache(maxsize=1)
def load_profiles() -> tuple[Profile, ...]:
    """The profiles that ship with the product, in the file's order."""
    text = (resources.files("meetings.people") / "profiles.yml").read_text(encoding="utf-8")
    return _profiles(yaml.safe_load(text), where="profiles.yml", origin="")


def read_profiles(path: Path | None) -> tuple[Profile, ...]:
    """Ours with an admin's: a YAML file, or every .yml and .yaml of a folder in order of their names.

    Raises:
        PeopleError: the path is not there, is not YAML, or an entry has an unknown key or a wrong value.
    """
    if path is None:
        return load_profiles()
    if path.is_dir():
        files = sorted(p for p in path.iterdir() if p.suffix in {".yml", ".yaml"})
        if not files:
            raise PeopleError(f"profiles: {path} holds no .yml file")
    else:
        files = [path]
    found = {p.name: p for p in load_profiles()}
    seen: dict[str, str] = {}
    for file in files:
        for profile in _profiles(_load(file), where=str(file), origin=str(file)):
            if profile.name in seen:
                raise PeopleError(
                    f"{file}: profile {profile.name!r} stands in {seen[profile.name]} already; remove one"
                )
            seen[profile.name] = str(file)
            found[profile.name] = profile
    return tuple(found.values())


_Phrase = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
_Kind = Literal["decision", "action", "risk", "question", "number"]


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    profile: _Phrase
    match: list[_Phrase] = Field(min_length=1, max_length=500)
    interests: list[_Phrase] = Field(min_length=1, max_length=50)
    terms: list[_Phrase] = Field(default_factory=list, max_length=500)
    wants: dict[_Kind, Annotated[float, Field(ge=0.0, le=1.0, strict=False)]] = Field(default_factory=dict)


def _profiles(entries: object, *, where: str, origin: str) -> tuple[Profile, ...]:
    if not isinstance(entries, list) or not entries:
        raise PeopleError(f"{where}: must be a list of profiles, each with profile, match and interests")
    found = []
    for number, entry in enumerate(entries, start=1):
        at = f"{where}: entry {number}"
        if not isinstance(entry, Mapping):
            raise PeopleError(f"{at}: must have keys like profile and match")
        name = entry.get("profile")
        at = f"{at} ({name})" if isinstance(name, str) else at
        for key in entry:
            if key not in _Entry.model_fields:
                near = difflib.get_close_matches(str(key), _Entry.model_fields, n=1)
                hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(_Entry.model_fields)}"
                raise PeopleError(f"{at}: unknown key {str(key)!r}; {hint}")
        try:
            checked = _Entry.model_validate(entry)
        except ValidationError as error:
            first = error.errors()[0]
            part = ".".join(str(p) for p in first["loc"])
            reason = "is missing" if first["type"] == "missing" else f"is wrong: {first['msg'].lower()}"
            raise PeopleError(f"{at}: {part} {reason}") from None
        found.append(
            Profile(
                name=checked.profile,
                match=tuple(_folded_phrase(m) for m in checked.match),
                interests=tuple(checked.interests),
                terms=tuple(checked.terms),
                wants=MappingProxyType({str(k): float(v) for k, v in checked.wants.items()}),
                origin=origin,
            )
        )
    return tuple(found)


def _load(path: Path) -> Any:
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise PeopleError(f"profiles: {path}: no such file or folder") from None
    except UnicodeDecodeError:
        raise PeopleError(f"{path}: not a text file in UTF-8") from None
    except OSError as error:
        raise PeopleError(f"{path}: cannot be read ({error.strerror})") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise PeopleError(f"{path}: not YAML ({' '.join(str(error).split())[:200]})") from None


@lru_cache(maxsize=1)
def _term_counts() -> Counter[str]:
    return Counter(s for p in load_profiles() for s in {s for t in p.terms for s in terms(t)})


def roles_with_term(term: str) -> int:
    """In how many of our profiles a term (a stem) stands; at least one."""
    return max(1, _term_counts()[term])


def folded(position: str) -> str:
    """A position as it is compared: lower case, without accents and punctuation; `Leiter*in` is `leiter`.

    >>> folded("Ingénieure Sécurité (Cloud)")
    'ingenieure securite cloud'
    """
    text = re.sub(_GENDERS, "", position.lower())
    text = text.replace("ß", "ss").replace("ä", "ae").replace("ö", "oe").replace("ü", "ue")
    text = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return " ".join(re.findall(r"[\w&/-]+", text))


def _folded_phrase(phrase: str) -> str:
    return f"{'*' if phrase.startswith('*') else ''}{folded(phrase)}{'*' if phrase.endswith('*') else ''}"


@lru_cache(maxsize=4096)
def _pattern(phrase: str) -> re.Pattern[str]:
    before = "" if phrase.startswith("*") else r"(?<![\w&])"
    after = "" if phrase.endswith("*") else r"(?![\w&])"
    return re.compile(f"{before}{re.escape(phrase.strip('*'))}{after}")


def match_profiles(position: str, profiles: tuple[Profile, ...] | None = None) -> tuple[tuple[Profile, float], ...]:
    """The profiles that a position calls for, strongest first, with weights that sum to one; at most three.

    The longest phrase found wins its words: `Project Manager` is a project lead, and no part of it is left for others.
    `Director of Product Engineering` is product, engineering and a director. Words nearer the end of an English title
    say more of the job, so a later match weighs a little more. German puts words together: `*entwickler` also ends a
    longer word, `vertrieb*` also begins one. A phrase of two profiles (`cto`) calls for both.

    Args:
        position: as people write it.
        profiles: the roles; default those that ship with the product.
    """
    text = folded(position)
    found: list[tuple[int, int, str, Profile]] = []
    for profile in load_profiles() if profiles is None else profiles:
        for phrase in profile.match:
            hits = _pattern(phrase).finditer(text)
            found += [(hit.start(), hit.end(), phrase, profile) for hit in hits]
    found.sort(key=lambda f: (f[0] - f[1], f[0], f[3].name))
    taken: list[tuple[int, int]] = []
    strength: dict[str, float] = {}
    by_name = {}
    for start, end, phrase, profile in found:
        if any(start < e and s < end for s, e in taken if (s, e) != (start, end)):
            continue
        taken.append((start, end))
        by_name[profile.name] = profile
        # A rank (head, director) and the bare trade (security engineer, data engineer) say less than the field does.
        base = _RANK_SHARE if profile.name == "executive" or phrase in _BARE_TRADES else 1.0
        later = 0.2 * start / max(1, len(text))
        strength[profile.name] = max(strength.get(profile.name, 0.0), base + later + 0.1 * phrase.count(" "))
    best = sorted(strength, key=lambda n: (-strength[n], n))[:MAX_ROLES]
    total = sum(strength[n] for n in best)
    return tuple((by_name[n], strength[n] / total) for n in best)
