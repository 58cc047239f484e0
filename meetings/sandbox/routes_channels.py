"""REST: teams, channels, and who is in them."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from meetings.sandbox import channels, refusals, teams, users
from meetings.sandbox.http import OK, SignedIn, answer, checked, paging, read_ids, read_object, text, world_of
from meetings.sandbox.ids import is_id
from meetings.sandbox.model import Channel, User
from meetings.sandbox.refusals import RefusedError
from meetings.sandbox.shapes import channel_json, channels_etag, member_json, team_json, team_member_json
from meetings.sandbox.world import Change

router = APIRouter(prefix="/api/v4")


@router.post("/teams")
async def create_team(request: Request, caller: SignedIn) -> Response:
    """A new team; the creator manages it."""
    body = await read_object(request, "team")
    with world_of(request).change() as tx:
        team = teams.create(
            tx,
            caller.user,
            name=text(body, "name"),
            display_name=text(body, "display_name"),
            kind="I" if text(body, "type") == "I" else "O",
        )
    return answer(request, team_json(team, full=True), status=201)


@router.get("/teams/{team_id}")
async def get_team(request: Request, team_id: str, caller: SignedIn) -> Response:
    """One team."""
    with world_of(request).change() as tx:
        team = teams.require(tx, checked(team_id, "team_id"))
        if not channels.in_team(tx, caller.user, team.id):
            raise refusals.forbidden()
        shown = team_json(team, full=teams.manages(tx, team.id, caller.user))
    return answer(request, shown)


@router.get("/teams/name/{name}")
async def get_team_by_name(request: Request, name: str, caller: SignedIn) -> Response:
    """One team by its name."""
    with world_of(request).change() as tx:
        team = teams.by_name(tx, name)
        if team is None:
            raise RefusedError(404, "app.team.get_by_name.missing.app_error", "Unable to find the existing team.")
        if not channels.in_team(tx, caller.user, team.id):
            raise refusals.forbidden()
        shown = team_json(team, full=teams.manages(tx, team.id, caller.user))
    return answer(request, shown)


@router.post("/teams/{team_id}/members")
async def add_team_member(request: Request, team_id: str, caller: SignedIn) -> Response:
    """Add somebody to a team."""
    body = await read_object(request, "member")
    if text(body, "team_id") != checked(team_id, "team_id"):
        raise refusals.bad_body("team_id")
    with world_of(request).change() as tx:
        team = teams.require(tx, team_id)
        user = users.require(tx, _id(text(body, "user_id"), "user_id"))
        own = user.id == caller.user.id
        if not own and not channels.in_team(tx, caller.user, team.id):
            raise refusals.forbidden()
        member = teams.join(tx, team, user, by=None if own else caller.user)
    return answer(request, team_member_json(member), status=201)


@router.get("/teams/{team_id}/members")
async def team_members(request: Request, team_id: str, caller: SignedIn) -> Response:
    """Who is in a team."""
    page, per_page = paging(request)
    with world_of(request).change() as tx:
        team = teams.require(tx, checked(team_id, "team_id"))
        if not channels.in_team(tx, caller.user, team.id):
            raise refusals.forbidden()
        found = teams.members(tx, team.id, page=page, per_page=per_page)
    return answer(request, [team_member_json(m) for m in found])


@router.get("/teams/{team_id}/channels")
async def public_channels(request: Request, team_id: str, caller: SignedIn) -> Response:
    """The open channels of a team."""
    page, per_page = paging(request)
    with world_of(request).change() as tx:
        if not channels.in_team(tx, caller.user, checked(team_id, "team_id")):
            raise refusals.forbidden()
        found = channels.public(tx, team_id, page=page, per_page=per_page)
    return answer(request, [channel_json(c) for c in found])


@router.get("/teams/name/{team_name}/channels/name/{name}")
async def channel_by_names(request: Request, team_name: str, name: str, caller: SignedIn) -> Response:
    """One channel by the names of its team and its own."""
    with world_of(request).change() as tx:
        team = teams.by_name(tx, team_name)
        channel = channels.by_name(tx, team.id, name) if team else None
        return answer(request, channel_json(_visible(tx, caller.user, channel)))


@router.get("/teams/{team_id}/channels/name/{name}")
async def channel_by_name(request: Request, team_id: str, name: str, caller: SignedIn) -> Response:
    """One channel by its name."""
    with world_of(request).change() as tx:
        channel = channels.by_name(tx, checked(team_id, "team_id"), name)
        return answer(request, channel_json(_visible(tx, caller.user, channel)))


@router.get("/users/{user_id}/teams/{team_id}/channels")
async def channels_of_user(request: Request, user_id: str, team_id: str, caller: SignedIn) -> Response:
    """The channels somebody is in; only their own, or for an admin."""
    wanted = caller.resolve(user_id)
    if wanted != caller.user.id and not caller.user.is_admin:
        raise refusals.forbidden()
    with world_of(request).change() as tx:
        if not channels.in_team(tx, caller.user, checked(team_id, "team_id")):
            raise refusals.forbidden()
        found = channels.of_user(tx, wanted, team_id)
    return answer(request, [channel_json(c) for c in found], etag=channels_etag(found))


@router.post("/channels")
async def create_channel(request: Request, caller: SignedIn) -> Response:
    """A new channel."""
    body = await read_object(request, "channel")
    with world_of(request).change() as tx:
        team_id = _id(text(body, "team_id"), "team_id")
        if not channels.in_team(tx, caller.user, team_id):
            raise refusals.forbidden()
        channel = channels.create(
            tx,
            caller.user,
            teams.require(tx, team_id),
            name=text(body, "name"),
            display_name=text(body, "display_name"),
            kind=text(body, "type"),
            purpose=text(body, "purpose"),
            header=text(body, "header"),
        )
    return answer(request, channel_json(channel), status=201)


@router.post("/channels/direct")
async def create_direct(request: Request, caller: SignedIn) -> Response:
    """The direct channel of two accounts; deactivated ones too."""
    ids = await read_ids(request, "user_ids")
    if len(ids) != 2:
        raise refusals.bad_body("user_ids")
    if caller.user.id not in ids and not caller.user.is_admin:
        raise refusals.forbidden()
    with world_of(request).change() as tx:
        pair = [users.by_id(tx, i) for i in ids]
        first, second = pair
        if first is None or second is None:
            raise RefusedError(400, "api.channel.create_direct_channel.invalid_user.app_error", "Invalid user ID.")
        creator = second if caller.user.id == second.id else first
        channel = channels.direct(tx, first, second, creator=creator)
    return answer(request, channel_json(channel), status=201)


@router.post("/channels/group")
async def create_group(request: Request, caller: SignedIn) -> Response:
    """The group channel of three to eight accounts, the caller among them."""
    ids = list(dict.fromkeys([*await read_ids(request, "user_ids"), caller.user.id]))
    if not 3 <= len(ids) <= 8:
        raise RefusedError(
            400,
            "api.channel.create_group.bad_size.app_error",
            "Group message channels must contain at least 3 and no more than 8 users.",
        )
    with world_of(request).change() as tx:
        people = users.by_ids(tx, ids)
        if len(people) != len(ids):
            raise RefusedError(400, "api.channel.create_group.bad_user.app_error", "One of the users does not exist.")
        channel = channels.group(tx, people, creator=caller.user)
    return answer(request, channel_json(channel), status=201)


@router.put("/channels/{channel_id}/patch")
async def patch_channel(request: Request, channel_id: str, caller: SignedIn) -> Response:
    """Change a channel's name, purpose or header: its members may, guests not."""
    body = await read_object(request, "channel")
    with world_of(request).change() as tx:
        channel = channels.require(tx, checked(channel_id, "channel_id"))
        if caller.user.is_guest or not channels.may_read(tx, caller.user, channel):
            raise refusals.forbidden()
        given = {k: v for k in ("display_name", "purpose", "header") if isinstance(v := body.get(k), str)}
        now = {"display_name": channel.display_name, "purpose": channel.purpose, "header": channel.header, **given}
        channels.describe(tx, channel, **now)
        changed = channels.require(tx, channel_id)
    return answer(request, channel_json(changed))


@router.delete("/channels/{channel_id}")
async def archive_channel(request: Request, channel_id: str, caller: SignedIn) -> Response:
    """Archive a channel: its members may, guests not."""
    with world_of(request).change() as tx:
        channel = channels.require(tx, checked(channel_id, "channel_id"))
        if caller.user.is_guest or not channels.may_read(tx, caller.user, channel):
            raise refusals.forbidden()
        channels.archive(tx, channel, by=caller.user)
    return answer(request, OK)


@router.post("/channels/members/{user_id}/view")
async def view_channel(request: Request, user_id: str, caller: SignedIn) -> Response:
    """Note that the caller has read a channel."""
    body = await read_object(request, "view")
    wanted = caller.resolve(user_id)
    if wanted != caller.user.id and not caller.user.is_admin:
        raise refusals.forbidden()
    times: dict[str, int] = {}
    with world_of(request).change() as tx:
        for key in ("channel_id", "prev_channel_id"):
            channel_id = text(body, key)
            if channel_id and channels.member(tx, _id(channel_id, f"channel_view.{key}"), wanted):
                times[channel_id] = channels.mark_viewed(tx, channel_id, wanted)
    world_of(request).hub.seen(wanted)
    return answer(request, {"status": "OK", "last_viewed_at_times": times})


@router.get("/channels/{channel_id}")
async def get_channel(request: Request, channel_id: str, caller: SignedIn) -> Response:
    """One channel: its members', and the team's if it is open."""
    with world_of(request).change() as tx:
        channel = channels.require(tx, checked(channel_id, "channel_id"))
        if not channels.may_see_posts(tx, caller.user, channel):
            raise refusals.forbidden()
    return answer(request, channel_json(channel))


@router.get("/channels/{channel_id}/members")
async def channel_members(request: Request, channel_id: str, caller: SignedIn) -> Response:
    """Who is in a channel, by user id."""
    page, per_page = paging(request)
    with world_of(request).change() as tx:
        channel = channels.by_id(tx, checked(channel_id, "channel_id"))
        if not channels.may_read(tx, caller.user, channel):
            raise refusals.forbidden()
        found = channels.members(tx, channel_id, page=page, per_page=per_page)
    return answer(request, [member_json(m) for m in found])


@router.get("/channels/{channel_id}/members/{user_id}")
async def channel_member(request: Request, channel_id: str, user_id: str, caller: SignedIn) -> Response:
    """Somebody's membership of a channel."""
    with world_of(request).change() as tx:
        channel = channels.by_id(tx, checked(channel_id, "channel_id"))
        if not channels.may_read(tx, caller.user, channel):
            raise refusals.forbidden()
        member = channels.member(tx, channel_id, caller.resolve(user_id))
    if member is None:
        raise refusals.no_channel_member()
    return answer(request, member_json(member))


@router.post("/channels/{channel_id}/members")
async def add_channel_member(request: Request, channel_id: str, caller: SignedIn) -> Response:
    """Add somebody to a channel: members may, and anybody themselves to an open one."""
    body = await read_object(request, "user_id")
    user_id = _id(text(body, "user_id"), "user_id")
    with world_of(request).change() as tx:
        channel = channels.require(tx, checked(channel_id, "channel_id"))
        if channel.type in {"D", "G"}:
            raise RefusedError(
                400,
                "api.channel.add_user_to_channel.type.app_error",
                "Can not add user to this channel type.",
            )
        user = users.require(tx, user_id)
        joins = user.id == caller.user.id and channels.may_see_posts(tx, caller.user, channel)
        if not joins and not channels.may_read(tx, caller.user, channel):
            raise refusals.forbidden()
        if not teams.is_member(tx, channel.team_id, user.id):
            raise RefusedError(
                404, "app.team.get_member.missing.app_error", "No team member found for that user ID and team ID."
            )
        member = channels.join(tx, channel, user, by=caller.user)
    return answer(request, member_json(member), status=201)


@router.delete("/channels/{channel_id}/members/{user_id}")
async def remove_channel_member(request: Request, channel_id: str, user_id: str, caller: SignedIn) -> Response:
    """Take somebody out of a channel: members may, of those that are not direct."""
    with world_of(request).change() as tx:
        channel = channels.require(tx, checked(channel_id, "channel_id"))
        if channel.type in {"D", "G"}:
            raise RefusedError(
                400,
                "api.channel.remove_channel_member.type.app_error",
                "Unable to remove user from this channel type.",
            )
        if not channels.may_read(tx, caller.user, channel):
            raise refusals.forbidden()
        channels.leave(tx, channel, users.require(tx, caller.resolve(user_id)), by=caller.user)
    return answer(request, OK)


@router.get("/users/{user_id}/channels/{channel_id}/unread")
async def unread(request: Request, user_id: str, channel_id: str, caller: SignedIn) -> Response:
    """How much somebody has not read."""
    wanted = caller.resolve(user_id)
    if wanted != caller.user.id and not caller.user.is_admin:
        raise refusals.forbidden()
    with world_of(request).change() as tx:
        channel = channels.by_id(tx, checked(channel_id, "channel_id"))
        if channel is None or not channels.may_read(tx, caller.user, channel):
            raise refusals.forbidden()
        member = channels.member(tx, channel_id, wanted)
    if member is None:
        raise refusals.no_channel_member()
    shown = {
        "team_id": channel.team_id,
        "channel_id": channel.id,
        "msg_count": max(0, channel.total_msg_count - member.msg_count),
        "mention_count": member.mention_count,
        "mention_count_root": member.mention_count_root,
        "msg_count_root": max(0, channel.total_msg_count_root - member.msg_count_root),
    }
    return answer(request, shown)


def _visible(tx: Change, user: User, channel: Channel | None) -> Channel:
    """A channel found by name: a private one that the caller is not in is not there."""
    if channel is None:
        raise refusals.no_channel_of_that_name()
    if not channels.may_see_posts(tx, user, channel):
        raise refusals.forbidden() if channel.type == "O" else refusals.no_channel_of_that_name()
    return channel


def _id(value: str, name: str) -> str:
    """An id from a body, or the refusal."""
    if not is_id(value):
        raise refusals.bad_body(name)
    return value
