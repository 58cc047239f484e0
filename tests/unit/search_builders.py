"""Meetings for tests of search: a few words each, and an embedder that knows words and nothing else."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from meetings.conversation import Conversation, Speaker, Utterance
from meetings.people.terms import stem, words
from meetings.search import Card, Index
from meetings.search.passages import make_passages

URL = "https://chat.test"
WIDE = 1024  # numbers of a vector: so many that two words have next to nothing in common


class Words:
    """A vector for each text in which every stem has a direction of its own: alike are texts with the same words."""

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        rows = [sum((_direction(stem(w)) for w in words(t)), start=np.zeros(WIDE, np.float32)) for t in texts]
        found = np.asarray(rows, np.float32).reshape(len(texts), WIDE)
        length = np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-9)
        return (found / length).astype(np.float32)


def _direction(word: str) -> NDArray[np.float32]:
    seed = int.from_bytes(hashlib.sha256(word.encode()).digest()[:4], "big")
    return np.random.default_rng(seed).standard_normal(WIDE).astype(np.float32)


def conversation_of(*said: str, speakers: Sequence[str] = ("ana", "ben"), pause: float = 1.0) -> Conversation:
    """Utterances of speakers in turn, with a pause in seconds between them."""
    utterances, at = [], 0.0
    for number, text in enumerate(said):
        end = at + 0.4 * len(text.split()) + 0.1
        utterances.append(
            Utterance(id=f"u{number}", speaker=speakers[number % len(speakers)], start=at, end=end, text=text)
        )
        at = end + pause
    return Conversation(
        id="c",
        speakers=tuple(Speaker(id=s, name=s.title(), username=s) for s in speakers),
        participants=tuple(speakers),
        utterances=tuple(utterances),
    )


def put(
    index: Index,
    meeting_id: str,
    *said: str,
    channel_id: str = "",
    attended: Sequence[str] = ("ana", "ben"),
    started_at: str = "2026-11-20T09:00:00+00:00",
    title: str = "Weekly",
    pause: float = 30.0,
) -> None:
    """Put a meeting into an index; each utterance is a passage of its own."""
    conversation = conversation_of(*said, pause=pause)
    passages = make_passages(conversation)
    card = Card(
        id=meeting_id,
        title=title,
        started_at=started_at,
        server=URL if channel_id else "",
        channel_id=channel_id,
        attended=tuple(attended),
        speakers=tuple((s.id, s.name, s.username or "") for s in conversation.speakers),
    )
    index.put(card, f"stamp of {meeting_id}", passages, Words().embed([p.text for p in passages]))


def bytes_of(path: Path) -> bytes:
    """The index as it lies on the disk, with what SQLite puts beside it."""
    return b"".join(p.read_bytes() for p in sorted(path.parent.glob(path.name + "*")))
