"""What was found out lately: an answer of the server counts for a while, so that pages do not ask again and again."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Lately(Generic[K, V]):
    """Answers by what was asked, for several threads.

    Args:
        seconds: for how long one counts.
        most: how many are kept; those that were found out first go.
        clock: seconds that never step back.
    """

    def __init__(self, *, seconds: float, most: int, clock: Callable[[], float]) -> None:
        self._seconds, self._most, self._clock = seconds, most, clock
        self._lock = threading.Lock()
        self._kept: OrderedDict[K, tuple[float, V]] = OrderedDict()

    def get(self, key: K) -> V | None:
        """The answer; None if there is none that counts."""
        with self._lock:
            found = self._kept.get(key)
        return found[1] if found is not None and self._clock() - found[0] < self._seconds else None

    def put(self, key: K, answer: V, *, at: float | None = None) -> V:
        """Keep an answer, which is given back.

        Args:
            key: what was asked.
            answer: what came.
            at: when it was asked; None: now.
        """
        with self._lock:
            self._kept.pop(key, None)
            self._kept[key] = self._clock() if at is None else at, answer
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
        return answer
