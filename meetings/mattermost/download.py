"""A file of any size from the server to disk, whatever happens on the way.

Bytes collect in `NAME.part`. Beside it a note, `NAME.part.json`, says whose they are, how many of them are surely on
disk and their SHA-256: after a crash, a restart or a full disk a later try checks the part against its note and goes on
from there by Range. If-Range makes the server start over when its file is another by then. The name becomes final only
when the announced size is there.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import random
import re
import shutil
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

from meetings.errors import BusyError, MattermostAnswerError, MattermostFileChangedError, StorageError
from meetings.mattermost.entities import FileInfo
from meetings.mattermost.policy import FIRST_WAIT
from meetings.mattermost.transport import AttemptFailedError, Transport, read_some
from meetings.progress import Progress
from meetings.store import private_file, private_folder

MAX_BREAKS = 8  # broken connections in a row that brought next to nothing
SOMETHING = 64 * 1024  # bytes
NOTE_EVERY = 16 * 1024 * 1024  # bytes after which the part is synced and noted
MIN_RATE = 1024  # bytes per second; a connection that brings less over STALL_TIME counts as broken
STALL_TIME = 30.0  # seconds
_CONTENT_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+|\*)")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Note:
    """What is surely on disk: `bytes` of `file_id`, their hash, and how the server tells its file from another."""

    file_id: str
    size: int
    validator: str
    bytes: int
    sha256: str


def download(transport: Transport, info: FileInfo, destination: Path, *, sha256: str | None, progress: Progress) -> str:
    """See `MattermostClient.download`."""
    try:
        private_folder(destination.parent)
        with _Part(destination, info) as part:
            _fill(transport, part, progress)
            found = part.hash.hexdigest()
            if sha256 is not None and found != sha256:
                part.discard()
                raise MattermostFileChangedError(
                    f"file {info.id} is not the one it was: its SHA-256 is {found} instead of {sha256}; it was replaced"
                )
            part.finish()
        return found
    except OSError as error:
        raise StorageError(destination, error) from error


def read_part(transport: Transport, file_id: str, start: int, end: int, *, patience: float) -> bytes:
    """See `MattermostClient.file_part`."""
    headers = {"Accept-Encoding": "identity", "Range": f"bytes={start}-{end}"}
    wanted = end - start + 1
    deadline = time.monotonic() + patience
    found = bytearray()
    with transport.stream(f"/files/{file_id}", headers) as response:
        match = _CONTENT_RANGE.fullmatch(str(response.headers.get("Content-Range", "")))
        # A server that knows no ranges sends the file from its beginning.
        skipped = 0 if response.status_code == 206 else start
        if response.status_code == 416 or (match is not None and int(match.group(1)) != start):
            raise MattermostAnswerError(f"file {file_id} has no bytes {start} to {end}; it was replaced")
        try:
            while len(found) < wanted and (data := read_some(response)):
                dropped = min(skipped, len(data))
                skipped -= dropped
                found += data[dropped:]
                if time.monotonic() > deadline:
                    raise MattermostAnswerError(f"file {file_id} comes too slowly")
        except AttemptFailedError:
            raise MattermostAnswerError(f"file {file_id} breaks off; try again later") from None
    if len(found) < wanted:
        raise MattermostAnswerError(f"file {file_id} ends early; it was replaced, or broke off")
    return bytes(found[:wanted])


class _Part:
    """The bytes that are there so far."""

    def __init__(self, destination: Path, info: FileInfo) -> None:
        self.info = info
        self.destination = destination
        self.path = destination.with_name(destination.name + ".part")
        self.note = destination.with_name(destination.name + ".part.json")
        self.hash = hashlib.sha256()
        self.done = 0
        self.validator = ""
        self._noted = 0
        self._file: IO[bytes]

    def __enter__(self) -> _Part:
        self._file = self._open()
        try:
            self._take_up()
        except BaseException:
            self._file.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        try:
            if self.path.exists() and self.done > self._noted:
                self.write_note()
        except OSError:
            # The disk may be full: the note before this one still tells the truth.
            pass
        finally:
            self._file.close()

    def _open(self) -> IO[bytes]:
        """Open the part for this process alone."""
        while True:
            file = private_file(self.path).open("a+b", buffering=0)
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                # Whoever had it may have given it its name between the two lines above.
                if self._is(file):
                    return file
            except BlockingIOError:
                file.close()
                raise BusyError(f"another process downloads {self.destination.name}; wait for it") from None
            file.close()

    def _is(self, file: IO[bytes]) -> bool:
        """Whether an open file is the part still."""
        try:
            here, there = os.fstat(file.fileno()), self.path.stat()
        except FileNotFoundError:
            return False
        return (here.st_dev, here.st_ino) == (there.st_dev, there.st_ino)

    def _take_up(self) -> None:
        """Go on after the bytes that the note vouches for; without a note that fits, start over."""
        noted = _read_note(self.note)
        if noted and (noted.file_id, noted.size) == (self.info.id, self.info.size):
            self._file.seek(0)
            left = noted.bytes
            while left and (data := self._file.read(min(left, 1024 * 1024))):
                self.hash.update(data)
                left -= len(data)
            if not left and self.hash.hexdigest() == noted.sha256:
                self.done = self._noted = noted.bytes
                self.validator = noted.validator
                self._file.truncate(self.done)
                return
        self.start_over()

    def start_over(self) -> None:
        """Throw away what is there."""
        self.hash = hashlib.sha256()
        self.done = self._noted = 0
        self.validator = ""
        self.note.unlink(missing_ok=True)
        self._file.truncate(0)

    def write(self, data: bytes) -> None:
        """Append bytes; what a full disk took of them is cut off again."""
        try:
            written = 0
            while written < len(data):
                written += self._file.write(data[written:])
        except OSError:
            self._file.truncate(self.done)
            raise
        self.hash.update(data)
        self.done += len(data)
        if self.done - self._noted >= NOTE_EVERY:
            self.write_note()

    def write_note(self) -> None:
        """Let a later try go on from here."""
        os.fsync(self._file.fileno())
        note = _Note(
            file_id=self.info.id,
            size=self.info.size,
            validator=self.validator,
            bytes=self.done,
            sha256=self.hash.hexdigest(),
        )
        partial = self.note.with_name(self.note.name + ".new")
        try:
            private_file(partial).write_text(json.dumps(asdict(note)), encoding="utf-8")
            partial.replace(self.note)
        finally:
            partial.unlink(missing_ok=True)
        self._noted = self.done

    def discard(self) -> None:
        """Leave nothing."""
        self.path.unlink(missing_ok=True)
        self.note.unlink(missing_ok=True)

    def finish(self) -> None:
        """Give the file its name."""
        os.fsync(self._file.fileno())
        self.path.replace(self.destination)
        self.note.unlink(missing_ok=True)


def _fill(transport: Transport, part: _Part, progress: Progress) -> None:
    """Read until the announced size is there; without one, until an answer came to its end."""
    size = part.info.size
    breaks = 0
    while not size or part.done < size:
        before = part.done
        _check_space(part)
        if _read_rest(transport, part, progress) and not size:
            break
        if size and part.done >= size:
            break
        breaks = breaks + 1 if part.done - before < SOMETHING else 1
        if breaks >= MAX_BREAKS:
            raise MattermostAnswerError(
                f"file {part.info.id} breaks off after {part.done} of {size or 'unknown'} bytes again and again; try "
                "again later, it goes on from there"
            )
        time.sleep(FIRST_WAIT * 2.0 ** (breaks - 1) * random.uniform(1.0, 1.25))
    if size and part.done != size:
        came = part.done
        part.discard()
        raise MattermostFileChangedError(f"file {part.info.id} has {came} bytes instead of the announced {size}")


def _check_space(part: _Part) -> None:
    """Say that the disk is too small before filling it."""
    free = shutil.disk_usage(part.path.parent).free
    needed = part.info.size - part.done
    if needed > free:
        raise StorageError(part.destination, f"{needed} bytes are needed and {free} are free; make room and try again")


def _read_rest(transport: Transport, part: _Part, progress: Progress) -> bool:
    """Append what the server still has; False when the connection broke."""
    # Compressed, a part of the file would be no part of the answer.
    headers = {"Accept-Encoding": "identity"}
    if part.done:
        headers["Range"] = f"bytes={part.done}-"
        if part.validator:
            headers["If-Range"] = part.validator
    with transport.stream(f"/files/{part.info.id}", headers) as response:
        if not _take_answer(part, response.status_code, response.headers):
            return False
        size = part.info.size
        since, then = time.monotonic(), part.done
        try:
            while data := read_some(response):
                part.write(data)
                if size and part.done > size:
                    return True
                progress(min(1.0, part.done / size) if size else 0.0)
                if (passed := time.monotonic() - since) > STALL_TIME:
                    if part.done - then < MIN_RATE * passed:
                        return False
                    since, then = time.monotonic(), part.done
        except AttemptFailedError:
            return False
    return True


def _take_answer(part: _Part, status: int, headers: Mapping[str, Any]) -> bool:
    """Make the part ready for an answer's bytes; False when there are none to read.

    Raises:
        MattermostFileChangedError: the server's file has another size than the announced one.
    """
    if status == 416:
        # More is here than the server has.
        part.start_over()
        return False
    if status == 206:
        match = _CONTENT_RANGE.fullmatch(str(headers.get("Content-Range", "")))
        if match is None or int(match.group(1)) != part.done:
            part.start_over()
            return False
        total = match.group(3)
    else:
        # The whole file: the server knows no ranges, or its file is another one now.
        if part.done:
            part.start_over()
        total = str(headers.get("Content-Length", "*"))
    if part.info.size and total.isdecimal() and int(total) != part.info.size:
        part.discard()
        raise MattermostFileChangedError(
            f"file {part.info.id} has {total} bytes instead of the announced {part.info.size}; it was replaced"
        )
    part.validator = _validator(headers)
    return True


def _validator(headers: Mapping[str, Any]) -> str:
    """What If-Range names the file by: a strong Etag, else the time of its last change (RFC 9110, 13.1.5)."""
    etag = str(headers.get("Etag", ""))
    return etag if etag.startswith('"') else str(headers.get("Last-Modified", ""))


def _read_note(path: Path) -> _Note | None:
    try:
        note = _Note(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None
    return note if isinstance(note.bytes, int) and note.bytes >= 0 else None
