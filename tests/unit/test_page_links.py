"""Links to pages hold for whom, for what and for as long as they were made, and no other spelling of one does."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr, ValidationError

from meetings.answering import make_intents
from meetings.config import Settings
from meetings.errors import ConfigError
from meetings.intents import Ask
from meetings.mattermost.entities import User
from meetings.page_links import KIND, PageLinks, RevokeLinks, links_of, read_key, revoke
from meetings.store import Database

ANA, BEN = "a" * 26, "b" * 26
CALL, OTHER = "c" * 26, "d" * 26
DAY = 86_400


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


def token(link: str) -> str:
    return link.partition("?k=")[2]


def test_a_link_says_whose_it_is(links: PageLinks) -> None:
    link = links.link(ANA, "ana", CALL)
    assert link.startswith(f"https://meetings.example.org/calls/m/{CALL}?k=")
    holder = links.holder("link", CALL, token(link))
    assert holder is not None
    assert holder.user_id == ANA


def test_a_link_is_short_enough_for_every_bullet_of_a_message(links: PageLinks) -> None:
    assert len(links.link(ANA, "ana", CALL)) < 200


def test_the_same_link_is_given_again_while_most_of_its_days_are_left(links: PageLinks, clock: Clock) -> None:
    first = links.link(ANA, "ana", CALL)
    clock.now += 20 * DAY
    assert links.link(ANA, "ana", CALL) == first
    clock.now += 5 * DAY
    assert links.link(ANA, "ana", CALL) != first


def test_a_link_holds_thirty_days_and_no_longer(links: PageLinks, clock: Clock) -> None:
    given_ = token(links.link(ANA, "ana", CALL))
    clock.now += 30 * DAY - 1
    assert links.holder("link", CALL, given_) is not None
    clock.now += 1
    assert links.holder("link", CALL, given_) is None


def test_a_link_opens_no_other_meeting(links: PageLinks) -> None:
    assert links.holder("link", OTHER, token(links.link(ANA, "ana", CALL))) is None


def test_a_token_made_for_one_purpose_serves_no_other(links: PageLinks) -> None:
    link = token(links.link(ANA, "ana", CALL))
    holder = links.holder("link", CALL, link)
    assert holder is not None
    cookie = links.cookie(holder, CALL)
    assert links.holder("cookie", CALL, link) is None
    assert links.holder("link", CALL, cookie) is None
    assert links.holder("cookie", CALL, cookie) == holder


def test_somebody_else_s_id_on_a_token_is_no_token(links: PageLinks) -> None:
    mine = token(links.link(ANA, "ana", CALL))
    links.link(BEN, "ben", CALL)
    assert links.holder("link", CALL, mine.replace(ANA, BEN)) is None


@given(text=st.text(max_size=300))
def test_no_text_is_a_token(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    links = PageLinks(Settings(home=tmp_path_factory.getbasetemp() / "tokens", page_url="http://localhost"))
    assert links.holder("link", CALL, text) is None


def test_another_spelling_of_a_signature_is_refused(links: PageLinks) -> None:
    mine = token(links.link(ANA, "ana", CALL))
    # The last of 43 characters of base64 carries four bits that mean something: three more spell the same bytes.
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    same = [mine[:-1] + c for c in alphabet if c != mine[-1]]
    assert [t for t in same if links.holder("link", CALL, t)] == []


def test_revoking_ends_links_and_cookies_of_one_person(settings: Settings, links: PageLinks) -> None:
    mine, theirs = token(links.link(ANA, "ana", CALL)), token(links.link(BEN, "ben", CALL))
    holder = links.holder("link", CALL, mine)
    assert holder is not None
    cookie = links.cookie(holder, CALL)
    assert revoke(settings, ANA)
    assert links.holder("link", CALL, mine) is None
    assert links.holder("cookie", CALL, cookie) is None
    assert links.holder("link", CALL, theirs) is not None


def test_a_link_that_was_revoked_holds_no_more_when_the_next_is_made(settings: Settings, links: PageLinks) -> None:
    old = token(links.link(ANA, "ana", CALL))
    revoke(settings, ANA)
    links.link(ANA, "ana", CALL)
    assert links.holder("link", CALL, old) is None


def test_another_key_makes_other_links(links: PageLinks, settings: Settings) -> None:
    other = PageLinks(settings.model_copy(update={"page_key": SecretStr("k" * 32)}))
    assert other.holder("link", CALL, token(links.link(ANA, "ana", CALL))) is None


def test_the_key_is_its_owner_s_alone_and_stays(settings: Settings, links: PageLinks) -> None:
    file = settings.home / "page" / "key"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    kept = file.read_bytes()
    again = PageLinks(settings)
    assert file.read_bytes() == kept
    assert len(kept.strip()) >= 43
    assert again.url == links.url


def test_machines_that_share_a_database_need_the_key_in_their_settings(settings: Settings) -> None:
    shared = settings.model_copy(update={"database_url": SecretStr("postgresql://x/y")})
    with pytest.raises(ConfigError, match="MEETINGS_PAGE_KEY"):
        read_key(shared)


def test_a_damaged_note_lets_nobody_in(settings: Settings, links: PageLinks) -> None:
    mine = token(links.link(ANA, "ana", CALL))
    for damage in ("", "{", "[]", '{"generation": 1, "meetings": {}}', '{"generation": "x"}', "null"):
        Database.of(settings).write(KIND, ANA, damage)
        assert links.holder("link", CALL, mine) is None


def test_what_has_run_out_is_kept_no_longer(settings: Settings, links: PageLinks, clock: Clock) -> None:
    links.link(ANA, "ana", CALL)
    clock.now += 31 * DAY
    links.link(ANA, "ana", OTHER)
    document = Database.of(settings).read(KIND, ANA)
    assert document is not None
    assert list(json.loads(document.body)["meetings"]) == [OTHER]


@pytest.mark.parametrize(
    "url", ["meetings.example.org", "ftp://x", "https://x/?a=b", "https://x/#y", "javascript:alert(1)", "https://x y"]
)
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(ValidationError):
        Settings(page_url=url)


def ask(text: str) -> Ask:
    return Ask(asker=User(id=ANA, username="ana"), text=text, channel_id="x")


@pytest.mark.parametrize(
    "text", ["revoke my links", "Please revoke all my links.", "revoke my link!", "Revoke the links"]
)
def test_asking_to_revoke_is_understood_and_done_when_it_is_done(
    settings: Settings, links: PageLinks, text: str
) -> None:
    links.link(ANA, "ana", CALL)
    intent = RevokeLinks(settings)
    outcome = intent.understand(ask(text))
    assert outcome is not None
    assert Database.of(settings).read(KIND, ANA) is not None
    for what, value in outcome.effects:
        intent.change("ana", ANA, what, value)
    assert links_of(settings, ANA) == {}


@pytest.mark.parametrize(
    "text", ["", "links", "what did I miss about revoked links?", "revoke", "never revoke my links"]
)
def test_other_words_revoke_nothing(settings: Settings, text: str) -> None:
    assert RevokeLinks(settings).understand(ask(text)) is None


def test_links_can_be_revoked_where_there_are_pages(settings: Settings) -> None:
    def names(some: Settings) -> list[str]:
        return [i.name for i in make_intents(some, None)]  # type: ignore[arg-type]

    assert "links" in names(settings)
    assert "links" not in names(settings.model_copy(update={"page_url": None}))


@pytest.mark.parametrize(
    ("address", "origin"),
    [
        ("https://Meetings.Example.org", "https://meetings.example.org"),
        ("https://meetings.example.org:443/calls", "https://meetings.example.org"),
        ("http://meetings.example.org:80", "http://meetings.example.org"),
        ("https://meetings.example.org:80", "https://meetings.example.org:80"),
        ("https://[2001:DB8::1]:8443", "https://[2001:db8::1]:8443"),
    ],
)
def test_the_origin_is_written_as_browsers_send_it(tmp_path: Path, address: str, origin: str) -> None:
    assert PageLinks(Settings(home=tmp_path, page_url=address)).origin == origin
