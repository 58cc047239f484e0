"""Who says and who does: whether the people that a text names are the ones who said it or to whom it falls.

A name before a verb of saying must be the voice of the clause that the text stands on; a name before any other verb
must be its voice speaking of itself, or stand in the clause as the one who does it, or have agreed to do it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from meetings.people.terms import stem
from meetings.summary.claims import SAYING, TELLING, Clause, held

# A clause may be covered by this much less than another's and still be meant.
MARGIN = 0.15

_JOINING = re.compile(r"^(?:and|but|so|then|that|while|also|because|since|the|according to|as)\s+", re.IGNORECASE)
_SECOND = re.compile(r"\b(?:you|your|you'll|you're)\b", re.IGNORECASE)
ACCEPTS = re.compile(
    r"^\W*(?:(?:um|uh|well|oh|mm-hmm|mhm|great|nice|fine|good)\W+)*(?:yes|yeah|yep|sure|okay|ok|of course|will do|"
    r"i will|i'll|i can|no problem|absolutely|happy to|got it|alright|right|exactly|agreed|on it|fine|"
    r"you'll have|let's|correct|true|definitely|deal|perfect|understood)\b",
    re.IGNORECASE,
)
_APPROVES = re.compile(r"^\W*(?:please do|lovely|wonderful)\b", re.IGNORECASE)
_PROMISES = re.compile(r"^\W*(?:i will|i'll|i can|you'll have)\b", re.IGNORECASE)
_HESITATES = re.compile(
    r"\b(?:not sure|let me (?:check|see|think)|maybe|perhaps|don't know|might|try)\b", re.IGNORECASE
)


ASKING = frozenset(
    {"ask", "asks", "asked", "request", "requests", "requested", "propose", "proposes", "proposed", "suggest"}
    | {"suggests", "suggested", "want", "wants", "wanted", "recommends", "recommended", "would"}
)


def subject(text: str, people: Collection[str]) -> tuple[str, str]:
    """The person that a clause begins with, and the word after; empty strings if it does not begin with one.

    Args:
        text: the clause.
        people: every name that somebody is called by.
    """
    rest = _JOINING.sub("", text.strip())
    for name in sorted(people, key=len, reverse=True):
        after = r"(?! ?'s? )(?:\s+(?:designer|team))?(?:\s+(?:also|already|then|now))?[\s,]+(\w+)"
        if match := re.match(re.escape(name) + after, rest, re.IGNORECASE):
            return name, match.group(1).lower()
    return "", ""


def same_person(one: str, other: str) -> bool:
    """Whether two ways of naming somebody can be one person: `Ben` and `Ben Okafor`."""
    a, b = one.lower().split(), other.lower().split()
    return bool(a) and bool(b) and (a == b or (len(a) == 1 and a[0] in b) or (len(b) == 1 and b[0] in a))


def named_as_doer(name: str, text: str) -> bool:
    """Whether a clause gives a person something to do or says what they do: before a verb or spoken to."""
    who = rf"(?:{re.escape(name)}|{re.escape(name.split()[0])})"
    patterns = (
        rf"(?:^|[.,!?]\s*|\b(?:and|so|then|but|thinks?|ask|tell|get|have|let|want|need|that)\s+){who}\b(?!')",
        rf",\s*{who}\s*[?.!]",
        rf"(?<!to )(?<!for )(?<!with )(?<!from )(?<!of )\b{who}\s+(?:will|can|could|should|has|is|was|does|must)\b",
    )
    return any(re.search(p, text, re.IGNORECASE) for p in patterns)


def says(name: str, claim: Clause, said: Sequence[Clause], *, asks: bool = False) -> bool:
    """Whether a person is the voice of what a claim reports; who is said to ask has not only agreed."""
    reported = re.compile(rf"\b{re.escape(name.split()[0])}(?: \w+)? (?:{'|'.join(sorted(SAYING))})\b", re.IGNORECASE)
    theirs = [c for c in said if same_person(name, c.speaker) or reported.search(c.text)]
    promised = re.search(r"\b(?:will|would|'ll|agree\w*|accept\w*|confirm\w*|promise\w*)\b", claim.text)
    return _best_is_among(theirs, claim, said, agreeing=bool(promised) and not asks)


def does(name: str, claim: Clause, said: Sequence[Clause]) -> bool:
    """Whether what a claim says falls to a person or is told of them."""
    return _best_is_among([c for c in said if _is_theirs(name, c, said)], claim, said)


def _best_is_among(theirs: Sequence[Clause], claim: Clause, said: Sequence[Clause], *, agreeing: bool = True) -> bool:
    lines = {c.line for c in said}
    own = max((_share(claim, [c for c in theirs if c.line == n], said, agreeing=agreeing) for n in lines), default=0.0)
    best = max(
        (_share(claim, [c for c in said if c.line == n and c not in theirs], said, alone=True) for n in lines),
        default=0.0,
    )
    return bool(theirs) and own > 0 and own >= best - MARGIN


def _is_theirs(name: str, clause: Clause, said: Sequence[Clause]) -> bool:
    line = " ".join(c.text for c in said if c.line == clause.line and c.sentence == clause.sentence)
    if same_person(name, clause.speaker):
        return not (clause.asked and _SECOND.search(line))
    if named_as_doer(name, line):
        return True
    # `Can you ...?`, and the next voice accepts.
    after = next((c for c in said if c.line == clause.line + 1), None)
    return (
        bool(_SECOND.search(line))
        and after is not None
        and same_person(name, after.speaker)
        and bool(ACCEPTS.match(after.text))
    )


def _share(
    claim: Clause, group: Sequence[Clause], said: Sequence[Clause], *, alone: bool = False, agreeing: bool = True
) -> float:
    """How much of a claim some clauses of one line hold, with the line before where they answer or go on from it."""
    if not group:
        return 0.0
    wanted = {k for k in claim.keys if k not in TELLING} or set(claim.keys)
    wanted -= {stem(part) for c in said for part in c.speaker.lower().split()} if len(wanted) > 1 else set()
    if not wanted:
        return 0.0

    def share(clauses: Sequence[Clause]) -> float:
        keys = frozenset(k for c in clauses for k in c.keys)
        return sum(held(k, keys) for k in wanted) / len(wanted)

    found = share(group)
    said_here = frozenset(k for c in group for k in c.keys)
    # A day that both name is no common matter.
    common = sum(held(k, said_here) for k in wanted if k[0] != "@") / len(wanted)
    if alone or not (common >= 0.3 or (agreeing and ACCEPTS.match(group[0].text))):
        return found
    return share([*group, *(c for c in said if c.line == group[0].line - 1)])


def accepted(clause: Clause, said: Sequence[Clause]) -> bool:
    """Whether another voice says yes to a question or request, without hesitating."""
    after = [c for c in said if c.line == clause.line + 1 and c.speaker != clause.speaker]
    if not after or any(_HESITATES.search(c.text) for c in after):
        return False
    if not ACCEPTS.match(after[0].text):
        return bool(_APPROVES.match(after[0].text))
    # `I'll get an offer` answers `can you get an offer?`, but not `could we use another carrier?`
    return not _PROMISES.match(after[0].text) or bool(_SECOND.search(clause.text))
