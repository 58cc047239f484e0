"""Whom a voice may belong to, and the names by which they are spoken of and written down.

A name counts only where it means one person: "Ana" among two Anas means nobody, "Ana Ruiz" still means her. Calls
writes display names without their special characters, so names are compared by their letters and digits alone.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """Somebody whose voice it can be: a participant or a member of the channel.

    `joined_at` is when they came into the call, in seconds from the recording's start, where that is known.
    """

    username: str
    name: str
    nickname: str = ""
    joined_at: float | None = None


def spoken_names(candidates: Sequence[Candidate]) -> dict[str, str]:
    """What people are called aloud to the one username it means: full names, first names, nicknames.

    Each is spelled with a capital, with and without accents; a name that two people share is left out.
    """
    meant: dict[str, set[str]] = {}
    for candidate in candidates:
        words = candidate.name.split()
        called = {candidate.name.strip(), candidate.nickname.strip(), *words[:1]}
        if len(words) > 2:
            called.add(f"{words[0]} {words[-1]}")
        for name in called:
            for spelling in {name, plain(name)}:
                if len(spelling) > 1:
                    meant.setdefault(spelling[0].upper() + spelling[1:], set()).add(candidate.username)
    return {name: next(iter(who)) for name, who in meant.items() if len(who) == 1}


def written_names(candidates: Sequence[Candidate]) -> Mapping[str, frozenset[str]]:
    """The bare form of everything a display name can be, to all usernames that it can mean."""
    meant: dict[str, set[str]] = {}
    for candidate in candidates:
        shown = {candidate.name, candidate.username, candidate.nickname}
        if candidate.nickname:
            shown.add(f"{candidate.name} ({candidate.nickname})")
        for name in shown:
            for spelling in {bare(name), bare(plain(name))} - {""}:
                meant.setdefault(spelling, set()).add(candidate.username)
    return {name: frozenset(who) for name, who in meant.items()}


def bare(name: str) -> str:
    """A name without what Calls takes out of it: letters and digits alone, lower case."""
    return "".join(c for c in unicodedata.normalize("NFC", name).casefold() if c.isalnum())


def plain(name: str) -> str:
    """A name without its accents."""
    return "".join(c for c in unicodedata.normalize("NFD", name) if not unicodedata.combining(c))
