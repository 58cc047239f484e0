"""REST: accounts, bots, sessions and tokens."""

from __future__ import annotations

from fastapi import APIRouter, Depends, Request, Response
from starlette.exceptions import HTTPException

from meetings.sandbox import posts, refusals, teams, users
from meetings.sandbox.http import (
    OK,
    Caller,
    SignedIn,
    answer,
    checked,
    paging,
    read_ids,
    read_object,
    signed_in,
    text,
    world_of,
)
from meetings.sandbox.model import User
from meetings.sandbox.refusals import RefusedError
from meetings.sandbox.shapes import bot_json, team_json, user_etag, user_json

router = APIRouter(prefix="/api/v4")


@router.post("/users")
async def create_user(request: Request) -> Response:
    """Anybody may sign up, as on a server with open sign-up; the first is the admin."""
    body = await read_object(request, "user")
    timezone = body.get("timezone")
    profile = users.Profile(
        username=text(body, "username"),
        email=text(body, "email"),
        first_name=text(body, "first_name"),
        last_name=text(body, "last_name"),
        nickname=text(body, "nickname"),
        position=text(body, "position"),
        locale=text(body, "locale") or "en",
        timezone={str(k): str(v) for k, v in timezone.items()} if isinstance(timezone, dict) else None,
    )
    with world_of(request).change() as tx:
        user = users.create(tx, profile, password=text(body, "password"))
    return answer(request, user_json(user, full=True), status=201)


@router.post("/users/login")
async def login(request: Request) -> Response:
    """Name and password for a session token, which comes in the `Token` header."""
    body = await read_object(request, "login_id")
    with world_of(request).change() as tx:
        user = users.login(tx, text(body, "login_id"), text(body, "password"))
        if isinstance(user, User):
            _, secret = users.new_token(tx, user, description="session")
    if isinstance(user, RefusedError):
        raise user
    return answer(request, user_json(user, full=True), headers={"Token": secret})


@router.post("/users/logout")
async def logout(request: Request, caller: SignedIn) -> Response:
    """End the caller's session."""
    with world_of(request).change() as tx:
        users.forget_token(tx, caller.token)
    return answer(request, OK)


@router.get("/users", dependencies=[Depends(signed_in)])
async def list_users(request: Request) -> Response:
    """All accounts, by username."""
    page, per_page = paging(request)
    with world_of(request).change() as tx:
        found = users.everybody(tx, page=page, per_page=per_page)
    return answer(request, [user_json(u, full=False) for u in found])


@router.post("/users/ids", dependencies=[Depends(signed_in)])
async def users_by_ids(request: Request) -> Response:
    """Accounts by id; unknown ids are left out."""
    ids = await read_ids(request, "user_ids")
    with world_of(request).change() as tx:
        found = users.by_ids(tx, ids)
    return answer(request, [user_json(u, full=False) for u in found])


@router.get("/users/username/{username}")
async def user_by_username(request: Request, username: str, caller: SignedIn) -> Response:
    """One account by username."""
    with world_of(request).change() as tx:
        user = users.by_username(tx, username)
    if user is None:
        raise refusals.no_user()
    return _one(request, user, caller.user)


@router.get("/users/{user_id}")
async def get_user(request: Request, user_id: str, caller: SignedIn) -> Response:
    """One account; `me` is the caller."""
    with world_of(request).change() as tx:
        user = users.require(tx, caller.resolve(user_id))
    return _one(request, user, caller.user)


@router.put("/users/{user_id}/patch")
async def patch_user(request: Request, user_id: str, caller: SignedIn) -> Response:
    """Change what an account says about itself."""
    body = await read_object(request, "user")
    with world_of(request).change() as tx:
        user = users.require(tx, _own(caller.user, caller.resolve(user_id)))
        changed = users.patch(tx, user, body)
    return answer(request, user_json(changed, full=True))


@router.put("/users/{user_id}/password")
async def set_password(request: Request, user_id: str, caller: SignedIn) -> Response:
    """Another password: by an admin, who need not know the old one."""
    body = await read_object(request, "password")
    if not caller.user.is_admin:
        raise refusals.forbidden()
    with world_of(request).change() as tx:
        users.set_password(tx, users.require(tx, caller.resolve(user_id)), text(body, "new_password"))
    return answer(request, OK)


@router.delete("/users/{user_id}")
async def deactivate(request: Request, user_id: str, caller: SignedIn) -> Response:
    """Deactivate an account."""
    with world_of(request).change() as tx:
        user = users.require(tx, _own(caller.user, caller.resolve(user_id)))
        users.set_active(tx, user, active=False)
    return answer(request, OK)


@router.put("/users/{user_id}/active")
async def set_active(request: Request, user_id: str, caller: SignedIn) -> Response:
    """Deactivate an account or bring it back."""
    body = await read_object(request, "active")
    if not isinstance(body.get("active"), bool):
        raise refusals.bad_body("active")
    with world_of(request).change() as tx:
        user = users.require(tx, _own(caller.user, caller.resolve(user_id), admin_only=body["active"]))
        users.set_active(tx, user, active=body["active"])
    return answer(request, OK)


@router.post("/users/{user_id}/demote")
async def demote(request: Request, user_id: str, caller: SignedIn) -> Response:
    """Make an account a guest."""
    return _change_kind(request, caller, user_id, guest=True)


@router.post("/users/{user_id}/promote")
async def promote(request: Request, user_id: str, caller: SignedIn) -> Response:
    """Make a guest a member again."""
    return _change_kind(request, caller, user_id, guest=False)


@router.get("/users/{user_id}/status", dependencies=[Depends(signed_in)])
async def get_status(request: Request, user_id: str, caller: SignedIn) -> Response:
    """Whether somebody is online."""
    with world_of(request).change() as tx:
        user = users.require(tx, caller.resolve(user_id))
    return answer(request, _status(request, user.id))


@router.post("/users/status/ids", dependencies=[Depends(signed_in)])
async def statuses_by_ids(request: Request) -> Response:
    """Whether several are online, and when each last did something; of an unknown id that nobody ever did."""
    ids = await read_ids(request, "user_ids")
    return answer(request, [_status(request, user_id) for user_id in dict.fromkeys(ids)])


@router.get("/users/{user_id}/teams")
async def teams_of_user(request: Request, user_id: str, caller: SignedIn) -> Response:
    """The teams somebody is in."""
    with world_of(request).change() as tx:
        found = teams.of_user(tx, _own(caller.user, caller.resolve(user_id)))
        shown = [team_json(t, full=teams.manages(tx, t.id, caller.user)) for t in found]
    return answer(request, shown)


@router.post("/users/{user_id}/tokens")
async def create_token(request: Request, user_id: str, caller: SignedIn) -> Response:
    """An access token: for admins, and for the owner of a bot."""
    body = await read_object(request, "description")
    if not text(body, "description"):
        raise refusals.bad_body("description")
    with world_of(request).change() as tx:
        user = users.by_id(tx, caller.resolve(user_id))
        owned = user is not None and user.is_bot and user.bot_owner_id == caller.user.id
        if user is None or not (caller.user.is_admin or owned):
            raise refusals.forbidden()
        token, secret = users.new_token(tx, user, description=text(body, "description"))
    shown = {
        "id": token.id,
        "token": secret,
        "user_id": user.id,
        "description": token.description,
        "is_active": token.is_active,
    }
    return answer(request, shown)


@router.get("/users/{user_id}/tokens")
async def list_tokens(request: Request, user_id: str, caller: SignedIn) -> Response:
    """An account's tokens, without what they are."""
    with world_of(request).change() as tx:
        found = users.tokens(tx, _own(caller.user, caller.resolve(user_id)))
    return answer(
        request,
        [{"id": t.id, "user_id": t.user_id, "description": t.description, "is_active": t.is_active} for t in found],
    )


@router.post("/users/tokens/{change}")
async def switch_token(request: Request, change: str, caller: SignedIn) -> Response:
    """Switch a token off or on again."""
    if change not in {"disable", "enable"}:
        raise HTTPException(404)
    body = await read_object(request, "token_id")
    if not caller.user.is_admin:
        raise refusals.forbidden()
    with world_of(request).change() as tx:
        if users.switch_token(tx, text(body, "token_id"), active=change == "enable") is None:
            raise RefusedError(404, "app.user_access_token.get_by_user.app_error", "Unable to get the token.")
    return answer(request, OK)


@router.post("/bots")
async def create_bot(request: Request, caller: SignedIn) -> Response:
    """A bot account. It greets its owner in a direct message, as on the real server."""
    body = await read_object(request, "bot")
    if not caller.user.is_admin:
        raise refusals.forbidden()
    with world_of(request).change() as tx:
        bot = users.create_bot(
            tx,
            caller.user,
            username=text(body, "username"),
            display_name=text(body, "display_name"),
            description=text(body, "description"),
        )
        posts.greet_owner(tx, bot, caller.user)
    return answer(request, bot_json(bot), status=201)


@router.get("/bots/{user_id}", dependencies=[Depends(signed_in)])
async def get_bot(request: Request, user_id: str) -> Response:
    """One bot account."""
    with world_of(request).change() as tx:
        bot = users.by_id(tx, checked(user_id, "bot_user_id"))
    if bot is None or not bot.is_bot:
        raise RefusedError(404, "store.sql_bot.get.missing.app_error", "Bot does not exist.")
    return answer(request, bot_json(bot))


def _change_kind(request: Request, caller: Caller, user_id: str, *, guest: bool) -> Response:
    if not caller.user.is_admin:
        raise refusals.forbidden()
    with world_of(request).change() as tx:
        users.set_guest(tx, users.require(tx, caller.resolve(user_id)), guest=guest)
    return answer(request, OK)


def _status(request: Request, user_id: str) -> dict[str, str | int]:
    hub = world_of(request).hub
    return {
        "user_id": user_id,
        "status": hub.statuses([user_id])[user_id],
        "manual": False,
        "last_activity_at": hub.last_activity.get(user_id, 0),
    }


def _one(request: Request, user: User, caller: User) -> Response:
    full = caller.is_admin or caller.id == user.id
    return answer(request, user_json(user, full=full), etag=user_etag(user))


def _own(caller: User, user_id: str, *, admin_only: bool = False) -> str:
    """The id, if it is the caller's own or the caller is an admin."""
    if caller.is_admin or (caller.id == user_id and not admin_only):
        return user_id
    raise refusals.forbidden()
