"""Alerts are few, come once, to those alone who may read what they are about, and learn from a thumb."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from meetings.alerts.asking import AlertsIntent
from meetings.alerts.find import Hit
from meetings.alerts.send import ALERT_PROP, TOGETHER, Sender
from meetings.audit import AuditLog
from meetings.config import Settings
from meetings.config_tables import AlertSettings, Retention
from meetings.errors import (
    MattermostError,
    MattermostForbiddenError,
    MattermostNotFoundError,
    MattermostUnreachableError,
    PeopleError,
)
from meetings.intents import Ask
from meetings.interests import BAR, DAY, DAYS_TOLD, HIGHEST, SILENT, STEP, AlertBook, Interest, Moment, Told
from meetings.mattermost import MattermostClient
from meetings.mattermost.entities import Channel, Post, Reaction, User
from meetings.people import FeedbackBook
from meetings.retention import plan_purge

NOON = 1_700_049_600.0  # 12:00 UTC
PARSER = Interest(text="the parser release")
LEAKS = Interest(text="water leaks")


class Server:
    """Two channels, of which Ana is in one; everything the bot sends lands in a list."""

    url = "https://chat.test"

    def __init__(self) -> None:
        self.members = {"c": {"ana", "ben"}, "secret": {"ben"}}
        self.accounts = {"ana": User(id="ana", username="ana"), "ben": User(id="ben", username="ben", first_name="Ben")}
        self.posts: dict[str, Post] = {}
        self.sent: list[Post] = []
        self.thumbs: list[Reaction] = []
        self.deleted: set[str] = set()
        self.die_after_sending = False

    def write(self, name: str, text: str, *, channel: str = "c", root: str = "") -> None:
        self.posts[name] = Post(
            id=name, channel_id=channel, user_id="ben", root_id=root, message=text, create_at=len(self.posts)
        )

    def me(self) -> User:
        return User(id="bot", username="meetings", is_bot=True)

    def user(self, user_id: str) -> User:
        return self.accounts[user_id]

    def users(self, ids: Iterable[str]) -> tuple[User, ...]:
        return tuple(self.accounts[i] for i in ids if i in self.accounts)

    def channel(self, channel_id: str) -> Channel:
        return Channel(id=channel_id, team_id="t", type="O", name=channel_id)

    def my_channels_everywhere(self) -> tuple[Channel, ...]:
        return tuple(self.channel(c) for c in self.members)

    def address_of(self, channel: Channel) -> str:
        return f"acme/{channel.name}"

    def is_channel_member(self, channel_id: str, user_id: str) -> bool:
        return user_id in self.members[channel_id]

    def post(self, post_id: str) -> Post:
        for sent in self.sent:
            if sent.id == post_id:
                return sent
        if post_id not in self.posts:
            raise MattermostNotFoundError("no such post", status=404)
        return self.posts[post_id]

    def latest_posts(self, channel_id: str, _limit: int) -> Iterator[Post]:
        return iter([p for p in self.sent if p.channel_id == channel_id])

    def reactions(self, ids: Iterable[str]) -> tuple[Reaction, ...]:
        wanted = set(ids)
        if wanted & self.deleted:  # one that is gone makes the server refuse them all
            raise MattermostForbiddenError("no permission", status=403)
        return tuple(r for r in self.thumbs if r.post_id in wanted)

    def reactions_to(self, post_id: str) -> tuple[Reaction, ...]:
        return self.reactions([post_id])

    def direct_channel(self, user_id: str) -> str:
        return f"direct {user_id}"

    def create_post(self, channel_id: str, message: str, *, props: Mapping[str, Any], key: str) -> Post:
        post = Post(id=f"m{len(self.sent)}", channel_id=channel_id, user_id="bot", message=message, props=props)
        self.sent.append(post)
        if self.die_after_sending:
            self.die_after_sending = False
            raise MattermostUnreachableError("away")
        return post

    def edit_post(self, post_id: str, message: str) -> Post:
        (place,) = [n for n, p in enumerate(self.sent) if p.id == post_id]
        self.sent[place] = replace(self.sent[place], message=message)
        return self.sent[place]


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    settings = Settings(home=tmp_path)
    for interest in (PARSER, LEAKS):
        AlertBook(settings).add("ana", "ana", interest)
    return settings


def sender(server: Server, settings: Settings, **more: Any) -> Sender:
    return Sender(cast(MattermostClient, server), settings, **more)


def hit(
    server: Server,
    name: str,
    text: str = "The release of the parser slips to Friday.",
    *,
    channel: str = "c",
    thread: str = "",
    interest: Interest = PARSER,
    score: float = 0.9,
    kind: str = "info",
) -> Hit:
    server.write(name, text, channel=channel, root=thread)
    moment = Moment(post=name, part=0, thread=thread or name, channel_id=channel, score=score)
    return Hit(user_id="ana", interest=interest, moment=moment, kind=kind)


def test_an_alert_quotes_who_said_it_where_and_why(server: Server, settings: Settings) -> None:
    assert sender(server, settings).tell([hit(server, "p1")], now=NOON) == 1
    (sent,) = server.sent
    assert sent.channel_id == "direct ana"
    assert "**the parser release**: you asked to hear of it" in sent.message
    assert "“The release of the parser slips to Friday.” — Ben" in sent.message
    assert "(https://chat.test/acme/pl/p1)" in sent.message
    assert "👍" in sent.message
    assert "👎" in sent.message


def test_a_process_that_dies_after_sending_sends_nothing_twice(server: Server, settings: Settings) -> None:
    server.die_after_sending = True
    found = [hit(server, "p1")]
    with pytest.raises(MattermostUnreachableError):
        sender(server, settings).tell(found, now=NOON)
    sender(server, settings).tell(found, now=NOON)
    sender(server, settings).tell(found, now=NOON)
    assert len(server.sent) == 1
    assert [t.post for t in AlertBook(settings).of("ana").told] == ["m0"]


def test_who_is_not_in_the_channel_is_told_nothing(server: Server, settings: Settings) -> None:
    sender(server, settings).tell([hit(server, "p1", channel="secret")], now=NOON)
    assert server.sent == []


def test_an_alert_that_grows_no_longer_shows_a_channel_that_one_has_left(server: Server, settings: Settings) -> None:
    server.members["secret"].add("ana")
    sender(server, settings).tell([hit(server, "p1", "Our secret parser release is near.", channel="secret")], now=NOON)
    server.members["secret"].remove("ana")
    sender(server, settings).tell([hit(server, "p2")], now=NOON + 60)
    assert "secret" not in server.sent[0].message
    assert "slips to Friday" in server.sent[0].message


@pytest.mark.parametrize(
    "change", [{"is_guest": True}, {"delete_at": 5}, {"is_bot": True}], ids=["guest", "deactivated", "bot"]
)
def test_guests_and_those_who_left_get_nothing(server: Server, settings: Settings, change: dict[str, Any]) -> None:
    server.accounts["ana"] = replace(server.accounts["ana"], **change)
    sender(server, settings).tell([hit(server, "p1")], now=NOON)
    assert server.sent == []


def test_who_wants_no_messages_gets_none(server: Server, settings: Settings) -> None:
    FeedbackBook(settings).set_stopped("ana", True, user_id="ana")
    sender(server, settings).tell([hit(server, "p1")], now=NOON)
    assert server.sent == []


def test_who_paused_alerts_gets_none(server: Server, settings: Settings) -> None:
    AlertBook(settings).set("ana", "ana", paused=True)
    sender(server, settings).tell([hit(server, "p1")], now=NOON)
    assert server.sent == []


def test_several_moments_of_an_interest_are_one_message(server: Server, settings: Settings) -> None:
    sender(server, settings).tell([hit(server, "p1")], now=NOON)
    sender(server, settings).tell([hit(server, "p2", "The parser release waits for legal.")], now=NOON + 600)
    (sent,) = server.sent
    assert "slips to Friday" in sent.message
    assert "waits for legal" in sent.message


def test_hours_later_it_is_a_message_of_its_own(server: Server, settings: Settings) -> None:
    sender(server, settings).tell([hit(server, "p1")], now=NOON)
    sender(server, settings).tell([hit(server, "p2", "The parser release waits.")], now=NOON + TOGETHER + 1)
    assert len(server.sent) == 2


def test_of_a_known_thread_only_what_moves_it_is_told(server: Server, settings: Settings) -> None:
    sender(server, settings).tell([hit(server, "p1")], now=NOON)
    said = [
        hit(server, "p2", "I wonder about the parser release, too.", thread="p1"),
        hit(server, "p3", "We decided to ship the parser on Monday.", thread="p1", kind="decision"),
    ]
    sender(server, settings).tell(said, now=NOON + 60)
    (sent,) = server.sent
    assert "ship the parser on Monday" in sent.message
    assert "I wonder" not in sent.message


def test_what_is_over_the_days_number_comes_the_next_morning_in_one_message(server: Server, settings: Settings) -> None:
    settings = settings.model_copy(update={"alerts": AlertSettings(per_day=1)})
    one = sender(server, settings)
    one.tell([hit(server, "p1")], now=NOON)
    one.tell([hit(server, "p2", "The school is flooded by a leak.", interest=LEAKS)], now=NOON + 60)
    one.tell([hit(server, "p3", "The parser release is out.")], now=NOON + TOGETHER + 60)
    assert one.tell_held(now=NOON + 3_600) == 0
    assert one.tell_held(now=NOON + 14 * 3_600) == 0, "nobody is woken at two in the morning"
    assert one.tell_held(now=NOON + 20 * 3_600 + 60) == 1
    assert one.tell_held(now=NOON + 20 * 3_600 + 120) == 0
    assert len(server.sent) == 2
    assert "flooded by a leak" in server.sent[1].message
    assert "parser release is out" in server.sent[1].message


def test_what_waited_is_not_told_to_who_may_no_longer_read_it(server: Server, settings: Settings) -> None:
    one = sender(server, settings, may_send=lambda now, _user: now > NOON)
    one.tell([hit(server, "p1")], now=NOON)
    server.members["c"].remove("ana")
    assert one.tell_held(now=NOON + 60) == 0
    assert AlertBook(settings).of("ana").held == ()


def test_in_quiet_hours_alerts_wait(server: Server, settings: Settings) -> None:
    one = sender(server, settings, may_send=lambda now, _user: now > NOON)
    assert one.tell([hit(server, "p1")], now=NOON) == 0
    assert one.tell_held(now=NOON + 60) == 1
    assert "slips to Friday" in server.sent[0].message


def test_what_was_deleted_meanwhile_is_not_quoted(server: Server, settings: Settings) -> None:
    found = hit(server, "p1")
    server.posts["p1"] = replace(server.posts["p1"], message="", delete_at=9)
    sender(server, settings).tell([found], now=NOON)
    assert server.sent == []


@pytest.mark.parametrize("change", [{"message": "", "delete_at": 9}, {"message": "Never mind.", "edit_at": 9}])
def test_what_is_taken_away_after_it_was_told_leaves_the_message(
    server: Server, settings: Settings, change: dict[str, Any]
) -> None:
    one = sender(server, settings)
    one.tell([hit(server, "p1"), hit(server, "p2", "The parser release is on Monday, then.")], now=NOON)
    (before,) = [post.message for post in server.sent]
    assert "slips to Friday" in before
    server.posts["p1"] = replace(server.posts["p1"], **change)
    assert one.take_back(AlertBook(settings).everybody(), {"p1"}) == 1
    (after,) = [post.message for post in server.sent]
    assert "slips to Friday" not in after
    assert "pl/p1" not in after
    assert "deleted or changed since" in after
    # All else stays as it was, and done again it is the same.
    assert [line for line in before.split("\n") if "pl/p1" not in line] == [
        line for line in after.split("\n") if "deleted or changed" not in line
    ]
    assert one.take_back(AlertBook(settings).everybody(), {"p1"}) == 0


def test_an_edit_that_leaves_the_quoted_sentence_leaves_the_message(server: Server, settings: Settings) -> None:
    one = sender(server, settings)
    one.tell([hit(server, "p1")], now=NOON)
    server.posts["p1"] = replace(server.posts["p1"], message=f"{server.posts['p1'].message} Sorry.", edit_at=9)
    assert one.take_back(AlertBook(settings).everybody(), {"p1"}) == 0


def test_a_post_quoted_in_one_message_leaves_the_others_alone(server: Server, settings: Settings) -> None:
    one = sender(server, settings)
    one.tell([hit(server, "p1"), hit(server, "p12", "There are water leaks in the lab.", interest=LEAKS)], now=NOON)
    server.posts["p1"] = replace(server.posts["p1"], delete_at=9)
    one.take_back(AlertBook(settings).everybody(), {"p1"})
    assert ["deleted or changed" in post.message for post in server.sent] == [True, False]


def test_of_two_posts_in_one_message_only_what_was_taken_away_leaves(server: Server, settings: Settings) -> None:
    one = sender(server, settings)
    one.tell([hit(server, "p1"), hit(server, "p12", "The parser release is on Monday, then.")], now=NOON)
    server.posts["p1"] = replace(server.posts["p1"], delete_at=9)
    one.take_back(AlertBook(settings).everybody(), {"p1"})
    (after,) = [post.message for post in server.sent]
    assert "slips to Friday" not in after
    assert "is on Monday" in after


def test_what_others_wrote_is_inert(server: Server, settings: Settings) -> None:
    text = "The parser release @channel [slips](https://evil.example) to **Friday** for all of us."
    sender(server, settings).tell([hit(server, "p1", text)], now=NOON)
    assert "@channel" not in server.sent[0].message
    assert "](https://evil" not in server.sent[0].message


def test_the_audit_log_says_that_somebody_was_alerted_and_not_of_what(server: Server, settings: Settings) -> None:
    sender(server, settings).tell([hit(server, "p1")], now=NOON)
    (entry,) = [e for e in AuditLog(settings).entries() if e.event == "alert"]
    assert (entry.user, entry.facts["channel"]) == ("ana", "c")
    assert "parser" not in str(entry)


def thumb(server: Server, settings: Settings, emoji: str, post: str = "m0") -> None:
    """Somebody's emoji, as the answering process takes it."""
    reaction = Reaction(user_id="ana", post_id=post, emoji_name=emoji)
    server.thumbs.append(reaction)
    intent = AlertsIntent(settings, cast(MattermostClient, server))
    (message,) = [p for p in server.sent if p.id == post]
    understood = intent.understand_reaction(server.accounts["ana"], message, emoji)
    assert understood is not None
    for what, value in understood.effects:
        intent.change("ana", "ana", what, value)


def test_a_thumb_down_raises_the_bar_and_taking_it_off_undoes_that(server: Server, settings: Settings) -> None:
    sender(server, settings).tell([hit(server, "p1")], now=NOON)
    thumb(server, settings, "-1")
    assert AlertBook(settings).of("ana").bar(PARSER) == pytest.approx(BAR + STEP)
    server.thumbs.clear()
    assert sender(server, settings).refreshed(server.accounts["ana"]).bar(PARSER) == pytest.approx(BAR)


def test_an_alert_that_was_deleted_keeps_nobody_from_the_next_one(server: Server, settings: Settings) -> None:
    sender(server, settings).tell([hit(server, "p1")], now=NOON)
    server.deleted.add("m0")
    later = NOON + TOGETHER + 1
    assert sender(server, settings).tell([hit(server, "p2")], now=later) == 1


def test_who_cannot_be_written_to_keeps_nobody_else_from_their_alert(
    server: Server, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    AlertBook(settings).add("ben", "ben", PARSER)
    known = server.direct_channel

    def direct_channel(user_id: str) -> str:
        if user_id == "ana":
            raise MattermostError("this account takes no messages", status=400)
        return known(user_id)

    monkeypatch.setattr(server, "direct_channel", direct_channel)
    found = hit(server, "p1")
    assert sender(server, settings).tell([found, replace(found, user_id="ben")], now=NOON) == 1


def test_a_thumb_counts_though_another_alert_was_deleted(server: Server, settings: Settings) -> None:
    sender(server, settings).tell([hit(server, "p1")], now=NOON)
    sender(server, settings).tell([hit(server, "p2")], now=NOON + TOGETHER + 1)
    server.deleted.add("m0")
    server.thumbs.append(Reaction(user_id="ana", post_id="m1", emoji_name="-1"))
    assert sender(server, settings).refreshed(server.accounts["ana"]).bar(PARSER) == pytest.approx(BAR + STEP)


def test_what_a_thumb_said_of_an_alert_counts_when_that_is_deleted(server: Server, settings: Settings) -> None:
    sender(server, settings).tell([hit(server, "p1")], now=NOON)
    thumb(server, settings, "-1")
    server.deleted.add("m0")
    assert sender(server, settings).refreshed(server.accounts["ana"]).bar(PARSER) == pytest.approx(BAR + STEP)


def test_a_thumb_on_one_interest_leaves_the_others_alone(server: Server, settings: Settings) -> None:
    sender(server, settings).tell([hit(server, "p1")], now=NOON)
    thumb(server, settings, "+1")
    wants = AlertBook(settings).of("ana")
    assert wants.bar(PARSER) < BAR == wants.bar(LEAKS)


def test_what_misses_the_raised_bar_is_not_told(server: Server, settings: Settings) -> None:
    sender(server, settings).tell([hit(server, "p1")], now=NOON)
    thumb(server, settings, "-1")
    late = hit(server, "p2", score=BAR + STEP / 2)
    sender(server, settings).tell([late], now=NOON + TOGETHER + 1)
    assert len(server.sent) == 1


def test_a_thumb_on_anothers_alert_or_another_post_is_nothing(server: Server, settings: Settings) -> None:
    sender(server, settings).tell([hit(server, "p1")], now=NOON)
    intent = AlertsIntent(settings, cast(MattermostClient, server))
    assert intent.understand_reaction(server.accounts["ben"], server.sent[0], "-1") is None
    plain = replace(server.sent[0], props={})
    assert intent.understand_reaction(server.accounts["ana"], plain, "-1") is None
    forged = replace(server.sent[0], user_id="ben")
    assert ALERT_PROP in forged.props
    assert intent.understand_reaction(server.accounts["ana"], forged, "-1") is None


def test_five_thumbs_down_silence_a_learned_interest_alone(settings: Settings) -> None:
    told = tuple(
        Told(key=str(n), post=f"m{n}", interests=(PARSER.id, LEAKS.id), at=NOON, moments=(), thumb=-1)
        for n in range(SILENT)
    )
    learned = replace(LEAKS, learned=True)
    wants = AlertBook(settings).change("ana", "ana", lambda w: replace(w, told=told, interests=(PARSER, learned)))
    assert wants.bar(learned) == float("inf")
    assert wants.bar(PARSER) == pytest.approx(BAR + STEP * HIGHEST)


def test_what_thumbs_said_outlives_the_messages_that_they_judged(settings: Settings) -> None:
    book = AlertBook(settings)
    old = Told(key="old", post="m0", interests=(PARSER.id,), at=NOON, moments=(), thumb=-1)
    book.change("ana", "ana", lambda w: replace(w, told=(old,)))
    new = Told(key="new", post="m1", interests=(LEAKS.id,), at=NOON + (DAYS_TOLD + 1) * DAY, moments=())
    wants = book.note("ana", "ana", new, now=new.at)
    interest = wants.interest(PARSER.id)
    assert interest is not None
    assert [t.key for t in wants.told] == ["new"]
    assert wants.bar(interest) == pytest.approx(BAR + STEP)


# By words


def ask(server: Server, settings: Settings, text: str, **more: str) -> str:
    """What somebody says, and what they are answered; done as the answering process does, twice."""
    intent = AlertsIntent(settings, cast(MattermostClient, server))
    given = Ask(asker=server.accounts["ana"], text=text, channel_id="direct ana", **more)  # type: ignore[arg-type]
    outcome = intent.understand(given)
    assert outcome is not None
    for _ in range(2):
        for what, value in outcome.effects:
            intent.change("ana", "ana", what, value)
    return outcome.text


def texts(settings: Settings) -> list[str]:
    return [i.text for i in AlertBook(settings).of("ana").interests]


def test_an_interest_is_set_by_words(server: Server, settings: Settings) -> None:
    answer = ask(server, settings, "tell me when anyone talks about pricing of Harrier")
    assert "pricing of Harrier" in answer
    assert texts(settings) == ["the parser release", "water leaks", "pricing of Harrier"]


def test_an_interest_can_be_of_one_channel(server: Server, settings: Settings) -> None:
    ask(server, settings, "watch for outages of the shop in ~c")
    found = AlertBook(settings).of("ana").interests[-1]
    assert (found.text, found.channel_id, found.channel) == ("outages of the shop", "c", "c")


def test_of_a_channel_that_one_is_not_in_nothing_is_said(server: Server, settings: Settings) -> None:
    intent = AlertsIntent(settings, cast(MattermostClient, server))
    for name in ("secret", "nowhere"):
        given = Ask(asker=server.accounts["ana"], text=f"watch for outages in ~{name}", channel_id="d")
        with pytest.raises(PeopleError, match=f"^I know no ~{name} that you and I are both in$"):
            intent.understand(given)


@pytest.mark.parametrize("which", ["1", "the parser release", "parser"])
def test_an_interest_is_taken_off_by_number_or_words(server: Server, settings: Settings, which: str) -> None:
    ask(server, settings, f"stop telling me about {which}")
    assert texts(settings) == ["water leaks"]


def test_what_is_no_interest_of_theirs_takes_nothing_off(server: Server, settings: Settings) -> None:
    assert "I do not know which" in ask(server, settings, "stop telling me about elephants")
    assert len(texts(settings)) == 2


def test_fewer_alerts_raise_every_bar_within_bounds(server: Server, settings: Settings) -> None:
    for _ in range(9):
        ask(server, settings, "fewer alerts")
    assert AlertBook(settings).of("ana").bar(LEAKS) == pytest.approx(BAR + 3 * STEP)


def test_the_list_shows_what_one_hears_of_as_plain_text(server: Server, settings: Settings) -> None:
    ask(server, settings, "tell me when anyone talks about @channel [x](http://evil.example)")
    answer = ask(server, settings, "my alerts")
    assert "1. **the parser release**" in answer
    assert "@channel" not in answer
    assert "](http" not in answer


def test_no_alerts_and_alerts_again(server: Server, settings: Settings) -> None:
    ask(server, settings, "no alerts")
    assert AlertBook(settings).of("ana").paused
    ask(server, settings, "alerts again")
    assert not AlertBook(settings).of("ana").paused


def test_nothing_of_what_was_written_is_kept(server: Server, settings: Settings) -> None:
    from meetings.store import Database

    sender(server, settings).tell([hit(server, "p1", "A zebra crossed the parser release.")], now=NOON)
    (document,) = Database.of(settings).documents("alerts")
    assert "zebra" not in document.body


def test_a_damaged_document_is_as_none(settings: Settings) -> None:
    from meetings.store import Database

    Database.of(settings).write("alerts", "ana", '{"version": 1, "interests": 7}')
    assert AlertBook(settings).everybody() == ()


def test_alerts_that_nobody_changed_for_the_days_of_feedback_are_purged(settings: Settings) -> None:
    settings = settings.model_copy(update={"retention": Retention(feedback=30)})
    kept = plan_purge(settings, client=None, now=time.time() + 29 * DAY)
    gone = plan_purge(settings, client=None, now=time.time() + 31 * DAY)
    assert [str(d.path) for d in kept.doomed] == []
    assert [str(d.path) for d in gone.doomed] == ["alerts: ana"]
