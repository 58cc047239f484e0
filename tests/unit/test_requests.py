"""Who asks for a channel is told theirs of it; who is not in it learns nothing, not even that there is one."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from meetings.config import Settings
from meetings.intents import Ask
from meetings.mattermost import MattermostClient
from meetings.requests import ChannelIntent
from meetings.requests.intent import NOT_HERE, UNKNOWN
from meetings.sandbox import Sandbox
from tests.acceptance.sandbox_company import Api, api, sandbox_in
from tests.unit.summary_builders import TermEmbedder


class Asking:
    """A small company, and somebody who asks."""

    def __init__(self, sandbox: Sandbox, folder: Path) -> None:
        self.sandbox = sandbox
        self.client = MattermostClient(sandbox.url, sandbox.bot_token)
        self.settings = Settings(home=folder / "home", mattermost_url=sandbox.url)
        self.embedder: Any = TermEmbedder
        # The sandbox's clock stands at the anchor; what a test writes is written now.
        self.at = int((datetime.now(UTC) + timedelta(minutes=1)).timestamp() * 1000)

    def as_(self, name: str) -> Api:
        return api(self.sandbox, name)

    def ask(self, name: str, text: str, **more: Any) -> str | None:
        intent = ChannelIntent(self.settings, self.client, self.embedder)
        asker = self.client.user_by_username(name)
        found = intent.understand(Ask(asker=asker, text=text, **{"channel_id": "d", "at": self.at, **more}))
        return None if found is None else found.text


@pytest.fixture
def asking(tmp_path: Path) -> Iterator[Asking]:
    with sandbox_in(tmp_path / "sandbox") as sandbox:
        yield Asking(sandbox, tmp_path)


def test_two_people_who_ask_for_the_same_channel_are_told_different_things(asking: Asking) -> None:
    place = asking.as_("ana").channel("product")["id"]
    asking.as_("ana").write(place, "@ben please write the release notes for the parser.")
    asking.as_("ben").write(place, "@ana the memory of the engineer's build is too small.")
    ana, ben = (asking.ask(name, "what's new in ~product since yesterday") for name in ("ana", "ben"))
    assert ana is not None
    assert ben is not None
    assert "memory" in ana
    assert "release notes" not in ana
    assert "release notes" in ben
    assert "memory" not in ben


def test_an_answer_says_since_when_by_the_askers_clock(asking: Asking) -> None:
    asked = int(datetime(2026, 11, 27, 9, 30, tzinfo=UTC).timestamp() * 1000)
    told = asking.ask("ana", "summarise ~product since 2026-11-20", at=asked)
    assert told is not None
    assert told.startswith("**product** since Fri 20 Nov")


def test_without_a_time_it_begins_where_they_last_looked(asking: Asking, monkeypatch: pytest.MonkeyPatch) -> None:
    looked = int(datetime(2026, 11, 22, 9, 15, tzinfo=UTC).timestamp() * 1000)
    monkeypatch.setattr(asking.client, "last_viewed", lambda *_: looked)
    # Asked in the same week: in another year the day is told with its own.
    asked = int(datetime(2026, 11, 27, 9, 30, tzinfo=UTC).timestamp() * 1000)
    told = asking.ask("ana", "what's new in ~product", at=asked)
    assert told is not None
    assert told.startswith("**product** since you last looked, Sun 22 Nov, 09:15")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("what's new in ~product", "you named no time"),
        ("~product unread", "the server does not tell when you last looked"),
    ],
)
def test_where_that_is_not_told_seven_days_are_taken_and_it_says_so(
    asking: Asking, monkeypatch: pytest.MonkeyPatch, text: str, why: str
) -> None:
    monkeypatch.setattr(asking.client, "last_viewed", lambda *_: 0)
    told = asking.ask("ana", text)
    assert told is not None
    assert told.startswith(f"**product** in the last 7 days ({why})")


def test_a_channel_that_one_is_not_in_is_answered_as_one_that_is_not_there(asking: Asking) -> None:
    bot, secret = asking.client.me().id, asking.as_("chloe").channel("secret")["id"]
    asking.as_("chloe").post(f"/channels/{secret}/members", {"user_id": bot})
    asking.as_("chloe").write(secret, "The pricing is decided.")
    there = asking.ask("ana", "what's new in ~secret")
    assert there == asking.ask("ana", "what's new in ~nowhere") == UNKNOWN
    inside = asking.ask("chloe", "what's new in ~secret since 2026-11-01")
    assert inside is not None
    assert "secret" in inside


def test_a_channel_that_the_bot_is_not_in_is_none(asking: Asking) -> None:
    assert asking.ask("chloe", "what's new in ~secret") == UNKNOWN


def test_an_archived_channel_is_none(asking: Asking) -> None:
    asking.as_("admin").delete(f"/channels/{asking.as_('ana').channel('product')['id']}")
    assert asking.ask("ana", "what's new in ~product") == UNKNOWN


def test_who_leaves_while_the_channel_is_read_is_told_nothing_of_it(asking: Asking) -> None:
    ana = asking.client.user_by_username("ana").id
    place = asking.as_("ana").channel("product")["id"]

    def leaving() -> TermEmbedder:
        asking.as_("admin").delete(f"/channels/{place}/members/{ana}")
        return TermEmbedder()

    asking.embedder = leaving
    assert asking.ask("ana", "what's new in ~product since 2026-11-01") == UNKNOWN


def test_a_slash_command_without_a_channel_means_the_one_it_is_typed_in(asking: Asking) -> None:
    place = asking.as_("ana").channel("product")["id"]
    told = asking.ask("ana", "what's new since 2026-11-01", command="meetings", channel_id=place)
    assert told is not None
    assert told.startswith("**product**")


def test_a_slash_command_in_a_channel_of_others_is_told_nothing_of_it(asking: Asking) -> None:
    secret = asking.as_("chloe").channel("secret")["id"]
    assert asking.ask("ana", "summarise", command="meetings", channel_id=secret) == NOT_HERE
    assert asking.ask("ana", "summarise", command="meetings", channel_id="x" * 26) == NOT_HERE


def test_without_a_channel_a_direct_message_is_left_to_others(asking: Asking) -> None:
    assert asking.ask("ana", "what's new since Monday") is None


def test_a_bare_word_is_a_channel_only_if_there_is_one(asking: Asking) -> None:
    told = asking.ask("ana", "what's new in product since 2026-11-01")
    assert told is not None
    assert told.startswith("**product**")
    assert asking.ask("ana", "what's new in secret") is None


def test_a_channel_is_found_by_the_name_it_is_shown_by(asking: Asking) -> None:
    told = asking.ask("ana", 'summarise "PRODUCT" since 2026-11-01')
    assert told is not None
    assert told.startswith("**product**")


def test_of_two_channels_of_one_name_both_are_listed_and_the_team_decides(asking: Asking) -> None:
    admin = asking.as_("admin")
    team = admin.post("/teams", {"name": "other", "display_name": "Other", "type": "O"})
    both = [asking.client.me().id, asking.client.user_by_username("ana").id]
    for user in both:
        admin.post(f"/teams/{team['id']}/members", {"team_id": team["id"], "user_id": user})
    made = admin.post("/channels", {"team_id": team["id"], "name": "product", "display_name": "Product", "type": "O"})
    for user in both:
        admin.post(f"/channels/{made['id']}/members", {"user_id": user})
    told = asking.ask("ana", "what's new in ~product")
    assert told is not None
    assert "`acme/product`" in told
    assert "`other/product`" in told
    one = asking.ask("ana", "what's new in other/product since 2026-11-01")
    assert one is not None
    assert one.startswith("**product** since")
    here = asking.ask("ana", "what's new in ~product since 2026-11-01", command="meetings", team_id=team["id"])
    assert here == one
    # Ben is in one of them alone, and hears of no other.
    ben = asking.ask("ben", "what's new in ~product since 2026-11-01")
    assert ben is not None
    assert ben.startswith("**product** since")


def test_words_that_are_not_understood_are_shown_and_do_nothing(asking: Asking) -> None:
    told = asking.ask("ana", "what's new in ~product about @all")
    assert told is not None
    assert "@all" not in told
