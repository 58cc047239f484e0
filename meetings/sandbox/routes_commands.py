"""REST: slash commands."""

from __future__ import annotations

import asyncio
import re

from fastapi import APIRouter, Request, Response

from meetings.sandbox import channels, commands, model, refusals, teams, users
from meetings.sandbox.http import SignedIn, answer, read_object, text, world_of
from meetings.sandbox.model import Command
from meetings.sandbox.refusals import RefusedError
from meetings.sandbox.shapes import command_json

router = APIRouter()

_TRIGGER = re.compile(r"[a-z0-9_-]{1,128}")
TIMEOUT = 30.0  # seconds, as on the real server


@router.post("/api/v4/commands")
async def create_command(request: Request, caller: SignedIn) -> Response:
    """A slash command: for those who manage the team."""
    body = await read_object(request, "command")
    team_id, trigger, url = text(body, "team_id"), text(body, "trigger").lower(), text(body, "url")
    with world_of(request).change() as tx:
        if not teams.manages(tx, team_id, caller.user):
            raise refusals.forbidden()
        if not _TRIGGER.fullmatch(trigger):
            raise RefusedError(400, "model.command.is_valid.trigger.app_error", "Invalid trigger.")
        if not url.startswith(("http://", "https://")):
            raise RefusedError(400, "model.command.is_valid.url_http.app_error", "Invalid URL.")
        table = model.commands
        if tx.db.execute(table.select().where(table.c.team_id == team_id, table.c.trigger == trigger)).first():
            raise RefusedError(
                400, "api.command.duplicate_trigger.app_error", "This trigger word is already in use. Choose another."
            )
        now = tx.now()
        command = Command(
            id=tx.new_id(),
            token=tx.new_id(),
            create_at=now,
            update_at=now,
            creator_id=caller.user.id,
            team_id=team_id,
            trigger=trigger,
            method="P",
            display_name=text(body, "display_name"),
            description=text(body, "description"),
            url=url,
        )
        model.add(tx.db, table, command)
    return answer(request, command_json(command), status=201)


@router.get("/api/v4/commands")
async def list_commands(request: Request, caller: SignedIn) -> Response:
    """A team's commands; their tokens are for those who manage it."""
    team_id = request.query_params.get("team_id", "")
    with world_of(request).change() as tx:
        if not teams.manages(tx, team_id, caller.user):
            raise refusals.forbidden()
        query = model.commands.select().where(model.commands.c.team_id == team_id)
        found = model.many(tx.db, Command, query)
    return answer(request, [command_json(c) for c in found])


@router.post("/api/v4/commands/execute")
async def execute(request: Request, caller: SignedIn) -> Response:
    """Call a command and show what it answers."""
    import requests

    body = await read_object(request, "command_args")
    root_id, line = text(body, "root_id"), text(body, "command")
    world = world_of(request)
    with world.change() as tx:
        channel, team = commands.place(tx, caller.user, text(body, "channel_id"), text(body, "team_id"))
        command, words = commands.find(tx, team.id, line)
        headers, form = commands.message(
            tx, command, words, caller=caller.user, channel=channel, team=team, root_id=root_id
        )
    try:
        called = await asyncio.to_thread(
            requests.post, command.url, data=form, headers=headers, timeout=TIMEOUT, allow_redirects=False
        )
    except requests.RequestException as error:
        raise commands.failed() from error
    if called.status_code != 200:
        raise commands.failed()
    said = commands.read_answer(called.headers.get("Content-Type", ""), called.content)
    with world.change() as tx:
        commands.show(tx, caller.user, channel, said, root_id=root_id)
    return answer(request, {"response_type": "", "text": "", "trigger_id": "", **said})


@router.post("/hooks/commands/{later_id}")
async def answer_later(request: Request, later_id: str) -> Response:
    """A later answer to a command, by whoever was told the address."""
    body = await read_object(request, "response")
    with world_of(request).change() as tx:
        later = commands.take_later(tx, later_id)
        caller, channel = users.require(tx, later.user_id), channels.require(tx, later.channel_id)
        commands.show(tx, caller, channel, body, root_id=later.root_id)
    return Response("ok", media_type="text/plain")
