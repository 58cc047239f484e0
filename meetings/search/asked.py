"""What a question asks for, about what, and of whom; and whether a sentence does what is asked for.

Rules over English words. What a question asks for decides what can answer it: a date answers "when", a promise answers
"who does it", and talk about a thing answers neither.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from meetings.people.terms import STOPWORDS, stem, words
from meetings.search.query import MAX_TEXT, composed
from meetings.summary.kinds import read_sentence

_KINDS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("why", re.compile(r"^(?:and )?why\b|\bwhat reasons?\b|\bthe reasons?\b|\bhow come\b")),
    ("who", re.compile(r"^who (?:decides?|decided|chooses?|chose|agree[sd]?)\b")),
    ("decision", re.compile(r"\b(?:decid\w*|decisions?|agreed?|settled?|conclu\w+|chosen?|choose)\b")),
    (
        "when",
        re.compile(
            r"^(?:by |since |until |from )?when (?:do|does|did|is|are|was|were|will|would|can|could|should|shall|has|"
            r"have|must|may)\b|^(?:by|since|until|from) when\b|\bwhat (?:date|day|time)\b|\bdeadline\b|\bwhich day\b"
        ),
    ),
    (
        "number",
        re.compile(r"\bhow (?:much|many|long|often|big|large|high|old)\b|\bwhat (?:price|cost|number|share)\b"),
    ),
    (
        "action",
        re.compile(
            r"^who (?:(?:takes?|took) care|will|does|should|is responsible|is in charge|has to|is to|owns?|works? on|"
            r"is (?:doing|working|taking|going))\b|\bwhat (?:does|do|did|will|should) \w+(?: \w+)? (?:have to|need to|"
            r"promise|do next)\b|\baction items?\b|\bto-?dos?\b|\bwho does what\b"
        ),
    ),
    ("risk", re.compile(r"\b(?:risks?|risky|worr(?:y|ies|ied)|concerns?|dangers?)\b")),
    ("problem", re.compile(r"\b(?:problems?|issues?|wrong with|bugs?|difficult(?:y|ies))\b")),
    ("who", re.compile(r"^(?:who|whom|whose)\b")),
)
# What somebody asks with, and is not what they ask about.
_ASKING = frozenset(
    map(
        stem,
        words(
            """decide decided decision decisions agree agreed say said says tell told talk talked discuss discussed
            discussing discussion mention mentioned ask asked think thought conclude concluded conclusion settle settled
            meeting meetings call calls much many happen happened risk risks problem problems reason reasons take takes
            took care own owns work works responsible does did summarize summary describe opinion opinions view views
            according group team members recommend recommended suggest suggested propose proposed present presenting
            presentation idea ideas issue issues concern concerns worry date deadline charge action item items"""
        ),
    )
)
_TIME = re.compile(
    r"\b(?:(?:mon|tues|wednes|thurs|fri|satur|sun)day|january|february|march|april|may|june|july|august|september|"
    r"october|november|december|today|tomorrow|tonight|weeks?|months?|quarter|year|noon|o'clock|\d{1,2}(?::\d\d|th|st|"
    r"nd|rd)|deadline|spring|summer|autumn|winter)\b",
    re.IGNORECASE,
)
_NUMBER = re.compile(
    r"\d|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|twenty|thirty|forty|fifty|sixty|seventy|"
    r"eighty|ninety|hundred|thousand|million|half|twice|percent)\b",
    re.IGNORECASE,
)
_NOT = re.compile(r"\b(?:not|no|never|without)\b|n't\b", re.IGNORECASE)
_REASON = re.compile(
    r"\b(?:because|'cause|since|so that|due to|that's why|reasons?|otherwise|in order to|as long as|means that)\b",
    re.IGNORECASE,
)
# Said of what may go wrong without a word that names it: `if they publish before we do, ...`.
_MAY_HARM = re.compile(
    r"\b(?:if|unless|once|until|without)\b.*\b(?:we|they|it|he|she|you|nobody|everybody|customers?|users?|people|will|"
    r"would|could|can|is|are)\b|\b(?:no|not enough|too (?:little|few|late|much|many|slow|small|big|expensive|heavy)) "
    r"\w+|\b(?:could|might|would|will) (?:\w+ )?(?:leave|confuse|break|lose|collide|sue|miss|drop|cost|hurt|stop|crash|"
    r"die|slow|slip|be late|be (?:too|very)|annoy)\b",
    re.IGNORECASE,
)
_WRONG = re.compile(
    r"\b(?:problems?|issues?|bugs?|wrong|broken|breaks?|crash(?:es|ed)?|slow|late|missing|fails?|failed|hard|difficult|"
    r"expensive|too|can't|cannot|doesn't|don't|won't|unfortunately|complain\w*|confus\w+|stuck|lost?|delay\w*)\b",
    re.IGNORECASE,
)
# How decisions sound in real talk, where nobody says `we decided`.
_GOES_WITH = re.compile(
    r"\b(?:(?:we(?:'ll| will|'re going to| are going to|'re gonna|'ve| have) (?:\w+ )?(?:go|use|have|take|do|make|keep|"
    r"drop|skip|get|leave|stick|put|decided|agreed|chosen))|let's (?:go|use|have|take|do|make|keep|drop|say|leave|put)|"
    r"(?:we|i) (?:go|went) (?:for|with)|so we(?:'re| are)|(?:okay|right|yeah|yes),? (?:so )?(?:we|that)|it(?:'s| is) "
    r"(?:going to|gonna) be|it'll be|final(?:ly)?|instead)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked for, about what, in stems, and of whom.

    `kind` is decision, when, number, why, action, risk, problem, who or what.
    `words` are the subject as it was typed. `people` are names of those whose words or work is asked for; they are no
    part of the subject.
    """

    text: str
    kind: str
    subject: tuple[str, ...]
    words: tuple[str, ...] = ()
    people: tuple[str, ...] = ()


def read_question(text: str, names: Collection[str] = ()) -> Question:
    """What a question asks for, and about what.

    Args:
        text: the question.
        names: how those who speak in the meetings are called.
    """
    bare = composed(text[:MAX_TEXT].replace("’", "'"))
    lower = bare.lower()
    kind = next((kind for kind, pattern in _KINDS if pattern.search(lower)), "what")
    people, rest = _people(lower, names)
    typed: dict[str, str] = {}
    for word in words(rest):
        if word not in STOPWORDS and stem(word) not in _ASKING:
            typed.setdefault(stem(word), word)
    return Question(text=bare, kind=kind, subject=tuple(typed), words=tuple(typed.values()), people=people)


def _people(lower: str, names: Collection[str]) -> tuple[tuple[str, ...], str]:
    """Those of whom something is asked, and the question without them.

    A name is one where somebody says or does something: `what did Ana say`, `who told Ana`; a speaker who is called
    as a thing is (`Marketing`) is meant as one only there.
    """
    found = []
    said = set(words(lower)) | {w.removesuffix("'s") for w in words(lower)}
    there = {n.lower() for n in names if len(n) > 2 and said.issuperset(words(n))}
    for name in sorted(there, key=lambda n: (-len(n), n)):
        called = re.escape(name)
        pattern = re.compile(
            rf"\b(?:did|does|do|has|have|had|would|will|was|is|can|could|should)(?: the)? {called}\b|"
            rf"\baccording to (?:the )?{called}\b|\b{called}'s\b"
        )
        if pattern.search(lower):
            found.append(name)
            lower = re.sub(rf"\b{called}(?:'s)?\b", " ", lower)
    return tuple(found), lower


def fits(text: str, kind: str, names: Sequence[str] = ()) -> float:
    """How surely a sentence does what a question asks for, from 0 to 1.

    Args:
        text: a cleaned sentence.
        kind: what is asked for.
        names: how those who may be meant are called.
    """
    match kind:
        case "decision":
            reading = read_sentence(text, names=names)
            if reading.kind == "decision":
                return reading.strength
            return 0.4 if _GOES_WITH.search(text) and not text.endswith("?") else 0.0
        case "action":
            reading = read_sentence(text, names=names)
            return reading.strength if reading.kind == "action" else 0.0
        case "risk":
            reading = read_sentence(text, names=names)
            if reading.kind == "risk":
                return 1.0
            return 0.8 if _MAY_HARM.search(text) else 0.5 if _WRONG.search(text) else 0.0
        case "problem":
            # What is wrong with a thing is often just told: that something is wrong in a sentence only helps.
            return 1.0 if _WRONG.search(text) or read_sentence(text, names=names).kind in {"risk", "question"} else 0.5
        case "when":
            return float(bool(_TIME.search(text)))
        case "number":
            return float(bool(_NUMBER.search(text)))
        case "why":
            return float(bool(_REASON.search(text)))
        case _:
            return 1.0


def details(text: str) -> frozenset[str]:
    """What makes two sentences that are otherwise the same say different things: times, numbers and negations."""
    found = [m.group().lower() for pattern in (_TIME, _NUMBER, _NOT) for m in pattern.finditer(text)]
    return frozenset([*found, *re.findall(r"\d+", text)])
