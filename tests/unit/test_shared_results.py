"""Results that lie where several machines reach them: in a folder, or in an object store spoken to by HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from meetings.config import load_settings
from meetings.errors import ConfigError, StorageError
from meetings.retention import plan_purge, purge
from meetings.search import OPERATOR, catch_up, drop_changed, index_path, open_index, search
from meetings.store import FileStore
from tests.kept_results import keep_recording
from tests.s3 import running_s3
from tests.unit.search_builders import Words, bytes_of


@pytest.fixture(scope="module")
def s3() -> Iterator[dict[str, str]]:
    with running_s3("results") as env:
        yield dict(env)


@pytest.fixture(params=["folder", "s3"])
def files_url(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Where results lie; empty."""
    if request.param == "folder":
        return str(tmp_path / "shared")
    for name, value in request.getfixturevalue("s3").items():
        monkeypatch.setenv(name, value)
    return f"s3://results/{tmp_path.name}"


def store_of(files_url: str, home: Path) -> FileStore:
    return FileStore.of(load_settings(environ={"MEETINGS_HOME": str(home), "MEETINGS_FILES_URL": files_url}))


def test_what_one_machine_stores_another_finds(files_url: str, tmp_path: Path) -> None:
    one, other = store_of(files_url, tmp_path / "one"), store_of(files_url, tmp_path / "other")
    assert not other.has("conversation", "k")
    one.write_json("conversation", "k", {"said": "ü"})
    assert other.has("conversation", "k")
    assert other.read_json("conversation", "k") == {"said": "ü"}


def test_what_one_machine_heard_another_finds_until_it_is_removed(files_url: str, tmp_path: Path) -> None:
    one, other = (
        load_settings(environ={"MEETINGS_HOME": str(tmp_path / name), "MEETINGS_FILES_URL": files_url})
        for name in ("one", "other")
    )
    kept = keep_recording(one)
    with open_index(other) as index:
        assert [catch_up(other, index, Words).put for _ in range(2)] == [1, 0]
        assert search(index, "zebra", OPERATOR, embedder=Words())
    kept.store.write_json("conversation", kept.conversation, {"id": "r" * 26, "utterances": []})
    assert drop_changed(other) == 1
    assert b"zebra" not in bytes_of(index_path(other))


def test_a_result_is_replaced_whole(files_url: str, tmp_path: Path) -> None:
    store = store_of(files_url, tmp_path)
    store.write_json("recordings", "k", ["long" * 100])
    store.write_json("recordings", "k", ["b"])
    assert store.read_json("recordings", "k") == ["b"]


def test_keys_are_those_of_one_stage_in_order(files_url: str, tmp_path: Path) -> None:
    store = store_of(files_url, tmp_path)
    assert store.keys("jobs") == []
    for key in ("b", "a"):
        store.write_json("jobs", key, {})
    store.write_json("people", "c", {})
    assert store.keys("jobs") == ["a", "b"]


def test_sound_stays_on_the_machine_that_hears(files_url: str, tmp_path: Path) -> None:
    store = store_of(files_url, tmp_path / "home")
    assert store.path("audio", "k", ".wav").is_relative_to(tmp_path / "home")


def test_what_is_held_is_found_and_removed_wherever_it_lies(files_url: str, tmp_path: Path) -> None:
    environ = {"MEETINGS_HOME": str(tmp_path / "home"), "MEETINGS_FILES_URL": files_url}
    settings = load_settings(environ={**environ, "MEETINGS_RETENTION": "transcript=1,summaries=1"})
    kept = keep_recording(settings)
    store = FileStore.of(settings)
    plan = plan_purge(settings, client=None, now=4_000_000_000.0)
    purge(plan, settings, by="the test")
    assert not store.has("conversation", kept.conversation)
    assert not store.has("summaries", kept.summaries)
    assert not store.has("transcription", kept.transcription)


def test_a_store_that_is_away_is_not_taken_for_an_empty_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("s3fs").S3FileSystem.clear_instance_cache()
    names = {"AWS_ENDPOINT_URL": "http://127.0.0.1:9", "AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x"}
    for name, value in {**names, "AWS_MAX_ATTEMPTS": "1", "AWS_DEFAULT_REGION": "us-east-1"}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(StorageError):
        store_of("s3://elsewhere/x", tmp_path).has("conversation", "k")


def test_a_kind_of_storage_that_nobody_knows_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="files_url: nope://"):
        store_of("nope://x/y", tmp_path)
