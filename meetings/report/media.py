"""The recording itself, part by part, as a player asks for it (RFC 9110, section 14).

Sound and pictures are tidied away after a run, so they come from Mattermost when somebody plays them, through the bot.
An answer holds at most `MAX_PART` bytes: players ask for the next part, and each is asked about anew, so that who may
read the recording no longer hears no more of it than that.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from meetings.errors import MattermostNotFoundError, MattermostUnreachableError
from meetings.job import Job
from meetings.mattermost import MattermostClient
from meetings.mattermost.client import FileInfo
from meetings.store import file_digest

MAX_PART = 4 * 1024 * 1024  # bytes of one answer to a request for a range
AT_ONCE = 8  # parts that are fetched at the same time
PATIENCE = 30.0  # seconds that a part waits for its turn

VIDEO = {"mp4": "video/mp4", "m4v": "video/mp4", "webm": "video/webm", "mkv": "video/x-matroska", "mov": "video/mp4"}
AUDIO = {
    "m4a": "audio/mp4",
    "mp3": "audio/mpeg",
    "wav": "audio/wav",
    "opus": "audio/ogg",
    "ogg": "audio/ogg",
    "oga": "audio/ogg",
    "flac": "audio/flac",
    "aac": "audio/aac",
}
_RANGE = re.compile(r"bytes=\s*([0-9]{0,18})-([0-9]{0,18})\s*")


@dataclass(frozen=True, slots=True)
class Part:
    """Bytes `start` to `end` of a file, the last one included."""

    start: int
    end: int

    @property
    def length(self) -> int:
        """How many bytes that are."""
        return self.end - self.start + 1


class RangeRefusedError(Exception):
    """No bytes are in the range that was asked for, or several ranges were. It never leaves this package."""


class Media(Protocol):
    """A recording that can be read in parts."""

    @property
    def name(self) -> str:
        """Its file's name."""

    @property
    def size(self) -> int:
        """In bytes."""

    def read(self, start: int, end: int) -> bytes:
        """Bytes `start` to `end`, the last one included.

        Raises:
            MattermostError: the server does not give them.
        """


def wanted_part(header: str | None, size: int, *, most: int = MAX_PART) -> Part | None:
    """The part of a file that a Range header asks for, cut to `most` bytes; None for all of it.

    What is no range of bytes is left unread, as the RFC wants it.

    Raises:
        RangeRefusedError: it begins after the file's end, or asks for several parts.
    """
    if header is None or not header.lower().startswith("bytes="):
        return None
    if "," in header:
        raise RangeRefusedError
    match = _RANGE.fullmatch(header.lower())
    if match is None or match.group(1) == match.group(2) == "":
        return None
    first, last = match.groups()
    if first == "":
        start, end = max(0, size - int(last)), size - 1
    else:
        start, end = int(first), min(int(last), size - 1) if last else size - 1
        if last and int(last) < start:
            return None
    if start > end or start >= size:
        raise RangeRefusedError
    return Part(start, min(end, start + most - 1))


def kind_of(name: str) -> str:
    """`video` or `audio`, by a file's name."""
    return "audio" if _ending(name) in AUDIO else "video"


def type_of(name: str) -> str:
    """The media type of a file; nothing that a browser would run or show as a page."""
    ending = _ending(name)
    return VIDEO.get(ending) or AUDIO.get(ending) or "application/octet-stream"


def _ending(name: str) -> str:
    return name.rsplit(".", 1)[-1].lower()


class Shelf:
    """Finds recordings and reads their parts, a few at a time; without a client those of this machine alone."""

    def __init__(self, client: MattermostClient | None) -> None:
        self._client = client
        self._turns = threading.BoundedSemaphore(AT_ONCE)
        self._files: dict[str, FileInfo] = {}
        self._checked: set[tuple[str, int, int, str]] = set()

    def find(self, job: Job) -> Media | None:
        """A recording; None if it is there no longer.

        Raises:
            MattermostError: the server does not answer.
        """
        if job.source.path is not None:
            return self.near(Path(job.source.path), job.source.media_id)
        if self._client is None:
            return None
        file_id = job.source.media_id
        if file_id not in self._files:  # files in Mattermost never change
            try:
                info = self._client.file_info(file_id)
            except MattermostNotFoundError:
                return None
            if len(self._files) > 10_000:
                self._files.clear()
            self._files[file_id] = info
        return _Far(self._files[file_id], self._client, self._turns)

    def near(self, path: Path, sha256: str) -> Media | None:
        """A file of this machine, if it is the one that was heard still."""
        try:
            stat = path.stat()
            # With whose file it is: a path may hold another meeting's recording by now.
            known = (str(path), stat.st_size, stat.st_mtime_ns, sha256)
            if known not in self._checked:
                if file_digest(path) != sha256:
                    return None
                self._checked.add(known)
        except OSError:
            return None
        return _Near(path, stat.st_size)


class _Far:
    def __init__(self, info: FileInfo, client: MattermostClient, turns: threading.BoundedSemaphore) -> None:
        self.name, self.size = info.name, info.size
        self._id, self._client, self._turns = info.id, client, turns

    def read(self, start: int, end: int) -> bytes:
        """Ask the server for them."""
        if not self._turns.acquire(timeout=PATIENCE):
            raise MattermostUnreachableError(f"{AT_ONCE} parts of recordings are being fetched; try again soon")
        try:
            return self._client.file_part(self._id, start, end)
        finally:
            self._turns.release()


class _Near:
    def __init__(self, path: Path, size: int) -> None:
        self.name, self.size = path.name, size
        self._path = path

    def read(self, start: int, end: int) -> bytes:
        """Read them from the disk."""
        with self._path.open("rb") as file:
            file.seek(start)
            return file.read(end - start + 1)


def parts_of(size: int) -> Iterator[Part]:
    """A whole file, part by part."""
    for start in range(0, size, MAX_PART):
        yield Part(start, min(size, start + MAX_PART) - 1)
