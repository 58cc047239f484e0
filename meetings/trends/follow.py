"""Follows work and decisions through the meetings of a series.

A task is followed by what is said of the same thing later: that it is done, that it is not, or nothing at all. A
decision is followed by later decisions about the same thing: one that takes it back, or one that moves it. Both are
read narrowly, since "done" of the wrong thing costs more than a task that is listed once too often. What was said in
confidence is followed nowhere.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import log

import numpy as np
from numpy.typing import NDArray

from meetings.conversation import Conversation
from meetings.llm import TextEmbedder
from meetings.people.terms import WEAK, stem, words
from meetings.summary.statements import Name, Statement, build_statements, known_names

# Two sentences are about the same thing from this on: cosine of MiniLM, plus what they share of their rarer words.
SAME = 0.62
# Of tasks and decisions only those that are plain enough for a summary are followed.
PLAIN = 0.6
MOST = 400  # tasks, and decisions, of one series

# That something is done, whatever it was.
_DONE = re.compile(
    r"\b(?:done|finished|completed?|ready|online|live|shipped|merged|sent|fixed|published|delivered|signed|closed|"
    r"released|deployed|booked|written|solved|resolved|submitted|filed|paid|hired|arrived|went out|(?:is|are) out|"
    r"up and running|in place|in production|sorted out|taken care of|(?:is|are|have been|has been) [a-z]+ed)\b",
    re.IGNORECASE,
)
# Past forms that say by themselves that what was to be done was done; regular ones end in -ed.
_PAST = {
    "sent": "send", "wrote": "write", "written": "write", "told": "tell", "spoke": "speak", "spoken": "speak",
    "made": "make", "got": "get", "bought": "buy", "found": "find", "built": "build", "gave": "give", "given": "give",
    "took": "take", "taken": "take", "brought": "bring", "held": "hold", "met": "meet", "paid": "pay", "ran": "run",
    "drew": "draw", "drawn": "draw", "chose": "choose", "chosen": "choose", "taught": "teach", "sold": "sell",
}  # fmt: skip
_NOT_DONE = re.compile(
    r"\b(?:not|never|isn't|aren't|wasn't|weren't|haven't|hasn't|hadn't|didn't|don't|doesn't|can't|cannot|won't|still|"
    r"yet|almost|nearly|half|partly|will|would|should|could|might|may|must|need(?:s|ed)?|have to|has to|going to|"
    r"gonna|when|once|until|unless|if|before|let's|want|plan|hope|except|supposed|by (?:monday|tuesday|wednesday|"
    r"thursday|friday|tomorrow|next)|nobody|could not|slipped|slips|late|delayed|blocked|"
    r"waiting|harder|tried|expired?s?)\b",
    re.IGNORECASE,
)
_TAKEN_BACK = re.compile(
    r"\b(?:instead|after all|no longer|not any ?more|any ?more|anymore|changed (?:our|my|their) minds?|"
    r"revers(?:e|ed|ing)|reverted?|revoke[ds]?|undo|undone|drop(?:ped|ping)?|scrap(?:ped)?|cancel(?:led|ed)?|"
    r"call(?:ed)? off|back to|go back|went back|withdraw|withdrawn|overturn(?:ed)?|give up on|gave up on|rather than|"
    r"won't|are not going to|is not going to|postpon(?:e|ed)|not .{0,40}\bafter all)\b",
    re.IGNORECASE,
)
_NEGATED = re.compile(r"\b(?:not|no|never|without|won't|don't|doesn't|isn't|aren't|cannot|can't)\b", re.IGNORECASE)
_FIGURE = re.compile(
    r"\b(?:\d[\d.,:]*|monday|tuesday|wednesday|thursday|friday|saturday|sunday|january|february|march|april|june|july|"
    r"august|september|october|november|december)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """A sentence of a meeting: the meeting's number in the series, its utterance, when (seconds), who, and what."""

    meeting: int
    utterance: str
    start: float
    speaker: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed:
    """A task: where it was given, to whom and until when, what became of it, and where that is said.

    `state` is `done`; `carried` (spoken of again and not done); `open` (never spoken of again); `new` (given in the
    last meeting of the series).
    """

    said: Moment
    owners: tuple[Name, ...]
    due: str | None
    state: str
    again: tuple[Moment, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A decision that a later one takes back (`reversed`) or moves: other figures or days (`changed`)."""

    before: Moment
    after: Moment
    how: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Told:
    meeting: int
    statement: Statement
    moment: Moment
    vector: NDArray[np.float32]


class Read:
    """The meetings of a series, read once: their sentences with their meaning.

    Args:
        meetings: in order of time.
        embedder: sentence embeddings.
    """

    def __init__(self, meetings: Sequence[Conversation], embedder: TextEmbedder) -> None:
        self.last = len(meetings) - 1
        told = [
            (number, statement, _moment(number, meeting, statement))
            for number, meeting in enumerate(meetings)
            for statement in build_statements(meeting, known_names(meeting, ()))
            if statement.substantial and not statement.confidential
        ]
        vectors = embedder.embed([s.text for _, s, _ in told])
        self.told = [
            _Told(meeting=n, statement=s, moment=m, vector=v) for (n, s, m), v in zip(told, vectors, strict=True)
        ]
        spread = Counter(t for one in self.told for t in set(one.statement.terms))
        # What is said in every second sentence of a series tells no two things apart.
        self._weight = {t: log(1 + len(self.told) / n) for t, n in spread.items()}

    def after(self, one: _Told) -> Iterable[tuple[_Told, float]]:
        """What is said of the same in later meetings, in order, with how sure that is the same."""
        for other in self.told:
            if other.meeting > one.meeting and (near := self.nearness(one, other)) >= SAME:
                yield other, near

    def nearness(self, one: _Told, other: _Told) -> float:
        """How sure two sentences are about the same thing; 0 for two that share fewer than two words
        that tell anything."""
        mine, theirs = ({t for t in o.statement.terms if t not in WEAK} for o in (one, other))
        shared = mine & theirs
        if len(shared) < 2:
            return 0.0
        # Of the sentence that says more: a short one that is all in a long one need not be about its matter.
        part = self._sum(shared) / max(1e-9, max(self._sum(mine), self._sum(theirs)))
        return 0.6 * float(one.vector @ other.vector) + 0.6 * part

    def _sum(self, terms: Iterable[str]) -> float:
        return sum(self._weight[t] for t in terms)


def follow_work(read: Read) -> tuple[Followed, ...]:
    """What became of each task of a series, in the order in which they were given; the same task is told once."""
    tasks = [t for t in read.told if t.statement.reading.kind == "action" and t.statement.reading.strength >= PLAIN]
    found: list[Followed] = []
    given_again: set[int] = set()
    for task in tasks[:MOST]:
        if id(task) in given_again:
            continue
        later = [other for other, _ in read.after(task)]
        done = next((o for o in later if _says_done(task.statement.text, o.statement.text)), None)
        upto = [o for o in later if done is None or o.meeting <= done.meeting]
        given_again |= {id(o) for o in upto if o in tasks}
        due = task.statement.reading.due
        found.append(
            Followed(
                said=task.moment,
                owners=task.statement.owners,
                due=due.shown if due else None,
                state="done" if done else "carried" if later else "new" if task.meeting == read.last else "open",
                again=_one_each(upto, done),
            )
        )
    return tuple(found)


def follow_decisions(read: Read) -> tuple[Change, ...]:
    """Decisions that later ones took back or moved, in order of the later ones."""
    decided = [t for t in read.told if t.statement.reading.kind == "decision" and t.statement.reading.strength >= PLAIN]
    found = []
    for after in decided[:MOST]:
        earlier = [(read.nearness(b, after), b) for b in decided if b.meeting < after.meeting]
        near = [(n, b) for n, b in earlier if n >= SAME]
        if near:
            _, before = max(near, key=lambda pair: (pair[0], pair[1].meeting))
            how = _how_changed(before.statement.text, after.statement.text)
            if how:
                found.append(Change(before=before.moment, after=after.moment, how=how))
    return tuple(sorted(found, key=lambda c: (c.after.meeting, c.after.start)))


def _how_changed(before: str, after: str) -> str:
    if _TAKEN_BACK.search(after) or bool(_NEGATED.search(before)) != bool(_NEGATED.search(after)):
        return "reversed"
    figures = [{f.lower() for f in _FIGURE.findall(text)} for text in (before, after)]
    return "changed" if figures[0] and figures[1] and figures[0] != figures[1] else ""


def _says_done(task: str, later: str) -> bool:
    """Whether a sentence about a task says that it was done: in general words, or by its own verb in the past."""
    if later.rstrip().endswith("?") or _NOT_DONE.search(later):
        return False
    if _DONE.search(later):
        return True
    wanted = {stem(w) for w in words(task)}
    past = (w for w in words(later) if w.endswith("ed") or w in _PAST)
    return any(stem(_PAST.get(w, w)) in wanted for w in past)


def _one_each(later: Sequence[_Told], done: _Told | None) -> tuple[Moment, ...]:
    """One moment of each meeting, where it is done that one."""
    found: dict[int, Moment] = {}
    for one in later:
        found.setdefault(one.meeting, one.moment)
    if done is not None:
        found[done.meeting] = done.moment
    return tuple(found[number] for number in sorted(found))


def _moment(number: int, meeting: Conversation, statement: Statement) -> Moment:
    return Moment(
        meeting=number,
        utterance=meeting.utterances[statement.turn].id,
        start=statement.start,
        speaker=statement.speaker.name,
        text=statement.text,
    )
