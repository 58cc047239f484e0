#!/usr/bin/env python3
"""What the small shared state costs: milliseconds for a read, a change and a line of the audit log, alone and crowded.

    scripts/bench/state.py                              # SQLite in a temporary folder
    scripts/bench/state.py --database postgresql://…    # an empty database of yours, which it fills

Each of the processes does the same work at once; the middle and the slowest of a hundred are printed.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from pydantic import SecretStr

from meetings.audit import AuditLog
from meetings.config import Settings
from meetings.people import FeedbackBook
from meetings.positions import Positions
from meetings.store import Database, upgrade_database

PROCESSES = (1, 2, 4, 8)
PEOPLE = 500  # with wishes, of whom a delivery asks whether somebody wants no messages
WISH = '{"version": 1, "wishes": [], "length": "short", "only": [], "locale": null, "stopped": false, "user_id": "u"}'


def work(settings: Settings, times: int) -> dict[str, list[float]]:
    """Seconds of each turn of each kind of work."""
    database, book, positions, log = (made(settings) for made in (Database.of, FeedbackBook, Positions, AuditLog))
    number, at = os.getpid(), iter(range(1, 10**9))
    kinds: dict[str, Callable[[], object]] = {
        "opening it": lambda: Database.of(settings),
        "reading a document": lambda: positions.of("channel"),
        "changing a document of one's own": lambda: database.write("bench", str(number), str(next(at))),
        "changing one that all change": lambda: database.change("bench", "all", lambda b: str(int(b or 0) + 1)),
        "a line of the audit log": lambda: log.note("delivery", user="ana", status="sent", recording="r" * 26),
        f"does one of {PEOPLE} want no messages?": lambda: book.has_stopped("nobody", "nobody"),
    }
    taken: dict[str, list[float]] = {}
    for kind, turn in kinds.items():
        for _ in range(times):
            began = time.perf_counter()
            turn()
            taken.setdefault(kind, []).append(time.perf_counter() - began)
    return taken


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--database", help="URL of an empty PostgreSQL database")
    parser.add_argument("--times", type=int, default=100)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        url = SecretStr(given.database) if given.database else None
        settings = Settings(home=Path(folder), database_url=url)
        upgrade_database(Database.named(settings))
        database = Database.of(settings)
        for number in range(PEOPLE):
            database.write("feedback", f"user{number}", WISH)
        print("| ms, middle (slowest of a hundred) | " + " | ".join(f"{n} at once" for n in PROCESSES) + " |")
        print("|---|" + "---|" * len(PROCESSES))
        rows: dict[str, list[str]] = {}
        for count in PROCESSES:
            with multiprocessing.get_context("spawn").Pool(count) as pool:
                found = pool.starmap(work, [(settings, given.times)] * count)
            for kind in found[0]:
                every = sorted(second for one in found for second in one[kind])
                slow = every[int(len(every) * 0.99) - 1]
                rows.setdefault(kind, []).append(f"{statistics.median(every) * 1000:.1f} ({slow * 1000:.0f})")
        for kind, cells in rows.items():
            print(f"| {kind} | {' | '.join(cells)} |")
        found_log = AuditLog(settings).check()
        print(f"\n{found_log.lines} lines of the audit log, {'one chain' if not found_log.broken else found_log.why}")


if __name__ == "__main__":
    main()
