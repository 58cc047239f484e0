"""A home link signs its one reader in, once and soon; a session lasts until it ends, and no longer."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meetings.audit import AuditLog
from meetings.config import Settings
from meetings.intents import Ask
from meetings.mattermost.entities import User
from meetings.page_links import KIND, PageLinks, links_of, revoke
from meetings.page_sign_ins import LINK, MOST, SESSION, HomeLink, SignIns, signed_in
from meetings.store import Database

ANA, BEN, CALL = "a" * 26, "b" * 26, "c" * 26


class Clock:
    """Seconds, put forward by hand."""

    now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home", page_url="https://meetings.example.org/calls/")


@pytest.fixture
def links(settings: Settings, clock: Clock) -> PageLinks:
    return PageLinks(settings, clock=clock)


@pytest.fixture
def sign_ins(links: PageLinks) -> SignIns:
    return SignIns(links)


def given_link(sign_ins: SignIns, user_id: str = ANA, username: str = "ana") -> str:
    """The token of a link that somebody asked for."""
    link, offered = sign_ins.offer(user_id)
    sign_ins.note(user_id, username, offered)
    return link.partition("?k=")[2]


def session(sign_ins: SignIns, user_id: str = ANA, username: str = "ana") -> str:
    """The cookie of somebody who signed in."""
    return sign_ins.cookie(sign_ins.begin(user_id, username))


# Home links


def test_a_home_link_says_whose_it_is_and_leads_to_the_door(sign_ins: SignIns) -> None:
    link, offered = sign_ins.offer(ANA)
    sign_ins.note(ANA, "ana", offered)
    assert link.startswith("https://meetings.example.org/calls/m/enter?k=")
    holder = sign_ins.invited(link.partition("?k=")[2])
    assert holder is not None
    assert holder.user_id == ANA


def test_a_home_link_is_used_once(sign_ins: SignIns) -> None:
    token = given_link(sign_ins)
    assert sign_ins.use(token) is not None
    assert sign_ins.use(token) is None


def test_looking_at_a_home_link_does_not_use_it(sign_ins: SignIns) -> None:
    token = given_link(sign_ins)
    sign_ins.invited(token)
    assert sign_ins.use(token) is not None


def test_a_home_link_holds_a_quarter_of_an_hour(sign_ins: SignIns, clock: Clock) -> None:
    token = given_link(sign_ins)
    clock.now += LINK - 1
    assert sign_ins.invited(token) is not None
    clock.now += 1
    assert sign_ins.invited(token) is None
    assert sign_ins.use(token) is None


def test_an_offered_link_that_was_never_noted_opens_nothing(sign_ins: SignIns) -> None:
    link, _ = sign_ins.offer(ANA)
    assert sign_ins.invited(link.partition("?k=")[2]) is None


def test_noting_a_link_again_after_it_ran_out_brings_it_not_back(sign_ins: SignIns, clock: Clock) -> None:
    link, offered = sign_ins.offer(ANA)
    clock.now += LINK
    sign_ins.note(ANA, "ana", offered)
    assert sign_ins.invited(link.partition("?k=")[2]) is None


@pytest.mark.parametrize("offered", ["", "x", "a:b", f"{'x' * 22}:-1", f"{'x' * 22}:{'9' * 16}", "x" * 500])
def test_what_was_never_offered_is_not_noted(settings: Settings, sign_ins: SignIns, offered: str) -> None:
    sign_ins.note(ANA, "ana", offered)
    assert Database.of(settings).read(KIND, ANA) is None


def test_somebody_else_s_id_on_a_home_link_is_no_link(sign_ins: SignIns) -> None:
    token = given_link(sign_ins)
    given_link(sign_ins, BEN, "ben")
    assert sign_ins.invited(token.replace(ANA, BEN)) is None


def test_a_home_link_revoked_is_no_link(settings: Settings, sign_ins: SignIns) -> None:
    token = given_link(sign_ins)
    assert revoke(settings, ANA)
    assert sign_ins.use(token) is None


# Sessions


def test_a_session_lasts_twelve_hours(sign_ins: SignIns, clock: Clock) -> None:
    cookie = session(sign_ins)
    clock.now += SESSION - 1
    assert sign_ins.holder(cookie) is not None
    clock.now += 1
    assert sign_ins.holder(cookie) is None


def test_a_session_ended_is_over_for_every_copy_of_its_cookie(sign_ins: SignIns) -> None:
    cookie, other = session(sign_ins), session(sign_ins)
    holder = sign_ins.holder(cookie)
    assert holder is not None
    assert sign_ins.end(holder)
    assert sign_ins.holder(cookie) is None
    assert sign_ins.holder(other) is not None


def test_revoking_ends_every_session_of_one_person(settings: Settings, sign_ins: SignIns) -> None:
    mine, theirs = session(sign_ins), session(sign_ins, BEN, "ben")
    revoke(settings, ANA)
    assert sign_ins.holder(mine) is None
    assert sign_ins.holder(theirs) is not None


def test_what_was_revoked_stays_so_when_the_next_session_begins(settings: Settings, sign_ins: SignIns) -> None:
    old = session(sign_ins)
    revoke(settings, ANA)
    session(sign_ins)
    assert sign_ins.holder(old) is None


def test_signing_out_after_being_forgotten_leaves_nothing_behind(settings: Settings, sign_ins: SignIns) -> None:
    holder = sign_ins.begin(ANA, "ana")
    revoke(settings, ANA)
    assert not sign_ins.end(holder)
    assert Database.of(settings).read(KIND, ANA) is None


def test_a_home_link_is_no_cookie_and_a_cookie_is_no_home_link(sign_ins: SignIns) -> None:
    token, cookie = given_link(sign_ins), session(sign_ins)
    assert sign_ins.holder(token) is None
    assert sign_ins.invited(cookie) is None


def test_neither_opens_a_meeting_and_a_meeting_s_link_signs_nobody_in(links: PageLinks, sign_ins: SignIns) -> None:
    token, cookie = given_link(sign_ins), session(sign_ins)
    meeting = links.link(ANA, "ana", CALL).partition("?k=")[2]
    holder = links.holder("link", CALL, meeting)
    assert holder is not None
    assert links.holder("link", CALL, token) is None
    assert links.holder("cookie", CALL, cookie) is None
    assert sign_ins.invited(meeting) is None
    assert sign_ins.holder(links.cookie(holder, CALL)) is None


def test_an_altered_cookie_is_nobody_s(sign_ins: SignIns) -> None:
    cookie = session(sign_ins)
    for at in range(len(cookie)):
        other = cookie[:at] + ("a" if cookie[at] != "a" else "b") + cookie[at + 1 :]
        assert sign_ins.holder(other) is None, other


def test_another_spelling_of_a_signature_is_refused(sign_ins: SignIns) -> None:
    cookie = session(sign_ins)
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    same = [cookie[:-1] + c for c in alphabet if c != cookie[-1]]
    assert [c for c in same if sign_ins.holder(c)] == []


@given(text=st.text(max_size=300))
def test_no_text_is_a_session(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    settings = Settings(home=tmp_path_factory.getbasetemp() / "sessions", page_url="http://localhost")
    assert SignIns(PageLinks(settings)).holder(text) is None


@pytest.mark.parametrize("damage", ["{", "[]", '{"generation": "x", "meetings": {}, "sessions": [1]}'])
def test_a_damaged_note_signs_nobody_in(settings: Settings, sign_ins: SignIns, damage: str) -> None:
    cookie = session(sign_ins)
    Database.of(settings).write(KIND, ANA, damage)
    assert sign_ins.holder(cookie) is None


def test_of_many_sessions_the_oldest_go(sign_ins: SignIns, clock: Clock) -> None:
    cookies = []
    for _ in range(MOST + 2):
        cookies.append(session(sign_ins))
        clock.now += 1
    assert [sign_ins.holder(c) is not None for c in cookies] == [False] * 2 + [True] * MOST


def test_what_has_run_out_is_kept_no_longer(settings: Settings, sign_ins: SignIns, clock: Clock) -> None:
    given_link(sign_ins)
    session(sign_ins)
    clock.now += SESSION
    session(sign_ins)
    document = Database.of(settings).read(KIND, ANA)
    assert document is not None
    assert len(json.loads(document.body)["sessions"]) == 1


def test_being_signed_in_leaves_links_to_meetings_as_they_are(links: PageLinks, sign_ins: SignIns) -> None:
    before = links.link(ANA, "ana", CALL)
    given_link(sign_ins)
    session(sign_ins)
    assert links.link(ANA, "ana", CALL) == before


def test_until_when_one_is_signed_in_can_be_told(settings: Settings, sign_ins: SignIns, clock: Clock) -> None:
    given_link(sign_ins)
    session(sign_ins)
    told = signed_in(settings, ANA, now=clock.now)
    assert told == {"home links": (int(clock.now) + LINK,), "sessions": (int(clock.now) + SESSION,)}
    assert signed_in(settings, BEN, now=clock.now) == {}


# Asking for one


def ask(text: str, **of: bool) -> Ask:
    return Ask(asker=User(id=ANA, username="ana", **of), text=text, channel_id="x")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "text", ["my meetings", "My meetings!", "please show me my meetings", "my page", "page", "sign in", "Log in."]
)
def test_asking_for_one_s_meetings_is_answered_with_a_link_that_signs_in(settings: Settings, text: str) -> None:
    intent = HomeLink(settings)
    outcome = intent.understand(ask(text))
    assert outcome is not None
    for what, value in outcome.effects:
        intent.change("ana", ANA, what, value)
    token = outcome.text.partition("?k=")[2].partition(")")[0]
    assert SignIns(PageLinks(settings)).use(token) is not None


def test_a_link_opens_nothing_before_the_answer_was_noted(settings: Settings) -> None:
    outcome = HomeLink(settings).understand(ask("my meetings"))
    assert outcome is not None
    token = outcome.text.partition("?k=")[2].partition(")")[0]
    assert SignIns(PageLinks(settings)).use(token) is None
    assert links_of(settings, ANA) == {}


def test_a_guest_is_given_no_link(settings: Settings) -> None:
    outcome = HomeLink(settings).understand(ask("my meetings", is_guest=True))
    assert outcome is not None
    assert "http" not in outcome.text
    assert outcome.effects == ()


def test_who_asked_for_a_link_is_in_the_audit_log_without_the_link(settings: Settings) -> None:
    intent = HomeLink(settings)
    outcome = intent.understand(ask("my meetings"))
    assert outcome is not None
    for what, value in outcome.effects:
        intent.change("ana", ANA, what, value)
    (entry,) = [e for e in AuditLog(settings).entries() if e.event == "home link"]
    assert (entry.user, dict(entry.facts)) == ("ana", {})


@pytest.mark.parametrize(
    "text", ["", "meetings", "what did I miss in my meetings?", "my meetings about pricing", "x" * 300]
)
def test_other_words_are_no_wish_to_sign_in(settings: Settings, text: str) -> None:
    assert HomeLink(settings).understand(ask(text)) is None
