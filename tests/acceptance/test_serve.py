"""What the HTTP side takes and what it refuses, over a real socket, beside a real (small) Mattermost."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import requests
import uvicorn
from pydantic import SecretStr

from meetings.errors import DatabaseError, MattermostUnreachableError
from meetings.mattermost import MattermostClient
from meetings.rates import Buckets
from meetings.serving import HELP, MAX_BODY, Doors, make_app
from tests.acceptance.sandbox_company import Api, api, sandbox_in

HOOK, COMMAND = "hook-token", "command-token"


@dataclass
class Noted:
    """A queue that notes what is put."""

    put_: list[tuple[str, str]] = field(default_factory=list)
    asked: dict[str, tuple[str, str]] = field(default_factory=dict)

    def put_ask(self, user_id: str, name: str, **ask: object) -> bool:
        self.asked[name] = (user_id, str(ask["text"]))
        return True

    def put(self, post_id: str, *, cause: str = "") -> bool:
        new = (post_id, cause) not in self.put_
        self.put_.append((post_id, cause))
        return new

    def waiting(self) -> int:
        return len(set(self.put_))


@dataclass
class Serving:
    """A running server, its queue, and the accounts of the company beside it."""

    url: str
    queue: Noted
    ana: Api
    calls: Api
    chloe: Api
    admin: Api
    doors: Doors

    def hook(self, **changed: Any) -> requests.Response:
        return requests.post(f"{self.url}/hooks/mattermost", json={"token": HOOK, **changed}, timeout=60)

    def command(self, text: str, user: str, token: str = COMMAND) -> requests.Response:
        data = {"token": token, "text": text, "user_id": user, "command": "/meetings"}
        return requests.post(f"{self.url}/commands/meetings", data=data, timeout=60)

    def recording(self, channel: str = "product", *, text: str = "") -> str:
        """A recording's post, as the plugin's bot writes it."""
        place = self.calls.channel(channel)["id"]
        file = self.calls.upload(place, "call.mp4", b"x")
        post = self.calls.write(place, text, type="custom_calls_recording", file_ids=[file["id"]])
        return str(post["id"])


@pytest.fixture
def serving(tmp_path: Path) -> Iterator[Serving]:
    with sandbox_in(tmp_path / "sandbox") as sandbox:
        api(sandbox, "admin").post(
            f"/channels/{api(sandbox, 'ana').channel('product')['id']}/members",
            {"user_id": api(sandbox, "calls").get("/users/me")["id"]},
        )
        queue = Noted()
        doors = Doors(
            client=MattermostClient(sandbox.url, sandbox.bot_token),
            queue=queue,
            webhook_token=SecretStr(HOOK),
            command_token=SecretStr(COMMAND),
        )
        bound = socket.create_server(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(make_app(doors), log_config=None, access_log=False))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]})
        thread.start()
        try:
            yield Serving(
                url=f"http://127.0.0.1:{bound.getsockname()[1]}",
                queue=queue,
                ana=api(sandbox, "ana"),
                calls=api(sandbox, "calls"),
                chloe=api(sandbox, "chloe"),
                admin=api(sandbox, "admin"),
                doors=doors,
            )
        finally:
            server.should_exit = True
            thread.join()
            bound.close()


def test_a_webhook_of_a_recording_queues_it(serving: Serving) -> None:
    post = serving.recording()
    assert serving.hook(post_id=post).status_code == 200
    assert serving.queue.put_ == [(post, "")]


def test_a_queue_that_is_away_is_answered_and_not_a_crash(serving: Serving, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object, **__: object) -> bool:
        raise DatabaseError("the queue cannot be reached: database_url (OperationalError)")

    post = serving.recording()
    monkeypatch.setattr(serving.queue, "put", away)
    monkeypatch.setattr(serving.queue, "waiting", away)
    assert serving.hook(post_id=post).status_code == 503
    me = serving.ana.get("/users/me")["id"]
    assert "did not work" in serving.command(f"summarize {post}", me).json()["text"]
    assert requests.get(f"{serving.url}/readyz", timeout=60).status_code == 503
    assert requests.get(f"{serving.url}/metrics", timeout=60).status_code == 200


def test_a_real_outgoing_webhook_is_understood(serving: Serving) -> None:
    place = serving.ana.channel("product")
    hook = {
        "team_id": place["team_id"],
        "channel_id": place["id"],
        "display_name": "recordings",
        "callback_urls": [f"{serving.url}/hooks/mattermost"],
        "content_type": "application/json",
    }
    made = serving.admin.post("/hooks/outgoing", hook)
    serving.doors.webhook_token = SecretStr(made["token"])
    post = serving.recording(text="Here's the call recording")
    end = time.monotonic() + 60
    while time.monotonic() < end and not serving.queue.put_:
        time.sleep(0.05)
    assert serving.queue.put_ == [(post, "")]


def test_a_webhook_as_a_form_is_understood(serving: Serving) -> None:
    post = serving.recording()
    answer = requests.post(f"{serving.url}/hooks/mattermost", data={"token": HOOK, "post_id": post}, timeout=60)
    assert answer.status_code == 200
    assert serving.queue.put_ == [(post, "")]


@pytest.mark.parametrize("token", ["", "wrong", HOOK.upper(), HOOK + "x", COMMAND, None, 7, ["hook-token"]])
def test_a_wrong_token_is_refused(serving: Serving, token: object) -> None:
    assert serving.hook(post_id=serving.recording(), token=token).status_code == 403
    assert serving.queue.put_ == []


def test_what_somebody_calls_a_recording_is_looked_up(serving: Serving) -> None:
    post = serving.ana.write(serving.ana.channel("product")["id"], "Here's the call recording")
    assert serving.hook(post_id=post["id"], file_ids="f" * 26).status_code == 200
    assert serving.queue.put_ == []


@pytest.mark.parametrize("post_id", ["", "x", "../../etc/passwd", "p" * 27, "P" * 26])
def test_an_id_that_is_none_goes_nowhere(serving: Serving, post_id: str) -> None:
    assert serving.hook(post_id=post_id).status_code == 400


def test_a_post_that_is_gone_is_no_trouble(serving: Serving) -> None:
    assert serving.hook(post_id="p" * 26).status_code == 200
    assert serving.queue.put_ == []


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"{", "application/json"),
        (b"[]", "application/json"),
        (b"[" * 5000, "application/json"),
        (b"\xff\xfe", "application/x-www-form-urlencoded"),
        (b"a=1&" * 200, "application/x-www-form-urlencoded"),
        (b'{"token": "' + b"x" * MAX_BODY + b'"}', "application/json"),
        (b"<x/>", "text/xml"),
        (b"", ""),
    ],
)
def test_bodies_that_are_none_are_refused(serving: Serving, body: bytes, kind: str) -> None:
    answer = requests.post(
        f"{serving.url}/hooks/mattermost", data=body, headers={"Content-Type": kind} if kind else {}, timeout=60
    )
    assert answer.status_code == 400
    assert answer.json() == {}


def test_a_command_queues_a_recording_for_who_may_read_it(serving: Serving) -> None:
    post = serving.recording()
    ana = serving.ana.get("/users/me")["id"]
    answer = serving.command(f"summarize {serving.url}/acme/pl/{post}", ana).json()
    assert answer["response_type"] == "ephemeral"
    assert "when it is ready" in answer["text"]
    assert serving.queue.put_ == [(post, "")]


def test_who_may_not_read_a_recording_learns_nothing_of_it(serving: Serving) -> None:
    chloe = serving.chloe.get("/users/me")["id"]
    there = serving.command(f"summarize {serving.recording()}", chloe).json()["text"]
    nowhere = serving.command(f"summarize {'p' * 26}", chloe).json()["text"]
    assert there == nowhere
    assert serving.queue.put_ == []


def test_a_command_while_the_server_is_away_says_so_and_not_that_there_is_nothing(serving: Serving) -> None:
    class Away:
        def post(self, post_id: str) -> None:
            raise MattermostUnreachableError("no answer")

    serving.doors.client = Away()  # type: ignore[assignment]
    answer = serving.command(f"summarize {'p' * 26}", "u" * 26).json()["text"]
    assert "did not work just now" in answer


def test_a_command_that_says_nothing_gets_help(serving: Serving) -> None:
    assert serving.command(" ", "u" * 26).json()["text"] == HELP


@pytest.mark.parametrize(
    "asked",
    [
        "what is new in ~news",
        "summarise ~news",
        "summarize unread",
        "summarise https://chat.example.org/acme/channels/news",
    ],
)
def test_any_other_command_is_answered_in_a_direct_message(serving: Serving, asked: str) -> None:
    said = serving.command(asked, "u" * 26).json()["text"]
    assert list(serving.queue.asked.values()) == [("u" * 26, asked)]
    assert "direct messages" in said


def test_a_command_of_nobody_is_not_passed_on(serving: Serving) -> None:
    serving.command("what is new in ~news", "../../x")
    assert not serving.queue.asked


def test_a_command_with_the_webhooks_token_is_refused(serving: Serving) -> None:
    assert serving.command("help", "u" * 26, token=HOOK).status_code == 403


def test_health_readiness_and_metrics(serving: Serving) -> None:
    serving.hook(post_id=serving.recording())
    assert requests.get(f"{serving.url}/healthz", timeout=60).json() == {"status": "ok"}
    assert requests.get(f"{serving.url}/readyz", timeout=60).status_code == 200
    metrics = requests.get(f"{serving.url}/metrics", timeout=60).text
    assert "meetings_recordings_waiting 1.0" in metrics
    assert 'meetings_requests_total{kind="webhook",outcome="queued"} 1.0' in metrics


def test_a_server_that_is_away_is_told_by_readiness_alone(tmp_path: Path) -> None:
    from meetings.serving import _trouble

    class Away:
        def ping(self) -> str:
            from meetings.errors import MattermostUnreachableError

            raise MattermostUnreachableError("no answer")

    doors = Doors(client=Away(), queue=Noted(), webhook_token=None, command_token=None)  # type: ignore[arg-type]
    assert _trouble(doors) == "the Mattermost server does not answer"


@pytest.mark.parametrize("path", ["/", "/docs", "/openapi.json", "/hooks", "/hooks/mattermost/../../x"])
def test_there_is_nothing_else_to_see(serving: Serving, path: str) -> None:
    answer = requests.get(f"{serving.url}{path}", timeout=60)
    assert answer.status_code in {404, 405}
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_who_asks_too_often_is_told_when_to_come_back(serving: Serving) -> None:
    serving.doors.buckets = Buckets(per_second=0.001, burst=2)
    began = time.monotonic()
    answers = [requests.get(f"{serving.url}/healthz", timeout=60) for _ in range(4)]
    assert [a.status_code for a in answers] == [200, 200, 429, 429]
    spent = time.monotonic() - began
    assert 1000 - spent <= int(answers[-1].headers["Retry-After"]) <= 1000
    assert answers[-1].headers["X-Content-Type-Options"] == "nosniff"
