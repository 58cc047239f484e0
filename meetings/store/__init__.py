"""Results on disk, and the database of small shared state."""

from meetings.store.backup import Copied, back_up, restore
from meetings.store.database import Database, Document, Listed, close_databases
from meetings.store.files import (
    FileStore,
    digest,
    file_digest,
    opening,
    private_file,
    private_folder,
    reached,
    remove_sqlite,
    sqlite_files,
    unlink_sqlite,
    write_text,
    writing,
)
from meetings.store.first_layout import is_left as files_are_left
from meetings.store.locks import DatabaseLock, NamedLock, named_lock
from meetings.store.schema import upgrade as upgrade_database
from meetings.store.sealed import Sealed

__all__ = [
    "Copied",
    "Database",
    "DatabaseLock",
    "Document",
    "FileStore",
    "Listed",
    "NamedLock",
    "Sealed",
    "back_up",
    "close_databases",
    "digest",
    "file_digest",
    "files_are_left",
    "named_lock",
    "opening",
    "private_file",
    "private_folder",
    "reached",
    "remove_sqlite",
    "restore",
    "sqlite_files",
    "unlink_sqlite",
    "upgrade_database",
    "write_text",
    "writing",
]
