"""Questions over all meetings: the sentences that answer one, quoted, or that nothing does.

Nothing is written here: an answer is one to three sentences as somebody said them, each with who, where and when, so
that it can be checked. A sentence answers if it does what the question asks for (a decision, a number, a time, a
reason) and enough speaks for it; below that bar the answer is that nothing was found, and where the subject was spoken
of without what was asked for, that.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from meetings.llm import TextEmbedder
from meetings.search.asked import Question, details, read_question
from meetings.search.candidates import Candidate, Signs, candidates_of, signs_of
from meetings.search.find import Filters, Looked, find_hits, look_over
from meetings.search.index import Index
from meetings.search.query import Query, parse_query
from meetings.search.readers import Reader
from meetings.search.shelf import Card

MOST = 3  # sentences of an answer
DEEP = 20  # passages that are read
SAME = 0.9  # cosine of two sentences that say the same
NEXT_BEST = 0.85  # of the best one's worth: a sentence that is worth less is not told beside it
NEXT_NEWEST = 0.7  # the same for what may be said again: it need not be said as well to count
# What each sign is worth: a logistic regression, fitted by scripts/bench/answers.py on meetings and a company of which
# no figure is reported, rounded.
SAID, NEAR, AROUND, MEANT, FITS, TELLS, BY, FIRST, BIAS = 1.5, 0.5, 0.6, 1.2, 1.1, 1.0, 1.0, 0.75, -4.1
ANYTHING = ("what", "who")  # answered by whatever is said of the subject
# What an answer needs, and what is told as one that may be (scripts/bench/answers.py prints what each bar costs).
BAR = 0.35
PERHAPS = 0.2
# Else, how much of the subject has to be spoken of for what was said of it to be told, and how well.
LEAST_COVERED = 0.6
SPOKEN = 0.1
# What is asked for that may be said again, otherwise: then the newest counts.
CHANGES = ("decision", "action", "when", "number")
AS_MUCH = 0.15  # of the subject that a newer answer may speak of less


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """A sentence of an answer, with where it can be checked; `start` in seconds.

    `replies_to` is the question that it was said in reply to, if somebody put one. `earlier`: a newer one stands in
    the same answer.
    """

    text: str
    speaker: str
    card: Card
    start: float
    utterance: str
    worth: float
    replies_to: str = ""
    earlier: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What was found: sentences that answer; or (`answers` false) that may (`unsure`) or only speak of it; or none.

    `sentence` tells the answer in a language model's words, checked against the quotations; empty if there is none.
    `looked` says what was looked at, where nothing answers.
    """

    question: Question
    quotes: tuple[Quote, ...] = ()
    answers: bool = False
    unsure: bool = False
    sentence: str = ""
    looked: Looked | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Weighed:
    """A candidate, its worth from 0 to 1, and its number among all."""

    candidate: Candidate
    signs: Signs
    worth: float
    number: int


def ask(
    index: Index,
    text: str,
    reader: Reader,
    *,
    embedder: TextEmbedder,
    filters: Filters | None = None,
    bar: float = BAR,
) -> Answer:
    """The sentences that answer a question, of what the reader may read.

    Args:
        index: the index.
        text: the question.
        reader: who asks.
        embedder: sentence embeddings.
        filters: what to keep to.
        bar: worth that an answer needs.
    """
    question = read_question(text, _names(index, reader))
    if not question.subject:
        return Answer(question=question)
    query = Query(text=question.text, terms=question.subject, phrases=parse_query(text).phrases)
    hits = find_hits(index, query, reader, embedder=embedder, filters=filters, limit=DEEP)
    candidates = [(place, c) for place, hit in enumerate(hits) for c in candidates_of(hit, question)]
    looked = look_over(index, question.words, reader, filters)
    rarity = dict(zip(question.subject, looked.rarity, strict=True))
    replied = sorted({c.replies_to for _, c in candidates} - {""})
    vectors = embedder.embed([question.text, *(c.text for _, c in candidates), *replied])
    near = (vectors[1:] @ vectors[0]).tolist()
    before = dict(zip(replied, near[len(candidates) :], strict=True)) | {"": 0.0}
    every = []
    for number, (place, candidate) in enumerate(candidates):
        asked_before = before[candidate.replies_to]
        signs = signs_of(candidate, question, near[number], asked_before=asked_before, rarity=rarity)
        worth = _worth(signs, question.kind, place)
        every.append(_Weighed(candidate=candidate, signs=signs, worth=worth, number=number))
    every.sort(key=lambda w: (-w.worth, w.number))
    fitting = [w for w in every if w.signs.fits > 0]
    good = [w for w in fitting if w.worth >= bar]

    def same(one: _Weighed, other: _Weighed) -> bool:
        # To sentence embeddings "on Friday" and "on Monday" are the same.
        alike = float(vectors[one.number + 1] @ vectors[other.number + 1]) >= SAME
        return alike and details(one.candidate.text) == details(other.candidate.text)

    def told(found: Sequence[_Weighed]) -> list[_Weighed]:
        chosen: list[_Weighed] = []
        least = NEXT_NEWEST if question.kind in CHANGES else NEXT_BEST
        for w in found:
            if w.worth >= least * found[0].worth and not any(same(w, c) for c in chosen):
                chosen.append(w)
        return chosen

    if good:
        return Answer(question=question, quotes=_in_order(told(good), question), answers=True)
    if perhaps := [w for w in fitting if w.worth >= PERHAPS]:
        return Answer(question=question, quotes=_in_order(told(perhaps), question), unsure=True, looked=looked)
    spoken = [w for w in every if w.signs.covered >= LEAST_COVERED and w.worth >= SPOKEN]
    return Answer(question=question, quotes=tuple(_quote(w) for w in told(spoken)[:MOST]), looked=looked)


def _names(index: Index, reader: Reader) -> frozenset[str]:
    """How those are called who speak in what somebody may read."""
    called = {
        way
        for card in index.shelf().cards
        if reader.may_read(card)
        for _, name, username in card.speakers
        for way in (name, *name.split()[:1], username)
    }
    return frozenset(called - {""})


def _worth(signs: Signs, kind: str, place: int) -> float:
    """What a sentence is worth as an answer, from 0 to 1; `place` is that of its passage, from 0."""
    total = (
        SAID * signs.said
        + NEAR * signs.near
        + AROUND * signs.around
        + MEANT * signs.meant
        + (FITS * signs.fits if kind not in ANYTHING else TELLS)
        + BY * (signs.by - 0.5)
        + FIRST / (1 + place)
        + BIAS
    )
    return 1 / (1 + math.exp(-total))


def _in_order(told: Sequence[_Weighed], question: Question) -> tuple[Quote, ...]:
    """The best first; of what may have been said again, otherwise, the newest, and what was said before as earlier."""
    if question.kind not in CHANGES:
        return tuple(_quote(w) for w in told[:MOST])
    best = told[0]
    alike = [w for w in told if w.signs.said + w.signs.near >= best.signs.said + best.signs.near - AS_MUCH]
    # Python's sort keeps what is equal in its order: of one meeting, the best first.
    alike.sort(key=lambda w: w.candidate.hit.card.started_at, reverse=True)
    quotes = [_quote(w) for w in alike[:MOST]]
    newest = quotes[0].card.started_at
    return tuple(replace(q, earlier=q.card.started_at < newest) for q in quotes)


def _quote(weighed: _Weighed) -> Quote:
    candidate = weighed.candidate
    return Quote(
        text=candidate.text,
        speaker=candidate.hit.card.name_of(candidate.part.speaker),
        card=candidate.hit.card,
        start=candidate.part.start,
        utterance=candidate.part.id,
        worth=weighed.worth,
        replies_to=candidate.replies_to,
    )
