"""REST of the sandbox itself, which no Mattermost has: whether it is there, and how it misbehaves."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from starlette.responses import JSONResponse

from meetings.errors import SandboxError
from meetings.sandbox import refusals
from meetings.sandbox.faults import Plan, check_plan
from meetings.sandbox.guard import is_loopback
from meetings.sandbox.http import SignedIn, read_object, world_of
from meetings.sandbox.model import User
from meetings.sandbox.refusals import RefusedError

# Not below /api/v4: no fault strikes it.
router = APIRouter(prefix="/api/sandbox")


@router.get("/ping")
async def ping() -> Response:
    """Whether the sandbox is there, however it misbehaves; needs no token."""
    return JSONResponse({"status": "OK"})


@router.get("/misbehave")
async def get_plan(request: Request, caller: SignedIn) -> Response:
    """The plan in force, and how often each rule struck."""
    _admin_only(request, caller.user)
    return _shown(request)


@router.put("/misbehave")
async def put_plan(request: Request, caller: SignedIn) -> Response:
    """Follow another plan from now on."""
    _admin_only(request, caller.user)
    try:
        plan = check_plan(await read_object(request, "plan"), origin="plan")
    except SandboxError as error:
        raise RefusedError(400, "sandbox.misbehave.plan.app_error", str(error)) from error
    world_of(request).faults.follow(plan)
    return _shown(request)


@router.delete("/misbehave")
async def end_plan(request: Request, caller: SignedIn) -> Response:
    """Behave again."""
    _admin_only(request, caller.user)
    world_of(request).faults.follow(Plan())
    return _shown(request)


def _admin_only(request: Request, user: User) -> None:
    """For the admin, on this machine: a sandbox that others can reach is not theirs to break."""
    here = request.client is not None and is_loopback(request.client.host) and is_loopback(request.url.hostname or "")
    if not here or not user.is_admin:
        raise refusals.forbidden()


def _shown(request: Request) -> Response:
    faults = world_of(request).faults
    return JSONResponse({"seed": faults.plan.seed, "rules": faults.counts()})
