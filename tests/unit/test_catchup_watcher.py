"""Who joins a channel or comes back is asked once, at a good hour, and never about what they may not read."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn

import pytest

from meetings.audit import AuditLog
from meetings.catchup import CATCHUP_PROP, Briefer, CatchupBook, CatchupIntent, Catchups
from meetings.config import Settings
from meetings.errors import MattermostAuthError
from meetings.intents import Ask, Outcome
from meetings.mattermost.entities import Post
from meetings.people import FeedbackBook
from meetings.watchers import News
from tests.unit.chat_server import DAY, HOUR, MINUTE, NOW, ChatServer, id_of
from tests.unit.summary_builders import TermEmbedder

DECIDED = "We decided to ship the parser with the old grammar."


class World:
    """A server with a busy channel that Ana and Ben write in, and everything that catches people up."""

    def __init__(self, home: Path, **catchup: Any) -> None:
        self.settings = Settings(home=home, catchup=catchup, quiet_hours=catchup.pop("quiet", "20:00-08:00, weekends"))
        self.server = ChatServer()
        for name in ("ana", "ben", "eve"):
            self.server.add_user(name)
        self.fill("product", "ana", "ben")
        self.seen: dict[str, int] = {}
        self.restart()

    def fill(self, channel: str, *members: str, posts: int = 12) -> None:
        self.server.add_channel(channel, *members, purpose=f"All about {channel}.")
        for number in range(posts):
            at = NOW - 10 * DAY + number * HOUR
            self.server.write(channel, members[number % 2], f"Note {number} on the {channel} parser.", at=at)
        self.server.write(channel, members[0], DECIDED, at=NOW - 9 * DAY)
        self.server.write(channel, members[1], "Which customers still use the old grammar?", at=NOW - 8 * DAY)

    def restart(self) -> None:
        """Another process takes over."""
        self.briefer = Briefer(self.settings, self.server.client, TermEmbedder)
        self.catchups = Catchups(self.settings, self.server.client, self.briefer)

    def look(self) -> None:
        """Show the watcher what is new in every channel."""
        for channel in self.server.my_channels_everywhere():
            since = self.seen.get(channel.id, NOW - 1)
            posts = tuple(p for p in self.server.posts if p.channel_id == channel.id and p.update_at > since)
            if posts and channel.type != "D":
                self.seen[channel.id] = max(p.update_at for p in posts)
                self.catchups.look(News(channel=channel, posts=posts, since=since))

    def after(self, milliseconds: int) -> None:
        """Let time pass, and tell the watcher."""
        self.server.now += milliseconds
        self.look()
        self.catchups.tick(self.server.now / 1000)

    def at(self, *when: int) -> None:
        """Let it be a certain time in UTC."""
        self.after(int(datetime(*when, tzinfo=UTC).timestamp() * 1000) - self.server.now)  # type: ignore[misc]

    def told(self, name: str) -> list[str]:
        return [p.message for p in self.server.direct_to(name)]

    def ask(self, name: str, text: str, **more: Any) -> Outcome | None:
        """What somebody's message to the bot comes to, and do it."""
        direct = self.server.direct_channel(id_of(name))
        self.server.now += MINUTE
        root = more.pop("root", "")
        said = self.server.write(direct, name, text, root=root)
        intent = self.intent()
        ask = Ask(
            **{"asker": self.server.user(id_of(name)), "text": text, "channel_id": direct, "at": said.create_at, **more}
        )
        return self.done(name, intent.understand(ask))

    def react(self, name: str, post: Post, emoji: str) -> Outcome | None:
        return self.done(name, self.intent().understand_reaction(self.server.user(id_of(name)), post, emoji))

    def intent(self) -> CatchupIntent:
        return CatchupIntent(self.settings, self.server.client, TermEmbedder, clock=lambda: self.server.now / 1000)

    def done(self, name: str, outcome: Outcome | None) -> Outcome | None:
        for what, value in outcome.effects if outcome else ():
            self.intent().change(name, id_of(name), what, value)
        return outcome


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_who_joins_a_busy_channel_is_offered_a_briefing(world: World) -> None:
    world.server.join("product", "eve")
    world.after(5 * MINUTE)
    (offer,) = world.told("eve")
    assert "You joined [Product](https://chat.example.org/acme/channels/product): 14 posts" in offer
    assert "**yes**" in offer
    assert "**no catch-ups**" in offer


def test_who_was_added_is_offered_one_and_who_added_them_is_not(world: World) -> None:
    world.server.join("product", "eve", by="ana")
    world.after(5 * MINUTE)
    assert len(world.told("eve")) == 1
    assert world.told("ana") == []


def test_who_joined_while_nobody_listened_is_offered_one_afterwards(world: World) -> None:
    world.server.join("product", "eve", at=NOW + MINUTE)
    world.server.now += 30 * MINUTE
    world.restart()
    world.after(0)
    assert len(world.told("eve")) == 1


def test_five_channels_in_a_minute_are_one_message(world: World) -> None:
    for number in range(5):
        world.fill(f"room{number}", "ana", "ben")
        world.server.join(f"room{number}", "eve")
        world.after(10_000)
    world.after(5 * MINUTE)
    (offer,) = world.told("eve")
    assert all(f"Room{number}" in offer for number in range(5))


def test_nothing_is_sent_while_somebody_may_still_join_more(world: World) -> None:
    world.server.join("product", "eve")
    world.after(MINUTE // 2)
    assert world.told("eve") == []


def test_a_channel_that_everybody_is_put_into_asks_nobody(world: World) -> None:
    for number in range(30):
        world.server.add_user(f"new{number}")
        world.server.join("product", f"new{number}", by="ana")
        if number % 3 == 0:  # they come in several looks
            world.after(1_000)
    world.after(10 * MINUTE)
    assert not any(world.told(f"new{n}") for n in range(30))


def test_a_young_channel_has_no_past_to_be_told(world: World) -> None:
    world.server.places["product"] = replace(world.server.places["product"], create_at=NOW - HOUR)
    world.server.join("product", "eve")
    world.after(5 * MINUTE)
    assert world.told("eve") == []


def test_a_quiet_channel_is_quicker_read_than_told_of(world: World) -> None:
    world.fill("small", "ana", "ben", posts=3)
    world.server.join("small", "eve")
    world.after(5 * MINUTE)
    assert world.told("eve") == []


@pytest.mark.parametrize(
    "change", [{"is_bot": True}, {"delete_at": NOW}, {"is_guest": True, "roles": ("system_guest",)}]
)
def test_bots_guests_and_deactivated_people_are_not_written_to(world: World, change: dict[str, Any]) -> None:
    world.server.join("product", "eve")
    world.server.accounts[id_of("eve")] = replace(world.server.accounts[id_of("eve")], **change)
    world.after(5 * MINUTE)
    assert world.told("eve") == []


def test_when_the_bot_itself_is_added_nobody_is_asked(world: World) -> None:
    world.server.join("product", "meetings", by="ana")
    world.server.join("product", "eve", by="ana")
    world.after(5 * MINUTE)
    assert world.told("eve") == []
    assert world.told("meetings") == []


def test_who_left_again_before_the_message_gets_none(world: World) -> None:
    world.server.join("product", "eve")
    world.look()
    del world.server.members["product"][id_of("eve")]
    world.after(5 * MINUTE)
    assert world.told("eve") == []


def test_who_leaves_and_joins_again_is_not_asked_twice_about_the_same(world: World) -> None:
    for _ in range(3):
        world.server.join("product", "eve")
        world.after(HOUR)
    assert len(world.told("eve")) == 1


def test_an_offer_waits_for_the_morning_of_its_reader(world: World) -> None:
    world.server.accounts[id_of("eve")] = replace(world.server.accounts[id_of("eve")], timezone="America/New_York")
    world.server.join("product", "eve")  # ten in the morning in UTC, five in New York
    world.after(5 * MINUTE)
    world.at(2026, 11, 24, 12, 59)
    assert world.told("eve") == []
    world.at(2026, 11, 24, 13, 1)
    assert len(world.told("eve")) == 1


def test_what_was_held_back_is_looked_at_anew_in_the_morning(world: World) -> None:
    world.at(2026, 11, 24, 21, 0)
    world.server.join("product", "eve")
    world.after(3 * HOUR)
    # Late in the evening Eve writes in the channel herself: she has read it.
    world.server.write("product", "eve", "Thanks for having me, I have read everything.")
    world.at(2026, 11, 25, 9, 0)
    assert world.told("eve") == []


def test_a_thumb_brings_the_briefing(world: World) -> None:
    world.server.join("product", "eve")
    world.after(5 * MINUTE)
    (offer,) = world.server.direct_to("eve")
    outcome = world.react("eve", offer, "+1")
    assert outcome is not None
    assert "What it is for: All about product" in outcome.text
    assert "ship the parser with the old grammar" in outcome.text
    assert "Which customers still use the old grammar?" in outcome.text
    assert "**Whom to ask**" in outcome.text
    assert world.react("eve", offer, "+1") is None  # it was answered


def test_yes_answers_the_offer_and_nothing_else(world: World) -> None:
    assert world.ask("eve", "yes") is None
    world.server.join("product", "eve")
    world.after(5 * MINUTE)
    world.server.now += MINUTE
    world.server.write(world.server.direct_channel(id_of("eve")), "meetings", "Is this speaker Ben?")
    assert world.ask("eve", "yes") is None
    (offer,) = [p for p in world.server.direct_to("eve") if CATCHUP_PROP in p.props]
    outcome = world.ask("eve", "Yes, please!", root=offer.id)
    assert outcome is not None
    assert "Decided lately" in outcome.text


def test_anothers_offer_cannot_be_answered(world: World) -> None:
    world.server.add_user("mia")
    world.server.join("product", "eve")
    world.after(5 * MINUTE)
    (offer,) = world.server.direct_to("eve")
    assert world.react("mia", offer, "+1") is None


def test_no_is_taken_for_an_answer(world: World) -> None:
    world.server.join("product", "eve")
    world.after(5 * MINUTE)
    outcome = world.ask("eve", "no thanks")
    assert outcome is not None
    assert "Fine" in outcome.text
    assert world.ask("eve", "yes") is None


def test_who_wants_no_catch_ups_gets_none_until_they_ask_again(world: World) -> None:
    assert world.ask("eve", "no catch-ups") is not None
    world.server.join("product", "eve")
    world.after(HOUR)
    assert world.told("eve") == []
    assert world.ask("eve", "catch-ups again") is not None
    world.fill("other", "ana", "ben")
    world.server.join("other", "eve")
    world.after(HOUR)
    assert len(world.told("eve")) == 1


def test_who_stopped_all_messages_gets_none_of_these(world: World) -> None:
    FeedbackBook(world.settings).set_stopped("eve", True, user_id=id_of("eve"))
    world.server.join("product", "eve")
    world.after(HOUR)
    assert world.told("eve") == []


def test_where_it_is_switched_off_nobody_is_written_to(tmp_path: Path) -> None:
    world = World(tmp_path, mode="off")
    world.server.join("product", "eve")
    world.after(HOUR)
    assert world.told("eve") == []


def test_where_briefings_are_given_at_once_nobody_is_asked(tmp_path: Path) -> None:
    world = World(tmp_path, mode="brief")
    world.server.join("product", "eve")
    world.after(HOUR)
    (brief,) = world.told("eve")
    assert "ship the parser with the old grammar" in brief
    assert "You get this because you joined a channel" in brief


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_process_that_dies_while_it_sends_sends_once(world: World, when: str) -> None:
    world.server.join("product", "eve")
    world.look()
    world.server.dies = [when]
    with pytest.raises(SystemExit):
        world.after(5 * MINUTE)
    world.restart()
    world.after(MINUTE)
    world.after(MINUTE)
    assert len(world.told("eve")) == 1
    (offer,) = world.server.direct_to("eve")
    assert world.react("eve", offer, "+1") is not None


def test_what_was_sent_is_in_the_audit_log(world: World) -> None:
    world.server.join("product", "eve")
    world.after(HOUR)
    (line,) = [e for e in AuditLog(world.settings).entries(user="eve") if e.event == "catchup"]
    assert line.facts["kind"] == "offer"
    assert line.facts["channels"] == 1


def test_the_first_message_of_the_bot_says_who_it_is(world: World) -> None:
    world.server.join("product", "eve")
    world.after(HOUR)
    assert "I am a bot" in world.told("eve")[0]


# Coming back


def away(world: World, days: int, *, writes: int = 14) -> None:
    """Eve, of the channel, is last seen now and then not for days, in which others write; the bot listens."""
    world.server.members["product"][id_of("eve")] = 0
    world.server.active[id_of("eve")] = world.server.now
    world.after(MINUTE)
    for day in range(days):
        world.after(DAY)
        for number in range(writes // days + 1):
            world.server.write("product", "ana", f"Day {day}, note {number}: the parser is slower now.")
    world.after(HOUR)


def test_who_comes_back_after_days_is_offered_what_they_missed(world: World) -> None:
    away(world, 6)  # until Monday
    assert world.told("eve") == []
    world.server.active[id_of("eve")] = world.server.now
    world.after(MINUTE)
    world.after(10 * MINUTE)
    world.after(10 * MINUTE)
    (offer,) = world.told("eve")
    assert "Welcome back. Since Tue 24 Nov there are 18 posts in [Product]" in offer


def test_who_was_away_for_a_weekend_is_not_asked(world: World) -> None:
    away(world, 3)
    world.server.active[id_of("eve")] = world.server.now
    world.at(2026, 11, 30, 9, 0)
    assert world.told("eve") == []


def test_while_no_process_looked_nobody_is_taken_to_be_away(world: World) -> None:
    world.server.members["product"][id_of("eve")] = 0
    world.server.active[id_of("eve")] = world.server.now
    world.after(MINUTE)
    for number in range(20):
        world.server.write("product", "ana", f"Note {number}: the parser is slower now.", at=NOW + DAY)
    world.server.now += 7 * DAY
    world.server.active[id_of("eve")] = world.server.now  # as on each of these days, perhaps
    world.restart()
    world.after(HOUR)
    world.after(HOUR)
    assert world.told("eve") == []


def test_a_server_that_tells_no_status_tells_by_posts_after_twice_as_long(world: World) -> None:
    world.server.members["product"][id_of("eve")] = 0
    world.server.write("product", "eve", "I am off.")
    world.after(MINUTE)
    world.after(HOUR)
    for day in range(13):
        world.after(DAY)
        world.server.write("product", "ana", "The parser is slower now, who knows why?")
        if day == 6:
            world.server.write("product", "eve", "I am back.")
    world.after(HOUR)
    assert world.told("eve") == []  # who writes once a week may well read every day
    for _ in range(8):
        world.after(DAY)
        world.server.write("product", "ana", "The parser is slower now, who knows why?")
    world.server.write("product", "eve", "I am back.")
    world.after(HOUR)
    world.after(HOUR)
    assert len(world.told("eve")) == 1


def test_coming_back_is_told_once_for_a_stretch(world: World) -> None:
    away(world, 6)
    for _ in range(3):
        world.server.active[id_of("eve")] = world.server.now
        world.after(HOUR)
        world.restart()
    assert len(world.told("eve")) == 1


def test_of_who_is_there_only_the_last_time_is_kept_and_forgotten(world: World) -> None:
    world.server.active[id_of("ana")] = world.server.now
    world.after(HOUR)
    world.server.active[id_of("ana")] = world.server.now
    world.after(HOUR)
    book = CatchupBook(world.settings)
    assert book.held(id_of("ana")) == {"last_activity_at": world.server.now - HOUR}
    assert book.forget("ana", id_of("ana")) == 1
    assert book.held(id_of("ana")) == {}
    assert book.forget("ana", id_of("ana")) == 0


def test_that_somebody_wants_no_catch_ups_outlives_being_forgotten(world: World) -> None:
    world.server.join("product", "eve")
    world.after(HOUR)
    world.ask("eve", "no catch-ups")
    book = CatchupBook(world.settings)
    assert book.forget("eve", id_of("eve")) > 0
    assert book.of(id_of("eve")).off
    assert not book.of(id_of("eve")).told


# Asked for


def test_a_channel_that_the_asker_is_not_in_is_not_known(world: World) -> None:
    world.fill("secret", "ana", "ben")
    denied = world.ask("eve", "catch me up on ~secret")
    nowhere = world.ask("eve", "catch me up on ~nothing")
    assert denied is not None
    assert nowhere is not None
    assert denied.text.replace("secret", "X") == nowhere.text.replace("nothing", "X")


def test_catch_me_up_is_about_all_channels_of_ones_own(world: World) -> None:
    world.fill("secret", "ana", "ben")
    world.fill("other", "ana", "ben", "eve")
    world.server.members["product"][id_of("eve")] = 0
    outcome = world.ask("eve", "catch me up since 3w")
    assert outcome is not None
    assert "Product" in outcome.text
    assert "Other" in outcome.text
    assert "Secret" not in outcome.text


def ms(moment: datetime) -> int:
    """Milliseconds since the epoch."""
    return int(moment.timestamp() * 1000)


@pytest.mark.parametrize(("zone", "told"), [("Pacific/Auckland", True), ("UTC", False)])
def test_days_begin_by_the_askers_own_clock(world: World, zone: str, told: bool) -> None:
    world.server.members["product"][id_of("eve")] = 0
    world.server.accounts[id_of("eve")] = replace(world.server.accounts[id_of("eve")], timezone=zone)
    # On Sunday at noon in UTC it is Monday in Auckland.
    monday_there = datetime(2026, 11, 22, 12, tzinfo=UTC)
    world.server.now = ms(datetime(2026, 11, 25, 12, tzinfo=UTC))
    world.server.write("product", "ana", "We decided to paint the parser blue.", at=ms(monday_there))
    outcome = world.ask("eve", "catch me up on ~product since Monday")
    assert outcome is not None
    assert ("parser blue" in outcome.text) is told


def test_in_a_channel_the_slash_command_is_about_that_channel(world: World) -> None:
    world.fill("other", "ana", "ben", "eve")
    world.server.members["product"][id_of("eve")] = 0
    outcome = world.ask("eve", "catch me up", channel_id="other", command="meetings")
    assert outcome is not None
    assert "All about other" in outcome.text
    assert "Product" not in outcome.text


def test_what_was_asked_for_is_not_offered_again(world: World) -> None:
    away(world, 6)
    world.ask("eve", "catch me up on ~product")
    world.server.active[id_of("eve")] = world.server.now
    world.after(HOUR)
    assert world.told("eve") == []


def test_hostile_posts_do_nothing_in_a_briefing(world: World) -> None:
    world.server.write("product", "ana", "We decided to tell @channel about [this](https://evil.example) # now.")
    world.server.members["product"][id_of("eve")] = 0
    outcome = world.ask("eve", "brief me on ~product")
    assert outcome is not None
    assert "@channel" not in outcome.text
    assert "evil.example" not in outcome.text


def test_a_token_that_is_refused_for_a_while_drops_nobody(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.server.join("product", "eve")
    world.look()
    known = world.server.user
    monkeypatch.setattr(world.server, "user", lambda _user_id: _refuse())
    with pytest.raises(MattermostAuthError):
        world.after(MINUTE)
    monkeypatch.setattr(world.server, "user", known)
    world.after(MINUTE)
    assert len(world.told("eve")) == 1


def _refuse() -> NoReturn:
    raise MattermostAuthError("the token is refused", status=401)
