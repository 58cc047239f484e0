"""Recordings are heard of as they are posted, and found afterwards when nobody listened."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import pytest

from meetings.config import Settings
from meetings.doctor import prove_socket
from meetings.errors import MattermostError, MattermostUnreachableError
from meetings.listening import Listener, listen_forever
from meetings.mattermost import MattermostClient
from meetings.mattermost.client import Channel, Reaction
from meetings.mattermost.delivery import FIRST_PROP, KEY_PROP
from meetings.positions import Positions
from meetings.sandbox import Sandbox, post_call, run_in_thread
from meetings.talkback import ANSWER_PROP
from tests.acceptance.conftest import SAMPLE, Meetings
from tests.acceptance.sandbox_company import ANCHOR, COMPANY, Api, api
from tests.ports import held_port

T = TypeVar("T")


@dataclass
class Noted:
    """A queue that notes what is put, each once."""

    put_: list[tuple[str, str]] = field(default_factory=list)

    answers: list[str] = field(default_factory=list)
    reactions: list[Reaction] = field(default_factory=list)
    gone: list[tuple[str, str]] = field(default_factory=list)

    def put(self, post_id: str, *, cause: str = "") -> bool:
        if (post_id, cause) in self.put_:
            return False
        self.put_.append((post_id, cause))
        return True

    def put_answer(self, post_id: str, user_id: str) -> bool:
        return self._note(self.answers, post_id)

    def put_reaction(self, reaction: Reaction) -> bool:
        return self._note(self.reactions, reaction)

    def put_gone(self, post_id: str, channel_id: str) -> bool:
        return self._note(self.gone, (post_id, channel_id))

    def _note(self, noted: list[T], what: T) -> bool:
        if what in noted:  # heard by the socket and found by the look that went on meanwhile
            return False
        noted.append(what)
        return True


@dataclass
class World:
    """A running sandbox, its folder, and a listener's memory."""

    sandbox: Sandbox
    folder: Path
    noted: Noted = field(default_factory=Noted)

    @property
    def client(self) -> MattermostClient:
        return MattermostClient(self.sandbox.url, self.sandbox.bot_token)

    def listener(self) -> Listener:
        return Listener(self.client, self.noted, Positions(Settings(home=self.folder)))

    def as_(self, name: str) -> Api:
        return api(self.sandbox, name)

    def join(self, username: str, channel: str) -> None:
        admin = self.as_("admin")
        user = admin.get(f"/users/username/{username}")["id"]
        admin.post(f"/channels/{admin.channel(channel)['id']}/members", {"user_id": user})

    def recording(self, channel: str = "product") -> str:
        calls = self.as_("calls")
        place = calls.channel(channel)["id"]
        file = calls.upload(place, "call.mp4", b"x")
        return str(calls.write(place, "", type="custom_calls_recording", file_ids=[file["id"]])["id"])

    def while_listening(self, act: Callable[[], object], until: Callable[[], bool], *, seconds: float = 120) -> None:
        """Listen over the real socket while something happens, until something holds."""
        me, hub = self.client.me().id, self.sandbox.world.hub

        async def until_it_is(what: Callable[[], bool]) -> None:
            end = time.monotonic() + seconds
            while time.monotonic() < end and not await asyncio.to_thread(what):
                await asyncio.sleep(0.1)

        async def run() -> None:
            listening = asyncio.create_task(
                listen_forever(self.listener(), url=self.sandbox.url, token=self.sandbox.bot_token or "")
            )
            await until_it_is(lambda: any(one.user_id == me for one in tuple(hub._connections)))
            await asyncio.to_thread(act)
            await until_it_is(until)
            listening.cancel()

        asyncio.run(run())


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with run_in_thread(tmp_path / "sandbox", company=COMPANY, now=ANCHOR) as sandbox:
        made = World(sandbox=sandbox, folder=tmp_path)
        made.join("calls", "product")
        made.listener().sweep()
        yield made


def test_a_recording_is_heard_of_when_it_is_posted(world: World) -> None:
    posted: list[str] = []
    world.while_listening(lambda: posted.append(world.recording()), lambda: bool(world.noted.put_))
    assert world.noted.put_ == [(posted[0], "")]


def test_what_was_posted_while_nobody_listened_is_found(world: World) -> None:
    first, second = world.recording(), world.recording()
    assert world.listener().sweep().queued == 2
    assert world.noted.put_ == [(first, ""), (second, "")]


def test_a_recording_that_is_deleted_is_heard_of(world: World) -> None:
    post = world.recording()
    world.while_listening(lambda: world.as_("admin").delete(f"/posts/{post}"), lambda: bool(world.noted.gone))
    assert [gone for gone, _ in world.noted.gone] == [post]


def test_a_recording_that_was_deleted_while_nobody_listened_is_found(world: World) -> None:
    post = world.recording()
    world.listener().sweep()
    world.as_("admin").delete(f"/posts/{post}")
    world.listener().sweep()
    assert post in [gone for gone, _ in world.noted.gone]


def test_a_second_look_finds_nothing_new_and_a_third_does_not_even_look(world: World) -> None:
    world.recording()
    now = 0.0
    positions = Positions(Settings(home=world.folder))
    listener = Listener(world.client, world.noted, positions, clock=lambda: now)
    listener.sweep()
    now = 5.0
    assert listener.sweep().queued == 0
    # Nothing but the queue's memory stood between a recording that was removed here and its coming back.
    world.noted.put_.clear()
    listener.sweep()
    assert world.noted.put_ == []


def test_what_is_posted_just_after_a_look_is_not_missed(world: World) -> None:
    posted = []
    for _ in range(4):
        posted.append(world.recording())
        world.listener().sweep()
        world.listener().sweep()
    assert [post for post, _ in world.noted.put_] == posted


def test_a_channel_that_fails_keeps_no_other_from_being_looked_through(world: World) -> None:
    class Failing(Listener):
        def _sweep_channel(self, channel: Channel, *, first_ever: bool, edits: bool) -> tuple[int, int]:
            if channel.name == "town-square":
                raise MattermostError("broken", status=500)
            return super()._sweep_channel(channel, first_ever=first_ever, edits=edits)

    world.join("meetings", "secret")
    post = world.recording()
    listener = Failing(world.client, world.noted, Positions(Settings(home=world.folder)))
    with pytest.raises(MattermostError, match="broken"):
        listener.sweep()
    assert (post, "") in world.noted.put_


def test_five_hundred_recordings_are_found_in_one_look(world: World) -> None:
    calls = world.as_("calls")
    place = calls.channel("product")["id"]
    for _ in range(500):
        file = calls.upload(place, "call.mp4", b"x")
        calls.write(place, "", type="custom_calls_recording", file_ids=[file["id"]])
    assert world.listener().sweep().queued == 500


def test_a_channel_that_the_bot_is_not_in_is_not_heard(world: World) -> None:
    world.join("calls", "secret")
    world.recording("secret")
    assert world.listener().sweep().queued == 0


def test_a_bot_that_is_invited_hears_of_what_is_posted_from_then_on(world: World) -> None:
    world.join("calls", "secret")
    before = world.recording("secret")
    time.sleep(0.05)
    posted: list[str] = []

    def act() -> None:
        world.join("meetings", "secret")
        posted.append(world.recording("secret"))

    world.while_listening(act, lambda: bool(world.noted.put_))
    assert {post for post, _ in world.noted.put_} == {posted[0]}
    assert before != posted[0]


def test_a_bot_that_was_invited_while_nobody_listened_finds_what_came_after(world: World) -> None:
    world.join("calls", "secret")
    world.recording("secret")
    time.sleep(0.05)
    world.join("meetings", "secret")
    after = world.recording("secret")
    world.listener().sweep()
    assert world.noted.put_ == [(after, "")]


def test_the_first_start_ever_looks_back_one_day_and_no_further(tmp_path: Path) -> None:
    with run_in_thread(tmp_path / "sandbox", company=COMPANY, now=ANCHOR) as sandbox:
        world = World(sandbox=sandbox, folder=tmp_path)
        world.join("calls", "product")
        recent = world.recording()
        world.listener().sweep()
    assert world.noted.put_ == [(recent, "")]


class AwayBefore(Listener):
    """A listener whose first look ends before a channel: the server goes away."""

    channel = ""

    def _sweep_channel(self, channel: Channel, *, first_ever: bool, edits: bool) -> tuple[int, int]:
        if channel.name == self.channel:
            raise MattermostUnreachableError("away")
        return super()._sweep_channel(channel, first_ever=first_ever, edits=edits)


def half_a_first_look(world: World, *, before: str) -> None:
    """Look through some channels, and not through the one given."""
    positions = Positions(Settings(home=world.folder))
    listener = AwayBefore(world.client, world.noted, positions)
    listener.channel = before
    with pytest.raises(MattermostUnreachableError):
        listener.sweep()
    channels = {c.name: positions.of(c.id) for c in world.client.my_channels_everywhere()}
    assert channels[before] is None, "it was to be left for the next look"
    assert any(at is not None for at in channels.values()), "nothing was looked through before it"


def test_a_first_look_that_ends_halfway_loses_nothing_of_the_other_channels(tmp_path: Path) -> None:
    with run_in_thread(tmp_path / "sandbox", company=COMPANY, now=ANCHOR) as sandbox:
        world = World(sandbox=sandbox, folder=tmp_path)
        world.join("calls", "product")
        recent = world.recording()
        half_a_first_look(world, before="product")
        world.listener().sweep()
    assert world.noted.put_ == [(recent, "")]


def test_a_first_look_that_ends_halfway_goes_no_further_back_in_the_other_channels(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("meetings.listening.FIRST_LOOK", 0)  # what is older than the last post counts as long ago
    with run_in_thread(tmp_path / "sandbox", company=COMPANY, now=ANCHOR) as sandbox:
        world = World(sandbox=sandbox, folder=tmp_path)
        world.join("calls", "secret")
        world.join("meetings", "secret")
        world.recording("secret")
        half_a_first_look(world, before="secret")
        world.listener().sweep()
    assert world.noted.put_ == []


def test_a_transcription_that_comes_later_is_news_of_its_recording(world: World) -> None:
    vtt = world.folder / "t.vtt"
    vtt.write_text("WEBVTT\n\n00:00:00.000 --> 00:00:01.000\n<v Ana Ruiz>(Ana Ruiz) Hello.\n", encoding="utf-8")
    sound = world.folder / "call.wav"
    sound.write_bytes(b"RIFF")
    call = post_call(
        world.sandbox.tokens, sound, channel="product", title="W", started_by="ana", duration=1.0, transcription=vtt
    )
    world.listener().sweep()
    news = {cause for post, cause in world.noted.put_ if post == call.recording_post_id}
    assert call.transcription_post_id in news


def test_captions_that_come_by_an_edit_are_news_of_their_recording(world: World) -> None:
    post = world.recording()
    world.listener().sweep()
    calls = world.as_("calls")
    file = calls.upload(calls.channel("product")["id"], "t.vtt", b"WEBVTT")
    captions = [{"title": "en", "language": "en", "file_id": file["id"]}]

    def act() -> None:
        calls.put(f"/posts/{post}/patch", {"props": {"captions": captions}})

    world.while_listening(act, lambda: len(world.noted.put_) == 2)
    assert world.noted.put_ == [(post, ""), (post, file["id"])]


def test_captions_that_came_while_nobody_listened_are_found_after_the_gap(world: World) -> None:
    post = world.recording()
    now = 0.0
    positions = Positions(Settings(home=world.folder))
    listener = Listener(world.client, world.noted, positions, clock=lambda: now)
    listener.sweep()
    now = 5.0
    listener.sweep()
    calls = world.as_("calls")
    file = calls.upload(calls.channel("town-square")["id"], "t.vtt", b"WEBVTT")
    captions = [{"title": "en", "language": "en", "file_id": file["id"]}]
    calls.put(f"/posts/{post}/patch", {"props": {"captions": captions}})
    listener.sweep(edits=True)
    assert world.noted.put_ == [(post, ""), (post, file["id"])]


def test_a_call_of_a_group_is_heard_of(world: World) -> None:
    ids = {n: world.client.user_by_username(n).id for n in ("ana", "ben", "meetings", "calls")}
    group = world.as_("ana").post("/channels/group", [ids["ana"], ids["ben"], ids["meetings"], ids["calls"]])
    world.as_("ana").write(group["id"], "hello")
    world.listener().sweep()
    calls = world.as_("calls")
    file = calls.upload(group["id"], "call.mp4", b"x")
    post = calls.write(group["id"], "", type="custom_calls_recording", file_ids=[file["id"]])
    world.listener().sweep()
    assert world.noted.put_ == [(post["id"], "")]


def test_a_call_of_a_group_that_began_while_nobody_listened_is_found(world: World) -> None:
    ids = {n: world.client.user_by_username(n).id for n in ("ana", "ben", "meetings", "calls")}
    group = world.as_("ana").post("/channels/group", [ids["ana"], ids["ben"], ids["meetings"], ids["calls"]])
    calls = world.as_("calls")
    file = calls.upload(group["id"], "call.mp4", b"x")
    post = calls.write(group["id"], "", type="custom_calls_recording", file_ids=[file["id"]])
    world.as_("ana").write(group["id"], "that was it")
    world.listener().sweep()
    assert world.noted.put_ == [(post["id"], "")]


def test_what_people_write_to_the_bot_is_queued_and_what_it_writes_itself_is_not(world: World) -> None:
    ana = world.client.user_by_username("ana").id
    direct = world.client.direct_channel(ana)
    said: list[str] = []

    def act() -> None:
        world.client.create_post(direct, "Your summary")
        said.append(world.as_("ana").write(direct, "shorter")["id"])

    world.while_listening(act, lambda: bool(world.noted.answers))
    assert world.noted.answers == said


def test_what_was_written_to_the_bot_while_it_was_away_is_found(world: World) -> None:
    direct = world.client.direct_channel(world.client.user_by_username("ana").id)
    world.client.create_post(direct, "Your summary")
    world.listener().sweep()
    time.sleep(0.05)
    said = world.as_("ana").write(direct, "shorter")["id"]
    world.listener().sweep()
    assert world.noted.answers == [said]


def test_an_answer_in_a_direct_channel_that_was_never_looked_through_is_found(world: World) -> None:
    direct = world.client.direct_channel(world.client.user_by_username("ana").id)
    world.client.create_post(direct, "Your summary")
    said = world.as_("ana").write(direct, "stop")["id"]
    world.listener().sweep()
    assert world.noted.answers == [said]


def test_an_emoji_on_a_message_is_queued(world: World) -> None:
    ana = world.client.user_by_username("ana").id
    post = world.client.create_post(world.client.direct_channel(ana), "Your summary")

    def act() -> None:
        for emoji in ("tada", "eyes"):
            world.as_("ana").post("/reactions", {"user_id": ana, "post_id": post.id, "emoji_name": emoji})

    world.while_listening(act, lambda: bool(world.noted.reactions))
    assert [(r.user_id, r.emoji_name) for r in world.noted.reactions] == [(ana, "eyes")]


def test_somebody_elses_post_that_names_a_call_queues_nothing(world: World) -> None:
    ana = world.as_("ana")
    ana.write(ana.channel("product")["id"], "hi", props={"call_post_id": "k" * 26}, type="custom_calls_transcription")
    assert world.listener().sweep().queued == 0


def test_a_look_whether_the_socket_opens_ends_it_without_a_complaint(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    assert prove_socket(world.sandbox.url, world.sandbox.bot_token or "").state == "ok"
    assert [record.getMessage() for record in caplog.records if record.name == "asyncio"] == []


def test_after_a_restart_of_the_server_listening_goes_on(tmp_path: Path) -> None:
    with held_port() as port:
        listened_on_after_a_restart(tmp_path, port)


def listened_on_after_a_restart(tmp_path: Path, port: int) -> None:
    folder = tmp_path / "sandbox"
    with run_in_thread(folder, company=COMPANY, now=ANCHOR, port=port) as sandbox:
        world = World(sandbox=sandbox, folder=tmp_path)
        world.join("calls", "product")
        world.listener().sweep()

    async def run() -> list[tuple[str, str]]:
        listening = asyncio.create_task(
            listen_forever(world.listener(), url=world.sandbox.url, token=world.sandbox.bot_token or "")
        )
        await asyncio.sleep(1.0)  # nobody answers

        def serve() -> None:
            with run_in_thread(folder, company=COMPANY, port=port):
                posted = world.recording()
                end = time.monotonic() + 120
                while time.monotonic() < end and (posted, "") not in world.noted.put_:
                    time.sleep(0.1)

        await asyncio.to_thread(serve)
        listening.cancel()
        return world.noted.put_

    assert len(asyncio.run(run())) == 1


@pytest.mark.models
@pytest.mark.slow
def test_a_call_ends_and_everybody_in_the_channel_gets_their_message(
    world: World, meetings: Meetings, make_media: Callable[..., Path]
) -> None:
    clip = make_media("short.wav", "-ss", "24", "-t", "15", "-i", str(SAMPLE), "-ac", "1", "-ar", "16000")
    env = {"MATTERMOST_URL": world.sandbox.url, "MATTERMOST_TOKEN": world.sandbox.bot_token or ""}
    listener = meetings.start("listen", env=env)
    assert listener.stderr is not None
    said = [listener.stderr.readline(), listener.stderr.readline()]
    post_call(world.sandbox.tokens, clip, channel="product", title="Weekly", started_by="ana", duration=15.0)
    for line in listener.stderr:
        said.append(line)
        if ": done" in line or "given up" in line:
            break
    listener.send_signal(signal.SIGINT)
    _, rest = listener.communicate(timeout=120)
    assert listener.returncode == 130, "".join(said) + rest
    for username in ("ana", "ben"):
        direct = world.client.direct_channel(world.client.user_by_username(username).id)
        (message,) = [p for p in world.client.latest_posts(direct, 50) if KEY_PROP in p.props]
        assert message.props[FIRST_PROP] is True
        assert "**stop**" in message.message


@pytest.mark.models
@pytest.mark.slow
def test_an_answer_is_answered_while_the_command_runs(world: World, meetings: Meetings) -> None:
    direct = world.client.direct_channel(world.client.user_by_username("ana").id)
    env = {"MATTERMOST_URL": world.sandbox.url, "MATTERMOST_TOKEN": world.sandbox.bot_token or ""}
    listener = meetings.start("listen", env=env)
    assert listener.stderr is not None
    while "looked through" not in listener.stderr.readline():
        pass
    said = world.as_("ana").write(direct, "less about hiring")
    end = time.monotonic() + 200
    thread: list[str] = []
    while time.monotonic() < end and not thread:
        time.sleep(0.5)
        thread = [p.message for p in world.client.thread(said["id"]) if p.props.get(ANSWER_PROP) == said["id"]]
    listener.send_signal(signal.SIGINT)
    listener.communicate(timeout=120)
    assert len(thread) == 1
    assert "less about hiring" in thread[0]


def test_a_second_listener_on_the_same_home_is_refused(world: World, meetings: Meetings) -> None:
    env = {"MATTERMOST_URL": world.sandbox.url, "MATTERMOST_TOKEN": world.sandbox.bot_token or ""}
    first = meetings.start("listen", env=env)
    assert first.stderr is not None
    first.stderr.readline()
    second = meetings("listen", env=env)
    first.send_signal(signal.SIGKILL)
    first.communicate()
    assert second.code == 1
    assert "another `meetings listen`" in second.error_line()


def test_a_wrong_token_is_told_at_once(world: World, meetings: Meetings) -> None:
    done = meetings("listen", env={"MATTERMOST_URL": world.sandbox.url, "MATTERMOST_TOKEN": "x" * 26})
    assert done.code == 1
    assert "refuses the token" in done.error_line()


def test_without_a_server_there_is_nothing_to_listen_to(meetings: Meetings) -> None:
    done = meetings("listen")
    assert done.code == 1
    assert "MATTERMOST_URL" in done.error_line()


@pytest.mark.slow
def test_a_persons_post_that_looks_like_a_recording_is_not_worked_on(world: World, meetings: Meetings) -> None:
    env = {"MATTERMOST_URL": world.sandbox.url, "MATTERMOST_TOKEN": world.sandbox.bot_token or ""}
    ana = world.as_("ana")
    place = ana.channel("product")["id"]
    file = ana.upload(place, "call.mp4", b"x")
    ana.write(place, "", type="custom_calls_recording", file_ids=[file["id"]])
    listener = meetings.start("listen", env=env)
    assert listener.stderr is not None
    given_up = next(line for line in listener.stderr if "given up" in line)
    listener.send_signal(signal.SIGINT)
    listener.communicate(timeout=120)
    assert "by a person and not by the Calls plugin" in given_up
