"""Results, keyed by what they were made from.

A stage's result is a file whose name is the hash of everything that went into it: the recording's content, the models,
the parameters. The same work is found again by any later run; a file is either complete or absent: on a disk because it
is written under another name first, in an object store because a PUT is so. Folders are private to the user, for these
are people's conversations. Where several machines work, results lie where all of them reach (`files_url`, by fsspec);
sound, and whatever else is no JSON, never leaves the machine that hears.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path, PurePath
from typing import Any, cast

from filelock import FileLock

from meetings.config import Settings
from meetings.errors import ConfigError, StorageError

CHUNK = 1024 * 1024
_MAKING = threading.Lock()  # while a file is made that is not there


def digest(*parts: object) -> str:
    """A key: SHA-256 over the parts' canonical JSON, 32 hex digits of it."""
    text = json.dumps(parts, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def file_digest(path: Path) -> str:
    """SHA-256 of a file's content."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class FileStore:
    """Files by stage and key.

    Args:
        root: this machine's folder.
        results: where JSON results lie, if not there.
    """

    def __init__(self, root: Path, results: Path | None = None) -> None:
        self.root = root
        self.results = root if results is None else results

    @classmethod
    def of(cls, settings: Settings) -> FileStore:
        """The store that settings name.

        Raises:
            ConfigError: `files_url` names a kind of storage that is not installed or not known.
        """
        url = settings.files_url
        return cls(settings.home / "results", None if url is None else open_folder(url))

    def path(self, stage: str, key: str, suffix: str = ".json") -> Path:
        """Where a result is or will be; anything but JSON is this machine's alone."""
        return (self.results if suffix == ".json" else self.root) / stage / f"{key}{suffix}"

    def has(self, stage: str, key: str) -> bool:
        """Whether the result is there, complete.

        Raises:
            StorageError: where results lie does not answer.
        """
        path = self.path(stage, key)
        if not _is_far(path):
            return path.is_file()
        try:
            with reached(path):
                path.stat()  # `is_file` would take a store that is away for one that is empty
        except FileNotFoundError:
            return False
        return True

    def keys(self, stage: str) -> list[str]:
        """Keys of a stage's results, in order."""
        folder = self.results / stage
        with reached(folder):
            found = folder.glob("*.json") if folder.is_dir() else ()
            return sorted(path.stem for path in found if not path.name.startswith("."))

    def read_json(self, stage: str, key: str) -> Any:
        """A JSON result.

        Raises:
            StorageError: where results lie does not answer.
        """
        path = self.path(stage, key)
        with reached(path):
            text = path.read_text(encoding="utf-8")
        return json.loads(text)

    def write_json(self, stage: str, key: str, data: object) -> None:
        """Store a JSON result."""
        write_text(self.path(stage, key), json.dumps(data, ensure_ascii=False))

    def put_json(self, stage: str, data: object) -> str:
        """Store a JSON value under the hash of its content and return the key."""
        key = digest(data)
        if not self.has(stage, key):
            self.write_json(stage, key, data)
        return key


def open_folder(url: str) -> Path:
    """The folder behind a URL: a path on this machine, or what `universal_pathlib` makes to look like one.

    Raises:
        ConfigError: its kind of storage is not installed or not known.
    """
    scheme, separator, rest = url.partition("://")
    if not separator or scheme == "file":
        return Path(rest if separator else url).expanduser().absolute()
    try:
        from upath import UPath

        # What another machine wrote a moment ago has to be seen: no listing is remembered.
        folder = UPath(url, use_listings_cache=False)
        folder.fs  # noqa: B018 - loads what speaks with this kind of storage
    except (ImportError, ValueError) as error:
        raise ConfigError(f"files_url: {scheme}:// cannot be used ({error}); pip install 'meetings[s3]'") from None
    return cast("Path", folder)


def _is_far(path: Path) -> bool:
    """Whether a path leads off this machine's disks: what `open_folder` gives then only looks like a path."""
    return not isinstance(path, PurePath)


@contextlib.contextmanager
def reached(path: Path) -> Iterator[None]:
    """Whatever an object store says that does not answer, as trouble that passes; a missing file stays one."""
    try:
        yield
    except FileNotFoundError:
        raise
    except Exception as error:
        if not _is_far(path):
            raise
        raise StorageError(path, " ".join(str(error).split()) or type(error).__name__) from error


def write_text(path: Path, text: str) -> None:
    """Write a file so that it is either whole or absent, even if the machine loses power.

    Raises:
        StorageError: the disk is full or the folder cannot be written.
    """
    if _is_far(path):
        far: Any = path
        with reached(path):
            far.fs.pipe_file(far.path, text.encode())
        return
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
        raise StorageError(path, error) from error
    part = Path(name)
    try:
        yield part
        with part.open("rb") as file:
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as error:
        raise StorageError(path, error) from error
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

    One that exists is left as it is, and not even opened: closing a file takes away every lock that this process has on
    it, those of SQLite in its other threads too, and another process might then write where one of them is writing
    (https://sqlite.org/howtocorrupt.html, 2.2). What SQLite puts beside it takes its mode.
    """
    private_folder(path.parent)
    with _MAKING:
        if not path.exists():
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    return path


@contextlib.contextmanager
def opening(path: Path) -> Iterator[Path]:
    """While a SQLite file is opened, or removed with what is beside it: one of either at a time, in whichever process.

    Else somebody might open it anew when it is gone and its journal not yet: that journal is then taken away beneath
    them, and what they write is seen by nobody, what others write not by them (https://sqlite.org/howtocorrupt.html,
    2.5). The file is there, and private, when the block begins.

    Raises:
        OSError: the disk is full or the folder cannot be written.
    """
    private_folder(path.parent)
    with FileLock(path.with_name(f".{path.name}.lock"), mode=0o600):
        yield private_file(path)


def remove_sqlite(path: Path) -> None:
    """Remove a SQLite file and what SQLite puts beside it; whoever has it open goes on with what is nowhere then."""
    if path.parent.is_dir():
        with FileLock(path.with_name(f".{path.name}.lock"), mode=0o600):
            unlink_sqlite(path)


def unlink_sqlite(path: Path) -> None:
    """The same, for who is inside `opening`."""
    for file in sqlite_files(path):
        file.unlink(missing_ok=True)


def sqlite_files(path: Path) -> tuple[Path, ...]:
    """A SQLite file, and what SQLite may put beside it."""
    return (path, *(path.with_name(path.name + end) for end in ("-wal", "-shm", "-journal")))


def make_secret(path: Path, secret: bytes) -> None:
    """Make a file with a secret that only its owner may read, unless there is one: it is there whole, or not at all.

    Of two processes that get here at once the first one's counts.

    Raises:
        OSError: the disk is full or the folder cannot be written.
    """
    private_folder(path.parent)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)  # 0600
    part = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(secret + b"\n")
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(part, path)
    finally:
        part.unlink(missing_ok=True)
