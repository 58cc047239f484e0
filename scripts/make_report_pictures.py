#!/usr/bin/env python3
"""Make the pictures of a meeting's page in docs/: the sample call in Chromium, light, dark, and on a phone.

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
from playwright.sync_api import sync_playwright

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.report_site import served

DOCS = Path(__file__).parents[1] / "docs"
DESK: dict[str, Any] = {"viewport": {"width": 1280, "height": 860}}
PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 760}, "is_mobile": True, "has_touch": True}
# Of each picture: the browser's window, and whether it shows the transcript rather than the top.
PICTURES: dict[str, tuple[dict[str, Any], bool]] = {
    "report-light": ({**DESK, "color_scheme": "light"}, False),
    "report-dark": ({**DESK, "color_scheme": "dark"}, True),
    "report-phone": ({**PHONE, "color_scheme": "light", "device_scale_factor": 1.5}, True),
}
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
            shot = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
            small = shot.quantize(COLOURS, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
            small.save(DOCS / f"{name}.png", optimize=True)
            page.context.close()
        chromium.close()


if __name__ == "__main__":
    main()
