"""The way in, home, search and finding within a meeting, in a real browser: by keyboard, in the dark, on a phone."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from tests.browser.conftest import Seen, violations
from tests.report_site import FIRST, SECOND, Site, keep_series

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.browser

PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}
Visit = Callable[..., Seen]
Look = Callable[..., Seen]


@pytest.fixture
def visit(watched: Callable[..., Seen], site: Site) -> Visit:
    """Sign in by somebody's home link and stand at home."""
    site.see_what_is_new()

    def enter(username: str, **given: Any) -> Seen:
        seen = watched(site.url, **given)
        seen.page.goto(site.home_link(username))
        seen.page.get_by_role("button", name="Open my meetings").press("Enter")
        seen.page.wait_for_url(f"{site.url}/m/")
        return seen

    return enter


def test_a_home_link_signs_in_and_signing_out_ends_it(visit: Visit, site: Site) -> None:
    seen = visit("maya.chen")
    assert seen.page.get_by_role("link", name="Weekly product call").is_visible()
    assert "k=" not in seen.page.url
    seen.page.get_by_role("button", name="Sign out").click()
    seen.page.get_by_text("once you are signed in").wait_for()
    seen.page.goto(f"{site.url}/m/search?q=parser")
    assert not seen.page.get_by_role("link", name="Weekly product call").is_visible()


def test_searching_and_opening_what_is_found_at_its_moment_needs_the_keyboard_alone(visit: Visit) -> None:
    seen = visit("maya.chen")
    press = seen.page.keyboard.press
    for _ in range(3):  # past what skips to the meetings, and the way out
        press("Tab")
    seen.page.keyboard.type("tenth of December")
    press("Enter")
    seen.page.wait_for_url("**/m/search?q=tenth*")
    assert seen.page.locator("mark", has_text="December").first.is_visible()
    moment = seen.page.locator(".moments a.at").first
    start = float((moment.get_attribute("href") or "").partition("#t=")[2])
    while not moment.evaluate("a => a === document.activeElement"):
        press("Tab")
    press("Enter")
    seen.page.wait_for_url("**#t=*")
    seen.until("document.getElementById('media')?.readyState >= 1")
    seen.wait_at(start)


def test_a_search_works_without_a_script(visit: Visit) -> None:
    seen = visit("maya.chen", java_script_enabled=False)
    seen.page.get_by_role("searchbox").fill("parser")
    seen.page.get_by_role("button", name="Search").click()
    seen.page.wait_for_url("**/m/search?q=parser*")
    assert seen.page.locator(".moments li").count() > 0


def test_words_are_found_within_a_meeting_and_enter_goes_from_one_to_the_next(look: Look) -> None:
    seen = look("maya.chen")
    press, count = seen.page.keyboard.press, seen.page.locator("#find-count")
    press("/")
    seen.page.keyboard.type("parser")
    seen.until("document.getElementById('find-count').textContent.startsWith('1 of ')")
    seen.until("[...CSS.highlights.get('found-here')].join().toLowerCase() === 'parser'")  # and not as far as 'parse'
    first = seen.page.locator(".line.found-here").get_attribute("data-u")
    press("Enter")
    assert count.inner_text().startswith("2 of ")
    assert seen.page.locator(".line.found-here").get_attribute("data-u") != first
    press("Shift+Enter")
    press("Shift+Enter")  # from the first to the last
    last = count.inner_text().split(" of ")
    assert last[0] == last[1]
    marked = seen.page.evaluate("CSS.highlights.get('found').size + CSS.highlights.get('found-here').size")
    assert marked == int(last[1])


def test_enter_looks_for_what_is_typed_by_now_and_not_for_what_was_found_before(look: Look) -> None:
    seen = look("maya.chen")
    field = seen.page.locator("#find-q")
    field.fill("parser")
    seen.until("document.getElementById('find-count').textContent.startsWith('1 of ')")
    field.evaluate("""field => {
      field.value = "fifteen dollars";
      field.dispatchEvent(new Event("input", { bubbles: true }));
      field.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", bubbles: true, cancelable: true }));
    }""")
    assert "fifteen dollars" in seen.page.locator(".line.found-here").inner_text().lower()
    assert seen.page.locator("#find-count").inner_text().startswith("1 of ")


def test_leaving_the_field_stands_at_the_passage_so_that_it_can_be_played(look: Look) -> None:
    seen = look("maya.chen")
    seen.page.keyboard.press("/")
    seen.page.keyboard.type("sixteenth  dollars")
    seen.until("document.getElementById('find-count').textContent === 'not found'")
    seen.page.locator("#find-q").fill("fifteen dollars")
    seen.until("document.querySelector('.found-here')")
    start = float(seen.page.locator(".line.found-here").get_attribute("data-t") or 0)
    seen.page.keyboard.press("Escape")
    assert seen.page.locator(".line.found-here").count() == 0
    seen.page.keyboard.press("Enter")
    seen.wait_at(start)


def test_whatever_is_typed_is_looked_for_as_it_stands(look: Look) -> None:
    seen = look("maya.chen")
    for text in ("un-heard", "a/b (c) [d] {2} \\e ^f$ *g+ ?h|", "-"):
        seen.page.locator("#find-q").fill("parser")
        seen.until("document.getElementById('find-count').textContent.startsWith('1 of ')")
        seen.page.locator("#find-q").fill(text)
        seen.until("document.getElementById('find-count').textContent === 'not found'")


def test_what_was_withheld_is_found_within_a_meeting_by_nobody(look: Look) -> None:
    seen = look("tom.becker")
    seen.page.locator("#find-q").fill("Northgate")
    seen.until("document.getElementById('find-count').textContent === 'not found'")


def test_who_is_signed_in_takes_their_words_from_a_meeting_to_all_of_them(visit: Visit) -> None:
    seen = visit("maya.chen")
    seen.page.get_by_role("link", name="Weekly product call").click()
    seen.page.locator("#find-q").fill("parser")
    seen.page.get_by_role("button", name="Search all my meetings").click()
    seen.page.wait_for_url("**/m/search?q=parser")
    assert seen.page.locator(".moments li").count() > 0


@pytest.mark.parametrize(("scheme", "window"), [("light", {}), ("dark", PHONE)], ids=["light-desk", "dark-phone"])
def test_no_page_has_anything_that_shuts_somebody_out(
    visit: Visit, axe: str, site: Site, scheme: str, window: dict[str, Any]
) -> None:
    seen = visit("maya.chen", color_scheme=scheme, **window)
    width = seen.page.viewport_size["width"] if seen.page.viewport_size else 0
    for address in ("", "search?q=parser", "search?q=unheard-of"):
        seen.page.goto(f"{site.url}/m/{address}")
        assert violations(seen, axe) == [], address
        assert seen.page.evaluate("document.documentElement.scrollWidth") <= width, address
    seen.page.goto(site.page)
    seen.page.locator("#find-q").fill("parser")
    seen.until("document.querySelector('.found-here')")
    assert violations(seen, axe) == []
    assert seen.page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize(("scheme", "window"), [("light", {}), ("dark", PHONE)], ids=["light-desk", "dark-phone"])
def test_the_page_of_a_series_shuts_nobody_out_and_leads_to_its_moments(
    visit: Visit, axe: str, site: Site, monkeypatch: pytest.MonkeyPatch, scheme: str, window: dict[str, Any]
) -> None:
    monkeypatch.setattr(site.report, "settings", site.settings.model_copy(update={"page_trends": True}))
    keep_series(site)
    site.see_what_is_new()
    seen = visit("maya.chen", color_scheme=scheme, **window)
    seen.page.goto(f"{site.url}/m/{SECOND}/trends")
    assert "license agreement" in seen.page.locator("main").inner_text()
    assert violations(seen, axe) == []
    width = seen.page.viewport_size["width"] if seen.page.viewport_size else 0
    assert seen.page.evaluate("document.documentElement.scrollWidth") <= width
    seen.page.get_by_role("link", name="3 November 2026, 0:01").click()
    seen.page.wait_for_url(f"**/m/{FIRST}#t=1")


def test_the_way_in_has_nothing_that_shuts_somebody_out(browser: Browser, site: Site, axe: str) -> None:
    page = browser.new_context().new_page()
    for address in (f"{site.url}/m/", site.home_link("maya.chen")):
        page.goto(address)
        assert violations(Seen(page), axe) == []
    page.context.close()
