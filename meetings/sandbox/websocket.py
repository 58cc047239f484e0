"""The WebSocket: a token first, then the hello, then every event its user may hear, and answers to its actions."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from fastapi import APIRouter, WebSocket
from starlette.websockets import WebSocketDisconnect, WebSocketState

from meetings.sandbox import channels, users
from meetings.sandbox.events import Connection, Cut, Event
from meetings.sandbox.http import token_of
from meetings.sandbox.ids import system_time
from meetings.sandbox.misbehave import TRANSPORT, cut
from meetings.sandbox.shapes import VERSION, VERSION_ID
from meetings.sandbox.world import World

router = APIRouter()

# A connection that shows no token for this long is closed (seconds).
PATIENCE = 5.0


@router.websocket("/api/v4/websocket")
async def listen(websocket: WebSocket) -> None:
    """One connection, from its token to its end."""
    world = websocket.app.state.world
    assert isinstance(world, World)
    await websocket.accept()
    connection = Connection()
    writer = asyncio.create_task(_write(websocket, connection))
    try:
        token = token_of(websocket.headers)
        if not token or not _sign_in(world, connection, token):
            await _show_token(websocket, world, connection)
        while connection.user_id:
            _act(world, connection, _frame(await websocket.receive_text()))
    except (WebSocketDisconnect, TimeoutError):
        pass
    finally:
        world.hub.remove(connection)
        connection.waiting.put_nowait(None)
        await writer


async def _show_token(websocket: WebSocket, world: World, connection: Connection) -> None:
    """Wait for the first token. A wrong one ends the connection without a word."""
    async with asyncio.timeout(PATIENCE):
        while not connection.user_id:
            frame = _frame(await websocket.receive_text())
            if frame.get("action") != "authentication_challenge":
                _fail(
                    connection,
                    frame,
                    "api.web_socket_router.not_authenticated.app_error",
                    "WebSocket connection is not authenticated. Please log in and try again.",
                    401,
                )
                continue
            data = frame.get("data")
            token = data.get("token") if isinstance(data, Mapping) else None
            if not isinstance(token, str) or not _sign_in(world, connection, token, frame):
                return


def _sign_in(world: World, connection: Connection, token: str, frame: Mapping[str, Any] | None = None) -> bool:
    with world.change() as tx:
        user = users.by_token(tx, token)
    if user is None:
        return False
    connection.user_id, connection.username = user.id, user.username
    hello = {"connection_id": connection.id, "server_version": VERSION_ID}
    connection.tell(Event(name="hello", data=hello, listeners=None, user_id=user.id))
    if frame is not None:
        connection.send({"status": "OK", "seq_reply": frame.get("seq")})
    world.hub.add(connection)
    world.hub.set_online(user.id)
    return True


def _act(world: World, connection: Connection, frame: Mapping[str, Any]) -> None:
    """Answer one action."""
    seq, action = frame.get("seq"), frame.get("action")
    if not isinstance(action, str) or not action:
        _fail(connection, frame, "api.web_socket_router.no_action.app_error", "No websocket action.", 400)
        return
    if not isinstance(seq, int) or seq <= 0:
        _fail(
            connection, frame, "api.web_socket_router.bad_seq.app_error", "Invalid sequence for WebSocket message.", 400
        )
        return
    given = frame.get("data")
    data = given if isinstance(given, Mapping) else {}
    answer: dict[str, Any] | None = None
    match action:
        case "authentication_challenge":
            pass
        case "ping":
            answer = {"text": "pong", "version": VERSION, "server_time": system_time(), "node_id": ""}
        case "get_statuses":
            answer = dict(world.hub.statuses())
        case "get_statuses_by_ids" if isinstance(data.get("user_ids"), list):
            answer = dict(world.hub.statuses([str(u) for u in data["user_ids"]]))
        case "user_typing" if _typing(world, connection, data):
            pass
        case "user_typing" | "get_statuses_by_ids":
            name = "channel_id" if action == "user_typing" else "user_ids"
            _fail(
                connection,
                frame,
                "api.websocket_handler.invalid_param.app_error",
                f"Invalid {name} parameter.",
                400,
            )
            return
        case _:
            _fail(connection, frame, "api.web_socket_router.bad_action.app_error", "Unknown WebSocket action.", 400)
            return
    connection.send({"status": "OK", **({} if answer is None else {"data": answer}), "seq_reply": seq})


def _typing(world: World, connection: Connection, data: Mapping[str, Any]) -> bool:
    """Tell the others in a channel that somebody is writing."""
    channel_id, parent_id = str(data.get("channel_id", "")), str(data.get("parent_id", ""))
    with world.change() as tx:
        if channels.member(tx, channel_id, connection.user_id) is None:
            return False
        others = [m.user_id for m in channels.members(tx, channel_id) if m.user_id != connection.user_id]
        told = {"parent_id": parent_id, "user_id": connection.user_id}
        tx.emit("typing", told, channel_id=channel_id, listeners=others)
    return True


def _fail(connection: Connection, frame: Mapping[str, Any], error_id: str, message: str, status: int) -> None:
    error = {"id": error_id, "message": message, "detailed_error": "", "status_code": status}
    connection.send({"status": "FAIL", "error": error, "seq_reply": frame.get("seq", 0)})


def _frame(text: str) -> Mapping[str, Any]:
    try:
        frame = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return frame if isinstance(frame, Mapping) else {}


async def _write(websocket: WebSocket, connection: Connection) -> None:
    """Send what waits, in order, until the end of the connection; once the other side is gone nobody reads it."""
    with suppress(WebSocketDisconnect, RuntimeError):
        while (waiting := await connection.waiting.get()) is not None:
            if isinstance(waiting, Cut):
                cut(websocket.scope["state"][TRANSPORT], waiting.frame)
                return
            await websocket.send_text(waiting)
        if websocket.application_state is WebSocketState.CONNECTED:
            await websocket.close()
