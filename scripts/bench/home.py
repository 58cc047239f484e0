#!/usr/bin/env python3
"""How soon home and a search are there for somebody who is signed in, among so many generated calls.

Calls of ten utterances from a fixed list of words, all in one channel, beside the sample call; the pages are fetched
over a socket from the program's own code. How search itself scales is measured by search.py. Last, words of a call of
an hour are corrected on its page: how long the answer takes with and without the index looking at once, the page that
is loaded next, and how long it takes until a search finds the corrected words.

    python scripts/bench/home.py [--meetings 300] [--runs 20]
"""

from __future__ import annotations

import argparse
import random
import re
import statistics
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import requests

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.report_site import IN_CALL, Site, keep_spoken, served

TALK = (
    "we should look at the release before the parser moves to December because customers asked for tables and nobody "
    "knows how long the index takes when memory is short and the export of large files fails on Monday"
)
WORDS = TALK.split()
FIRST = datetime(2024, 1, 8, 9, tzinfo=UTC)
LONG = "h" * 26  # the call of an hour


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--meetings", type=int, default=300)
    parser.add_argument("--runs", type=int, default=20)
    options = parser.parse_args()
    chance = random.Random(1)
    with tempfile.TemporaryDirectory() as folder, served(Path(folder)) as site:
        for n in range(options.meetings):
            said = [(chance.choice(IN_CALL), " ".join(chance.choices(WORDS, k=12))) for _ in range(10)]
            at = (FIRST + timedelta(hours=n)).isoformat()
            keep_spoken(site, f"{n:026d}", said, title=f"Call {n}", started_at=at, seen=False)
        began = time.perf_counter()
        site.see_what_is_new()
        print(f"calls: {options.meetings + 1}, put into the index in {time.perf_counter() - began:.0f} s")
        session = requests.Session()
        token = site.home_link("maya.chen").partition("?k=")[2]
        session.post(f"{site.url}/m/enter", data={"k": token}, timeout=60)
        for name, address in (("home", ""), ("a search", "search?q=parser+release+December")):
            waits = []
            for _ in range(options.runs):
                began = time.perf_counter()
                answer = session.get(f"{site.url}/m/{address}", timeout=60)
                waits.append(time.perf_counter() - began)
                assert answer.status_code == 200
            told = f"first {waits[0] * 1e3:.0f} ms, then {statistics.median(waits[1:]) * 1e3:.0f} ms"
            print(f"{name}: {told} (median), {len(answer.text) / 1e3:.1f} kB")
        said = [(chance.choice(IN_CALL), " ".join(chance.choices(WORDS, k=12))) for _ in range(750)]
        keep_spoken(site, LONG, said, title="An hour", started_at="2025-06-02T09:00:00+00:00")
        changed = site.report.finder.changed
        for how, looking in (
            ("the index looks within ten seconds", lambda: None),
            ("the index looks at once", changed),
        ):
            site.report.finder.changed = looking  # type: ignore[method-assign]
            print(f"an edit, {how}: {edits(site, session, said[99][1], options.runs)}")


def edits(site: Site, session: requests.Session, was: str, runs: int) -> str:
    """Correct an utterance of the long call again and again; what each step took, as medians."""
    page = f"{site.url}/m/{LONG}"
    form = re.search(r'name="form" value="([^"]+)"', session.get(page, timeout=60).text)
    assert form is not None
    took: dict[str, list[float]] = {"answer": [], "the page after it": [], "until it is found": []}
    now = was
    for n in range(runs + 1):
        text = was if n == runs else f"nobody mentioned marmalade number{n} before"
        fields = {"form": form[1], "utterance": "u100", "was": now, "text": text}
        now = text
        site.see_what_is_new()
        at = [time.perf_counter()]
        answer = session.post(
            f"{page}/edit", data=fields, headers={"Origin": site.url}, timeout=60, allow_redirects=False
        )
        assert answer.status_code == 303, answer.text
        at.append(time.perf_counter())
        assert session.get(page, timeout=60).status_code == 200
        at.append(time.perf_counter())
        while n < runs and LONG not in session.get(f"{site.url}/m/search?q=%22marmalade+number{n}%22", timeout=60).text:
            time.sleep(0.05)
        at.append(time.perf_counter())
        for name, seconds in zip(took, (at[1] - at[0], at[2] - at[1], at[3] - at[0]), strict=True):
            took[name].append(seconds)
    return ", ".join(f"{name} {statistics.median(s[:-1]) * 1e3:.0f} ms" for name, s in took.items())


if __name__ == "__main__":
    main()
