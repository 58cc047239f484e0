"""The server: REST v4, the WebSocket and the page, put together over one world."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import partial

from fastapi import FastAPI, Request, Response
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from meetings.sandbox import (
    page,
    refusals,
    routes_channels,
    routes_commands,
    routes_files,
    routes_oauth,
    routes_posts,
    routes_sandbox,
    routes_system,
    routes_users,
    websocket,
)
from meetings.sandbox.guard import Guard
from meetings.sandbox.http import refuse
from meetings.sandbox.misbehave import Misbehave, deliver
from meetings.sandbox.refusals import RefusedError
from meetings.sandbox.world import World

_log = logging.getLogger(__name__)
# The page last: it takes every address that is left.
ROUTES = (
    routes_users,
    routes_channels,
    routes_posts,
    routes_files,
    routes_system,
    routes_commands,
    routes_oauth,
    routes_sandbox,
    websocket,
    page,
)
HOOK_TIMEOUT = 30.0  # seconds, as on the real server


def create_app(world: World, *, host: str) -> FastAPI:
    """The application.

    Args:
        world: its state.
        host: the address it is bound to; on loopback, requests under foreign names are refused.
    """
    app = FastAPI(lifespan=_lifespan, docs_url=None, redoc_url=None, openapi_url=None)
    app.state.world = world
    for routes in ROUTES:
        app.include_router(routes.router)
    app.add_exception_handler(RefusedError, _refused)
    app.add_exception_handler(HTTPException, _no_such_page)
    app.add_exception_handler(Exception, _failed)
    world.hub.deliver = partial(deliver, world)
    app.add_middleware(Misbehave, world=world)
    # Added last, so it comes first.
    app.add_middleware(Guard, host=host)
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    world: World = app.state.world
    calls: set[asyncio.Task[None]] = set()

    def call_out(url: str, headers: Mapping[str, str], body: bytes) -> None:
        task = asyncio.get_running_loop().create_task(_call_out(url, headers, body))
        calls.add(task)
        task.add_done_callback(calls.discard)

    world.call_out = call_out
    yield
    world.call_out = None
    world.hub.end()
    for task in calls:
        task.cancel()


async def _call_out(url: str, headers: Mapping[str, str], body: bytes) -> None:
    import requests

    try:
        await asyncio.to_thread(
            requests.post, url, data=body, headers=dict(headers), timeout=HOOK_TIMEOUT, allow_redirects=False
        )
    except requests.RequestException as error:
        _log.warning("outgoing webhook %s: %s", url, type(error).__name__)


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, RefusedError)
    return refuse(request, error)


async def _no_such_page(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    path = request.url.path
    if path.startswith("/api/"):
        # The real server answers this one as text, for wrong methods too.
        return JSONResponse(refusals.no_page(path), status_code=404, media_type="text/plain; charset=utf-8")
    return page.no_such_page(request, error.status_code)


async def _failed(request: Request, error: Exception) -> Response:
    # The server logs the error itself once this has answered.
    del error
    return refuse(request, RefusedError(500, "api.internal.app_error", "The sandbox failed; see its log."))
