"""Workers on several machines share the work; when some die for good the others do theirs, and nobody is told twice."""

from __future__ import annotations

import os
import random
import signal
import time
from pathlib import Path

import pytest

from meetings.queueing import SharedInbox
from meetings.store import FileStore
from tests.many_calls import PEOPLE, ManyCalls, many_calls, speech

pytestmark = [pytest.mark.models, pytest.mark.slow]

RECORDINGS = int(os.environ.get("RECORDINGS", "200"))
SAID = speech("We decided to ship the release on Friday", "I will write the notes for it until Thursday")


def put_all(calls: ManyCalls, url: str) -> None:
    with SharedInbox(url) as inbox:
        for post in calls.posts:
            assert inbox.put(post)


def test_two_of_three_workers_are_killed_for_good_and_everybody_is_told_everything_once(
    tmp_path: Path, models_folder: Path, postgres_url: str
) -> None:
    chance = random.Random(RECORDINGS)
    env = {
        "MEETINGS_DATABASE_URL": postgres_url,
        "MEETINGS_FILES_URL": str(tmp_path / "shared"),
        "MEETINGS_MODELS": str(models_folder),
    }
    with many_calls(tmp_path / "calls", env) as calls:
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
