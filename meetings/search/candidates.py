"""Sentences that may answer a question, with what speaks for each.

What answers is often not said in the words of the question: "we go for that" after three sentences about rubber, or
"about 27 %" after somebody else asked the same. So a sentence is read with what stands right before it, and a reply
with the question that it replies to.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from meetings.people.terms import WEAK, stem, words
from meetings.search.asked import Question, fits, read_question
from meetings.search.find import Hit
from meetings.search.passages import Part
from meetings.summary.kinds import read_sentence
from meetings.summary.text import clean, is_hand_over, sentences

SHORTEST = 4  # words of a sentence that can stand alone
SAME_QUESTION = 0.75  # cosine of two questions that ask the same
BEFORE = 2  # sentences that a sentence is read with


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A sentence as it can be quoted. `replies_to` is the question that somebody else put right before it."""

    hit: Hit
    part: Part
    text: str
    replies_to: str
    before: str
    fits: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Signs:
    """What speaks for a sentence as an answer, each from 0 to 1.

    Shares of the question's subject: `said` in the sentence itself, `near` right before it, `around` in its passage,
    the meeting's title and the speaker's name. `meant`: cosine to the question. `fits`: does what is asked for.
    `by`: said by whom it is asked of (0.5 where nobody is named).
    """

    said: float
    near: float
    around: float
    meant: float
    fits: float
    by: float

    @property
    def covered(self) -> float:
        """How much of the subject is spoken of here at all."""
        return self.said + self.near + self.around


def candidates_of(hit: Hit, question: Question) -> Iterator[Candidate]:
    """The sentences of a passage that can stand alone; what only asks answers nothing, but a request does."""
    names = tuple({called for _, name, _ in hit.card.speakers for called in (name, *name.split()[:1]) if called})
    earlier: list[tuple[str, str]] = []  # speaker, sentence
    for part in hit.passage.parts:
        for sentence in sentences(part.text):
            text = clean(sentence)
            last = earlier[-1] if earlier else ("", "")
            asks = text.endswith("?")
            does = fits(text, question.kind, names)
            replies_to = last[1] if last[1].endswith("?") and last[0] != part.speaker and not asks else ""
            if question.kind == "decision" and not asks and _announces(last[1]):
                does = 1.0
            if (not asks or (question.kind == "action" and does)) and _stands_alone(sentence, text, replies_to):
                yield Candidate(
                    hit=hit,
                    part=part,
                    text=text,
                    replies_to=replies_to,
                    before=" ".join(said for _, said in earlier[-BEFORE:]),
                    fits=does,
                )
            if words(text):
                earlier.append((part.speaker, text))


def signs_of(
    candidate: Candidate, question: Question, meant: float, *, asked_before: float, rarity: Mapping[str, float]
) -> Signs:
    """What speaks for a sentence.

    Args:
        candidate: the sentence.
        question: what was asked.
        meant: cosine of both.
        asked_before: cosine of the question to the one that the sentence replies to; 0: it replies to none.
        rarity: how much each word of the subject tells.
    """
    weights = {term: rarity.get(term, 1.0) * (0.4 if term in WEAK else 1.0) for term in question.subject}
    total = sum(weights.values()) or 1.0
    speaker = candidate.hit.card.name_of(candidate.part.speaker)
    left = set(weights)
    shares = []
    for text in (
        f"{candidate.text} {candidate.replies_to}",
        candidate.before,
        f"{candidate.hit.passage.text} {candidate.hit.card.title} {speaker}",
    ):
        here = left & {stem(w) for w in words(text)}
        shares.append(sum(weights[t] for t in here) / total)
        left -= here
    by = 0.5
    if question.people:
        username = next((u for s, _, u in candidate.hit.card.speakers if s == candidate.part.speaker), "")
        mine = {speaker.lower(), *speaker.lower().split()[:1], username.lower()}
        by = float(any(name in mine for name in question.people))
    does = candidate.fits
    if asked_before >= SAME_QUESTION and read_question(candidate.replies_to).kind == question.kind:
        # Somebody asked the same, and this was the reply: no more is needed, whatever it sounds like. "Who decides at
        # Acme?" and "What did we decide about Acme?" are close in meaning, but ask for something else.
        meant, does = asked_before, 1.0
    return Signs(said=shares[0], near=shares[1], around=shares[2], meant=max(0.0, meant), fits=does, by=by)


def _announces(sentence: str) -> bool:
    """Whether a sentence only says that a decision comes: `Decided:`."""
    return bool(sentence) and len(words(sentence)) <= 5 and read_sentence(sentence).kind == "decision"


def _stands_alone(sentence: str, text: str, replies_to: str) -> bool:
    return len(words(text)) >= (2 if replies_to else SHORTEST) and not is_hand_over(sentence)
