"""Signing in to a page through Mattermost: for who may see it, in the browser that began, once, and to nowhere else."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
import requests

from tests.report_site import Site, served


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with served(tmp_path_factory.mktemp("sign-in"), sign_in=True) as running:
        yield running


def begin(site: Site, session: requests.Session, meeting: str | None = None) -> dict[str, str]:
    """Somebody wants to sign in; what their browser is sent to Mattermost with."""
    answer = session.get(
        f"{site.url}/m/sign-in", params={"to": meeting or site.meeting}, timeout=60, allow_redirects=False
    )
    assert answer.status_code == 303
    assert answer.headers["Location"].startswith(f"{site.sandbox.url}/oauth/authorize?")
    return {k: v[0] for k, v in parse_qs(urlsplit(answer.headers["Location"]).query).items()}


def consent(site: Site, username: str, query: dict[str, str]) -> str:
    """They sign in and agree; where their browser is sent back to."""
    token = site.as_(username).token
    headers = {"Authorization": f"Bearer {token}"}
    answer = requests.post(f"{site.sandbox.url}/oauth/authorize", json=query, headers=headers, timeout=60)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["redirect"])


def come_back(session: requests.Session, address: str) -> requests.Response:
    return session.get(address, timeout=60, allow_redirects=False)


def test_who_may_see_the_page_signs_in_and_sees_it(site: Site) -> None:
    session = requests.Session()
    answer = come_back(session, consent(site, "ben.okafor", begin(site, session)))
    assert answer.status_code == 303
    assert answer.headers["Location"] == f"/m/{site.meeting}"
    page = session.get(site.page, timeout=60)
    assert "what concerns Ben" in page.text


def test_signing_in_once_opens_whatever_one_may_read(site: Site) -> None:
    session = requests.Session()
    answer = come_back(session, consent(site, "ben.okafor", begin(site, session, "home")))
    assert (answer.status_code, answer.headers["Location"]) == (303, "/m/")
    assert "Ben Okafor" in session.get(f"{site.url}/m/", timeout=60).text
    assert session.get(site.page, timeout=60).status_code == 200


def test_who_is_not_signed_in_is_offered_to_at_home(site: Site) -> None:
    answer = requests.get(f"{site.url}/m/", timeout=60)
    assert "sign-in?to=home" in answer.text
    assert "Sign out" not in answer.text


def test_who_opens_a_search_signs_in_and_sees_what_is_found(site: Site) -> None:
    session = requests.Session()
    door = session.get(f"{site.url}/m/search", params={"q": 'parser "tenth & last"', "since": "4w"}, timeout=60)
    (to,) = re.findall(r'href="sign-in\?to=([^"]+)"', door.text)
    answer = come_back(session, consent(site, "ben.okafor", begin(site, session, unquote(to))))
    assert answer.status_code == 303
    leads = urlsplit(answer.headers["Location"])
    assert (leads.scheme, leads.netloc, leads.path) == ("", "", "/m/search")
    assert parse_qs(leads.query) == {"q": ['parser "tenth & last"'], "since": ["4w"]}


def test_a_search_that_is_too_long_for_a_state_leads_to_an_empty_one(site: Site) -> None:
    door = requests.get(f"{site.url}/m/search", params={"q": "é" * 300}, timeout=60)
    assert re.findall(r'href="sign-in\?to=([^"]+)"', door.text) == ["search"]


def test_a_deactivated_account_or_a_guest_s_is_not_signed_in(site: Site) -> None:
    session = requests.Session()
    who = site.id_of("oscar.lind")
    address = consent(site, "oscar.lind", begin(site, session, "home"))
    site.as_("admin").post(f"/users/{who}/demote", {})
    site.rights_age()
    try:
        answer = come_back(session, address)
        assert answer.status_code == 404
        assert "meetings_home" not in session.cookies
    finally:
        site.as_("admin").post(f"/users/{who}/promote", {})
        site.rights_age()


def test_who_may_not_see_it_signs_in_and_sees_nothing(site: Site) -> None:
    session = requests.Session()
    answer = come_back(session, consent(site, "eve.stone", begin(site, session)))
    assert answer.status_code == 404
    assert "meetings_page" not in session.cookies
    assert "Weekly" not in answer.text
    assert session.get(site.page, timeout=60).status_code == 404


def test_a_meeting_that_is_not_there_is_told_of_like_one_that_is(site: Site) -> None:
    def of(meeting: str) -> str:
        answer = requests.get(f"{site.url}/m/{meeting}", timeout=60)
        assert answer.status_code == 404
        return answer.text.replace(meeting, "ID")

    assert of("z" * 26) == of(site.meeting)
    assert "sign-in?to=ID" in of("z" * 26)


def test_another_browser_cannot_take_up_a_sign_in(site: Site) -> None:
    mine, theirs = requests.Session(), requests.Session()
    address = consent(site, "maya.chen", begin(site, mine))
    begin(site, theirs)
    assert come_back(theirs, address).status_code == 404
    assert come_back(requests.Session(), address).status_code == 404
    assert "meetings_home" not in theirs.cookies


def test_a_code_is_good_once(site: Site) -> None:
    session = requests.Session()
    address = consent(site, "maya.chen", begin(site, session))
    kept = dict(session.cookies)
    assert come_back(session, address).status_code == 303
    again = requests.get(address, cookies=kept, timeout=60, allow_redirects=False)
    assert again.status_code == 404


@pytest.mark.parametrize("state", ["", "x", "W10.x.y", "{state}x", "x{state}", "{half}"])
def test_an_altered_state_leads_nowhere(site: Site, state: str) -> None:
    session = requests.Session()
    query = begin(site, session)
    address = consent(site, "maya.chen", query)
    good = query["state"]
    bad = state.replace("{state}", good).replace("{half}", good[: len(good) // 2])
    code = parse_qs(urlsplit(address).query)["code"][0]
    answer = session.get(
        f"{site.url}/m/signed-in", params={"code": code, "state": bad}, timeout=60, allow_redirects=False
    )
    assert answer.status_code == 404


@pytest.mark.parametrize("code", ["", "x" * 26, "x" * 500, "../..", "a&client_secret=b"])
def test_a_code_that_the_server_did_not_give_lets_nobody_in(site: Site, code: str) -> None:
    session = requests.Session()
    query = begin(site, session)
    answer = session.get(
        f"{site.url}/m/signed-in", params={"code": code, "state": query["state"]}, timeout=60, allow_redirects=False
    )
    assert answer.status_code == 404
    assert "meetings_page" not in session.cookies
    assert "meetings_home" not in session.cookies


@pytest.mark.parametrize(
    "to",
    [
        *("", "https://evil.example", "//evil.example", "../x", "a" * 25, "%0d%0aX: y"),
        *(
            "search?",
            "search?q=",
            "search?q=a&x=b",
            "search?q=a#b",
            "search?q=a\r\nX: y",
            "search?q=a b",
            "search?q=a;b",
        ),
        *("search?" + "&" * 50, "search?q=" + "a" * 400, "search?q=a&q=b", "search/../x?q=a", "search?since=4w&q=a"),
    ],
)
def test_signing_in_leads_to_pages_alone(site: Site, to: str) -> None:
    answer = requests.get(f"{site.url}/m/sign-in", params={"to": to}, timeout=60, allow_redirects=False)
    assert answer.status_code == 404
    assert "Location" not in answer.headers


def test_the_token_of_the_sign_in_is_given_up(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    from meetings.mattermost import sign_in

    seen: list[str] = []
    real = sign_in._access_token

    def noted(url: str, form: dict[str, str]) -> str | None:
        token = real(url, form)
        seen.append(token or "")
        return token

    monkeypatch.setattr(sign_in, "_access_token", noted)
    session = requests.Session()
    come_back(session, consent(site, "maya.chen", begin(site, session)))
    (token,) = seen
    headers = {"Authorization": f"Bearer {token}"}
    assert requests.get(f"{site.sandbox.url}/api/v4/users/me", headers=headers, timeout=60).status_code == 401


def test_a_server_that_is_away_lets_nobody_in(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    session = requests.Session()
    address = consent(site, "maya.chen", begin(site, session))
    assert site.report.signing_in is not None
    monkeypatch.setattr(site.report.signing_in, "_server", "http://127.0.0.1:9")
    answer = come_back(session, address)
    assert answer.status_code == 503
    assert "meetings_page" not in session.cookies
    assert "meetings_home" not in session.cookies
