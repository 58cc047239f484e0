"""What somebody who answers a summary wants: a few words of everyday English or German become a request.

Nothing here acts. A text is a request or it is not understood; it never becomes a command, a name or a path of this
program. What is not understood gets help, so that nobody is met with silence.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

MAX_TEXT = 500  # characters that are read; a request is short

KINDS = {
    "decision": "decision",
    "action": "action",
    "task": "action",
    "todo": "action",
    "risk": "risk",
    "problem": "risk",
    "question": "question",
    "entscheidung": "decision",
    "aufgabe": "action",
    "risiko": "risk",
    "frage": "question",
}
LANGUAGES = {
    "english": "en",
    "englisch": "en",
    "german": "de",
    "deutsch": "de",
    "french": "fr",
    "français": "fr",
    "französisch": "fr",
    "spanish": "es",
    "español": "es",
    "spanisch": "es",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class More:
    """More of a subject, or (`less`) less of it."""

    subject: str
    less: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Length:
    """A length of summaries, or one step from the present one (`step` 1: longer, -1: shorter)."""

    length: str = ""
    step: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Only:
    """These kinds of bullets alone; none: all kinds."""

    kinds: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Language:
    """Summaries in this language (ISO 639-1)."""

    code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """No more messages."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """Messages again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Why:
    """Why are these points in my summary?"""


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What was said about a subject?"""

    subject: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Voice:
    """Who a speaker is; `who` empty: a question."""

    speaker: str
    who: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What do you know of my wishes?"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Help:
    """What can I say? `understood` is false for a text that says nothing known."""

    understood: bool = True


Request = More | Length | Only | Language | Stop | Start | Why | About | Voice | Settings | Help

_POLITE = re.compile(
    r"^(?:(?:hi|hello|hey|hallo|dear|@\S+|meetings|bot|please|bitte|can you|could you|kannst du|i(?:'d| would) like|"
    r"i want|make (?:it|them)|send me|give me|ich (?:möchte|will)|and|also|,)[\s,:!]+)+",
    re.IGNORECASE,
)
_TAIL = re.compile(
    r"[\s,]*\b(?:please|bitte|thanks|thank you|danke|next time|in (?:the )?future|from now on|summary|summaries)\b"
    r"[\s.!]*$",
    re.IGNORECASE,
)
_STOP = re.compile(
    r"(?:stop|stopp)(?: (?:it|this|that|now|messages|these messages|"
    r"sending(?: me)?(?: (?:this|these|messages|these messages|summaries))?))?|"
    r"unsubscribe(?: me)?|opt out|no more(?: messages| summaries)?|leave me alone|"
    r"don't send me (?:this|these|messages|anything|summaries)(?: any ?more| again)?|"
    r"hör(?: bitte)? auf|aufhören|abmelden"
)
_START = re.compile(r"(?:start|resume|subscribe|anmelden|again|weiter)(?: again)?")
_HELP = re.compile(r"(?:help|hilfe|\?+|what can (?:you|i) (?:do|say)|commands?)\??")
_SETTINGS = re.compile(r"(?:settings|preferences|einstellungen|what do you know (?:about|of) me)\??")
_SHORTER = re.compile(
    r"(?:(?:much |a bit |way )?(?:shorter|briefer|kürzer)|(?:it(?:'s| is) |that(?:'s| is) )?too long|zu lang|less text)"
)
_LONGER = re.compile(
    r"(?:(?:much |a bit |way )?(?:longer|länger)|(?:it(?:'s| is) |that(?:'s| is) )?too short|zu kurz|"
    r"(?:more|in more) details?|mehr details)"
)
_LENGTH = re.compile(r"(?:(?:keep it |length )?(short|medium|long))")
_ONLY = re.compile(r"(?:only|just|nur)\s+(.+)")
_ALL = re.compile(r"(?:everything|all kinds|all of it|alles)(?: again)?")
_LANGUAGE = re.compile(r"(?:in |auf |write in |use |answer in )?([a-zçñöü]+)")
_WHY = re.compile(r"(?:why|warum)(?: (?:this|that|these|am i getting this|did i get (?:this|that)|das|diese))?\??")
_ABOUT = re.compile(
    r"(?:(?:what|anything) (?:did i miss|was (?:said|decided|discussed)|did (?:they|we|you) (?:say|decide)|happened|"
    r"else)?\s*(?:about|on|regarding|with)|tell me (?:more )?about|was wurde (?:über|zu)|what about|anything about)"
    r"\s+(.+?)(?:\s+(?:gesagt|entschieden|besprochen))?\??"
)
_MORE = re.compile(r"(?:(?:more|mehr)(?: (?:about|on|of|über|zu|von))?)\s+(.+)")
_LESS = re.compile(
    r"(?:(?:less|weniger|no more|nothing more|not so much|nothing)(?: (?:about|on|of|über|zu|von))?|skip|leave out)"
    r"\s+(.+)"
)
_BOTH = re.compile(r"\b(?:and|but|und|aber)\s+(?:more|less|mehr|weniger|no more)\b")
_SPEAKER = r"(?:speaker|sprecher|voice|stimme)\s*#?(\d{1,3})"
_VOICE = re.compile(
    rf"(?:who(?:'s| is) |wer ist )?{_SPEAKER}\s*(?:\?|,|:|;|\.|-|–)?\s*"
    r"(?:(?:=|is|was|ist|war|that(?:'s| is)|it(?:'s| is)|das ist)\s+)?(.+)?"
)


def read_reply(text: str) -> Request:
    """The request in an answer to a summary."""
    bare = " ".join(text[:MAX_TEXT].replace("’", "'").split())
    lower = bare.lower()
    # The name of a person keeps its capitals; everything else is read in small letters.
    if match := _VOICE.fullmatch(lower.rstrip("!. ")):
        who = bare.rstrip("!. ")[match.start(2) : match.end(2)] if match[2] else ""
        return Voice(speaker=f"Speaker {int(match[1])}", who=who.strip(" ?"))
    lower = _TAIL.sub("", _POLITE.sub("", lower)).strip(" .!,")
    return _request(lower) or Help(understood=False)


def _request(text: str) -> Request | None:
    fixed: tuple[tuple[re.Pattern[str], Request], ...] = (
        (_STOP, Stop()),
        (_START, Start()),
        (_HELP, Help()),
        (_SETTINGS, Settings()),
        (_SHORTER, Length(step=-1)),
        (_LONGER, Length(step=1)),
        (_ALL, Only()),
        (_WHY, Why()),
    )
    for pattern, request in fixed:
        if pattern.fullmatch(text) or pattern.fullmatch(text.rstrip("? ")):
            return request
    if match := _LENGTH.fullmatch(text):
        return Length(length=match[1])
    if (match := _LANGUAGE.fullmatch(text)) and match[1] in LANGUAGES:
        return Language(code=LANGUAGES[match[1]])
    if match := _ABOUT.fullmatch(text):
        return About(subject=_subject(match[1]))
    if match := _ONLY.fullmatch(text):
        return _only(match[1])
    if _BOTH.search(text):
        return None  # two wishes in one: half of it would be the wrong half
    for pattern, less in ((_LESS, True), (_MORE, False)):
        if (match := pattern.fullmatch(text)) and _subject(match[1]):
            return More(subject=_subject(match[1]), less=less)
    return None


def _only(text: str) -> Request | None:
    named = [w for w in re.split(r"[\s,/&+]+|\band\b|\bund\b", text) if w and w not in {"and", "the", "my", "und"}]
    kinds = tuple(dict.fromkeys(k for w in named if (k := _kind(w))))
    return Only(kinds=kinds) if kinds and all(_kind(w) for w in named) else None


def _kind(word: str) -> str:
    for ending in ("", "s", "en", "n"):
        if word.endswith(ending) and (kind := KINDS.get(word[: len(word) - len(ending)])):
            return kind
    return "risk" if word == "risiken" else ""


def _subject(text: str) -> str:
    return re.sub(r"^(?:the|our|my|die|der|das)\s+", "", text.strip(" ?.!\"'“”")).strip()
