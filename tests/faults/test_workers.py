"""Workers on several machines share the work; when some die for good the others do theirs, and nobody is told twice."""

from __future__ import annotations

import os
import random
import signal
import time
from pathlib import Path

import psycopg
import pytest

from meetings.queueing import SharedInbox
from meetings.store import FileStore
from tests.many_calls import PEOPLE, ManyCalls, many_calls, speech
from tests.s3 import running_s3
from tests.warm import Warm

pytestmark = [pytest.mark.models, pytest.mark.slow]

# RECORDINGS=200 is for a figure, not for every change.
RECORDINGS = int(os.environ.get("RECORDINGS", "100"))
SAID = speech("We decided to ship the release on Friday", "I will write the notes for it until Thursday")


def put_all(calls: ManyCalls, url: str) -> None:
    with SharedInbox(url) as inbox:
        for post in calls.posts:
            assert inbox.put(post)


def test_two_of_three_workers_are_killed_for_good_and_everybody_is_told_everything_once(
    tmp_path: Path, models_folder: Path, postgres_url: str, warm: Warm | None
) -> None:
    chance = random.Random(RECORDINGS)
    env = {
        "MEETINGS_DATABASE_URL": postgres_url,
        "MEETINGS_FILES_URL": str(tmp_path / "shared"),
        "MEETINGS_MODELS": str(models_folder),
    }
    with many_calls(tmp_path / "calls", env, warm=warm) as calls:
        calls.post(RECORDINGS - 4)
        calls.post(4, SAID)
        put_all(calls, postgres_url)
        workers = [calls.start("worker", "--concurrency", "8") for _ in range(3)]
        due = {(person, file) for person in PEOPLE for file in calls.files}
        # At moments that are told by how far the work is, whatever the machine's speed.
        moments = sorted(chance.choices(range(1, RECORDINGS // 2), k=2))
        for victim, moment in zip(chance.sample(workers, 2), moments, strict=True):
            calls.wait_until_done(moment, patience=400)
            os.killpg(victim.pid, signal.SIGKILL)
        took = calls.wait_until_done(RECORDINGS, patience=400)
        time.sleep(3)  # whoever would write twice has the time to
        told = calls.told()
        store = FileStore.of(calls.settings)
        made = {stage: len(store.keys(stage)) for stage in ("conversation", "summaries", "recordings")}
        print(f"{RECORDINGS} recordings, {len(due)} messages due, {len(due - set(told))} missing, "
              f"{sum(n > 1 for n in told.values())} double, {took:.1f} s after the second death, {made}")  # fmt: skip
    assert set(told) == due
    assert set(told.values()) == {1}
    assert made == dict.fromkeys(made, RECORDINGS)


def test_everything_goes_by_an_object_store_and_a_database(
    tmp_path: Path, models_folder: Path, postgres_url: str, warm: Warm | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running_s3("results") as s3:
        for name, value in s3.items():
            monkeypatch.setenv(name, value)
        env = {
            "MEETINGS_DATABASE_URL": postgres_url,
            "MEETINGS_FILES_URL": "s3://results/meetings",
            "MEETINGS_MODELS": str(models_folder),
        }
        with many_calls(tmp_path / "calls", env, warm=warm) as calls:
            calls.post(5)
            calls.post(1, SAID)
            put_all(calls, postgres_url)
            calls.start("worker", "--queues", "speech")
            calls.start("worker", "--queues", "summary,delivery")
            calls.wait_until_done(6, patience=200)
            told = calls.told()
            store = FileStore.of(calls.settings)
            made = {stage: len(store.keys(stage)) for stage in ("conversation", "summaries", "delivered")}
            left = [p for n in range(2) for p in (calls.folder / f"home-{n}" / "results").rglob("*.json")]
    assert told == {(person, file): 1 for person in PEOPLE for file in calls.files}
    assert made == {"conversation": 6, "summaries": 6, "delivered": 6 * len(PEOPLE)}
    assert left == []


def test_one_of_several_listeners_listens_and_another_takes_its_place(
    tmp_path: Path, models_folder: Path, postgres_url: str, warm: Warm | None
) -> None:
    env = {"MEETINGS_DATABASE_URL": postgres_url, "MEETINGS_MODELS": str(models_folder)}
    with many_calls(tmp_path / "calls", env, warm=warm) as calls:
        first = calls.start("listen")
        calls.wait_for("process-0.log", "listening at")
        calls.start("serve", "--port", "0")
        calls.wait_for("process-1.log", "standing by")
        third = calls.start("listen")
        calls.wait_for("process-2.log", "standing by")
        third.send_signal(signal.SIGINT)
        assert third.wait(120) == 130
        os.killpg(first.pid, signal.SIGKILL)
        calls.wait_for("process-1.log", "looked through")
        calls.post(1)
        with SharedInbox(postgres_url) as inbox:
            until = time.monotonic() + 120
            while not (waiting := inbox.waiting()) and time.monotonic() < until:
                time.sleep(0.2)
    assert waiting == 1, calls.logs()


def test_a_worker_whose_lock_is_lost_ends_at_once(
    tmp_path: Path, models_folder: Path, postgres_url: str, warm: Warm | None
) -> None:
    env = {"MEETINGS_DATABASE_URL": postgres_url, "MEETINGS_MODELS": str(models_folder)}
    with many_calls(tmp_path / "calls", env, warm=warm) as calls:
        worker = calls.start("worker")
        calls.wait_for("process-0.log", "takes speech, summary, delivery, answers")
        with psycopg.connect(postgres_url, autocommit=True) as admin:
            admin.execute("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'")
        assert worker.wait(60) == 1
        assert "others may take this worker for dead" in calls.logs()
