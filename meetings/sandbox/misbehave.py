"""The sandbox's faults at work: around each request, and between an event and its socket.

What is asked for is in `faults`; this does it to connections. A dropped request gets no answer at all, before its
handler ran or after it did its work: then the post is there and nobody was told.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from meetings.sandbox import model, users
from meetings.sandbox.events import Connection, Cut
from meetings.sandbox.faults import Rule, Strike
from meetings.sandbox.http import token_of
from meetings.sandbox.ids import new_id
from meetings.sandbox.refusals import RefusedError, no_session

if TYPE_CHECKING:
    from meetings.sandbox.world import World

API = "/api/v4"
TRANSPORT = "sandbox_transport"
# What a proxy shows while the server behind it is away.
PROXY_PAGE = "<html><head><title>{status}</title></head><body><center><h1>{status}</h1></center><hr>nginx</body></html>"
PROXY_STATUSES = frozenset([502, 503, 504])


class Connections(H11Protocol):
    """uvicorn's protocol, telling the application which connection a request came by, so that it can be cut."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Note the connection."""
        super().connection_made(transport)
        self.app_state = {**self.app_state, TRANSPORT: transport}


class Misbehave:
    """Lets requests go wrong as the world's plan says.

    Args:
        app: what answers them otherwise.
        world: the state that holds the plan.
    """

    def __init__(self, app: ASGIApp, *, world: World) -> None:
        self._app = app
        self._world = world

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, after what strikes it."""
        path = str(scope.get("path", ""))
        if scope["type"] not in {"http", "websocket"} or not path.startswith(API):
            await self._app(scope, receive, send)
            return
        method = str(scope.get("method", ""))
        for strike in self._strikes(scope, method, path.removeprefix(API)):
            rule = strike.rule
            match rule.fault:
                case "latency":
                    await asyncio.sleep(strike.seconds)
                    continue
                case "drop-before":
                    await _hang_up(scope, receive)
                    return
                case "drop-after":
                    await self._app(scope, receive, _nowhere)
                    await _hang_up(scope, receive)
                    return
                case "half-answer":
                    await self._app(scope, receive, _Cutter(send, rule.bytes).send)
                    await _hang_up(scope, receive, flush=True)
                    return
                case "short-answer":
                    await self._app(scope, receive, _Shortener(send, rule.bytes).send)
                    return
            if refusal := self._refusal(rule, method, path, Headers(scope=scope)):
                await refusal(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _strikes(self, scope: Scope, method: str, path: str) -> list[Strike]:
        caller, faults = self._caller(scope), self._world.faults
        return faults.of_request(method, path, caller) if method else faults.of_opening(path, caller)

    def _caller(self, scope: Scope) -> str:
        """The username behind a request's token; looked up only when a rule asks."""
        if not self._world.faults.needs_user():
            return ""
        token = token_of(Headers(scope=scope))
        with self._world.change() as tx:
            user = users.by_token(tx, token) if token else None
        return user.username if user else ""

    def _refusal(self, rule: Rule, method: str, path: str, headers: Headers) -> Response | None:
        match rule.fault:
            case "rate-limit":
                wait = str(int(rule.retry_after)) if rule.retry_after.is_integer() else str(rule.retry_after)
                return PlainTextResponse(
                    "limit exceeded\n",
                    429,
                    {"Retry-After": wait, "X-RateLimit-Reset": wait, "X-RateLimit-Remaining": "0"},
                )
            case "web-page":
                return HTMLResponse("<!doctype html><title>Sign in</title><form method=post></form>")
            case "quota":
                if method == "POST" and path == f"{API}/files" and self._is_full(rule, headers):
                    return _refused(RefusedError(500, "api.file.write_file.app_error", "Unable to write the file."))
                return None
            case _:
                if rule.status in PROXY_STATUSES:
                    return HTMLResponse(PROXY_PAGE.format(status=rule.status), rule.status)
                if rule.status == 401:
                    return _refused(no_session())
                return _refused(RefusedError(rule.status, "sandbox.misbehave.app_error", "The sandbox misbehaves."))

    def _is_full(self, rule: Rule, headers: Headers) -> bool:
        coming = headers.get("content-length", "0")
        with self._world.change() as tx:
            kept = tx.db.execute(select(func.coalesce(func.sum(model.files.c.size), 0))).scalar_one()
        return int(kept) + (int(coming) if coming.isdecimal() else 0) > (rule.bytes or 0)


def deliver(world: World, connection: Connection, event: str, frame: str) -> None:
    """Queue an event's frame for a connection, or do to it what strikes it."""
    strikes = world.faults.of_event(event, connection.username)
    kinds = {s.rule.fault for s in strikes}
    if "lose" in kinds:
        return
    if "cut-frame" in kinds:
        connection.put(Cut(frame))
        return
    copies = 2 if "duplicate" in kinds else 1
    held = next((s for s in strikes if s.rule.fault in {"reorder", "delay"}), None)
    if held is None:
        for _ in range(copies):
            connection.put(frame)
        connection.release()
        return
    _hold(connection, frame, held, copies)


def _hold(connection: Connection, frame: str, strike: Strike, copies: int) -> None:
    """Send a frame later: a reordered one after the next that is sent at once, each at the latest after its time."""
    loop = asyncio.get_running_loop()
    if strike.rule.fault == "delay":
        for _ in range(copies):
            loop.call_later(strike.seconds, connection.put, frame)
        return
    connection.held += [frame] * copies
    loop.call_later(strike.seconds, connection.release)


def cut(transport: Any, frame: str) -> None:
    """Send the head of a text frame and half of its words, then end the connection (RFC 6455, 5.2)."""
    payload = frame.encode("utf-8")
    size = len(payload)
    if size < 126:
        head = bytes([0x81, size])
    elif size < 65536:
        head = bytes([0x81, 126]) + size.to_bytes(2, "big")
    else:
        head = bytes([0x81, 127]) + size.to_bytes(8, "big")
    transport.write(head + payload[: size // 2])
    transport.close()


async def _nowhere(message: Message) -> None:
    """An answer that nobody gets."""


async def _hang_up(scope: Scope, receive: Receive, *, flush: bool = False) -> None:
    """End the connection without a further word; with `flush` after what was sent has left."""
    transport = scope["state"][TRANSPORT]
    if flush:
        transport.close()
    else:
        transport.abort()
    if scope["type"] == "http":
        while (await receive())["type"] != "http.disconnect":
            pass


@dataclass(slots=True)
class _Cutter:
    """Passes on an answer's head and the first bytes of its body; whoever made it breaks the connection then."""

    to: Send
    bytes: int | None
    left: int = 0

    async def send(self, message: Message) -> None:
        """One message of the answer."""
        if message["type"] == "http.response.start":
            length = Headers(raw=message["headers"]).get("content-length", "2")
            self.left = int(length) // 2 if self.bytes is None else self.bytes
            await self.to(message)
        elif message["type"] == "http.response.body" and self.left > 0:
            body = message.get("body", b"")[: self.left]
            self.left -= len(body)
            await self.to({"type": "http.response.body", "body": body, "more_body": True})


@dataclass(slots=True)
class _Shortener:
    """Passes on an answer as if its body had fewer bytes."""

    to: Send
    bytes: int | None
    left: int = 0

    async def send(self, message: Message) -> None:
        """One message of the answer."""
        if message["type"] == "http.response.start":
            headers = MutableHeaders(raw=list(message["headers"]))
            length = int(headers.get("content-length", "0"))
            self.left = min(length, length // 2 if self.bytes is None else self.bytes)
            headers["content-length"] = str(self.left)
            await self.to({**message, "headers": headers.raw})
        elif message["type"] == "http.response.body":
            body = message.get("body", b"")[: self.left]
            self.left -= len(body)
            await self.to({**message, "body": body})
        else:
            await self.to(message)


def _refused(refusal: RefusedError) -> Response:
    return JSONResponse(refusal.to_json(new_id()), status_code=refusal.status)
