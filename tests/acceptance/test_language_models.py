"""The language engines on the real starter models."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from meetings.errors import LanguageModelError, ModelError, ModelMissingError
from meetings.llm import Embedder, LlamaCpp
from tests.acceptance.conftest import Meetings

pytestmark = pytest.mark.models


@pytest.fixture(scope="module")
def embedder(models_folder: Path) -> Embedder:
    return Embedder(models_folder / "minilm-l6-v2", threads=1)


@pytest.fixture(scope="module")
def model(models_folder: Path) -> LlamaCpp:
    return LlamaCpp(models_folder / "smollm2-135m", threads=1)


def test_texts_alike_in_meaning_are_close(embedder: Embedder) -> None:
    release, ship, coffee = embedder.embed(["The release is late.", "We ship later than planned.", "I like coffee."])
    assert release @ ship > release @ coffee + 0.1


def test_vectors_have_unit_length_and_keep_the_order(embedder: Embedder) -> None:
    texts = ["a much longer sentence about the parser and its tables " * n for n in range(1, 41)] + ["", "short"]
    vectors = embedder.embed(texts)
    assert vectors.shape == (42, 384)
    assert vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    alone = embedder.embed([texts[3]])[0]
    # int8 activations are scaled by batch: close, not equal.
    assert alone @ vectors[3] > 0.97


def test_no_texts_give_no_vectors(embedder: Embedder) -> None:
    assert embedder.embed([]).shape == (0, 384)


def test_a_folder_without_a_model_says_what_to_pull(tmp_path: Path) -> None:
    with pytest.raises(ModelMissingError, match="meetings models pull minilm-l6-v2"):
        Embedder(tmp_path)
    (tmp_path / "model.onnx").write_bytes(b"no model")
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(ModelError, match="meetings models verify"):
        Embedder(tmp_path)


def test_the_same_seed_gives_the_same_answer(model: LlamaCpp) -> None:
    answers = {model.complete("The capital of France is", max_tokens=12, temperature=0.7, seed=4) for _ in range(3)}
    assert len(answers) == 1
    assert answers != {""}


def test_a_model_answers_silently(model: LlamaCpp, capfd: pytest.CaptureFixture[str]) -> None:
    model.complete("Say yes.", max_tokens=4)
    assert capfd.readouterr() == ("", "")


def test_a_prompt_longer_than_the_context_is_refused(model: LlamaCpp) -> None:
    with pytest.raises(LanguageModelError, match="does not fit its context of 2048"):
        model.complete("word " * 3000, max_tokens=8)


def test_a_file_that_is_no_model_is_refused(tmp_path: Path) -> None:
    (tmp_path / "bad.gguf").write_bytes(b"GGUFnot really")
    with pytest.raises(LanguageModelError, match="cannot be loaded as a GGUF model"):
        LlamaCpp(tmp_path / "bad.gguf").complete("x", max_tokens=1)


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(ModelMissingError):
        LlamaCpp(tmp_path / "none.gguf")


@pytest.mark.models
@pytest.mark.slow
def test_the_starter_model_is_refused_as_a_writer(meetings: Meetings) -> None:
    done = meetings("models", "admit", "smollm2-135m", "--json")
    assert done.code == 1
    verdict = done.json()
    assert not verdict["admitted"]
    assert verdict["right"] + verdict["wrong"] + verdict["refused"] == verdict["cases"] >= 24
