"""How well what is written fits what somebody wants to hear of: a number in [0, 1] from words and meaning.

An interest is a phrase, as "the parser release". A passage is a sentence with what stands around it: the rest of its
post, what was written before it in its thread, the name of its channel. Half of the number is what the phrase names:
words that are there count by how rare they are, and where; what is missing of the phrase is looked for by its meaning
alone, so that a name that is there does not speak for the rest. The other half is the meaning of the whole, which
counts for less where much of the phrase is missing. Meanings are compared with those of what is usually written here,
since some phrases are close to everything.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import log

import numpy as np
from numpy.typing import NDArray

from meetings.alerts.usual import SENTENCES
from meetings.llm import TextEmbedder
from meetings.people.terms import WEAK, stem, terms, words

Vectors = NDArray[np.float32]

# What a word of the phrase counts for by where it was found.
IN_SENTENCE, IN_POST, IN_THREAD, IN_CHANNEL = 1.0, 0.85, 0.75, 0.7
# Standard deviations above what is usual at which a meaning counts in full.
FULL = 6.0
# Before anything was read a word weighs as any other; afterwards a new one as one of so many sentences.
PRIOR = 20.0
WEAK_SHARE = 0.5  # of words that name no subject
MOST = 600  # vectors of what is usually written that are kept
# Of what the phrase says so much has to be there, in one way or another, for the meaning of the whole to count in full.
ENOUGH = 0.75
# The least deviations of cosines with sentences and with their surroundings: a sample that is all of a kind has less
# (the lowest twentieth of 65 phrases in a generated company had so little).
DEVIATION, DEVIATION_AROUND = 0.075, 0.08
# Until so much of a company was read the least ones are larger by this: what its words are close to is not known yet.
READ, UNREAD = 200, 0.04
REACH = 200  # characters of a thread's beginning that stand before a post


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """A sentence and what stands around it.

    `post` is the whole post, `before` what was written earlier in its thread, `channel` how its channel is called.
    """

    sentence: str
    post: str = ""
    before: str = ""
    channel: str = ""

    @property
    def around(self) -> str:
        """The thread's beginning and the post, as one text of which the model sees the first words."""
        return f"{self.before[:REACH]} {self.post or self.sentence}".strip()


class Background:
    """What is usually written: in how many sentences each term was, and a sample of meanings. In memory alone.

    Begins with what is written in any company (`meetings.alerts.usual`).
    """

    def __init__(self, embedder: TextEmbedder) -> None:
        self._seen: Counter[str] = Counter()
        self._count = 0
        self._sentences: list[Vectors] = []
        self._around: list[Vectors] = []
        usual = [Passage(sentence=s) for s in SENTENCES]
        self.add(usual, *embed_passages(usual, embedder))

    @property
    def age(self) -> int:
        """Changes when the sample has become another."""
        return min(self._count, MOST) // 100 + self._count // MOST

    def add(self, passages: Sequence[Passage], vectors: Vectors, around: Vectors) -> None:
        """Count passages, whose sentences and surroundings have these vectors."""
        for passage, one, other in zip(passages, vectors, around, strict=True):
            self._seen.update(set(terms(passage.sentence)))
            if len(self._sentences) < MOST:
                self._sentences.append(one)
                self._around.append(other)
            else:
                self._sentences[self._count % MOST], self._around[self._count % MOST] = one, other
            self._count += 1

    def weight(self, term: str) -> float:
        """How much a term says: 1 and more the rarer it is, less if it names no subject."""
        weight = 1.0 + log((self._count + PRIOR) / (self._seen[term] + PRIOR))
        return weight * (WEAK_SHARE if term in WEAK else 1.0)

    def usual(self, phrases: Vectors) -> tuple[Vectors, Vectors, Vectors, Vectors]:
        """Of each phrase the mean and deviation of its cosines with sentences, and with their surroundings."""
        near, around = np.stack(self._sentences) @ phrases.T, np.stack(self._around) @ phrases.T
        more = UNREAD if self._count < READ else 0.0
        one, other = _deviation(near, DEVIATION + more), _deviation(around, DEVIATION_AROUND + more)
        return near.mean(0), one, around.mean(0), other


def key_words(phrase: str) -> dict[str, str]:
    """The terms of a phrase, with the words they come from; all words, if none is a term.

    >>> key_words("the parser release")
    {'parser': 'parser', 'releas': 'release'}
    """
    found = {stem(w): w for w in words(phrase)}
    return {t: found.get(t, t) for t in terms(phrase)} or found


def embed_passages(passages: Sequence[Passage], embedder: TextEmbedder) -> tuple[Vectors, Vectors]:
    """The vectors of sentences, and of them with what stands around them: once, for everybody's phrases."""
    return embedder.embed([p.sentence for p in passages]), embedder.embed([p.around for p in passages])


class Phrases:
    """Everybody's phrases, made ready once: a passage is compared with all of them by one product of matrices.

    Args:
        texts: the phrases, each once.
        embedder: sentence embeddings.
        background: what is usually written.
    """

    def __init__(self, texts: Sequence[str], embedder: TextEmbedder, background: Background) -> None:
        self.texts = tuple(texts)
        self._embedder = embedder
        self._background = background
        self._keys = [key_words(t) for t in self.texts]
        self._stems = sorted({s for keys in self._keys for s in keys})
        self._vectors = embedder.embed(list(self.texts))
        self._parts: dict[tuple[int, frozenset[str]], Vectors] = {}
        self._age = -1

    def scores(self, passages: Sequence[Passage], vectors: Vectors, around: Vectors, *, least: float = 0.0) -> Vectors:
        """How well each passage fits each phrase; a row a passage, a column a phrase.

        Args:
            passages: what was written.
            vectors: of their sentences.
            around: of them with what stands around them (`embed_passages`).
            least: numbers below this need not be exact, and are not above it.
        """
        if not passages or not self.texts:
            return np.zeros((len(passages), len(self.texts)), dtype=np.float32)
        self._refresh()
        found = self._words_in(passages)
        named = found @ self._shares
        near = _steps(vectors @ self._vectors.T, self._usual[0], self._usual[1])
        whole = _steps(around @ self._vectors.T, self._usual[2], self._usual[3])
        rest = np.maximum(near, whole)
        # Where some of a phrase is there, what is missing is looked for by itself.
        partly = (named > 0) & (named < 0.999) & (1.0 + whole >= 2 * least)
        for number, place in zip(*np.nonzero(partly), strict=True):
            keys = self._keys[place]
            missing = frozenset(s for s in keys if not found[number, self._places[s]])
            if not missing:
                rest[number, place] = 0.0
            elif len(missing) < len(keys):
                part, usual = self._part(int(place), missing)
                rest[number, place] = max(
                    _step(float(vectors[number] @ part), usual[0], usual[1]),
                    _step(float(around[number] @ part), usual[2], usual[3]),
                )
        there = named + (1.0 - named) * rest
        # Of a phrase that is not named at all nothing speaks for the rest.
        counts = np.where(named > 0, np.minimum(1.0, there / ENOUGH), 1.0)
        scores: Vectors = ((there + whole * counts) / 2).astype(np.float32)
        return scores

    def _refresh(self) -> None:
        """Weigh words and meanings anew when what is usual has changed."""
        if self._age == self._background.age:
            return
        self._age = self._background.age
        self._parts = {}
        self._usual = self._background.usual(self._vectors)
        self._places = {s: n for n, s in enumerate(self._stems)}
        self._shares = np.zeros((len(self._stems), len(self.texts)), dtype=np.float32)
        for place, keys in enumerate(self._keys):
            weights = {s: self._background.weight(s) for s in keys}
            for s, weight in weights.items():
                self._shares[self._places[s], place] = weight / sum(weights.values())

    def _words_in(self, passages: Iterable[Passage]) -> Vectors:
        """How much of each stem is in each passage."""
        rows = []
        for passage in passages:
            row = np.zeros(len(self._stems), dtype=np.float32)
            for text, worth in (
                (passage.channel, IN_CHANNEL),
                (passage.before, IN_THREAD),
                (passage.post, IN_POST),
                (passage.sentence, IN_SENTENCE),
            ):
                for s in {stem(w) for w in words(text)}:
                    if s in self._places:
                        row[self._places[s]] = worth
            rows.append(row)
        return np.stack(rows)

    def _part(self, place: int, missing: frozenset[str]) -> tuple[Vectors, tuple[float, float, float, float]]:
        """The vector of what is missing of a phrase, and what is usual for it."""
        known = self._parts.get((place, missing))
        if known is None:
            text = " ".join(w for w in words(self.texts[place]) if stem(w) in missing)
            vector = self._embedder.embed([text])
            usual: Vectors = np.array([u[0] for u in self._background.usual(vector)], dtype=np.float32)
            known = np.concatenate([vector[0], usual])
            self._parts[place, missing] = known
        mean, deviation, mean_around, deviation_around = (float(x) for x in known[-4:])
        return known[:-4], (mean, deviation, mean_around, deviation_around)


def _deviation(cosines: Vectors, least: float) -> Vectors:
    """The standard deviation of each column."""
    found: Vectors = np.maximum(cosines.std(0), np.float32(least))
    return found


def _steps(cosines: Vectors, mean: Vectors, deviation: Vectors) -> Vectors:
    """Cosines as shares of `FULL` deviations above what is usual."""
    shares: Vectors = np.clip((cosines - mean) / deviation / FULL, 0.0, 1.0).astype(np.float32)
    return shares


def _step(cosine: float, mean: float, deviation: float) -> float:
    return min(1.0, max(0.0, (cosine - mean) / deviation / FULL))
