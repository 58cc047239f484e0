"""How far each channel was looked through: what was written after that is still to be seen, whatever happened since.

Positions are times of the server's own (milliseconds since the epoch, a post's `update_at`), never of this machine's
clock, so that a clock that steps loses nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

from meetings.config import Settings
from meetings.store import Database

KIND = "positions"
FIRST = "first look"  # documents: one a kind of positions, by its name


class Positions:
    """Channel id to position, in the database that the settings name; `kind` is who looks."""

    def __init__(self, settings: Settings, *, kind: str = KIND) -> None:
        self._database = Database.of(settings)
        self._kind = kind

    def met_first(self, channel_ids: Iterable[str]) -> frozenset[str]:
        """The channels that there were when the first look ever began.

        They are noted before anything is looked through: a first look that ends halfway, by a kill or a server that
        went away, is still the first to what it did not get to.

        Args:
            channel_ids: the channels that there are now; what is noted, if nothing was.

        Raises:
            StorageError: the disk is full or the folder cannot be written.
            DatabaseError: the database does not answer.
        """
        noted = self._database.read(FIRST, self._kind)
        body = None if noted is None else noted.body
        if body is None:
            # Where an earlier version has looked, the first look is over.
            first = json.dumps([] if self._database.listed(self._kind) else sorted(channel_ids))
            body = self._database.change(FIRST, self._kind, lambda before: first if before is None else before)
        return frozenset(_names(body or ""))

    def of(self, channel_id: str) -> int | None:
        """A channel's position; None for a channel that was never looked through."""
        document = self._database.read(self._kind, channel_id)
        return None if document is None else _position(document.body)

    def move(self, channel_id: str, to: int) -> None:
        """Note that everything up to here was looked through; a position never moves back, whoever else moves it.

        Raises:
            StorageError: the disk is full or the folder cannot be written.
            DatabaseError: the database does not answer.
        """
        known = self.of(channel_id)
        if known is not None and known >= to:
            return  # most of the time: nothing is written, and nobody waited for

        def moved(body: str | None) -> str:
            before = None if body is None else _position(body)
            return str(to if before is None else max(before, to))

        self._database.change(self._kind, channel_id, moved)


def _names(body: str) -> list[str]:
    """What was written; what is no list of names was not written by us, and names no channel."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return []
    return [name for name in found if isinstance(name, str)] if isinstance(found, list) else []


def _position(body: str) -> int | None:
    """What was written; what is no number was not written by us, and the channel is then met for the first time."""
    return int(body) if body.isascii() and body.isdecimal() and len(body) < 20 else None
