"""A server that answers with exactly the bytes a test wants, or with none, over a real socket."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

# What is done with one request: it gets the socket after the request was read whole.
Behaviour = Callable[[socket.socket], None]
THE_END = b"the end\r\n\r\n"


@dataclass
class OddServer:
    """`script` is gone through request by request; when it is at its end the last behaviour goes on."""

    url: str
    script: list[Behaviour]
    requests: list[bytes] = field(default_factory=list, repr=False)

    def heads(self) -> list[str]:
        """The first line of each request."""
        return [r.split(b"\r\n", 1)[0].decode() for r in self.requests]

    def headers(self, number: int) -> dict[str, str]:
        """The headers of one request, names in lower case."""
        lines = self.requests[number].split(b"\r\n\r\n", 1)[0].decode("latin-1").split("\r\n")[1:]
        return {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}


@contextmanager
def odd_server(*script: Behaviour) -> Iterator[OddServer]:
    """Serve a script on loopback; every connection serves one request."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = OddServer(url=f"http://127.0.0.1:{listener.getsockname()[1]}", script=list(script))
    opened: list[socket.socket] = []

    def serve() -> None:
        while True:
            connection, _ = listener.accept()
            opened.append(connection)
            with suppress(OSError):
                request = _read_request(connection)
                if request == THE_END:
                    return
                if request:
                    number = len(server.requests)
                    server.requests.append(request)
                    server.script[min(number, len(server.script) - 1)](connection)

    thread = threading.Thread(target=serve, name="odd server")
    thread.start()
    try:
        yield server
    finally:
        # It comes after every other: what was sent before is read, however late this server is with it.
        with socket.create_connection(listener.getsockname()) as last:
            last.sendall(THE_END)
            thread.join()
        listener.close()
        for connection in opened:
            connection.close()


def _read_request(connection: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        more = connection.recv(65536)
        if not more:
            return b""
        data += more
    head, _, body = data.partition(b"\r\n\r\n")
    length = next(
        (int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0
    )
    while len(body) < length:
        more = connection.recv(65536)
        if not more:
            return b""
        body += more
    return head + b"\r\n\r\n" + body


def raw(data: bytes) -> Behaviour:
    """Send these bytes and close."""

    def behave(connection: socket.socket) -> None:
        connection.sendall(data)
        connection.close()

    return behave


def answer(body: Any, status: int = 200, **headers: str) -> Behaviour:
    """A whole answer; underscores in header names stand for hyphens, a body that is no bytes is written as JSON."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    given = {"Content-Type": "application/json", "Content-Length": str(len(data)), "Connection": "close"}
    given |= {name.replace("_", "-"): value for name, value in headers.items()}
    lines = "".join(f"{name}: {value}\r\n" for name, value in given.items())
    return raw(f"HTTP/1.1 {status} Word\r\n{lines}\r\n".encode() + data)


def stall(first: bytes = b"") -> Behaviour:
    """Send these bytes, then nothing, and keep the connection open."""
    return lambda connection: connection.sendall(first)


def hang_up(connection: socket.socket) -> None:
    """Close without a word."""
    connection.close()
