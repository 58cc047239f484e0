"""Results on disk."""

from meetings.store.files import FileStore, digest, file_digest, private_folder, write_text, writing

__all__ = ["FileStore", "digest", "file_digest", "private_folder", "write_text", "writing"]
