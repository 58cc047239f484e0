"""What somebody wants to know of a channel: a few words of everyday English or German become a request.

Pure. A text is ours if it asks for what is new and names a channel with `~`, or if it came by slash command, where the
channel may be left out; everything else is left to others, `what did I miss about pricing?` among it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

MAX_TEXT = 300  # characters that are read


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is asked: a channel as it was named (`news`, `acme/news`, a display name; empty: the one that one is in),
    since when in the asker's words (empty: since they last looked), or what is `unread`."""

    channel: str = ""
    since: str = ""
    unread: bool = False


_POLITE = re.compile(
    r"^(?:(?:hi|hello|hey|hallo|please|bitte|can you|could you|would you|kannst du|könntest du|meetings|@\S+|,|and|"
    r"i(?:'d| would) like|give me|send me|show me|tell me|gib mir|zeig mir|sag mir)[\s,:!]+)+"
)
_TAIL = re.compile(r"[\s,]*\b(?:please|bitte|thanks|thank you|danke)\b[\s.!]*$")
_ASKS = re.compile(
    r"(?:summari[sz]e|sum up|(?:a |the )?summary(?: of)?|what(?:'s| is| has been|'s been) (?:new|happening|going on|up)"
    r"|what (?:happened|did i miss|have i missed|was (?:new|said|going on))|(?:is there )?anything new"
    r"|(?:any |the )?news"
    r"|(?:an |the )?overview(?: of)?|fasse?|zusammenfassung|was (?:gibt(?: e|')s neues|ist neu|ist passiert|war los|"
    r"habe? ich verpasst)|(?:gibt(?: e|')s )?(?:etwas |was )?neues)\b"
)
# `~news`, `acme/~news`, `~"Product news"`; a quoted name alone counts too.
_CHANNEL = re.compile(
    r"(?:\b(?:in|of|from|on|for|about|the|channel|aus|von|im|den|kanal)\s+)*"
    r"(?:(?P<team>[a-z0-9][a-z0-9-]{1,63})/)?(?:~(?P<name>[a-z0-9][\w.-]{0,63})|~?[\"“](?P<title>[^\"“”]{1,64})[\"”])"
)
_NEAR = re.compile(r"\b(?:this|the|diese[rnm]?)\s+(?:channel|kanal)\b|\bhere\b|\bhier\b|\bin diesem kanal\b")
_FOR_ME = re.compile(r"\b(?:for me|für mich|mir|to me)\b")
_UNREAD = re.compile(
    r"\b(?:(?:the |my )?unread(?: posts| messages)?|ungelesene[sn]?|since i (?:last )?(?:looked|read|was here)"
    r"|seit ich zuletzt da war)\b"
)
_SINCE = re.compile(
    r"\b(?:since|from|for|over|in|during|within|after|seit|ab|vor|während|the|der|den|die|last|past|previous|this|today|"
    r"yesterday|letzten?|letzter|diese[rn]?|heute|gestern|vorgestern)\b.*"
)
_ZUSAMMEN = re.compile(r"\b(?:zusammen|zusammenfassen)\b")


def read_wanted(text: str, *, command: bool = False) -> Wanted | None:
    """The request in a text; None if it is none.

    >>> read_wanted("Summarise ~news for me since Monday, please")
    Wanted(channel='news', since='since monday', unread=False)

    Args:
        text: what somebody wrote.
        command: it came by slash command.
    """
    bare = " ".join(text[:MAX_TEXT].replace("’", "'").lower().split())
    bare = _TAIL.sub("", _POLITE.sub("", bare)).strip(" .!,?")
    named = _CHANNEL.search(bare)
    rest = f"{bare[: named.start()]} {bare[named.end() :]}" if named else bare
    asks = _ASKS.match(rest.strip())
    if named is None and not (asks and command):
        return None
    rest = rest.strip()[asks.end() :] if asks else rest.strip()
    rest = _ZUSAMMEN.sub(" ", _FOR_ME.sub(" ", _NEAR.sub(" ", rest)))
    unread = bool(_UNREAD.search(rest))
    rest = " ".join(_UNREAD.sub(" ", rest).split()).strip(" .,!?")
    since = _SINCE.fullmatch(rest) or re.fullmatch(r"\d{1,4}\s*(?:min|[hdw])|\d{4}-\d\d-\d\d", rest)
    if rest and since is None:
        return None  # more was said than we understand: half of it would be the wrong half
    return Wanted(channel=_name(named), since=rest, unread=unread)


def _name(match: re.Match[str] | None) -> str:
    if match is None:
        return ""
    name = match["name"].rstrip(".") if match["name"] else match["title"].strip()
    return f"{match['team']}/{name}" if match["team"] else name
