"""Teams and who is in them. Whoever joins a team joins its two default channels."""

from __future__ import annotations

import re
from dataclasses import replace

from sqlalchemy import select
from sqlalchemy import update as change_rows

from meetings.sandbox import channels, model, refusals, users
from meetings.sandbox.model import Team, TeamMember, User
from meetings.sandbox.refusals import RefusedError
from meetings.sandbox.world import Change

_NAME = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")
DEFAULT_CHANNELS = (("town-square", "Town Square"), ("off-topic", "Off-Topic"))


def create(tx: Change, creator: User, *, name: str, display_name: str, kind: str = "O", announce: bool = True) -> Team:
    """Add a team with its default channels; its creator is its admin."""
    if not _NAME.fullmatch(name) or not 2 <= len(name) <= 64:
        raise RefusedError(
            400, "model.team.is_valid.characters.app_error", "Name must be 2 or more lowercase alphanumeric characters."
        )
    if not display_name or len(display_name) > 64:
        raise RefusedError(400, "model.team.is_valid.name.app_error", "Invalid name.")
    if by_name(tx, name) is not None:
        raise RefusedError(400, "app.team.save.existing.app_error", "A team with that name already exists.")
    now = tx.now()
    team = Team(
        id=tx.new_id(),
        create_at=now,
        update_at=now,
        display_name=display_name,
        name=name,
        email=creator.email,
        type=kind,
        invite_id=tx.new_id(),
    )
    model.add(tx.db, model.teams, team)
    for channel_name, channel_display_name in DEFAULT_CHANNELS:
        channels.add_default(tx, team, name=channel_name, display_name=channel_display_name)
    join(tx, team, creator, by=None, admin=True, announce=announce)
    return team


def join(
    tx: Change, team: Team, user: User, *, by: User | None, admin: bool = False, announce: bool = True
) -> TeamMember:
    """Add somebody to a team, or say that they are in it already.

    Args:
        tx: the change.
        team: the team.
        user: who joins.
        by: who added them; None when they came themselves.
        admin: whether they manage the team.
        announce: whether the default channels say so.
    """
    known = member(tx, team.id, user.id)
    if known is not None and not known.delete_at:
        return known
    if known is None:
        joined = TeamMember(team_id=team.id, user_id=user.id, scheme_admin=admin)
        model.add(tx.db, model.team_members, joined)
    else:
        joined = replace(known, delete_at=0)
        tx.db.execute(
            change_rows(model.team_members)
            .where(model.team_members.c.team_id == team.id, model.team_members.c.user_id == user.id)
            .values(delete_at=0)
        )
    users.touch(tx, user.id)
    for name, _ in DEFAULT_CHANNELS:
        channel = channels.by_name(tx, team.id, name)
        if channel is not None:
            channels.join_default(tx, channel, user, by=by, admin=admin, announce=announce)
    tx.emit("added_to_team", {"team_id": team.id, "user_id": user.id}, user_id=user.id)
    return joined


def member(tx: Change, team_id: str, user_id: str) -> TeamMember | None:
    """Somebody's membership, one that has ended included."""
    table = model.team_members
    return model.one(tx.db, TeamMember, select(table).where(table.c.team_id == team_id, table.c.user_id == user_id))


def is_member(tx: Change, team_id: str, user_id: str) -> bool:
    """Whether somebody is in a team now."""
    found = member(tx, team_id, user_id)
    return found is not None and not found.delete_at


def manages(tx: Change, team_id: str, user: User) -> bool:
    """Whether somebody manages a team."""
    found = member(tx, team_id, user.id)
    return user.is_admin or (found is not None and not found.delete_at and found.scheme_admin)


def members(tx: Change, team_id: str, *, page: int, per_page: int) -> list[TeamMember]:
    """Who is in a team."""
    table = model.team_members
    query = select(table).where(table.c.team_id == team_id, table.c.delete_at == 0).order_by(table.c.user_id)
    return model.many(tx.db, TeamMember, query.limit(per_page).offset(page * per_page))


def by_name(tx: Change, name: str) -> Team | None:
    """The team with this name."""
    return model.one(tx.db, Team, select(model.teams).where(model.teams.c.name == name))


def require(tx: Change, team_id: str) -> Team:
    """The team with this id, or the refusal."""
    team = model.one(tx.db, Team, select(model.teams).where(model.teams.c.id == team_id))
    if team is None:
        raise refusals.no_team()
    return team


def of_user(tx: Change, user_id: str) -> list[Team]:
    """The teams somebody is in, by name."""
    query = (
        select(model.teams)
        .join(model.team_members, model.team_members.c.team_id == model.teams.c.id)
        .where(model.team_members.c.user_id == user_id, model.team_members.c.delete_at == 0)
        .order_by(model.teams.c.display_name)
    )
    return model.many(tx.db, Team, query)
