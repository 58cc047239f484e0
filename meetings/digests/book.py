"""Who wants a digest and how often, and until when they were told: one document a person, under their account's id."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any

from meetings.config import Settings
from meetings.store import Database

KIND = "digest"
VERSION = 1
DAILY, WEEKLY = "daily", "weekly"


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What one person wants: `every` is `daily`, `weekly` or empty; `period` the last one that they were told of.

    `until` is the end of what they were told, in milliseconds since the epoch; 0: nothing yet.
    """

    user_id: str
    username: str = ""
    every: str = ""
    period: str = ""
    until: int = 0


class DigestBook:
    """Everybody's."""

    def __init__(self, settings: Settings) -> None:
        self._database = Database.of(settings)

    def of(self, user_id: str) -> Standing:
        """What somebody wants; nothing if they never said, or if what is kept cannot be read."""
        document = self._database.read(KIND, user_id)
        return _standing(user_id, None if document is None else document.body)

    def wanted(self) -> tuple[Standing, ...]:
        """Everybody who wants one, by account."""
        found = (_standing(d.name, d.body) for d in self._database.documents(KIND))
        return tuple(one for one in found if one.every)

    def want(self, user_id: str, username: str, every: str, *, period: str, now: int) -> None:
        """Somebody wants one from the next period on, or (`every` empty) none any more."""
        self._change(
            user_id,
            lambda before: replace(
                before,
                username=username,
                every=every,
                period=before.period if before.every == every else period,
                until=before.until or now,
            ),
        )

    def told(self, user_id: str, period: str, until: int) -> None:
        """They were told of a period, or there was nothing to tell."""
        self._change(user_id, lambda before: replace(before, period=period, until=max(before.until, until)))

    def forget(self, user_id: str) -> bool:
        """Remove what is kept; whether there was anything."""
        return self._database.delete(KIND, user_id)

    def held(self, user_id: str) -> dict[str, Any]:
        """What is kept of somebody, as a plain object; empty if nothing is."""
        standing = self.of(user_id)
        return asdict(standing) if standing.every or standing.until else {}

    def named(self, username: str) -> tuple[Standing, ...]:
        """What is kept under a username, for when the account's id is not known any more."""
        found = (_standing(d.name, d.body) for d in self._database.documents(KIND))
        return tuple(one for one in found if one.username == username)

    def _change(self, user_id: str, change: Callable[[Standing], Standing]) -> None:
        def changed(body: str | None) -> str:
            return json.dumps({"version": VERSION, **asdict(change(_standing(user_id, body)))})

        self._database.change(KIND, user_id, changed)


def _standing(user_id: str, body: str | None) -> Standing:
    try:
        data = json.loads(body or "{}")
        every = str(data.get("every", ""))
        return Standing(
            user_id=user_id,
            username=str(data.get("username", "")),
            every=every if every in {DAILY, WEEKLY} else "",
            period=str(data.get("period", "")),
            until=int(data.get("until", 0)),
        )
    except (ValueError, TypeError, AttributeError, RecursionError, OverflowError):
        return Standing(user_id=user_id)
