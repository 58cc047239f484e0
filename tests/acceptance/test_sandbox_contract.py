"""The sandbox answers as a real Mattermost server did: all recorded exchanges, replayed in order over a real socket."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
import websockets.sync.client
from websockets.exceptions import ConnectionClosed

from meetings.sandbox import run_in_thread
from tests.acceptance.replay import MEDIA, Answer, Comparison, Replay, Translation, recorded

EXCHANGES: list[dict[str, Any]] = recorded("rest.json")
FRAMES: list[dict[str, Any]] = recorded("websocket.json")["bot"]
HOOK: dict[str, Any] = recorded("outgoing-webhook.json")[0]

# Headers whose recorded value is not compared, and why.
NOT_COMPARED = {
    "Content-Length": "the recording was made through gzip, and ids in it may be shorter",
}
# The recorded socket was opened by then.
SOCKET_OPENS_BEFORE = "add the bot to the open channel (user_added follows on its socket)"


@dataclass
class Run:
    """Everything one replay gave."""

    translation: Translation
    answers: list[Answer] = field(default_factory=list)
    differences: list[list[str]] = field(default_factory=list)
    frames: list[dict[str, Any]] = field(default_factory=list)
    hooks: list[tuple[str, Mapping[str, str], bytes]] = field(default_factory=list)
    wrong_token_closed: bool = False


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """One replay of the whole scenario."""
    folder = tmp_path_factory.mktemp("contract")
    with _hook_listener() as (hook_url, hooks), run_in_thread(folder / "sandbox") as sandbox:
        result = Run(translation=Translation(url=sandbox.url, hook_url=hook_url), hooks=hooks)
        replay = Replay(translation=result.translation)
        socket_url = sandbox.url.replace("http", "ws") + "/api/v4/websocket"
        reader: threading.Thread | None = None
        for exchange in EXCHANGES:
            if exchange["what"] == SOCKET_OPENS_BEFORE:
                result.wrong_token_closed = _wrong_token_is_closed(socket_url)
                reader = _listen(socket_url, replay.tokens["bot"], result.frames)
            answer = replay.send(exchange)
            result.answers.append(answer)
            result.differences.append(_differences(exchange, answer, result.translation))
        assert reader is not None
        reader.join(30)
        deadline = time.monotonic() + 30
        while not hooks and time.monotonic() < deadline:
            time.sleep(0.02)
        yield result


@pytest.mark.parametrize("number", range(len(EXCHANGES)), ids=[f"{n}-{e['what']}" for n, e in enumerate(EXCHANGES)])
def test_an_exchange_is_answered_as_the_real_server_did(run: Run, number: int) -> None:
    assert run.differences[number] == []


def test_all_91_exchanges_were_replayed(run: Run) -> None:
    assert len(run.answers) == len(EXCHANGES) == 91


def test_the_bots_socket_hears_the_same_frames_in_the_same_order(run: Run) -> None:
    assert [f.get("event", "reply") for f in run.frames] == [f.get("event", "reply") for f in FRAMES]


@pytest.mark.parametrize(
    "number", range(len(FRAMES)), ids=[f"{n}-{f.get('event', 'reply')}" for n, f in enumerate(FRAMES)]
)
def test_a_frame_says_what_the_real_one_said(run: Run, number: int) -> None:
    comparison = Comparison(run.translation)
    comparison.compare(FRAMES[number], run.frames[number])
    assert comparison.problems == []


def test_a_wrong_token_on_the_socket_ends_the_connection(run: Run) -> None:
    # The real server cuts the connection without a closing frame; here a closing frame comes first.
    assert run.wrong_token_closed


def test_the_outgoing_webhook_says_what_the_real_one_said(run: Run) -> None:
    [(path, headers, body)] = run.hooks
    comparison = Comparison(run.translation)
    comparison.compare(json.loads(HOOK["body"]), json.loads(body))
    assert comparison.problems == []
    assert path == HOOK["path"]
    assert {name: headers[name] for name in HOOK["headers"]} == HOOK["headers"]


def test_the_file_comes_back_byte_for_byte(run: Run) -> None:
    whole, part = (
        next(a for e, a in zip(EXCHANGES, run.answers, strict=True) if e["what"] == what)
        for what in ("file bytes", "file bytes from an offset")
    )
    assert whole.content == MEDIA
    assert part.content == MEDIA[1000:2000]


def test_the_comparison_notices_what_differs() -> None:
    translation = Translation(url="http://127.0.0.1:1")
    old, new = "a" * 26, "b" * 26
    changed = [
        ({"id": old}, {"id": new, "more": 1}),
        ({"id": old}, {}),
        ([old, old], [new, "c" * 26]),
        ({"create_at": 1795396833351}, {"create_at": 0}),
        ({"shared": None}, {"shared": False}),
        ({"order": [old], "posts": {old: {}}}, {"order": [new], "posts": {"d" * 26: {}}}),
        ("words", "other words"),
    ]
    for was, now in changed:
        comparison = Comparison(Translation(url=translation.url))
        comparison.compare(was, now)
        assert comparison.problems, (was, now)


def _differences(exchange: Mapping[str, Any], answer: Answer, translation: Translation) -> list[str]:
    comparison = Comparison(translation)
    comparison.compare(exchange["status"], answer.status, "status")
    for name, value in exchange["headers"].items():
        if name not in NOT_COMPARED:
            comparison.compare(value, answer.headers.get(name), f"headers.{name}")
    if "X-Request-Id" not in exchange["headers"] and "X-Request-Id" in answer.headers:
        comparison.problems.append("headers.X-Request-Id: there was none")
    was = exchange["response"]
    if isinstance(was, dict) and "_bytes" in was:
        comparison.compare(was["_bytes"], len(answer.content), "bytes")
    else:
        comparison.compare(was, answer.body())
    return comparison.problems


def _wrong_token_is_closed(url: str) -> bool:
    with websockets.sync.client.connect(url) as socket:
        socket.send(_challenge("wrong"))
        try:
            socket.recv(timeout=60)
        except ConnectionClosed:
            return True
    return False


def _listen(url: str, token: str, frames: list[dict[str, Any]]) -> threading.Thread:
    """Read the bot's frames until it is removed from the channel; returns once it is signed in."""
    signed_in = threading.Event()

    def read() -> None:
        with websockets.sync.client.connect(url) as socket:
            socket.send(_challenge(token))
            while not frames or frames[-1].get("event") != "user_removed":
                frames.append(json.loads(socket.recv(timeout=60)))
                if "seq_reply" in frames[-1]:
                    signed_in.set()

    thread = threading.Thread(target=read)
    thread.start()
    assert signed_in.wait(30)
    return thread


def _challenge(token: str) -> str:
    return json.dumps({"seq": 1, "action": "authentication_challenge", "data": {"token": token}})


@contextmanager
def _hook_listener() -> Iterator[tuple[str, list[tuple[str, Mapping[str, str], bytes]]]]:
    """A server that keeps what an outgoing webhook posts."""
    heard: list[tuple[str, Mapping[str, str], bytes]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            heard.append((self.path, dict(self.headers), body))
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            return

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/hook", heard
    server.shutdown()
    server.server_close()
    thread.join()
