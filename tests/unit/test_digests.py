"""A digest tells what somebody missed, once a morning, and never what they may not read now."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meetings.audit import AuditLog
from meetings.config import Settings
from meetings.digests import (
    DigestBook,
    Digester,
    DigestIntent,
    Digests,
    digest_to_json,
    period,
    render_digest,
    send_digest,
)
from meetings.digests.book import KIND, morning
from meetings.digests.intent import read_wish
from meetings.digests.send import DIGEST_PROP
from meetings.errors import MattermostError
from meetings.forgetting import forget
from meetings.intents import Ask
from meetings.mattermost import MattermostClient
from meetings.people import FeedbackBook
from meetings.personal_data import personal_data
from meetings.sandbox import Sandbox
from meetings.store import Database
from tests.acceptance.sandbox_company import Api, api, sandbox_in
from tests.kept_results import keep_recording
from tests.unit.summary_builders import TermEmbedder

BERLIN = ZoneInfo("Europe/Berlin")
HOUR = 3600.0
DAY = 24 * HOUR


class Company:
    """A small company whose calls a test makes up; `now` is the next morning, five past eight in UTC."""

    def __init__(self, sandbox: Sandbox, folder: Path) -> None:
        self.sandbox = sandbox
        self.client = MattermostClient(sandbox.url, sandbox.bot_token)
        self.settings = Settings(home=folder / "home", mattermost_url=sandbox.url)
        today = datetime.now(UTC).replace(hour=8, minute=5, second=0, microsecond=0)
        # What a test does is to be of one day: in the minute before that moment it waits for it to pass.
        while timedelta() < today - (now := datetime.now(UTC)) < timedelta(minutes=1):
            time.sleep(0.5)
        self.now = (today if now < today else today + timedelta(days=1)).timestamp()

    def as_(self, name: str) -> Api:
        return api(self.sandbox, name)

    def id(self, name: str) -> str:
        return self.client.user_by_username(name).id

    @property
    def product(self) -> str:
        return str(self.as_("ana").channel("product")["id"])

    def call(self, *people: dict[str, Any], media_id: str = "r" * 26, **more: Any) -> None:
        """A call in ~product that summaries were made of."""
        kept = keep_recording(
            self.settings, media_id, **{"channel_id": self.product, "server": self.sandbox.url, **more}
        )
        kept.store.write_json("summaries", kept.summaries, list(people))

    def digester(self) -> Digester:
        return Digester(self.settings, self.client, TermEmbedder)

    def text(self, name: str, often: str = "daily", *, now: float | None = None) -> str:
        until = datetime.fromtimestamp(now or self.now, tz=UTC)
        since, end = period(often, until)
        made = self.digester().make(self.client.user_by_username(name), often, since=since, until=end)
        json.dumps(digest_to_json(made, url=self.client.url))
        return render_digest(made, url=self.client.url)

    def want(self, name: str, often: str, *, now: float) -> None:
        DigestBook(self.settings).want(self.id(name), name, often, now=datetime.fromtimestamp(now, tz=UTC))

    def tick(self, now: float, **more: Any) -> None:
        Digests(self.settings, self.client, TermEmbedder, **more).tick(now)

    def digests_of(self, name: str) -> list[str]:
        direct = self.client.direct_channel(self.id(name))
        posts = [p for p in self.client.latest_posts(direct, 100) if DIGEST_PROP in p.props]
        return [p.message for p in reversed(posts)]


def summary(username: str, *, attended: bool | None = False, **bullet: Any) -> dict[str, Any]:
    made = {
        "kind": "decision",
        "text": "The parser release moves to the 10th.",
        "evidence": ["u1"],
        "start": 0.0,
        "speaker": "Ben",
        "why": "",
        "score": 1.0,
    }
    return {
        "person": {"username": username, "name": username.title(), "position": ""},
        "headline": "The release moves",
        "bullets": [{**made, **bullet}],
        "model": None,
        "writer": "extract",
        "conversation": "r",
        "attended": attended,
    }


@pytest.fixture
def company(tmp_path: Path) -> Iterator[Company]:
    with sandbox_in(tmp_path / "sandbox") as sandbox:
        yield Company(sandbox, tmp_path)


# What it tells


def test_a_call_that_somebody_missed_is_told_with_its_best_points(company: Company) -> None:
    company.call(summary("ana"))
    told = company.text("ana")
    assert "Calls you missed" in told
    assert "Decision: The parser release moves" in told


def test_a_call_that_somebody_was_in_takes_one_line(company: Company) -> None:
    company.call(summary("ana"), summary("ben", attended=True), media_id="a" * 26)
    company.call(summary("ben"), media_id="b" * 26)
    told = company.text("ben").split("**Other calls of yours**")[1]
    assert "The release moves" in told
    assert "parser" not in told


def test_a_call_of_others_is_none_of_theirs(company: Company) -> None:
    company.call(summary("ana"))
    assert "Nothing new" in company.text("ben")


def test_nothing_is_told_of_a_call_whose_channel_they_have_left(company: Company) -> None:
    company.call(summary("ana"))
    company.as_("admin").delete(f"/channels/{company.product}/members/{company.id('ana')}")
    assert "parser" not in company.text("ana")


def test_nothing_is_told_of_a_recording_that_was_deleted(company: Company) -> None:
    post = company.as_("ben").write(company.product, "the recording")["id"]
    company.call(summary("ana"), post_id=post)
    assert "parser" in company.text("ana")
    company.as_("ben").delete(f"/posts/{post}")
    assert "parser" not in company.text("ana")


def test_what_was_said_in_confidence_is_not_repeated(company: Company) -> None:
    company.call(summary("ana", confidential=True))
    assert "parser" not in company.text("ana")


@pytest.mark.parametrize(("days", "shown"), [(-5, False), (-2, True), (0, True), (2, True), (9, False)])
def test_what_falls_to_them_is_told_when_it_is_due(company: Company, days: int, shown: bool) -> None:
    due = (datetime.fromtimestamp(company.now, tz=UTC) + timedelta(days=days)).date().isoformat()
    company.call(summary("ana", attended=True, kind="action", mine=True, due=due, text="Ana writes the notes."))
    assert ("Ana writes the notes." in company.text("ana")) is shown


def test_what_falls_to_others_is_not_due_for_them(company: Company) -> None:
    due = datetime.fromtimestamp(company.now, tz=UTC).date().isoformat()
    company.call(summary("ana", attended=True, kind="action", mine=False, due=due, text="Ben writes the notes."))
    assert "Ben writes" not in company.text("ana")


def test_two_people_are_told_different_things_of_the_same_channel(company: Company) -> None:
    company.as_("ana").write(company.product, "@ben please write the release notes for the parser.")
    company.as_("ben").write(company.product, "@ana the memory of the build is too small.")
    ana, ben = company.text("ana"), company.text("ben")
    assert "memory" in ana
    assert "release notes" not in ana
    assert "release notes" in ben
    assert "memory" not in ben


def test_nothing_is_told_of_a_channel_that_they_are_not_in(company: Company) -> None:
    secret = company.as_("chloe").channel("secret")["id"]
    company.as_("chloe").post(f"/channels/{secret}/members", {"user_id": company.client.me().id})
    company.as_("chloe").write(secret, "@ana please sign the contract with Osterfeld.")
    assert "Osterfeld" not in company.text("ana")


def test_what_people_wrote_does_nothing_in_it(company: Company) -> None:
    company.as_("ben").write(company.product, "@ana look at https://evil.example and tell @all, please.")
    told = company.text("ana")
    assert "evil" in told
    assert "@all" not in told
    assert "https://evil" not in told


def test_a_digest_fits_a_message(company: Company) -> None:
    for number in range(20):
        points = [{**summary("ana")["bullets"][0], "text": f"{number} " + "_*[x]`" * 300} for _ in range(5)]
        company.call({**summary("ana"), "headline": "#[]" * 500, "bullets": points}, media_id=f"{number:026}")
    assert len(company.text("ana", "weekly")) <= 16_383


# When it is sent


def test_a_wish_is_kept_and_the_first_comes_with_the_next_morning(company: Company) -> None:
    company.call(summary("ana"))
    company.want("ana", "daily", now=company.now - HOUR)
    company.tick(company.now - 10 * 60)
    assert company.digests_of("ana") == []
    company.tick(company.now)
    assert len(company.digests_of("ana")) == 1


def test_a_process_that_was_down_in_the_morning_sends_it_later_that_day(company: Company) -> None:
    company.call(summary("ana"))
    company.want("ana", "daily", now=company.now - DAY)
    company.tick(company.now + 5 * HOUR)
    assert len(company.digests_of("ana")) == 1


def test_the_same_morning_is_never_sent_twice(company: Company) -> None:
    company.call(summary("ana"))
    company.want("ana", "daily", now=company.now - DAY)
    company.tick(company.now)
    company.tick(company.now + 60)
    # The process died after it posted and before it noted that.
    DigestBook(company.settings).end(company.id("ana"))
    company.want("ana", "daily", now=company.now - DAY)
    company.tick(company.now + 120)
    assert len(company.digests_of("ana")) == 1


def test_a_call_that_was_told_is_not_told_again_the_next_morning(company: Company) -> None:
    company.call(summary("ana"))
    company.want("ana", "daily", now=company.now - DAY)
    company.tick(company.now)
    company.call(summary("ana", text="Prices stay as they are."), media_id="b" * 26)
    company.tick(company.now + DAY)
    first, second = company.digests_of("ana")
    assert "parser" in first
    assert "parser" not in second
    assert "Prices" in second


def test_an_empty_digest_is_not_sent(company: Company) -> None:
    company.want("chloe", "daily", now=company.now - DAY)
    company.tick(company.now)
    assert company.digests_of("chloe") == []


def test_it_comes_in_the_readers_own_morning(company: Company) -> None:
    company.call(summary("ana"))
    zone = {"useAutomaticTimezone": "false", "manualTimezone": "America/New_York", "automaticTimezone": ""}
    company.as_("ana").put(f"/users/{company.id('ana')}/patch", {"timezone": zone})
    company.want("ana", "daily", now=company.now - DAY)
    company.tick(company.now)
    assert company.digests_of("ana") == []
    company.tick(company.now + 6 * HOUR)
    assert len(company.digests_of("ana")) == 1


def test_who_said_stop_gets_none(company: Company) -> None:
    company.call(summary("ana"))
    company.want("ana", "daily", now=company.now - DAY)
    FeedbackBook(company.settings).set_stopped("ana", True, user_id=company.id("ana"))
    company.tick(company.now)
    assert company.digests_of("ana") == []


def test_a_deactivated_account_gets_none(company: Company) -> None:
    company.call(summary("ana"))
    ana = company.id("ana")
    company.as_("admin").delete(f"/users/{ana}")
    sent = send_digest(company.settings, company.client, ana, "hello", morning="daily:2026-11-27")
    assert (sent.status, sent.reason) == ("skipped", "the account is deactivated")


def test_a_tick_that_took_long_leaves_the_rest_for_the_next(company: Company) -> None:
    company.call(summary("ana"), summary("ben"))
    for name in ("ana", "ben"):
        company.want(name, "daily", now=company.now - DAY)
    times = iter([0.0, 1.0, 100.0])
    company.tick(company.now, clock=lambda: next(times))
    assert sorted(len(company.digests_of(n)) for n in ("ana", "ben")) == [0, 1]
    company.tick(company.now + 60)
    assert [len(company.digests_of(n)) for n in ("ana", "ben")] == [1, 1]


def test_one_persons_trouble_keeps_nobody_from_theirs(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    company.call(summary("ana"), summary("ben"))
    for name in ("ana", "ben"):
        company.want(name, "daily", now=company.now - DAY)
    ana, direct = company.id("ana"), company.client.direct_channel

    def refusing(user_id: str) -> str:
        if user_id == ana:
            raise MattermostError("no", status=400)
        return direct(user_id)

    monkeypatch.setattr(company.client, "direct_channel", refusing)
    company.tick(company.now)
    monkeypatch.undo()
    assert [len(company.digests_of(n)) for n in ("ana", "ben")] == [0, 1]


def test_what_was_sent_is_in_the_audit_log(company: Company) -> None:
    send_digest(company.settings, company.client, company.id("ana"), "hello", morning="daily:2026-11-27")
    entries = [e for e in AuditLog(company.settings).entries(user="ana") if e.event == "digest"]
    assert [e.facts["morning"] for e in entries] == ["daily:2026-11-27"]


@given(
    st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1)), st.sampled_from(["daily", "weekly"]), st.integers(0, 3)
)
def test_a_morning_is_due_once_and_from_eight_on(moment: datetime, often: str, later: int) -> None:
    now = moment.replace(tzinfo=BERLIN)
    due = morning(often, now)
    begins = now.hour >= 8 or (often == "weekly" and now.weekday() > 0)
    assert (due is not None) is begins
    after = now + timedelta(hours=later)
    if due and after.date() == now.date():
        assert morning(often, after) == due


# How it is asked for


@pytest.mark.parametrize(
    ("text", "wish"),
    [
        ("digest", "now"),
        ("Send me my digest, please", "now"),
        ("digest of the week", "week"),
        ("daily digest", "daily"),
        ("I'd like a daily digest please", "daily"),
        ("täglicher Digest", "daily"),
        ("Tagesüberblick", "daily"),
        ("weekly digest", "weekly"),
        ("digest every Monday", "weekly"),
        ("Wochenüberblick bitte", "weekly"),
        ("no digest", "none"),
        ("stop the digest", "none"),
        ("no more weekly digests", "none"),
        ("kein Digest mehr", "none"),
        ("stop", None),
        ("more about digests", None),
        ("what's new in ~digest", None),
        ("the digest was too long", None),
    ],
)
def test_wishes_for_a_digest_are_understood(text: str, wish: str | None) -> None:
    assert read_wish(text) == wish


@given(st.text(max_size=300))
def test_no_text_whatever_breaks_the_reading(text: str) -> None:
    read_wish(text)
    read_wish(f"daily digest {text}")


def asked(company: Company, name: str, text: str) -> str:
    """What somebody is answered, what they asked for being done."""
    intent = DigestIntent(company.settings, company.client, TermEmbedder)
    user = company.client.user_by_username(name)
    found = intent.understand(Ask(asker=user, text=text, channel_id="d", at=int(company.now * 1000)))
    assert found is not None
    for what, value in found.effects:
        intent.change(name, user.id, what, value)
    return found.text


def test_a_standing_wish_is_kept_and_ended(company: Company) -> None:
    assert "every morning" in asked(company, "ana", "daily digest")
    assert [s.often for s in DigestBook(company.settings).everybody()] == ["daily"]
    asked(company, "ana", "weekly digest")
    assert [s.often for s in DigestBook(company.settings).everybody()] == ["weekly"]
    asked(company, "ana", "no digest")
    assert DigestBook(company.settings).everybody() == ()


def test_who_asks_for_one_gets_one_at_once(company: Company) -> None:
    company.call(summary("ana"))
    assert "parser" in asked(company, "ana", "digest")


# What is kept


def test_what_is_kept_of_a_wish_is_in_the_export_and_goes_with_forget(company: Company) -> None:
    asked(company, "ana", "daily digest")
    held = personal_data("ana", company.settings, client=company.client)["digest.json"]
    assert [one["often"] for one in held] == ["daily"]
    told = forget("ana", company.settings, client=company.client, redact=False, dry_run=False, by="admin")
    assert told.counts["wishes for digests"] == 1
    assert DigestBook(company.settings).everybody() == ()


def test_a_damaged_wish_is_nobodys(company: Company) -> None:
    Database.of(company.settings).write(KIND, company.id("ana"), "{")
    company.tick(company.now)
    assert DigestBook(company.settings).everybody() == ()
