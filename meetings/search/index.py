"""The index: one SQLite file that is made from results and can always be made again.

Of each meeting it holds its passages (compressed), a vector of each (one byte a dimension), and for each stem the
places where it stands. What belongs to a meeting is in rows of its own, so that a meeting that goes takes everything
with it: the file is told to overwrite what is deleted (`secure_delete`), and its journal is emptied. FTS5 does neither
before SQLite 3.42, and its `bm25` counts documents of which the asker may know nothing; counting for one reader alone
takes the places themselves.

Readers see a `Shelf`: everything but text and places, in memory, loaded once and again when the file has changed.
"""

from __future__ import annotations

import contextlib
import logging
import sqlite3
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from meetings.errors import StorageError
from meetings.search.packing import (
    card_from_text,
    card_to_text,
    passage_of,
    passages_from_bytes,
    passages_to_bytes,
    places_of,
    quantised,
    read_places,
)
from meetings.search.passages import KINDS, Passage
from meetings.search.shelf import MOST_SPEAKERS, SECRET, Card, Shelf
from meetings.store import opening, private_file, unlink_sqlite

FORMAT = 1  # raised when an older file has to be made anew
PAGE = 16_384  # bytes; a meeting's vectors are long rows
PART = 16  # passages that are packed together: few are read of a meeting, and small texts pack badly
# Parts that a meeting can have; a table by number packs them closely, which one without rows' numbers does not.
PARTS = 8_192
SETTLING = 50  # times that a reader is waited for, of a tenth of a second
_log = logging.getLogger(__name__)

_SCHEMA = """
CREATE TABLE IF NOT EXISTS about (name TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS meetings (
    number INTEGER PRIMARY KEY, id TEXT UNIQUE NOT NULL, stamp TEXT NOT NULL, card TEXT NOT NULL,
    lengths BLOB NOT NULL, flags BLOB NOT NULL, who BLOB NOT NULL,
    scales BLOB NOT NULL, vectors BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS talk (id INTEGER PRIMARY KEY, passages BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS places (
    term TEXT, meeting INTEGER, at BLOB NOT NULL, PRIMARY KEY (term, meeting)
) WITHOUT ROWID;
"""


class Index:
    """The file, open. A context manager; made if it is not there, made anew if it is of another format or model.

    Args:
        path: the file.
        fingerprint: of the model of sentence embeddings: vectors of another cannot be compared.
    """

    def __init__(self, path: Path, *, fingerprint: str = "") -> None:
        self._path = path
        self._fingerprint = fingerprint
        self._shelf: Shelf | None = None
        self._seen = -1
        try:
            self._db, self._inode = self._open()
        except OSError as error:
            raise StorageError(path, error) from error
        except sqlite3.Error as error:
            raise StorageError(path, str(error)) from error

    def __enter__(self) -> Index:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def in_place(self) -> bool:
        """Whether this is still the file at its path: another process may have made it anew (`remove_sqlite`)."""
        try:
            return self._path.stat().st_ino == self._inode
        except OSError:
            return False

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    # Writing

    def put(self, card: Card, stamp: str, passages: Sequence[Passage], vectors: NDArray[np.float32]) -> None:
        """Put a meeting in; what was there of it goes."""
        numbers = {label: min(at, MOST_SPEAKERS) for at, (label, _, _) in enumerate(card.speakers)}
        flags = [SECRET * p.confidential + sum(2 << KINDS.index(k) for k in p.kinds) for p in passages]
        who = [sum({1 << numbers.get(s, MOST_SPEAKERS) for s in p.speakers}) for p in passages]
        scales, small = quantised(vectors)
        lengths, places = places_of(passages)
        with self._writing() as db:
            number = self._remove(db, card.id)
            replaced = number is not None
            row = (
                card.id,
                stamp,
                card_to_text(card),
                np.asarray(lengths, "<u4").tobytes(),
                np.asarray(flags, "u1").tobytes(),
                np.asarray(who, "<u8").tobytes(),
                scales.astype("<f4").tobytes(),
                small.tobytes(),
            )
            found = db.execute(
                "INSERT INTO meetings (number, id, stamp, card, lengths, flags, who, scales, vectors) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (number, *row),
            )
            db.executemany(
                "INSERT INTO talk VALUES (?, ?)",
                [
                    ((found.lastrowid or 0) * PARTS + at // PART, passages_to_bytes(passages[at : at + PART]))
                    for at in range(0, len(passages), PART)
                ],
            )
            db.executemany(
                "INSERT INTO places VALUES (?, ?, ?)", [(t, found.lastrowid, at) for t, at in sorted(places.items())]
            )
        if replaced:
            self.settle()

    def remove(self, ids: Sequence[str]) -> int:
        """Take meetings out, so that nothing of them stays in the file; how many there were."""
        with self._writing() as db:
            gone = [i for i in ids if self._remove(db, i) is not None]
        if gone:
            self.settle()
        return len(gone)

    def compact(self) -> None:
        """Pack the file anew: many meetings put in one after the other leave its pages half empty."""
        self._run("VACUUM")
        self.settle()

    def settle(self) -> None:
        """Empty the journal, where what was deleted still lies, and give back the room if much is free.

        Deleted rows are overwritten in the file itself as they go (`secure_delete`).
        """
        free, pages = (int(self._run(f"PRAGMA {what}")[0][0]) for what in ("freelist_count", "page_count"))
        if free * 4 > pages:
            self._run("VACUUM")
        for _ in range(SETTLING):
            if not self._run("PRAGMA wal_checkpoint(TRUNCATE)")[0][0]:
                return
            time.sleep(0.1)  # somebody is reading
        _log.warning("%s is being read; what was removed lies in its journal until the next change", self._path)

    def stamps(self) -> dict[str, str]:
        """What each meeting was made from, by its id."""
        return dict(self._run("SELECT id, stamp FROM meetings"))

    # Reading

    def vectors(self, meeting_id: str) -> dict[str, NDArray[np.float32]]:
        """The vector of each passage of a meeting, by its text, to be put in again with it."""
        for number, count, scales, small in self._run(
            "SELECT number, length(flags), scales, vectors FROM meetings WHERE id = ?", meeting_id
        ):
            rows = np.frombuffer(small, np.int8).reshape(count, -1) if count else np.zeros((0, 0), np.int8)
            made = rows.astype(np.float32) * np.frombuffer(scales, "<f4")[:, None]
            texts = [passage_of(p).text for part in self._talk(int(number)) for p in passages_from_bytes(part)]
            return dict(zip(texts, made, strict=True))
        return {}

    def shelf(self) -> Shelf:
        """What is there now."""
        seen = int(self._run("PRAGMA data_version")[0][0])
        if self._shelf is None or seen != self._seen:
            self._shelf, self._seen = self._load(), seen
        return self._shelf

    @contextlib.contextmanager
    def reading(self) -> Iterator[Shelf]:
        """What is there now; until the block ends, what others change is not seen, so that all that is read agrees."""
        try:
            self._db.execute("BEGIN")
            self._db.execute("SELECT count(*) FROM about").fetchone()  # the moment that is read
            try:
                yield self.shelf()
            finally:
                self._db.execute("COMMIT")
        except sqlite3.Error as error:
            raise StorageError(self._path, str(error)) from error

    def places(self, term: str) -> Iterator[tuple[int, NDArray[np.uint16]]]:
        """Where a stem stands: number of a meeting, rows of (passage, word)."""
        return read_places(self._run("SELECT meeting, at FROM places WHERE term = ?", term))

    def places_of_beginning(self, prefix: str) -> Iterator[tuple[int, NDArray[np.uint16]]]:
        """Where stems stand that begin so."""
        last = prefix[:-1] + chr(ord(prefix[-1]) + 1)
        return read_places(self._run("SELECT meeting, at FROM places WHERE term >= ? AND term < ?", prefix, last))

    def passages(self, meeting_id: str, numbers: Sequence[int]) -> dict[int, Passage]:
        """Passages of a meeting by their numbers in it; those that are gone by now are left out."""
        found: dict[int, Passage] = {}
        for part in sorted({n // PART for n in numbers}):
            for (packed,) in self._run(
                "SELECT passages FROM talk WHERE id = (SELECT number FROM meetings WHERE id = ?) * ? + ?",
                *(meeting_id, PARTS, part),
            ):
                read = passages_from_bytes(packed)
                here = [n for n in numbers if n // PART == part and n % PART < len(read)]
                found |= {n: passage_of(read[n % PART]) for n in here}
        return found

    # Inside

    def _open(self) -> tuple[sqlite3.Connection, int]:
        """The file, open, and its number on the disk."""
        with opening(self._path) as path:
            try:
                db = self._connected(path)
            except sqlite3.OperationalError:
                raise  # busy, or a full disk: nothing is wrong with what is in it
            except sqlite3.DatabaseError:
                unlink_sqlite(path)
                db = self._connected(private_file(path))
            return db, path.stat().st_ino

    def _connected(self, path: Path) -> sqlite3.Connection:
        db = sqlite3.connect(path, timeout=60.0, isolation_level=None, check_same_thread=False)
        try:
            db.execute(f"PRAGMA page_size = {PAGE}")
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("PRAGMA synchronous = NORMAL")
            db.execute("PRAGMA secure_delete = ON")
            db.execute("PRAGMA mmap_size = 2147418112")
            mine = f"{FORMAT} {self._fingerprint}"
            db.executescript(_SCHEMA)
            row = db.execute("SELECT value FROM about WHERE name = 'made'").fetchone()
            if row is None or (self._fingerprint and row[0] != mine):
                if row is not None:
                    db.execute("DELETE FROM places")
                    db.execute("DELETE FROM talk")
                    db.execute("DELETE FROM meetings")
                    db.execute("VACUUM")
                db.execute("INSERT OR REPLACE INTO about VALUES ('made', ?)", (mine,))
        except sqlite3.Error:
            db.close()
            raise
        return db

    @contextlib.contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        try:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")
        except sqlite3.Error as error:
            raise StorageError(self._path, str(error)) from error
        self._shelf = None

    def _run(self, command: str, *values: object) -> list[Any]:
        try:
            return self._db.execute(command, values).fetchall()
        except sqlite3.Error as error:
            raise StorageError(self._path, str(error)) from error

    def _talk(self, number: int) -> list[bytes]:
        """A meeting's passages, packed, in order."""
        rows = (number * PARTS, (number + 1) * PARTS)
        found = self._run("SELECT passages FROM talk WHERE id >= ? AND id < ? ORDER BY id", *rows)
        return [packed for (packed,) in found]

    def _remove(self, db: sqlite3.Connection, meeting_id: str) -> int | None:
        row = db.execute("SELECT number FROM meetings WHERE id = ?", (meeting_id,)).fetchone()
        if row is None:
            return None
        number = int(row[0])
        rows = (number * PARTS, (number + 1) * PARTS)
        for (packed,) in db.execute("SELECT passages FROM talk WHERE id >= ? AND id < ?", rows).fetchall():
            # Its stems are read from its words: no second list of them has to be kept.
            _, places = places_of([passage_of(p) for p in passages_from_bytes(packed)])
            db.executemany("DELETE FROM places WHERE term = ? AND meeting = ?", [(t, number) for t in places])
        db.execute("DELETE FROM talk WHERE id >= ? AND id < ?", rows)
        db.execute("DELETE FROM meetings WHERE number = ?", (number,))
        return number

    def _load(self) -> Shelf:
        rows = self._run("SELECT number, card, lengths, flags, who, scales, vectors FROM meetings ORDER BY number")
        lengths = [np.frombuffer(r[2], "<u4") for r in rows]
        flags = b"".join(r[3] for r in rows)
        vectors = np.frombuffer(b"".join(r[6] for r in rows), np.int8)
        return Shelf(
            cards=tuple(card_from_text(r[1]) for r in rows),
            numbers=np.asarray([r[0] for r in rows], np.int64),
            first=np.concatenate([[0], np.cumsum([len(x) for x in lengths])]).astype(np.int64),
            lengths=np.concatenate([*lengths, np.zeros(0, "<u4")]).astype(np.int64),
            flags=np.frombuffer(flags, np.uint8),
            who=np.frombuffer(b"".join(r[4] for r in rows), "<u8"),
            scales=np.frombuffer(b"".join(r[5] for r in rows), "<f4"),
            vectors=vectors.reshape(len(flags), -1) if len(flags) else np.zeros((0, 0), np.int8),
            places={int(r[0]): at for at, r in enumerate(rows)},
        )
