"""Identifiers and times as Mattermost makes them.

An id is 26 characters of a lower-case base 32 alphabet; a time is milliseconds since the epoch. The clock never gives
the same time twice, so that posts have one order and `since`, `before` and `after` cut between them.
"""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
import time
from collections.abc import Callable

# Mattermost's alphabet (z-base-32) against the standard one, letter by letter.
_ALPHABET = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", "ybndrfg8ejkmcpqxot1uwisza345h769")
_ID = re.compile(r"[A-Za-z0-9]{26}")


def _id_of(raw: bytes) -> str:
    return base64.b32encode(raw[:16]).decode("ascii").rstrip("=").translate(_ALPHABET)


def new_id() -> str:
    """A random id."""
    return _id_of(secrets.token_bytes(16))


def derived_id(*parts: str) -> str:
    """The id that always belongs to these parts: the same seed gives the same permalinks."""
    return _id_of(hashlib.sha256("\0".join(parts).encode("utf-8")).digest())


def is_id(text: str) -> bool:
    """Whether the server would take this for an id at all (model.IsValidId)."""
    return _ID.fullmatch(text) is not None


def system_time() -> int:
    """Milliseconds since the epoch."""
    return time.time_ns() // 1_000_000


class Clock:
    """Milliseconds since the epoch, each at least one later than the last.

    Args:
        last: the newest time already given away, from an earlier run.
        source: where the time comes from; tests and seeding bring their own.
    """

    def __init__(self, *, last: int = 0, source: Callable[[], int] = system_time) -> None:
        self.last = last
        self.source = source

    def now(self) -> int:
        """A time later than any before."""
        self.last = max(self.source(), self.last + 1)
        return self.last
