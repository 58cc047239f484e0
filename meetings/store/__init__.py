"""Results on disk, and the database of small shared state."""

from meetings.store.database import Database, Document, Listed, close_databases
from meetings.store.files import FileStore, digest, file_digest, private_file, private_folder, write_text, writing
from meetings.store.sealed import Sealed

__all__ = [
    "Database",
    "Document",
    "FileStore",
    "Listed",
    "Sealed",
    "close_databases",
    "digest",
    "file_digest",
    "private_file",
    "private_folder",
    "write_text",
    "writing",
]
