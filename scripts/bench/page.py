#!/usr/bin/env python3
"""How heavy a meeting's page is and how soon its first line of transcript is there, for a generated long call.

The call is invented: so many hours, an utterance every two seconds, words with probabilities, twelve bullets. The page
is made by the program's own code from results on disk, as `meetings serve` makes it, and so are the files that it
offers. With a Chromium on PATH and Playwright installed (the extra `dev`), it is also opened in it, from a server on
this machine.

    python scripts/bench/page.py [--hours 3] [--runs 5]
"""

from __future__ import annotations

import argparse
import gzip
import random
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from meetings.conversation import Conversation, Speaker, Utterance, Word, to_json
from meetings.exports import FORMATS, Meeting, save_as
from meetings.recordings import past_runs
from meetings.report.pages import STATIC
from meetings.store import FileStore
from tests.report_site import IN_CALL, STAFF, Site, sample_summary, served

TALK = (
    "we should look at the release before the parser moves to December because customers asked for tables and nobody "
    "knows how long the index takes when memory is short and the export of large files fails on Monday"
)
WORDS = tuple(TALK.split())


def long_call(media_id: str, hours: float) -> Conversation:
    """An utterance every two seconds, of about six words."""
    chance = random.Random(1)
    utterances = []
    for n in range(int(hours * 1800)):
        said = [chance.choice(WORDS) for _ in range(chance.randint(3, 9))]
        start = n * 2.0
        words = tuple(
            Word(
                word=w, start=start + i * 0.2, end=start + i * 0.2 + 0.2, probability=round(1 - chance.random() ** 9, 3)
            )
            for i, w in enumerate(said)
        )
        speaker = f"S{1 + chance.randrange(5)}" if n % 3 == 0 or not utterances else utterances[-1].speaker
        utterances.append(
            Utterance(id=f"u{n}", speaker=speaker, start=start, end=start + 1.9, text=" ".join(said), words=words)
        )
    speakers = tuple(
        Speaker(id=f"S{n}", name=" ".join(STAFF[u][:2]), username=u, confidence=0.95, how="voice")
        for n, u in enumerate(IN_CALL, 1)
    )
    return Conversation(
        id=media_id, title="A long call", language="en", duration=hours * 3600, participants=IN_CALL,
        started_at="2026-11-25T09:00:00+00:00", speakers=speakers, utterances=tuple(utterances),
    )  # fmt: skip


def put(site: Site, hours: float) -> Conversation:
    """Put a long call in the place of the sample."""
    store = FileStore.of(site.settings)
    call = long_call(site.meeting, hours)
    (run,) = past_runs(store, site.meeting)
    store.write_json("conversation", run.conversation, to_json(call))
    points = [
        {
            "kind": "info",
            "text": u.text,
            "evidence": [u.id],
            "start": u.start,
            "speaker": "Maya Chen",
            "writer": "extract",
        }
        for u in call.utterances[:: max(1, len(call.utterances) // 12)]
    ]
    summary = {**sample_summary("maya.chen", call), "bullets": points}
    store.write_json("summaries", run.summaries, [summary])
    return call


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hours", type=float, default=3.0)
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, served(Path(folder)) as site:
        call = put(site, options.hours)
        session = site.visit("maya.chen")
        waits, texts = [], []
        for _ in range(options.runs):
            began = time.perf_counter()
            answer = session.get(site.page, timeout=60, headers={"Accept-Encoding": "gzip"}, stream=True)
            body = answer.raw.read()
            waits.append(time.perf_counter() - began)
            texts.append(gzip.decompress(body))
        size = sum(len(u.words) for u in call.utterances)
        print(f"call: {options.hours:g} h, {len(call.utterances)} utterances, {size} words")
        print(f"page: {len(texts[0]) / 1e3:.0f} kB, gzip {len(body) / 1e3:.0f} kB")
        assets = {name: len(data) for name, (_, data) in STATIC.items()}
        print("once: " + ", ".join(f"{name} {size / 1e3:.1f} kB" for name, size in sorted(assets.items())))
        print(f"server: whole page after {statistics.median(waits):.2f} s (median of {options.runs})")
        files(call)
        browse(site, options.runs)


def files(call: Conversation) -> None:
    """Make each file that the page offers, once, and tell what of a core that takes."""
    made = []
    for name in FORMATS:
        began = time.process_time()
        data = save_as(name, Meeting(conversation=call, name="long"))
        made.append(f"{name} {time.process_time() - began:.1f} s, {len(data) / 1e3:.0f} kB")
    print("files, seconds of a core: " + "; ".join(made))


def browse(site: Site, runs: int) -> None:
    """Open it in a browser, if there is one."""
    path = shutil.which("chromium")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        path = None
    if path is None:
        print("browser: none here (Chromium and Playwright are needed)")
        return
    found: list[dict[str, Any]] = []
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        for _ in range(runs):
            page = chromium.new_page(viewport={"width": 1280, "height": 900})
            page.goto(site.link("maya.chen"), wait_until="load")
            found.append(
                page.evaluate(
                    "(() => { const n = performance.getEntriesByType('navigation')[0];"
                    " const p = performance.getEntriesByName('first-contentful-paint')[0];"
                    " return {paint: p ? p.startTime : NaN, ready: n.domContentLoadedEventEnd,"
                    " nodes: document.querySelectorAll('*').length}; })()"
                )
            )
            page.close()
        # The first line is in the page itself: it is there when it is painted, or when the page is parsed that far.
        page = chromium.new_page(viewport={"width": 1280, "height": 900})
        began = time.perf_counter()
        page.goto(site.link("maya.chen") + "#t=9000", wait_until="domcontentloaded")
        while not page.locator(".line[aria-current]").count():
            time.sleep(0.01)
        moment = time.perf_counter() - began
        chromium.close()
    paint = statistics.median(f["paint"] for f in found)
    ready = statistics.median(f["ready"] for f in found)
    print(
        f"browser: first paint after {paint / 1e3:.2f} s, page ready after {ready / 1e3:.2f} s, "
        f"{found[0]['nodes']} elements"
    )
    print(f"browser: a link to 2:30:00 stands there after {moment:.2f} s")


if __name__ == "__main__":
    main()
