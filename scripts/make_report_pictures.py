#!/usr/bin/env python3
"""Make the pictures of pages in docs/: a meeting's, home, search and the work, in Chromium, light, dark, on a phone.

The meeting is the sample call as `meetings process` hears and sums it up here, which takes minutes. Calls beside it and
the work are made up. Needs Chromium on PATH, the starter models and the extra `dev`.
"""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

sys.path.insert(0, str(Path(__file__).parents[1]))

from meetings.headway import TOGETHER, Told, stages_of
from meetings.remedies import CAUSES
from meetings.watching import Failure, QueueState, Seen, UnderWay, Waiting, Worker
from tests.report_site import Site, keep_spoken, served

DOCS = Path(__file__).parents[1] / "docs"
DESK: dict[str, Any] = {"viewport": {"width": 1280, "height": 860}}
PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 760}, "is_mobile": True, "has_touch": True}
# Of each picture: the browser's window, and whether it shows the transcript rather than the top.
PICTURES: dict[str, tuple[dict[str, Any], bool]] = {
    "report-light": ({**DESK, "color_scheme": "light"}, False),
    "report-dark": ({**DESK, "color_scheme": "dark"}, True),
    "report-phone": ({**PHONE, "color_scheme": "light", "device_scale_factor": 1.5}, True),
}
# Of each picture of home: the browser's window, and which page it shows.
HOME: dict[str, tuple[dict[str, Any], str]] = {
    "home": ({"viewport": {"width": 1000, "height": 620}, "color_scheme": "light"}, ""),
    "search": ({"viewport": {"width": 1000, "height": 620}, "color_scheme": "dark"}, "search?q=parser+release"),
}
# Calls beside the sample: when, in which channel, under which title, and what was said.
CALLS: tuple[tuple[str, str, tuple[tuple[str, str], ...]], ...] = (
    (
        "2026-11-18T09:50:00+00:00",
        "Weekly product call",
        (
            ("maya.chen", "We decided that the parser release is on the third of December."),
            ("ben.okafor", "The load test of the new parser is not done yet, I will run it by Thursday."),
        ),
    ),
    (
        "2026-11-16T13:00:00+00:00",
        "Price list for resellers",
        (("oscar.lind", "Resellers ask when the new parser is released, and what the team plan costs then."),),
    ),
    (
        "2026-11-12T15:30:00+00:00",
        "Security review",
        (("nadia.haddad", "Two factor login comes first; the scan of the parser's libraries found nothing new."),),
    ),
)
COLOURS = 256  # of a picture's palette


def main() -> None:
    """Write them."""
    with tempfile.TemporaryDirectory() as folder, served(Path(folder)) as site, sync_playwright() as playwright:
        process(site, Path(folder) / "out")
        chromium = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for name, (window, transcript) in PICTURES.items():
            page = chromium.new_context(reduced_motion="reduce", **window).new_page()
            page.goto(site.link("maya.chen") + "#t=103")
            page.wait_for_timeout(1_500)
            if not transcript:
                page.evaluate("scrollTo(0, 0)")
                page.wait_for_timeout(300)
            keep(page, name)
            page.context.close()
        for number, (at, title, said) in enumerate(CALLS):
            keep_spoken(site, str(number) * 26, said, title=title, started_at=at)
        for name, (window, address) in HOME.items():
            page = chromium.new_context(reduced_motion="reduce", **window).new_page()
            page.goto(site.home_link("maya.chen"))
            page.get_by_role("button", name="Open my meetings").click()
            page.goto(f"{site.url}/m/{address}")
            keep(page, name)
            page.context.close()
        keep_work(chromium, site)
        chromium.close()


def process(site: Site, out: Path) -> None:
    """Have the sample call worked on as an admin would: its newest run is what its page shows."""
    settings = {
        "MEETINGS_HOME": str(site.settings.home),
        "MATTERMOST_URL": site.sandbox.url,
        "MATTERMOST_TOKEN": site.sandbox.bot_token or "",
        "MEETINGS_PAGE_URL": site.url,
    }
    recording = f"{site.sandbox.url}/acme/pl/{site.post_id}"
    command = ["meetings", "process", recording, "--out", str(out), "--deliver"]
    subprocess.run(command, env=os.environ | settings, check=True)


def keep(page: Page, name: str) -> None:
    """Write what a page shows, with few colours."""
    shot = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    small = shot.quantize(COLOURS, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    small.save(DOCS / f"{name}.png", optimize=True)


def keep_work(chromium: Browser, site: Site) -> None:
    """Write the page of the work, as an admin sees it: one call is worked on, one waits, one failed."""
    now = time.time()
    told = {"transcription": Told(far=0.62, at=now, began=now - 200, since=now - 163)}
    stages = stages_of(TOGETHER, told, now=now)
    under = UnderWay(
        post=site.post_id, queue="recordings", stage=TOGETHER, since=now - 200, worker="service", stages=stages
    )
    posts = [_posted(site, name) for name in ("Design review", "Retrospective")]
    failure = Failure(
        post=posts[1],
        state="given up",
        at=now,
        cause="too large",
        reason="lasts 13 hours, and at most 12 are worked on (max_hours)",
        remedy=CAUSES["too large"].replace("POST", posts[1]),
    )
    site.work_is(
        Seen(
            at=now,
            under_way=(under,),
            waiting=(Waiting(post=posts[0], since=now - 40),),
            failures=(failure,),
            queues=(QueueState(name="recordings", waiting=1, running=1, failed=1, oldest=now - 40),),
            workers=(Worker(name="service", running=1, seen=now),),
        )
    )
    context = chromium.new_context(viewport={"width": 900, "height": 720}, color_scheme="light")
    cookies = site.signed_in("sysadmin").cookies
    context.add_cookies([{"name": c.name, "value": c.value or "", "url": site.url} for c in cookies])
    page = context.new_page()
    page.goto(f"{site.url}/m/work")
    page.wait_for_timeout(1_000)
    keep(page, "work-light")
    context.close()


def _posted(site: Site, name: str) -> str:
    maya = site.as_("maya.chen")
    file = maya.upload(site.channel_id, f"{name}.mp4", b"x")
    return str(maya.write(site.channel_id, "", type="custom_calls_recording", file_ids=[file["id"]])["id"])


if __name__ == "__main__":
    main()
