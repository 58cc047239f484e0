"""Sentence embeddings with all-MiniLM-L6-v2 (int8) on onnxruntime: what two texts have in common beyond their words.

Texts become L2-normalised vectors, so that a dot product is a cosine. The model sees the first 128 word pieces of a
text. Vectors are the same on every run on one machine; int8 kernels may differ in the last digits between CPUs.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from meetings.errors import ModelError, ModelMissingError
from meetings.telemetry import no_telemetry

Vectors = NDArray[np.float32]

DIMENSIONS = 384
BATCH = 32
# The word pieces the model was trained on (model card of sentence-transformers/all-MiniLM-L6-v2).
MAX_TOKENS = 128


class Embedder:
    """MiniLM from a folder with `model.onnx` and `tokenizer.json`."""

    def __init__(self, folder: Path, *, threads: int = 0) -> None:
        """Load the model.

        Args:
            folder: where the two files are.
            threads: CPU threads; 0 lets the engine choose.

        Raises:
            ModelMissingError: a file is not there.
            ModelError: a file cannot be read as a model.
        """
        for name in ("model.onnx", "tokenizer.json"):
            if not (folder / name).is_file():
                raise ModelMissingError("minilm-l6-v2", folder / name)
        no_telemetry()
        import onnxruntime
        from tokenizers import Tokenizer

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        # Spinning threads would take the cores that the other engines need.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            self._session: Any = onnxruntime.InferenceSession(
                str(folder / "model.onnx"), options, providers=["CPUExecutionProvider"]
            )
            self._tokenizer: Any = Tokenizer.from_file(str(folder / "tokenizer.json"))
        # Both engines raise classes of their own native modules, Tokenizer even the bare Exception.
        except Exception as error:
            raise ModelError(
                f"{folder} holds no sentence embedding model ({error}); run: meetings models verify"
            ) from error
        self._tokenizer.enable_truncation(MAX_TOKENS)
        self._tokenizer.no_padding()

    def embed(self, texts: Sequence[str]) -> Vectors:
        """One row of `DIMENSIONS` numbers for each text, L2-normalised; an empty list gives no rows."""
        vectors = np.zeros((len(texts), DIMENSIONS), dtype=np.float32)
        if not texts:
            return vectors
        tokens = [e.ids for e in self._tokenizer.encode_batch([t if t.strip() else "." for t in texts])]
        # Alike lengths together: padding is what a batch wastes.
        order = sorted(range(len(texts)), key=lambda i: (len(tokens[i]), i))
        for start in range(0, len(order), BATCH):
            rows = order[start : start + BATCH]
            vectors[rows] = self._forward([tokens[i] for i in rows])
        return vectors

    def _forward(self, batch: Sequence[Sequence[int]]) -> Vectors:
        width = max(len(ids) for ids in batch)
        ids = np.zeros((len(batch), width), dtype=np.int64)
        mask = np.zeros((len(batch), width), dtype=np.int64)
        for row, sequence in enumerate(batch):
            ids[row, : len(sequence)] = sequence
            mask[row, : len(sequence)] = 1
        (hidden,) = self._session.run(
            None, {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        )
        # Mean over the text's own tokens, then unit length (model card).
        weights = mask[:, :, None].astype(np.float32)
        mean = (hidden * weights).sum(axis=1) / np.maximum(weights.sum(axis=1), 1e-9)
        result: Vectors = (mean / np.maximum(np.linalg.norm(mean, axis=1, keepdims=True), 1e-9)).astype(np.float32)
        return result
