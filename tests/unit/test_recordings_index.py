"""Which runs of a recording are made again by a correction."""

from __future__ import annotations

from pathlib import Path

from meetings.job import Job, local_source
from meetings.recordings import asked, find_media, past_runs, remember_folder, remember_run
from meetings.store import FileStore


def job(people: str = "p1", *, deliver: bool = False, names: str = "", nonce: str = "") -> Job:
    return Job(
        source=local_source(Path("call.mp4"), media_id="m" * 64, title=None, started_at=None),
        people_key=people,
        deliver=deliver,
        writer="extract",
        language=None,
        device="cpu",
        models={},
        fingerprints={},
        names=names,
        nonce=nonce,
    )


def remember(store: FileStore, one: Job, folder: str | None = None) -> None:
    remember_run(store, one, conversation="c", diarization="d", summaries="s")
    if folder:
        remember_folder(store, one, Path(folder))


def test_a_run_with_other_names_is_the_same_request(tmp_path: Path) -> None:
    assert asked(job(names="x", nonce="y")) == asked(job())
    assert asked(job("p2")) != asked(job())
    assert job(names="x").run_id != job().run_id
    store = FileStore(tmp_path)
    remember(store, job(), "/a")
    remember(store, job(names="x"))
    (run,) = past_runs(store, "m" * 64)
    assert run.folders == ("/a",)
    assert Job.from_json(store.read_json("jobs", run.job)).names == "x"


def test_a_folder_belongs_to_the_run_that_wrote_it_last(tmp_path: Path) -> None:
    store = FileStore(tmp_path)
    remember(store, job(), "/a")
    remember(store, job("p2"), "/b")
    remember(store, job("p3"), "/a")
    runs = past_runs(store, "m" * 64)
    assert [(r.folders) for r in runs] == [("/b",), ("/a",)]


def test_a_run_that_sent_messages_is_remembered_without_a_folder(tmp_path: Path) -> None:
    store = FileStore(tmp_path)
    remember(store, job(deliver=True))
    remember(store, job("p2"), "/a")
    assert [r.delivers for r in past_runs(store, "m" * 64)] == [True, False]


def test_a_recording_is_found_by_its_id(tmp_path: Path) -> None:
    store = FileStore(tmp_path)
    remember(store, job())
    assert find_media(store, "m" * 64) == "m" * 64
    assert find_media(store, "a" * 26) is None
