"""A digest tells one person what they missed, once, in their morning, and nothing that they may not read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meetings.config import Settings
from meetings.digests import DAILY, WEEKLY, DigestBook, DigestIntent, Digests, make_digest, read_wish, render_digest
from meetings.digests.calls import Call
from meetings.digests.digest import Digest, Due
from meetings.digests.send import is_due, period_of, send_digest
from meetings.intents import Ask
from meetings.people import FeedbackBook
from meetings.recordings import remember_run
from meetings.store import Database, FileStore
from meetings.summary import MAX_MESSAGE, summary_from_json
from tests.kept_results import keep_recording, summary_of
from tests.unit.chat_server import DAY, HOUR, NOW, ChatServer, id_of
from tests.unit.summary_builders import TermEmbedder

TODAY = datetime.fromtimestamp(NOW / 1000, tz=UTC).date()
AHEAD = timedelta(days=2)


@pytest.mark.parametrize(
    ("said", "wish"),
    [
        ("digest", "now"),
        ("My digest, please", "now"),
        ("today's digest", "now"),
        ("daily digest", DAILY),
        ("please send me a weekly digest", WEEKLY),
        ("digest every day", DAILY),
        ("wöchentlicher Digest", WEEKLY),
        ("no digest", "off"),
        ("stop sending me the daily digest", "off"),
        ("digest off", "off"),
        ("stop", None),
        ("what was said about the digest?", None),
        ("more about digests", None),
    ],
)
def test_wishes_for_digests_are_understood(said: str, wish: str | None) -> None:
    assert read_wish(said) == wish


@given(st.text(max_size=200))
def test_any_text_is_a_wish_or_none(text: str) -> None:
    assert read_wish(text) in {None, "now", "off", DAILY, WEEKLY}


@pytest.mark.parametrize(
    ("every", "told", "moment", "due"),
    [
        (DAILY, "2026-11-23", "2026-11-24T07:59", False),
        (DAILY, "2026-11-23", "2026-11-24T08:00", True),
        (DAILY, "2026-11-23", "2026-11-24T23:00", True),
        (DAILY, "2026-11-24", "2026-11-24T09:00", False),
        (WEEKLY, "2026-W47", "2026-11-23T08:00", True),
        (WEEKLY, "2026-W47", "2026-11-25T08:00", True),
        (WEEKLY, "2026-W48", "2026-11-29T20:00", False),
        (WEEKLY, "2026-W53", "2027-01-01T09:00", False),
    ],
)
def test_a_digest_is_due_once_in_its_period_from_eight_on(every: str, told: str, moment: str, due: bool) -> None:
    assert is_due(every, told, datetime.fromisoformat(moment)) is due


# What stands in it


@pytest.fixture
def server() -> ChatServer:
    server = ChatServer()
    server.add_user("ana", position="Director of Product Engineering", timezone="Europe/Berlin")
    server.add_user("ben")
    server.add_channel("product", "ana", "ben")
    server.add_channel("secret", "ben")
    return server


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home")


def keep_call(
    settings: Settings,
    media_id: str,
    *,
    channel: str = "product",
    hours_ago: float = 3,
    attended: bool | None = False,
    bullets: Sequence[dict[str, Any]] = (),
    quote: str = "The parser ships on Friday.",
) -> None:
    """A call with a summary for ana."""
    kept = keep_recording(settings, media_id, channel_id=channel, post_id=media_id, server="https://chat.example.org")
    began = datetime.fromtimestamp(NOW / 1000, tz=UTC) - timedelta(hours=hours_ago)
    job = replace(
        kept.job, source=replace(kept.job.source, started_at=began.isoformat(), title=f"Weekly {media_id[0]}")
    )
    store = FileStore.of(settings)
    summary = summary_of("ana", media_id, quote) | {"attended": attended}
    if bullets:
        summary["bullets"] = list(bullets)
    summaries = store.put_json("summaries", [summary])
    store.write_json("recordings", media_id, [])
    remember_run(
        store,
        job,
        conversation=kept.conversation,
        diarization=kept.diarization,
        summaries=summaries,
    )


def task(text: str, due: str, *, mine: bool = True) -> dict[str, Any]:
    (bullet,) = summary_of("ana", "x", text)["bullets"]
    return {**bullet, "kind": "action", "due": due, "mine": mine, "owner": "Ana"}


def made(settings: Settings, server: ChatServer, *, hours: int = 24, who: str = "ana") -> Digest:
    return make_digest(
        settings,
        server.client,
        server.user_by_username(who),
        TermEmbedder(),
        since=NOW - hours * HOUR,
        until=NOW,
        today=TODAY,
        ahead=AHEAD,
    )


def test_calls_that_one_was_not_in_are_told_with_their_best_points(settings: Settings, server: ChatServer) -> None:
    keep_call(settings, "a" * 26)
    text = render_digest(made(settings, server))
    assert "Calls you were not in" in text
    assert "parser ships" in text
    assert f"/_redirect/pl/{'a' * 26}" in text


def test_calls_that_one_was_in_are_told_in_a_line(settings: Settings, server: ChatServer) -> None:
    keep_call(settings, "a" * 26, attended=True)
    text = render_digest(made(settings, server))
    assert "Calls you were in" in text
    assert "parser ships" not in text


def test_a_call_before_is_not_told_again(settings: Settings, server: ChatServer) -> None:
    keep_call(settings, "a" * 26, hours_ago=30)
    assert made(settings, server).empty


def test_a_call_of_a_channel_that_one_is_not_in_is_not_told(settings: Settings, server: ChatServer) -> None:
    keep_call(settings, "a" * 26, channel="secret", bullets=[task("Write the letter.", TODAY.isoformat())])
    assert made(settings, server).empty


def test_nobody_is_told_by_anothers_summary(settings: Settings, server: ChatServer) -> None:
    keep_call(settings, "a" * 26)
    assert made(settings, server, who="ben").empty


@pytest.mark.parametrize(
    ("due", "mine", "told"),
    [(0, True, True), (2, True, True), (3, True, False), (-1, True, False), (0, False, False)],
)
def test_what_is_due_soon_and_theirs_is_told(
    settings: Settings, server: ChatServer, due: int, mine: bool, told: bool
) -> None:
    day = (TODAY + timedelta(days=due)).isoformat()
    keep_call(settings, "a" * 26, hours_ago=200, bullets=[task("Write the guide.", day, mine=mine)])
    assert bool(made(settings, server).due) is told


def test_the_best_of_their_channels_is_told_and_nothing_of_others(settings: Settings, server: ChatServer) -> None:
    server.write("product", "ben", "@ana please look at the parser crash by tomorrow.", at=NOW - HOUR)
    server.write("product", "ben", "Lunch is at noon.", at=NOW - HOUR)
    server.write("secret", "ben", "@ana the secret plan is ready for your review.", at=NOW - HOUR)
    text = render_digest(made(settings, server))
    assert "parser crash" in text
    assert "Lunch" not in text
    assert "secret" not in text


def test_what_was_said_does_nothing_in_it(settings: Settings, server: ChatServer) -> None:
    keep_call(settings, "a" * 26, quote="@channel [click](http://evil.example) now")
    text = render_digest(made(settings, server))
    assert "click" in text
    assert "@channel" not in text
    assert "](http://evil" not in text


def test_the_longest_digest_fits_a_message() -> None:
    summary = summary_from_json(summary_of("ana", "x", "word " * 400))
    call = Call(
        media_id="x", title="Weekly", channel_id="c", post_id="p", at=NOW, summary=replace(summary, attended=False)
    )
    due = Due(bullet=summary.bullets[0], day=date(2026, 11, 24), call=call)
    digest = Digest(username="ana", since=0, until=NOW, url="https://x.org", calls=(call,) * 90, due=(due,) * 90)
    assert len(render_digest(digest)) <= MAX_MESSAGE


# When it is sent


def ask(server: ChatServer, settings: Settings, said: str, *, who: str = "ana", at: float = NOW / 1000) -> str:
    """What somebody is told who says something, when what they asked for is done."""
    intent = DigestIntent(settings, server.client, TermEmbedder, clock=lambda: at)
    asker = server.user_by_username(who)
    found = intent.understand(Ask(asker=asker, text=said, channel_id="dm"))
    assert found is not None
    for what, value in found.effects:
        intent.change(asker.username, asker.id, what, value)
    return found.text


def ticks(server: ChatServer, settings: Settings, *moments: str) -> list[str]:
    watcher = Digests(settings, server.client, TermEmbedder)
    for moment in moments:
        now = datetime.fromisoformat(moment)
        server.now = int(now.timestamp() * 1000)
        watcher.tick(now.timestamp())
    return [p.message for p in server.direct_to("ana")]


BEFORE = datetime(2026, 11, 23, 12, tzinfo=UTC).timestamp()


@pytest.fixture
def subscribed(server: ChatServer, settings: Settings) -> ChatServer:
    ask(server, settings, "daily digest", at=BEFORE)
    for hour in range(40):
        at = int((BEFORE + 3600 * hour) * 1000)
        server.write("product", "ben", f"@ana please look at parser crash number {hour} by tomorrow.", at=at)
    return server


def test_it_comes_in_the_readers_own_morning_and_once(subscribed: ChatServer, settings: Settings) -> None:
    assert ticks(subscribed, settings, "2026-11-24T06:59:00+00:00") == []
    assert len(ticks(subscribed, settings, "2026-11-24T07:00:30+00:00", "2026-11-24T09:00:00+00:00")) == 1


def test_a_process_that_was_down_in_the_morning_sends_it_later(subscribed: ChatServer, settings: Settings) -> None:
    assert len(ticks(subscribed, settings, "2026-11-24T19:00:00+00:00")) == 1


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_process_that_dies_while_sending_sends_it_once(
    subscribed: ChatServer, settings: Settings, moment: str
) -> None:
    subscribed.dies.append(moment)
    with pytest.raises(SystemExit):
        ticks(subscribed, settings, "2026-11-24T07:01:00+00:00")
    assert len(ticks(subscribed, settings, "2026-11-24T07:02:00+00:00", "2026-11-24T07:03:00+00:00")) == 1


def test_who_wants_no_messages_gets_none(subscribed: ChatServer, settings: Settings) -> None:
    FeedbackBook(settings).set_stopped("ana", True, user_id=id_of("ana"))
    assert ticks(subscribed, settings, "2026-11-24T07:01:00+00:00") == []


def test_who_says_no_digest_gets_none(subscribed: ChatServer, settings: Settings) -> None:
    ask(subscribed, settings, "no digest", at=BEFORE)
    assert ticks(subscribed, settings, "2026-11-24T07:01:00+00:00") == []


def test_an_account_that_is_switched_off_gets_none(subscribed: ChatServer, settings: Settings) -> None:
    subscribed.accounts[id_of("ana")] = replace(subscribed.accounts[id_of("ana")], delete_at=1)
    assert ticks(subscribed, settings, "2026-11-24T07:01:00+00:00") == []


def test_a_day_with_nothing_in_it_brings_no_message(server: ChatServer, settings: Settings) -> None:
    ask(server, settings, "daily digest", at=BEFORE)
    assert ticks(server, settings, "2026-11-24T07:01:00+00:00") == []


def test_each_begins_where_the_last_ended(server: ChatServer, settings: Settings) -> None:
    ask(server, settings, "daily digest", at=BEFORE)
    for day, subject in ((24, "first"), (25, "second")):
        before = datetime(2026, 11, day, 6, tzinfo=UTC)
        server.write("product", "ben", f"@ana please review the {subject} parser.", at=int(before.timestamp() * 1000))
        told = ticks(server, settings, f"2026-11-{day}T07:01:00+00:00")
    assert ["first" in told[0], "second" in told[0], "first" in told[1], "second" in told[1]] == [
        True,
        False,
        False,
        True,
    ]


def test_one_person_a_tick(server: ChatServer, settings: Settings) -> None:
    for who in ("ana", "ben"):
        ask(server, settings, "daily digest", who=who, at=BEFORE)
        server.write("product", "ben" if who == "ana" else "ana", f"@{who} the parser needs your review.", at=NOW - DAY)
    watcher = Digests(settings, server.client, TermEmbedder)
    now = datetime(2026, 11, 24, 9, tzinfo=UTC).timestamp()
    server.now = int(now * 1000)
    watcher.tick(now)
    told = [s for s in DigestBook(settings).wanted() if s.until >= server.now]
    assert len(told) == 1


def test_the_same_period_is_sent_once_whoever_sends(server: ChatServer, settings: Settings) -> None:
    ana = server.user_by_username("ana")
    period = f"daily {period_of(DAILY, datetime(2026, 11, 24, 9))}"
    became = [send_digest(settings, server.client, ana, "text", period=period) for _ in range(2)]
    assert became == ["sent", "unchanged"]


def test_a_wish_that_cannot_be_read_is_none(settings: Settings) -> None:
    Database.of(settings).write("digest", id_of("ana"), "{damaged")
    assert DigestBook(settings).wanted() == ()
