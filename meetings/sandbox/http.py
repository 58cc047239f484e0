"""What every REST route shares: who is calling, reading what they sent, and writing answers as the server does."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Request, Response
from starlette.responses import JSONResponse

from meetings.sandbox import refusals, users
from meetings.sandbox.ids import is_id, new_id
from meetings.sandbox.model import User
from meetings.sandbox.refusals import RefusedError
from meetings.sandbox.shapes import VERSION_ID
from meetings.sandbox.world import World

DEFAULT_PER_PAGE = 60
MAX_PER_PAGE = 200
MAX_BODY = 1024 * 1024  # bytes of JSON

OK = {"status": "OK"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Whose token came with a request, and the token."""

    user: User
    token: str

    def resolve(self, user_id: str) -> str:
        """An account's id from an address; `me` is the caller."""
        return self.user.id if user_id == "me" else checked(user_id, "user_id")


def world_of(request: Request) -> World:
    """The state behind the running server."""
    world = request.app.state.world
    assert isinstance(world, World)
    return world


def token_of(headers: Mapping[str, str]) -> str:
    """The token in the Authorization header, empty without one."""
    kind, _, token = headers.get("authorization", "").partition(" ")
    return token.strip() if kind.lower() in {"bearer", "token"} else ""


async def signed_in(request: Request) -> Caller:
    """The caller, or the refusal. A coroutine, so that it runs on the world's thread."""
    token = token_of(request.headers)
    with world_of(request).change() as tx:
        user = users.by_token(tx, token) if token else None
    if user is None:
        raise refusals.no_session()
    return Caller(user=user, token=token)


SignedIn = Annotated[Caller, Depends(signed_in)]


def checked(value: str, name: str) -> str:
    """An id from an address, or the refusal."""
    if not is_id(value):
        raise refusals.bad_url(name)
    return value


def paging(request: Request) -> tuple[int, int]:
    """`page` and `per_page` of a query; more than 200 a page become 200 without a word."""
    page, per_page = _number(request, "page"), _number(request, "per_page")
    return page or 0, DEFAULT_PER_PAGE if per_page is None else min(per_page, MAX_PER_PAGE)


def _number(request: Request, name: str) -> int | None:
    try:
        number = int(request.query_params.get(name, ""))
    except ValueError:
        return None
    return number if number >= 0 else None


async def read_object(request: Request, name: str) -> dict[str, Any]:
    """The body as a JSON object, or the refusal that names what it should be."""
    body = await _read(request, name)
    if not isinstance(body, dict):
        raise refusals.bad_body(name)
    return body


async def read_ids(request: Request, name: str) -> list[str]:
    """The body as a list of ids, or the refusal."""
    body = await _read(request, name)
    if not isinstance(body, list) or not body or not all(isinstance(i, str) and is_id(i) for i in body):
        raise refusals.bad_body(name)
    return body


async def _read(request: Request, name: str) -> Any:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY:
            raise RefusedError(413, "api.context.request_body_too_large.app_error", "The request body is too large.")
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise refusals.bad_body(name) from error


def text(body: Mapping[str, Any], key: str) -> str:
    """A text value of a body; absent or another kind is empty, as in the server."""
    value = body.get(key)
    return value if isinstance(value, str) else ""


def headers_of(request: Request) -> dict[str, str]:
    """The headers that every answer carries."""
    if not hasattr(request.state, "request_id"):
        request.state.request_id = new_id()
    return {"X-Request-Id": request.state.request_id, "X-Version-Id": VERSION_ID}


def answer(
    request: Request,
    body: Any,
    *,
    status: int = 200,
    etag: str = "",
    headers: Mapping[str, str] | None = None,
) -> Response:
    """An answer; 304 without a body when the caller has this `etag` already."""
    common = {**headers_of(request), **(headers or {})}
    if etag:
        common["Etag"] = etag
        if request.headers.get("if-none-match") == etag:
            return Response(status_code=304, headers=common)
    return JSONResponse(body, status_code=status, headers=common)


def refuse(request: Request, refusal: RefusedError) -> Response:
    """The answer to a refused request."""
    headers = headers_of(request)
    return JSONResponse(refusal.to_json(headers["X-Request-Id"]), status_code=refusal.status, headers=headers)
