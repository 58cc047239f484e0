"""Slash commands: `/word text` goes as a form to the address that registered the word, and its answer is shown.

As in the server (app/command.go): the token goes in the form and in an Authorization header of kind Token; an answer is
for the caller alone unless it says `in_channel`; later answers come to `response_url` for half an hour.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from sqlalchemy import select

from meetings.sandbox import channels, model, posts, refusals
from meetings.sandbox.hooks import USER_AGENT
from meetings.sandbox.ids import is_id
from meetings.sandbox.model import Channel, Command, Post, Team, User
from meetings.sandbox.refusals import RefusedError
from meetings.sandbox.shapes import post_json
from meetings.sandbox.world import Change, Later

LATER_SECONDS = 30 * 60.0
MAX_LATER = 5  # answers to one response_url


def find(tx: Change, team_id: str, text: str) -> tuple[Command, str]:
    """The command that a line calls, and the words after it, or the refusal."""
    word, _, rest = text.removeprefix("/").partition(" ")
    table = model.commands
    query = select(table).where(table.c.team_id == team_id, table.c.trigger == word.lower())
    command = model.one(tx.db, Command, query) if text.startswith("/") else None
    if command is None:
        raise RefusedError(
            404, "api.command.execute_command.not_found.app_error", f"Command with a trigger of '{word}' not found."
        )
    return command, rest.strip()


def place(tx: Change, caller: User, channel_id: str, team_id: str) -> tuple[Channel, Team]:
    """Where a command is called: a channel of the caller, and the team it belongs to or is called from."""
    channel = channels.by_id(tx, channel_id) if is_id(channel_id) else None
    if channel is None or channels.member(tx, channel.id, caller.id) is None:
        raise refusals.forbidden()
    wanted = channel.team_id or team_id
    team = model.one(tx.db, Team, select(model.teams).where(model.teams.c.id == wanted))
    if team is None or not channels.in_team(tx, caller, team.id):
        raise refusals.forbidden()
    return channel, team


def message(
    tx: Change, command: Command, words: str, *, caller: User, channel: Channel, team: Team, root_id: str
) -> tuple[dict[str, str], bytes]:
    """Headers and body of the call."""
    later = tx.new_id()
    tx.world.later[later] = Later(
        user_id=caller.id, channel_id=channel.id, root_id=root_id, until=time.monotonic() + LATER_SECONDS
    )
    said = {
        "token": command.token,
        "team_id": team.id,
        "team_domain": team.name,
        "channel_id": channel.id,
        "channel_name": channel.name,
        "user_id": caller.id,
        "user_name": caller.username,
        "command": f"/{command.trigger}",
        "text": words,
        "trigger_id": tx.new_id(),
        "response_url": f"{tx.world.url}/hooks/commands/{later}",
        **({"root_id": root_id} if root_id else {}),
    }
    headers = {
        "User-Agent": USER_AGENT,
        "Accept": "application/json",
        "Authorization": f"Token {command.token}",
        "Content-Type": "application/x-www-form-urlencoded",
    }
    return headers, urlencode(said).encode("ascii")


def read_answer(content_type: str, body: bytes) -> dict[str, Any]:
    """What the called side answered: JSON, or plain text for the caller."""
    if content_type.startswith("text/plain"):
        return {"text": body.decode("utf-8", errors="replace")}
    try:
        answer = json.loads(body) if body.strip() else {}
    except (ValueError, RecursionError):
        answer = None
    if not isinstance(answer, dict):
        raise failed()
    return answer


def failed() -> RefusedError:
    """The refusal when the called side cannot be used."""
    return RefusedError(500, "api.command.execute_command.failed.app_error", "Command failed.")


def show(tx: Change, caller: User, channel: Channel, answer: Mapping[str, Any], *, root_id: str) -> None:
    """Show an answer: to everybody as a post, or to the caller alone as one that is not kept."""
    text = answer.get("text")
    if not isinstance(text, str) or not text:
        return
    props = {"from_webhook": "true"}
    if answer.get("response_type") == "in_channel":
        posts.create(tx, caller, posts.Draft(channel_id=channel.id, message=text, root_id=root_id, props=props))
        return
    now = tx.now()
    post = Post(
        id=tx.new_id(),
        create_at=now,
        update_at=now,
        user_id=caller.id,
        channel_id=channel.id,
        root_id=root_id,
        message=text,
        type="system_ephemeral",
        props=props,
    )
    told = json.dumps(post_json(tx, post), ensure_ascii=False, separators=(",", ":"))
    tx.emit("ephemeral_message", {"post": told}, user_id=caller.id)


def take_later(tx: Change, later_id: str) -> Later:
    """Whom a later answer is for, or the refusal."""
    later = tx.world.later.get(later_id)
    if later is None or later.until < time.monotonic() or later.used >= MAX_LATER:
        raise RefusedError(404, "web.command_webhook.command.app_error", "Couldn't find the command.")
    later.used += 1
    return later
