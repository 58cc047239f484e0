"""Who gets at a meeting's page and who does not, tried over a real socket, beside a real (small) Mattermost."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from click.testing import CliRunner

from meetings.audit import AuditLog
from meetings.cli.main import cli
from meetings.edits import read_edits
from meetings.mattermost import MattermostClient
from meetings.page_links import PageLinks, revoke
from meetings.rates import Buckets
from meetings.report.media import MAX_PART
from tests.report_site import SAMPLE, Site, served

SIZE = SAMPLE.stat().st_size


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with served(tmp_path_factory.mktemp("report")) as running:
        yield running


def get(url: str, **given: object) -> requests.Response:
    return requests.get(url, timeout=60, **given)  # type: ignore[arg-type]


def nothing(site: Site) -> requests.Response:
    """What everybody gets who gets nothing."""
    return get(f"{site.url}/m/{'z' * 26}")


def assert_nothing(answer: requests.Response, site: Site) -> None:
    known = nothing(site)
    assert answer.status_code == 404
    assert answer.content == known.content
    without = {"date", "content-length"}
    assert {k.lower() for k in answer.headers} - without == {k.lower() for k in known.headers} - without
    assert "Set-Cookie" not in answer.headers


# Who may


def test_a_link_opens_the_page_and_leaves_no_token_in_the_address(site: Site) -> None:
    first = get(site.link("maya.chen"), allow_redirects=False)
    assert first.status_code == 303
    assert first.headers["Location"] == f"/m/{site.meeting}"
    answer = site.visit("maya.chen").get(site.page, timeout=60)
    assert "Weekly product call" in answer.text
    assert "k=" not in answer.url


def test_the_cookie_is_for_the_browser_alone_and_for_this_page(site: Site) -> None:
    cookie = get(site.link("maya.chen"), allow_redirects=False).headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert f"Path=/m/{site.meeting}" in cookie
    assert "Secure" not in cookie  # this page is reached by http


def test_the_cookie_of_a_page_behind_tls_is_sent_by_tls_alone(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    link = site.link("maya.chen")
    monkeypatch.setattr(site.links, "url", "https://meetings.example.org/calls")
    answer = get(link, allow_redirects=False)
    assert "Secure" in answer.headers["Set-Cookie"]
    assert answer.headers["Location"] == f"/calls/m/{site.meeting}"


def test_the_reader_s_own_summary_is_there_and_nobody_else_s(site: Site) -> None:
    text = site.visit("maya.chen").get(site.page, timeout=60).text
    assert "what concerns Maya" in text
    assert "what concerns Ben" not in text


def test_a_member_who_missed_the_call_reads_no_confidence_in_the_transcript(site: Site) -> None:
    text = site.visit("tom.becker").get(site.page, timeout=60).text
    assert "The parser release moves to the tenth of December" in text
    assert "Northgate" not in text
    assert "Said in confidence" in text
    assert "Northgate" in site.visit("maya.chen").get(site.page, timeout=60).text


def test_who_opened_a_page_is_in_the_audit_log(site: Site) -> None:
    site.visit("ben.okafor")
    assert any(e.event == "page opened" and e.user == "ben.okafor" for e in AuditLog(site.settings).entries())


def test_no_log_line_holds_a_token(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    link = site.link("maya.chen")
    token = link.partition("?k=")[2]
    with caplog.at_level(logging.DEBUG):
        site.visit("maya.chen").get(site.page, timeout=60)
        get(f"{link}x")
    ours = [r for r in caplog.records if not r.name.startswith(("urllib3", "requests"))]  # those are this test's own
    assert all(token not in r.getMessage() for r in ours)


# Who may not


def altered(token: str) -> Iterator[str]:
    """Every way of changing one character, and some of changing more."""
    for at in range(len(token)):
        yield token[:at] + ("a" if token[at] != "a" else "b") + token[at + 1 :]
    yield from (token[:-1], token[1:], token[: len(token) // 2], "", token + "A", token.upper(), token[::-1])
    head, _, signature = token.rpartition(".")
    yield f"{head}.{'A' * len(signature)}"
    yield f"{head}."
    yield f"{head}={signature}"
    yield f"{token}\x00"
    yield token * 100


def test_an_altered_or_cut_link_opens_nothing(site: Site) -> None:
    link = site.link("maya.chen")
    token = link.partition("?k=")[2]
    tried = list(altered(token))
    assert len(tried) > 80
    for other in tried:
        if other != token:
            holder = site.links.holder("link", site.meeting, other)
            assert holder is None, other
    for other in (token[:-1], token[1:], token.upper(), "", "x" * 5000):
        assert_nothing(requests.get(site.page, params={"k": other}, timeout=60, allow_redirects=False), site)


def test_an_expired_link_opens_nothing(site: Site) -> None:
    late = PageLinks(site.settings, clock=lambda: time.time() - 31 * 86_400)
    link = late.link(site.id_of("oscar.lind"), "oscar.lind", site.meeting)
    revoke(site.settings, site.id_of("oscar.lind"))
    assert_nothing(get(link, allow_redirects=False), site)


def test_a_link_of_another_meeting_opens_nothing_here(site: Site) -> None:
    other = site.links.link(site.id_of("maya.chen"), "maya.chen", "o" * 26)
    token = other.partition("?k=")[2]
    assert_nothing(get(f"{site.page}?k={token}", allow_redirects=False), site)
    assert_nothing(get(other, allow_redirects=False), site)


def test_a_link_is_no_cookie_and_a_cookie_is_no_link(site: Site) -> None:
    token = site.link("maya.chen").partition("?k=")[2]
    assert_nothing(get(site.page, cookies={"meetings_page": token}), site)
    session = site.visit("maya.chen")
    assert_nothing(get(f"{site.page}?k={session.cookies['meetings_page']}", allow_redirects=False), site)


def test_the_link_of_somebody_who_is_not_in_the_channel_opens_nothing(site: Site) -> None:
    assert_nothing(get(site.link("eve.stone"), allow_redirects=False), site)


def test_a_bot_s_link_opens_nothing(site: Site) -> None:
    link = site.links.link(site.id_of("calls"), "calls", site.meeting)
    assert_nothing(get(link, allow_redirects=False), site)


def test_who_left_the_channel_sees_and_hears_nothing_from_then_on(site: Site) -> None:
    who = site.id_of("tom.becker")
    session = site.visit("tom.becker")
    assert session.get(f"{site.page}/media", headers={"Range": "bytes=0-9"}, timeout=60).status_code == 206
    site.as_("admin").delete(f"/channels/{site.channel_id}/members/{who}")
    site.rights_age()
    try:
        assert_nothing(session.get(site.page, timeout=60), site)
        assert_nothing(session.get(f"{site.page}/media", headers={"Range": "bytes=0-9"}, timeout=60), site)
        assert_nothing(get(site.link("tom.becker"), allow_redirects=False), site)
    finally:
        site.as_("admin").post(f"/channels/{site.channel_id}/members", {"user_id": who})
    assert session.get(site.page, timeout=60).status_code == 200


def test_a_deactivated_account_sees_nothing_from_then_on(site: Site) -> None:
    who = site.id_of("nadia.haddad")
    session = site.visit("nadia.haddad")
    site.as_("admin").put(f"/users/{who}/active", {"active": False})
    site.rights_age()
    try:
        assert_nothing(session.get(site.page, timeout=60), site)
    finally:
        site.as_("admin").put(f"/users/{who}/active", {"active": True})


def test_revoked_links_and_open_pages_stop_at_once_and_a_new_link_holds(site: Site) -> None:
    session, old = site.visit("laura.stein"), site.link("laura.stein")
    assert revoke(site.settings, site.id_of("laura.stein"))
    assert_nothing(session.get(site.page, timeout=60), site)
    assert_nothing(get(old, allow_redirects=False), site)
    assert site.link("laura.stein") != old
    assert site.visit("laura.stein").get(site.page, timeout=60).status_code == 200


def test_a_server_that_is_away_shows_nothing_and_says_to_try_again(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    from meetings.errors import MattermostUnreachableError

    session = site.visit("maya.chen")
    site.rights_age()

    def away(*_: object) -> None:
        raise MattermostUnreachableError("away")

    monkeypatch.setattr(MattermostClient, "user", away)
    answer = session.get(site.page, timeout=60)
    assert answer.status_code == 503
    assert "Weekly" not in answer.text
    assert answer.headers["Retry-After"]


@pytest.mark.parametrize(
    "path",
    [
        "../../etc/passwd",
        "..%2f..%2fetc%2fpasswd",
        "%2e%2e/%2e%2e/home/page/key",
        "static/../pages.py",
        "static/..%2fpages.py",
        "static/%2e%2e%2f%2e%2e%2fpages.py",
        "static/report.css%00.html",
        "static/",
        "....//....//etc/passwd",
        "%00",
        "a" * 5000,
        "recordings",
        "{meeting}/../media",
        "{meeting}/media/../../../x",
        "{meeting}%2fmedia",
        "{meeting}%0d%0aSet-Cookie:%20x=1",
    ],
)
def test_no_path_leads_out_of_the_pages(site: Site, path: str) -> None:
    session = site.visit("maya.chen")
    request = requests.Request("GET", site.url, cookies=session.cookies).prepare()
    request.url = f"{site.url}/m/{path.replace('{meeting}', site.meeting)}"  # as it stands, not made tidy
    answer = session.send(request, timeout=60, allow_redirects=False)
    assert answer.status_code in {404, 405, 307}
    assert "Set-Cookie" not in answer.headers
    assert b"root:" not in answer.content
    assert b"import" not in answer.content


def test_guessed_ids_look_the_same_as_ids_that_exist(site: Site) -> None:
    assert_nothing(get(site.page), site)
    assert_nothing(get(f"{site.page}/media"), site)
    assert_nothing(get(f"{site.page}/people"), site)
    for guess in ("a" * 26, site.meeting[::-1], "0" * 64, site.post_id, site.channel_id):
        assert_nothing(get(f"{site.url}/m/{guess}"), site)


def test_a_cookie_opens_its_own_meeting_alone(site: Site) -> None:
    cookie = site.visit("maya.chen").cookies["meetings_page"]
    assert_nothing(get(f"{site.url}/m/{'q' * 26}", cookies={"meetings_page": cookie}), site)


def test_a_recording_that_was_deleted_takes_its_page_along(tmp_path: Path) -> None:
    with served(tmp_path) as own:
        session = own.visit("maya.chen")
        own.as_("calls").delete(f"/posts/{own.post_id}")
        own.rights_age()
        assert_nothing(session.get(own.page, timeout=60), own)


# The recording


def test_a_part_of_the_recording_is_what_stands_there(site: Site) -> None:
    answer = site.visit("maya.chen").get(f"{site.page}/media", headers={"Range": "bytes=100-299"}, timeout=60)
    assert answer.status_code == 206
    assert answer.content == SAMPLE.read_bytes()[100:300]
    assert answer.headers["Content-Range"] == f"bytes 100-299/{SIZE}"
    assert answer.headers["Content-Type"] == "video/mp4"


def test_the_whole_recording_is_whole(site: Site) -> None:
    answer = site.visit("maya.chen").get(f"{site.page}/media", timeout=60)
    assert answer.status_code == 200
    assert answer.content == SAMPLE.read_bytes()
    assert answer.headers["Accept-Ranges"] == "bytes"


@pytest.mark.parametrize("header", [f"bytes={SIZE}-", "bytes=0-1,5-6", f"bytes={SIZE + 5}-{SIZE + 9}", "bytes=-0"])
def test_a_range_that_cannot_be_given_is_refused(site: Site, header: str) -> None:
    answer = site.visit("maya.chen").get(f"{site.page}/media", headers={"Range": header}, timeout=60)
    assert answer.status_code == 416
    assert answer.headers["Content-Range"] == f"bytes */{SIZE}"
    assert not answer.content


def test_a_range_of_another_version_of_the_file_is_left_unread(site: Site) -> None:
    session = site.visit("maya.chen")
    etag = session.head(f"{site.page}/media", timeout=60).headers["ETag"]
    part = {"Range": "bytes=0-99"}
    assert session.get(f"{site.page}/media", headers={**part, "If-Range": etag}, timeout=60).status_code == 206
    other = session.get(f"{site.page}/media", headers={**part, "If-Range": '"other"'}, timeout=60)
    assert (other.status_code, len(other.content)) == (200, SIZE)


def test_head_tells_the_size_and_sends_nothing(site: Site) -> None:
    session = site.visit("maya.chen")
    whole = session.head(f"{site.page}/media", timeout=60)
    assert (whole.status_code, whole.headers["Content-Length"], whole.content) == (200, str(SIZE), b"")
    part = session.head(f"{site.page}/media", headers={"Range": "bytes=-5"}, timeout=60)
    assert (part.status_code, part.headers["Content-Length"]) == (206, "5")
    assert_nothing_of_head(requests.head(f"{site.page}/media", timeout=60), site)


def assert_nothing_of_head(answer: requests.Response, site: Site) -> None:
    assert answer.status_code == 404
    assert answer.headers.get("Content-Range") is None
    assert int(answer.headers["Content-Length"]) == len(nothing(site).content)


def test_an_endless_range_is_answered_by_a_bounded_part(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    assert MAX_PART <= 8 * 1024 * 1024
    monkeypatch.setattr("meetings.report.playing.wanted_part", lambda h, size: _small(h, size))
    answer = site.visit("maya.chen").get(f"{site.page}/media", headers={"Range": "bytes=10-"}, timeout=60)
    assert len(answer.content) == 1000
    assert answer.headers["Content-Range"] == f"bytes 10-1009/{SIZE}"


def _small(header: str | None, size: int) -> object:
    from meetings.report.media import wanted_part

    return wanted_part(header, size, most=1000)


# Changes


def form_of(session: requests.Session, site: Site) -> str:
    found = re.search(r'name="form" value="([^"]+)"', session.get(site.page, timeout=60).text)
    assert found is not None
    return found[1]


def utterance(site: Site, words: str) -> tuple[str, str]:
    from tests.report_site import sample_conversation

    found = next(u for u in sample_conversation(site.meeting).utterances if words in u.text)
    return found.id, found.text


def post(session: requests.Session, url: str, **fields: str) -> requests.Response:
    headers = {k.replace("_", "-"): fields.pop(k) for k in ("Origin", "Sec_Fetch_Site") if k in fields}
    return session.post(url, data=fields, headers=headers, timeout=60, allow_redirects=False)


def test_an_edit_is_kept_beside_what_was_heard_and_shown_with_who_and_before(site: Site) -> None:
    session = site.visit("maya.chen")
    which, was = utterance(site, "good morning everyone")
    answer = post(
        session,
        f"{site.page}/edit",
        form=form_of(session, site),
        utterance=which,
        was=was,
        text="Good <b>morning</b>, all.",
        at="1",
        Origin=site.url,
    )
    assert answer.status_code == 303
    assert answer.headers["Location"] == f"/m/{site.meeting}?saved=edit#t=1"
    (edit,) = [e for e in read_edits(site.settings, site.meeting) if e.utterance == which]
    assert (edit.by, edit.before, edit.text) == ("maya.chen", was, "Good <b>morning</b>, all.")
    text = site.visit("ben.okafor").get(site.page, timeout=60).text
    assert "Good &lt;b&gt;morning&lt;/b&gt;, all." in text
    assert "maya.chen" in text


def test_two_who_edit_at_once_do_not_write_over_each_other(site: Site) -> None:
    session = site.visit("ben.okafor")
    which, _ = utterance(site, "tenth of December")
    answer = post(
        session, f"{site.page}/edit", form=form_of(session, site), utterance=which, was="something else", text="x"
    )
    assert answer.status_code == 422
    assert "changed that passage meanwhile" in answer.text


def test_naming_a_voice_corrects_it_and_queues_that_all_is_made_again(site: Site) -> None:
    session = site.visit("maya.chen")
    before = len(site.queue.remade)
    answer = post(
        session,
        f"{site.page}/speaker",
        form=form_of(session, site),
        speaker="S5",
        who="user:nadia.haddad",
        Sec_Fetch_Site="same-origin",
    )
    assert answer.status_code == 303
    assert len(site.queue.remade) == before + 1
    entry = [e for e in AuditLog(site.settings).entries() if e.event == "correction"][-1]
    assert (entry.user, entry.by) == ("nadia.haddad", "maya.chen")


@pytest.mark.parametrize("who", ["user:eve.stone", "user:../../x", "user:", "guest", "", "admin"])
def test_a_voice_is_nobody_who_could_not_have_been_there(site: Site, who: str) -> None:
    session = site.visit("maya.chen")
    answer = post(session, f"{site.page}/speaker", form=form_of(session, site), speaker="S5", who=who)
    assert answer.status_code == 422


def test_who_was_not_in_the_call_corrects_nothing(site: Site) -> None:
    tom = site.visit("tom.becker")
    page = tom.get(site.page, timeout=60).text
    assert 'name="form"' not in page
    assert_nothing(tom.get(f"{site.page}/people", timeout=60), site)
    form = site.links.form_token(tom.cookies["meetings_page"])
    which, was = utterance(site, "tenth of December")
    answer = post(tom, f"{site.page}/edit", form=form, utterance=which, was=was, text="never")
    assert answer.status_code == 422
    assert all(e.by != "tom.becker" for e in read_edits(site.settings, site.meeting))


CHANGES = ("edit", "speaker", "remake")


@pytest.mark.parametrize("what", CHANGES)
def test_a_change_without_our_own_form_is_refused(site: Site, what: str) -> None:
    session = site.visit("maya.chen")
    queued = len(site.queue.remade)
    other = form_of(site.visit("ben.okafor"), site)
    for form in ("", "x", other):
        assert post(session, f"{site.page}/{what}", form=form).status_code == 403
    assert len(site.queue.remade) == queued


@pytest.mark.parametrize(
    "foreign",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
    ],
)
def test_a_change_from_another_site_is_refused_even_with_our_form(site: Site, foreign: dict[str, str]) -> None:
    session = site.visit("maya.chen")
    answer = post(session, f"{site.page}/remake", form=form_of(session, site), **foreign)
    assert answer.status_code == 403


def test_a_change_without_a_cookie_is_told_that_there_is_nothing(site: Site) -> None:
    answer = requests.post(f"{site.page}/remake", data={"form": "x"}, timeout=60)
    assert answer.status_code == 404
    assert answer.content == nothing(site).content


def test_a_change_that_does_not_exist_and_a_long_body_are_refused(site: Site) -> None:
    session = site.visit("maya.chen")
    form = form_of(session, site)
    assert post(session, f"{site.page}/delete", form=form).status_code == 404
    assert post(session, f"{site.page}/edit", form=form, text="x" * 40_000).status_code == 403


@pytest.mark.parametrize("at", ["1\r\nSet-Cookie: x=1", "5%0d%0a", "javascript:alert(1)", "9" * 20])
def test_nothing_that_is_sent_gets_into_a_header(site: Site, at: str) -> None:
    session = site.visit("maya.chen")
    answer = post(session, f"{site.page}/remake", form=form_of(session, site), at=at)
    assert answer.headers["Location"] == f"/m/{site.meeting}?saved=remake"
    assert "Set-Cookie" not in answer.headers


def test_no_page_lets_itself_be_framed_or_run_what_is_not_ours(site: Site) -> None:
    answer = site.visit("maya.chen").get(site.page, timeout=60)
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Referrer-Policy"] == "same-origin"
    assert not re.search(r"<script(?![^>]* src=)|<style| style=| on\w+=", answer.text)


# The way there


def test_the_times_of_a_message_lead_to_the_page_and_stay_the_same(site: Site) -> None:
    from meetings.mattermost.delivery import KEY_PROP
    from meetings.recordings import past_runs
    from meetings.stages import Stages
    from meetings.store import FileStore

    store = FileStore.of(site.settings)
    run = past_runs(store, site.meeting)[-1]
    stages = Stages(settings=site.settings, store=store)
    job = stages.read_job(run.job)
    told = [stages.deliver(job, run.conversation, run.summaries, "ben.okafor", "") for _ in range(2)]
    assert [one.info["status"] for one in told] == ["sent", "unchanged"]
    client = MattermostClient.required(site.settings)
    direct = client.direct_channel(site.id_of("ben.okafor"))
    (message,) = [p.message for p in client.latest_posts(direct, 50) if KEY_PROP in p.props]
    moments = re.findall(r"\[\d+:\d\d\]\(([^)]+)\)", message)
    assert len(moments) >= 5
    assert len({m.partition("#")[0] for m in moments}) == 1
    answer = requests.Session().get(moments[0], timeout=60)
    assert answer.status_code == 200
    assert "what concerns Ben" in answer.text


def test_leaving_and_coming_back_needs_no_new_link(site: Site) -> None:
    link, who = site.link("tom.becker"), site.id_of("tom.becker")
    site.as_("admin").delete(f"/channels/{site.channel_id}/members/{who}")
    site.rights_age()
    assert get(link, allow_redirects=False).status_code == 404
    site.as_("admin").post(f"/channels/{site.channel_id}/members", {"user_id": who})
    assert requests.Session().get(link, timeout=60).status_code == 200


def test_readers_behind_one_proxy_do_not_use_up_each_other_s_requests(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    maya, ben = site.visit("maya.chen"), site.visit("ben.okafor")
    monkeypatch.setattr(site.doors, "buckets", Buckets(per_second=0.01, burst=5))
    assert [maya.get(site.page, timeout=60).status_code for _ in range(6)] == [200] * 5 + [429]
    assert ben.get(site.page, timeout=60).status_code == 200


@pytest.mark.parametrize("way", ["sign-in", "signed-in", "enter"])
def test_who_makes_cookies_up_signs_in_no_more_often(site: Site, monkeypatch: pytest.MonkeyPatch, way: str) -> None:
    monkeypatch.setattr(site.doors, "buckets", Buckets(per_second=0.01, burst=5))
    tried = [get(f"{site.url}/m/{way}", cookies={"meetings_home": f"made-up-{n}"}).status_code for n in range(6)]
    assert tried == [404] * 5 + [429]


@pytest.mark.parametrize("path", ["/m/MEETING/", "/m/work/", "/healthz/"])
def test_no_answer_leads_to_a_host_that_a_request_names(site: Site, path: str) -> None:
    answer = get(
        site.url + path.replace("MEETING", site.meeting), headers={"Host": "evil.example"}, allow_redirects=False
    )
    assert answer.status_code == 404
    assert "evil.example" not in str(answer.headers) + answer.text


@pytest.mark.parametrize("method", ["OPTIONS", "PUT", "DELETE", "PATCH", "TRACE", "POST", "FOO"])
@pytest.mark.parametrize("path", ["MEETING", "work", "work.json", "z"])
def test_other_verbs_do_nothing_and_tell_nothing(site: Site, method: str, path: str) -> None:
    session = site.visit("maya.chen")
    answer = session.request(method, f"{site.url}/m/{path.replace('MEETING', site.meeting)}", timeout=60)
    assert (answer.status_code, answer.json()) == (405, {"detail": "Method Not Allowed"})
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Access-Control-Allow-Origin" not in answer.headers


def test_an_admin_sees_and_revokes_somebody_s_links(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEETINGS_HOME", str(site.settings.home))
    monkeypatch.setenv("MATTERMOST_URL", site.sandbox.url)
    monkeypatch.setenv("MATTERMOST_TOKEN", site.sandbox.bot_token or "")
    session = site.visit("nadia.haddad")
    assert site.meeting in CliRunner().invoke(cli, ["people", "links", "@nadia.haddad"]).output
    done = CliRunner().invoke(cli, ["people", "links", "nadia.haddad", "--revoke"])
    assert (done.exit_code, done.output) == (0, "nadia.haddad: links revoked\n")
    assert_nothing(session.get(site.page, timeout=60), site)
    assert "has no links" in CliRunner().invoke(cli, ["people", "links", "nadia.haddad"]).output
    entry = [e for e in AuditLog(site.settings).entries(user="nadia.haddad") if e.event == "links revoked"][-1]
    assert entry.by
