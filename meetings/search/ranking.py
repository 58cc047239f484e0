"""Which passages a query is about, for one reader: by words (BM25), by meaning (cosine), and both together.

Who may read what comes first. Passages that the reader may not see are no part of any count: how rare a word is, how
long passages are and how many there are is reckoned over what they may read, so that the same question brings the same
answer whatever else lies in the index.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from meetings.search.index import Index
from meetings.search.query import Query
from meetings.search.shelf import Shelf

# Robertson and Zaragoza, The Probabilistic Relevance Framework: BM25 and Beyond (2009): the usual values.
K1 = 1.2
B = 0.75
# What meaning is worth beside words, of 1: chosen on meetings and a company of which no figure is reported
# (scripts/bench/search.py). Anything from 0.3 to 0.5 does as well.
MEANING = 0.4
DEEP = 200  # places of each list that are looked at
# A passage whose cosine to the query is lower is about something else (scripts/bench/search.py).
NEAR = 0.30
# Rows that are turned into floats at once: more would not stay in the processor's cache.
BLOCK = 1024

Floats = NDArray[np.float32]
Rows = NDArray[np.int64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranked:
    """Passages, the best first: rows of a shelf and their scores."""

    rows: Rows
    scores: Floats


def rank(index: Index, shelf: Shelf, query: Query, vector: Floats | None, readable: Mask) -> Ranked:
    """The passages that a query is about, both ways together.

    Args:
        index: where the words stand.
        shelf: all passages.
        query: what is looked for.
        vector: its meaning; None: by words alone.
        readable: the passages that may be found at all.
    """
    lexical, holding = by_words(index, shelf, query, readable)
    allowed = readable if holding is None else holding
    if vector is None:
        return best(lexical, allowed)
    return fuse(lexical, by_meaning(shelf, vector, allowed), allowed)


def by_words(index: Index, shelf: Shelf, query: Query, readable: Mask) -> tuple[Floats, Mask | None]:
    """BM25 of every row, over what is readable; and where all phrases stand, None if there are none."""
    scores = np.zeros(len(readable), dtype=np.float32)
    count = int(readable.sum())
    holding: Mask | None = None
    if not count:
        return scores, readable if query.phrases else None
    average = max(1.0, float(shelf.lengths[readable].mean()))
    weight = K1 * (1 - B + B * shelf.lengths / average)

    def add(rows: Rows) -> None:
        found, times = np.unique(rows, return_counts=True)
        scores[found] += _rarity(len(found), count) * times * (K1 + 1) / (times + weight[found])

    for term in query.terms:
        add(_rows(index.places(term), shelf, readable) >> 16)
    for prefix in query.prefixes:
        add(_rows(index.places_of_beginning(prefix), shelf, readable) >> 16)
    for phrase in query.phrases:
        rows = _phrase([_rows(index.places(t), shelf, readable) for t in phrase]) >> 16
        add(rows)
        there = np.zeros(len(readable), dtype=np.bool_)
        there[rows] = True
        holding = there if holding is None else holding & there
    return scores, holding


def by_meaning(shelf: Shelf, vector: Floats, readable: Mask) -> Floats:
    """Cosine of every row, exactly: only vectors of readable passages are looked at, all others have 0."""
    scores = np.zeros(len(readable), dtype=np.float32)
    for begin, end in _runs(readable):
        for at in range(begin, end, BLOCK):
            rows = slice(at, min(end, at + BLOCK))
            scores[rows] = (shelf.vectors[rows].astype(np.float32) @ vector) * shelf.scales[rows]
    return scores


def fuse(lexical: Floats, semantic: Floats, readable: Mask) -> Ranked:
    """Both as one: a weighted sum, each brought to the same size by its best of this query.

    Each is measured from the least that it can be (BM25: 0, a cosine: -1), after Bruch, Gai and Ingber (ACM TOIS 2023,
    "An Analysis of Fusion Functions for Hybrid Retrieval"). Places in two lists, as reciprocal rank fusion adds them,
    forget by how much the first is ahead: where a question repeats the words of its answer, that cost a tenth of the
    answers that words alone find.
    """
    near = np.where(semantic >= NEAR, semantic, 0.0).astype(np.float32)
    # What one way finds has a place in the other's list, too, however far down.
    found = np.union1d(best(lexical, readable).rows, best(near, readable).rows)
    if not len(found):
        return Ranked(rows=found, scores=np.zeros(0, np.float32))
    said, meant = lexical[found], semantic[found] + 1.0
    worth = (1 - MEANING) * said / max(float(said.max()), 1e-9) + MEANING * meant / max(float(meant.max()), 1e-9)
    order = np.lexsort((found, -worth))
    return Ranked(rows=found[order], scores=worth[order].astype(np.float32))


def rarity(index: Index, shelf: Shelf, term: str, readable: Mask) -> float:
    """How rare a stem is among readable passages, from 0 (it stands in all) to 1 (in none)."""
    count = int(readable.sum())
    found = len(np.unique(_rows(index.places(term), shelf, readable) >> 16))
    return _rarity(found, count) / _rarity(0, count)


def _rarity(found: int, count: int) -> float:
    return math.log(1 + (count - found + 0.5) / (found + 0.5))


def best(scores: Floats, readable: Mask) -> Ranked:
    """The first `DEEP` readable rows that have any score; of equals, those that were said first."""
    rows = np.flatnonzero((scores > 0) & readable)
    if len(rows) > DEEP:
        # Of equals the first: all that reach the lowest score that counts are sorted.
        rows = rows[scores[rows] >= np.partition(scores[rows], len(rows) - DEEP)[len(rows) - DEEP]]
    rows = rows[np.lexsort((rows, -scores[rows]))][:DEEP]
    return Ranked(rows=rows, scores=scores[rows])


def _rows(places: Iterable[tuple[int, NDArray[np.uint16]]], shelf: Shelf, readable: Mask) -> Rows:
    """Places as (row << 16) + word, in order; of readable passages alone."""
    found = []
    for number, at in places:
        meeting = shelf.places.get(number)
        if meeting is None:
            continue  # came after the shelf was loaded
        rows = shelf.first[meeting] + at[:, 0].astype(np.int64)
        if not readable[rows[0]] and not readable[shelf.first[meeting] : shelf.first[meeting + 1]].any():
            continue
        found.append(((rows << 16) + at[:, 1])[readable[rows]])
    return np.sort(np.concatenate(found)) if found else np.zeros(0, dtype=np.int64)


def _phrase(places: Sequence[Rows]) -> Rows:
    """Where words stand one after the other: places of the first."""
    found = places[0]
    for offset, rows in enumerate(places[1:], start=1):
        found = found[np.isin(found + offset, rows)]
    return found


def _runs(mask: Mask) -> Iterator[tuple[int, int]]:
    """Where a mask is true, as (begin, end)."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], mask.view(np.int8), [0]])))
    yield from zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)
