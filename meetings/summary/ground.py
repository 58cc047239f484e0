"""Grounding: nothing is told that was not said.

Every bullet of every writer passes here. `check` is for text that a model wrote: its numbers, names, dates, negations,
commitments, roles and content must be in the evidence, each where it belongs. `check_extract` is for cleaned
quotations: they may only leave words out, and none that carry meaning. A refusal says why, and the caller falls back to
the speaker's own words.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from meetings.llm import TextEmbedder
from meetings.people.terms import STOPWORDS, stem, words
from meetings.summary import roles
from meetings.summary.bearing import measure
from meetings.summary.claims import (
    SAYING,
    TELLING,
    Clause,
    acts,
    before_denial,
    clauses,
    commits,
    cover,
    held,
    keys_of,
    opposites,
    overstated,
    spoken,
)
from meetings.summary.figures import (
    changed_counts,
    counted,
    dates,
    numbers,
    said_numbers,
    told_numbers,
)
from meetings.summary.judge import load_judge, with_objections
from meetings.summary.text import sentences

__all__ = ["Line", "Verdict", "check", "numbers"]

# Share of a text's content that its evidence must hold, without and with an embedder that vouches for the meaning.
MIN_OVERLAP = 0.75
MIN_OVERLAP_MEANT = 0.6
MIN_SIMILARITY = 0.4
# Nothing outweighs these objections.
FATAL = ("number not said", "number of something else", "date not said", "name not said", "says nothing")
# From this similarity on, one word of three or more may be the writer's own.
ONE_MISSING = 0.55

_DENIES = re.compile(r"\b(?:not|no|never|none|nobody|nothing|neither|nor|without|cannot|\w+n't)\b")
# They stand for what was said before.
_POINTS = re.compile(r"\b(?:it|that|this|them|they|there|those|these)\b", re.IGNORECASE)
# What is not done yet, or would be, denies nothing.
_PENDING = re.compile(r"\b(?:yet|would|still)\b", re.IGNORECASE)
_NAME = re.compile(r"(?<![.!?…]\s)(?<!^)\b[A-Z][\w'-]+\b")


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """An utterance as evidence: who said it, as shown (empty if it does not matter), and what."""

    speaker: str = ""
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Whether a text stands on its evidence; `reasons` says why not."""

    ok: bool
    reasons: tuple[str, ...] = ()


def names(text: str, known: Sequence[str] = ()) -> set[str]:
    """Capitalised words inside sentences, and known names anywhere, in lower case."""
    found = {n.lower().removesuffix("'s") for n in _NAME.findall(text) if n not in {"I"} and not n.startswith("I'")}
    lowered = set(words(text))
    # Abbreviations are words like others.
    found = {n for n in found if not re.search(rf"\b{re.escape(n.upper())}\b", text) or len(n) > 4}
    found |= {k.lower() for k in known if set(words(k)) <= lowered}
    return {n for n in found if n not in STOPWORDS}


def check(
    text: str,
    evidence: Sequence[str | Line],
    *,
    known_names: Sequence[str] = (),
    speaker: str | None = None,
    owner: str | None = None,
    embedder: TextEmbedder | None = None,
) -> Verdict:
    """Whether a text that a model wrote stands on what was said.

    Args:
        text: the bullet or headline.
        evidence: what it stands on, in order; lines with their speakers where the text may tell who said or does it.
        known_names: names of people, looked for in any spelling of case.
        speaker: who is shown as having said it.
        owner: to whom it is shown to fall.
        embedder: says how close text and evidence are in meaning.
    """
    lines = [
        Line(speaker=e.speaker, text=_spelled(e.text)) if isinstance(e, Line) else Line(text=_spelled(e))
        for e in evidence
    ]
    said = [c for n, line in enumerate(lines) for c in clauses(line.text, speaker=line.speaker, line=n)]
    if not said:
        return Verdict(
            ok=False, reasons=("there is no evidence" if any(c.keys for c in clauses(text)) else "says nothing",)
        )
    objections = _objections(_spelled(text), lines, said, known_names, speaker=speaker, owner=owner, embedder=embedder)
    # Without a model of meaning the rules alone decide.
    if embedder is None or any(o.startswith(FATAL) for o in objections):
        return Verdict(ok=not objections, reasons=objections)
    # A speaker's own words in one piece need no weighing.
    if not objections and any(" ".join(words(text)) in " ".join(words(line.text)) for line in lines):
        return Verdict(ok=True)
    people = _people(lines, known_names, owner, speaker)
    figures = measure(
        _spelled(text),
        [(line.speaker, line.text) for line in lines],
        people=people,
        speaker=speaker,
        owner=owner,
        embedder=embedder,
    )
    judge = load_judge()
    probability = judge.probability(with_objections(figures, objections))
    if probability >= judge.bar:
        return Verdict(ok=True)
    return Verdict(ok=False, reasons=objections or (f"hardly borne by what was said ({probability:.2f})",))


def objections_to(
    text: str,
    evidence: Sequence[Line],
    *,
    known_names: Sequence[str] = (),
    speaker: str | None = None,
    owner: str | None = None,
    embedder: TextEmbedder | None = None,
) -> tuple[tuple[str, ...], dict[str, float]]:
    """What the rules object to, and the figures that are weighed with it: what `scripts/bench/grounding.py` fits."""
    lines = [Line(speaker=e.speaker, text=_spelled(e.text)) for e in evidence]
    said = [c for n, line in enumerate(lines) for c in clauses(line.text, speaker=line.speaker, line=n)]
    objections = _objections(_spelled(text), lines, said, known_names, speaker=speaker, owner=owner, embedder=embedder)
    figures = measure(
        _spelled(text),
        [(line.speaker, line.text) for line in lines],
        people=_people(lines, known_names, owner, speaker),
        speaker=speaker,
        owner=owner,
        embedder=embedder,
    )
    return objections, figures


def _objections(
    text: str,
    lines: Sequence[Line],
    said: Sequence[Clause],
    known_names: Sequence[str],
    *,
    speaker: str | None,
    owner: str | None,
    embedder: TextEmbedder | None,
) -> tuple[str, ...]:
    """What the rules object to; a sign of fault each, and those of `FATAL` proof of it."""
    whole = " ".join(f"{line.speaker}: {line.text}" if line.speaker else line.text for line in lines)
    people = _people(lines, known_names, owner, speaker)
    claims = clauses(text)
    reasons = [*_figures(text, whole), *_names(text, whole, known_names)]
    reasons += [f"commitment not said: {kind}" for kind in overstated(text, whole)]
    reasons += _content(text, lines, people, embedder)
    for claim in claims:
        reasons += _meaning(claim, text, said, people)
    reasons += _roles(claims, said, people, speaker=speaker, owner=owner)
    return tuple(dict.fromkeys(reasons))


def _spelled(text: str) -> str:
    """Words that are spelled out letter by letter, as transcripts of AMI write them: `L_C_D_`."""
    return re.sub(r"\b(?:[A-Z]_)+", lambda m: m.group().replace("_", ""), text)


def _people(lines: Sequence[Line], known: Sequence[str], owner: str | None, speaker: str | None) -> frozenset[str]:
    """Every name by which a text may call somebody."""
    full = {line.speaker for line in lines if line.speaker} | set(known) | {n for n in (owner, speaker) if n}
    return frozenset({n.lower() for n in full} | {n.split()[0].lower() for n in full if n})


def _figures(text: str, said: str) -> list[str]:
    """Numbers and dates that were not said, and numbers that count something else than what was said."""
    reasons = []
    heard, units = said_numbers(said), counted(said)
    told = told_numbers(text)
    # A number may be told twice; it must have been said once.
    extra = [readings[0] for readings, _ in told if not set(readings) & heard]
    if extra := [*extra, *sorted(changed_counts(text, said))]:
        reasons.append(f"number not said: {', '.join(dict.fromkeys(extra))}")
    for readings, unit in told:
        found = {u for r in readings for u in units.get(r, set())}
        if unit and found and "" not in found and unit not in found:
            reasons.append(f"number of something else: {readings[0]} {unit}")
    if extra_dates := dates(text) - dates(said):
        reasons.append(f"date not said: {', '.join(sorted(extra_dates))}")
    return reasons


def _names(text: str, said: str, known: Sequence[str]) -> list[str]:
    low = said.lower()
    keys = frozenset(stem(w) for w in words(said))
    extra = {
        n
        for n in names(text, known)
        if not re.search(rf"(?<!\w){re.escape(n)}(?!\w)", low)
        and not dates(n)
        and not (n not in {k.lower() for k in known} and (held(stem(n), keys) or stem(n) in TELLING or not n.isalpha()))
    }
    return [f"name not said: {', '.join(sorted(extra))}"] if extra else []


def _content(text: str, lines: Sequence[Line], people: frozenset[str], embedder: TextEmbedder | None) -> list[str]:
    """Content words that were not said, as a share; a model of meaning may vouch for some of them."""
    wanted = {k for c in clauses(text) for k in c.keys if k[0] not in "#@" and not _is_name(k, people)}
    told = {k for k in wanted if k not in TELLING}
    named = sum(_is_name(stem(w), people) for w in words(text))
    if not wanted and named < 2 and not any(k[0] in "#@" for c in clauses(text) for k in c.keys):
        return ["says nothing"]
    have = frozenset(k for line in lines for c in clauses(line.text) for k in c.keys)
    have |= {stem(w) for line in lines for w in words(line.speaker)}
    missing = {k for k in told if not held(k, have)}
    reasons = []
    enough = MIN_OVERLAP
    if embedder is not None:
        vectors = embedder.embed(
            [
                text,
                " ".join(line.text for line in lines),
                *dict.fromkeys(s for line in lines for s in sentences(line.text)),
            ]
        )
        similarity = float((vectors[1:] @ vectors[0]).max())
        if similarity < MIN_SIMILARITY:
            reasons.append(f"says something else (similarity {similarity:.2f})")
        elif similarity >= 0.65:
            enough = MIN_OVERLAP_MEANT
        if similarity >= ONE_MISSING and len(missing) == 1 and len(told) >= 3:
            missing = set()
    if told and len(missing) / len(told) > 1 - enough:
        reasons.append(f"not said: {', '.join(sorted(missing)[:4])}")
    return reasons


def _is_name(key: str, people: frozenset[str]) -> bool:
    return any(key == stem(part) for person in people for part in person.split())


def _meaning(claim: Clause, text: str, said: Sequence[Clause], people: frozenset[str]) -> list[str]:
    """What a clause turns: denial, opposites, commitment, facts put together that were not said together."""
    wanted = frozenset(k for k in claim.keys if k not in TELLING and not _is_name(k, people))
    wanted = wanted or frozenset(k for k in claim.keys if not _is_name(k, people))
    verbs = acts(claim.text)
    found = cover(wanted, said, verbs)
    if not found:
        return []
    reasons = []
    best = found[0][0]
    # What adds a word or two is only the scenery.
    behind = [c for c, gained in found if c is best or len(gained) >= max(2, len(wanted) / 3)]
    turned = opposites(claim.text, best.text)
    differs = [_denial_differs(claim, c) for c in behind]
    if all(differs) if any(claim.denies) else any(differs):
        if not turned:
            reasons.append("negation differs")
    elif turned:
        reasons.append(f"the opposite was said: {turned[0][1]}")
    elif _denied_elsewhere(claim, verbs, found, said):
        reasons.append("negation differs")
    doing = [c for c, _ in found if any(held(v, spoken(c.text)) for v in verbs)] or [c for c, _ in found]
    if commits(claim.text) and claim.firm > min(_firmness(c, said) for c in doing) and not _softened(claim, text):
        reasons.append("commitment not said: it was said less firmly")
    reasons += _crossed(wanted, best, [c for c, _ in found[1:]], text)
    return reasons


def _denied_elsewhere(
    claim: Clause, verbs: frozenset[str], found: Sequence[tuple[Clause, frozenset[str]]], said: Sequence[Clause]
) -> bool:
    """Whether what a clause says is done was said not to be, or something it names was left out by what was said.

    `I won't book it` against `she will book the booth`; `the backups aren't` against `the files and the backups are`.
    """
    same = [c for c in said if any(held(v, acts(c.text)) for v in verbs) and not _PENDING.search(c.text)]
    if same and not _PENDING.search(claim.text) and all(_denial_differs(claim, c) for c in same):
        return True
    if _not_then(claim.text, " ".join(c.text for c in said)):
        return True
    return not claim.denies[0] and any(
        all(c.denies) and any(k in keys_of(before_denial(c.text)) for k in gained) for c, gained in found
    )


def _not_then(text: str, said: str) -> bool:
    """`Not before the holidays` was said, and `before the holidays` is told."""
    circumstance = re.compile(r"(\bnot )?\b(before|after|until|with|on|in|for|at) (?:the )?(\w+)", re.IGNORECASE)
    told = {(m[2].lower(), m[3].lower()): bool(m[1]) for m in circumstance.finditer(text)}
    return any(
        m[1] and told.get((m[2].lower(), m[3].lower())) is False and not _DENIES.search(text.lower())
        for m in circumstance.finditer(said)
    )


def _denial_differs(claim: Clause, said: Clause) -> bool:
    return all(a != b for a, b in zip(claim.denies, said.denies, strict=True))


def _firmness(clause: Clause, said: Sequence[Clause]) -> int:
    if roles.accepted(clause, said):
        return 2
    return 0 if clause.asked or clause.conditional else clause.firm


def _softened(claim: Clause, text: str) -> bool:
    """Whether the sentence around a clause keeps the doubt: `..., depending on revenue`, `asked to ...`."""
    return any(c.firm == 0 or c.conditional for c in clauses(text) if c.sentence == claim.sentence)


def _crossed(wanted: frozenset[str], best: Clause, others: Sequence[Clause], text: str) -> list[str]:
    """Facts of two clauses put together: something of the one stands in the place of something of the other."""
    told = frozenset(k for c in clauses(text) for k in c.keys)
    omitted = {k for k in best.keys if k not in TELLING and not held(k, told)}
    for other in others:
        if not omitted:
            break
        taken = {k for k in wanted if k in other.keys and not held(k, best.keys)}
        number_for_number = any(k[0] == "#" for k in taken) and any(k[0] == "#" for k in omitted)
        if _points_back(best, other) and not number_for_number:
            continue
        rest = {k for k in other.keys if k not in TELLING}
        covered = sum(held(k, told) for k in rest) / max(1, len(rest))
        # Sixty seats in the place of ninety seats.
        swapped = number_for_number and any(k[0] != "#" and k in wanted and k in best.keys for k in other.keys)
        if taken and (covered <= 0.5 or swapped):
            return [f"put together from two statements: {', '.join(sorted(taken)[:3])}"]
    return []


def _points_back(one: Clause, other: Clause) -> bool:
    """Whether the later of two clauses of neighbouring sentences goes on from the earlier: `I sent it yesterday`."""
    first, second = sorted((one, other), key=lambda c: (c.line, c.sentence))
    near = second.line - first.line <= 1
    return near and (first.line, first.sentence) != (second.line, second.sentence) and bool(_POINTS.search(second.text))


def _roles(
    claims: Sequence[Clause],
    said: Sequence[Clause],
    people: frozenset[str],
    *,
    speaker: str | None,
    owner: str | None,
) -> list[str]:
    """People who are said to say or do what somebody else says or does."""
    if not any(c.speaker for c in said):
        return []
    reasons = []
    who, verb, saying = "", "", False
    for claim in claims:
        name, after = roles.subject(claim.text, people)
        if name:
            who, verb = name, after
            saying = verb in SAYING or claim.text.lower().startswith("according to")
        elif not re.match(r"(?:and |that )*(?:he|she|they|that)\b", claim.text, re.IGNORECASE):
            who = ""
        if who and saying and not roles.says(who, claim, said, asks=verb in roles.ASKING):
            reasons.append(f"somebody else said it: {who}")
        if who and not saying and not roles.does(who, claim, said):
            reasons.append(f"it falls to somebody else: {who}")
    main = max(claims, key=lambda c: len(c.keys), default=None)
    if main is not None and speaker and not any(roles.says(speaker, c, said) for c in claims):
        reasons.append(f"somebody else said it: {speaker}")
    if main is not None and owner:
        reasons += [
            f"it falls to somebody else: {o}"
            for o in owner.split(", ")
            if not any(roles.does(o, c, said) for c in claims)
        ]
    return reasons
