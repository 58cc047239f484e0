"""Files of a meeting's page, asked for over a real socket by who may have them and by who may not."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests

from meetings.audit import AuditLog
from meetings.edits import add_edit
from meetings.exports import FORMATS
from meetings.page_links import revoke
from tests.report_site import Site, sample_conversation, served


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with served(tmp_path_factory.mktemp("downloads")) as running:
        yield running


def get(session: requests.Session, site: Site, name: str) -> requests.Response:
    return session.get(f"{site.page}/download/{name}", timeout=60)


def assert_nothing(answer: requests.Response, site: Site) -> None:
    """The same as for what does not exist."""
    assert answer.status_code == 404
    assert answer.content == requests.get(f"{site.url}/m/{'z' * 26}", timeout=60).content
    assert "Content-Disposition" not in answer.headers


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_a_reader_gets_the_file_with_their_own_summary_and_nobody_else_s(site: Site, name: str) -> None:
    answer = get(site.visit("maya.chen"), site, name)
    assert answer.status_code == 200
    assert f"weekly-product-call-maya.chen.{name}" in answer.headers["Content-Disposition"]
    assert "what concerns Ben" not in answer.text
    if name in {"md", "html", "json"}:
        assert "what concerns Maya" in answer.text
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert answer.headers["Cache-Control"] == "no-store"
    assert "sandbox" in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize("name", ["md", "html", "vtt", "srt", "json"])
def test_who_missed_the_call_gets_no_confidence_and_no_foreign_summary(site: Site, name: str) -> None:
    text = get(site.visit("tom.becker"), site, name).text
    assert "good morning everyone" in text.replace("\n", " ")
    assert "Northgate" not in text
    assert "what concerns" not in text
    assert "Northgate" in get(site.visit("maya.chen"), site, name).text


def test_every_link_of_the_page_s_menu_leads_to_a_file(site: Site) -> None:
    session = site.visit("ben.okafor")
    page = session.get(site.page, timeout=60).text
    for name in FORMATS:
        assert f'href="{site.meeting}/download/{name}"' in page
        assert get(session, site, name).status_code == 200


def test_a_correction_is_in_the_file_at_once(site: Site) -> None:
    said = next(u for u in sample_conversation(site.meeting).utterances if "tenth of December" in u.text)
    add_edit(site.settings, site.meeting, utterance=said.id, before=said.text, text="It moves to May.", by="maya.chen")
    assert "It moves to May" in get(site.visit("ben.okafor"), site, "srt").text


def test_who_took_a_file_is_in_the_audit_log(site: Site) -> None:
    get(site.visit("laura.stein"), site, "csv")
    entry = [e for e in AuditLog(site.settings).entries() if e.event == "save"][-1]
    assert (entry.user, entry.by, entry.facts["format"]) == ("laura.stein", "laura.stein", "csv")


def test_without_a_cookie_or_with_that_of_another_there_is_no_file(site: Site) -> None:
    noted = sum(e.event == "save" for e in AuditLog(site.settings).entries())
    token = site.link("maya.chen").partition("?k=")[2]
    other = site.links.cookie(site.links.holding(site.id_of("eve.stone"), "eve.stone", site.meeting), site.meeting)
    elsewhere = site.links.cookie(site.links.holding(site.id_of("maya.chen"), "maya.chen", "o" * 26), "o" * 26)
    for cookie in ("", "x", token, other, elsewhere):
        answer = requests.get(f"{site.page}/download/md", cookies={"meetings_page": cookie}, timeout=60)
        assert_nothing(answer, site)
    assert sum(e.event == "save" for e in AuditLog(site.settings).entries()) == noted


def test_who_left_the_channel_gets_no_file_from_then_on(site: Site) -> None:
    who, session = site.id_of("oscar.lind"), site.visit("oscar.lind")
    assert get(session, site, "md").status_code == 200
    site.as_("admin").delete(f"/channels/{site.channel_id}/members/{who}")
    site.rights_age()
    try:
        for name in FORMATS:
            assert_nothing(get(session, site, name), site)
    finally:
        site.as_("admin").post(f"/channels/{site.channel_id}/members", {"user_id": who})


def test_revoked_links_give_no_file(site: Site) -> None:
    session = site.visit("nadia.haddad")
    revoke(site.settings, site.id_of("nadia.haddad"))
    assert_nothing(get(session, site, "md"), site)


@pytest.mark.parametrize(
    "name",
    [
        "exe",
        "MD",
        "md%20",
        "md%00",
        "..%2fmd",
        "%2e%2e%2f%2e%2e%2fetc%2fpasswd",
        "md%0d%0aSet-Cookie:%20x=1",
        "a" * 5000,
    ],
)
def test_what_is_no_format_leads_nowhere(site: Site, name: str) -> None:
    session = site.visit("maya.chen")
    request = requests.Request("GET", site.url, cookies=session.cookies).prepare()
    request.url = f"{site.page}/download/{name}"  # as it stands, not made tidy
    answer = session.send(request, timeout=60, allow_redirects=False)
    assert answer.status_code in {404, 405}
    assert "Content-Disposition" not in answer.headers
    assert "Set-Cookie" not in answer.headers
    assert b"root:" not in answer.content
