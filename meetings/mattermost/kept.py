"""What was read of channels and summaries, kept so that the next reading asks only for what changed.

One document a channel and one a person's direct channel, of each server. What is damaged or of another version is read
anew; what is of a channel that the bot is in no longer is removed.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, Self, TypeVar

from meetings.config import Settings
from meetings.store import Database, digest

CHANNELS, SUMMARIES = "context channel", "context summaries"
VERSION = 1
T = TypeVar("T")

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptPost:
    """A post as far as a person's context needs it; `reacted` are the ids of those who reacted. Time in ms."""

    id: str
    user_id: str
    root_id: str
    create_at: int
    message: str
    reacted: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptChannel:
    """A channel's posts, newest first, and up to when they are known. Times are milliseconds since the epoch.

    Args:
        position: changes up to this time are in `posts`.
        oldest: posts written before are not kept.
        whole_at: when all of it was read last.
    """

    position: int
    oldest: int
    whole_at: int
    posts: tuple[KeptPost, ...]

    def to_json(self) -> dict[str, Any]:
        """A plain object that `from_json` reads back; posts are rows, for there are many."""
        rows = [[p.id, p.user_id, p.root_id, p.create_at, p.message, list(p.reacted)] for p in self.posts]
        return {"position": self.position, "oldest": self.oldest, "whole_at": self.whole_at, "posts": rows}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Read what `to_json` wrote."""
        return cls(
            position=int(data["position"]),
            oldest=int(data["oldest"]),
            whole_at=int(data["whole_at"]),
            posts=tuple(
                KeptPost(
                    id=str(id_),
                    user_id=str(user),
                    root_id=str(root),
                    create_at=int(at),
                    message=str(message),
                    reacted=tuple(str(u) for u in reacted),
                )
                for id_, user, root, at, message, reacted in data["posts"]
            ),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A summary that was sent to somebody: 1 if they liked it, -1 if not, else 0; of judged ones what stood in it."""

    id: str
    create_at: int
    verdict: int = 0
    points: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptSummaries:
    """The summaries in somebody's direct channel, as it was when its newest post was written (`last_post_at`, ms)."""

    last_post_at: int
    summaries: tuple[Judged, ...]

    def to_json(self) -> dict[str, Any]:
        """A plain object that `from_json` reads back."""
        rows = [[s.id, s.create_at, s.verdict, list(s.points)] for s in self.summaries]
        return {"last_post_at": self.last_post_at, "summaries": rows}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Read what `to_json` wrote."""
        return cls(
            last_post_at=int(data["last_post_at"]),
            summaries=tuple(
                Judged(id=str(id_), create_at=int(at), verdict=int(verdict), points=tuple(str(p) for p in points))
                for id_, at, verdict, points in data["summaries"]
            ),
        )


class KeptContext:
    """What is kept of one server.

    `notes` tell what had to be read anew because it could not be used.
    """

    def __init__(self, settings: Settings, server: str) -> None:
        self._database = Database.of(settings)
        self._server = digest(server)[:12]
        self.notes: list[str] = []

    def channel(self, channel_id: str) -> KeptChannel | None:
        """What is kept of a channel; None if nothing is, or nothing that can be used."""
        return self._read(CHANNELS, channel_id, KeptChannel.from_json)

    def keep_channel(self, channel_id: str, kept: KeptChannel) -> None:
        """Keep a channel; it is kept whole or not at all, and the last of two writers wins: either's is true.

        Raises:
            StorageError: the disk is full or the folder cannot be written.
            DatabaseError: the database does not answer.
        """
        self._write(CHANNELS, channel_id, kept.to_json())

    def keep_only(self, channel_ids: Collection[str]) -> int:
        """Remove the channels that the bot cannot read any more; how many there were."""
        kept = {f"{self._server}/{channel_id}" for channel_id in channel_ids}
        gone = [name for name in self._names(CHANNELS) if name not in kept]
        for name in gone:
            self._database.delete(CHANNELS, name)
        return len(gone)

    def summaries(self, user_id: str) -> KeptSummaries | None:
        """What is kept of somebody's summaries."""
        return self._read(SUMMARIES, user_id, KeptSummaries.from_json)

    def keep_summaries(self, user_id: str, kept: KeptSummaries) -> None:
        """Keep somebody's summaries.

        Raises:
            StorageError: the disk is full or the folder cannot be written.
            DatabaseError: the database does not answer.
        """
        self._write(SUMMARIES, user_id, kept.to_json())

    def forget(self) -> None:
        """Remove everything that is kept of this server."""
        for kind in (CHANNELS, SUMMARIES):
            for name in self._names(kind):
                self._database.delete(kind, name)

    def _names(self, kind: str) -> list[str]:
        return [one.name for one in self._database.listed(kind) if one.name.startswith(f"{self._server}/")]

    def _read(self, kind: str, name: str, build: Callable[[Mapping[str, Any]], T]) -> T | None:
        document = self._database.read(kind, f"{self._server}/{name}")
        if document is None:
            return None
        try:
            data = json.loads(document.body)
            if data.get("version") != VERSION:
                self.notes.append(f"{kind} {name} was kept by another version of this program; it is read anew")
                return None
            return build(data["kept"])
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            _log.debug("%s %s: %s", kind, name, error)
            self.notes.append(f"{kind} {name} was damaged; it is read anew")
            return None

    def _write(self, kind: str, name: str, data: object) -> None:
        body = json.dumps({"version": VERSION, "kept": data}, ensure_ascii=False, separators=(",", ":"))
        self._database.write(kind, f"{self._server}/{name}", body)
