"""Questions over all meetings: the sentences that answer one, quoted, or that nothing does.

Nothing is written here: an answer is one to three sentences as somebody said them, each with who, where and when, so
that it can be checked. A sentence answers if it does what the question asks for (a decision, a number, a time, a
reason), speaks of its subject, and stands high enough above what is said of anything; below that bar the answer is that
nothing was found, and where the subject was spoken of without what was asked for, that.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from meetings.conversation import clock
from meetings.llm import TextEmbedder
from meetings.people.terms import STOPWORDS, WEAK, stem, words
from meetings.search.find import Filters, Hit, find_hits
from meetings.search.index import Card, Index
from meetings.search.passages import Part
from meetings.search.query import MAX_TEXT, Query, parse_query
from meetings.search.readers import Reader
from meetings.search.render import post_link, when
from meetings.summary import inert
from meetings.summary.kinds import read_sentence
from meetings.summary.markdown import link
from meetings.summary.text import clean, is_hand_over, sentences

NOTHING = "I found nothing that answers that in the calls that you may read."
MOST = 3  # sentences of an answer
DEEP = 20  # passages that are read
# What a sentence's words, its meaning and its doing what is asked for are worth; and what an answer needs. Set on the
# questions of scripts/bench/search.py, of which a part have no answer.
COVERED = 0.55
MEANT = 0.45
FITS = 0.15
NEIGHBOUR = 0.7  # a word of the subject that stands not in the sentence but beside it
BAR = 0.62
LEAST_COVERED = 0.6
NEXT_BEST = 0.85  # of the best one's worth: a sentence that is worth less is not told beside it
SAME = 0.9  # cosine of two sentences that say the same

_KINDS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("decision", re.compile(r"\b(?:decid\w*|decisions?|agree[d]?|settled?|conclu\w+|chosen?|choose)\b")),
    ("when", re.compile(r"^(?:when|by when|since when|until when|what (?:date|day|time))\b|\bdeadline\b")),
    ("number", re.compile(r"\bhow (?:much|many|long|often|big|large|high|old)\b|\bwhat (?:price|cost|number|share)\b")),
    ("why", re.compile(r"^why\b|\breasons?\b|\bhow come\b")),
    ("action", re.compile(r"^who (?:takes? care|will|does|should|is responsible|has to|is to|owns?|works? on)\b")),
    ("who", re.compile(r"^(?:who|whom|whose)\b")),
    ("risk", re.compile(r"\b(?:risks?|worr\w+|concerns?)\b")),
)
# What somebody asks with, and is not what they ask about.
_ASKING = frozenset(
    map(
        stem,
        words(
            """decide decided decision decisions agree agreed say said says tell told talk talked discuss discussed
            mention mentioned ask asked think thought conclude concluded settle settled meeting meetings call calls much
            many happen happened risk risks problem problems reason reasons take takes care own owns work works
            responsible does did"""
        ),
    )
)
_TIME = re.compile(
    r"\b(?:(?:mon|tues|wednes|thurs|fri|satur|sun)day|january|february|march|april|may|june|july|august|september|"
    r"october|november|december|today|tomorrow|tonight|weeks?|months?|quarter|year|noon|o'clock|\d{1,2}(?::\d\d|th|st|"
    r"nd|rd)|deadline)\b",
    re.IGNORECASE,
)
_NUMBER = re.compile(
    r"\d|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|twenty|thirty|forty|fifty|sixty|seventy|"
    r"eighty|ninety|hundred|thousand|million|half|twice|percent)\b",
    re.IGNORECASE,
)
_REASON = re.compile(r"\b(?:because|since|so that|due to|that's why|reason|otherwise|in order to)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked for (decision, when, number, why, action, who, risk, what), and about what, in stems."""

    text: str
    kind: str
    subject: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """A sentence of an answer, with where it can be checked; `start` in seconds."""

    text: str
    speaker: str
    card: Card
    start: float
    utterance: str
    worth: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What was found: sentences that answer; or (`answers` false) that only speak of the subject; or none.

    `sentence` tells the answer in a language model's words, checked against the quotations; empty if there is none.
    """

    question: Question
    quotes: tuple[Quote, ...] = ()
    answers: bool = False
    sentence: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Candidate:
    hit: Hit
    part: Part
    text: str
    around: str
    fits: bool


def read_question(text: str) -> Question:
    """What a question asks for, and about what."""
    bare = " ".join(text[:MAX_TEXT].replace("’", "'").split())
    lower = bare.lower()
    kind = next((kind for kind, pattern in _KINDS if pattern.search(lower)), "what")
    said = [stem(w) for w in words(bare) if w not in STOPWORDS]
    subject = [w for w in said if w not in _ASKING]
    return Question(text=bare, kind=kind, subject=tuple(dict.fromkeys(subject)))


def ask(index: Index, text: str, reader: Reader, *, embedder: TextEmbedder, filters: Filters | None = None) -> Answer:
    """The sentences that answer a question, of what the reader may read.

    Args:
        index: the index.
        text: the question.
        reader: who asks.
        embedder: sentence embeddings.
        filters: what to keep to.
    """
    question = read_question(text)
    if not question.subject:
        return Answer(question=question)
    parsed = parse_query(text)
    query = Query(text=question.text, terms=question.subject, phrases=parsed.phrases)
    hits = find_hits(index, query, reader, embedder=embedder, filters=filters, limit=DEEP)
    candidates = [c for hit in hits for c in _candidates(hit, question)]
    if not candidates:
        return Answer(question=question)
    vectors = embedder.embed([question.text, *(c.text for c in candidates)])
    near = vectors[1:] @ vectors[0]
    worth = [_worth(c, question, float(n)) for c, n in zip(candidates, near, strict=True)]
    order = sorted(range(len(candidates)), key=lambda i: (-worth[i][0], i))
    good = [i for i in order if worth[i][0] >= BAR and worth[i][1] >= LEAST_COVERED]
    fitting = [i for i in good if candidates[i].fits]
    told: list[int] = []
    for i in fitting or good:
        best = worth[(fitting or good)[0]][0]
        if len(told) == MOST or worth[i][0] < NEXT_BEST * best:
            break
        if all(float(vectors[i + 1] @ vectors[j + 1]) < SAME for j in told):
            told.append(i)
    quotes = tuple(_quote(candidates[i], worth[i][0]) for i in told)
    return Answer(question=question, quotes=quotes, answers=bool(fitting))


def answer_to_markdown(answer: Answer) -> str:
    """What the bot says."""
    if not answer.quotes:
        return NOTHING
    head = (
        (f"{inert(answer.sentence)}\n\n" if answer.sentence else "") + "From what was said:"
        if answer.answers
        else f"{lacking(answer)} What was said about it:"
    )
    lines = []
    for quote in answer.quotes:
        title = link(inert(quote.card.title, limit=120) or "a call", post_link(quote.card))
        where = ", ".join(part for part in (title, when(quote.card), clock(quote.start)) if part)
        lines.append(f"- “{inert(quote.text, limit=400)}” — {inert(quote.speaker, limit=100)}, {where}")
    return "\n".join([head, *lines])


def answer_to_json(answer: Answer) -> dict[str, object]:
    """Plain values."""
    return {
        "question": answer.question.text,
        "asks_for": answer.question.kind,
        "answered": answer.answers,
        "sentence": answer.sentence or None,
        "quotes": [
            {
                "text": q.text,
                "speaker": q.speaker,
                "meeting": q.card.id,
                "title": q.card.title,
                "started_at": q.card.started_at or None,
                "start": round(q.start, 3),
                "utterance": q.utterance,
                "link": post_link(q.card),
            }
            for q in answer.quotes
        ],
    }


def lacking(answer: Answer) -> str:
    """That the subject was spoken of without what was asked for."""
    what = {
        "decision": "no decision",
        "action": "nobody who was given it",
        "when": "no time",
        "number": "no number",
        "why": "no reason",
        "risk": "no risk",
    }
    return f"I found {what.get(answer.question.kind, 'no answer')} in what was said."


def _candidates(hit: Hit, question: Question) -> list[_Candidate]:
    """The sentences of a passage that can stand alone; a question answers none."""
    found = []
    around = hit.passage.text
    for part in hit.passage.parts:
        before = ""
        for sentence in sentences(part.text):
            text = clean(sentence)
            announced = before and read_sentence(before).kind == "decision" and len(words(before)) <= 5
            before = text
            if text.endswith("?") or len(words(text)) < 4 or is_hand_over(sentence):
                continue
            fits = bool(announced) if question.kind == "decision" else False
            found.append(
                _Candidate(hit=hit, part=part, text=text, around=around, fits=fits or _fits(text, question.kind))
            )
    return found


def _fits(text: str, kind: str) -> bool:
    """Whether a sentence does what a question asks for."""
    match kind:
        case "decision" | "risk" | "action":
            return read_sentence(text).kind == kind
        case "when":
            return bool(_TIME.search(text))
        case "number":
            return bool(_NUMBER.search(text))
        case "why":
            return bool(_REASON.search(text))
        case _:
            return True


def _worth(candidate: _Candidate, question: Question, near: float) -> tuple[float, float]:
    """What a sentence is worth as an answer, and how much of the subject it and its neighbours speak of."""
    here = {stem(w) for w in words(candidate.text)}
    # Who speaks, and what the meeting is called, are part of what a sentence is about.
    beside = {
        stem(w)
        for w in words(
            f"{candidate.around} {candidate.hit.card.title} {candidate.hit.card.name_of(candidate.part.speaker)}"
        )
    }
    weights = {term: 0.4 if term in WEAK else 1.0 for term in question.subject}
    total = sum(weights.values())
    in_sentence = sum(w for t, w in weights.items() if t in here)
    near_by = sum(w for t, w in weights.items() if t not in here and t in beside)
    covered = (in_sentence + NEIGHBOUR * near_by) / total
    fits = FITS * (candidate.fits and question.kind not in {"what", "who"})
    return COVERED * covered + MEANT * max(0.0, near) + fits, covered


def _quote(candidate: _Candidate, worth: float) -> Quote:
    return Quote(
        text=candidate.text,
        speaker=candidate.hit.card.name_of(candidate.part.speaker),
        card=candidate.hit.card,
        start=candidate.part.start,
        utterance=candidate.part.id,
        worth=worth,
    )
