"""What people say who want to be caught up, or never to be asked again: a few words of English or German.

Pure. Whole texts alone are understood: a `yes` in a longer sentence is not ours to take.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

MAX_TEXT = 200  # characters that are read


class Word(Enum):
    """A wish without particulars."""

    YES = "yes"
    NO = "no"
    OFF = "off"
    ON = "on"


@dataclass(frozen=True, slots=True, kw_only=True)
class CatchUp:
    """Wants a briefing: on a channel (empty: on all), since when in their words (empty: as usual)."""

    channel: str = ""
    since: str = ""


_POLITE = re.compile(r"^(?:(?:hi|hello|hey|hallo|please|bitte|can you|could you|kannst du|meetings|@\S+|,)[\s,:!]+)+")
_TAIL = re.compile(r"[\s,]*\b(?:please|bitte|thanks|thank you|danke)\b[\s.!]*$")
_YES = re.compile(r"(?:yes|yes please|yep|yeah|sure|ok|okay|do|go ahead|ja|ja bitte|gerne?|klar|👍|:\+1:|:thumbsup:)")
_NO = re.compile(r"(?:no|no thanks?|no thank you|nope|not now|nein|nein danke|👎|:-1:|:thumbsdown:)")
_THEM = r"(?:catch[- ]?ups?|catch(?:ing)? me up|briefings?)"
_OFF = re.compile(
    rf"(?:no(?: more)? {_THEM}|stop (?:the )?{_THEM}|{_THEM} off|(?:don't|do not|never) catch me up(?: again)?|"
    r"keine? (?:briefings?|catch[- ]?ups?)(?: mehr)?)"
)
_ON = re.compile(
    rf"(?:{_THEM} (?:again|on|back)|(?:start|resume) (?:the )?{_THEM}|wieder (?:briefings?|catch[- ]?ups?))"
)
_SINCE = r"(?:\s+(?:since|from|for the last|over the last|seit|ab)\s+(?P<since>.+))?"
_ON_WHAT = r"(?:\s+(?:on|in|about|with|for|über|zu|in))?(?:\s+(?P<channel>~?[a-z0-9][\w./~-]*))?"
_CATCH_UP = re.compile(
    rf"(?:catch me up|brief me|(?:bring|get) me up to (?:speed|date)|catch[- ]?up|"
    rf"(?:bring|bringe) mich auf (?:den (?:neuesten )?)?stand)(?P<rest>{_ON_WHAT}{_SINCE})"
)
_EVERYTHING = frozenset({"everything", "all", "all channels", "alles", "it", "them"})


def read_wish(text: str) -> Word | CatchUp | None:
    """What a text asks for; None if it is none of this.

    >>> read_wish("Catch me up on ~product since 7d, please")
    CatchUp(channel='product', since='7d')
    """
    bare = " ".join(text[:MAX_TEXT].replace("’", "'").lower().split())
    bare = _TAIL.sub("", _POLITE.sub("", bare)).strip(" .!,?")
    for pattern, word in ((_OFF, Word.OFF), (_ON, Word.ON), (_YES, Word.YES), (_NO, Word.NO)):
        if pattern.fullmatch(bare):
            return word
    match = _CATCH_UP.fullmatch(bare)
    if match is None:
        return None
    channel = (match["channel"] or "").lstrip("~").rstrip("./")
    return CatchUp(channel="" if channel in _EVERYTHING else channel, since=match["since"] or "")
