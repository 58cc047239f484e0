"""Text that people said or wrote, as every kind of document can hold it."""

from __future__ import annotations

import unicodedata

# Controls, halves of characters, private use. Joiners and marks of direction (Cf) stay: scripts and emoji need them.
_DROPPED = {"Cc", "Cs", "Co"}
# What turns the direction of all that follows: a name could make the line after it read backwards.
_TURNS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def plain(text: str, limit: int | None = None) -> str:
    """A text as one line without what no document can hold (XML 1.0, section 2.2) or nobody can see.

    Args:
        text: anything.
        limit: characters kept; more becomes an ellipsis.
    """
    line = " ".join("".join(c for c in text if c.isspace() or not _unwelcome(c)).split())
    if limit is not None and len(line) > limit:
        return line[: limit - 1].rstrip() + "…"
    return line


def _unwelcome(character: str) -> bool:
    if character < "\x7f":
        return character < " "
    no_character = ord(character) & 0xFFFE == 0xFFFE or 0xFDD0 <= ord(character) <= 0xFDEF
    return no_character or character in _TURNS or unicodedata.category(character) in _DROPPED


def right_to_left(text: str) -> bool:
    """Whether a text is written from the right: its first letter with a direction says so (Unicode UAX 9, P2)."""
    for character in text:
        if (kind := unicodedata.bidirectional(character)) in {"L", "R", "AL"}:
            return kind != "L"
    return False


def has_right_to_left(text: str) -> bool:
    """Whether anything in a text is written from the right."""
    return not text.isascii() and any(unicodedata.bidirectional(c) in {"R", "AL"} for c in text)
