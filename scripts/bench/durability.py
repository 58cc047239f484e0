#!/usr/bin/env python3
"""What durability costs: the stages of a recording as steps that are written down, against the same stages without.

    python scripts/bench/durability.py [--recordings 200] [--readers 5] [--postgres URL]

The stages do nothing here and return what real ones do, so what is measured is the engine alone: its workflow, and a
record for each step. The steps' database is a SQLite file on this machine's disk, and with --postgres (an empty
database) that one, too. Recordings go one after the other; the median and the slowest twentieth are shown.
"""

# ruff: noqa: ARG002 - stages that do nothing look at nothing
from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from dbos import DBOS, DBOSConfig, SetWorkflowID

from meetings import pipeline as pipeline_module
from meetings.config import Settings
from meetings.job import Job, Source
from meetings.pipeline import Pipeline, Silent, shared_pipeline
from meetings.progress import Progress
from meetings.stage import StageResult
from meetings.stages import Stages
from meetings.store import FileStore

WARM = 5  # recordings before the clock runs


def result(stage: str, **info: Any) -> StageResult:
    """What a stage gives: a key, and a little about itself."""
    return StageResult(
        stage=stage, key="0" * 32, seconds=0.0, reused=False, model="m" * 20, device="cpu", began=time.time(), info=info
    )


class Nothing(Stages):
    """Stages that do nothing at once."""

    def __init__(self, *, settings: Settings, store: FileStore, readers: int) -> None:
        super().__init__(settings=settings, store=store)
        self._readers = [f"reader.{n}" for n in range(readers)]

    def fetch(self, job: Job, progress: Progress) -> StageResult:
        """Nothing."""
        return result("fetch")

    def decode(self, job: Job, progress: Progress) -> StageResult:
        """Nothing."""
        return result("audio", notes=[])

    def segment(self, job: Job, progress: Progress) -> StageResult:
        """Nothing."""
        return result("segmentation")

    def transcribe(self, job: Job, progress: Progress) -> StageResult:
        """Nothing."""
        return result("transcription")

    def diarize(self, job: Job, progress: Progress) -> StageResult:
        """Nothing."""
        return result("diarization")

    def join(self, job: Job, progress: Progress) -> StageResult:
        """Nothing."""
        return result("conversation", notes=[])

    def read_people(self, job: Job, conversation_key: str, progress: Progress) -> StageResult:
        """Nothing."""
        return result("people", notes=[])

    def summarise(self, job: Job, conversation_key: str, people_key: str, progress: Progress) -> StageResult:
        """Nothing but whom to deliver to."""
        return result("summaries", deliver_to=self._readers)

    def deliver(self, job: Job, conversation_key: str, summaries_key: str, username: str, down: str) -> StageResult:
        """Nothing."""
        return result(
            f"delivery to {username}",
            username=username,
            status="sent",
            reason="",
            post_id="p" * 26,
            key="k" * 32,
            down="",
        )

    def tidy(self, job: Job) -> None:
        """Nothing."""


def times(run: Callable[[int], object], recordings: int) -> list[float]:
    """Milliseconds of each recording."""
    found = []
    for number in range(WARM + recordings):
        began = time.perf_counter()
        run(number)
        found.append((time.perf_counter() - began) * 1000)
    return found[WARM:]


def durable(url: str, pipeline: Pipeline, job_key: str, recordings: int) -> list[float]:
    """The times with each step written down."""
    config: DBOSConfig = {
        "name": "durability",
        "system_database_url": url,
        "log_level": "CRITICAL",
        "notification_listener_polling_interval_sec": 0.1,
    }
    DBOS(config=config)
    DBOS.launch()

    def run(number: int) -> None:
        with SetWorkflowID(f"recording-{number}"):
            DBOS.start_workflow(pipeline.process_recording, job_key).get_result()

    try:
        return times(run, recordings)
    finally:
        DBOS.destroy(workflow_completion_timeout_sec=0)


def show(name: str, found: list[float], plain: float) -> None:
    """A row: the median, what is more than without, the slowest twentieth."""
    slow = sorted(found)[int(len(found) * 0.95)]
    middle = statistics.median(found)
    print(f"| {name} | {middle:.1f} | {middle - plain:.1f} | {slow:.1f} |")


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recordings", type=int, default=200)
    parser.add_argument("--readers", type=int, default=5)
    parser.add_argument("--postgres", metavar="URL", help="an empty database")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(home=Path(folder))
        store = FileStore(settings.home / "results")
        job = Job(
            source=Source(media_id="m" * 26, name="call.mp4", title="Call", post_id="p" * 26, channel_id="c" * 26),
            people_key=None,
            deliver=True,
            writer="auto",
            language=None,
            device="cpu",
            models={},
            fingerprints={},
        )
        job_key = store.put_json("jobs", job.to_json())
        pipeline = shared_pipeline()
        pipeline.take(Nothing(settings=settings, store=store, readers=args.readers), Silent())
        # There is no memory of engines to give back, and looking for it would take longer than all that is measured.
        pipeline_module.give_memory_back = lambda: None
        # Outside a workflow a step is a plain call.
        plain = times(lambda _n: pipeline.work(job_key), args.recordings)
        without = statistics.median(plain)
        print(f"{args.recordings} recordings with {args.readers} readers each, {8 + args.readers} steps\n")
        print("| steps are written to | ms a recording | of it durability | slowest 5 % |\n|---|---|---|---|")
        show("nothing", plain, without)
        sqlite = durable(f"sqlite:///{folder}/steps.sqlite", pipeline, job_key, args.recordings)
        show("SQLite", sqlite, without)
        if args.postgres:
            show("PostgreSQL", durable(args.postgres, pipeline, job_key, args.recordings), without)


if __name__ == "__main__":
    main()
