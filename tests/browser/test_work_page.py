"""The page of the work in a real browser: it keeps up by itself, and leaves those who read it where they are."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from meetings.headway import TOGETHER, Told, stages_of
from meetings.watching import Failure, QueueState, Undelivered, UnderWay, Waiting, Worker
from meetings.watching import Seen as Work
from tests.browser.conftest import Seen, violations
from tests.report_site import Site

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.browser

PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}
Open = Callable[..., Seen]
LOST = "l" * 26


@pytest.fixture
def work(watched: Callable[..., Seen], site: Site) -> Open:
    """Open the page as somebody who is signed in: `work("tom.becker")`."""

    def open_(username: str, **given: Any) -> Seen:
        seen = watched(site.url, **given)
        session = site.signed_in(username)
        cookies = [{"name": c.name, "value": c.value or "", "url": site.url} for c in session.cookies]
        seen.page.context.add_cookies(cookies)  # type: ignore[arg-type]
        seen.page.goto(f"{site.url}/m/work")
        seen.until("document.getElementById('asof').textContent !== ''")
        return seen

    site.rights_clock.now += 60
    site.work_is(everything(site, 0.25))
    return open_


def everything(site: Site, far: float) -> Work:
    told = {"transcription": Told(far=1.0), "diarization": Told(far=far, at=999.0, since=899.0)}
    return Work(
        at=1000.0,
        under_way=(
            UnderWay(
                post=site.post_id,
                queue="recordings",
                stage=TOGETHER,
                since=820.0,
                worker="service",
                stages=stages_of(TOGETHER, told, now=1000.0),
            ),
        ),
        waiting=(Waiting(post="w" * 26, since=900.0),),
        failures=(
            Failure(
                post=LOST,
                state="given up",
                at=0.0,
                cause="forbidden",
                reason="the bot may not read it",
                remedy=f"invite the bot to the channel (/invite @meetings), then: meetings retry {LOST}",
            ),
        ),
        undelivered=(Undelivered(username="dan", recording="r" * 26, reason="his account is switched off", at=""),),
        queues=(QueueState(name="recordings", waiting=1, running=1, failed=1, oldest=900.0),),
        workers=(Worker(name="service", running=1, seen=1000.0),),
    )


def bar(seen: Seen) -> int:
    return int(seen.page.locator("progress").first.evaluate("p => p.value"))


def ask_now(seen: Seen) -> None:
    """Let the page ask at once, as it does when somebody comes back to it."""
    seen.page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")


def test_a_bar_moves_while_the_page_is_open(work: Open, site: Site) -> None:
    seen = work("tom.becker")
    assert bar(seen) == 25
    site.work_is(everything(site, 0.75))
    seen.until("document.querySelector('progress').value === 75")
    assert "75%" in seen.page.locator(".said-of").first.inner_text()


def test_what_is_done_goes_and_a_screen_reader_is_told(work: Open, site: Site) -> None:
    seen = work("tom.becker")
    site.work_is(Work(at=1000.0))
    ask_now(seen)
    seen.until("!document.querySelector('.job')")
    assert "nothing is being worked on" in seen.page.locator("#board").inner_text()
    assert seen.page.locator("#aloud").inner_text() == "Weekly product call is done or gone"


def test_a_bar_that_moves_says_nothing_aloud(work: Open, site: Site) -> None:
    seen = work("tom.becker")
    site.work_is(everything(site, 0.5))
    ask_now(seen)
    seen.until("document.querySelector('progress').value === 50")
    assert seen.page.locator("#aloud").inner_text() == ""


def test_what_the_script_makes_is_what_the_server_made(work: Open) -> None:
    seen = work("sysadmin")
    by_server = seen.page.evaluate(
        """fetch("work").then((answer) => answer.text()).then((html) => {
          const board = new DOMParser().parseFromString(html, "text/html").getElementById("board");
          for (const node of [...board.childNodes]) if (node.nodeType === Node.TEXT_NODE) node.remove();
          return board.innerHTML;
        })"""
    )
    seen.page.evaluate("document.getElementById('board').replaceChildren()")
    ask_now(seen)
    seen.until("document.querySelectorAll('.job').length > 4")
    assert seen.page.locator("#board").inner_html() == by_server


def test_the_keyboard_stays_where_it_is_while_the_page_changes(work: Open, site: Site) -> None:
    seen = work("sysadmin")
    button = seen.page.get_by_role("button", name="Try again")
    for _ in range(8):
        seen.page.keyboard.press("Tab")
        if button.evaluate("b => b === document.activeElement"):
            break
    assert button.evaluate("b => b === document.activeElement")
    now = everything(site, 0.9)
    # What was above it is gone, and something is new above it.
    site.work_is(Work(at=now.at, failures=now.failures, waiting=now.waiting))
    ask_now(seen)
    seen.until("!document.querySelector('progress')")
    assert button.evaluate("b => b === document.activeElement")
    site.work_is(now)
    ask_now(seen)
    seen.until("document.querySelector('progress')?.value === 90")
    assert button.evaluate("b => b === document.activeElement")


def test_nothing_is_asked_while_somebody_paused_it(work: Open, site: Site) -> None:
    seen = work("tom.becker")
    seen.page.get_by_role("button", name="Pause").click()
    seen.until("window.unanswered === 0")  # asked before
    site.work_is(everything(site, 0.75))
    ask_now(seen)
    seen.page.wait_for_timeout(300)
    assert bar(seen) == 25
    seen.page.get_by_role("button", name="Pause").click()
    seen.until("document.querySelector('progress').value === 75")


def test_nothing_is_asked_while_nobody_looks(work: Open, site: Site) -> None:
    seen = work("tom.becker")
    hide, show = (f"Object.defineProperty(document, 'hidden', {{value: {v}, configurable: true}});" for v in (1, 0))
    told = "document.dispatchEvent(new Event('visibilitychange'));"
    before = seen.page.evaluate(f"() => {{ {hide} {told} return window.asked; }}")
    seen.page.wait_for_timeout(5_000)
    assert seen.page.evaluate("window.asked") == before
    seen.until("window.unanswered === 0")
    # Somebody looks, and at once no longer: what would be asked later is not.
    seen.page.evaluate(f"() => {{ {show} {told} {hide} }}")
    assert seen.page.evaluate("window.asked") == before + 1
    seen.page.wait_for_timeout(200)
    assert seen.page.evaluate("window.asked") == before + 1


def test_a_phone_needs_no_sideways_scrolling(work: Open) -> None:
    seen = work("sysadmin", **PHONE)
    assert seen.page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_without_a_script_there_is_a_way_to_load_it_again(browser: Browser, site: Site) -> None:
    site.work_is(everything(site, 0.25))
    context = browser.new_context(java_script_enabled=False)
    session = site.signed_in("tom.becker")
    context.add_cookies([{"name": c.name, "value": c.value or "", "url": site.url} for c in session.cookies])
    page = context.new_page()
    page.goto(f"{site.url}/m/work")
    page.get_by_role("link", name="Load it again").click()
    assert "Weekly product call" in page.locator("#board").inner_text()
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("where", ["desk", "phone"])
def test_axe_finds_no_violation(work: Open, axe: str, scheme: str, where: str) -> None:
    seen = work("sysadmin", color_scheme=scheme, **(PHONE if where == "phone" else {}))
    assert violations(seen, axe) == []
