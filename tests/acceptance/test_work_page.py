"""The page of the work over a real socket, beside a real (small) Mattermost: who sees what, and who does nothing."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest
import requests

from meetings.audit import AuditLog
from meetings.config import Settings
from meetings.errors import MattermostUnreachableError
from meetings.headway import TOGETHER, Told, stages_of
from meetings.mattermost import MattermostClient
from meetings.pipeline import Silent
from meetings.report.work import EVERY, POST_FRESH
from meetings.service import open_inbox
from meetings.watching import Failure, Seen, UnderWay, Waiting, look
from tests.databases import made_ready
from tests.report_site import Site, served

ADMIN = "sysadmin"
HOSTILE = '<script>alert(1)</script> & "co" **bold**'


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with served(tmp_path_factory.mktemp("work")) as site:
        yield site


@pytest.fixture
def site(running: Site) -> Site:
    """The call is written down, and somebody else's of a channel that Tom is not in waits."""
    running.rights_clock.now += POST_FRESH
    running.work_is(seen(running))
    return running


def seen(site: Site, **more: object) -> Seen:
    stages = stages_of(TOGETHER, {"transcription": Told(far=0.62, at=999.0, since=836.0)}, now=1000.0)
    under = UnderWay(post=site.post_id, queue="q", stage=TOGETHER, since=820.0, worker="host-7", stages=stages)
    return Seen(at=1000.0, under_way=(under,), **more)  # type: ignore[arg-type]


def failed(post: str) -> Failure:
    return Failure(post=post, state="given up", at=0.0, cause="forbidden", reason="secret-reason", remedy="invite it")


def page(site: Site, session: requests.Session) -> requests.Response:
    return session.get(f"{site.url}/m/work", timeout=60, allow_redirects=False)


def told(site: Site, session: requests.Session) -> requests.Response:
    return session.get(f"{site.url}/m/work.json", timeout=60, allow_redirects=False)


def titles(answer: requests.Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [row["title"] for section in answer.json()["sections"] for row in section["rows"]]


def form_of(site: Site, session: requests.Session) -> str:
    found = re.search(r'data-form="([^"]+)"', page(site, session).text)
    assert found is not None
    return found[1]


def retry(site: Site, session: requests.Session, post: str, form: str, **headers: str) -> requests.Response:
    data = {"form": form, "post": post}
    return session.post(f"{site.url}/m/work/retry", data=data, headers=headers, timeout=60, allow_redirects=False)


# Who sees what


def test_a_member_sees_the_recording_of_their_channel_with_its_progress(site: Site) -> None:
    text = page(site, site.signed_in("tom.becker")).text
    assert "Weekly product call" in text
    assert '<progress max="100" value="62"' in text
    assert "62%, about 2 min left" in text
    assert "host-7" not in text


def test_who_is_in_no_channel_with_a_recording_is_told_as_if_there_were_none(site: Site) -> None:
    eve = site.signed_in("eve.stone")
    with_one = told(site, eve).json()["sections"]
    site.work_is(Seen(at=1000.0))
    assert with_one == told(site, eve).json()["sections"] == []


def test_who_left_the_channel_sees_it_no_longer(site: Site) -> None:
    who, tom = site.id_of("tom.becker"), site.signed_in("tom.becker")
    assert titles(told(site, tom)) == ["Weekly product call"]
    site.as_("admin").delete(f"/channels/{site.channel_id}/members/{who}")
    site.rights_age()
    try:
        assert titles(told(site, tom)) == []
        assert "Weekly" not in page(site, tom).text
    finally:
        site.as_("admin").post(f"/channels/{site.channel_id}/members", {"user_id": who})
        site.rights_age()
    assert titles(told(site, tom)) == ["Weekly product call"]


def test_a_recording_that_was_deleted_is_shown_to_no_member(site: Site) -> None:
    maya = site.as_("maya.chen")
    post = maya.write(site.channel_id, "soon gone")["id"]
    site.work_is(Seen(at=1000.0, waiting=(Waiting(post=post, since=999.0),)))
    tom = site.signed_in("tom.becker")
    assert len(titles(told(site, tom))) == 1
    maya.delete(f"/posts/{post}")
    site.rights_clock.now += POST_FRESH
    assert titles(told(site, tom)) == []


def test_an_admin_sees_the_machine_and_the_cause(site: Site) -> None:
    site.work_is(seen(site, failures=(failed("x" * 26),)))
    text = page(site, site.signed_in(ADMIN)).text
    for shown in ("Weekly product call", "by host-7", "forbidden: secret-reason", "invite it", "Try again"):
        assert shown in text


def test_who_is_an_admin_no_longer_sees_their_own_channels_alone(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    site.work_is(seen(site, failures=(failed("x" * 26),)))
    admin, of_server = site.signed_in(ADMIN), MattermostClient.user
    assert "secret-reason" in page(site, admin).text
    form = form_of(site, admin)
    monkeypatch.setattr(
        MattermostClient, "user", lambda self, user_id: replace(of_server(self, user_id), roles=("system_user",))
    )
    # What changes something is asked about at once, whatever was known of them.
    assert retry(site, admin, "x" * 26, form).status_code == 404
    site.rights_age()
    text = page(site, admin).text
    assert "secret-reason" not in text
    assert "Weekly product call" not in text


def test_who_is_not_signed_in_is_told_the_same_whatever_there_is(site: Site) -> None:
    def seen_by(cookies: dict[str, str]) -> tuple[bytes, bytes]:
        answers = [requests.get(f"{site.url}/m/{name}", cookies=cookies, timeout=60) for name in ("work", "work.json")]
        return answers[0].content, answers[1].content

    nobody = seen_by({})
    nothing = requests.get(f"{site.url}/m/{'z' * 26}", timeout=60)
    assert nobody[1] == nothing.content
    assert b"Weekly" not in nobody[0]
    cookie = site.signed_in("tom.becker").cookies["meetings_home"]
    link = site.visit("tom.becker").cookies["meetings_page"]
    for other in ({"meetings_home": cookie[:-1]}, {"meetings_home": link}, {"meetings_page": cookie}):
        assert seen_by(other) == nobody
    site.work_is(Seen(at=1.0))
    assert seen_by({}) == nobody


def test_a_link_to_a_meeting_opens_no_page_of_the_work(site: Site) -> None:
    assert told(site, site.visit("maya.chen")).status_code == 404


def test_an_account_that_was_switched_off_sees_nothing(site: Site) -> None:
    who, oscar = site.id_of("oscar.lind"), site.signed_in("oscar.lind")
    assert told(site, oscar).status_code == 200
    site.as_("admin").delete(f"/users/{who}")
    site.rights_age()
    try:
        assert told(site, oscar).status_code == 404
    finally:
        site.as_("admin").put(f"/users/{who}/active", {"active": True})


def test_what_people_called_a_call_stays_text(site: Site) -> None:
    maya = site.as_("maya.chen")
    file = maya.upload(site.channel_id, f"{HOSTILE.replace('/', '')}.mp4", b"x")
    post = maya.write(site.channel_id, "", type="custom_calls_recording", file_ids=[file["id"]])["id"]
    site.work_is(Seen(at=1000.0, waiting=(Waiting(post=post, since=999.0),)))
    tom = site.signed_in("tom.becker")
    (title,) = titles(told(site, tom))
    assert "<script>" in title
    assert "<script>alert" not in page(site, tom).text
    assert told(site, tom).headers["Content-Type"] == "application/json"


# How it is looked


def test_all_who_look_share_one_look_in_a_few_seconds(site: Site) -> None:
    before = site.desk.looks
    sessions = [site.signed_in(name) for name in ("tom.becker", "maya.chen", ADMIN)]
    for session in sessions * 3:
        told(site, session)
    assert site.desk.looks == before + 1
    site.rights_clock.now += EVERY
    told(site, sessions[0])
    assert site.desk.looks == before + 2


def test_a_database_that_is_away_is_told_of_beside_what_was_seen_last_and_without_its_password(site: Site) -> None:
    tom = site.signed_in("tom.becker")
    told(site, tom)
    site.work_is(Seen(at=time.time() - 120, under_way=seen(site).under_way))
    told(site, tom)
    site.desk.away = True
    site.rights_clock.now += EVERY
    answer = told(site, tom)
    assert titles(answer) == ["Weekly product call"]
    assert "cannot be read just now; this is how it stood 2 min ago" in answer.json()["trouble"]
    assert "s3cret" not in page(site, tom).text
    assert "cannot be read just now" in page(site, tom).text


def test_a_look_that_ends_late_keeps_nobody_who_can_see_the_one_before(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("meetings.report.work.PATIENCE", 3600.0)  # who waited for it would get no answer in time
    tom = site.signed_in("tom.becker")
    told(site, tom)
    site.rights_clock.now += EVERY
    with site.work.lookout._turn:
        assert titles(told(site, tom)) == ["Weekly product call"]


def test_what_is_changed_while_a_look_is_taken_is_seen_in_the_next(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    tom, before = site.signed_in("tom.becker"), seen(site)

    def slow(settings: Settings) -> Seen:
        site.work_is(Seen(at=1000.0))
        return before

    with monkeypatch.context() as patched:
        patched.setattr(site.work.lookout, "_look", slow)
        assert titles(told(site, tom)) == ["Weekly product call"]
    assert titles(told(site, tom)) == []


def test_a_server_that_is_away_shows_nothing(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object) -> bool:
        raise MattermostUnreachableError("away")

    tom = site.signed_in("tom.becker")
    told(site, tom)
    site.rights_age()
    monkeypatch.setattr(MattermostClient, "is_channel_member", away)
    answer = told(site, tom)
    assert answer.status_code == 503
    assert "Weekly" not in answer.text


def test_the_page_runs_nothing_of_its_own_and_is_kept_nowhere(site: Site) -> None:
    answer = page(site, site.signed_in("tom.becker"))
    assert "unsafe" not in answer.headers["Content-Security-Policy"]
    assert answer.headers["Cache-Control"] == "no-store"
    assert not re.search(r"<script(?![^>]* src=)|<style| style=| on\w+=", answer.text)
    assert told(site, site.signed_in("tom.becker")).headers["Cache-Control"] == "no-store"


# Trying again


def test_an_admin_tries_again_what_failed(site: Site) -> None:
    maya = site.as_("maya.chen")
    file = maya.upload(site.channel_id, "call.mp4", b"x")
    post = str(maya.write(site.channel_id, "", type="custom_calls_recording", file_ids=[file["id"]])["id"])
    admin = site.signed_in(ADMIN)
    with open_inbox(made_ready(site.settings), Silent()) as inbox:
        inbox.put(post)
        end = time.monotonic() + 120
        while post not in {failure.post for failure in look(site.settings).failures}:
            assert time.monotonic() < end
            time.sleep(0.1)
        answer = retry(site, admin, post, form_of(site, admin), Origin=site.url)
        assert (answer.status_code, answer.headers["Location"]) == (303, "/m/work?done=queued")
        assert "It is in the queue again." in admin.get(f"{site.url}/m/work?done=queued", timeout=60).text
    entry = list(AuditLog(site.settings).entries(event="retry"))[-1]
    assert (entry.by, entry.facts["recording"]) == (ADMIN, post)


def test_what_did_not_fail_is_not_tried_again(site: Site) -> None:
    admin = site.signed_in(ADMIN)
    for post in (site.post_id, "", "../x", "x" * 26, "x\r\nSet-Cookie: a=b"):
        answer = retry(site, admin, post, form_of(site, admin))
        assert (answer.status_code, answer.headers["Location"]) == (303, "/m/work?done=")
        assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize("who", ["tom.becker", "maya.chen"])
def test_nobody_but_an_admin_tries_again(site: Site, who: str) -> None:
    session = site.signed_in(who)
    assert "Try again" not in page(site, session).text
    answer = retry(site, session, site.post_id, form_of(site, session))
    assert answer.status_code == 404
    assert answer.content == requests.get(f"{site.url}/m/{'z' * 26}", timeout=60).content


def test_a_press_that_is_not_of_our_page_is_refused(site: Site) -> None:
    admin = site.signed_in(ADMIN)
    form, other = form_of(site, admin), form_of(site, site.signed_in(ADMIN))
    for wrong in ("", "x", other):
        assert retry(site, admin, site.post_id, wrong).status_code == 403
    for foreign in ({"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}):
        assert retry(site, admin, site.post_id, form, **foreign).status_code == 403
    assert requests.post(f"{site.url}/m/work/retry", data={"form": form}, timeout=60).status_code == 404
