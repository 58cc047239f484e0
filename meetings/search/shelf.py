"""What readers of the index see: everything but text and places, in memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

SECRET = 1  # bit of a passage that is for those alone who were there; kinds follow
MOST_SPEAKERS = 63  # of a meeting that are told apart by `--speaker`; further ones count as one

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """What is known of a meeting without its words.

    `server` and `channel_id` are empty for a recording that is in no Mattermost; `attended` are usernames; `speakers`
    are (id, name, username or empty) in the order of their numbers.
    """

    id: str
    title: str
    started_at: str = ""
    server: str = ""
    channel_id: str = ""
    post_id: str = ""
    attended: tuple[str, ...] = ()
    speakers: tuple[tuple[str, str, str], ...] = ()

    def name_of(self, speaker: str) -> str:
        """How a speaker is called."""
        return next((name for label, name, _ in self.speakers if label == speaker), speaker)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelf:
    """All meetings' cards and passages' numbers. Passages of meeting `i` are the rows `first[i]` to `first[i + 1]`."""

    cards: tuple[Card, ...]
    numbers: Ints
    first: Ints
    lengths: NDArray[np.int64]
    flags: NDArray[np.uint8]
    who: NDArray[np.uint64]
    scales: NDArray[np.float32]
    vectors: NDArray[np.int8]
    places: Mapping[int, int] = field(default_factory=dict)  # number of a meeting -> its place on the shelf
