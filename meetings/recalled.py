"""A call that somebody talks about, and whom they mean by a name."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from meetings.conversation import Conversation
from meetings.job import Job
from meetings.mattermost.entities import User
from meetings.recordings import PastRun


@dataclass(frozen=True, slots=True, kw_only=True)
class RecalledCall:
    """The call that somebody talks about: their newest run of it, what was said, and what they got."""

    run: PastRun
    job: Job
    conversation: Conversation
    summary: Mapping[str, Any]

    def attended(self, username: str) -> bool:
        return username in self.conversation.participants or any(
            s.username == username for s in self.conversation.speakers
        )


def named(who: str, people: Sequence[User]) -> tuple[User, ...]:
    """Who of these is meant: by username, by name, by nickname, else by first name."""
    wanted = who.strip().removeprefix("@").casefold()
    ways: tuple[Callable[[User], Collection[str]], ...] = (
        lambda u: {u.username},
        lambda u: {u.name, u.nickname},
        lambda u: {u.first_name},
    )
    for way in ways:
        found = tuple(u for u in people if wanted in {n.casefold() for n in way(u) if n})
        if found:
            return found
    return ()
