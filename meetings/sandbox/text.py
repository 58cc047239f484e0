"""What a server reads out of a message: hashtags, and who is mentioned."""

from __future__ import annotations

import re
from collections.abc import Iterable

# \pL of Go is any letter: a word character that is neither digit nor underscore.
_LETTER = r"[^\W\d_]"
_START = re.compile(rf"^(?:(?!{_LETTER})[^\d\s#])+")
_END = re.compile(rf"(?:(?!{_LETTER})[^\d\s])+$")
_HASHTAG = re.compile(rf"#{_LETTER}(?:{_LETTER}|[\d\-_.])*(?:{_LETTER}|\d)")
_CODE = re.compile(r"```.*?```|`[^`\n]*`", re.DOTALL)
_MENTION = re.compile(r"(?<![\w@])@([a-z0-9][a-z0-9._-]*)", re.IGNORECASE)
MAX_HASHTAGS = 1_000  # characters

EVERYBODY = frozenset(["all", "channel", "here"])


def hashtags(message: str) -> str:
    """The hashtags of a message, in order, divided by spaces (model.ParseHashtags)."""
    found = []
    for word in message.split():
        trimmed = re.sub(r"^#{2,}", "#", _END.sub("", _START.sub("", word)))
        if _HASHTAG.fullmatch(trimmed):
            found.append(trimmed)
    line = " ".join(found)
    return line if len(line) <= MAX_HASHTAGS else line[:MAX_HASHTAGS].rpartition(" ")[0]


def mentioned(message: str, usernames: Iterable[str]) -> set[str]:
    """Which of these usernames a message mentions; code does not count, a sentence's end is not part of a name."""
    known = {u.lower(): u for u in usernames}
    found = set()
    for match in _MENTION.finditer(_CODE.sub(" ", message)):
        name = match.group(1).lower()
        if name.rstrip("._-") in EVERYBODY:
            return set(known.values())
        while name and name not in known and name[-1] in "._-":
            name = name[:-1]
        if name in known:
            found.add(known[name])
    return found
