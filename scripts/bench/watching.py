#!/usr/bin/env python3
"""What one look at the work takes: a queue with a history, and an audit log as long as a company's year.

    python scripts/bench/watching.py --ended 5000 --waiting 100 --audit 100000

Needs no models. The look is that of `meetings status` and of the page `/m/work`.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from sqlalchemy import create_engine, text

from meetings.config import Settings
from meetings.queueing import RECORDINGS, errand, workflow_id
from meetings.service import Service
from meetings.steps import open_steps, steps_url
from meetings.store import Database
from meetings.store.audit_lines import FIRST, chained, write_raw
from meetings.watching import look


class Nobody:
    """Nobody looks on."""

    def stage_started(self, stage: str) -> None:
        """Nothing."""

    def stage_progress(self, stage: str, fraction: float) -> None:
        """Nothing."""

    def stage_finished(self, result: object) -> None:
        """Nothing."""


def fill_queue(settings: Settings, *, ended: int, waiting: int) -> None:
    """Work that waits, and copies of it that ended."""
    with Service(settings, Nobody()):
        pass  # makes the tables
    with open_steps(settings) as client:
        assert client is not None
        for number in range(waiting):
            post = f"{number:026d}"
            client.enqueue(errand(RECORDINGS, "take_recording", workflow_id(post, "", 0)), post, "", 0, 0)
    engine = create_engine(steps_url(settings))
    with engine.begin() as connection:
        row = connection.execute(text("SELECT * FROM workflow_status LIMIT 1")).mappings().one()
        names = ", ".join(row)
        now = int(time.time() * 1000)
        values = [
            {
                **row,
                "workflow_uuid": f"recording:{number:026x}:ended:0",
                "status": "SUCCESS",
                "output": json.dumps({"state": "done", "deliveries": []}),
                "serialization": "portable_json",
                "created_at": now - number * 1000,
                "completed_at": now - number * 1000,
            }
            for number in range(ended)
        ]
        marks = ", ".join(f":{name}" for name in row)
        connection.execute(text(f"INSERT INTO workflow_status ({names}) VALUES ({marks})"), values)  # noqa: S608
    engine.dispose()


def fill_audit(settings: Settings, lines: int) -> None:
    """Deliveries, one in ten of today, and one in a thousand that failed."""
    before = FIRST
    with Database.of(settings).writing("audit") as connection:
        for number in range(lines):
            day = "2026-01-01" if number % 10 else time.strftime("%Y-%m-%d", time.gmtime())
            facts = {
                "event": "delivery",
                "user": f"u{number % 500}",
                "recording": f"r{number}",
            }
            facts["status"] = "failed" if number % 1000 == 0 else "sent"
            line, before = chained({"at": f"{day}T10:00:00+00:00", **facts}, number=number + 10, before=before)
            write_raw(connection, number + 10, line)  # the first is there


def main() -> None:
    """Measure it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ended", type=int, default=5000)
    parser.add_argument("--waiting", type=int, default=100)
    parser.add_argument("--audit", type=int, default=100_000)
    parser.add_argument("--looks", type=int, default=10)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(home=Path(folder) / "home")
        fill_queue(settings, ended=given.ended, waiting=given.waiting)
        fill_audit(settings, given.audit)
        took, worked = [], []
        for _ in range(given.looks):
            began, before = time.perf_counter(), time.process_time()
            seen = look(settings)
            worked.append(time.process_time() - before)
            took.append(time.perf_counter() - began)
        waits = sum(queue.waiting for queue in seen.queues)
        print(f"{given.ended} ended, {waits} waiting, {given.audit} lines of the audit log:")
        print(f"a look takes {statistics.median(took) * 1000:.0f} ms (longest {max(took) * 1000:.0f} ms)")
        print(f"of the processor {statistics.median(worked) * 1000:.0f} ms (longest {max(worked) * 1000:.0f} ms)")


if __name__ == "__main__":
    main()
