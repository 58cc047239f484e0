"""Whose voice stands for a reader in a conversation: their own, or of those who talk of their field.

Somebody who was not there is best served by what the colleague of their field said. Which voice that is shows in what
each talks about, compared with what they talk about for everyone else, and in how people introduce themselves.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from math import log
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from meetings.conversation import Speaker
from meetings.people import Persona, load_profiles
from meetings.people.profiles import roles_with_term
from meetings.people.terms import terms, words

if TYPE_CHECKING:
    from meetings.summary.evidence import Talk

Floats = NDArray[np.float64]

# Softmax over how much each voice talks of the reader's business. Chosen on the QMSum product meetings for training:
# the right one of four voices is the likeliest for .76 of the readers, .69 if readers are not compared with each other.
SHARPNESS = 4.0
# What a likeness of meaning weighs beside a logarithm of named terms.
MEANING = 10.0
# A voice that says it holds the reader's position, in the same measure.
INTRODUCED = 1.5
# Somebody who says two words is not known by them: this many words of nothing are added to each voice.
_UNSAID = 30.0
_SOME = 0.05

SAID_OF_THEMSELVES = frozenset({"position", "about", "interest", "profile"})

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


def usual_business(talk: Talk, personas: Sequence[Persona], interests: Sequence[NDArray[np.float32]]) -> Floats:
    """How much each voice, in the order of `talk.voices`, talks of anybody's business: of the readers', of any role's.

    Of the readers only what they say of themselves counts: their posts and channels are for their own summary.

    Args:
        talk: the prepared conversation.
        personas: all readers.
        interests: vectors of the ingredients of each.
    """
    # What roles have in common by meaning is taken off in `closeness` already.
    roles = [_by_terms(talk, weights) for weights in _role_terms()]
    readers = []
    for persona, vectors in zip(personas, interests, strict=True):
        own = [row for row, i in enumerate(persona.ingredients) if i.source in SAID_OF_THEMSELVES]
        readers.append(_business(talk, persona.own_terms, vectors[own]))
    usual: Floats = (np.mean(readers or roles, axis=0) + np.mean(roles, axis=0)) / 2
    return usual


@lru_cache(maxsize=1)
def _role_terms() -> tuple[Mapping[str, float], ...]:
    return tuple(
        {s: 0.6 / roles_with_term(s) ** 0.5 for t in profile.terms for s in terms(t)} for profile in load_profiles()
    )


def likely_voices(talk: Talk, persona: Persona, interests: NDArray[np.float32], usual: Floats) -> Floats:
    """For each utterance the chance that its voice is the one that speaks of the reader's business."""
    score = SHARPNESS * (_business(talk, persona.terms, interests) - usual + INTRODUCED * _introduced(talk, persona))
    share = np.exp(score - score.max())
    share /= share.sum()
    place = {voice: n for n, voice in enumerate(talk.voices)}
    return np.array([share[place[s]] for s in talk.speakers])


def _business(talk: Talk, weights: Mapping[str, float], interests: NDArray[np.float32]) -> Floats:
    """How much each voice talks of these terms and, by meaning, of these interests; 0 is the mean over the voices."""
    talked = np.log1p(talk.turn_words)
    alike = _rates(talk, closeness(talk.turn_vectors, talk.turn_general, interests) * talked)
    business: Floats = _by_terms(talk, weights) + MEANING * (alike - alike.mean())
    return business


def _by_terms(talk: Talk, weights: Mapping[str, float]) -> Floats:
    rates = np.log(_SOME + _rates(talk, bm25(talk, weights)))
    centred: Floats = rates - rates.mean()
    return centred


def _rates(talk: Talk, values: Floats) -> Floats:
    """The sum of what each voice's utterances are worth, for how much the voice says."""
    number = {voice: n for n, voice in enumerate(talk.voices)}
    voices = [number[s] for s in talk.speakers]
    count = len(talk.voices)
    talked = np.bincount(voices, weights=np.log1p(talk.turn_words), minlength=count)
    rates: Floats = np.bincount(voices, weights=values, minlength=count) / (talked + _UNSAID)
    return rates


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


def closeness(vectors: NDArray[np.float32], general: NDArray[np.float32], interests: NDArray[np.float32]) -> Floats:
    """The mean of the three closest interests, above what the text has in common with every role."""
    if not len(interests):
        return np.zeros(len(vectors))
    similar = vectors @ interests.T
    closest = np.sort(similar, axis=1)[:, -3:].mean(axis=1)
    above: Floats = (closest - general).astype(np.float64)
    return above
