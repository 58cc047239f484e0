"""No engine tells its maker of its use."""

from __future__ import annotations

import os
from pathlib import Path

from tests.programs import run_python

# onnxruntime keeps still in a CI system, so the program below may know nothing of one.
PROGRAM = """
import sys
from pathlib import Path
from meetings.errors import ModelError
from meetings.llm import Embedder
try:
    Embedder(Path(sys.argv[1]))
except ModelError:
    pass
assert "onnxruntime" in sys.modules
"""


def test_the_engine_of_sentence_embeddings_keeps_no_number_of_this_machine_and_nothing_to_be_sent(
    tmp_path: Path,
) -> None:
    folder, home = tmp_path / "model", tmp_path / "home"
    for made in (folder, home):
        made.mkdir()
    for name in ("model.onnx", "tokenizer.json"):
        (folder / name).write_bytes(b"no model")
    kept = {name: os.environ[name] for name in ("PATH", "PYTHONPATH", "LD_LIBRARY_PATH") if name in os.environ}
    run_python(PROGRAM, folder, env={**kept, "HOME": str(home)})
    assert [str(path.relative_to(home)) for path in home.rglob("*") if path.is_file()] == []
