"""Voices get names, where that can be known; else they stay "Speaker 2".

Every signal adds to a log-odds for a pair of voice and person: the transcript that Calls made from each account's own
track, voiceprints of people who agreed, when people joined, what is said. Voices of one person are joined first; then
all pairs are weighed as one assignment, each voice somebody or nobody and each person one voice at most, and a name is
given only if its probability passes the bar. A wrong name is worse than none. What a human answered stands above all.
All functions are pure.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from meetings.conversation import Speaker, Utterance
from meetings.speech.calls_transcript import Shares, transcript_evidence, transcript_shares
from meetings.speech.candidates import Candidate
from meetings.speech.clocks import CallsCue
from meetings.speech.diarization import Voice
from meetings.speech.talk import talk_evidence
from meetings.speech.voices import (
    SAME_ACCOUNT,
    SAME_PRINT,
    TOO_LITTLE,
    Voiceprint,
    mean_voice,
    similarity,
    voice_evidence,
)

BAR = 0.9  # probability below which a voice stays unnamed
NOBODY = 2.0  # log-odds that a voice is someone else, before any evidence
NOT_YET_THERE = -30.0  # nobody is heard before they came
EARLY = 2.0  # seconds before joining that clocks and turns may be off
TELLS = 1.0  # log-odds from which a signal is said to have given the name
ALIKE = 0.6  # similarity of two voices that one print fits, below which the print fits one of them by chance
HEARD_BEFORE = 6.0  # log-odds of who was known by voice once, when the voice itself is no longer kept
DISAGREES = 4.0  # log-odds by which one signal may prefer somebody else before the name is dropped
SURE = 0.9999  # only a human is surer
_LIMIT = 30.0  # beyond this, more evidence changes nothing a float could hold


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a human said of a voice: whose it is (`username`), a guest's `name`, or, with neither, that nobody knows."""

    speaker: str
    username: str | None = None
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Naming:
    """A `Speaker` for each person heard, in order of appearance; `joined` maps every label to its speaker's id."""

    speakers: tuple[Speaker, ...]
    joined: Mapping[str, str] = field(default_factory=dict)

    def relabel(self, utterances: Sequence[Utterance]) -> tuple[Utterance, ...]:
        """The same utterances, each under its speaker."""
        return tuple(_under(u, self.joined.get(u.speaker, u.speaker)) for u in utterances)

    def usernames(self) -> dict[str, str]:
        """Each label that was given to an account."""
        return {label: s.username for s in self.speakers if s.username for label in (s.id, *s.joined)}

    def by_voice(self) -> dict[str, str]:
        """Each label whose name stands on a voiceprint, among other things."""
        known = {s.id for s in self.speakers if "voice" in s.how.split("+")}
        return {label: who for label, who in self.usernames().items() if self.joined.get(label, label) in known}


def name_speakers(
    utterances: Sequence[Utterance],
    candidates: Sequence[Candidate],
    *,
    calls_cues: Sequence[CallsCue] = (),
    voices: Sequence[Voice] = (),
    prints: Sequence[Voiceprint] = (),
    heard_before: Mapping[str, str] | None = None,
    answers: Sequence[Answer] = (),
) -> Naming:
    """Name each voice where it can be known.

    Args:
        utterances: in order; `speaker` is the voice's label.
        candidates: those who may be named; nobody else is, but by a human.
        calls_cues: the transcript of Calls, if there is one.
        voices: what the voices sound like.
        prints: what people sound like who agreed to be known by it.
        heard_before: labels that were known by their voice when it was still kept, with their usernames.
        answers: what a human said.
    """
    labels = list(dict.fromkeys(u.speaker for u in utterances))
    known = {c.username for c in candidates}
    sounds = {v.speaker: v for v in voices if v.speaker in labels}
    prints = [p for p in prints if p.username in known]
    told = {a.speaker: a for a in answers if a.speaker in labels}
    shares = transcript_shares(utterances, candidates, calls_cues) if calls_cues else None
    joined = _join(labels, sounds, prints, shares, told)
    utterances = [_under(u, joined[u.speaker]) for u in utterances]
    if shares is not None and len(set(joined.values())) < len(labels):
        shares = transcript_shares(utterances, candidates, calls_cues)
    groups = _groups(joined)
    sounds = {
        head: mean_voice(head, members)
        for head, group in groups.items()
        if (members := [sounds[label] for label in group if label in sounds])
    }
    told = {joined[label]: answer for label, answer in told.items()}
    signals = {
        "transcript": transcript_evidence(shares) if shares is not None else {},
        "voice": {
            **voice_evidence(sounds, prints),
            **{(joined[label], who): HEARD_BEFORE for label, who in (heard_before or {}).items() if label in joined},
        },
        "talk": talk_evidence(utterances, candidates),
        "presence": _presence(utterances, candidates),
    }
    free = [head for head in groups if head not in told]
    taken = {a.username for a in told.values()}
    open_to = [c for c in candidates if c.username not in taken]
    found = _assign(free, open_to, signals)
    numbers = {label: number for number, label in enumerate(labels, start=1)}
    by_name = {c.username: c.name for c in candidates}
    return Naming(
        speakers=tuple(
            _answered(head, numbers[head], told[head], by_name, group[1:])
            if head in told
            else replace(found.get(head, Speaker(id=head, name=f"Speaker {numbers[head]}")), joined=tuple(group[1:]))
            for head, group in groups.items()
        ),
        joined=joined,
    )


def _under(utterance: Utterance, speaker: str) -> Utterance:
    return utterance if utterance.speaker == speaker else replace(utterance, speaker=speaker)


def _answered(head: str, number: int, answer: Answer, names: Mapping[str, str], others: Sequence[str]) -> Speaker:
    name = answer.name or names.get(answer.username or "", "") or answer.username or f"Speaker {number}"
    sure = 1.0 if answer.username or answer.name else 0.0
    return Speaker(id=head, name=name, username=answer.username, confidence=sure, how="given", joined=tuple(others))


def _assign(
    labels: Sequence[str],
    candidates: Sequence[Candidate],
    signals: Mapping[str, Mapping[tuple[str, str], float]],
) -> dict[str, Speaker]:
    """The voices that somebody's name passes the bar for."""
    if not labels or not candidates:
        return {}
    odds = [
        [math.fsum(s.get((label, c.username), 0.0) for s in signals.values()) for c in candidates] for label in labels
    ]
    named = {}
    for label, row in zip(labels, assignment_probabilities(odds), strict=True):
        for candidate, probability in zip(candidates, row, strict=True):
            if probability < BAR:
                continue
            pair = (label, candidate.username)
            if any(_speaks_for_another(s, pair, candidates) for s in signals.values()):
                continue
            how = [name for name, s in signals.items() if s.get(pair, 0.0) >= TELLS]
            named[label] = Speaker(
                id=label,
                name=candidate.name or candidate.username,
                username=candidate.username,
                confidence=min(SURE, probability),
                how="+".join(how or [max(signals, key=lambda name: signals[name].get(pair, 0.0))]),
            )
    return named


def _speaks_for_another(
    signal: Mapping[tuple[str, str], float], pair: tuple[str, str], candidates: Sequence[Candidate]
) -> bool:
    """Whether one signal clearly says somebody else: of two that disagree, nobody knows which is wrong."""
    label, username = pair
    others = max((signal.get((label, c.username), 0.0) for c in candidates if c.username != username), default=0.0)
    return others - signal.get(pair, 0.0) >= DISAGREES and others >= TELLS


def assignment_probabilities(odds: Sequence[Sequence[float]]) -> list[list[float]]:
    """For each voice and person, how probable it is that they belong together.

    An assignment gives each voice one person or nobody, and each person one voice or none; its weight is the product
    of its pairs' odds. The probability of a pair is its share of the weight of all assignments, found by belief
    propagation on the pairs (Bayati et al. 2007, "Bayesian inference with monomer-dimer models": for such matchings
    it has one fixed point; damping in the logarithm lets it be reached where two assignments are as good).

    Args:
        odds: log-odds (voices, persons) from the evidence; `NOBODY` is taken off here.
    """
    import numpy as np

    weights = np.exp(np.clip(np.array(odds, dtype=np.float64) - NOBODY, -_LIMIT, _LIMIT))
    # Messages: how free the other side is for this pair, were the pair not there.
    voice_free = np.ones_like(weights)
    person_free = np.ones_like(weights)
    for _ in range(500):
        before = voice_free
        wanted = weights * person_free
        voice_free = np.sqrt(voice_free / (1.0 + wanted.sum(axis=1, keepdims=True) - wanted).clip(min=1.0))
        wanted = weights * voice_free
        person_free = np.sqrt(person_free / (1.0 + wanted.sum(axis=0, keepdims=True) - wanted).clip(min=1.0))
        if np.abs(np.log(voice_free) - np.log(before)).max() < 1e-9:
            break
    together = weights * voice_free * person_free
    probable = together / (1.0 + together)
    # Where evidence is strong and two assignments are as good, the messages are still on their way: no voice and no
    # person is shared out more than once all the same.
    shared = np.maximum(probable.sum(axis=1, keepdims=True), probable.sum(axis=0, keepdims=True))
    result: list[list[float]] = (probable / shared.clip(min=1.0)).tolist()
    return result


def _presence(utterances: Sequence[Utterance], candidates: Sequence[Candidate]) -> Mapping[tuple[str, str], float]:
    """Nobody is a voice that speaks before they came; a stray second of a label is not held against them."""
    evidence = {}
    spoken: defaultdict[str, float] = defaultdict(float)
    for u in utterances:
        spoken[u.speaker] += u.end - u.start
    for candidate in candidates:
        if candidate.joined_at is None:
            continue
        before: defaultdict[str, float] = defaultdict(float)
        for u in utterances:
            before[u.speaker] += max(0.0, min(u.end, candidate.joined_at - EARLY) - u.start)
        for label, seconds in before.items():
            if seconds > min(EARLY, spoken[label] / 4):
                evidence[label, candidate.username] = NOT_YET_THERE
    return evidence


# One person under two labels


def _join(
    labels: Sequence[str],
    sounds: Mapping[str, Voice],
    prints: Sequence[Voiceprint],
    shares: Shares | None,
    told: Mapping[str, Answer],
) -> dict[str, str]:
    """Each label's speaker: the first label of the same person."""
    joined: dict[str, str] = {}
    for label in labels:
        group = next(
            (
                head
                for head, members in _groups(joined).items()
                if all(_same_person(label, other, sounds, prints, shares, told) for other in members)
            ),
            label,
        )
        joined[label] = group
    return joined


def _groups(joined: Mapping[str, str]) -> dict[str, list[str]]:
    groups: dict[str, list[str]] = {}
    for label, head in joined.items():
        groups.setdefault(head, []).append(label)
    return groups


def _same_person(
    one: str,
    other: str,
    sounds: Mapping[str, Voice],
    prints: Sequence[Voiceprint],
    shares: Shares | None,
    told: Mapping[str, Answer],
) -> bool:
    """Whether two labels are surely one person: a human said so, one print, or one account and one sound."""
    if one in told or other in told:
        ours, theirs = told.get(one), told.get(other)
        if ours is None or theirs is None or (ours.username, ours.name) != (theirs.username, theirs.name):
            return False
        if ours.username or ours.name:
            return True
    if one not in sounds or other not in sounds:
        return False
    voices = (sounds[one], sounds[other])
    if min(v.seconds for v in voices) < TOO_LITTLE:
        return False
    near = similarity(voices[0].embedding, voices[1].embedding)
    if any(min(similarity(v.embedding, p.embedding) for v in voices) >= SAME_PRINT for p in prints):
        return near >= ALIKE
    account = shares.account_of(one) if shares is not None else None
    return account is not None and shares is not None and account == shares.account_of(other) and near >= SAME_ACCOUNT
