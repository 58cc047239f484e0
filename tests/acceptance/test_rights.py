"""Rights on a real server: who got what is noted, what is deleted there goes here, and channels are told once."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from pydantic import SecretStr

from meetings import notices
from meetings.audit import AuditLog
from meetings.config import Settings
from meetings.config_tables import ChannelRules
from meetings.listening import Listener
from meetings.mattermost import MattermostClient
from meetings.mattermost.client import Post, Reaction
from meetings.mattermost.delivery import KEY_PROP
from meetings.notices import NOTICE_PROP, Notices
from meetings.people import FeedbackBook
from meetings.positions import Positions
from meetings.progress import no_progress
from meetings.retention import plan_purge, purge
from meetings.sandbox import Sandbox, run_in_thread
from meetings.stages import Stages
from meetings.store import Database
from meetings.talkback import ANSWER_PROP, Talkback, Understood
from meetings.wide_settings import note_wide_settings
from tests.acceptance.conftest import Meetings
from tests.acceptance.sandbox_company import ANCHOR, COMPANY, Api, api
from tests.databases import audit_lines
from tests.kept_results import Kept, keep_recording


@dataclass
class Deaf:
    """A queue that nothing is done with."""

    gone: list[str] = field(default_factory=list)

    def put(self, post_id: str, *, cause: str = "") -> bool:
        return True

    def put_answer(self, post_id: str, user_id: str) -> bool:
        return True

    def put_reaction(self, reaction: Reaction) -> bool:
        return True

    def put_gone(self, post_id: str, channel_id: str) -> bool:
        return True


@dataclass
class World:
    """A sandbox and a data folder of a bot in it."""

    sandbox: Sandbox
    settings: Settings

    @property
    def client(self) -> MattermostClient:
        return MattermostClient(self.sandbox.url, self.sandbox.bot_token or "")

    def as_(self, name: str) -> Api:
        return api(self.sandbox, name)

    def join(self, username: str, channel: str) -> None:
        admin = self.as_("admin")
        user = admin.get(f"/users/username/{username}")["id"]
        admin.post(f"/channels/{admin.channel(channel)['id']}/members", {"user_id": user})

    def processed(self) -> Kept:
        """A recording in the product channel, and what a run over it left."""
        calls = self.as_("calls")
        place = calls.channel("product")["id"]
        file = calls.upload(place, "call.mp4", b"x")
        post = calls.write(place, "", type="custom_calls_recording", file_ids=[file["id"]])
        return keep_recording(
            self.settings, file["id"], channel_id=place, post_id=post["id"], server=self.client.url, delivered=False
        )

    def deliver(self, kept: Kept, username: str) -> str:
        stages = Stages(settings=self.settings, store=kept.store)
        return str(stages.deliver(kept.job, kept.conversation, kept.summaries, username, "").info["status"])

    def sweep(self, settings: Settings | None = None) -> None:
        """A process starts, looks through its channels, and ends."""
        positions = Positions(self.settings)
        Listener(self.client, Deaf(), positions, Notices(self.client, settings or self.settings)).sweep()

    def notices(self, channel: str = "product") -> list[Post]:
        place = self.as_("admin").channel(channel)["id"]
        admin = MattermostClient(self.sandbox.url, self.as_("admin").token)
        return [p for p in admin.latest_posts(place, 100) if NOTICE_PROP in p.props and not p.delete_at]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with run_in_thread(tmp_path / "sandbox", company=COMPANY, now=ANCHOR) as sandbox:
        settings = Settings(
            home=tmp_path / "home", mattermost_url=sandbox.url, mattermost_token=SecretStr(sandbox.bot_token or "")
        )
        made = World(sandbox=sandbox, settings=settings)
        made.join("calls", "product")
        yield made


# The audit log


def test_who_got_what_and_why_is_in_the_log_and_nothing_of_what_was_said(world: World) -> None:
    kept = world.processed()
    FeedbackBook(world.settings).set_stopped("ben", True)
    assert [world.deliver(kept, who) for who in ("ana", "ben")] == ["sent", "skipped"]
    log = AuditLog(world.settings)
    told = {e.user: (e.facts["status"], e.facts.get("reason"), e.facts["because"]) for e in log.entries()}
    assert told == {
        "ana": ("sent", None, "audience members"),
        "ben": ("skipped", "wants no messages", "audience members"),
    }
    assert {e.facts["recording"] for e in log.entries()} == {kept.job.source.media_id}
    assert b"Friday" not in b"".join(audit_lines(world.settings))
    assert log.check().broken == 0


def test_who_was_left_out_before_a_summary_was_made_is_in_the_log_too(world: World) -> None:
    kept = world.processed()
    FeedbackBook(world.settings).set_stopped("ben", True)
    Stages(settings=world.settings, store=kept.store).read_people(kept.job, kept.conversation, no_progress)
    told = {e.user: e.facts["reason"] for e in AuditLog(world.settings).entries()}
    assert told["ben"] == "wants no messages"


# What is deleted on the server


def test_a_recording_deleted_on_the_server_leaves_nothing_after_a_purge(world: World) -> None:
    kept = world.processed()
    assert not plan_purge(world.settings, client=world.client).doomed
    world.as_("admin").delete(f"/posts/{kept.job.source.post_id}")
    purge(plan_purge(world.settings, client=world.client), world.settings, by="dana")
    assert kept.of_recording() == set()


def test_a_channels_own_days_are_found_by_its_name(world: World) -> None:
    rules = {"acme/product": ChannelRules.model_validate({"retention": {"transcript": 1}})}
    kept = world.processed()
    settings = world.settings.model_copy(update={"channels": rules})
    plan = plan_purge(settings, client=world.client, now=time.time() + 2 * 86_400)
    assert kept.store.path("conversation", kept.conversation) in {one.path for one in plan.doomed}


@pytest.mark.slow
def test_a_recording_that_is_deleted_while_the_command_listens_goes_at_once(world: World, meetings: Meetings) -> None:
    kept = world.processed()
    env = {
        "MATTERMOST_URL": world.sandbox.url,
        "MATTERMOST_TOKEN": world.sandbox.bot_token or "",
        "MEETINGS_HOME": str(world.settings.home),
        "MEETINGS_NOTICE": "false",
    }
    listener = meetings.start("listen", env=env)
    assert listener.stderr is not None
    while "looked through" not in listener.stderr.readline():
        pass
    world.as_("admin").delete(f"/posts/{kept.job.source.post_id}")
    end = time.monotonic() + 120
    left = {"conversation": kept.conversation, "summaries": kept.summaries}
    while time.monotonic() < end and any(kept.store.has(kind, key) for kind, key in left.items()):
        time.sleep(0.3)
    listener.send_signal(signal.SIGINT)
    listener.communicate(timeout=120)
    assert not kept.store.has("conversation", kept.conversation)
    assert not kept.store.has("summaries", kept.summaries)


# Notices


def test_a_channel_is_told_once_what_the_bot_does(world: World) -> None:
    for _ in range(3):
        world.sweep(world.settings.model_copy(update={"contact": "privacy@acme.example"}))
    (notice,) = world.notices()
    for promise in ("**stop**", "member of this channel", "privacy@acme.example"):
        assert promise in notice.message


def test_a_channel_that_the_bot_is_added_to_is_told_and_others_are_not_told_again(world: World) -> None:
    world.sweep()
    assert world.notices("secret") == []
    world.join("meetings", "secret")
    world.sweep()
    assert (len(world.notices("secret")), len(world.notices())) == (1, 1)


def test_a_process_that_dies_after_telling_does_not_tell_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def die(self: Database, kind: str, name: str, body: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Database, "write", die)
    product = world.client.channel(world.as_("admin").channel("product")["id"])
    with pytest.raises(KeyboardInterrupt):
        Notices(world.client, world.settings).give(product)
    monkeypatch.undo()
    assert len(world.notices()) == 1
    world.sweep()
    assert len(world.notices()) == 1


def test_a_notice_that_was_deleted_stays_deleted(world: World) -> None:
    world.sweep()
    world.as_("admin").delete(f"/posts/{world.notices()[0].id}")
    world.sweep()
    assert world.notices() == []


@pytest.mark.parametrize(
    "change",
    [
        {"notice": False},
        {"audience": "nobody"},
        {"channels": {"acme/product": ChannelRules(audience="nobody")}},
    ],
    ids=["off", "nobody", "nobody here"],
)
def test_no_notice_where_none_is_wanted_or_nobody_gets_anything(world: World, change: dict[str, object]) -> None:
    world.sweep(world.settings.model_copy(update=change))
    assert world.notices() == []


def test_a_direct_channel_is_not_told(world: World) -> None:
    direct = world.client.direct_channel(world.client.user_by_username("ana").id)
    world.as_("ana").write(direct, "hello")
    world.sweep()
    assert not [p for p in world.client.latest_posts(direct, 50) if NOTICE_PROP in p.props]


def test_a_notice_says_where_lines_of_a_call_are_sent() -> None:
    settings = Settings(language_model="server:big", llm_url="https://gpu.example.org/v1")
    assert "gpu" in notices.notice(settings, "members")
    assert "sent to" not in notices.notice(Settings(), "members")


def test_a_contact_pings_nobody() -> None:
    text = notices.notice(Settings(contact="`@all`\n# x"), "members")
    assert text.endswith("`@all # x`.")


def test_a_notice_is_in_the_audit_log(world: World) -> None:
    world.sweep()
    told = {(e.event, e.facts["channel"]) for e in AuditLog(world.settings).entries()}
    assert ("notice", world.as_("admin").channel("product")["id"]) in told
    noted = Database.of(world.settings).listed("notices")
    assert {channel for _, channel in told} == {one.name for one in noted}


# What people answer


def say(world: World, username: str, text: str, *, root_id: str = "") -> str:
    """Somebody writes to the bot, and it does what they ask; its answer."""
    direct = world.client.direct_channel(world.client.user_by_username(username).id)
    said = world.as_(username).write(direct, text, **({"root_id": root_id} if root_id else {}))
    talkback = Talkback(world.settings, world.client)
    understood = talkback.understand(world.client.post(said["id"]))
    assert understood is not None
    talkback.say(understood, talkback.change(understood))
    (answer,) = [p for p in world.client.thread(said["id"]) if p.props.get(ANSWER_PROP) == said["id"]]
    return answer.message


def test_who_opts_out_and_back_in_is_in_the_log_and_what_they_like_is_not(world: World) -> None:
    for text in ("stop", "start", "more about zebras"):
        say(world, "ana", text)
    log = AuditLog(world.settings)
    assert [(e.event, e.user, e.by) for e in log.entries()] == [
        ("stopped", "ana", "ana"),
        ("started", "ana", "ana"),
        ("wish", "ana", "ana"),
    ]
    assert b"zebra" not in b"".join(audit_lines(world.settings))


def test_who_said_whose_voice_it_is_is_in_the_log(world: World) -> None:
    kept = world.processed()
    world.deliver(kept, "ana")
    direct = world.client.direct_channel(world.client.user_by_username("ana").id)
    summary = next(p for p in world.client.latest_posts(direct, 9) if KEY_PROP in p.props)
    talkback = Talkback(world.settings, world.client)
    talkback.change(
        Understood(
            username="ana",
            user_id=world.client.user_by_username("ana").id,
            channel_id=direct,
            root_id=summary.id,
            answers="x" * 26,
            text="Thank you",
            voice=(kept.job.source.media_id, "S2", "chloe"),
        )
    )
    corrections = [e for e in AuditLog(world.settings).entries() if e.event == "correction"]
    assert {(e.user, e.by, e.facts["voice"]) for e in corrections} == {("chloe", "ana", "S2")}


def test_a_question_about_a_call_whose_transcript_was_purged_gets_an_answer(world: World) -> None:
    kept = world.processed()
    world.deliver(kept, "ana")
    direct = world.client.direct_channel(world.client.user_by_username("ana").id)
    summary = next(p for p in world.client.latest_posts(direct, 9) if KEY_PROP in p.props)
    kept.store.path("conversation", kept.conversation).unlink()
    assert "do not know which call" in say(world, "ana", "why this?", root_id=summary.id)


def test_settings_that_send_more_to_more_are_in_the_log_when_a_service_starts_with_them(tmp_path: Path) -> None:
    before = Settings(home=tmp_path)
    after = Settings(home=tmp_path, llm_url="https://gpu.example.org/v1", llm_allowed_hosts=("gpu.example.org",))
    for settings in (before, before, after):
        note_wide_settings(settings)
    told = [e.facts.get("llm_allowed_hosts") for e in AuditLog(before).entries()]
    assert told == [None, "gpu.example.org"]
