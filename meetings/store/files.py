"""Results on disk, keyed by what they were made from.

A stage's result is a file whose name is the hash of everything that went into it: the recording's content, the models,
the parameters. The same work is found again by any later run; a file is either complete or absent, because it is
written under another name first. Folders are private to the user, for these are people's conversations.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from meetings.errors import StorageError

CHUNK = 1024 * 1024


def digest(*parts: object) -> str:
    """A key: SHA-256 over the parts' canonical JSON, 32 hex digits of it."""
    text = json.dumps(parts, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def file_digest(path: Path) -> str:
    """SHA-256 of a file's content."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class FileStore:
    """Files under one folder, by stage and key."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def path(self, stage: str, key: str, suffix: str = ".json") -> Path:
        """Where a result is or will be."""
        return self.root / stage / f"{key}{suffix}"

    def has(self, stage: str, key: str, suffix: str = ".json") -> bool:
        """Whether the result is there, complete."""
        return self.path(stage, key, suffix).is_file()

    def read_json(self, stage: str, key: str) -> Any:
        """A JSON result."""
        return json.loads(self.path(stage, key).read_text(encoding="utf-8"))

    def write_json(self, stage: str, key: str, data: object) -> None:
        """Store a JSON result."""
        write_text(self.path(stage, key), json.dumps(data, ensure_ascii=False))

    def put_json(self, stage: str, data: object) -> str:
        """Store a JSON value under the hash of its content and return the key."""
        key = digest(data)
        if not self.has(stage, key):
            self.write_json(stage, key, data)
        return key


def write_text(path: Path, text: str) -> None:
    """Write a file so that it is either whole or absent, even if the machine loses power.

    Raises:
        StorageError: the disk is full or the folder cannot be written.
    """
    with writing(path) as part:
        part.write_text(text, encoding="utf-8")


@contextlib.contextmanager
def writing(path: Path) -> Iterator[Path]:
    """A temporary path beside `path` that takes its name when the block ends well.

    Raises:
        StorageError: the disk is full or the folder cannot be written.
    """
    try:
        private_folder(path.parent)
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        os.close(handle)
    except OSError as error:
        raise StorageError(path, _reason(error)) from error
    part = Path(name)
    try:
        yield part
        with part.open("rb") as file:
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as error:
        raise StorageError(path, _reason(error)) from error
    finally:
        part.unlink(missing_ok=True)


def private_folder(path: Path) -> Path:
    """Make a folder that only its owner may enter, and those above it; one that exists is left as it is."""
    if not path.is_dir():
        # With `parents=True` only the last one would be private.
        private_folder(path.parent)
        path.mkdir(exist_ok=True, mode=0o700)
    return path


def private_file(path: Path) -> Path:
    """Make an empty file that only its owner may read, for a writer that makes files for everybody (SQLite).

    One that exists is left as it is. What SQLite puts beside it takes its mode.
    """
    private_folder(path.parent)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    return path


def _reason(error: OSError) -> str:
    reason = error.strerror or str(error)
    remedy = "free some space" if "space" in reason.lower() else "check the folder and its permissions"
    return f"{reason}; {remedy}"
