"""Home and search: what is listed and found for somebody is what they may read at this moment, and nothing else."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from meetings.recordings import STAGE
from meetings.store import FileStore
from tests.report_site import Site, keep_spoken, served

BOOKS, OLDER, SECRET = "b" * 26, "o" * 26, "the merger with Northwind"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with served(tmp_path_factory.mktemp("search")) as running:
        keep_spoken(
            running,
            BOOKS,
            [("eve.stone", f"We talk about {SECRET} and about the parser budget.")],
            title="Closing the books",
            started_at="2026-11-24T09:00:00+00:00",
            channel="books",
            participants=("eve.stone",),
        )
        keep_spoken(
            running,
            OLDER,
            [
                ("maya.chen", "The parser reads <b>tables</b> & scanned pages now."),
                ("ben.okafor", "Garage doors open at seven, nobody mentioned umbrellas before."),
            ],
            title='Older "call" <script>alert(1)</script>',
            started_at="2026-11-10T09:00:00+00:00",
        )
        yield running


def signed_in(site: Site, username: str) -> requests.Session:
    session = requests.Session()
    token = site.home_link(username).partition("?k=")[2]
    session.post(f"{site.url}/m/enter", data={"k": token}, timeout=60, allow_redirects=False)
    return session


def home(site: Site, who: str | requests.Session) -> str:
    session = signed_in(site, who) if isinstance(who, str) else who
    return session.get(f"{site.url}/m/", timeout=60).text


def found(site: Site, who: str | requests.Session, **asked: str) -> str:
    session = signed_in(site, who) if isinstance(who, str) else who
    answer = session.get(f"{site.url}/m/search", params=asked, timeout=60)
    assert answer.status_code == 200
    return answer.text


def links(text: str) -> list[str]:
    return re.findall(r'class="title" href="([^"]+)"', text)


# Home


def test_home_lists_what_one_may_read_the_newest_first_with_one_s_own_headline(site: Site) -> None:
    text = home(site, "maya.chen")
    assert links(text) == [site.meeting, OLDER]
    assert "what concerns Maya" in text
    assert "what concerns Ben" not in text
    assert "Wed, 25 November 2026" in text
    assert "7 min" in text
    assert "Product" in text


def test_home_lists_nothing_of_a_channel_that_is_not_one_s_own(site: Site) -> None:
    assert links(home(site, "eve.stone")) == [BOOKS]
    text = home(site, "maya.chen")
    assert BOOKS not in text
    assert "Closing the books" not in text


def test_what_people_call_their_meetings_is_text_on_the_page(site: Site) -> None:
    text = home(site, "maya.chen")
    assert "<script>alert" not in text
    assert "&lt;script&gt;alert(1)" in text


def test_who_left_a_channel_is_shown_nothing_of_it_from_then_on(site: Site) -> None:
    who = site.id_of("tom.becker")
    session = signed_in(site, "tom.becker")
    assert site.meeting in home(site, session)
    site.as_("admin").delete(f"/channels/{site.channel_id}/members/{who}")
    site.rights_age()
    try:
        assert links(home(site, session)) == []
        assert links(found(site, session, q="parser")) == []
    finally:
        site.as_("admin").post(f"/channels/{site.channel_id}/members", {"user_id": who})
        site.rights_age()
    assert site.meeting in home(site, session)


def test_a_meeting_whose_recording_was_deleted_is_listed_and_found_no_more(site: Site) -> None:
    session = signed_in(site, "maya.chen")
    gone = "g" * 26
    said = [("maya.chen", "Pelicans are discussed in this one alone.")]
    keep_spoken(site, gone, said, title="Gone", started_at="2026-11-26T09:00:00+00:00")
    assert gone in links(found(site, session, q="pelicans"))
    store = FileStore.of(site.settings)
    Path(store.results / STAGE / f"{gone}.json").unlink()
    assert gone not in links(found(site, session, q="pelicans"))
    assert gone not in links(home(site, session))


@pytest.mark.parametrize("page", ["0", "-1", "2", "999999999999", "x", "1e3", "٣"])
def test_a_page_that_is_none_is_one_that_is(site: Site, page: str) -> None:
    answer = signed_in(site, "maya.chen").get(f"{site.url}/m/", params={"page": page}, timeout=60)
    assert answer.status_code == 200
    assert links(answer.text) == [site.meeting, OLDER]


# Search


def test_what_is_found_leads_to_its_moment_with_the_words_marked(site: Site) -> None:
    text = found(site, "maya.chen", q="tenth of December")
    assert links(text)[0] == site.meeting
    assert re.search(rf'href="{site.meeting}#t=\d+"', text)
    assert "<mark>December</mark>" in text


def test_nobody_finds_what_was_said_in_a_channel_that_is_not_theirs(site: Site) -> None:
    assert links(found(site, "eve.stone", q="merger Northwind")) == [BOOKS]
    for asked in ({"q": "merger Northwind"}, {"q": '"Closing the books"'}, {"q": "merger", "speaker": "eve.stone"}):
        text = found(site, "maya.chen", **asked)
        assert BOOKS not in text
        assert SECRET not in text


def test_a_channel_that_is_not_one_s_own_is_like_one_that_is_not_there(site: Site) -> None:
    books = str(site.as_("admin").get("/teams/name/acme/channels/name/books")["id"])
    theirs = found(site, "maya.chen", q="merger", channel=books)
    none = found(site, "maya.chen", q="merger", channel="z" * 26)
    assert links(theirs) == []
    assert re.sub(r"value=\"[^\"]*\"|channel=\w+", "", theirs) == re.sub(r"value=\"[^\"]*\"|channel=\w+", "", none)
    assert "Books" not in theirs


def test_what_was_said_in_confidence_is_found_by_those_who_were_there_alone(site: Site) -> None:
    assert "Northgate" in found(site, "maya.chen", q="Northgate leave in March")
    text = found(site, "tom.becker", q="Northgate leave in March")
    assert "Northgate" not in re.sub(r'value="[^"]*"|<title>[^<]*', "", text)


def test_a_search_keeps_to_a_channel_a_time_and_a_speaker(site: Site) -> None:
    session = signed_in(site, "maya.chen")
    assert set(links(found(site, session, q="parser"))) == {site.meeting, OLDER}
    assert links(found(site, session, q="parser", since="2026-11-20")) == [site.meeting]
    assert links(found(site, session, q="parser", channel=site.channel_id, speaker="oscar.lind", since="2026-11-20"))
    assert OLDER not in links(found(site, session, q="parser", speaker="oscar.lind"))


def test_a_time_that_is_none_is_told(site: Site) -> None:
    text = found(site, "maya.chen", q="parser", since="<i>soon</i>")
    assert "hours, days or weeks" in text
    assert "<i>soon" not in text


def test_nothing_found_says_what_else_to_try(site: Site) -> None:
    text = found(site, "maya.chen", q='"unheard of phrase"', since="4w")
    assert "Nothing was found" in text
    assert "leave the marks out" in text
    assert "without channel, time and speaker" in text


def test_searching_for_nothing_shows_how(site: Site) -> None:
    assert "What can be typed" in found(site, "maya.chen")
    assert "What can be typed" in found(site, "maya.chen", q="   ")


@pytest.mark.parametrize(
    "q", ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "x" * 5000, "\x00\u202e*", "*", '"']
)
def test_whatever_is_typed_is_text(site: Site, q: str) -> None:
    text = found(site, "maya.chen", q=q)
    assert "<script>alert" not in text
    assert "<img" not in text


def test_what_was_said_is_text(site: Site) -> None:
    text = found(site, "maya.chen", q="tables scanned pages")
    assert "<b>tables" not in text
    assert "&lt;b&gt;" in text


def test_a_search_is_an_address_that_can_be_kept_and_leads_others_to_the_way_in(site: Site) -> None:
    address = f"{site.url}/m/search?q=parser"
    assert signed_in(site, "maya.chen").get(address, timeout=60).status_code == 200
    answer = requests.get(address, timeout=60)
    assert links(answer.text) == []
    assert "my meetings" in answer.text


def test_a_link_to_one_meeting_searches_nothing(site: Site) -> None:
    session = site.visit("maya.chen")
    assert links(session.get(f"{site.url}/m/search", params={"q": "parser"}, timeout=60).text) == []
    assert links(session.get(f"{site.url}/m/", timeout=60).text) == []


def test_a_guest_finds_nothing(site: Site) -> None:
    who = site.id_of("laura.stein")
    session = signed_in(site, "laura.stein")
    site.as_("admin").post(f"/users/{who}/demote", {})
    site.rights_age()
    try:
        assert links(found(site, session, q="parser")) == []
        assert links(home(site, session)) == []
    finally:
        site.as_("admin").post(f"/users/{who}/promote", {})
        site.rights_age()


def test_what_is_new_is_found_as_soon_as_it_is_in(site: Site) -> None:
    session = signed_in(site, "ben.okafor")
    assert links(found(site, session, q='"copper kettle"')) == []
    said = [("ben.okafor", "The copper kettle is on the second floor.")]
    keep_spoken(site, "k" * 26, said, title="Kettle", started_at="2026-11-01T09:00:00+00:00")
    assert links(found(site, session, q='"copper kettle"')) == ["k" * 26]


def test_words_that_somebody_corrects_are_found_at_once_and_the_misheard_ones_no_more(site: Site) -> None:
    session, page = signed_in(site, "maya.chen"), f"{site.url}/m/{OLDER}"
    heard = "Garage doors open at seven, nobody mentioned umbrellas before."
    right = "Garage doors open at seven, nobody mentioned marmalade before."

    def correct(was: str, text: str) -> None:
        token = re.search(r'name="form" value="([^"]+)"', session.get(page, timeout=60).text)
        assert token is not None
        form = {"form": token[1], "utterance": "u2", "was": was, "text": text}
        answer = session.post(
            f"{page}/edit", data=form, headers={"Origin": site.url}, timeout=60, allow_redirects=False
        )
        assert answer.status_code == 303, answer.text
        site.report.finder.refresh(patience=60.0)  # a page waits 3 seconds, which a busy machine may need

    def finding(words: str) -> bool:
        return OLDER in links(found(site, session, q=f'"{words}"'))

    assert (finding("mentioned umbrellas"), finding("mentioned marmalade")) == (True, False)
    correct(heard, right)
    assert (finding("mentioned umbrellas"), finding("mentioned marmalade")) == (False, True)
    correct(right, heard)
    assert (finding("mentioned umbrellas"), finding("mentioned marmalade")) == (True, False)


def test_without_sentence_embeddings_it_is_said_how_to_get_an_index(
    site: Site, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from meetings.report.finding import Finder

    session = signed_in(site, "maya.chen")
    lacking = site.settings.model_copy(update={"models": tmp_path, "home": tmp_path / "home"})
    shutil.copytree(site.settings.home / "results", lacking.home / "results")
    finder = Finder(lacking, site.report.gate._client)
    assert finder.refresh(patience=600.0).trouble
    monkeypatch.setattr(site.report, "finder", finder)
    for text in (home(site, session), found(site, session, q="parser")):
        assert "meetings models pull" in text
        assert str(tmp_path) not in text


def test_a_model_that_went_away_since_is_told_of_instead_of_found_with(
    site: Site, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from meetings.report.finding import Finder

    session = signed_in(site, "maya.chen")
    lacking = site.settings.model_copy(update={"models": tmp_path})
    monkeypatch.setattr(site.report, "finder", Finder(lacking, site.report.gate._client))
    assert site.meeting in home(site, session)
    assert "meetings models pull" in found(site, session, q="parser")


# The page of a meeting


def test_a_meeting_s_page_leads_to_all_of_them_and_who_is_signed_in_searches_them_from_there(site: Site) -> None:
    by_link = site.visit("maya.chen").get(site.page, timeout=60).text
    at_home = signed_in(site, "maya.chen").get(site.page, timeout=60).text
    assert 'href="./"' in by_link
    assert 'action="search"' not in by_link
    assert 'action="search"' in at_home


def test_many_meetings_are_listed_in_pages(site: Site) -> None:
    for n in range(25):
        said = [("ben.okafor", f"Short call number {n}.")]
        keep_spoken(site, f"{n:02d}" * 13, said, title=f"Call {n}", started_at=f"2026-09-{n + 1:02d}T09:00:00+00:00")
    session = signed_in(site, "ben.okafor")
    first, second = (
        links(session.get(f"{site.url}/m/", params={"page": page}, timeout=60).text) for page in ("1", "2")
    )
    assert len(first) == 20
    assert len(second) >= 7
    assert not set(first) & set(second)
    assert first[0] == site.meeting
