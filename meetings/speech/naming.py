"""Voices get names, where that can be known; else they stay "Speaker 2".

Every signal adds to a log-odds for a pair of voice and person: the transcript that Calls made from each person's own
track, people introducing themselves, being addressed before they speak and thanked after, and the fact that nobody
addresses themselves. The pairs are put together as one assignment, and a name is given only if it dominates both among
the people for this voice and among the voices for this person. A wrong name is worse than none. All functions are pure.
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from meetings.conversation import Speaker, Utterance

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

BAR = 0.9  # probability below which a voice stays unnamed
NOBODY = 1.5  # log-odds that a voice is someone else, before any evidence

# Log-odds of one observation. Three hand-overs, or one introduction, pass the bar.
INTRODUCED = 5.0
ADDRESSED_NEXT = 2.0
THANKED_BEFORE = 1.5
SPEAKS_OF_THEM = -2.5  # nobody addresses or thanks themselves
TRANSCRIPT = 9.0  # times the share of the voice's time under the account's cues


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """Somebody whose voice it can be: a participant or a member of the channel."""

    username: str
    name: str
    nickname: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallsCue:
    """A cue of the transcript that Calls made: whose track, when (seconds), what."""

    name: str
    start: float
    end: float
    text: str


_TIMING = re.compile(r"(?:(\d+):)?(\d{2}):(\d{2})\.(\d{3})\s+-->\s+(?:(\d+):)?(\d{2}):(\d{2})\.(\d{3})")
_VOICE = re.compile(r"<v(?:\.[^\s>]*)?\s+([^>]+)>\s*(?:\(([^)]*)\))?\s*(.*)", re.DOTALL)


def read_calls_vtt(text: str) -> tuple[CallsCue, ...]:
    """The cues `<v NAME>(NAME) text` of a Calls transcript; anything else in the file is passed over."""
    cues = []
    for block in re.split(r"\r?\n\s*\r?\n", text):
        timing = _TIMING.search(block)
        if timing is None:
            continue
        voice = _VOICE.search(block[timing.end() :])
        if voice is None:
            continue
        start, end = _seconds(timing.groups()[:4]), _seconds(timing.groups()[4:])
        said = re.sub(r"<[^>]*>", "", voice[3]).strip()
        if end > start:
            cues.append(CallsCue(name=voice[1].strip(), start=start, end=end, text=" ".join(said.split())))
    return tuple(cues)


def _seconds(parts: Sequence[str | None]) -> float:
    hours, minutes, seconds, millis = (int(p or 0) for p in parts)
    return hours * 3600 + minutes * 60 + seconds + millis / 1000


def name_speakers(
    utterances: Sequence[Utterance], candidates: Sequence[Candidate], *, calls_cues: Sequence[CallsCue] = ()
) -> tuple[Speaker, ...]:
    """A `Speaker` for each voice, in order of first appearance, named where it can be known.

    Args:
        utterances: in order; `speaker` is the voice's label.
        candidates: those who may be named; nobody else is.
        calls_cues: the transcript of Calls, if there is one.
    """
    import numpy as np
    from scipy.optimize import linear_sum_assignment

    labels = list(dict.fromkeys(u.speaker for u in utterances))
    named: dict[str, tuple[Candidate, float, str]] = {}
    if labels and candidates:
        talk = talk_evidence(utterances, candidates)
        cues = transcript_evidence(utterances, candidates, calls_cues)
        odds = np.array([[talk[a, c.username] + cues[a, c.username] for c in candidates] for a in labels])
        among_people = _softmax(odds)
        among_voices = _softmax(odds.T).T
        certain = np.minimum(among_people, among_voices)
        for row, column in zip(*linear_sum_assignment(-certain), strict=True):
            if certain[row, column] >= BAR:
                candidate = candidates[column]
                how = "transcript" if cues[labels[row], candidate.username] > 1.0 else "talk"
                named[labels[row]] = (candidate, float(certain[row, column]), how)
    return tuple(_speaker(label, number, named) for number, label in enumerate(labels, start=1))


def _speaker(label: str, number: int, named: Mapping[str, tuple[Candidate, float, str]]) -> Speaker:
    if label not in named:
        return Speaker(id=label, name=f"Speaker {number}")
    candidate, confidence, how = named[label]
    return Speaker(id=label, name=candidate.name, username=candidate.username, confidence=confidence, how=how)


def _softmax(odds: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Row by row, with one more way out: nobody of these."""
    import numpy as np

    shifted = np.exp(odds - odds.max(axis=1, keepdims=True))
    nobody = np.exp(NOBODY - odds.max(axis=1, keepdims=True))
    result: npt.NDArray[np.float64] = shifted / (shifted.sum(axis=1, keepdims=True) + nobody)
    return result


# What is said


def talk_evidence(utterances: Sequence[Utterance], candidates: Sequence[Candidate]) -> Mapping[tuple[str, str], float]:
    """Log-odds of (voice, username) from introductions, hand-overs and thanks."""
    names = _first_names(candidates)
    evidence: defaultdict[tuple[str, str], float] = defaultdict(float)
    if not names:
        return evidence
    any_name = "|".join(sorted(map(re.escape, names), key=len, reverse=True))
    introduced = re.compile(rf"\b(?:this is|i am|i'm|my name is)\s+({any_name})\b(?!')|\b({any_name})\s+here\b", re.I)
    thanked = re.compile(rf"\b(?:thanks|thank you)(?:\s+\w+)?,?\s+({any_name})\b", re.I)
    # A vocative opens a sentence before a comma, closes one after a comma, or stands between two.
    addressed = re.compile(rf"(?:^|[.?!]\s+|\b(?:okay|so|and|right),?\s+)({any_name}),|,\s+({any_name})\s*[?.!,]", re.I)
    mentioned = re.compile(rf"\b({any_name})\b", re.I)
    for index, utterance in enumerate(utterances):
        text = utterance.text
        own = {_name(m) for m in introduced.finditer(text)}
        for name in own:
            evidence[utterance.speaker, names[name]] += INTRODUCED
        thanks = {_name(m) for m in thanked.finditer(text)}
        vocatives = {_name(m) for m in addressed.finditer(text)}
        if before := _neighbour(utterances, index, -1):
            for name in thanks - own:
                evidence[before, names[name]] += THANKED_BEFORE
        if after := _neighbour(utterances, index, +1):
            # The last one addressed is the one who is expected to speak.
            ordered = [_name(m) for m in addressed.finditer(text) if _name(m) not in own | thanks]
            for name in ordered[-1:]:
                evidence[after, names[name]] += ADDRESSED_NEXT
        for name in ({_name(m) for m in mentioned.finditer(text)} | thanks | vocatives) - own:
            evidence[utterance.speaker, names[name]] += SPEAKS_OF_THEM
    return evidence


def _name(match: re.Match[str]) -> str:
    return next(g for g in match.groups() if g).lower()


def _neighbour(utterances: Sequence[Utterance], index: int, step: int) -> str | None:
    """The voice that speaks next (or spoke before), other than this one, within two utterances."""
    mine = utterances[index].speaker
    for distance in (1, 2):
        position = index + step * distance
        if 0 <= position < len(utterances) and utterances[position].speaker != mine:
            return utterances[position].speaker
    return None


def _first_names(candidates: Sequence[Candidate]) -> dict[str, str]:
    """First names and nicknames that mean exactly one candidate, in lower case."""
    meant: dict[str, set[str]] = {}
    for candidate in candidates:
        for name in {candidate.name.split()[0] if candidate.name.split() else "", candidate.nickname}:
            if len(name) > 1:
                meant.setdefault(name.lower(), set()).add(candidate.username)
    return {name: next(iter(who)) for name, who in meant.items() if len(who) == 1}


# What Calls wrote down


def transcript_evidence(
    utterances: Sequence[Utterance], candidates: Sequence[Candidate], cues: Sequence[CallsCue]
) -> Mapping[tuple[str, str], float]:
    """Log-odds of (voice, username) from the share of the voice's time that lies under the account's cues."""
    by_name: dict[str, set[str]] = {}
    for candidate in candidates:
        for name in {candidate.name, candidate.username, candidate.nickname}:
            if name:
                by_name.setdefault(_bare(name), set()).add(candidate.username)
    shared: defaultdict[tuple[str, str], float] = defaultdict(float)
    total: defaultdict[str, float] = defaultdict(float)
    for cue in cues:
        who = by_name.get(_bare(cue.name), set())
        for utterance in utterances:
            seconds = min(cue.end, utterance.end) - max(cue.start, utterance.start)
            if seconds > 0:
                total[utterance.speaker] += seconds
                if len(who) == 1:
                    shared[utterance.speaker, next(iter(who))] += seconds
    evidence: defaultdict[tuple[str, str], float] = defaultdict(float)
    for (label, username), seconds in shared.items():
        # Little common time says little: full weight from ten seconds on.
        weight = TRANSCRIPT * min(1.0, math.sqrt(total[label] / 10.0))
        evidence[label, username] = weight * seconds / total[label]
    return evidence


def _bare(name: str) -> str:
    """A name without what Calls takes out of it: letters and digits alone, lower case."""
    return "".join(c for c in name.casefold() if c.isalnum())
