"""A meeting's page in a real browser: what a reader does with mouse, keyboard, finger and screen reader."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from meetings.edits import read_edits
from tests.browser.conftest import PATIENCE, Seen, violations
from tests.report_site import Site, sample_conversation

if TYPE_CHECKING:
    from playwright.sync_api import Route

pytestmark = pytest.mark.browser

PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}
Look = Callable[..., Seen]


def test_a_link_to_a_moment_stands_at_that_moment_without_its_token(look: Look, site: Site) -> None:
    seen = look("maya.chen", at=103)
    seen.wait_at(103)
    assert "progress bar" in seen.current()
    assert seen.page.url == f"{site.page}#t=103"


def test_playing_moves_on_in_the_transcript(look: Look) -> None:
    seen = look("maya.chen", at=2)
    seen.page.locator("#media").evaluate("m => { m.playbackRate = 8; m.muted = true; }")
    seen.page.keyboard.press("k")
    seen.until("document.querySelectorAll('.line[aria-current]')[0]?.dataset.t > 15")
    seen.page.keyboard.press("k")
    assert seen.page.locator("#media").evaluate("m => m.paused")
    assert seen.page.locator(".line[aria-current]").count() == 1


def test_the_passage_that_is_played_is_in_sight(look: Look) -> None:
    seen = look("maya.chen", at=330)
    seen.wait_at(330)
    box = seen.page.locator(".line[aria-current]").bounding_box()
    assert box is not None
    assert 0 <= box["y"] <= 900


def test_a_click_on_a_time_plays_from_there(look: Look) -> None:
    seen = look("maya.chen")
    link = seen.page.locator(".point a.at").first
    start = float(seen.page.locator(".point").first.get_attribute("data-t") or 0)
    link.click()
    seen.wait_at(start)
    seen.until("!document.getElementById('media').paused")


def test_a_point_is_checked_where_it_stands(look: Look) -> None:
    seen = look("maya.chen")
    point = seen.page.locator(".point", has_text="tenth of December").first
    before = point.evaluate("p => p.getBoundingClientRect().top")
    point.locator("a.at").click()
    around = point.locator(".around")
    assert "tenth of December" in around.locator("p.heard.playing").inner_text()
    assert around.locator("p").count() == 3  # what it stands on, and what was said before and after
    seen.page.wait_for_timeout(300)
    assert abs(point.evaluate("p => p.getBoundingClientRect().top") - before) < 5


def test_only_one_point_is_open_and_escape_closes_it_and_stops(look: Look) -> None:
    seen = look("maya.chen")
    times = seen.page.locator(".point a.at")
    times.nth(1).click()
    seen.page.evaluate("scrollTo(0, 350)")  # at the very top there is nothing to scroll back
    before = times.nth(2).evaluate("a => a.getBoundingClientRect().top")
    times.nth(2).click()
    seen.page.wait_for_timeout(300)
    assert abs(times.nth(2).evaluate("a => a.getBoundingClientRect().top") - before) < 5
    assert seen.page.locator(".around").count() == 1
    seen.until("!document.getElementById('media').paused")
    seen.page.keyboard.press("Escape")
    assert seen.page.locator(".around").count() == 0
    assert seen.page.locator("#media").evaluate("m => m.paused")
    assert times.nth(2).evaluate("a => a === document.activeElement")


def test_read_on_leads_from_a_point_to_its_place_in_the_transcript(look: Look) -> None:
    seen = look("maya.chen")
    point = seen.page.locator(".point", has_text="tenth of December").first
    point.locator("a.at").click()
    point.get_by_role("button", name="Read on").click()
    assert "tenth of December" in seen.current()
    assert seen.page.evaluate("document.activeElement.closest('.line').hasAttribute('aria-current')")
    box = seen.page.locator(".line[aria-current]").bounding_box()
    assert box is not None
    assert 0 <= box["y"] <= 900


def test_a_click_on_a_passage_goes_there(look: Look) -> None:
    seen = look("maya.chen")
    line = seen.page.locator(".line", has_text="tenth of December").first
    start = float(line.get_attribute("data-t") or 0)
    line.locator("p").click()
    seen.wait_at(start)


def test_a_click_on_the_timeline_goes_there(look: Look) -> None:
    seen = look("maya.chen")
    picture = seen.page.locator("#timeline svg").first
    box = picture.bounding_box()
    assert box is not None
    picture.click(position={"x": box["width"] / 2, "y": box["height"] / 2})
    seen.wait_at(200)


def test_who_scrolls_is_left_where_they_read(look: Look) -> None:
    seen = look("maya.chen", at=20)
    seen.wait_at(20)
    seen.page.mouse.move(300, 500)
    # What scrolls just after the page did so by itself is not taken for the reader's: they go on.
    end = time.monotonic() + PATIENCE
    while seen.page.locator("#follow").get_attribute("aria-pressed") == "true":
        assert time.monotonic() < end
        seen.page.mouse.wheel(0, 800)
        seen.page.wait_for_timeout(200)
    seen.until(
        "new Promise((told) => { const at = scrollY;"
        " setTimeout(() => requestAnimationFrame(() => told(at > 500 && scrollY === at)), 100); })"
    )
    before = seen.page.evaluate("scrollY")
    seen.page.locator("#media").evaluate("m => { m.currentTime = 60; }")
    seen.until("document.querySelector('.line[aria-current]').dataset.t > 50")
    assert abs(seen.page.evaluate("scrollY") - before) < 5


def test_everything_can_be_done_with_the_keyboard_alone(look: Look) -> None:
    seen = look("maya.chen")
    press = seen.page.keyboard.press
    press("n")  # the first point of the summary, in time
    first = min(float(p.get_attribute("data-t") or 0) for p in seen.page.locator(".point").all())
    seen.wait_at(first)
    press("l")
    seen.wait_at(first + 10)
    press("ArrowLeft")
    seen.wait_at(first + 5)
    press("j")
    press("p")
    assert seen.page.locator("#aloud").inner_text() != ""
    press("Escape")  # what opened around the point
    assert seen.page.locator(".around").count() == 0
    press("?")
    assert seen.page.locator("#help").is_visible()
    press("Escape")
    assert not seen.page.locator("#help").is_visible()


def test_points_of_one_moment_are_gone_through_one_by_one(watched: Callable[..., Seen], site: Site) -> None:
    seen = watched(site.url)
    seen.page.goto(site.link("maya.chen"))

    def of_one_moment(route: Route) -> None:
        page = route.fetch()
        route.fulfill(response=page, body=re.sub(r'(class="point[^"]*" data-t=)"[^"]+"', r'\1"103.0"', page.text()))

    seen.page.route(site.page, of_one_moment)
    seen.page.reload()
    seen.until("document.getElementById('media').readyState >= 1")
    points, met = seen.page.locator(".point").count(), []
    for key in "n" * points + "p" * (points - 1):
        seen.page.keyboard.press(key)
        seen.wait_at(103)
        met.append(seen.page.evaluate("[...document.querySelectorAll('.point')].findIndex(p => p.matches('.here'))"))
    assert met == [*range(points), *range(points - 2, -1, -1)]


def test_the_transcript_is_one_stop_of_the_tabulator_and_arrows_walk_it(look: Look) -> None:
    seen = look("maya.chen")
    assert seen.page.locator('#transcript .at:not([tabindex="-1"])').count() == 1
    seen.page.locator("#transcript .at").first.focus()
    seen.page.keyboard.press("ArrowDown")
    seen.page.keyboard.press("ArrowDown")
    seen.page.keyboard.press("Enter")
    third = seen.page.locator(".line").nth(2)
    seen.wait_at(float(third.get_attribute("data-t") or 0))
    assert seen.page.locator('#transcript .at:not([tabindex="-1"])').count() == 1


def test_words_are_corrected_with_the_keyboard_and_shown_as_edited(look: Look, site: Site) -> None:
    seen = look("maya.chen", at=20)
    seen.wait_at(20)
    was = seen.current()
    seen.page.keyboard.press("e")
    field = seen.page.get_by_label("What was said at")
    assert field.input_value() == was
    field.fill("This is what was really said.")
    seen.page.keyboard.press("Tab")
    seen.page.keyboard.press("Enter")
    seen.page.wait_for_selector(".line details.edited")
    assert "Saved" in seen.page.locator("#told").inner_text()
    (edit,) = read_edits(site.settings, site.meeting)
    assert (edit.before, edit.text, edit.by) == (was, "This is what was really said.", "maya.chen")
    seen.page.locator("details.edited summary").first.click()
    assert was in seen.page.locator("details.edited").first.inner_text()


def test_a_speaker_is_corrected_by_choosing_who_it_is(look: Look, site: Site) -> None:
    seen = look("ben.okafor")
    before = len(site.queue.remade)
    seen.page.get_by_role("button", name="Correct who Speaker 5 is").click()
    choice = seen.page.get_by_label("It is")
    seen.until("document.querySelectorAll('#speaker-who option').length > 5")
    assert "Eve Stone" not in choice.inner_text()
    choice.select_option(label="Nadia Haddad (@nadia.haddad)")
    seen.page.locator("#speaker").get_by_role("button", name="Save").click()
    seen.until("document.getElementById('told').textContent.includes('being corrected')")
    assert len(site.queue.remade) == before + 1


def test_a_voice_is_asked_about_anew_and_everybody_is_listed_once(look: Look) -> None:
    seen = look("maya.chen")
    held: list[Route] = []
    seen.page.route("**/people", lambda route: held.append(route))
    correct = seen.page.get_by_role("button", name="Correct who Speaker 5 is")
    cancel = seen.page.locator("#speaker").get_by_role("button", name="Cancel")
    for _ in range(2):  # faster than the server answers
        correct.click()
        seen.page.get_by_label("It is").select_option("nobody")
        cancel.click()
    correct.click()
    assert seen.page.get_by_label("It is").input_value() == ""
    for route in held:
        route.continue_()
    seen.until("document.querySelectorAll('#speaker-who option').length > 5")
    seen.page.wait_for_timeout(300)
    values = seen.page.locator("#speaker-who option").evaluate_all("all => all.map(({ value }) => value)")
    assert len(values) == len(set(values))


def test_who_was_not_there_is_offered_nothing_to_correct(look: Look) -> None:
    seen = look("tom.becker")
    seen.page.keyboard.press("e")
    assert seen.page.locator("dialog[open]").count() == 0
    assert seen.page.get_by_role("button", name="Correct").count() == 0


def test_uncertain_words_are_marked_by_more_than_colour(look: Look) -> None:
    seen = look("maya.chen")
    style = seen.page.locator(".line .unsure").first.evaluate("e => getComputedStyle(e).textDecorationLine")
    assert style == "underline"
    assert "certainty" in seen.page.locator(".legend").inner_text()


def test_a_dark_system_gets_a_dark_page(look: Look) -> None:
    def brightness(seen: Seen) -> int:
        found = seen.page.evaluate("getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)")
        return sum(found[:3])

    assert brightness(look("maya.chen", color_scheme="light")) > 600
    assert brightness(look("maya.chen", color_scheme="dark")) < 150


def test_a_phone_needs_no_sideways_scrolling_and_keeps_the_player_in_sight(look: Look) -> None:
    seen = look("maya.chen", at=200, **PHONE)
    seen.wait_at(200)
    assert seen.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    player = seen.page.locator("#media").bounding_box()
    line = seen.page.locator(".line[aria-current]").bounding_box()
    assert player is not None
    assert line is not None
    assert player["y"] >= -1
    assert player["y"] + player["height"] <= line["y"] + 1
    assert line["y"] < 844


def test_a_phone_shows_the_summary_on_its_first_screen(look: Look) -> None:
    box = look("maya.chen", **PHONE).page.locator(".headline").bounding_box()
    assert box is not None
    assert box["y"] + box["height"] < PHONE["viewport"]["height"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("where", ["desk", "phone"])
def test_axe_finds_no_violation(look: Look, axe: str, scheme: str, where: str) -> None:
    seen = look("maya.chen", at=60, color_scheme=scheme, **(PHONE if where == "phone" else {}))
    seen.wait_at(60)
    # By the debugger, which the page's policy does not bind: a script of the page's own would be refused.
    assert violations(seen, axe) == []
    seen.page.locator(".point a.at").first.click()
    assert violations(seen, axe) == []
    for opened in ("help", "edit", "speaker") if where == "desk" else ():
        seen.page.evaluate("id => document.getElementById(id).showModal()", opened)
        assert violations(seen, axe, f"#{opened}") == []
        seen.page.evaluate("id => document.getElementById(id).close()", opened)


def test_the_media_of_the_page_is_the_recording(look: Look) -> None:
    seen = look("maya.chen")
    length = seen.page.locator("#media").evaluate("m => m.duration")
    assert length == pytest.approx(sample_conversation("x").duration, abs=1.0)
