"""Who gets in by a home link or by signing in, who does not, and what being signed in opens, over a real socket."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator

import pytest
import requests

from meetings.audit import AuditLog
from meetings.page_links import PageLinks, revoke
from meetings.page_sign_ins import LINK, SESSION, SignIns
from tests.report_site import Site, served


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with served(tmp_path_factory.mktemp("home")) as running:
        yield running


def get(url: str, **given: object) -> requests.Response:
    return requests.get(url, timeout=60, **given)  # type: ignore[arg-type]


def press(url: str, token: str, session: requests.Session | None = None, **headers: str) -> requests.Response:
    """Press the button of a home link's page."""
    named = {k.replace("_", "-"): v for k, v in headers.items()}
    return (session or requests.Session()).post(
        f"{url}/m/enter", data={"k": token}, headers=named, timeout=60, allow_redirects=False
    )


def token_of(site: Site, username: str) -> str:
    return site.home_link(username).partition("?k=")[2]


def signed_in(site: Site, username: str) -> requests.Session:
    """A browser of somebody who used their home link."""
    session = requests.Session()
    assert press(site.url, token_of(site, username), session).status_code == 303
    return session


def home(site: Site, session: requests.Session) -> requests.Response:
    return session.get(f"{site.url}/m/", timeout=60)


def is_in(site: Site, session: requests.Session) -> bool:
    return "Sign out" in home(site, session).text


# The way in


def test_a_home_link_shows_whose_it_is_and_a_button_signs_in(site: Site) -> None:
    link = site.home_link("maya.chen")
    shown = get(link)
    assert "Maya Chen" in shown.text
    assert "Set-Cookie" not in shown.headers
    session = requests.Session()
    answer = press(site.url, link.partition("?k=")[2], session, Origin=site.url)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/m/")
    assert "Maya Chen" in home(site, session).text


def test_a_program_that_follows_the_link_does_not_use_it_up(site: Site) -> None:
    link = site.home_link("maya.chen")
    for _ in range(3):
        get(link)
    requests.head(link, timeout=60)
    assert press(site.url, link.partition("?k=")[2]).status_code == 303


def test_the_cookie_is_for_the_browser_alone_and_for_pages(site: Site) -> None:
    cookie = press(site.url, token_of(site, "maya.chen")).headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Path=/m;" in f"{cookie};"
    left = int(cookie.partition("Max-Age=")[2].partition(";")[0])
    assert SESSION - 60 < left <= SESSION  # as many seconds ago as a busy machine takes
    assert "Secure" not in cookie  # this page is reached by http


def test_the_cookie_of_pages_behind_tls_is_sent_by_tls_alone(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    token = token_of(site, "maya.chen")
    monkeypatch.setattr(site.links, "url", "https://meetings.example.org/calls")
    answer = press(site.url, token)
    assert "Secure" in answer.headers["Set-Cookie"]
    assert "Path=/calls/m;" in f"{answer.headers['Set-Cookie']};"
    assert answer.headers["Location"] == "/calls/m/"


def test_who_signed_in_is_in_the_audit_log_and_no_token_is(site: Site) -> None:
    token = token_of(site, "ben.okafor")
    press(site.url, token)
    entries = list(AuditLog(site.settings).entries())
    assert any((e.event, e.user, e.facts.get("how")) == ("signed in", "ben.okafor", "link") for e in entries)
    assert all(token not in str(e) for e in entries)


def test_the_way_without_a_slash_leads_home(site: Site) -> None:
    answer = get(f"{site.url}/m", allow_redirects=False)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/m/")


# Who gets in not


def test_a_home_link_used_is_a_link_no_more(site: Site) -> None:
    link = site.home_link("maya.chen")
    token = link.partition("?k=")[2]
    assert press(site.url, token).status_code == 303
    assert "Set-Cookie" not in press(site.url, token).headers
    assert get(link).status_code == 404


def test_an_expired_home_link_signs_nobody_in(site: Site) -> None:
    late = SignIns(PageLinks(site.settings, clock=lambda: time.time() - LINK))
    link, offered = late.offer(site.id_of("maya.chen"))
    late.note(site.id_of("maya.chen"), "maya.chen", offered)
    assert "Set-Cookie" not in press(site.url, link.partition("?k=")[2]).headers


@pytest.mark.parametrize("change", ["", "x", "cut", "upper", "other", "long"])
def test_an_altered_home_link_signs_nobody_in(site: Site, change: str) -> None:
    token = token_of(site, "maya.chen")
    other = {
        "cut": token[:-1],
        "upper": token.upper(),
        "other": token.replace(site.id_of("maya.chen"), site.id_of("ben.okafor")),
        "long": token * 50,
    }.get(change, change)
    answer = press(site.url, other)
    assert answer.status_code == 404
    assert "Set-Cookie" not in answer.headers


def test_a_link_to_a_meeting_signs_nobody_in(site: Site) -> None:
    token = site.link("maya.chen").partition("?k=")[2]
    assert "Set-Cookie" not in press(site.url, token).headers
    session = site.visit("maya.chen")
    assert not is_in(site, session)
    session.cookies.set("meetings_home", session.cookies["meetings_page"])
    assert not is_in(site, session)


@pytest.mark.parametrize("headers", [{"Origin": "https://evil.example"}, {"Sec_Fetch_Site": "cross-site"}])
def test_another_site_cannot_press_the_button(site: Site, headers: dict[str, str]) -> None:
    token = token_of(site, "maya.chen")
    answer = press(site.url, token, None, **headers)
    assert answer.status_code == 403
    assert "Set-Cookie" not in answer.headers
    assert press(site.url, token).status_code == 303


def test_a_link_of_a_guest_or_a_bot_signs_nobody_in(site: Site) -> None:
    who = site.id_of("oscar.lind")
    token, bot = token_of(site, "oscar.lind"), token_of(site, "calls")
    site.as_("admin").post(f"/users/{who}/demote", {})
    site.rights_age()
    try:
        assert "Set-Cookie" not in press(site.url, token).headers
        assert "Set-Cookie" not in press(site.url, bot).headers
    finally:
        site.as_("admin").post(f"/users/{who}/promote", {})
        site.rights_age()


def test_a_server_that_is_away_lets_nobody_in_and_uses_no_link_up(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    from meetings.errors import MattermostUnreachableError
    from meetings.mattermost import MattermostClient

    token = token_of(site, "maya.chen")
    site.rights_age()

    def away(*_: object) -> None:
        raise MattermostUnreachableError("away")

    with monkeypatch.context() as patched:
        patched.setattr(MattermostClient, "user", away)
        answer = press(site.url, token)
        assert answer.status_code == 503
        assert "Set-Cookie" not in answer.headers
    assert press(site.url, token).status_code == 303


# The way out


def test_signing_out_ends_the_session_for_every_copy_of_its_cookie(site: Site) -> None:
    session = signed_in(site, "maya.chen")
    copy = dict(session.cookies)
    answer = sign_out(site, session)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/m/")
    assert "meetings_home" not in session.cookies
    assert "Sign out" not in get(f"{site.url}/m/", cookies=copy).text
    assert get(site.page, cookies=copy).status_code == 404


def sign_out(site: Site, session: requests.Session, **fields: str) -> requests.Response:
    found = re.search(r'name="form" value="([^"]+)"', home(site, session).text)
    assert found is not None
    data = {"form": found[1], **fields}
    return session.post(f"{site.url}/m/sign-out", data=data, timeout=60, allow_redirects=False)


def test_nobody_is_signed_out_by_another_site(site: Site) -> None:
    session = signed_in(site, "maya.chen")
    assert sign_out(site, session, form="x").status_code == 403
    assert is_in(site, session)


def test_revoking_signs_out_at_once(site: Site) -> None:
    session = signed_in(site, "laura.stein")
    assert is_in(site, session)
    revoke(site.settings, site.id_of("laura.stein"))
    assert not is_in(site, session)
    assert session.get(site.page, timeout=60).status_code == 404


@pytest.mark.parametrize(
    ("method", "there", "back"),
    [
        ("put", ("active", {"active": False}), ("active", {"active": True})),
        ("post", ("demote", {}), ("promote", {})),
    ],
    ids=["deactivated", "demoted"],
)
def test_who_may_have_pages_no_more_is_out_from_then_on(
    site: Site, method: str, there: tuple[str, object], back: tuple[str, object]
) -> None:
    who = site.id_of("nadia.haddad")
    session = signed_in(site, "nadia.haddad")
    admin = getattr(site.as_("admin"), method)
    admin(f"/users/{who}/{there[0]}", there[1])
    site.rights_age()
    try:
        assert not is_in(site, session)
        assert session.get(site.page, timeout=60).status_code == 404
    finally:
        admin(f"/users/{who}/{back[0]}", back[1])
        site.rights_age()


# What it opens


def test_who_is_signed_in_opens_every_meeting_that_they_may_read(site: Site) -> None:
    session = signed_in(site, "ben.okafor")
    assert "what concerns Ben" in session.get(site.page, timeout=60).text
    part = session.get(f"{site.page}/media", headers={"Range": "bytes=0-9"}, timeout=60)
    assert part.status_code == 206


def test_who_comes_signed_in_is_in_the_audit_log_once_for_each_meeting(site: Site) -> None:
    def opened() -> int:
        entries = AuditLog(site.settings).entries(user="laura.stein")
        return sum(e.event == "page opened" and e.facts.get("how") == "signed in" for e in entries)

    before, session = opened(), signed_in(site, "laura.stein")
    for _ in range(3):
        session.get(site.page, timeout=60)
    assert opened() == before + 1


def test_who_is_signed_in_opens_no_meeting_of_a_channel_that_is_not_theirs(site: Site) -> None:
    session = signed_in(site, "eve.stone")
    known = get(f"{site.url}/m/{'z' * 26}")
    answer = session.get(site.page, timeout=60)
    assert (answer.status_code, answer.content) == (404, known.content)
    assert session.get(f"{site.page}/media", timeout=60).status_code == 404


def test_who_left_the_channel_opens_its_meetings_no_more_though_they_are_signed_in(site: Site) -> None:
    who = site.id_of("tom.becker")
    session = signed_in(site, "tom.becker")
    assert session.get(site.page, timeout=60).status_code == 200
    site.as_("admin").delete(f"/channels/{site.channel_id}/members/{who}")
    site.rights_age()
    try:
        assert session.get(site.page, timeout=60).status_code == 404
    finally:
        site.as_("admin").post(f"/channels/{site.channel_id}/members", {"user_id": who})
        site.rights_age()


def form_on(session: requests.Session, site: Site) -> str:
    found = re.search(r'name="form" value="([^"]+)"', session.get(site.page, timeout=60).text)
    assert found is not None
    return found[1]


def test_a_form_holds_for_the_cookie_that_it_was_shown_with(site: Site) -> None:
    by_link, at_home = site.visit("maya.chen"), signed_in(site, "maya.chen")
    of_link, of_home = form_on(by_link, site), form_on(at_home, site)

    def remake(session: requests.Session, form: str) -> int:
        answer = session.post(f"{site.page}/remake", data={"form": form}, timeout=60, allow_redirects=False)
        return answer.status_code

    assert remake(at_home, of_home) == 303
    assert remake(by_link, of_link) == 303
    assert remake(at_home, of_link) == 403
    assert remake(by_link, of_home) == 403


def test_who_is_signed_in_is_who_they_are_whatever_link_they_follow(site: Site) -> None:
    session = signed_in(site, "ben.okafor")
    session.get(site.link("maya.chen"), timeout=60)
    text = session.get(site.page, timeout=60).text
    assert "what concerns Ben" in text
    assert "what concerns Maya" not in text
