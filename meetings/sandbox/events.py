"""Who hears what: events, the sockets that are open, and the numbering of their frames.

Who may hear an event is decided when it happens, inside the change that causes it; it is sent once the change is
kept. Each connection counts its own frames from 0, the `hello`.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from meetings.sandbox.ids import new_id, system_time

# Frames that wait for a slow reader; beyond this the connection is given up, as the real server does.
MAX_WAITING = 4_096


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened, and who may hear of it (`listeners` None: everybody)."""

    name: str
    data: Mapping[str, Any]
    listeners: frozenset[str] | None
    user_id: str = ""
    channel_id: str = ""
    team_id: str = ""


@dataclass(frozen=True, slots=True)
class Cut:
    """A frame in whose middle the connection ends."""

    frame: str


@dataclass(slots=True, eq=False)
class Connection:
    """One open socket; `user_id` and `username` are empty until it has shown a token. None in `waiting` ends it.

    `held` are frames that wait for a later one to go first.
    """

    user_id: str = ""
    username: str = ""
    id: str = field(default_factory=new_id)
    waiting: asyncio.Queue[str | Cut | None] = field(default_factory=asyncio.Queue)
    held: list[str] = field(default_factory=list)
    _next: int = 0

    def send(self, frame: Mapping[str, Any]) -> None:
        """Queue a frame as it is."""
        self.put(_text(frame))

    def put(self, frame: str | Cut) -> None:
        """Queue a frame's text."""
        self.waiting.put_nowait(frame if self.waiting.qsize() < MAX_WAITING else None)

    def release(self) -> None:
        """Queue what is held back."""
        held, self.held = self.held, []
        for frame in held:
            self.put(frame)

    def tell(self, event: Event) -> None:
        """Queue an event under the connection's next number."""
        self.put(self.number(event))

    def number(self, event: Event) -> str:
        """An event's frame under the connection's next number."""
        broadcast = {
            "omit_users": None,
            "user_id": event.user_id,
            "channel_id": event.channel_id,
            "team_id": event.team_id,
        }
        frame = _text({"event": event.name, "data": event.data, "broadcast": broadcast, "seq": self._next})
        self._next += 1
        return frame


class Hub:
    """The open connections, and who is online."""

    # Brings an event's frame to a connection; a sandbox that misbehaves brings its own.
    deliver: Callable[[Connection, str, str], None] | None = None

    def __init__(self) -> None:
        self._connections: set[Connection] = set()
        self._online: set[str] = set()
        # When each was last seen to do something, milliseconds since the epoch.
        self.last_activity: dict[str, int] = {}

    def publish(self, event: Event) -> None:
        """Send an event to every connection whose user may hear it."""
        for connection in tuple(self._connections):
            if event.listeners is not None and connection.user_id not in event.listeners:
                continue
            if self.deliver is None:
                connection.tell(event)
            else:
                self.deliver(connection, event.name, connection.number(event))

    def add(self, connection: Connection) -> None:
        """Start telling a connection that has shown its token."""
        self._connections.add(connection)

    def remove(self, connection: Connection) -> None:
        """Forget a connection; its user is offline when it was the last."""
        self._connections.discard(connection)
        if not any(c.user_id == connection.user_id for c in self._connections):
            self._online.discard(connection.user_id)

    def set_online(self, user_id: str) -> None:
        """Mark a user as online, and tell them if they were not."""
        self.seen(user_id)
        if user_id not in self._online:
            self._online.add(user_id)
            self.publish(
                Event(
                    name="status_change",
                    data={"status": "online", "user_id": user_id},
                    listeners=frozenset([user_id]),
                    user_id=user_id,
                )
            )

    def seen(self, user_id: str) -> None:
        """Note that a user does something now."""
        self.last_activity[user_id] = system_time()

    def statuses(self, user_ids: Collection[str] | None = None) -> dict[str, str]:
        """Who is online: of those asked for, else of everybody who is."""
        if user_ids is None:
            return dict.fromkeys(sorted(self._online), "online")
        return {u: "online" if u in self._online else "offline" for u in user_ids}

    def end(self, user_id: str | None = None) -> None:
        """End every connection, or those of one user."""
        for connection in tuple(self._connections):
            if user_id is None or connection.user_id == user_id:
                connection.waiting.put_nowait(None)


def _text(frame: Mapping[str, Any]) -> str:
    return json.dumps(frame, ensure_ascii=False, separators=(",", ":"))
