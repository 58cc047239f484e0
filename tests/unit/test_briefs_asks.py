"""Who gets a brief, and what it takes until something of a confidential channel is read outside it."""

from __future__ import annotations

import re
import time
from dataclasses import replace
from pathlib import Path
from typing import NoReturn, cast

import pytest

from meetings.audit import AuditLog
from meetings.briefs import BriefIntent, Incidents, Watches
from meetings.briefs.access import NO_TARGET, NOTHING
from meetings.briefs.drafts import NO_DRAFT
from meetings.briefs.watches import ENDED
from meetings.config import Settings
from meetings.errors import IncidentError, MattermostError, MattermostNotFoundError
from meetings.intents import Ask
from meetings.mattermost.client import MattermostClient, Post
from meetings.watchers import News
from tests.unit.incident_server import PEOPLE, IncidentServer

NOW = 1_700_100_000.0
SECRET = "The root cause is the connection pool of db-01."
IMPACT = "89 buildings are without data."


class Room:
    """An incident's channel with a few posts in it, and people who ask."""

    def __init__(self, folder: Path) -> None:
        self.server = IncidentServer()
        self.settings = Settings(home=folder)
        self.now = NOW
        self.server.say("ana", SECRET)
        self.server.say("ben", "Customers call us, 89 buildings are without data.")
        self.server.say("ana", "Local alarms still work.")

    @property
    def client(self) -> MattermostClient:
        return cast(MattermostClient, self.server)

    @property
    def intent(self) -> BriefIntent:
        return BriefIntent(self.settings, self.client, now=lambda: self.now)

    @property
    def watches(self) -> Watches:
        return Watches(self.settings, self.client, now=lambda: self.now)

    def slash(self, who: str, text: str, *, channel: str = "inc", command: str = "incident") -> str:
        team = self.server.channels[channel].team_id
        return self.ask(Ask(asker=PEOPLE[who], text=text, channel_id=channel, team_id=team, command=command))

    def direct(self, who: str, text: str, *, channel: str = "") -> str:
        return self.ask(Ask(asker=PEOPLE[who], text=text, channel_id=channel or f"dm-{who}"))

    def ask(self, ask: Ask) -> str:
        """What they are answered; what it changes is done twice, as after a crash."""
        try:
            found = self.intent.understand(ask)
            if found is None:
                return ""
            for _ in range(2):
                for what, value in found.effects:
                    self.intent.change(ask.asker.username, ask.asker.id, what, value)
        except IncidentError as error:
            return str(error)
        return found.text

    def draft(self, who: str = "ana", target: str = "~support") -> str:
        """The code of a new draft."""
        match = re.search(r"`approve ([a-z0-9]{8})`", self.slash(who, f"share customers to {target}"))
        assert match is not None
        return match[1]

    def news(self) -> None:
        self.watches.look(News(channel=self.server.channels["inc"], posts=(), since=0))


@pytest.fixture
def room(tmp_path: Path) -> Room:
    return Room(tmp_path)


def test_a_member_gets_a_brief_where_they_type_it(room: Room) -> None:
    assert "connection pool" in room.slash("ana", "brief engineering")


def test_a_brief_is_asked_for_by_the_other_command_and_by_direct_message_too(room: Room) -> None:
    asked = (
        room.slash("ana", "brief engineering", command="meetings"),
        room.direct("ana", "brief engineering on ~incident-01"),
        room.direct("ana", "Brief engineering on acme/incident-01."),
    )
    assert all("connection pool" in a for a in asked)


def test_what_is_no_request_for_a_brief_is_left_to_others(room: Room) -> None:
    texts = ("stop", "more about brief customers", "shorter", "share your thoughts", "approve it", "brief me")
    assert [room.direct("ana", text) for text in texts] == [""] * len(texts)


def test_the_command_alone_tells_what_it_understands(room: Room) -> None:
    assert "brief engineering|customers|pr" in room.slash("ana", "help")


@pytest.mark.parametrize("text", ["brief engineering", "watch engineering", "share customers to ~support", "stop"])
def test_who_is_not_in_the_channel_learns_nothing(room: Room, text: str) -> None:
    assert room.slash("zoe", text) == NOTHING
    assert room.server.read == 0


def test_a_channel_one_is_not_in_reads_like_one_that_is_not_there(room: Room) -> None:
    asked = [room.direct("zoe", f"brief engineering on ~{name}") for name in ("incident-01", "no-such-thing")]
    assert asked == [NOTHING, NOTHING]


def test_a_channel_the_bot_is_not_in_reads_like_one_that_is_not_there(room: Room) -> None:
    assert room.slash("zoe", "brief pr", channel="sec") == NOTHING


def test_who_left_a_moment_ago_gets_none(room: Room) -> None:
    room.slash("ben", "brief engineering")
    room.server.members["inc"].remove("ben")
    assert room.slash("ben", "brief engineering") == NOTHING


def test_a_brief_is_not_told_where_others_read_the_answer(room: Room) -> None:
    answer = room.direct("ana", "brief engineering on ~incident-01", channel="grp")
    assert "connection pool" not in answer
    assert answer != ""


def test_the_second_brief_reads_only_what_is_new(room: Room) -> None:
    for _ in range(50):
        room.server.say("ben", "I am still looking.")
    incidents = Incidents(room.settings, room.client)
    incidents.look(room.server.channels["inc"])
    room.server.say("ana", "The rollback is done.")
    room.server.read = 0
    found = incidents.look(room.server.channels["inc"])
    assert (found.read, found.whole, room.server.read) == (1, False, 2)  # of the last stretch, its newest post again


def test_what_was_deleted_is_in_no_later_brief(room: Room) -> None:
    room.slash("ana", "brief engineering")
    room.server.delete(room.server.posts[0])
    assert "connection pool" not in room.slash("ana", "brief engineering")


def test_what_is_kept_of_a_channel_cannot_be_read_in_the_database(room: Room) -> None:
    room.slash("ana", "brief engineering")
    room.draft()
    kept = b"".join(p.read_bytes() for p in room.settings.home.rglob("*") if p.is_file() and "sqlite" in p.name)
    assert b"incident" in kept
    assert b"connection pool" not in kept
    assert b"89 buildings" not in kept


def test_what_the_bot_wrote_in_the_channel_is_no_part_of_the_incident(room: Room) -> None:
    room.server.say("bot", "The whole platform is down.")
    assert "platform" not in room.slash("ana", "brief engineering")


def test_words_of_ones_own_keep_how_they_begin(room: Room) -> None:
    code = room.draft()
    assert "> Update: all is back" in room.direct("ana", f"replace {code}: Update: all is back")


def test_a_lost_key_costs_only_a_new_reading(room: Room) -> None:
    room.slash("ana", "brief engineering")
    (room.settings.home / "voices" / "key").unlink()
    assert "connection pool" in room.slash("ana", "brief engineering")


# What goes outside


def test_a_draft_is_shown_and_nothing_is_posted(room: Room) -> None:
    assert IMPACT.split(" ", 1)[1] in room.slash("ana", "share customers to ~support")
    assert room.server.seen_in("sup") == []


def test_what_is_approved_is_posted_once_and_to_the_letter(room: Room) -> None:
    answer = room.slash("ana", "share customers to ~support")
    code = re.search(r"approve ([a-z0-9]{8})", answer)[1]  # type: ignore[index]
    shown = "\n".join(line[2:] for line in answer.splitlines() if line.startswith(">"))
    for _ in range(2):
        room.direct("ana", f"approve {code}")
    assert room.server.seen_in("sup") == [shown]


def test_a_post_that_was_made_and_not_noted_is_not_made_again(room: Room) -> None:
    code = room.draft()
    waiting = room.intent._drafts.of("ana", code)
    room.direct("ana", f"approve {code}")
    room.intent._drafts._sealed.write(f"ana/{code}", {f: getattr(waiting, f) for f in type(waiting).__slots__})
    room.direct("ana", f"approve {code}")
    assert len(room.server.seen_in("sup")) == 1


def test_what_is_posted_leads_nowhere_into_the_channel(room: Room) -> None:
    room.direct("ana", f"approve {room.draft()}")
    (posted,) = [p for p in room.server.posts if p.channel_id == "sup"]
    assert all(word not in posted.message + str(posted.props) for word in ("/pl/", "incident", "inc'", "p0", "http"))


def test_the_posting_is_in_the_audit_log(room: Room) -> None:
    room.direct("ana", f"approve {room.draft()}")
    (entry,) = [e for e in AuditLog(room.settings).entries() if e.event == "incident_shared"]
    assert (entry.user, entry.facts["channel"], entry.facts["source"]) == ("ana.ruiz", "sup", "inc")


def test_a_discarded_draft_cannot_be_approved(room: Room) -> None:
    code = room.draft()
    room.direct("ana", f"discard {code}")
    assert room.direct("ana", f"approve {code}") == NO_DRAFT
    assert room.server.seen_in("sup") == []


def test_replaced_words_are_shown_again_cleaned_and_posted_only_when_approved(room: Room) -> None:
    code = room.draft()
    mine = "@channel Ana Ruiz fixed db-01, see http://chat.example/acme/pl/p0 **now**\n- 89 buildings are back"
    shown = room.direct("ana", f"replace {code}: {mine}")
    assert room.server.seen_in("sup") == []
    assert "engineering fixed one of our systems" in shown
    room.direct("ana", f"approve {code}")
    (posted,) = room.server.seen_in("sup")
    assert all(word not in posted for word in ("@", "Ana", "Ruiz", "db-01", "http", "**"))
    assert "- 89 buildings are back" in posted


def test_another_persons_code_is_no_code(room: Room) -> None:
    code = room.draft("ana")
    answers = [room.direct("ben", f"{word} {code}") for word in ("approve", "discard", "replace")]
    assert answers == [NO_DRAFT] * 3
    assert room.server.seen_in("sup") == []
    assert room.direct("ana", f"approve {code}").startswith("Posted")


def test_a_code_of_yesterday_is_no_code(room: Room) -> None:
    code = room.draft()
    room.now += 24 * 3600
    assert room.direct("ana", f"approve {code}") == NO_DRAFT
    assert room.server.seen_in("sup") == []


@pytest.mark.parametrize("left", ["inc", "sup"])
def test_who_has_left_either_channel_cannot_approve(room: Room, left: str) -> None:
    code = room.draft()
    room.server.members[left].remove("ana")
    room.direct("ana", f"approve {code}")
    assert room.server.seen_in("sup") == []


def test_who_leaves_between_the_word_and_the_posting_posts_nothing(room: Room) -> None:
    code = room.draft()
    room.server.members["inc"].remove("ana")
    with pytest.raises(IncidentError):
        room.intent.change("ana.ruiz", "ana", "approve", code)
    assert room.server.seen_in("sup") == []


def test_a_word_in_the_channel_approves_nothing(room: Room) -> None:
    code = room.draft()
    room.server.say("ana", f"approve {code}")
    room.news()
    room.slash("ana", "brief engineering")
    assert room.slash("ana", f"approve {code}").startswith("**/incident**")
    room.direct("ana", f"approve {code}", channel="grp")
    assert room.server.seen_in("sup") == []


@pytest.mark.parametrize("target", ["~partners", "partner/~partners", "~incident-01", "~secret", "~nowhere"])
def test_a_target_of_another_team_or_that_one_is_not_in_is_none(room: Room, target: str) -> None:
    assert room.slash("ana", f"share customers to {target}") == NO_TARGET


def test_a_target_that_moved_to_another_team_gets_nothing(room: Room) -> None:
    code = room.draft()
    room.server.channels["sup"] = replace(room.server.channels["sup"], team_id="u")
    room.direct("ana", f"approve {code}")
    assert room.server.seen_in("sup") == []


def test_news_does_not_change_a_draft_and_is_told_before_it_goes_out(room: Room) -> None:
    code = room.draft()
    room.server.say("ben", "Now customers tell us that 12 buildings are without data.")
    told = room.direct("ana", f"approve {code}")
    assert "There is news" in told
    assert room.server.seen_in("sup") == []
    room.direct("ana", f"approve {code}")
    (posted,) = room.server.seen_in("sup")
    assert "89 buildings" in posted
    assert "12 buildings" not in posted


def test_what_is_no_news_for_that_text_holds_up_nothing(room: Room) -> None:
    code = room.draft()
    room.server.say("ana", "I suspect the cache of node-7.")
    assert room.direct("ana", f"approve {code}").startswith("Posted")


# Kept up to date


def briefs(room: Room, who: str = "ana") -> list[str]:
    return room.server.seen_in(f"dm-{who}")


def test_a_watched_brief_is_one_message_that_follows_the_channel(room: Room) -> None:
    room.slash("ana", "watch engineering")
    room.server.say("ana", "The rollback is done.")
    room.server.say("ben", "Customers say it works again.")
    room.news()
    (message,) = briefs(room)
    assert "2 new posts" in message
    assert "rollback" in message


def test_nothing_new_edits_nothing(room: Room) -> None:
    room.slash("ana", "watch engineering")
    (before,) = [p for p in room.server.posts if p.channel_id == "dm-ana"]
    room.server.say("ben", "thanks!")
    room.news()
    room.watches.tick(NOW)
    (after,) = [p for p in room.server.posts if p.channel_id == "dm-ana"]
    assert after == before


def test_who_left_keeps_a_message_that_says_nothing(room: Room) -> None:
    room.slash("ana", "watch engineering")
    room.server.members["inc"].remove("ana")
    room.news()
    assert briefs(room) == [ENDED]


def test_who_left_unnoticed_is_found_within_the_hour(room: Room) -> None:
    room.slash("ana", "watch engineering")
    room.server.members["inc"].remove("ana")
    room.watches.tick(NOW)
    assert briefs(room) == [ENDED]


def test_a_stopped_brief_stays_as_it_is(room: Room) -> None:
    room.slash("ana", "watch engineering")
    room.slash("ana", "stop")
    before = briefs(room)
    room.server.say("ana", "The rollback is done.")
    room.news()
    assert briefs(room) == before


def test_a_brief_that_its_reader_deleted_is_not_written_again(room: Room) -> None:
    room.slash("ana", "watch engineering")
    (message,) = [p for p in room.server.posts if p.channel_id == "dm-ana"]
    room.server.delete(message)
    room.server.say("ana", "The rollback is done.")
    room.news()
    assert briefs(room) == []


def test_what_is_kept_of_a_channel_goes_with_it(room: Room) -> None:
    room.slash("ana", "brief engineering")
    room.server.channels["inc"] = replace(room.server.channels["inc"], delete_at=1)
    room.watches.tick(NOW)
    assert Incidents(room.settings, room.client)._sealed.names() == ()


def test_drafts_of_yesterday_are_removed(room: Room) -> None:
    code = room.draft()
    room.now = time.time() + 25 * 3600
    room.watches.tick(room.now)
    assert room.intent._drafts._sealed.has(f"ana/{code}") is False


def test_a_brief_whose_reader_is_no_account_any_more_keeps_no_other_from_news(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    room.slash("ana", "watch engineering")
    room.slash("ben", "watch engineering")
    known = room.server.user
    monkeypatch.setattr(room.server, "user", lambda user_id: _gone() if user_id == "ana" else known(user_id))
    room.server.say("ana", IMPACT)
    room.news()
    room.watches.tick(NOW)
    assert IMPACT in room.server.seen_in("dm-ben")[-1]


def _gone() -> NoReturn:
    raise MattermostNotFoundError("no such account", status=404)


def test_a_message_that_cannot_be_edited_keeps_no_other_from_news(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    room.slash("ana", "watch engineering")
    room.slash("ben", "watch engineering")
    known = room.server.edit_post
    refused = room.server.post(next(p.id for p in room.server.posts if p.channel_id == "dm-ana"))

    def edit_post(post_id: str, message: str) -> Post:
        if post_id == refused.id:
            raise MattermostError("too old to be edited", status=400)
        return known(post_id, message)

    monkeypatch.setattr(room.server, "edit_post", edit_post)
    room.server.say("ana", IMPACT)
    room.news()
    assert IMPACT in room.server.seen_in("dm-ben")[-1]
