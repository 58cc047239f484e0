"""Sentence vectors kept on disk, so that what a person cares about is embedded once and not for every call.

One SQLite file, readable by its owner alone. Texts are not in it, only a hash of the model and the text; yet a vector
says roughly what its text was about, so the file is bounded, what was not used for long goes, and a damaged one is
made anew. Nothing depends on it: without it the same vectors take longer.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import sqlite3
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from meetings.store import opening, remove_sqlite

Vectors = NDArray[np.float32]

MAX_VECTORS = 50_000  # of 1.5 KB each
MAX_AGE_DAYS = 60.0  # of a vector that nobody asked for
_SCHEMA = 1
_DAY = 86_400.0
_log = logging.getLogger(__name__)


class TextEmbedder(Protocol):
    """What turns texts into unit vectors."""

    def embed(self, texts: Sequence[str]) -> Vectors:
        """One row a text."""


class KeptVectors:
    """An embedder that asks another only for what it has not kept.

    Args:
        inner: the embedder.
        path: the file.
        fingerprint: which model `inner` is: vectors of another are not taken.
    """

    def __init__(
        self, inner: TextEmbedder, path: Path, *, fingerprint: str, most: int = MAX_VECTORS, days: float = MAX_AGE_DAYS
    ) -> None:
        self._inner = inner
        self._path = path
        self._fingerprint = fingerprint
        self._most = most
        self._days = days
        self.made = 0  # texts that had to be embedded
        self.found = 0

    def embed(self, texts: Sequence[str]) -> Vectors:
        """One row a text, as the embedder gives it."""
        keys = [self._key(t) for t in texts]
        known = self._look_up(keys)
        missing = list({k: t for k, t in zip(keys, texts, strict=True) if k not in known}.items())
        made = self._inner.embed([t for _, t in missing])
        fresh = {k: row for (k, _), row in zip(missing, made, strict=True)}
        self.made += len(fresh)
        self.found += len(texts) - len(fresh)
        if texts:
            self._keep(fresh, used=known.keys())
        width = made.shape[1] if len(made) or not known else len(next(iter(known.values())))
        rows = [fresh[k] if k in fresh else known[k] for k in keys]
        return np.stack(rows).astype(np.float32) if rows else np.zeros((0, width), dtype=np.float32)

    def _key(self, text: str) -> bytes:
        return hashlib.sha256(f"{self._fingerprint}\0{text}".encode("utf-8", "surrogatepass")).digest()

    def _look_up(self, keys: Sequence[bytes]) -> dict[bytes, Vectors]:
        found: dict[bytes, Vectors] = {}
        try:
            with contextlib.closing(self._open()) as db:
                for key in keys:
                    row = db.execute("SELECT vector FROM vectors WHERE key = ?", (key,)).fetchone()
                    if row is not None:
                        found[key] = np.frombuffer(row[0], dtype="<f4")
        except (sqlite3.Error, OSError, ValueError) as error:
            self._set_aside(error)
            return {}
        return found

    def _keep(self, fresh: dict[bytes, Vectors], *, used: Iterable[bytes]) -> None:
        now = time.time()
        try:
            with contextlib.closing(self._open()) as db, db:
                db.executemany(
                    "INSERT OR REPLACE INTO vectors VALUES (?, ?, ?)",
                    [(key, now, row.astype("<f4").tobytes()) for key, row in fresh.items()],
                )
                db.executemany(
                    "UPDATE vectors SET used = ? WHERE key = ? AND used < ?",
                    [(now, key, now - _DAY) for key in used],
                )
                db.execute("DELETE FROM vectors WHERE used < ?", (now - self._days * _DAY,))
                if db.execute("SELECT count(*) FROM vectors").fetchone()[0] > self._most:
                    db.execute(
                        "DELETE FROM vectors WHERE key NOT IN (SELECT key FROM vectors ORDER BY used DESC LIMIT ?)",
                        (self._most,),
                    )
        except (sqlite3.Error, OSError) as error:
            self._set_aside(error)

    def _open(self) -> sqlite3.Connection:
        with opening(self._path) as path:
            return self._connected(path)

    def _connected(self, path: Path) -> sqlite3.Connection:
        db = sqlite3.connect(path, timeout=30.0)
        try:
            db.execute("PRAGMA journal_mode=WAL")
            db.execute("PRAGMA synchronous=NORMAL")
            version = db.execute("PRAGMA user_version").fetchone()[0]
            if version not in {0, _SCHEMA}:
                db.execute("DROP TABLE IF EXISTS vectors")
            db.execute(
                "CREATE TABLE IF NOT EXISTS vectors (key BLOB PRIMARY KEY, used REAL, vector BLOB) WITHOUT ROWID"
            )
            db.execute(f"PRAGMA user_version = {_SCHEMA}")
        except sqlite3.Error:
            db.close()
            raise
        return db

    def _set_aside(self, error: Exception) -> None:
        """A file that is damaged goes; one that is only busy, or a full disk, costs this run its time."""
        _log.warning("%s cannot be used (%s); vectors are made anew", self._path, error)
        if isinstance(error, sqlite3.DatabaseError) and not isinstance(error, sqlite3.OperationalError):
            remove_sqlite(self._path)
