"""Keeps foreign web pages away from a sandbox on this machine.

A page that needs no login must not be readable by every website its owner visits: with the sandbox bound to loopback,
requests under a foreign host name (DNS rebinding) or sent by a page of another origin are refused.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocketClose

LOOPBACK = frozenset(["localhost", "127.0.0.1", "::1"])


class Guard:
    """Refuses requests that come through another site.

    Args:
        app: what is guarded.
        host: the address the server is bound to; other than loopback, nothing is refused.
    """

    def __init__(self, app: ASGIApp, *, host: str) -> None:
        self._app = app
        self._on_loopback = is_loopback(host)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] in {"http", "websocket"} and self._on_loopback and not _is_own(Headers(scope=scope)):
            if scope["type"] == "websocket":
                await WebSocketClose(code=1008)(scope, receive, send)
            else:
                await PlainTextResponse("this sandbox answers to this machine only\n", 403)(scope, receive, send)
            return
        await self._app(scope, receive, send)


def is_loopback(host: str) -> bool:
    """Whether a host name means this machine alone."""
    return host.strip("[]").lower() in LOOPBACK


def _is_own(headers: Headers) -> bool:
    host = urlsplit(f"//{headers.get('host', '')}")
    if not is_loopback(host.hostname or ""):
        return False
    origin = headers.get("origin")
    return origin is None or urlsplit(origin).netloc == host.netloc
