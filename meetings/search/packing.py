"""How the index writes what it holds: vectors of one byte a dimension, places as numbers, passages compressed."""

from __future__ import annotations

import json
import zlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from meetings.people.terms import stem, words
from meetings.search.passages import Part, Passage
from meetings.search.shelf import Card

MOST_PLACES = 65_535


def read_places(rows: Iterable[Any]) -> Iterator[tuple[int, NDArray[np.uint16]]]:
    """Where a stem stands, of rows (number of a meeting, places): rows of (passage, word)."""
    for number, at in rows:
        yield int(number), np.frombuffer(at, "<u2").reshape(-1, 2)


def quantised(vectors: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.int8]]:
    """One byte a dimension, by the largest of each vector."""
    if not len(vectors):
        return np.zeros(0, np.float32), np.zeros((0, 0), np.int8)
    scales = np.maximum(np.abs(vectors).max(axis=1), 1e-9) / 127.0
    return scales.astype(np.float32), np.round(vectors / scales[:, None]).astype(np.int8)


def places_of(passages: Sequence[Passage]) -> tuple[list[int], dict[str, bytes]]:
    """How many words each passage has, and where each stem stands."""
    found: dict[str, list[int]] = defaultdict(list)
    lengths = []
    for number, passage in enumerate(passages[: MOST_PLACES + 1]):
        said = words(passage.text)
        lengths.append(len(said))
        for at, word in enumerate(said[: MOST_PLACES + 1]):
            found[stem(word)] += (number, at)
    return lengths, {term: np.asarray(at, "<u2").tobytes() for term, at in found.items()}


def card_to_text(card: Card) -> str:
    """A card as JSON."""
    return json.dumps(
        [
            *(card.id, card.title, card.started_at, card.server, card.channel_id, card.post_id),
            card.attended,
            card.speakers,
        ],
        ensure_ascii=False,
    )


def card_from_text(text: str) -> Card:
    """A card from what `card_to_text` made of it."""
    known, title, started_at, server, channel_id, post_id, attended, speakers = json.loads(text)
    return Card(
        id=known,
        title=title,
        started_at=started_at,
        server=server,
        channel_id=channel_id,
        post_id=post_id,
        attended=tuple(attended),
        speakers=tuple((s[0], s[1], s[2]) for s in speakers),
    )


def passages_to_bytes(passages: Sequence[Passage]) -> bytes:
    """Passages, packed."""
    plain = [
        [
            [[p.id, p.speaker, round(p.start, 3), round(p.end, 3), p.text] for p in passage.parts],
            sorted(passage.kinds),
            passage.confidential,
        ]
        for passage in passages
    ]
    return zlib.compress(json.dumps(plain, ensure_ascii=False, separators=(",", ":")).encode(), 6)


def passages_from_bytes(packed: bytes) -> list[Sequence[Any]]:
    """What `passages_to_bytes` packed, each to be read by `passage_of`: few of a part are wanted."""
    found: list[Sequence[Any]] = json.loads(zlib.decompress(packed))
    return found


def passage_of(data: Sequence[Any]) -> Passage:
    """A passage."""
    parts, kinds, confidential = data
    return Passage(
        parts=tuple(Part(id=p[0], speaker=p[1], start=p[2], end=p[3], text=p[4]) for p in parts),
        kinds=frozenset(kinds),
        confidential=confidential,
    )
