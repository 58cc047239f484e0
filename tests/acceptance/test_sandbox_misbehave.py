"""The sandbox misbehaves as it is told, while it runs, and the client bears it."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import requests
import websockets.sync.client
from websockets.exceptions import ConnectionClosed, ConnectionClosedError, InvalidHandshake

from meetings.errors import (
    MattermostAuthError,
    MattermostError,
    MattermostFileChangedError,
    MattermostUnreachableError,
)
from meetings.mattermost import MattermostClient, deliver
from meetings.sandbox import Sandbox, run_in_thread
from meetings.sandbox.faults import read_plan
from tests.acceptance.sandbox_company import ANCHOR, COMPANY, api, sandbox_in
from tests.acceptance.test_sandbox_socket import Listener
from tests.ports import held_port

CONTENT = bytes(range(256)) * 2000


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with sandbox_in(tmp_path_factory.mktemp("faults") / "sandbox") as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(running: Sandbox) -> Iterator[Sandbox]:
    yield running
    tell(running, "")


@pytest.fixture
def client(sandbox: Sandbox) -> MattermostClient:
    client = MattermostClient(sandbox.url, sandbox.bot_token)
    client.me()
    return client


@pytest.fixture
def product(client: MattermostClient) -> str:
    return client.channel_by_name("acme", "product").id


def tell(sandbox: Sandbox, spec: str) -> None:
    """Let it misbehave from now on."""
    plan = read_plan(spec).model_dump(mode="json")
    answer = ask(sandbox, "PUT", json=plan)
    assert answer.status_code == 200, answer.text


def ask(sandbox: Sandbox, method: str, who: str = "admin", **given: Any) -> requests.Response:
    headers = {"Authorization": f"Bearer {api(sandbox, who).token}"}
    return requests.request(method, f"{sandbox.url}/api/sandbox/misbehave", headers=headers, timeout=60, **given)


def struck(sandbox: Sandbox) -> list[int]:
    return [rule["struck"] for rule in ask(sandbox, "GET").json()["rules"]]


def messages(client: MattermostClient, channel_id: str) -> list[str]:
    return [p.message for p in client.latest_posts(channel_id, 50)]


def test_only_its_admin_steers_it(sandbox: Sandbox) -> None:
    plan = {"rules": [{"fault": "error"}]}
    assert ask(sandbox, "PUT", "ana", json=plan).status_code == 403
    assert ask(sandbox, "GET", "bot").status_code == 403
    assert ask(sandbox, "DELETE", "ana").status_code == 403
    assert requests.get(f"{sandbox.url}/api/sandbox/misbehave", timeout=60).status_code == 401
    wrong = ask(sandbox, "PUT", json={"rules": [{"fault": "explode"}]})
    assert (wrong.status_code, "no such fault" in wrong.json()["message"]) == (400, True)


def test_what_ends_it_is_not_struck_itself(sandbox: Sandbox) -> None:
    tell(sandbox, "drop-before")
    with pytest.raises(requests.ConnectionError):
        requests.get(f"{sandbox.url}/api/v4/system/ping", timeout=60)
    assert ask(sandbox, "DELETE").json() == {"seed": 0, "rules": []}
    assert requests.get(f"{sandbox.url}/api/v4/system/ping", timeout=60).status_code == 200


def test_it_misbehaves_from_the_start_when_told_so(tmp_path: Path) -> None:
    plan = read_plan("error:status=503,path=/system/ping")
    with run_in_thread(tmp_path / "sandbox", company=COMPANY, now=ANCHOR, misbehave=plan) as sandbox:
        assert requests.get(f"{sandbox.url}/api/v4/system/ping", timeout=60).status_code == 503


@dataclass
class Timers:
    """What the sandbox's faults know as `asyncio`: says what they wait for, and lets a test say when it is time."""

    Transport = asyncio.Transport
    waits: list[float] = field(default_factory=list)
    later: list[Callable[[], object]] = field(default_factory=list)

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        await asyncio.sleep(seconds)

    def get_running_loop(self) -> Timers:
        return self

    def call_later(self, seconds: float, what: Callable[..., object], *args: object) -> None:
        self.waits.append(seconds)
        loop = asyncio.get_running_loop()
        self.later.append(lambda: loop.call_soon_threadsafe(what, *args))

    def ring(self) -> None:
        """Now it is time for all of it."""
        while self.later:
            self.later.pop(0)()


@pytest.fixture
def timers(monkeypatch: pytest.MonkeyPatch) -> Timers:
    made = Timers()
    monkeypatch.setattr("meetings.sandbox.misbehave.asyncio", made)
    return made


def test_answers_come_late(sandbox: Sandbox, client: MattermostClient, timers: Timers) -> None:
    tell(sandbox, "latency:seconds=0.3,jitter=0.2,path=/users/*")
    began = time.monotonic()
    client.user_by_username("ana")
    assert time.monotonic() - began >= 0.3
    (waited,) = timers.waits
    assert 0.3 <= waited <= 0.5
    assert struck(sandbox) == [1]


def test_a_dropped_request_was_not_done(sandbox: Sandbox, client: MattermostClient, product: str) -> None:
    tell(sandbox, "drop-before:method=POST,path=/posts,times=1")
    with pytest.raises(MattermostUnreachableError) as caught:
        client.create_post(product, "never there")
    assert caught.value.perhaps_done
    assert "never there" not in messages(client, product)


def test_a_lost_answer_leaves_the_post_there(sandbox: Sandbox, client: MattermostClient, product: str) -> None:
    tell(sandbox, "drop-after:method=POST,path=/posts,times=1")
    with pytest.raises(MattermostUnreachableError) as caught:
        client.create_post(product, "there though")
    assert caught.value.perhaps_done
    assert messages(client, product).count("there though") == 1


def test_a_lost_answer_to_a_post_with_a_key_leaves_one_post(
    sandbox: Sandbox, client: MattermostClient, product: str
) -> None:
    tell(sandbox, "drop-after:method=POST,path=/posts,times=2")
    post = client.create_post(product, "once", key="r1:u1")
    assert struck(sandbox) == [2]
    assert [p.id for p in client.latest_posts(product, 50) if p.message == "once"] == [post.id]


@pytest.mark.parametrize(
    "spec",
    [
        "drop-after:path=/posts,times=3",
        "half-answer:path=/posts,times=3",
        "short-answer:path=/posts,times=3",
        "error:status=502,times=3",
        "rate-limit:retry_after=0,every=2,times=6",
        "seed=11;drop-before:chance=0.3;drop-after:chance=0.3",
    ],
)
def test_a_person_gets_one_message_whatever_gets_lost(sandbox: Sandbox, client: MattermostClient, spec: str) -> None:
    tell(sandbox, spec)
    outcomes = [deliver(client, "ben", f"summary {spec}", recording=spec, channel_id=None) for _ in range(3)]
    tell(sandbox, "")
    outcomes.append(deliver(client, "ben", f"summary {spec}", recording=spec, channel_id=None))
    assert outcomes[-1].status == "unchanged", outcomes
    direct = client.direct_channel(client.user_by_username("ben").id)
    # The first message of all goes on with who sends it.
    assert [m.split("\n")[0] for m in messages(client, direct)].count(f"summary {spec}") == 1


@pytest.mark.parametrize("kind", ["half-answer", "half-answer:bytes=0", "short-answer", "short-answer:bytes=0"])
def test_half_an_answer_is_asked_for_again(sandbox: Sandbox, client: MattermostClient, kind: str) -> None:
    tell(sandbox, f"{kind}{',' if ':' in kind else ':'}path=/users/username/ana,times=2")
    assert client.user_by_username("ana").name == "Ana Ruiz"
    assert struck(sandbox) == [2]


def test_each_nth_request_is_told_to_slow_down(sandbox: Sandbox) -> None:
    tell(sandbox, "rate-limit:every=3,retry_after=7,path=/users/me")
    answers = [api(sandbox, "ana").send("GET", "/users/me") for _ in range(6)]
    assert [a.status_code for a in answers] == [200, 200, 429, 200, 200, 429]
    assert (answers[2].headers["Retry-After"], answers[2].headers["X-RateLimit-Reset"]) == ("7", "7")


@pytest.mark.parametrize("status", [500, 501, 502, 503, 504, 401, 409])
def test_a_burst_of_errors_passes(sandbox: Sandbox, status: int) -> None:
    tell(sandbox, f"error:status={status},times=2,user=ana")
    ana, ben = api(sandbox, "ana"), api(sandbox, "ben")
    found = [who.send("GET", "/users/me").status_code for who in (ana, ben, ana, ben, ana)]
    assert found == [status, 200, status, 200, 200]


def test_a_proxys_page_comes_with_200(sandbox: Sandbox, client: MattermostClient) -> None:
    tell(sandbox, "web-page:times=1")
    with pytest.raises(MattermostError, match="web page"):
        client.user_by_username("ana")
    assert client.user_by_username("ana").username == "ana"


def uploaded(sandbox: Sandbox, client: MattermostClient) -> Any:
    """A file of ana's on a post that the bot may read."""
    ana = api(sandbox, "ana")
    channel = ana.channel("product")["id"]
    file = ana.upload(channel, "call.mp4", CONTENT)
    ana.write(channel, "the call", file_ids=[file["id"]])
    return client.file_info(file["id"])


def test_a_download_that_breaks_goes_on(sandbox: Sandbox, client: MattermostClient, tmp_path: Path) -> None:
    info = uploaded(sandbox, client)
    tell(sandbox, "half-answer:path=/files/*,times=2")
    client.download(info, tmp_path / "call.mp4")
    assert (tmp_path / "call.mp4").read_bytes() == CONTENT
    assert struck(sandbox) == [2]


def test_a_file_cut_short_without_a_word_is_not_taken_for_whole(
    sandbox: Sandbox, client: MattermostClient, tmp_path: Path
) -> None:
    info = uploaded(sandbox, client)
    tell(sandbox, "short-answer:path=/files/*,bytes=1000,times=1")
    with pytest.raises(MattermostFileChangedError, match="1000 bytes instead of"):
        client.download(info, tmp_path / "call.mp4")
    client.download(info, tmp_path / "call.mp4")
    assert (tmp_path / "call.mp4").read_bytes() == CONTENT


def test_uploads_end_at_the_quota(sandbox: Sandbox) -> None:
    ana = api(sandbox, "ana")
    channel = ana.channel("product")["id"]
    tell(sandbox, "quota:bytes=0")
    full = ana.send("POST", "/files", params={"channel_id": channel, "filename": "a.bin"}, data=b"x")
    assert (full.status_code, full.json()["id"]) == (500, "api.file.write_file.app_error")
    assert ana.get("/users/me")["username"] == "ana"
    tell(sandbox, "quota:bytes=1000000000")
    ana.upload(channel, "a.bin", b"x")


# The WebSocket


@contextmanager
def listening(sandbox: Sandbox, who: str) -> Iterator[Listener]:
    """A signed-in socket that has heard everything there was to hear."""
    url = sandbox.url.replace("http", "ws") + "/api/v4/websocket"
    headers = {"Authorization": f"Bearer {api(sandbox, who).token}"}
    with websockets.sync.client.connect(url, additional_headers=headers) as socket:
        listener = Listener(socket)
        assert listener.next()["event"] == "hello"
        listener.heard()
        yield listener


def heard(listener: Listener, count: int) -> list[tuple[int, str]]:
    """The number of each frame, counted from the first of these, and the words of the post in it."""
    frames = [listener.next() for _ in range(count)]
    first = min(f["seq"] for f in frames)
    return [(f["seq"] - first, json.loads(f["data"]["post"])["message"]) for f in frames]


def write(sandbox: Sandbox, count: int) -> None:
    ana = api(sandbox, "ana")
    for number in range(count):
        ana.write(ana.channel("product")["id"], str(number))


def test_an_event_comes_twice(sandbox: Sandbox) -> None:
    with listening(sandbox, "bot") as bot:
        tell(sandbox, "duplicate:event=posted,user=meetings,times=1")
        write(sandbox, 2)
        assert heard(bot, 3) == [(0, "0"), (0, "0"), (1, "1")]


def test_an_event_is_lost_and_its_number_is_missing(sandbox: Sandbox) -> None:
    with listening(sandbox, "bot") as bot:
        tell(sandbox, "lose:event=posted,user=meetings,after=1,times=1")
        write(sandbox, 3)
        assert heard(bot, 2) == [(0, "0"), (2, "2")]


def test_events_change_places(sandbox: Sandbox) -> None:
    with listening(sandbox, "bot") as bot:
        tell(sandbox, "reorder:event=posted,user=meetings,times=1,seconds=30")
        write(sandbox, 3)
        assert heard(bot, 3) == [(1, "1"), (0, "0"), (2, "2")]


def test_the_last_event_is_held_back_for_a_while_only(sandbox: Sandbox) -> None:
    with listening(sandbox, "bot") as bot:
        tell(sandbox, "reorder:event=posted,user=meetings,seconds=0.3")
        write(sandbox, 1)
        assert heard(bot, 1) == [(0, "0")]


def test_an_event_comes_late(sandbox: Sandbox, timers: Timers) -> None:
    with listening(sandbox, "bot") as bot:
        tell(sandbox, "delay:event=posted,user=meetings,times=1,seconds=0.5")
        write(sandbox, 2)
        assert bot.heard() == ["posted"]  # the second
        assert timers.waits == [0.5]
        timers.ring()
        late = bot.next()
        assert json.loads(late["data"]["post"])["message"] == "0"


def test_the_socket_is_cut_in_the_middle_of_a_frame(sandbox: Sandbox) -> None:
    with listening(sandbox, "ben") as ben, listening(sandbox, "bot") as bot:
        tell(sandbox, "cut-frame:event=posted,user=meetings,times=1")
        write(sandbox, 2)
        with pytest.raises(ConnectionClosedError):
            bot.next()
        assert ben.heard() == ["posted", "posted"]
    with listening(sandbox, "bot") as again:
        write(sandbox, 1)
        assert again.next()["event"] == "posted"


def test_a_socket_is_not_opened_for_a_while(sandbox: Sandbox) -> None:
    tell(sandbox, "drop-before:path=/websocket,times=1;error:path=/websocket")
    with pytest.raises((InvalidHandshake, EOFError, OSError)), listening(sandbox, "bot"):
        pass
    with listening(sandbox, "bot") as bot:
        assert bot.ask("ping")["status"] == "OK"


# Tokens


def test_a_token_is_switched_off_with_its_sockets_and_on_again(sandbox: Sandbox, client: MattermostClient) -> None:
    admin = api(sandbox, "admin")
    [token] = admin.get(f"/users/{client.me().id}/tokens")
    with listening(sandbox, "bot") as bot:
        admin.post("/users/tokens/disable", {"token_id": token["id"]})
        with pytest.raises(ConnectionClosed):
            bot.next()
    with pytest.raises(MattermostAuthError):
        client.user_by_username("ana")
    url = sandbox.url.replace("http", "ws") + "/api/v4/websocket"
    challenge = {"seq": 1, "action": "authentication_challenge", "data": {"token": sandbox.bot_token}}
    with websockets.sync.client.connect(url) as socket:
        socket.send(json.dumps(challenge))
        with pytest.raises(ConnectionClosed):
            socket.recv(timeout=60)
    admin.post("/users/tokens/enable", {"token_id": token["id"]})
    assert client.user_by_username("ana").username == "ana"
    ana = api(sandbox, "ana")
    assert ana.send("POST", "/users/tokens/disable", json={"token_id": token["id"]}).status_code == 403
    assert admin.send("POST", "/users/tokens/disable", json={"token_id": "z" * 26}).status_code == 404
    assert admin.send("POST", "/users/tokens/explode", json={"token_id": "z" * 26}).status_code == 404


def test_a_restart_is_waited_for(tmp_path: Path) -> None:
    with held_port() as port:
        waited_for(tmp_path, port)


def waited_for(tmp_path: Path, port: int) -> None:
    with run_in_thread(tmp_path / "sandbox", company=COMPANY, now=ANCHOR, port=port) as sandbox:
        client = MattermostClient(sandbox.url, sandbox.bot_token)
        client.me()
    asked = threading.Event()
    found: list[str] = []

    def ask() -> None:
        asked.set()
        found.append(client.user_by_username("ana").username)

    thread = threading.Thread(target=ask)
    thread.start()
    assert asked.wait(60)
    time.sleep(0.2)
    with run_in_thread(tmp_path / "sandbox", company=COMPANY, port=port):
        thread.join(120)
    assert found == ["ana"]
