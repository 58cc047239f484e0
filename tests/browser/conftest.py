"""A Chromium a file, one site and one call for all tests of pages; without a Chromium they are skipped, aloud."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.report_site import Site, served

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

BROWSERS = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
# Before a page's own scripts. What plays, plays very slowly: a test that is held up for some seconds still finds the
# place that it went to. And what is asked by the page's script is counted.
WATCHING = """
  document.addEventListener("loadedmetadata", (event) => { event.target.playbackRate = 0.0625; }, true);
  const really = window.fetch;
  [window.asked, window.unanswered] = [0, 0];
  window.fetch = async (...given) => {
    [window.asked, window.unanswered] = [window.asked + 1, window.unanswered + 1];
    try {
      return await really(...given);
    } finally {
      window.unanswered -= 1;
    }
  };
"""
PATIENCE = 120.0  # seconds for whatever a page has to come to
LACKING = "no Chromium on PATH: pages are not tried in a browser; apt-get install chromium"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A Chromium of the system; where `.ci/run` could get one there has to be one.

    One a file, and gone with it: while Playwright is there, nothing else in this thread can run an event loop.
    """
    path = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if path is None:
        if os.environ.get("BROWSER_TESTS") == "required":
            pytest.fail(LACKING)
        print(f"\nSKIPPED: {LACKING}", file=sys.__stderr__)
        pytest.skip(LACKING)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        # Containers run tests as root, where Chromium has no sandbox of its own; it sees our own page alone.
        arguments = ["--no-sandbox", "--disable-dev-shm-usage", "--autoplay-policy=no-user-gesture-required"]
        running = playwright.chromium.launch(executable_path=path, args=arguments, timeout=PATIENCE * 1000)
        yield running
        running.close()


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The company's pages."""
    with served(tmp_path_factory.mktemp("browser")) as running:
        yield running


@dataclass
class Seen:
    """A page, and what went wrong on it or left the server."""

    page: Page
    trouble: list[str] = field(default_factory=list)
    elsewhere: list[str] = field(default_factory=list)

    def playing(self) -> float:
        """Where it plays, in seconds."""
        return float(self.page.evaluate("document.getElementById('media').currentTime"))

    def current(self) -> str:
        """The passage that is marked as played."""
        return self.page.locator(".line[aria-current] p").inner_text()

    def until(self, script: str) -> None:
        """Wait until an expression holds. Not by Playwright's own way, which the page's policy refuses."""
        end = time.monotonic() + PATIENCE
        while not self.page.evaluate(script):
            assert time.monotonic() < end, f"never came true: {script}"
            time.sleep(0.05)

    def wait_at(self, seconds: float) -> None:
        """Wait until it plays there."""
        self.until(f"Math.abs(document.getElementById('media').currentTime - {seconds}) < 1.5")


@pytest.fixture
def watched(browser: Browser) -> Iterator[Callable[..., Seen]]:
    """An empty page that is watched: `watched(origin, color_scheme="dark")`; in the end nothing may have gone wrong."""
    opened: list[Seen] = []

    def made(origin: str, **given: Any) -> Seen:
        options: dict[str, Any] = {"viewport": {"width": 1280, "height": 900}, "reduced_motion": "reduce", **given}
        context = browser.new_context(**options)
        context.set_default_timeout(PATIENCE * 1000)
        context.add_init_script(WATCHING)
        page = context.new_page()
        seen = Seen(page)
        page.on("console", lambda m: seen.trouble.append(m.text) if m.type in {"error", "warning"} else None)
        page.on("pageerror", lambda error: seen.trouble.append(str(error)))
        page.on("request", lambda r: None if r.url.startswith(origin) else seen.elsewhere.append(r.url))
        opened.append(seen)
        return seen

    yield made
    for seen in opened:
        seen.page.context.close()
        assert seen.trouble == []
        assert seen.elsewhere == []


@pytest.fixture
def look(watched: Callable[..., Seen], site: Site) -> Callable[..., Seen]:
    """Follow somebody's link: `look("maya.chen", at=103)`."""

    def follow(username: str, *, at: int | None = None, **given: Any) -> Seen:
        seen = watched(site.url, **given)
        seen.page.goto(site.link(username) + (f"#t={at}" if at is not None else ""))
        seen.until("document.getElementById('media').readyState >= 1")
        return seen

    return follow


@pytest.fixture(scope="session")
def axe() -> str:
    """The source of axe-core."""
    import axe_playwright_python

    return (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")


def violations(seen: Seen, axe: str, part: str = "html") -> Any:
    """What axe-core, whose source this is, finds wrong in a part of a page."""
    seen.page.evaluate(axe)
    return seen.page.evaluate(
        "part => axe.run(part, {resultTypes: ['violations']}).then(r => r.violations.map(v => "
        "[v.id, v.help, v.nodes.slice(0, 3).map(n => n.html.slice(0, 160))]))",
        part,
    )
