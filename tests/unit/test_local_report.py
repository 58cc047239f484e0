"""The page on this machine alone: who gets in, what is on it, what can be corrected, and what is not there."""

from __future__ import annotations

import json
import re
import shutil
import socket
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import urljoin

import pytest
import requests
from pydantic import SecretStr

from meetings.audit import AuditLog
from meetings.config import Settings
from meetings.conversation import to_json
from meetings.corrections import read_corrections
from meetings.edits import read_edits
from meetings.errors import (
    CorrectionError,
    MattermostError,
    MattermostNotFoundError,
    MattermostUnreachableError,
    MeetingsError,
    SaveError,
)
from meetings.exports import FORMATS
from meetings.mattermost import MattermostClient
from meetings.recordings import past_runs, remember_folder
from meetings.report import LocalMeeting, LocalPage, Remaking, whose
from meetings.report.downloads import SANDBOX
from meetings.store import FileStore
from meetings.summary import summary_to_json
from tests.exported_meeting import BEN, CONVERSATION, MEETING, ZOE
from tests.kept_results import keep_recording
from tests.local_site import LocalSite, served_locally
from tests.report_site import sample_conversation


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalSite]:
    with served_locally(tmp_path_factory.mktemp("local"), first="ben.okafor") as running:
        yield running


@pytest.fixture(scope="module")
def known(site: LocalSite) -> requests.Session:
    """The browser that came first."""
    return site.visit()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of results from another machine."""
    made = tmp_path / "weekly-summary"
    (made / "summaries").mkdir(parents=True)
    (made / "transcript.json").write_text(json.dumps(to_json(CONVERSATION)), encoding="utf-8")
    for summary in (BEN, ZOE):
        (made / "summaries" / f"{summary.username}.json").write_text(json.dumps(summary_to_json(summary)))
    return made


def get(url: str, session: requests.Session | None = None, **given: object) -> requests.Response:
    return (session or requests).get(url, timeout=30, **given)  # type: ignore[arg-type]


def own_page(tmp_path: Path) -> LocalPage:
    """A page that nobody has opened yet."""
    settings = Settings(home=tmp_path / "home")
    keep_recording(settings, "r" * 26, post_id="p" * 26)
    return LocalPage(LocalMeeting("r" * 26, settings, by="kim"), port=80, first="", remaking=Remaking())


# Who gets in


def test_the_address_opens_the_page_once(tmp_path: Path) -> None:
    with served_locally(tmp_path) as site:
        first = get(site.page.address)
        cookie = first.headers["Set-Cookie"]
        assert first.status_code == 200
        assert "HttpOnly" in cookie
        assert "SameSite=strict" in cookie
        assert f"Path=/m/{site.page.name}" in cookie
        second = get(site.page.address)
        assert second.status_code == 403
        assert "Set-Cookie" not in second.headers


def test_a_wrong_token_opens_nothing_and_leaves_the_right_one(tmp_path: Path) -> None:
    with served_locally(tmp_path) as site:
        for wrong in ("", "x", site.page.address.partition("=")[2][:-1]):
            assert get(site.url, params={"k": wrong}).status_code == 403
        assert get(site.page.address).status_code == 200


def test_the_browser_that_came_first_may_come_by_the_address_again(site: LocalSite, known: requests.Session) -> None:
    assert get(site.page.address, known).status_code == 200


@pytest.mark.parametrize("path", ["", "/media", "/people", "/busy", "/download/md", "/download/json"])
def test_without_the_cookie_there_is_nothing(site: LocalSite, known: requests.Session, path: str) -> None:
    assert get(f"{site.url}{path}", known).status_code == 200
    for cookies in ({}, {"meetings_local": "x" * 43}):
        answer = get(f"{site.url}{path}", cookies=cookies)
        assert answer.status_code == 403
        assert "Weekly" not in answer.text


@pytest.mark.parametrize("host", ["evil.example.org", "127.0.0.1", "127.0.0.1:1", "localhost.evil.org:{port}", ""])
def test_a_request_for_another_name_is_refused(site: LocalSite, known: requests.Session, host: str) -> None:
    port = site.origin.rpartition(":")[2]
    for address in (site.url, f"{site.origin}/m/static/report.css"):
        answer = get(address, known, headers={"Host": host.replace("{port}", port)})
        assert answer.status_code in {400, 421}  # 400: without a name it is no request of HTTP/1.1
        assert not answer.text.startswith("<")


def test_the_page_is_also_at_localhost(site: LocalSite) -> None:
    port = site.origin.rpartition(":")[2]
    assert get(f"{site.origin}/m/static/report.css", headers={"Host": f"localhost:{port}"}).status_code == 200


def test_a_page_at_port_80_is_known_without_its_number(tmp_path: Path) -> None:
    assert {"127.0.0.1", "localhost"} == own_page(tmp_path)._hosts


def test_it_is_answered_on_loopback_alone(site: LocalSite) -> None:
    port = int(site.origin.rpartition(":")[2])
    others = {a[4][0] for a in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)} - {"127.0.0.1"}
    for address in [a for a in others if not str(a).startswith("127.")]:
        with socket.socket() as tried:
            tried.settimeout(2)
            assert tried.connect_ex((str(address), port)) != 0


def test_no_other_page_s_form_changes_anything(site: LocalSite, known: requests.Session) -> None:
    form = form_of(site, known)
    for given, headers in (
        ({"form": "x"}, {}),
        ({}, {}),
        ({"form": form}, {"Origin": "http://evil.example.org"}),
        ({"form": form}, {"Origin": "null"}),
        ({"form": form}, {"Sec-Fetch-Site": "cross-site"}),
    ):
        answer = known.post(f"{site.url}/remake", data=given, headers=headers, timeout=60, allow_redirects=False)
        assert answer.status_code == 403
    assert not site.remaking.busy


# What is on it


def test_the_summary_that_was_asked_for_is_first_and_everybody_s_is_in_the_menu(
    site: LocalSite, known: requests.Session
) -> None:
    text = get(site.url, known).text
    assert "what concerns Ben" in text
    assert "what concerns Maya" not in text
    assert len(re.findall(r'href="[0-9a-f]+\?for=', text)) == 5
    assert "what concerns Maya" in get(f"{site.url}?for=maya.chen", known).text


def test_nothing_is_withheld_from_who_may_read_the_folder(site: LocalSite, known: requests.Session) -> None:
    assert "Northgate" in get(site.url, known).text


def test_the_recording_plays_from_the_disk_in_parts(site: LocalSite, known: requests.Session) -> None:
    answer = get(f"{site.url}/media", known, headers={"Range": "bytes=100-299"})
    assert answer.status_code == 206
    assert answer.content == site.recording.read_bytes()[100:300]
    assert get(f"{site.url}/media", known).content == site.recording.read_bytes()


def test_whose_summary_was_looked_at_is_in_the_audit_log_once(site: LocalSite, known: requests.Session) -> None:
    for _ in range(2):
        get(f"{site.url}?for=oscar.lind", known)
    looks = [e for e in AuditLog(site.settings).entries() if e.event == "page opened" and e.user == "oscar.lind"]
    assert [e.by for e in looks] == ["kim"]


def test_a_recording_that_was_moved_leaves_the_page_with_a_line_that_says_so(tmp_path: Path) -> None:
    with served_locally(tmp_path) as site:
        session = site.visit()
        moved = site.recording.rename(tmp_path / "elsewhere.mp4")
        text = get(site.url, session).text
        assert f"the recording is no longer at {site.recording}" in text
        assert "<video" not in text
        assert "tenth of December" in text
        assert get(f"{site.url}/media", session).status_code == 404
        found = LocalMeeting(str(moved), site.settings, by="kim").find()
        assert found.media is not None  # the file that the command is given is the recording, wherever it lies
        site.recording.write_bytes(b"another film")
        assert "was changed" in get(site.url, session).text


def test_a_download_holds_the_summary_that_is_looked_at(site: LocalSite, known: requests.Session) -> None:
    answer = get(f"{site.url}/download/html?for=maya.chen", known)
    assert "what concerns Maya" in answer.text
    assert "what concerns Ben" not in answer.text
    assert answer.headers["Content-Security-Policy"] == SANDBOX
    assert 'filename="weekly-product-call-maya.chen.html"' in answer.headers["Content-Disposition"]
    for name in FORMATS:
        assert get(f"{site.url}/download/{name}", known).status_code == 200
    assert get(f"{site.url}/download/exe", known).status_code == 403


def test_a_folder_from_another_machine_is_shown_as_it_stands(folder: Path, tmp_path: Path) -> None:
    meeting = LocalMeeting(str(folder), Settings(home=tmp_path / "home"), by="kim")
    assert meeting.read().summaries == (BEN, ZOE)
    assert "another machine" in meeting.find().gone
    assert not meeting.may_edit()
    assert not meeting.may_remake()
    for what in ("edit", "speaker", "remake", "x"):
        with pytest.raises(CorrectionError):
            meeting.change(what, {})


def test_an_id_in_a_folder_leads_nowhere_in_the_data_folder(folder: Path, tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home")
    keep_recording(settings, "r" * 26, post_id="p" * 26)
    foreign = replace(CONVERSATION, id="../recordings/" + "r" * 26)
    (folder / "transcript.json").write_text(json.dumps(to_json(foreign)))
    meeting = LocalMeeting(str(folder), settings, by="kim")
    assert meeting.find().media is None
    assert not meeting.may_edit()


@pytest.mark.parametrize("name", ["nothere.mp4", "x" * 5000, "\0", "q" * 26])
def test_what_was_not_processed_here_is_said_in_a_line(tmp_path: Path, name: str) -> None:
    with pytest.raises(MeetingsError):
        LocalMeeting(name, Settings(home=tmp_path / "home"), by="kim")


def test_a_meeting_that_is_removed_while_it_is_shown_is_said_to_be_gone(tmp_path: Path) -> None:
    with served_locally(tmp_path) as site:
        session = site.visit()
        shutil.rmtree(tmp_path / "home" / "results" / "conversation")
        answer = get(site.url, session)
        assert answer.status_code == 500
        assert "not kept here any more" in answer.text


def test_a_person_is_meant_by_username_name_or_first_name() -> None:
    for who in ("ben.okafor", "@ben.okafor", "Ben Okafor", "ben", " BEN  okafor"):
        assert whose(MEETING, who) == "ben.okafor"
    with pytest.raises(SaveError, match=r"ben\.okafor, zoe"):
        whose(MEETING, "eve")
    twice = replace(MEETING, summaries=(BEN, replace(ZOE, name="Ben Stone")))
    with pytest.raises(SaveError, match=r"ben\.okafor or zoe"):
        whose(twice, "Ben")


# What can be corrected


def form_of(site: LocalSite, session: requests.Session) -> str:
    found = re.search(r'name="form" value="([^"]+)"', get(site.url, session).text)
    assert found is not None
    return found[1]


def change(site: LocalSite, session: requests.Session, what: str, **fields: str) -> requests.Response:
    data = {"form": form_of(site, session), **fields}
    return session.post(
        f"{site.url}/{what}?for=maya.chen", data=data, headers={"Origin": site.origin}, timeout=60,
        allow_redirects=False,
    )  # fmt: skip


def test_words_are_corrected_on_the_page_and_in_its_files(tmp_path: Path) -> None:
    with served_locally(tmp_path) as site:
        session = site.visit()
        said = sample_conversation("x").utterances[0]
        answer = change(site, session, "edit", utterance=said.id, was=said.text, text="Morning, all.", at="1")
        assert answer.status_code == 303
        assert answer.headers["Location"] == f"/m/{site.page.name}?saved=edit&for=maya.chen#t=1"
        (edit,) = read_edits(site.settings, site.meeting.id)
        assert (edit.by, edit.text) == ("kim", "Morning, all.")
        assert "Morning, all." in get(site.url, session).text
        assert "Morning, all." in get(f"{site.url}/download/srt", session).text
        assert not site.remaking.busy


def test_a_voice_is_named_and_summaries_are_made_again(tmp_path: Path) -> None:
    made: list[str] = []
    with served_locally(tmp_path, make=lambda: made.append("once")) as site:
        session = site.visit()
        people = {p["username"] for p in get(f"{site.url}/people", session).json()}
        assert people == {"maya.chen", "ben.okafor", "laura.stein", "oscar.lind", "nadia.haddad"}
        for wrong in ("user:eve.stone", "guest", ""):
            assert change(site, session, "speaker", speaker="S5", who=wrong).status_code == 422
        assert not made
        assert change(site, session, "speaker", speaker="S5", who="user:nadia.haddad").status_code == 303
        (correction,) = read_corrections(FileStore.of(site.settings), site.meeting.id)
        assert (correction.username, correction.by) == ("nadia.haddad", "kim")
        end = time.monotonic() + 60
        while get(f"{site.url}/busy", session).json():
            assert time.monotonic() < end
        assert made == ["once"]
        assert "Summaries were made again." in get(site.url, session).text
        assert "Summaries were made again." not in get(site.url, session).text


def test_the_page_that_says_why_nothing_was_changed_leads_where_the_page_does(
    site: LocalSite, known: requests.Session
) -> None:
    refused = change(site, known, "edit", utterance="u0", was="something else", text="x")
    assert refused.status_code == 422
    assert addresses(refused) == addresses(get(f"{site.url}?for=maya.chen", known))


def addresses(page: requests.Response) -> set[str]:
    """Everything that a page shows, loads and leads to."""
    found = re.findall(r'(?:src|href|action|data-meeting)="([^"#]+)', page.text)
    return {urljoin(page.url, address) for address in found}


def test_summaries_that_could_not_be_made_again_say_why() -> None:
    def fail() -> None:
        raise CorrectionError("the model is not there")

    remaking = Remaking()
    remaking.ask()
    assert remaking.busy
    remaking.work(fail)
    assert not remaking.busy
    assert remaking.told() == "Summaries could not be made again: the model is not there"


def test_summaries_asked_for_while_they_are_made_are_made_once_more() -> None:
    remaking = Remaking()
    remaking.ask()
    remaking.work(remaking.ask)
    assert remaking.busy


def test_what_cannot_be_made_again_is_not_offered(tmp_path: Path) -> None:
    with served_locally(tmp_path) as site:
        session = site.visit()
        assert "Make summaries again" in get(site.url, session).text
        shutil.rmtree(tmp_path / "home" / "results" / "transcription")
        assert site.meeting.may_remake()  # it can be heard again
        site.recording.unlink()
        text = get(site.url, session).text
        assert "Make summaries again" not in text
        assert "Correct who" not in text
        assert 'id="edit"' in text  # words are laid over what was heard, and need nothing else
        assert change(site, session, "remake").status_code == 422


def test_a_call_of_a_server_that_is_not_configured_is_not_made_again(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home")
    keep_recording(settings, "r" * 26, post_id="p" * 26, server="https://chat.example.org")
    meeting = LocalMeeting("p" * 26, settings, by="kim")
    assert meeting.may_edit()
    assert not meeting.may_remake()
    assert "in Mattermost, and none is configured here" in meeting.find().gone


def test_a_call_that_the_server_has_no_longer_is_read_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = Settings(home=tmp_path / "home", mattermost_url="http://127.0.0.1:9", mattermost_token=SecretStr("t"))
    keep_recording(known, "r" * 26, post_id="p" * 26, server="http://127.0.0.1:9")
    meeting = LocalMeeting("p" * 26, known, by="kim")
    for error, told in ((MattermostNotFoundError, "has it no longer"), (MattermostUnreachableError, "gone fishing")):

        def away(*_: object, raised: type[MattermostError] = error) -> None:
            raise raised("gone fishing")

        monkeypatch.setattr(MattermostClient, "file_info", away)
        assert told in meeting.find().gone
    assert meeting.read().conversation.utterances


def test_a_folder_that_is_rewritten_by_a_correction_may_be_corrected_and_a_copy_of_it_not(
    folder: Path, tmp_path: Path
) -> None:
    settings = Settings(home=tmp_path / "home")
    kept = keep_recording(settings, "a" * 64)
    own = replace(CONVERSATION, id="a" * 64)
    (folder / "transcript.json").write_text(json.dumps(to_json(own)))
    remember_folder(kept.store, kept.job, folder)
    assert past_runs(kept.store, "a" * 64)[-1].folders == (str(folder.resolve()),)
    copy = Path(shutil.copytree(folder, tmp_path / "copy"))
    assert LocalMeeting(str(folder), settings, by="kim").may_edit()
    assert not LocalMeeting(str(copy), settings, by="kim").may_edit()
