"""What goes on in a series is shown to who was in the meeting, where an admin switched that on, and to nobody else."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests

from tests.report_site import FIRST, SECOND, TITLE, Site, keep_series, keep_spoken, served

THIRD, LONE = "3" * 26, "4" * 26


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with served(tmp_path_factory.mktemp("series")) as running:
        running.report.settings = running.settings.model_copy(update={"page_trends": True})
        keep_series(running)
        said = [("maya.chen", "A call of its own about something else.")]
        keep_spoken(running, LONE, said, title="Umbrellas", started_at="2026-11-11T09:00:00+00:00")
        yield running


def signed_in(site: Site, username: str) -> requests.Session:
    session = requests.Session()
    token = site.home_link(username).partition("?k=")[2]
    session.post(f"{site.url}/m/enter", data={"k": token}, timeout=60, allow_redirects=False)
    return session


def trends(site: Site, username: str, meeting: str = SECOND) -> requests.Response:
    return signed_in(site, username).get(f"{site.url}/m/{meeting}/trends", timeout=60)


def assert_nothing(site: Site, answer: requests.Response) -> None:
    nothing = requests.get(f"{site.url}/m/{'z' * 26}/media", timeout=60)
    assert (answer.status_code, answer.content) == (404, nothing.content)


def test_who_was_there_sees_what_became_of_the_work_with_links_to_the_moments(site: Site) -> None:
    text = trends(site, "maya.chen").text
    assert "Done (1)" in text
    assert "signed license agreement" in text
    assert f'href="../{FIRST}#t=' in text
    assert "price list" in text


def test_who_was_there_sees_decisions_that_changed(site: Site) -> None:
    text = trends(site, "maya.chen").text
    assert "Decisions that changed (1)" in text
    assert "tenth of December" in text
    assert "twentieth of January" in text


def test_talk_time_counts_the_meetings_that_one_was_in(site: Site) -> None:
    assert "In the 2 meetings" in trends(site, "maya.chen").text
    assert "In the 1 meeting of" in trends(site, "laura.stein").text


def test_who_was_not_there_gets_what_they_get_for_nothing(site: Site) -> None:
    # Tom is in the channel and reads the transcript; he was in none of the calls.
    session = signed_in(site, "tom.becker")
    page = session.get(f"{site.url}/m/{SECOND}", timeout=60)
    assert page.status_code == 200
    assert "/trends" not in page.text
    assert_nothing(site, session.get(f"{site.url}/m/{SECOND}/trends", timeout=60))


def test_who_is_in_the_series_but_was_not_in_this_meeting_gets_nothing(site: Site) -> None:
    assert_nothing(site, trends(site, "laura.stein", FIRST))


def test_strangers_and_people_of_other_channels_get_nothing(site: Site) -> None:
    assert_nothing(site, trends(site, "eve.stone"))
    assert_nothing(site, requests.get(f"{site.url}/m/{SECOND}/trends", timeout=60))
    assert_nothing(site, signed_in(site, "maya.chen").get(f"{site.url}/m/{'z' * 26}/trends", timeout=60))


def test_who_left_the_channel_gets_nothing_though_they_were_there(site: Site) -> None:
    who = site.id_of("oscar.lind")
    session = signed_in(site, "oscar.lind")
    assert session.get(f"{site.url}/m/{SECOND}/trends", timeout=60).status_code == 200
    site.as_("admin").delete(f"/channels/{site.channel_id}/members/{who}")
    site.rights_age()
    try:
        assert_nothing(site, session.get(f"{site.url}/m/{SECOND}/trends", timeout=60))
    finally:
        site.as_("admin").post(f"/channels/{site.channel_id}/members", {"user_id": who})
        site.rights_age()


def test_of_a_meeting_that_one_may_see_no_more_nothing_is_shown(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    gate = site.report.gate
    may = gate.may
    monkeypatch.setattr(gate, "may", lambda user, meeting: None if meeting == FIRST else may(user, meeting))
    text = trends(site, "maya.chen").text
    assert TITLE in text
    assert "signed license agreement" not in text
    assert FIRST not in text


def test_without_the_setting_there_is_nothing_of_it(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(site.report, "settings", site.settings)
    assert not site.settings.page_trends
    assert_nothing(site, trends(site, "maya.chen"))
    assert "/trends" not in signed_in(site, "maya.chen").get(f"{site.url}/m/{SECOND}", timeout=60).text


def test_the_page_of_a_meeting_leads_there_if_there_is_something_to_show(site: Site) -> None:
    session = signed_in(site, "maya.chen")
    assert f'href="{SECOND}/trends"' in session.get(f"{site.url}/m/{SECOND}", timeout=60).text
    assert "/trends" not in session.get(f"{site.url}/m/{LONE}", timeout=60).text


def test_who_came_by_a_link_to_the_meeting_may_look_too(site: Site) -> None:
    session = requests.Session()
    session.get(site.links.link(site.id_of("maya.chen"), "maya.chen", SECOND), timeout=60)
    assert "Done (1)" in session.get(f"{site.url}/m/{SECOND}/trends", timeout=60).text


def test_what_was_said_is_text_there(site: Site) -> None:
    said = [("maya.chen", "I will write the <b>manual</b> for the new scanner & printer by Friday.")]
    keep_spoken(site, THIRD, said, title=f"{TITLE} 2026-11-17", started_at="2026-11-17T09:00:00+00:00")
    text = trends(site, "maya.chen", THIRD).text
    assert "manual&lt;/b&gt; for the new scanner &amp; printer" in text
    assert "</b>" not in text


def test_a_series_that_is_long_to_read_is_told_of_meanwhile(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    from meetings.report import series

    monkeypatch.setattr(series.Followers, "follow", lambda *_args, **_given: None)
    assert "being read" in trends(site, "maya.chen").text
