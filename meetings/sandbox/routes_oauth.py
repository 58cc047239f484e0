"""OAuth 2.0 as the server has it for other programs: applications, codes, and tokens for codes (web/oauth.go).

The consent page of the web client is one POST here. Applications and codes live as long as the process; a code is good
once and for ten minutes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlencode

from fastapi import APIRouter, Request, Response

from meetings.sandbox import refusals, users
from meetings.sandbox.http import MAX_BODY, SignedIn, answer, read_object, text, world_of
from meetings.sandbox.refusals import RefusedError

router = APIRouter()

CODE_LASTS = 10 * 60 * 1000  # milliseconds
TOKEN_LASTS = 30 * 24 * 3600  # seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """A program that people may sign in to."""

    id: str
    secret: str
    callbacks: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """A consent that waits for its program; `at` in milliseconds since the epoch."""

    user_id: str
    application: str
    redirect_uri: str
    at: int


def _kept(request: Request) -> tuple[dict[str, Application], dict[str, Code]]:
    state = request.app.state
    if not hasattr(state, "oauth"):
        state.oauth = ({}, {})
    kept: tuple[dict[str, Application], dict[str, Code]] = state.oauth
    return kept


@router.post("/api/v4/oauth/apps")
async def create_application(request: Request, caller: SignedIn) -> Response:
    """Register an application: for those who manage the server."""
    body = await read_object(request, "oauth_app")
    callbacks = body.get("callback_urls")
    with world_of(request).change() as tx:
        if "system_admin" not in caller.user.roles.split():
            raise refusals.forbidden()
        if not isinstance(callbacks, list) or not callbacks or not text(body, "name") or not text(body, "homepage"):
            raise RefusedError(400, "model.oauth.is_valid.callback.app_error", "Invalid callback URLs.")
        made = Application(id=tx.new_id(), secret=tx.new_id(), callbacks=tuple(str(c) for c in callbacks))
    _kept(request)[0][made.id] = made
    told: dict[str, Any] = {"id": made.id, "client_secret": made.secret, "name": text(body, "name")}
    return answer(request, {**told, "callback_urls": list(made.callbacks)}, status=201)


@router.post("/oauth/authorize")
async def authorize(request: Request, caller: SignedIn) -> Response:
    """The consent that somebody gives in the web client; tells where their browser goes on."""
    body = await read_object(request, "authorize_request")
    applications, codes = _kept(request)
    application = applications.get(text(body, "client_id"))
    redirect = text(body, "redirect_uri")
    if text(body, "response_type") != "code" or application is None or redirect not in application.callbacks:
        raise RefusedError(400, "api.oauth.authorize_oauth.redirect_callback.app_error", "Invalid redirect_uri.")
    with world_of(request).change() as tx:
        code, now = tx.new_id(), tx.now()
    codes[code] = Code(user_id=caller.user.id, application=application.id, redirect_uri=redirect, at=now)
    query = urlencode({"code": code, "state": text(body, "state")})
    return answer(request, {"redirect": f"{redirect}?{query}"})


@router.post("/oauth/access_token")
async def access_token(request: Request) -> Response:
    """A token for a code, once."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY:
            raise RefusedError(413, "api.context.request_body_too_large.app_error", "The request body is too large.")
    form = {k: v[0] for k, v in parse_qs(body.decode("utf-8", "replace")).items()}
    applications, codes = _kept(request)
    application = applications.get(form.get("client_id", ""))
    if form.get("grant_type") != "authorization_code":
        raise RefusedError(400, "api.oauth.get_access_token.bad_grant.app_error", "invalid_request: Bad grant_type")
    if application is None or form.get("client_secret") != application.secret:
        raise RefusedError(400, "api.oauth.get_access_token.credentials.app_error", "invalid_client: Invalid client")
    code = codes.pop(form.get("code", ""), None)
    with world_of(request).change() as tx:
        good = code is not None and code.application == application.id and tx.now() - code.at < CODE_LASTS
        if code is None or not good or form.get("redirect_uri") != code.redirect_uri:
            raise RefusedError(400, "api.oauth.get_access_token.expired_code.app_error", "invalid_grant: Invalid code")
        (user,) = users.by_ids(tx, [code.user_id])
        _, secret = users.new_token(tx, user, description="oauth")
    told = {"access_token": secret, "token_type": "bearer", "expires_in": TOKEN_LASTS, "scope": "user"}
    return answer(request, {**told, "refresh_token": "", "id_token": ""})
