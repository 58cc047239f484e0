"""A small HTTP server on loopback that answers as it is told: completions, refusals, and every way to fail."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Reply:
    """One answer. `body` is JSON unless it is bytes; `cut` breaks off in its middle, `hang` waits seconds before it."""

    status: int = 200
    body: Any = b""
    headers: dict[str, str] = field(default_factory=dict)
    cut: bool = False
    hang: float = 0.0
    drip: bool = False


def completion(text: str | None, *, reason: str = "stop", refusal: str | None = None) -> Reply:
    """A chat completion as OpenAI sends it."""
    message = {"role": "assistant", "content": text, "refusal": refusal}
    return Reply(body={"object": "chat.completion", "choices": [{"message": message, "finish_reason": reason}]})


def refused(status: int, message: str, *, code: str | None = None, **headers: str) -> Reply:
    """An error as OpenAI sends it."""
    error = {"message": message, "type": "invalid_request_error", "param": None, "code": code}
    return Reply(status=status, body={"error": error}, headers={k.replace("_", "-"): v for k, v in headers.items()})


@dataclass
class ModelServer:
    """What it will answer, the last reply again and again, and what it was asked."""

    url: str
    replies: list[Reply]
    asked: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)


@contextmanager
def model_server(*replies: Reply) -> Iterator[ModelServer]:
    """Serve the replies in their order."""
    stop = threading.Event()
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            with lock:
                state.asked.append(json.loads(body) if body else {})
                state.headers.append(dict(self.headers))
                reply = state.replies.pop(0) if len(state.replies) > 1 else state.replies[0]
            stop.wait(reply.hang)
            data = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
            self.send_response(reply.status)
            self.send_header("Content-Length", str(len(data)))
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.end_headers()
            if reply.drip:
                for byte in data:
                    if stop.wait(0.05):
                        return
                    self.wfile.write(bytes([byte]))
            else:
                self.wfile.write(data[: len(data) // 2] if reply.cut else data)

        do_GET = do_POST  # noqa: N815

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

        def handle(self) -> None:
            """A client that goes away is no error of the test."""
            with suppress(ConnectionError):
                super().handle()

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state = ModelServer(url=f"http://127.0.0.1:{server.server_port}/v1", replies=list(replies))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield state
    finally:
        stop.set()
        server.shutdown()
        server.server_close()
        thread.join()
