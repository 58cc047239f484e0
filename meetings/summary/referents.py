"""What a pronoun at the opening of a quotation stands for, in brackets: `They [Brightwater] need the quote.`

Only what an earlier sentence names plainly is told, and only if nothing else there could be meant: a wrong bracket is
worse than none. Brackets hold words that were said close by, and the words around them are the quotation as it was.
Three rules, each measured on sentences labelled by hand (`tests/data/referents`): the subject of the sentence before
stays the subject; what a question asks about is what its answer is about; a name of a company or a product is `they` or
`it` when it is the only one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from meetings.people.terms import STOPWORDS, terms, words

# How long a bracket may be, in words and characters, and how far back its words may be (sentences).
MAX_WORDS, MAX_CHARS = 5, 40
REACH = 2

_BRACKET = re.compile(r" \[[^\[\]]*\]")
_OPENS = re.compile(
    r"^(?P<before>(?:(?:but|so|because|'cause|and|if|i think|i guess|maybe)[, ]+)*)(?P<word>it|they|he|she|that|this)"
    r"(?P<rest>'(?:s|re|ll|d|ve)|(?= (?:is|are|was|were|has|have|had|will|would|can|could|should|must|might|may|"
    r"does|do|did|"
    r"also|just|only|really|needs?|wants?|costs?|works?|looks?|makes?|runs?|gives?|takes?|uses?|comes?|goes|crash\w*|"
    r"shows?|gets?|falls?|asks?|asked|said|says|took|went|came|made|got|cost|moves?|reads?|doesn't|don't|didn't|"
    r"isn't|aren't|"
    r"wasn't|won't|can't|couldn't)\b))",
    re.IGNORECASE,
)
# `It` that stands for nothing: `it's raining`, `it seems that`, `it would be good to`.
_EMPTY_IT = re.compile(
    r"^(?:[\w', ]+ )?(?:it|that|this)(?:'s|'ll| is| was| would| will| might| could| has| can| should)*(?: be|"
    r" been)?(?: not| also| just| really| "
    r"very| quite| pretty| a bit| probably| all| so| more| even)* "
    r"(?:seems?|looks? like|depends|turns? out|doesn't matter|sounds?|possible|impossible|important|interesting|"
    r"difficult|hard|easy|"
    r"easier|better|best|good|nice|great|worth|true|clear|up to|time|about time|a good idea|a (?:matter|"
    r"question|pity|shame|thing|problem)|"
    r"necessary|because|why|how|what|where|when|like|right|fine|okay|funny|likely|unlikely|said|the (?:thing|"
    r"problem|same|case|"
    r"point|idea|question|way|reason)|one of|to|that|if|whether|not (?:that|like|as if)|no (?:use|good|problem)|"
    r"my|your|our|me|us|you|"
    r"safe|obvious|amazing|strange|weird|sad|helpful|useful to|cool|kind|sort|something|everything|nothing|"
    r"gonna|going|mean\w*|make sense|"
    r"makes sense|i|we|they|he|she|it|cheaper to|been|take|takes|took)\b",
    re.IGNORECASE,
)
_DETERMINER = r"(?:the|our|their|his|her|my|your|a|an|this|that|these|those|each|every|another)"
_VERB = (
    r"(?:is|are|was|were|has|have|had|will|would|can|could|should|must|might|may|does|do|did|'s|'re|'ll|needs?|"
    r"wants?|costs?|works?|"
    r"looks?|makes?|runs?|gives?|takes?|uses?|comes?|goes|shows?|gets?|moves?|reads?|requires?|isn't|aren't|"
    r"wasn't|won't|can't|"
    r"doesn't|don't|didn't|became|went|came|took|cost|made|got)"
)
# The subject that opens a sentence: determiner and up to three words, or a name, then a verb.
_SUBJECT = re.compile(
    rf"^(?:(?:but|so|because|'cause|and|then|now|also|i think|i guess|well|okay|yeah|first|second|finally|"
    rf"currently|personally|"
    rf"basically)[, ]+)*(?P<noun>{_DETERMINER} (?:[\w-]+ ){{0,3}}?[\w-]+|"
    rf"(?-i:[A-Z]\w+(?: [A-Z]\w+)?))(?P<verb> {_VERB}\b|'s\b|'re\b|'ll\b)",
    re.IGNORECASE,
)
_ASKED_ABOUT = re.compile(
    rf"\b(?:what about|how about|what (?:is|are|was|were)|what's|how (?:is|are|was|were)|how's|where (?:is|are)|"
    rf"when (?:is|are)|why (?:is|are)|"
    rf"is|are|was|were|do we need|do we have|have we got|do we want|who owns|who has)"
    rf" (?P<noun>{_DETERMINER} (?:[\w-]+ ){{0,2}}?[\w-]+)(?P<end>\?| (?:going|doing|ready|done|finished|still|"
    rf"like|for|to|in|on|by|yet|now|"
    rf"supposed|gonna)\b)",
    re.IGNORECASE,
)
_NAME = re.compile(r"\b[A-Z][a-z]\w+(?: [A-Z][a-z]\w+)*")
_NO_NOUN = frozenset(
    [
        "thing",
        "things",
        "stuff",
        "one",
        "ones",
        "way",
        "kind",
        "sort",
        "lot",
        "bit",
        "idea",
        "problem",
        "question",
        "point",
        "reason",
        "fact",
        "case",
        "time",
        "people",
        "person",
        "guy",
        "guys",
        "something",
        "anything",
        "everything",
        "part",
        "rest",
        "other",
        "others",
        "same",
        "first",
        "second",
        "next",
        "last",
        "only",
        "main",
        "best",
        "most",
        "whole",
        "moment",
        "end",
        "day",
        "week",
        "year",
        "month",
        "minute",
        "is",
        "are",
        "was",
        "were",
        "and",
        "or",
        "of",
        "that",
        "which",
        "who",
        "it",
        "we",
        "you",
        "they",
        "i",
        "not",
        "there",
        "here",
        "will",
        "can",
        "could",
        "would",
        "should",
        "has",
        "have",
        "had",
        "do",
        "does",
        "did",
        "be",
        "been",
        "to",
        "in",
        "on",
        "at",
        "for",
        "with",
        "from",
        "by",
        "about",
        "like",
        "just",
        "really",
        "very",
        "also",
        "then",
        "so",
        "but",
        "if",
        "as",
        "because",
        "what",
        "how",
    ]
)
_MONTHS = frozenset(
    [
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
        "monday",
        "tuesday",
        "wednesday",
        "thursday",
        "cause",
        "friday",
        "saturday",
        "sunday",
        "english",
        "internet",
        "christmas",
        "okay",
        "yeah",
        "yes",
        "no",
        "well",
        "god",
    ]
)
_PLURAL = re.compile(r"(?<![sui])s$|\b(?:people|customers|men|women|children)$", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Before:
    """A sentence that was said before a quotation: by whom, and its cleaned text; nearest last."""

    speaker: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Referent:
    """What a pronoun stands for: where the bracket goes in the text, and what it holds."""

    at: int
    named: str
    rule: str


def without_brackets(text: str) -> str:
    """The words as they were said."""
    return _BRACKET.sub("", text)


def with_referent(text: str, found: Referent | None) -> str:
    """A quotation with what its opening pronoun stands for."""
    if found is None or "[" in text or "]" in text:
        return text
    return f"{text[: found.at]} [{found.named}]{text[found.at :]}"


def find_referent(text: str, before: Sequence[Before], speaker: str, *, people: Sequence[str] = ()) -> Referent | None:
    """What the pronoun at the opening of a quotation stands for; None if it is not plain.

    Args:
        text: the quotation, cleaned.
        before: the sentences before it, nearest last.
        speaker: who says it.
        people: names of those who speak or are read to; no company is called so.
    """
    opening = _OPENS.match(text)
    if (
        opening is None
        or _EMPTY_IT.match(text)
        or (text.rstrip().endswith("?") and opening["word"].lower() in {"that", "this"})
    ):
        return None
    word = opening["word"].lower()
    at = opening.end("word") + len(opening["rest"])
    near = list(before[-REACH:])
    if not near:
        return None
    for rule, noun in (
        ("subject", _subject(word, near[-1], speaker)),
        ("question", _asked(word, near[-1], speaker)),
        ("name", _only_name(word, near, speaker, people)),
    ):
        if noun and _fits(word, noun, text):
            return Referent(at=at, named=noun, rule=rule)
    return None


def said_near(named: str, before: Sequence[Before]) -> bool:
    """Whether the words of a bracket were said in one of the sentences before."""
    return any(named.lower() in b.text.lower() for b in before[-REACH:])


def _subject(word: str, before: Before, speaker: str) -> str | None:
    """The subject of the speaker's sentence just before, if nothing else in it could be meant."""
    if word in {"he", "she", "that", "this"} or before.speaker != speaker or before.text.rstrip().endswith("?"):
        return None
    found = _SUBJECT.match(before.text)
    if found is None:
        return None
    noun = found["noun"]
    rest = before.text[found.end("noun") :]
    # Another thing of the same number behind the verb may be meant as well.
    return None if _rivals(word, rest) else noun


def _rivals(word: str, rest: str) -> bool:
    nouns = re.findall(rf"\b{_DETERMINER} (?:[\w-]+ ){{0,1}}[\w-]+", rest, re.IGNORECASE)
    return len(nouns) > (2 if word == "it" else 0) or len(rest.split()) > 25


def _asked(word: str, before: Before, speaker: str) -> str | None:
    """What the question before asks about, when somebody else answers it."""
    if word in {"he", "she", "that", "this"} or before.speaker == speaker or not before.text.rstrip().endswith("?"):
        return None
    found = _ASKED_ABOUT.search(before.text)
    return found["noun"] if found else None


def _only_name(word: str, before: Sequence[Before], speaker: str, people: Sequence[str]) -> str | None:
    """The one company or product that the speaker named just before."""
    if word not in {"they", "it"}:
        return None
    known = {w for p in people for w in words(p)}
    own = [b for b in before if b.speaker == speaker]
    named = {
        m.group()
        for b in own
        for m in _NAME.finditer(b.text)
        # Every sentence opens with a capital: one word alone there is no name.
        if ((m.start() > 0 and b.text[m.start() - 2] not in ".!?") or " " in m.group())
        and not set(words(m.group())) & (known | _MONTHS | STOPWORDS)
    }
    named |= {n for b in own if (m := _SUBJECT.match(b.text)) and (n := m["noun"]) and n[0].isupper()
              and " " not in n and not set(words(n)) & (known | _MONTHS | STOPWORDS)}  # fmt: skip
    if len(named) != 1:
        return None
    name = named.pop()
    if word == "they":
        # Plural nouns nearby may be meant as well.
        others = [
            w
            for b in own
            for w in words(without_name(b.text, name))
            if _PLURAL.search(w) and w not in STOPWORDS and len(w) > 3
        ]
        return None if others else name
    return None


def without_name(text: str, name: str) -> str:
    """A text without a name in it."""
    return text.replace(name, " ")


def _fits(word: str, noun: str, text: str) -> bool:
    """Whether the number fits, the noun says something, and the quotation does not name it anyway."""
    last = words(noun)[-1] if words(noun) else ""
    if len(noun.split()) > MAX_WORDS or len(noun) > MAX_CHARS or last in _NO_NOUN or not terms(noun):
        return False
    # Two words that look like a noun at the opening of a sentence: `Also mentioned was`, `Usually cats are`.
    if re.search(r"ly\b|\w{3}ed$", noun):
        return False
    if len(re.findall(_DETERMINER + r"\b", noun, re.IGNORECASE)) > 1:
        return False
    if set(words(noun)[1:-1]) & _NO_NOUN or re.match(r"(?:this|that|these|those|my|your) ", noun, re.IGNORECASE):
        return False
    if set(terms(noun)) & set(terms(text)):
        return False
    name = noun[0].isupper() and not re.match(_DETERMINER + r"\b", noun, re.IGNORECASE)
    plural = bool(_PLURAL.search(last))
    return (plural or name) if word == "they" else not plural if word == "it" else True
