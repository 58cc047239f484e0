"""Kept vectors: each text is embedded once for a model, and no trouble with the file is trouble for a run."""

from __future__ import annotations

import stat
import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from meetings.llm import KeptVectors
from tests.unit.summary_builders import TermEmbedder

TEXTS = ["prices and competitors", "the parser release", "hiring"]


class Counting(TermEmbedder):
    """Remembers what it was asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """One unit row a text."""
        self.asked += texts
        return super().embed(texts)


def kept(path: Path, inner: TermEmbedder, fingerprint: str = "one", most: int = 100, days: float = 60) -> KeptVectors:
    return KeptVectors(inner, path / "people" / "vectors.sqlite", fingerprint=fingerprint, most=most, days=days)


def test_a_text_is_embedded_once(tmp_path: Path) -> None:
    kept(tmp_path, Counting()).embed(TEXTS[:2])
    again = Counting()
    kept(tmp_path, again).embed(TEXTS)
    assert again.asked == TEXTS[2:]


def test_kept_vectors_are_those_of_the_embedder_to_the_last_bit(tmp_path: Path) -> None:
    kept(tmp_path, TermEmbedder()).embed(TEXTS)
    found = kept(tmp_path, Counting()).embed([TEXTS[2], TEXTS[0], TEXTS[2]])
    assert np.array_equal(found, TermEmbedder().embed([TEXTS[2], TEXTS[0], TEXTS[2]]))


def test_another_models_vectors_are_not_taken(tmp_path: Path) -> None:
    kept(tmp_path, Counting(), fingerprint="one").embed(TEXTS)
    other = Counting()
    kept(tmp_path, other, fingerprint="two").embed(TEXTS)
    assert other.asked == TEXTS


def test_no_text_gives_no_row(tmp_path: Path) -> None:
    assert len(kept(tmp_path, TermEmbedder()).embed([])) == 0


def test_the_file_is_its_owners_alone(tmp_path: Path) -> None:
    kept(tmp_path, TermEmbedder()).embed(TEXTS)
    files = list((tmp_path / "people").iterdir())
    assert files
    assert {stat.S_IMODE(f.stat().st_mode) for f in files} == {0o600}


def test_no_text_stands_in_the_file(tmp_path: Path) -> None:
    kept(tmp_path, TermEmbedder()).embed(TEXTS)
    assert all(b"competitors" not in f.read_bytes() for f in (tmp_path / "people").iterdir())


def test_of_too_many_the_last_used_stay(tmp_path: Path) -> None:
    for text in TEXTS:
        kept(tmp_path, TermEmbedder(), most=2).embed([text])
    again = Counting()
    kept(tmp_path, again, most=2).embed(TEXTS)
    assert again.asked == TEXTS[:1]


def test_what_nobody_asks_for_goes(tmp_path: Path) -> None:
    kept(tmp_path, TermEmbedder()).embed(TEXTS[:1])
    kept(tmp_path, TermEmbedder(), days=-1.0).embed(TEXTS[1:2])
    again = Counting()
    kept(tmp_path, again).embed(TEXTS[:1])
    assert again.asked == TEXTS[:1]


@pytest.mark.parametrize("content", [b"no database" * 500, b"SQLite format 3\0" + b"\xff" * 5000])
def test_a_damaged_file_costs_time_and_is_made_anew(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "people").mkdir()
    (tmp_path / "people" / "vectors.sqlite").write_bytes(content)
    assert np.array_equal(kept(tmp_path, TermEmbedder()).embed(TEXTS), TermEmbedder().embed(TEXTS))
    again = Counting()
    kept(tmp_path, again).embed(TEXTS)
    assert again.asked == []


def test_two_at_once_get_the_same(tmp_path: Path) -> None:
    results: list[NDArray[np.float32]] = []

    def work() -> None:
        results.extend(kept(tmp_path, TermEmbedder()).embed(TEXTS) for _ in range(10))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 40
    assert all(np.array_equal(r, TermEmbedder().embed(TEXTS)) for r in results)
