"""Text of others on a terminal: titles, file names, facts."""

from __future__ import annotations


def one_line(text: str) -> str:
    """A text as one line without what steers a terminal."""
    return "".join(c if c.isprintable() else "?" for c in " ".join(text.split()))
