"""The page of `meetings report` in a real browser: it opens, plays, shows everybody's summary, and is corrected."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.browser.conftest import PATIENCE, Seen, violations
from tests.local_site import LocalSite, served_locally
from tests.report_site import sample_conversation

pytestmark = pytest.mark.browser

PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}
Look = Callable[..., Seen]


@pytest.fixture
def made() -> Iterator[threading.Event]:
    """Set when summaries may be there, and at the test's end: who makes them waits for it."""
    event = threading.Event()
    yield event
    event.set()


@pytest.fixture
def local(tmp_path: Path, made: threading.Event) -> Iterator[LocalSite]:
    """A page of this machine's own."""
    with served_locally(tmp_path, first="maya.chen", make=lambda: assert_soon(made)) as running:
        yield running


def assert_soon(event: threading.Event) -> None:
    assert event.wait(PATIENCE)


@pytest.fixture
def look(local: LocalSite, watched: Callable[..., Seen]) -> Look:
    """Open the address as a click in a terminal does.

    The server before the browser: fixtures end in reverse, and what a page asks of a server that is gone is trouble.
    """

    def follow(**given: Any) -> Seen:
        seen = watched(local.origin, **given)
        seen.page.goto(local.page.address)
        seen.page.wait_for_url(re.compile(r"/m/[0-9a-f]+$"))
        seen.until("document.getElementById('media').readyState >= 1")
        return seen

    return follow


def test_the_address_leads_to_a_page_that_plays_and_seeks(look: Look) -> None:
    seen = look()
    assert "k=" not in seen.page.url
    line = seen.page.locator(".line", has_text="tenth of December").first
    start = float(line.get_attribute("data-t") or 0)
    line.locator("p").click()
    seen.wait_at(start)
    seen.page.keyboard.press("k")
    seen.until("!document.getElementById('media').paused")
    seen.page.locator("#media").evaluate("m => { m.playbackRate = 1; }")
    seen.until(f"document.getElementById('media').currentTime > {start + 0.3}")


def test_each_person_s_summary_is_in_the_menu_and_stays_when_the_page_is_loaded_again(look: Look) -> None:
    seen = look()
    assert "what concerns Maya" in seen.page.locator("#summary").inner_text()
    seen.page.locator("summary", has_text="Summary for Maya Chen").click()
    seen.page.get_by_role("link", name="Oscar Lind").click()
    seen.page.locator("#summary", has_text="what concerns Oscar").wait_for()
    seen.page.locator(".line .at").nth(3).click()
    seen.page.reload()
    assert "what concerns Oscar" in seen.page.locator("#summary").inner_text()


def test_a_menu_closes_by_escape_and_by_a_click_elsewhere(look: Look) -> None:
    seen = look()
    menu = seen.page.locator("details.menu", has_text="Download")
    menu.locator("summary").press("Enter")
    assert menu.get_by_role("link", name="PDF").is_visible()
    menu.get_by_role("link", name="PDF").press("Escape")
    assert not menu.get_by_role("link", name="PDF").is_visible()
    menu.locator("summary").click()
    seen.page.locator("h1").click()
    assert not menu.get_by_role("link", name="PDF").is_visible()


def test_a_file_is_saved_under_its_name(look: Look) -> None:
    seen = look()
    seen.page.locator("summary", has_text="Download").click()
    with seen.page.expect_download() as waiting:
        seen.page.get_by_role("link", name="PDF").click()
    assert waiting.value.suggested_filename == "weekly-product-call-maya.chen.pdf"
    assert waiting.value.path().read_bytes().startswith(b"%PDF-")


def test_a_voice_that_is_named_has_summaries_made_again_and_the_page_shows_them(
    look: Look, local: LocalSite, made: threading.Event
) -> None:
    seen = look()
    seen.page.get_by_role("button", name="Correct who Speaker 5 is").click()
    seen.until("document.querySelectorAll('#speaker-who option').length > 5")
    seen.page.get_by_label("It is").select_option(label="Nadia Haddad (@nadia.haddad)")
    seen.page.locator("#speaker").get_by_role("button", name="Save").click()
    told = seen.page.locator("#told")
    told.filter(has_text="are being made again").wait_for()
    made.set()
    told.filter(has_text="were made again").wait_for()
    assert not local.remaking.busy


def test_a_correction_that_was_refused_is_told_on_a_page_that_works(look: Look) -> None:
    seen = look()
    seen.page.evaluate(
        "() => { const form = document.querySelector('#edit form');"
        " form.was.value = 'something else'; form.utterance.value = 'u0'; form.text.value = 'x'; form.submit(); }"
    )
    seen.page.wait_for_url(re.compile(r"/m/[0-9a-f]+\?for=maya\.chen$"))
    seen.until("document.getElementById('media').readyState >= 1")
    assert seen.page.locator("#told").inner_text() != ""
    again = seen.page.reload()
    assert again is not None
    assert again.status == 200
    seen.trouble[:] = [text for text in seen.trouble if "422" not in text]  # of which a browser tells on its own


@pytest.mark.parametrize(("where", "scheme"), [("desk", "light"), ("phone", "dark")])
def test_axe_finds_no_violation_and_nothing_is_out_of_sight(look: Look, axe: str, where: str, scheme: str) -> None:
    seen = look(color_scheme=scheme, **(PHONE if where == "phone" else {}))
    assert violations(seen, axe) == []
    for menu in seen.page.locator("details.menu").all():
        menu.locator("summary").click()
        assert violations(seen, axe, "details.menu[open]") == []
        box = menu.locator("ul").bounding_box()
        width = seen.page.evaluate("innerWidth")
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width
    assert seen.page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_recording_that_is_gone_leaves_the_transcript(look: Look, local: LocalSite) -> None:
    seen = look()
    seen.page.goto("about:blank")  # what the player still asks for would be refused, and told on the console
    local.recording.unlink()
    seen.page.goto(local.url)
    assert "no longer at" in seen.page.locator(".gone").first.inner_text()
    seen.page.locator(".line .at").nth(3).click()  # stands there, without a player
    assert seen.page.locator(".line[aria-current]").count() == 1


def test_a_silent_recording_is_told_to_be_one_and_offers_nothing_that_would_do_nothing(
    watched: Callable[..., Seen], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, axe: str
) -> None:
    silent = replace(sample_conversation("x"), speakers=(), utterances=())
    monkeypatch.setattr("tests.local_site.sample_conversation", lambda media_id: replace(silent, id=media_id))
    with served_locally(tmp_path) as site:
        seen = watched(site.origin)
        seen.page.goto(site.page.address)
        seen.page.wait_for_url(re.compile(r"/m/[0-9a-f]+$"))
        seen.until("document.getElementById('media').readyState >= 1")
        assert "Nothing was said in this recording." in seen.page.locator("#summary").inner_text()
        assert seen.page.get_by_role("button").count() == 0
        assert seen.page.get_by_role("searchbox").count() == 0
        seen.page.keyboard.press("l")  # the player has its keys
        seen.wait_at(10)
        assert violations(seen, axe) == []
        seen.page.goto("about:blank")
