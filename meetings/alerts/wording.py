"""What somebody says to the bot about alerts, in everyday English or German, as a value.

Nothing here acts. What is not about alerts is None, and left to others.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

MAX_TEXT = 300  # characters that are read
MAX_SUBJECT = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Tell:
    """Tell me of a subject; `channel` is a name without its `~`, empty for everywhere."""

    subject: str
    channel: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drop:
    """No longer of a subject; `subject` may be its number in the list."""

    subject: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Show:
    """What do you tell me of?"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """No alerts, or (`again`) alerts again."""

    again: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Amount:
    """More or fewer alerts: `step` 1 lowers everybody's own bar, -1 raises it."""

    step: int


Said = Tell | Drop | Show | Pause | Amount

_POLITE = re.compile(
    r"^(?:(?:hi|hello|hey|hallo|@\S+|meetings|bot|please|bitte|can you|could you|would you|kannst du|"
    r"i(?:'d| would) like (?:you )?to|i want (?:you )?to|and|also|,)[\s,:!]+)+",
    re.IGNORECASE,
)
_TAIL = re.compile(r"(?:[\s,]+(?:please|bitte|thanks|thank you|danke))?[\s.!?]*$", re.IGNORECASE)
_WHO = r"(?:any(?:one|body)|some(?:one|body)|people|they|we|there(?: is|'s)? (?:any )?(?:news|something|anything))"
_SAYS = (
    r"(?:talks?|speaks?|writes?|says? (?:something|anything)|mentions?|discuss(?:es)?|posts?|hears?|decides?|asks?)"
    r"(?: (?:something|anything))?(?: (?:about|of|on))?"
)
_ABOUT = r"(?:about|of|on|when(?:ever)? it(?:'s| is) about|if it(?:'s| is) about)"
_TELL = [
    re.compile(
        rf"(?:tell|alert|notify|ping|inform) me (?:when(?:ever)?|if|as soon as|once) (?:{_WHO} )?"
        rf"(?:{_SAYS}|(?:comes? up|happens) with|about|on) (?P<what>.+)",
        re.IGNORECASE,
    ),
    re.compile(
        r"(?:tell|alert|notify|ping) me (?:when(?:ever)?|if) (?P<what>.+?) (?:comes? up|is (?:mentioned|discussed)"
        r"|changes?)",
        re.IGNORECASE,
    ),
    re.compile(
        rf"let me know (?:{_ABOUT}|(?:when(?:ever)?|if) {_WHO} {_SAYS}) (?P<what>.+)",
        re.IGNORECASE,
    ),
    re.compile(
        r"let me know (?:when(?:ever)?|if) (?P<what>.+?) (?:comes? up|is (?:mentioned|discussed))", re.IGNORECASE
    ),
    re.compile(rf"(?:alert|notify|ping) me {_ABOUT} (?P<what>.+)", re.IGNORECASE),
    re.compile(r"(?:watch|look ?out|keep an eye out) for (?P<what>.+)|keep an eye on (?P<that>.+)", re.IGNORECASE),
    re.compile(
        r"(?:sag|gib|sagt|gebt) (?:mir )?(?:bitte )?bescheid,? (?:wenn|sobald|falls) (?:es (?:etwas (?:neues )?)?"
        r"um |(?:jemand|man|wer) (?:über|von) |es (?:etwas )?(?:neues )?(?:zu|zum|zur|über|von) )(?P<what>.+?)"
        r"(?: (?:geht|spricht|redet|schreibt|gibt))?",
        re.IGNORECASE,
    ),
    re.compile(r"(?:sag|gib) (?:mir )?(?:bitte )?bescheid (?:bei|zu|zum|zur|über) (?P<what>.+)", re.IGNORECASE),
    re.compile(r"alerts? (?:add|for|on|about) (?P<what>.+)", re.IGNORECASE),
]
_DROP = [
    re.compile(
        r"(?:stop|quit) (?:telling me|alerting me|alerts?|notifying me|watching)"
        r"(?: (?:about|of|on|for|when .*?\babout))? (?P<what>.+)",
        re.IGNORECASE,
    ),
    re.compile(
        r"(?:no (?:more )?alerts?|don'?t (?:alert|tell) me(?: any ?more)?) (?:about|of|on|for) (?P<what>.+)",
        re.IGNORECASE,
    ),
    re.compile(
        r"alerts? (?:remove|drop|delete) (?P<what>.+)|(?:remove|drop|delete) alerts? (?P<that>.+)", re.IGNORECASE
    ),
    re.compile(
        r"(?:sag|gib) mir nicht mehr bescheid,? (?:wenn es um |bei |zu |über )(?P<what>.+?)(?: geht)?", re.IGNORECASE
    ),
]
_SHOW = re.compile(
    r"(?:(?:show|list) (?:me )?)?(?:my |all )?alerts?(?: list)?|"
    r"what (?:do you|are you) (?:watch(?:ing)?|alert(?:ing)? me)(?: (?:for|about|of|on))?(?: me)?|"
    r"(?:meine )?(?:alerts|hinweise)",
    re.IGNORECASE,
)
_PAUSE = re.compile(
    r"(?:no(?: more)?|stop(?: all)?(?: my)?|pause(?: my)?|keine(?: weiteren)?|mute(?: my)?) (?:alerts?|hinweise)|"
    r"alerts? (?:off|pause|stop)(?: mehr)?",
    re.IGNORECASE,
)
_AGAIN = re.compile(
    r"(?:alerts?|hinweise) (?:again|on|wieder|back)|(?:start|resume|unpause|unmute)(?: my)? alerts?|wieder hinweise",
    re.IGNORECASE,
)
_FEWER = re.compile(r"(?:fewer|less|weniger) (?:alerts?|hinweise)", re.IGNORECASE)
_MORE = re.compile(r"(?:more|mehr) (?:alerts?|hinweise)", re.IGNORECASE)
_CHANNEL = re.compile(
    r"\s+(?:in|im|on|within)(?: (?:the )?(?:channel|kanal))? ~(?P<channel>[\w.-]{1,64})$", re.IGNORECASE
)
_QUOTES = "\"'“”„‚‘’«»*_` "


def read_alerts(text: str) -> Said | None:
    """What a text says about alerts; None if it is about something else.

    >>> read_alerts("Tell me when anyone talks about the parser release, please.")
    Tell(subject='the parser release', channel='')
    >>> read_alerts("watch for water leaks in ~support")
    Tell(subject='water leaks', channel='support')
    """
    said = " ".join(text[:MAX_TEXT].replace("’", "'").split())
    said = _TAIL.sub("", _POLITE.sub("", said))
    for pattern in _DROP:
        if (found := pattern.fullmatch(said)) and (subject := _subject(_what(found))):
            return Drop(subject=subject)
    if _PAUSE.fullmatch(said):
        return Pause()
    if _AGAIN.fullmatch(said):
        return Pause(again=True)
    if _FEWER.fullmatch(said):
        return Amount(step=-1)
    if _MORE.fullmatch(said):
        return Amount(step=1)
    if _SHOW.fullmatch(said):
        return Show()
    for pattern in _TELL:
        if found := pattern.fullmatch(said):
            return _tell(_what(found))
    return None


def _what(found: re.Match[str]) -> str:
    return next((g for g in found.groups() if g), "")


def _tell(what: str) -> Tell | None:
    channel = ""
    if named := _CHANNEL.search(what):
        channel, what = named.group("channel").lower(), what[: named.start()]
    subject = _subject(what)
    return Tell(subject=subject, channel=channel) if subject else None


def _subject(what: str) -> str:
    """Without quotes and what surrounds it."""
    return what.strip(_QUOTES + ",.;:!?")[:MAX_SUBJECT].strip()
