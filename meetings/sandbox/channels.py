"""Channels: making them, who is in them, how far each has read, and who may read them."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy import update as change_rows

from meetings.sandbox import model, refusals, system_posts, users
from meetings.sandbox.model import Channel, Member, Team, User
from meetings.sandbox.refusals import RefusedError
from meetings.sandbox.world import Change

_NAME = re.compile(r"[a-z0-9]([a-z0-9_-]*[a-z0-9])?")
TOWN_SQUARE = "town-square"


def create(
    tx: Change,
    creator: User,
    team: Team,
    *,
    name: str,
    display_name: str,
    kind: str,
    purpose: str = "",
    header: str = "",
    announce: bool = True,
) -> Channel:
    """Add an open (O) or private (P) channel; its creator joins it and manages it."""
    if not _NAME.fullmatch(name) or not 2 <= len(name) <= 64:
        raise RefusedError(
            400,
            "model.channel.is_valid.1_or_more.app_error",
            "Name must be 1 or more lowercase alphanumeric characters.",
        )
    if not display_name or len(display_name) > 64:
        raise RefusedError(400, "model.channel.is_valid.display_name.app_error", "Invalid display name.")
    if kind not in {"O", "P"}:
        raise RefusedError(400, "model.channel.is_valid.type.app_error", "Invalid type.")
    if by_name(tx, team.id, name) is not None:
        raise RefusedError(
            400,
            "store.sql_channel.save_channel.exists.app_error",
            "A channel with that name already exists on the same team.",
        )
    channel = _add(
        tx,
        team_id=team.id,
        kind=kind,
        name=name,
        display_name=display_name,
        purpose=purpose,
        header=header,
        creator_id=creator.id,
    )
    _add_member(tx, channel, creator, admin=True)
    if announce:
        system_posts.joined(tx, channel, creator)
    tx.emit("channel_created", {"channel_id": channel.id, "team_id": team.id}, user_id=creator.id)
    return channel


def add_default(tx: Change, team: Team, *, name: str, display_name: str) -> Channel:
    """Add one of a team's default channels, which nobody created."""
    return _add(tx, team_id=team.id, kind="O", name=name, display_name=display_name, creator_id="")


def describe(tx: Change, channel: Channel, *, display_name: str, purpose: str, header: str) -> None:
    """Give a channel its name, purpose and header."""
    tx.db.execute(
        change_rows(model.channels)
        .where(model.channels.c.id == channel.id)
        .values(display_name=display_name, purpose=purpose, header=header)
    )


def direct(tx: Change, first: User, second: User, *, creator: User) -> Channel:
    """The direct channel of two accounts, made when they have none."""
    name = "__".join(sorted((first.id, second.id)))
    known = by_name(tx, "", name)
    if known is not None:
        return known
    channel = _add(tx, team_id="", kind="D", name=name, display_name="", creator_id=creator.id)
    for user in {first.id: first, second.id: second}.values():
        _add_member(tx, channel, user)
    teammate = second if creator.id == first.id else first
    tx.emit("direct_added", {"creator_id": creator.id, "teammate_id": teammate.id}, channel_id=channel.id)
    return channel


def group(tx: Change, people: Sequence[User], *, creator: User) -> Channel:
    """The group channel of some accounts, made when they have none. Its name is made of theirs (model.GetGroupName)."""
    name = hashlib.sha1("".join(sorted(u.id for u in people)).encode("ascii"), usedforsecurity=False).hexdigest()
    known = by_name(tx, "", name)
    if known is not None:
        return known
    display_name = ", ".join(sorted(u.username for u in people))
    channel = _add(tx, team_id="", kind="G", name=name, display_name=display_name[:64], creator_id=creator.id)
    for user in people:
        _add_member(tx, channel, user)
    told = json.dumps([u.id for u in people if u.id != creator.id], separators=(",", ":"))
    tx.emit("group_added", {"teammate_ids": told}, channel_id=channel.id)
    return channel


def archive(tx: Change, channel: Channel, *, by: User) -> None:
    """Close a channel to new posts; what is in it stays readable by its id."""
    if channel.name == TOWN_SQUARE or not channel.team_id:
        raise RefusedError(
            400, "api.channel.delete_channel.cannot.app_error", "Cannot delete the default channel town-square."
        )
    system_posts.archived(tx, channel, by=by)
    now = tx.now()
    table = model.channels
    tx.db.execute(change_rows(table).where(table.c.id == channel.id).values(delete_at=now, update_at=now))
    tx.emit("channel_deleted", {"channel_id": channel.id, "delete_at": now}, channel_id=channel.id)


def join(tx: Change, channel: Channel, user: User, *, by: User, announce: bool = True) -> Member:
    """Add somebody to a channel, or say that they are in it already."""
    known = member(tx, channel.id, user.id)
    if known is not None:
        return known
    joined = _add_member(tx, channel, user)
    tx.emit("user_added", {"team_id": channel.team_id, "user_id": user.id}, channel_id=channel.id)
    if announce and by.id == user.id:
        system_posts.joined(tx, channel, user)
    elif announce:
        system_posts.added(tx, channel, user, by=by)
    return joined


def join_default(tx: Change, channel: Channel, user: User, *, by: User | None, admin: bool, announce: bool) -> None:
    """Add somebody to a team's default channel; the channel says so before it tells of the member."""
    if member(tx, channel.id, user.id) is not None:
        return
    _add_member(tx, channel, user, admin=admin)
    if announce:
        system_posts.joined_default(tx, channel, user, by=by, whole_team=channel.name == TOWN_SQUARE)
    tx.emit("user_added", {"team_id": channel.team_id, "user_id": user.id}, channel_id=channel.id)


def leave(tx: Change, channel: Channel, user: User, *, by: User) -> None:
    """Take somebody out of a channel."""
    if channel.name == TOWN_SQUARE:
        raise RefusedError(
            400,
            "api.channel.remove.default.app_error",
            f"Unable to remove user from the default channel {TOWN_SQUARE}.",
        )
    if member(tx, channel.id, user.id) is None:
        raise refusals.no_channel_member()
    table = model.members
    tx.db.execute(table.delete().where(table.c.channel_id == channel.id, table.c.user_id == user.id))
    tx.emit("user_removed", {"user_id": user.id, "remover_id": by.id}, channel_id=channel.id)
    tx.emit("user_removed", {"channel_id": channel.id, "remover_id": by.id}, user_id=user.id)
    if by.id == user.id:
        system_posts.left(tx, channel, user)
    else:
        system_posts.removed(tx, channel, user, by=by)


def mark_viewed(tx: Change, channel_id: str, user_id: str) -> int:
    """Note that somebody has read a channel to its end; the time of its newest post."""
    channel = require(tx, channel_id)
    table = model.members
    time = channel.last_post_at
    tx.db.execute(
        change_rows(table)
        .where(table.c.channel_id == channel_id, table.c.user_id == user_id)
        .values(
            mention_count=0,
            mention_count_root=0,
            msg_count=channel.total_msg_count,
            msg_count_root=channel.total_msg_count_root,
            last_viewed_at=func.max(table.c.last_viewed_at, time),
            last_update_at=func.max(table.c.last_update_at, time),
        )
    )
    tx.emit("channel_viewed", {"channel_id": channel_id}, user_id=user_id)
    return time


# Finding them


def require(tx: Change, channel_id: str) -> Channel:
    """The channel with this id, or the refusal."""
    channel = by_id(tx, channel_id)
    if channel is None:
        raise refusals.no_channel()
    return channel


def by_id(tx: Change, channel_id: str) -> Channel | None:
    """The channel with this id."""
    return model.one(tx.db, Channel, select(model.channels).where(model.channels.c.id == channel_id))


def by_name(tx: Change, team_id: str, name: str) -> Channel | None:
    """The channel with this name in a team; direct channels are in none."""
    table = model.channels
    return model.one(tx.db, Channel, select(table).where(table.c.team_id == team_id, table.c.name == name))


def of_user(tx: Change, user_id: str, team_id: str) -> list[Channel]:
    """The channels somebody is in, of one team and direct ones, by display name."""
    table = model.channels
    query = (
        select(table)
        .join(model.members, model.members.c.channel_id == table.c.id)
        .where(model.members.c.user_id == user_id, table.c.team_id.in_([team_id, ""]), table.c.delete_at == 0)
        .order_by(table.c.display_name, table.c.create_at)
    )
    return model.many(tx.db, Channel, query)


def public(tx: Change, team_id: str, *, page: int, per_page: int) -> list[Channel]:
    """The open channels of a team, by display name."""
    table = model.channels
    query = (
        select(table)
        .where(table.c.team_id == team_id, table.c.type == "O", table.c.delete_at == 0)
        .order_by(table.c.display_name)
    )
    return model.many(tx.db, Channel, query.limit(per_page).offset(page * per_page))


def member(tx: Change, channel_id: str, user_id: str) -> Member | None:
    """Somebody's membership."""
    table = model.members
    return model.one(tx.db, Member, select(table).where(table.c.channel_id == channel_id, table.c.user_id == user_id))


def members(tx: Change, channel_id: str, *, page: int = 0, per_page: int = 1_000_000) -> list[Member]:
    """Who is in a channel, by user id."""
    table = model.members
    query = select(table).where(table.c.channel_id == channel_id).order_by(table.c.user_id)
    return model.many(tx.db, Member, query.limit(per_page).offset(page * per_page))


def member_users(tx: Change, channel_id: str) -> list[User]:
    """The accounts of a channel's members."""
    return users.by_ids(tx, [m.user_id for m in members(tx, channel_id)])


# Who may what


def may_read(tx: Change, user: User, channel: Channel | None) -> bool:
    """Whether somebody may read a channel's list of posts, its members and files: members and admins."""
    return user.is_admin or (channel is not None and member(tx, channel.id, user.id) is not None)


def may_see_posts(tx: Change, user: User, channel: Channel) -> bool:
    """Whether somebody may read a single post: in an open channel everybody of the team but guests (seen on 5.37)."""
    if may_read(tx, user, channel):
        return True
    return channel.type == "O" and not user.is_guest and in_team(tx, user, channel.team_id)


def in_team(tx: Change, user: User, team_id: str) -> bool:
    """Whether somebody is in a team now."""
    table = model.team_members
    query = select(table.c.user_id).where(
        table.c.team_id == team_id, table.c.user_id == user.id, table.c.delete_at == 0
    )
    return user.is_admin or tx.db.execute(query).first() is not None


def _add(
    tx: Change,
    *,
    team_id: str,
    kind: str,
    name: str,
    display_name: str,
    creator_id: str,
    purpose: str = "",
    header: str = "",
) -> Channel:
    now = tx.now()
    channel = Channel(
        id=tx.new_id(),
        create_at=now,
        update_at=now,
        team_id=team_id,
        type=kind,
        display_name=display_name,
        name=name,
        purpose=purpose,
        header=header,
        creator_id=creator_id,
    )
    model.add(tx.db, model.channels, channel)
    return channel


def _add_member(tx: Change, channel: Channel, user: User, *, admin: bool = False) -> Member:
    joined = Member(channel_id=channel.id, user_id=user.id, last_update_at=tx.now(), scheme_admin=admin)
    model.add(tx.db, model.members, joined)
    return joined
