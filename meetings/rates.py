"""How often somebody may ask: a bucket of tokens for each, that fills up with time. The caller brings the clock."""

from __future__ import annotations

from collections import OrderedDict

PER_SECOND = 10.0
BURST = 100.0
PEERS = 10_000  # that are remembered; who was quiet longest is forgotten first, and starts with a full bucket


class Buckets:
    """Who asks, and how much each has left."""

    def __init__(self, *, per_second: float = PER_SECOND, burst: float = BURST, peers: int = PEERS) -> None:
        self._per_second, self._burst, self._peers = per_second, burst, peers
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()  # tokens, and when they were counted

    def take(self, peer: str, *, now: float) -> float:
        """Take one token: 0 if there was one, else the seconds until there is. `now` is in seconds of any clock."""
        left, counted = self._left.pop(peer, (self._burst, now))
        left = min(self._burst, left + max(0.0, now - counted) * self._per_second)
        wait = 0.0 if left >= 1.0 else (1.0 - left) / self._per_second
        self._left[peer] = (left if wait else left - 1.0, now)
        while len(self._left) > self._peers:
            self._left.popitem(last=False)
        return wait
