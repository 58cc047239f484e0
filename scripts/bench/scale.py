#!/usr/bin/env python3
"""What the engine around the work costs: throughput of several workers, overhead of a recording, waits in a burst.

    python scripts/bench/scale.py [--recordings 200] [--burst 1000] [--workers 1,2,4] [--concurrency 8]

The real queues, workers and steps, with stages that give their results at once and no Mattermost: what is measured is
the engine (DBOS), its database and our glue. PostgreSQL runs on this machine, in a temporary folder and without waiting
for the disk; it is skipped where there is none. The processes share this machine's cores with it.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psycopg
from dbos import DBOS, DBOSClient, SetWorkflowID

import meetings.service as service
from meetings.config import Settings
from meetings.conversation import Conversation, Utterance, Word, to_json
from meetings.job import Job, Source
from meetings.mattermost import Recording
from meetings.mattermost.entities import FileInfo
from meetings.pipeline import Silent, shared_pipeline
from meetings.queueing import APPLICATION, SharedInbox
from meetings.speech import Transcription
from meetings.stage import StageResult
from meetings.store import Database, upgrade_database
from meetings.worker import QUEUES, Worker

READERS = 8


class NoStages:
    """Stages that give what real ones give, at once."""

    threads = 1

    def __init__(self, **_: object) -> None:
        pass

    def read_job(self, job_key: str) -> Job:
        """A job."""
        return job_of(job_key)

    def _done(self, stage: str, **info: Any) -> StageResult:
        return StageResult(stage=stage, key="k" * 32, seconds=0.0, reused=False, model="model", info=info)

    def fetch(self, *_: object) -> StageResult:
        """As all that follow."""
        return self._done("fetch")

    def decode(self, *_: object) -> StageResult:
        """Nothing."""
        return self._done("audio", notes=[])

    def segment(self, *_: object) -> StageResult:
        """Nothing."""
        return self._done("segmentation")

    def transcribe(self, *_: object) -> StageResult:
        """Nothing."""
        return self._done("transcription")

    def diarize(self, *_: object) -> StageResult:
        """Nothing."""
        return self._done("diarization")

    def join(self, *_: object) -> StageResult:
        """Nothing."""
        return self._done("conversation", notes=[])

    def read_people(self, *_: object) -> StageResult:
        """Nothing."""
        return self._done("people", notes=[])

    def summarise(self, *_: object) -> StageResult:
        """Some readers."""
        return self._done("summaries", deliver_to=[f"reader{n}" for n in range(READERS)])

    def deliver(
        self, _job: object, _conversation: object, _summaries: object, username: str, _down: str
    ) -> StageResult:
        """A message."""
        told = {"username": username, "status": "sent", "reason": "", "server_gone": False, "down": ""}
        return self._done(f"delivery to {username}", **told, post_id="p" * 26, key="m" * 32)

    def tidy(self, *_: object) -> None:
        """Nothing."""


def job_of(name: str) -> Job:
    """The job of a recording."""
    roles = ("recogniser", "segmentation", "speaker_embedding", "text_embedding", "language_model")
    return Job(
        source=Source(media_id=name, name=name, title=name, post_id=name, channel_id=name.partition("-")[0]),
        people_key=None,
        deliver=True,
        writer="extract",
        language=None,
        device="cpu",
        models=dict.fromkeys(roles, "m"),
        fingerprints=dict.fromkeys(roles, "f" * 64),
    )


def recording_of(_client: object, name: str) -> Recording:
    """A recording as the server would show it; its name begins with its team's."""
    job = job_of(name)
    return Recording(
        file=FileInfo(id=name, post_id=name, name=name, size=1),
        post_id=name,
        channel_id=str(job.source.channel_id),
        call_post_id=None,
        title=name,
        started_at=None,
        participant_ids=(),
        transcript_file_id=None,
        author_id="calls",
        posted_at=int(time.time() * 1000),
    )


def without_mattermost() -> None:
    """Let this process's workflows find recordings and stages of this file."""
    client = SimpleNamespace(
        user=lambda _id: SimpleNamespace(is_bot=True), channel=lambda name: SimpleNamespace(team_id=name)
    )
    module: Any = service
    module.MattermostClient = SimpleNamespace(required=lambda _settings: client)
    module.find_recording = recording_of
    module.prepare_job = lambda name, _settings, **_options: job_of(name)
    module.Stages = NoStages


def settings_of(folder: Path, url: str | None) -> Settings:
    """A machine's settings; results lie where all find them."""
    return Settings.model_validate(
        {"home": folder / f"home-{os.getpid()}", "files_url": str(folder / "results"), "database_url": url}
    )


def overhead(folder: Path, url: str, count: int) -> tuple[float, float, float]:
    """Milliseconds that a recording's steps take in the engine, and of this process's CPU; and without the engine."""
    without_mattermost()
    # A settings object without `database_url`: nothing here is shared, whatever the engine's database.
    service.prepare_engine(settings_of(folder, None), Silent(), {"system_database_url": url, "executor_id": "bench"})
    DBOS.launch()
    pipeline = shared_pipeline()
    try:
        pipeline.process_recording("warm-up")
        began, cpu = time.perf_counter(), time.process_time()
        for number in range(count):
            with SetWorkflowID(f"overhead-{number}"):
                DBOS.start_workflow(pipeline.process_recording, f"team-{number}").get_result()
        durable, cpu = time.perf_counter() - began, time.process_time() - cpu
    finally:
        DBOS.destroy(workflow_completion_timeout_sec=0)
    stages = NoStages()
    began = time.perf_counter()
    for _ in range(count):
        for name in ("fetch", "decode", "segment", "transcribe", "diarize", "join", "read_people", "summarise"):
            getattr(stages, name)()
        for number in range(READERS):
            stages.deliver(None, None, None, str(number), "")
    bare = time.perf_counter() - began
    return durable / count * 1000, cpu / count * 1000, bare / count * 1000


@contextmanager
def workers(folder: Path, url: str, count: int, concurrency: int) -> Iterator[list[subprocess.Popen[str]]]:
    """So many workers that have begun."""
    upgrade_database(Database.named(settings_of(folder, url)))
    command = [sys.executable, str(Path(__file__)), "--work", url, str(folder), str(concurrency)]
    started = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(count)]
    try:
        for one in started:
            assert one.stdout is not None
            assert one.stdout.readline() == "ready\n"
        yield started
    finally:
        for one in started:
            one.kill()
            one.communicate()


def work(url: str, folder: Path, concurrency: int) -> None:
    """Be a worker until killed."""
    without_mattermost()
    with Worker(settings_of(folder, url), Silent(), queues=list(QUEUES), concurrency=concurrency):
        print("ready", flush=True)
        signal.pause()


def put(url: str, names: Sequence[str]) -> None:
    """Queue recordings."""
    with SharedInbox(url) as inbox:
        for name in names:
            inbox.put(name)


def finished(client: DBOSClient, count: int) -> list[Any]:
    """The last parts of so many recordings, once they are done."""
    while True:
        found = client.list_workflows(queue_name="delivery", status="SUCCESS", load_input=False, load_output=False)
        if len(found) >= count:
            return list(found)
        time.sleep(0.25)


def load(url: str) -> Mapping[str, int]:
    """What the database has done so far, and how large the engine's tables are."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SELECT pg_stat_force_next_flush()")
        time.sleep(1.5)  # other sessions report what they did once a second
        row = connection.execute(
            "SELECT xact_commit, tup_inserted, tup_updated, tup_deleted FROM pg_stat_database "
            "WHERE datname = current_database()"
        ).fetchone()
        size = connection.execute(
            "SELECT coalesce(sum(pg_total_relation_size(c.oid)), 0) FROM pg_class c "
            "JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'dbos' AND c.relkind = 'r'"
        ).fetchone()
    assert row is not None
    assert size is not None
    return dict(zip(("transactions", "inserted", "updated", "deleted"), row, strict=True)) | {"bytes": int(size[0])}


def results() -> tuple[int, int]:
    """Bytes of results: of an hour of talk at 150 words a minute, and of one reader's summary of ten points."""
    words = tuple(Word(word=" example", start=n / 2.5, end=n / 2.5 + 0.3, probability=0.987) for n in range(9_000))
    parts = [words[at : at + 20] for at in range(0, len(words), 20)]
    said = tuple(
        Utterance(
            id=f"u{n}",
            speaker="S1",
            start=part[0].start,
            end=part[-1].end,
            text=" ".join(w.word.strip() for w in part),
            words=part,
        )
        for n, part in enumerate(parts)
    )
    hour = Conversation(id="r", title="Call", duration=3600.0, speakers=(), participants=(), utterances=said)
    heard = Transcription(words=words, language="en", language_probability=1.0, duration=3600.0)
    point = {"kind": "info", "text": "x" * 150, "evidence": ["u1", "u2"], "start": 1.0, "speaker": "Ana", "owner": None}
    point |= {"due": None, "why": "y" * 60, "writer": "extract", "score": 0.5}
    return len(json.dumps(to_json(hour))) + len(json.dumps(heard.to_json())), 10 * len(json.dumps(point))


def main() -> None:
    """Measure, and print tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recordings", type=int, default=200)
    parser.add_argument("--burst", type=int, default=1000)
    parser.add_argument("--workers", default="1,2,4")
    parser.add_argument("--concurrency", type=int, default=8)
    parser.add_argument(
        "--work", nargs=3, metavar=("URL", "FOLDER", "CONCURRENCY"), help="be a worker (used by itself)"
    )
    arguments = parser.parse_args()
    if arguments.work:
        work(arguments.work[0], Path(arguments.work[1]), int(arguments.work[2]))
        return
    talk, summary = results()
    print(f"results: {talk / 1e6:.1f} MB for an hour of talk, {summary / 1e3:.1f} kB for a reader\n")
    from tests.postgres import find_programs, new_database, running_postgres

    many = arguments.recordings
    print(f"{os.cpu_count()} cores; load when it began: {os.getloadavg()[0]:.1f}; {READERS} readers each\n")
    print("| a recording's steps, one after the other | ms in the engine | of it this process's CPU | ms without it |")
    print("|---|---|---|---|")
    with tempfile.TemporaryDirectory() as name:
        ms, cpu, bare = overhead(Path(name), f"sqlite:///{name}/steps.sqlite", many)
        print(f"| SQLite | {ms:.0f} | {cpu:.0f} | {bare:.2f} |", flush=True)
    if find_programs() is None:
        print("no PostgreSQL server here: the rest is NOT measured")
        return
    with running_postgres() as server, tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ms, cpu, bare = overhead(folder, new_database(server), many)
        print(f"| PostgreSQL | {ms:.0f} | {cpu:.0f} | {bare:.2f} |\n", flush=True)
        idle_rate = idle(folder, new_database(server))
        print(f"an idle worker: {idle_rate:.0f} transactions a second\n", flush=True)
        print(f"| workers, {arguments.concurrency} at once each | recordings a second |\n|---|---|")
        for count in map(int, arguments.workers.split(",")):
            url = new_database(server)
            put(url, [f"team{n % 10}-{n}" for n in range(many)])
            client = DBOSClient(system_database_url=url, application_name=APPLICATION)
            before = load(url)
            with workers(folder, url, count, arguments.concurrency):
                began = time.perf_counter()
                finished(client, many)
                took = time.perf_counter() - began
            client.destroy()
            print(f"| {count} | {many / took:.1f} |", flush=True)
        after = load(url)
        # Looks at queues that happened to be empty belong to no recording.
        after = {**after, "transactions": after["transactions"] - round(idle_rate * count * took)}
        print("\n| database, for one recording (the last line above) | |\n|---|---|")
        for what in ("transactions", "inserted", "updated", "bytes"):
            print(f"| {what} | {(after[what] - before[what]) / many:.0f} |")
        burst(folder, new_database(server), arguments.burst, arguments.concurrency)


def burst(folder: Path, url: str, count: int, concurrency: int) -> None:
    """Many at once from one team, and then a few of another: how long each waits."""
    put(url, [f"much-{n}" for n in range(count)])
    client = DBOSClient(system_database_url=url, application_name=APPLICATION)
    with workers(folder, url, 2, concurrency):
        began = time.perf_counter()
        finished(client, count // 4)
        put(url, [f"little-{n}" for n in range(10)])
        done = finished(client, count + 10)
        took = time.perf_counter() - began
        looks = client.list_workflows(name="take_recording", load_input=False, load_output=False)
    client.destroy()
    begun = {one.workflow_id: one.created_at or 0 for one in looks}
    waits: dict[str, list[float]] = {"much": [], "little": []}
    for one in done:
        name = one.workflow_id.partition(":")[2]
        waits[name.split(":")[1].partition("-")[0]].append(((one.dequeued_at or 0) - begun[name]) / 1000)
    print(f"\n{count} at once of one team, 2 workers, all done in {took:.0f} s; from being queued to delivery:\n")
    print("| | median, s | longest, s |")
    print("|---|---|---|")
    for team, told in (("much", f"those {count}"), ("little", "10 of another team that come when a quarter is done")):
        print(f"| {told} | {statistics.median(waits[team]):.1f} | {max(waits[team]):.1f} |", flush=True)


def idle(folder: Path, url: str) -> float:
    """Transactions a second of a worker that has nothing to do."""
    DBOS.migrate(url)
    with workers(folder, url, 1, 1):
        before, began = load(url), time.perf_counter()
        time.sleep(10)
        after = load(url)
        seconds = time.perf_counter() - began
    return (after["transactions"] - before["transactions"]) / seconds


if __name__ == "__main__":
    main()
