"""What somebody wants to know of a channel, read from a sentence of everyday English or German.

Pure. A text is taken only as a whole: what to do, which channel, since when, and words of politeness. Anything else in
it means that it is another's to understand: "less about ~news" is a wish, "what did I miss about pricing?" a question
about a call.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from meetings.moments import Span, Unread, read_span

MAX_TEXT = 500  # characters that are read


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """How a channel is named: by its name or the name it is shown by, of a team or of any.

    `loose`: a bare word, which is a channel only if there is one of that name.
    """

    name: str
    team: str = ""
    loose: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelRequest:
    """A channel (None: the one it is asked in), and a stretch of time (None: nothing was said of it).

    `unclear` are words that were taken for neither.
    """

    channel: Reference | None
    span: Span | Unread | None = None
    unclear: str = ""


_NAME = r"[a-z0-9][a-z0-9._-]*"
_HERE = "\x00"  # stands where the channel stood
_REFERENCES = re.compile(
    rf"https?://\S+?/(?P<linked_team>{_NAME})/channels/(?P<linked>{_NAME})"
    rf"|(?<![\w/~])(?P<team>{_NAME})/~?(?P<in_team>{_NAME})"
    rf"|(?<![\w/~])~(?P<name>{_NAME})"
    r"|[\"“„](?P<quoted>[^\"“”„\n]{1,64})[\"”“]",
    re.IGNORECASE,
)
_POLITE = re.compile(
    r"^(?:(?:hi|hello|hey|hallo|@\S+|meetings|bot|please|pls|bitte|can you|could you|would you|kannst du|könntest du|"
    r"(?:can|could) i (?:have|get)|give me|show me|send me|tell me|get me|zeig(?:e)? mir|gib mir|sag(?:e)? mir|ok|okay|"
    r"i(?:'d| would) like|i want|ich (?:möchte|will)|and|so|now|the|a|eine?)[\s,:!]+)+"
)
_TAIL = re.compile(
    r"[\s,]*\b(?:please|pls|bitte|thanks|thank you|danke|for me|to me|für mich|mal|again|exactly|so far|"
    r"bisher)[\s.!?]*$"
)
_FOR_ME = re.compile(r"\s+(?:for me|for myself|für mich|mir)\b")
_VERB = re.compile(
    r"(?:summari[sz]e|summary|sum up|recap|tl;?dr|overview|fass(?:e)?(?: mir)?|zusammenfassung|überblick|"
    r"what(?:'s| is| was| has been|s)? (?:new|up|going on|happening|the (?:news|latest))|what(?:'s| has)? happened|"
    r"what(?:'ve| have| did| do)? i(?:'ve| have)? miss(?:ed)?|did i miss anything|"
    r"(?:is there |is |was there )?(?:anything|something) new|any news|(?:the )?news|what's there|catch-?up summary|"
    r"was (?:gibt es|gibt's|gibts|gab es|gab's) neues|was ist (?:neu|los|passiert)|was war (?:los|neu)|"
    r"(?:gibt es|gibt's|gibts) (?:etwas |was )?neues|was (?:habe?|hab) ich(?=.*\bverpasst$)|neues)(?![\w~-])"
)
_WHERE = re.compile(
    rf"(?:\b(?:in|of|from|on|at|for|to|aus|von|vom|im|auf|für|über|zu)\s+)?(?:\b(?:the|den|dem|der|das|our|my)\s+)?"
    rf"(?:\b(?:channel|kanal)\s+)?{_HERE}(?:'s)?(?:\s+(?:channel|kanal)\b)?"
)
_LOOSE = re.compile(
    rf"(?:(?:in|of|from|on|aus|von|im|auf)\s+)?(?:(?:the|den|dem|der)\s+)?(?:(?:channel|kanal)\s+)?"
    rf"(?P<name>{_NAME})(?:\s+(?:channel|kanal)\b)?(?P<rest>(?:\s.*)?)"
)
_HERE_WORDS = re.compile(r"\b(?:(?:in|of) )?(?:here|this channel|this one|hier|diese[nmr] kanal)\b")


def read_request(text: str, *, now: datetime) -> ChannelRequest | None:
    """What a text asks of a channel; None if it asks for something else.

    Args:
        text: as somebody wrote it.
        now: this moment on their clock, with their timezone.
    """
    bare = " ".join(text[:MAX_TEXT].replace("’", "'").split())
    named = list(_REFERENCES.finditer(bare))
    rest = " ".join(_REFERENCES.sub(f" {_HERE} ", bare).lower().split())
    rest = _stripped(rest)
    verb = _VERB.match(rest)
    if verb:
        rest = rest[verb.end() :].strip(" ,:-–?")
        rest = re.sub(r"\s*\b(?:zusammen|verpasst)$", "", rest)
    if not named:
        return _asked(rest, now) if verb else None
    if not verb and not rest.startswith(_HERE):
        return None
    words = _stripped(_WHERE.sub(" ", rest, count=1))
    words = " ".join(words.strip(" ,:;-–").split())
    span = read_span(words, now=now) if words else None
    if not verb and (len(named) > 1 or (words and span is None)):
        return None  # a channel and words of which we know nothing
    channel = _reference(named[0])
    if len(named) > 1:
        return ChannelRequest(channel=channel, unclear=named[1].group())
    return ChannelRequest(channel=channel, span=span, unclear=words if words and span is None else "")


def _asked(rest: str, now: datetime) -> ChannelRequest | None:
    """What is asked of a channel that no sign marks as one."""
    rest = _stripped(_HERE_WORDS.sub("", rest)).strip()
    if not rest or (span := read_span(rest, now=now)) is not None:
        return ChannelRequest(channel=None, span=span if rest else None)
    match = _LOOSE.fullmatch(rest)
    if match is None:
        return None
    words = match["rest"].strip()
    span = read_span(words, now=now) if words else None
    if words and span is None:
        return None
    return ChannelRequest(channel=Reference(name=match["name"].strip("."), loose=True), span=span)


def _stripped(text: str) -> str:
    """Without politeness, at either end or as `for me`."""
    before = None
    while before != text:
        before = text
        text = _TAIL.sub("", _POLITE.sub("", text)).strip(" ,!?")
    return " ".join(_FOR_ME.sub("", text).split())


def _reference(match: re.Match[str]) -> Reference:
    if match["linked"]:
        return Reference(name=match["linked"].lower(), team=match["linked_team"].lower())
    if match["in_team"]:
        return Reference(name=match["in_team"].lower().rstrip("._-"), team=match["team"].lower())
    if match["quoted"]:
        return Reference(name=match["quoted"].strip().removeprefix("~"))
    return Reference(name=match["name"].lower().rstrip("._-"))
