"""Results on disk."""

from meetings.store.files import (
    FileStore,
    digest,
    file_digest,
    private_file,
    private_folder,
    reached,
    write_text,
    writing,
)
from meetings.store.locks import DatabaseLock, NamedLock, named_lock
from meetings.store.sealed import SealedFiles

__all__ = [
    "DatabaseLock",
    "FileStore",
    "NamedLock",
    "SealedFiles",
    "digest",
    "file_digest",
    "named_lock",
    "private_file",
    "private_folder",
    "reached",
    "write_text",
    "writing",
]
