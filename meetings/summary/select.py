"""Which statements a reader gets: what falls to them, what everyone must know, and what is their business, each matter
once.

A choice is a value (`Choice`): the statements that stand behind one bullet, why, and how much it counts. Statements
said in confidence are chosen only for readers who were there.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from meetings.people.terms import stem
from meetings.summary.evidence import Evidence, Talk, information, said_words
from meetings.summary.reasons import close_to
from meetings.summary.referents import with_referent
from meetings.summary.standing import cost
from meetings.summary.statements import Statement
from meetings.summary.text import MAX_CHARS

ROOM = {"short": 5, "medium": 10, "long": 14}
# Below this a statement is not worth a reader's time.
BAR = 0.6
# A statement that is this little the reader's business needs another reason.
LITTLE_MATCH = 0.3
# Two statements closer than this are one matter.
SAME_MATTER = 0.82
# Each further bullet about the same interest counts this much less.
SAME_INTEREST = 0.1
MAX_DECISIONS = 5
# What the reader asked for less of must be worth this much more.
UNWANTED = 1.2
# What the most relevant stretch of the conversation adds to a statement; nothing below the top quarter.
TOP_PLACE = 0.4

_DANGLING = re.compile(
    r"^(?:but |and |so |because )?(?:it|it's|that|that's|this|this is|they|they're|them|those|these|he|she|"
    r"which|then|there)\b",
    re.IGNORECASE,
)
# They say what a sentence does, not what it is about.
_KIND_WORDS = frozenset(stem(w) for w in ["decide", "decision", "agree", "risk", "question", "number", "action"])
_SECOND_PERSON = re.compile(r"\b(?:you (?:can|could|should|may|must|need|have)|please|your)\b", re.IGNORECASE)
# A question of this strength was left open.
OPEN = 0.9
_AGENDA = re.compile(
    r"^(?:today|first|next|then|now) (?:we|let's|let us|i)\b|\b(?:on the agenda|agenda for|last point|"
    r"next point|let's talk about)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One bullet to be: its statements in order (the last is the point), its kind, why this reader gets it."""

    statements: tuple[Statement, ...]
    kind: str
    why: str
    score: float
    mine: bool
    about: int = -1

    @property
    def point(self) -> Statement:
        """The statement that the bullet is about; the ones before it only say what `it` means."""
        return self.statements[-1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """The choices in the order they were made, best first, and how many more would have been worth telling."""

    choices: tuple[Choice, ...]
    left_out: int


def select(talk: Talk, evidence: Evidence, *, attended: bool) -> Selection:
    """Choose for one reader.

    Args:
        talk: the conversation.
        evidence: what it holds for the reader.
        attended: whether they were there: then what they said themselves is no news, and what was said in confidence is
            theirs to keep.
    """
    room = ROOM.get(evidence.persona.person.length or "medium", ROOM["medium"])
    candidates = _candidates(talk, evidence, attended=attended)
    if only := evidence.persona.person.only:
        candidates = [c for c in candidates if c.kind in only]
    chosen: list[Choice] = []
    told: set[str] = set()
    left_out = decisions = 0
    pool = sorted(candidates, key=_first)
    while pool:
        best = _fuller(pool.pop(0), pool)
        if best.score < BAR:
            continue
        decisions += best.kind == "decision"
        if len(chosen) >= room or (best.kind == "decision" and not best.mine and decisions > MAX_DECISIONS):
            left_out += 1
            continue
        chosen.append(best)
        told |= {t for s in best.statements for t in s.terms}
        pool = _without_same_matter(talk, pool, best, told)
    chosen.sort(key=lambda c: (-c.score, c.point.index))
    return Selection(choices=tuple(chosen), left_out=left_out)


def _fuller(choice: Choice, pool: Sequence[Choice]) -> Choice:
    """The choice that tells all of this one and the sentence after it, if that one is worth telling too.

    For risks: how large one is stands in its next sentence.
    """
    if choice.kind != "risk":
        return choice
    told = {s.index for s in choice.statements}
    fuller = next((c for c in pool if c.score >= BAR and told < {s.index for s in c.statements}), None)
    return choice if fuller is None else replace(fuller, score=max(choice.score, fuller.score))


def _first(choice: Choice) -> tuple[int, float, int]:
    """What falls to the reader, then what was clearly decided, then the rest, each by its score."""
    decided = choice.kind == "decision" and choice.point.reading.strength >= 0.9
    return (0 if choice.mine else 1 if decided else 2, -choice.score, choice.point.index)


def _candidates(talk: Talk, evidence: Evidence, *, attended: bool) -> list[Choice]:
    order = np.argsort(np.argsort(evidence.relevance, kind="stable"), kind="stable")
    rank = (order + 1) / max(1, len(order))
    found = []
    for statement in talk.statements:
        if not statement.substantial or (statement.confidential and not attended):
            continue
        found.append(_choice(talk, evidence, statement, float(rank[statement.turn]), attended=attended))
    return found


def _choice(talk: Talk, evidence: Evidence, statement: Statement, rank: float, *, attended: bool) -> Choice:
    persona, reading = evidence.persona, statement.reading
    username = persona.person.username
    own_words = statement.speaker.id in evidence.voices
    owns = any(o.key == username for o in statement.owners) or (own_words and "me" in reading.owners)
    named = statement.addressee is not None and statement.addressee.key == username and not own_words
    # Who was there and answered at once needs no reminder of the question.
    asked = named and not (attended and _answered(talk, evidence, statement))
    mentioned = not named and not own_words and any(m.key == username for m in statement.mentioned)
    match = _match_in_place(evidence, statement.index)
    score = match + 0.25 * rank * (0.5 + information(statement)) + _worth(statement, persona.wants)
    # Where the talk is most the reader's own, more of it is worth telling.
    score += TOP_PLACE * max(0.0, rank - 0.75) / 0.25
    if match < LITTLE_MATCH and reading.kind != "decision":
        score -= (0.4 if reading.kind == "action" else 0.25) * (1 - match / LITTLE_MATCH)
    if statement.confidential:
        # Those who were there must know that it stays there.
        score += 0.3
    if owns:
        # A task without content (`I'll do that`) is hardly one.
        score += 0.5 + 0.7 * information(statement)
    elif asked:
        score += 0.7
    elif mentioned:
        score += 0.1 if attended else 0.45
    elif _answers(talk, evidence, statement):
        score += 0.3
    if reading.kind == "question" and reading.strength < OPEN and _was_answered(talk, statement) and not asked:
        score -= 0.4
    if own_words and attended and not owns and reading.kind != "decision" and not statement.confidential:
        score -= 0.1 if reading.kind == "risk" else 0.35
    score -= _clumsy(statement) + UNWANTED * float(evidence.unwanted[statement.index])
    statements = _with_context(talk, statement)
    kind = _kind(statement, for_them=asked or (mentioned and not attended), owns=owns)
    return Choice(
        statements=statements,
        kind=kind,
        why=_why(evidence, statement, kind=kind, owns=owns, asked=asked, mentioned=mentioned),
        score=score,
        mine=owns or asked,
        about=evidence.about[statement.index],
    )


def _match_in_place(evidence: Evidence, index: int) -> float:
    """How much a statement is the reader's business, helped by the sentences just around it."""
    around = evidence.match[max(0, index - 2) : index + 3]
    return float(evidence.match[index]) * 0.8 + 0.25 * float(around.max())


def _worth(statement: Statement, wants: object) -> float:
    """What a kind is worth to this reader, before what it is about."""
    reading = statement.reading
    wanted = float(wants.get(reading.kind, 0.0)) if hasattr(wants, "get") else 0.0
    base = {"decision": 0.65, "action": 0.3, "risk": 0.4, "question": 0.05, "number": 0.1, "info": 0.0}[reading.kind]
    if reading.kind == "action" and reading.due:
        base += 0.15
    if reading.kind == "question" and reading.strength >= OPEN:
        base += 0.3
    return (base + 0.3 * wanted) * reading.strength


def _clumsy(statement: Statement) -> float:
    """How badly a statement reads alone (`standing`), and more if it must be cut or sets the agenda."""
    agenda = 0.4 if _AGENDA.search(statement.text) else 0.0
    return agenda + cost(with_referent(statement.text, statement.referent)) + 0.25 * (len(statement.text) > MAX_CHARS)


def _kind(statement: Statement, *, for_them: bool, owns: bool) -> str:
    kind = statement.reading.kind
    if for_them and not owns and kind in {"question", "info", "number"}:
        return "for_you"
    return "info" if kind == "number" else kind


def _with_context(talk: Talk, statement: Statement) -> tuple[Statement, ...]:
    """The statement, and the one before it by the same voice if it says what `it` is."""
    if statement.index == 0 or not _DANGLING.match(statement.text):
        return (statement,)
    before = next(
        (
            s
            for s in reversed(talk.statements[max(0, statement.index - 3) : statement.index])
            if s.substantial or s.speaker.id == statement.speaker.id
        ),
        talk.statements[statement.index - 1],
    )
    fits = len(before.text) + len(statement.text) < MAX_CHARS
    same = before.speaker.id == statement.speaker.id and before.confidential == statement.confidential
    if fits and same and before.substantial and statement.start - before.end < 10:
        return (before, statement)
    return (statement,)


def _answered(talk: Talk, evidence: Evidence, statement: Statement) -> bool:
    after = statement.turns[-1] + 1
    return any(s in evidence.voices for s in talk.speakers[after : after + 2])


def _answers(talk: Talk, evidence: Evidence, statement: Statement) -> bool:
    """Whether a sentence speaks to the reader without naming them: a `you can` right after they spoke."""
    if statement.addressee is not None or statement.speaker.id in evidence.voices or statement.turn == 0:
        return False
    return talk.speakers[statement.turn - 1] in evidence.voices and bool(_SECOND_PERSON.search(statement.text))


def _was_answered(talk: Talk, statement: Statement) -> bool:
    """Whether somebody else said more than a word or two right after a question."""
    after = statement.turns[-1] + 1
    for turn in range(after, min(after + 2, len(talk.speakers))):
        if talk.speakers[turn] != statement.speaker.id:
            return bool(talk.turn_words[turn] >= 3)
    return False


def _why(evidence: Evidence, statement: Statement, *, kind: str, owns: bool, asked: bool, mentioned: bool) -> str:
    if owns:
        own_words = statement.speaker.id in evidence.voices
        return "you said you would" if own_words else f"{statement.speaker.name} says it falls to you"
    if asked:
        return "you are asked" if statement.reading.kind in {"question", "action"} else "you are addressed"
    if mentioned and kind != "decision":
        return "you are named"
    ingredient = None
    about = evidence.about[statement.index]
    if about >= 0:
        ingredient = evidence.persona.ingredients[about]
    topic = ""
    if ingredient is not None:
        topic = close_to(ingredient.source, ingredient.text)
    elif evidence.hits[statement.index]:
        shown = _as_said(statement, [h for h in evidence.hits[statement.index] if h not in _KIND_WORDS][:2])
        topic = f"it names {' and '.join(shown)}, your field" if shown else ""
    if kind == "decision":
        return f"a decision, and {topic}" if topic else "a decision, which everyone gets"
    return topic or "it stands in a part of the call that concerns you"


def _as_said(statement: Statement, stems: Sequence[str]) -> list[str]:
    """The words of the statement behind stems."""
    spoken = sorted(said_words(statement.text))
    found = (next((w for w in spoken if w.startswith(s[: max(3, len(s) - 1)])), None) for s in stems)
    return [w for w in dict.fromkeys(found) if w]


def _same_task(one: Statement, other: Statement, similar: float) -> bool:
    """`Ben, can you finish the load test by Friday?` and Ben's `yes, I will finish it by Friday`."""
    if one.reading.kind != "action" or other.reading.kind != "action":
        return False
    same_owner = bool({o.key for o in one.owners} & {o.key for o in other.owners})
    near = abs(one.turn - other.turn) <= 3
    shared = len(set(one.terms) & set(other.terms)) / max(1, min(len(set(one.terms)), len(set(other.terms))))
    return same_owner and near and (similar > 0.6 or shared >= 0.5)


def choice_for(talk: Talk, evidence: Evidence, statement: Statement, *, attended: bool) -> Choice:
    """What a given statement is to a reader, by the scores that `select` goes by."""
    relevance = evidence.relevance
    rank = float((relevance <= relevance[statement.turn]).mean())
    return _choice(talk, evidence, statement, rank, attended=attended)


def same_matter(talk: Talk, one: Choice, other: Choice) -> bool:
    """Whether two choices tell the same: they share a statement, say alike, or are one task asked and promised."""
    if {s.index for s in one.statements} & {s.index for s in other.statements}:
        return True
    a, b = set(one.point.terms), set(other.point.terms)
    similar = float(talk.vectors[one.point.index] @ talk.vectors[other.point.index])
    return _same(one.point, other.point, similar, len(a & b) / max(1, len(a | b)))


def by_claim(choice: Choice) -> tuple[int, float, int]:
    """Sorts choices as `select` makes them: what falls to the reader, what was decided, the rest, each by score."""
    return _first(choice)


def _same(one: Statement, other: Statement, similar: float, overlap: float) -> bool:
    return similar > SAME_MATTER or overlap > 0.6 or _same_task(one, other, similar)


def _without_same_matter(talk: Talk, pool: Sequence[Choice], chosen: Choice, told: set[str]) -> list[Choice]:
    """What is left after a choice: nothing that says the same; what is close to it counts less."""
    vector = talk.vectors[chosen.point.index]
    taken = {s.index for s in chosen.statements}
    terms = set(chosen.point.terms)
    left: list[Choice] = []
    for other in pool:
        if taken & {s.index for s in other.statements}:
            continue
        similar = float(vector @ talk.vectors[other.point.index])
        shared = terms & set(other.point.terms)
        overlap = len(shared) / max(1, len(terms | set(other.point.terms)))
        if _same(chosen.point, other.point, similar, overlap):
            continue
        if other.kind == "decision" and len(set(other.point.terms) - told) <= 0.35 * len(set(other.point.terms)):
            # A recapitulation of what is there already.
            continue
        penalty = 0.5 * max(0.0, similar - 0.45)
        if other.about == chosen.about >= 0 and other.kind not in {"decision", "action"}:
            penalty += SAME_INTEREST
        left.append(other if penalty == 0 else replace(other, score=other.score - penalty))
    left.sort(key=_first)
    return left
