"""Who may find what: only what they may read at this moment, as the bot sees it.

A recording in Mattermost may be found by the members of its channel, of the server that the bot is signed in to. A
recording of a file belongs to whoever may read the data folder: nobody finds it by way of the bot. Guests find nothing,
as they get no summaries and no pages. What was said in confidence is for those who were there.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from meetings.errors import MattermostForbiddenError, MattermostNotFoundError
from meetings.mattermost.entities import User
from meetings.search.ranking import Mask
from meetings.search.shelf import SECRET, Card, Shelf


class Membership(Protocol):
    """What a Mattermost client tells of members."""

    @property
    def url(self) -> str:
        """The server."""

    def is_channel_member(self, channel_id: str, user_id: str) -> bool:
        """Whether somebody is in a channel now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """Whose search it is. `everything`: they may read the data folder itself, so nothing is kept from them."""

    username: str = ""
    server: str = ""
    channels: frozenset[str] = frozenset()
    everything: bool = False

    def may_read(self, card: Card) -> bool:
        """Whether they may find a meeting."""
        mine = bool(card.channel_id) and card.server == self.server and card.channel_id in self.channels
        return self.everything or mine

    def attended(self, card: Card) -> bool:
        """Whether they were there."""
        return self.everything or (bool(self.username) and self.username in card.attended)


OPERATOR = Reader(everything=True)


def reader_of(client: Membership, user: User, cards: Iterable[Card]) -> Reader:
    """What a user of Mattermost may find of these meetings; the server is asked of each channel now.

    Raises:
        MattermostError: the server does not answer; then nothing may be found.
    """
    if user.delete_at or user.is_bot or user.is_guest:
        return Reader(username=user.username, server=client.url)
    channels = sorted({c.channel_id for c in cards if c.channel_id and c.server == client.url})
    return Reader(
        username=user.username,
        server=client.url,
        channels=frozenset(c for c in channels if _is_member(client, c, user.id)),
    )


def readable(shelf: Shelf, reader: Reader) -> Mask:
    """The passages that a reader may find."""
    mask = np.zeros(len(shelf.lengths), dtype=np.bool_)
    for at, card in enumerate(shelf.cards):
        if not reader.may_read(card):
            continue
        rows = slice(int(shelf.first[at]), int(shelf.first[at + 1]))
        mask[rows] = True if reader.attended(card) else (shelf.flags[rows] & SECRET) == 0
    return mask


def _is_member(client: Membership, channel_id: str, user_id: str) -> bool:
    try:
        return client.is_channel_member(channel_id, user_id)
    except (MattermostForbiddenError, MattermostNotFoundError):
        return False  # the bot itself is no longer in it: it cannot know
