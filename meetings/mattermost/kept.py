"""What was read of channels and summaries, kept so that the next reading asks only for what changed.

One file a channel and one a person's direct channel, readable by the owner alone, under a folder for each server. A
file that is damaged or of another version is read anew; one of a channel that the bot is in no longer is removed.
"""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, TypeVar

from meetings.store import digest, private_folder, write_text

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
    """The kept files of one server under the data folder's `people`.

    `notes` tell what had to be read anew because a file could not be used.
    """

    def __init__(self, folder: Path, server: str) -> None:
        self.folder = folder / "context" / digest(server)[:12]
        self.notes: list[str] = []

    def channel(self, channel_id: str) -> KeptChannel | None:
        """What is kept of a channel; None if nothing is, or nothing that can be used."""
        return self._read(self.folder / "channels" / f"{channel_id}.json", KeptChannel.from_json)

    def keep_channel(self, channel_id: str, kept: KeptChannel) -> None:
        """Keep a channel; a file is whole or absent, and the last of two writers wins: either's is true.

        Raises:
            StorageError: the disk is full or the folder cannot be written.
        """
        self._write(self.folder / "channels" / f"{channel_id}.json", kept.to_json())

    def keep_only(self, channel_ids: Collection[str]) -> int:
        """Remove the channels that the bot cannot read any more; how many there were."""
        gone = [p for p in (self.folder / "channels").glob("*.json") if p.stem not in channel_ids]
        for path in gone:
            path.unlink(missing_ok=True)
        return len(gone)

    def summaries(self, user_id: str) -> KeptSummaries | None:
        """What is kept of somebody's summaries."""
        return self._read(self.folder / "summaries" / f"{user_id}.json", KeptSummaries.from_json)

    def keep_summaries(self, user_id: str, kept: KeptSummaries) -> None:
        """Keep somebody's summaries.

        Raises:
            StorageError: the disk is full or the folder cannot be written.
        """
        self._write(self.folder / "summaries" / f"{user_id}.json", kept.to_json())

    def forget(self) -> None:
        """Remove everything that is kept of this server."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _read(self, path: Path, build: Callable[[Mapping[str, Any]], T]) -> T | None:
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
            if data.get("version") != VERSION:
                self.notes.append(f"{path.name} was kept by another version of this program; it is read anew")
                return None
            return build(data["kept"])
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            _log.debug("%s: %s", path, error)
            self.notes.append(f"{path.name} was damaged; it is read anew")
            return None

    def _write(self, path: Path, data: object) -> None:
        for folder in (*reversed(self.folder.parents[:2]), self.folder, path.parent):
            private_folder(folder)
        write_text(path, json.dumps({"version": VERSION, "kept": data}, ensure_ascii=False, separators=(",", ":")))
