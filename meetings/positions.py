"""How far each channel was looked through: what was written after that is still to be seen, whatever happened since.

Positions are times of the server's own (milliseconds since the epoch, a post's `update_at`), never of this machine's
clock, so that a clock that steps loses nothing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from meetings.store import write_text


class Positions:
    """A small file: channel id to position. Written whole each time, so that it is the old one or the new one."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known: dict[str, int] | None = None

    @property
    def empty(self) -> bool:
        """Whether nothing was ever looked through."""
        return not self._read()

    def of(self, channel_id: str) -> int | None:
        """A channel's position; None for a channel that was never looked through."""
        return self._read().get(channel_id)

    def move(self, channel_id: str, to: int) -> None:
        """Note that everything up to here was looked through; a position never moves back.

        Raises:
            StorageError: the disk is full or the folder cannot be written.
        """
        known = self._read()
        if channel_id not in known or to > known[channel_id]:
            changed = {**known, channel_id: to}
            write_text(self._path, json.dumps(changed, sort_keys=True))
            self._known = changed

    def _read(self) -> Mapping[str, int]:
        if self._known is None:
            try:
                found = json.loads(self._path.read_text(encoding="utf-8"))
            except (FileNotFoundError, ValueError):
                # A file that is no JSON was not written by us; channels are then met for the first time.
                found = {}
            given = found.items() if isinstance(found, dict) else ()
            self._known = {str(k): v for k, v in given if isinstance(v, int) and not isinstance(v, bool)}
        return self._known
