"""The sandbox's WebSocket: who hears what, and what it answers."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
import websockets.sync.client
from websockets.exceptions import ConnectionClosed, InvalidStatus

from meetings.sandbox import Sandbox
from meetings.sandbox import websocket as server_side
from tests.acceptance.sandbox_company import api, sandbox_in


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    with sandbox_in(tmp_path / "sandbox") as running:
        yield running


class Listener:
    """One signed-in socket."""

    def __init__(self, socket: websockets.sync.client.ClientConnection) -> None:
        self.socket = socket
        self.last = 0

    def next(self) -> dict[str, Any]:
        frame: dict[str, Any] = json.loads(self.socket.recv(timeout=60))
        return frame

    def ask(self, action: str, data: dict[str, Any] | None = None, seq: int | None = None) -> dict[str, Any]:
        self.last += 1
        number = self.last if seq is None else seq
        self.socket.send(json.dumps({"seq": number, "action": action, "data": data or {}}))
        while "seq_reply" not in (frame := self.next()):
            pass
        return frame

    def heard(self) -> list[str]:
        """The events that came, up to an answer to a ping."""
        self.last += 1
        self.socket.send(json.dumps({"seq": self.last, "action": "ping"}))
        events: list[str] = []
        while (frame := self.next()).get("seq_reply") != self.last:
            events.append(frame["event"])
        return events


@contextmanager
def listening(sandbox: Sandbox, who: str) -> Iterator[Listener]:
    url = sandbox.url.replace("http", "ws") + "/api/v4/websocket"
    headers = {"Authorization": f"Bearer {api(sandbox, who).token}"}
    with websockets.sync.client.connect(url, additional_headers=headers) as socket:
        listener = Listener(socket)
        assert (listener.next()["event"], listener.next()["event"]) == ("hello", "status_change")
        yield listener


def test_only_members_hear_of_a_channel(sandbox: Sandbox) -> None:
    ana, chloe = api(sandbox, "ana"), api(sandbox, "chloe")
    with listening(sandbox, "bot") as bot, listening(sandbox, "chloe") as outsider:
        post = ana.write(ana.channel("product")["id"], "hello")
        chloe.write(chloe.channel("secret")["id"], "quiet")
        ana.post("/reactions", {"user_id": post["user_id"], "post_id": post["id"], "emoji_name": "tada"})
        ana.delete(f"/users/me/posts/{post['id']}/reactions/tada")
        ana.delete(f"/posts/{post['id']}")
        assert bot.heard() == ["posted", "reaction_added", "reaction_removed", "post_deleted"]
        assert outsider.heard() == ["posted", "channel_viewed"]


def test_whoever_comes_hears_of_it_and_whoever_goes_hears_the_last_of_it(sandbox: Sandbox) -> None:
    ana, chloe = api(sandbox, "ana"), api(sandbox, "chloe")
    channel_id, chloe_id = ana.channel("product")["id"], chloe.get("/users/me")["id"]
    with listening(sandbox, "chloe") as listener:
        ana.write(channel_id, "not yet")
        ana.post(f"/channels/{channel_id}/members", {"user_id": chloe_id})
        ana.write(channel_id, "now")
        ana.delete(f"/channels/{channel_id}/members/{chloe_id}")
        ana.write(channel_id, "no more")
        assert listener.heard() == ["user_added", "posted", "posted", "user_removed"]


def test_frames_are_numbered_for_each_connection_without_gaps(sandbox: Sandbox) -> None:
    ana = api(sandbox, "ana")
    with listening(sandbox, "bot") as bot:
        for number in range(3):
            ana.write(ana.channel("product")["id"], str(number))
        assert [bot.next()["seq"] for _ in range(3)] == [2, 3, 4]


def test_admins_hear_who_deleted_a_post(sandbox: Sandbox) -> None:
    ana, admin = api(sandbox, "ana"), api(sandbox, "admin")
    town = ana.channel("town-square")["id"]
    post = ana.write(town, "gone soon")
    with listening(sandbox, "admin") as boss, listening(sandbox, "ben") as other:
        admin.delete(f"/posts/{post['id']}")
        assert boss.next()["data"]["delete_by"] == admin.get("/users/me")["id"]
        assert "delete_by" not in other.next()["data"]


def test_actions_are_answered_under_their_number(sandbox: Sandbox) -> None:
    with listening(sandbox, "ana") as ana:
        me = api(sandbox, "ana").get("/users/me")["id"]
        pong = ana.ask("ping")
        assert (pong["status"], pong["seq_reply"], pong["data"]["text"]) == ("OK", 1, "pong")
        assert ana.ask("get_statuses")["data"] == {me: "online"}
        asked = {"user_ids": [me, "z" * 26]}
        assert ana.ask("get_statuses_by_ids", asked)["data"] == {me: "online", "z" * 26: "offline"}
        assert ana.ask("dance")["error"]["id"] == "api.web_socket_router.bad_action.app_error"
        assert ana.ask("ping", seq=0)["error"]["id"] == "api.web_socket_router.bad_seq.app_error"
        assert ana.ask("")["error"]["id"] == "api.web_socket_router.no_action.app_error"
        assert ana.ask("user_typing", {"channel_id": "x"})["status"] == "FAIL"


def test_the_others_see_somebody_typing(sandbox: Sandbox) -> None:
    channel_id = api(sandbox, "ana").channel("product")["id"]
    with listening(sandbox, "ana") as ana, listening(sandbox, "ben") as ben:
        assert ana.ask("user_typing", {"channel_id": channel_id})["status"] == "OK"
        assert ben.heard() == ["typing"]
        assert ana.heard() == []


def test_frames_that_are_no_json_do_not_end_a_connection(sandbox: Sandbox) -> None:
    with listening(sandbox, "ana") as ana:
        for garbage in ("", "{", "[]", "null", "\x00"):
            ana.socket.send(garbage)
            assert ana.next()["status"] == "FAIL"
        assert ana.ask("ping")["status"] == "OK"


def test_whoever_shows_no_token_is_told(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_side, "PATIENCE", 120.0)
    url = sandbox.url.replace("http", "ws") + "/api/v4/websocket"
    with websockets.sync.client.connect(url) as socket:
        socket.send(json.dumps({"seq": 1, "action": "ping"}))
        answer = json.loads(socket.recv(timeout=60))
        assert answer["error"]["id"] == "api.web_socket_router.not_authenticated.app_error"


def test_whoever_shows_no_token_is_closed_though_they_speak(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_side, "PATIENCE", 0.2)
    url = sandbox.url.replace("http", "ws") + "/api/v4/websocket"
    with websockets.sync.client.connect(url) as socket, pytest.raises(ConnectionClosed):
        speak_for_a_minute(socket)


def speak_for_a_minute(socket: websockets.sync.client.ClientConnection) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        socket.send(json.dumps({"seq": 1, "action": "ping"}))
        with suppress(TimeoutError):
            socket.recv(timeout=0.1)
        time.sleep(0.05)


def test_a_page_of_another_site_gets_no_socket(sandbox: Sandbox) -> None:
    url = sandbox.url.replace("http", "ws") + "/api/v4/websocket"
    with (
        pytest.raises(InvalidStatus),
        websockets.sync.client.connect(url, origin=websockets.Origin("https://evil.example")),
    ):
        pass
