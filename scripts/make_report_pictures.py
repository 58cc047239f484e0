#!/usr/bin/env python3
"""Make the pictures of pages in docs/: a meeting's, home and search, in Chromium, light, dark, and on a phone.

Needs Chromium on PATH and the extra `dev`.
"""

from __future__ import annotations

import io
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import Page, sync_playwright

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.report_site import keep_spoken, served

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
        chromium.close()


def keep(page: Page, name: str) -> None:
    """Write what a page shows, with few colours."""
    shot = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    small = shot.quantize(COLOURS, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    small.save(DOCS / f"{name}.png", optimize=True)


if __name__ == "__main__":
    main()
