"""Whose voice stands for a reader in a conversation: their own, or of those who talk of their field.

Somebody who was not there is best served by what the colleague of their field said. Which voice that is shows in what
each talks about, compared with what they talk about for everyone else, and in how people introduce themselves.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from math import log
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from meetings.conversation import Speaker
from meetings.people import Persona, build_persona, load_profiles
from meetings.people.profiles import roles_with_term
from meetings.people.terms import terms, words

if TYPE_CHECKING:
    from meetings.summary.evidence import Talk

Floats = NDArray[np.float64]

# Softmax over how much each voice talks of the reader's business. Chosen on the QMSum product meetings for training:
# the right one of four voices is the likeliest for .73 of readers, .65 if readers are not compared with each other.
SHARPNESS = 3.0
# A voice that says it holds the reader's position, in the same measure.
INTRODUCED = 1.5
# Somebody who says two words is not known by them: this many words of nothing are added to each voice.
_UNSAID = 30.0
_SOME = 0.05

_K1, _B = 1.2, 0.5  # BM25, with little normalisation: turns are short


def own_voices(persona: Persona, speakers: Sequence[Speaker]) -> frozenset[str]:
    """The ids of the speakers who are this reader."""
    person = persona.person
    names = {_plain(n) for n in (person.speaks_as, person.name) if n}
    return frozenset(
        s.id for s in speakers if (s.username == person.username if s.username else _plain(s.name) in names)
    )


def _plain(name: str) -> str:
    return " ".join(words(name))


def usual_business(talk: Talk, personas: Iterable[Persona]) -> Floats:
    """How much each voice, in the order of `talk.voices`, talks of anybody's business: of the readers', of any role's.

    Of the other readers only what they say of themselves counts: their posts and channels are for their own summary.
    """
    readers = [_business(talk, build_persona(p.person).terms) for p in personas]
    roles = [_business(talk, weights) for weights in _role_terms()]
    everyone = readers or roles
    usual: Floats = (np.mean(everyone, axis=0) + np.mean(roles, axis=0)) / 2
    return usual


@lru_cache(maxsize=1)
def _role_terms() -> tuple[Mapping[str, float], ...]:
    return tuple(
        {s: 0.6 / roles_with_term(s) ** 0.5 for t in profile.terms for s in terms(t)} for profile in load_profiles()
    )


def likely_voices(talk: Talk, persona: Persona, usual: Floats) -> Floats:
    """For each utterance the chance that its voice is the one that speaks of the reader's business."""
    score = SHARPNESS * (_business(talk, persona.terms) - usual) + INTRODUCED * SHARPNESS * _introduced(talk, persona)
    share = np.exp(score - score.max())
    share /= share.sum()
    place = {voice: n for n, voice in enumerate(talk.voices)}
    return np.array([share[place[s]] for s in talk.speakers])


def _business(talk: Talk, weights: Mapping[str, float]) -> Floats:
    """How much each voice talks of these terms, as a logarithm, with a mean of 0 over the voices."""
    named, talked = bm25(talk, weights), np.log1p(talk.turn_words)
    of = {voice: [i for i, s in enumerate(talk.speakers) if s == voice] for voice in talk.voices}
    rate = np.log([_SOME + named[of[v]].sum() / (talked[of[v]].sum() + _UNSAID) for v in talk.voices])
    centred: Floats = rate - rate.mean()
    return centred


def _introduced(talk: Talk, persona: Persona) -> Floats:
    """How often, up to twice, each voice says `I'm the POSITION` of the reader."""
    told = dict.fromkeys(talk.voices, 0.0)
    position = [re.escape(w) for w in words(persona.person.position)]
    if position:
        says = re.compile(
            r"\b(?:i'm|i am|i(?:'ll| will) be|as)\s+(?:[\w']+\s+){0,3}?" + r"\W+".join(position) + r"\b", re.IGNORECASE
        )
        for statement in talk.statements:
            voice = talk.speakers[statement.turn]
            if says.search(statement.text):
                told[voice] = min(2.0, told[voice] + 1.0)
    return np.array([told[v] for v in talk.voices])


def bm25(talk: Talk, weights: Mapping[str, float]) -> Floats:
    """How much each utterance names weighted terms, those most that are rare in the conversation."""
    count = len(talk.speakers)
    scores = np.zeros(count)
    average = max(1.0, float(talk.turn_terms.mean())) if count else 1.0
    for term, weight in weights.items():
        found = talk.postings.get(term, ())
        rarity = log(1 + count / (len(found) + 0.5))
        for turn, times in found:
            length = 1 - _B + _B * talk.turn_terms[turn] / average
            scores[turn] += weight * rarity * times * (_K1 + 1) / (times + _K1 * length)
    return scores
