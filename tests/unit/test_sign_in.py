"""Signing in through a server that breaks off says so, as any other trouble with it does."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from meetings.errors import MattermostUnreachableError
from meetings.mattermost.sign_in import user_of_code


class HalfAnswer(BaseHTTPRequestHandler):
    """Announces more than it sends."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", "100")
        self.end_headers()
        self.wfile.write(b'{"access')

    def log_message(self, format: str, *args: object) -> None:
        del format, args


@pytest.fixture
def address() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), HalfAnswer) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_an_answer_that_breaks_off_is_trouble_with_the_server(address: str) -> None:
    with pytest.raises(MattermostUnreachableError):
        user_of_code(address, client_id="i", client_secret="s", redirect_uri="http://x/m/signed-in", code="c")
