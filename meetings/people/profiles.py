"""Role profiles: what a position cares about when nothing else is known, from `profiles.yml` beside this file."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from types import MappingProxyType

import yaml

from meetings.people.terms import terms

_BARE_TRADES = {"engineer", "developer", "architect", "designer", "writer", "product"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """A role: the words of a position that call for it, phrases and terms it cares about, kinds it wants more of."""

    name: str
    match: tuple[str, ...]
    interests: tuple[str, ...]
    terms: tuple[str, ...]
    wants: Mapping[str, float]


@lru_cache(maxsize=1)
def load_profiles() -> tuple[Profile, ...]:
    """The profiles that ship with the product, in the file's order."""
    entries = yaml.safe_load((resources.files("meetings.people") / "profiles.yml").read_text(encoding="utf-8"))
    return tuple(
        Profile(
            name=str(e["profile"]),
            match=tuple(str(m) for m in e["match"]),
            interests=tuple(str(i) for i in e["interests"]),
            terms=tuple(str(t) for t in e["terms"]),
            wants=MappingProxyType({str(k): float(v) for k, v in e["wants"].items()}),
        )
        for e in entries
    )


@lru_cache(maxsize=1)
def _term_counts() -> Counter[str]:
    return Counter(s for p in load_profiles() for s in {s for t in p.terms for s in terms(t)})


def roles_with_term(term: str) -> int:
    """In how many profiles a term (a stem) stands; at least one."""
    return max(1, _term_counts()[term])


def match_profiles(position: str) -> tuple[tuple[Profile, float], ...]:
    """The profiles that a position calls for, strongest first, with weights that sum to one; at most three.

    The longest phrase found wins its words: `Project Manager` is a project lead, and no part of it is left for others.
    `Director of Product Engineering` is product, engineering and a director. Words nearer the end of an English title
    say more of the job, so a later match weighs a little more.
    """
    text = " ".join(re.findall(r"[\w&/-]+", position.lower()))
    found: list[tuple[int, int, str, Profile]] = []
    for profile in load_profiles():
        for phrase in profile.match:
            hits = re.finditer(rf"(?<![\w&]){re.escape(phrase)}(?![\w&])", text)
            found += [(hit.start(), hit.end(), phrase, profile) for hit in hits]
    found.sort(key=lambda f: (f[0] - f[1], f[0], f[3].name))
    taken: list[tuple[int, int]] = []
    strength: dict[str, float] = {}
    by_name = {}
    for start, end, phrase, profile in found:
        if any(start < e and s < end for s, e in taken):
            continue
        taken.append((start, end))
        by_name[profile.name] = profile
        # A rank (head, director) and the bare trade (security engineer, data engineer) say less than the field does.
        base = 0.5 if profile.name == "executive" or phrase in _BARE_TRADES else 1.0
        later = 0.2 * start / max(1, len(text))
        strength[profile.name] = max(strength.get(profile.name, 0.0), base + later + 0.1 * phrase.count(" "))
    best = sorted(strength, key=lambda n: (-strength[n], n))[:3]
    total = sum(strength[n] for n in best)
    return tuple((by_name[n], strength[n] / total) for n in best)
