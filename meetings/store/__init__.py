"""Results on disk."""

from meetings.store.files import FileStore, digest, file_digest, private_file, private_folder, write_text, writing
from meetings.store.sealed import SealedFiles

__all__ = [
    "FileStore",
    "SealedFiles",
    "digest",
    "file_digest",
    "private_file",
    "private_folder",
    "write_text",
    "writing",
]
