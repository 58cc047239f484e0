"""The state of an incident: what follows from the notes of its posts, by rules of what replaces what.

Pure: the same notes give the same state, in whatever order and batches they came in. A post that is edited is another
note, one that is deleted is none, so that nothing of it stays.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache

from meetings.briefs.facts import Line, Note
from meetings.people.terms import stem, terms

ANSWER_MINUTES = 30  # a question that nobody answers in its thread may be answered by the next posts within this time
MAX_OPEN = 50  # tasks and questions that later posts are held against
MAX_IMPACT = 6  # figures and effects told at once: the newest
# Units of time and of parts of a system: a figure of these is no measure of how many are hit.
_NO_MEASURE = frozenset(["hour", "minute", "day", "second", "week", "zone", "am", "pm", "percent", "free", "month"])
_YES_OR_NO = re.compile(r"^\W*(?:yes|no)[,.!]|,\s*so (?:yes|no)\.?$", re.IGNORECASE)
_MAY_WE = re.compile(r"\b(?:may|can|should|shall) (?:we|i)\b", re.IGNORECASE)
_DONE = frozenset(["done", "finished", "sent", "written", "merged", "closed", "delivered", "in", "out"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """A sentence in its place: of which post, when (milliseconds), by whom."""

    post_id: str
    at: int
    user_id: str
    username: str
    desk: str
    line: Line


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """A task: who has it, and whether it was `asked`, `accepted` or is `done`; `closed_by` is the post that says so."""

    fact: Fact
    owners: tuple[str, ...]
    due: str
    status: str
    closed_by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """Where an incident stands.

    `timeline` has every fact, oldest first; the other lists hold what counts now, oldest first. `status` is `quiet`
    (nothing was said of an incident), `ongoing`, `easing` (something is back) or `resolved`; `answered` are (question,
    answer).
    """

    status: str = "quiet"
    severity: str = ""
    began: int = 0
    last: int = 0
    posts: int = 0
    timeline: tuple[Fact, ...] = ()
    impact: tuple[Fact, ...] = ()
    works: tuple[Fact, ...] = ()
    restored: tuple[Fact, ...] = ()
    cause: tuple[Fact, ...] = ()
    hypotheses: tuple[Fact, ...] = ()
    known: tuple[Fact, ...] = ()
    unknown: tuple[Fact, ...] = ()
    answered: tuple[tuple[Fact, Fact], ...] = ()
    actions: tuple[Action, ...] = ()
    decisions: tuple[Fact, ...] = ()
    hold: tuple[Fact, ...] = ()
    cleared: tuple[Fact, ...] = ()
    update: Fact | None = None


@dataclass(slots=True)
class _Fold:
    status: str = "quiet"
    severity: str = ""
    update: Fact | None = None
    facts: dict[str, list[Fact]] = field(default_factory=dict)
    questions: list[Fact] = field(default_factory=list)
    answered: list[tuple[Fact, Fact]] = field(default_factory=list)
    actions: list[Action] = field(default_factory=list)

    def of(self, kind: str) -> list[Fact]:
        return self.facts.setdefault(kind, [])


def add_notes(notes: Mapping[str, Note], new: Iterable[Note | tuple[str, int]]) -> dict[str, Note]:
    """Notes with those of posts that are new or were changed.

    Args:
        notes: by post id.
        new: a note, or the id and version of a post that tells nothing (any more). A version that is older than the one
            that was read changes nothing.
    """
    found = dict(notes)
    for one in new:
        post_id, version = (one.post_id, one.version) if isinstance(one, Note) else one
        if post_id in found and found[post_id].version > version:
            continue
        if isinstance(one, Note):
            found[post_id] = one
        else:
            found.pop(post_id, None)
    return found


def state_of(notes: Iterable[Note]) -> State:
    """The state that follows from notes, whatever order they come in."""
    fold, timeline = _Fold(), []
    ordered = sorted(notes, key=lambda n: (n.at, n.post_id))
    roots: dict[str, str] = {}
    for note in ordered:
        roots[note.post_id] = note.root_id or note.post_id
        facts = [
            Fact(post_id=note.post_id, at=note.at, user_id=note.user_id, username=note.username, desk=note.desk, line=x)
            for x in note.lines
        ]
        _answer(fold, facts, note, roots)
        for fact in facts:
            _take(fold, fact)
        timeline += facts
    return State(
        status=fold.status,
        severity=fold.severity,
        began=ordered[0].at if ordered else 0,
        last=max((n.at for n in ordered), default=0),
        posts=len(ordered),
        timeline=tuple(timeline),
        impact=tuple(fold.of("impact")[-MAX_IMPACT:]),
        works=tuple(fold.of("works")),
        restored=tuple(fold.of("restored")),
        cause=tuple(fold.of("cause")[-1:]),
        hypotheses=tuple(fold.of("hypothesis")),
        known=tuple(fold.of("ruled_out")),
        unknown=tuple(sorted([*fold.of("unknown"), *fold.questions], key=lambda f: (f.at, f.post_id))),
        answered=tuple(fold.answered),
        actions=tuple(fold.actions),
        decisions=tuple(fold.of("decision")),
        hold=tuple(fold.of("hold")),
        cleared=tuple(fold.of("cleared")),
        update=fold.update,
    )


def _take(fold: _Fold, fact: Fact) -> None:
    line = fact.line
    fold.severity = line.severity or fold.severity
    match line.kind:
        case "impact":
            _without_measured(fold, line)
            fold.of("impact").append(fact)
            if fold.status != "easing" or not line.units:
                fold.status = "ongoing"
        case "restored":
            _without_measured(fold, line)
            fold.of("restored").append(fact)
            fold.status = "resolved" if line.whole else "easing"
            if line.whole:
                fold.of("impact").clear()
                fold.of("works").clear()
        case "cause":
            fold.of("cause").append(fact)
            fold.of("hypothesis").clear()
            fold.facts["unknown"] = [f for f in fold.of("unknown") if not _is_of_cause(f.line)]
        case "ruled_out":
            said = _words(line.text)
            fold.facts["unknown"] = [f for f in fold.of("unknown") if not said & _words(f.line.text)]
            fold.of("ruled_out").append(fact)
        case "update":
            fold.update = fact
        case "question":
            fold.questions = [*fold.questions[-MAX_OPEN:], fact]
        case "action":
            fold.actions.append(Action(fact=fact, owners=line.owners, due=line.due, status="asked"))
        case "accept":
            _accept(fold, fact)
        case "unknown" | "hypothesis" | "works" | "decision" | "hold" | "cleared":
            fold.of(line.kind).append(fact)
    _finish(fold, fact)


def _without_measured(fold: _Fold, line: Line) -> None:
    """Leave out what earlier figures said of the same: `40 % of users` goes when it is `12 %`."""
    new = _measures(line)
    if new:
        fold.facts["impact"] = [f for f in fold.of("impact") if not _same(_measures(f.line), new)]


def _measures(line: Line) -> frozenset[str]:
    return frozenset(u for u in line.units if u.strip("%") not in _NO_MEASURE or u == "%")


def _same(old: frozenset[str], new: frozenset[str]) -> bool:
    if old & new:
        return True
    shares = {u for u in old if u.startswith("%")}, {u for u in new if u.startswith("%")}
    return bool(all(shares) and any("%" in side for side in shares))


def _is_of_cause(line: Line) -> bool:
    said = {stem(w) for w in line.text.lower().replace("’", "'").split()}
    return bool(said & {"cause", "why", "caus", "reason", "what"})


def _answer(fold: _Fold, facts: list[Fact], note: Note, roots: Mapping[str, str]) -> None:
    """A question is answered in its thread, or by the next post of somebody else that speaks of the same or says no."""
    if not fold.questions or not facts:
        return
    told = next((f for f in facts if f.line.kind not in {"question", "action", "accept"}), None)
    if told is None:
        return
    words = frozenset().union(*(_words(f.line.text) for f in facts))
    decides = told.line.kind in {"decision", "cleared"}
    left = []
    for at, asked in enumerate(fold.questions, 1):
        same_thread = bool(note.root_id) and roots.get(asked.post_id, asked.post_id) == note.root_id
        soon = note.at - asked.at <= ANSWER_MINUTES * 60_000 and not note.root_id
        answers = same_thread or (
            # Most questions are old: their words are looked at only where that can answer them.
            (decides or soon) and _speaks_to(asked, words, facts[0], decides=decides, newest=at == len(fold.questions))
        )
        if answers and note.user_id != asked.user_id:
            fold.answered.append((asked, told))
        else:
            left.append(asked)
    fold.questions = left


def _speaks_to(asked: Fact, words: frozenset[str], said: Fact, *, decides: bool, newest: bool) -> bool:
    shared = len(words & _words(asked.line.text))
    if decides and (shared > 0 or _MAY_WE.search(asked.line.text)):
        return True
    # A bare no or yes is for who asked last.
    return shared >= 2 or (newest and _says_yes_or_no(said.line.text))


@lru_cache(maxsize=16_384)
def _words(text: str) -> frozenset[str]:
    return frozenset(terms(text))


def _says_yes_or_no(text: str) -> bool:
    return bool(_YES_OR_NO.search(text))


def _accept(fold: _Fold, fact: Fact) -> None:
    for at in range(len(fold.actions) - 1, max(-1, len(fold.actions) - MAX_OPEN), -1):
        action = fold.actions[at]
        if action.status == "asked" and fact.username and fact.username in action.owners:
            due = action.due or fact.line.due
            fold.actions[at] = replace(action, status="accepted", due=due, owners=(fact.username,))
            return


def _finish(fold: _Fold, fact: Fact) -> None:
    """A task is done when its owner says of the same thing that it is in, sent, finished."""
    if fact.line.kind in {"action", "accept", "question"} or not fact.username:
        return
    words = fact.line.text.lower().replace(":", " ").replace(",", " ").replace(".", " ").split()
    done = bool(_DONE & set(words)) or " is with " in f" {' '.join(words)} "
    if not done:
        return
    said = _words(fact.line.text)
    for at in range(len(fold.actions) - 1, max(-1, len(fold.actions) - MAX_OPEN), -1):
        action = fold.actions[at]
        if action.status == "done" or fact.username not in action.owners:
            continue
        if said & _words(action.fact.line.text):
            fold.actions[at] = replace(action, status="done", closed_by=fact.post_id)
            return
