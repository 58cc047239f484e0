"""REST: the server itself, and outgoing webhooks."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from meetings.sandbox import channels, model, refusals, teams
from meetings.sandbox.http import SignedIn, answer, read_object, text, world_of
from meetings.sandbox.model import Hook
from meetings.sandbox.refusals import RefusedError
from meetings.sandbox.shapes import VERSION, hook_json

router = APIRouter(prefix="/api/v4")


@router.get("/system/ping")
async def ping(request: Request) -> Response:
    """Whether the server is there; needs no token."""
    clients = ("Android", "Desktop", "Ios")
    versions = {f"{client}{end}Version": "" for client in clients for end in ("Latest", "Min")}
    return answer(request, {**versions, "status": "OK"})


@router.get("/config/client")
async def client_config(request: Request) -> Response:
    """What clients want to know before they log in."""
    if request.query_params.get("format") != "old":
        raise refusals.bad_body("format")
    config = {
        "Version": VERSION,
        "BuildNumber": "",
        "SiteURL": world_of(request).url,
        "EnableBotAccountCreation": "true",
        "ExperimentalTimezone": "true",
    }
    return answer(request, config)


@router.post("/hooks/outgoing")
async def create_hook(request: Request, caller: SignedIn) -> Response:
    """An outgoing webhook: for those who manage the team."""
    body = await read_object(request, "outgoing_webhook")
    team_id, channel_id = text(body, "team_id"), text(body, "channel_id")
    words, urls = body.get("trigger_words"), body.get("callback_urls")
    with world_of(request).change() as tx:
        if not teams.manages(tx, team_id, caller.user):
            raise refusals.forbidden()
        channel = channels.by_id(tx, channel_id) if channel_id else None
        if channel_id and (channel is None or channel.type != "O" or channel.team_id != team_id):
            raise RefusedError(
                403,
                "api.outgoing_webhook.disabled.app_error",
                "Outgoing webhooks can only be made for public channels.",
            )
        if not urls or not isinstance(urls, list) or not all(str(u).startswith(("http://", "https://")) for u in urls):
            raise RefusedError(
                400,
                "model.outgoing_hook.is_valid.callback.app_error",
                "Invalid callback URLs.",
            )
        if not channel_id and not words:
            raise RefusedError(400, "model.outgoing_hook.is_valid.words.app_error", "Invalid trigger words.")
        now = tx.now()
        hook = Hook(
            id=tx.new_id(),
            token=tx.new_id(),
            create_at=now,
            update_at=now,
            creator_id=caller.user.id,
            channel_id=channel_id,
            team_id=team_id,
            trigger_words=[str(w) for w in words] if isinstance(words, list) else [],
            trigger_when=1 if body.get("trigger_when") == 1 else 0,
            callback_urls=[str(u) for u in urls],
            display_name=text(body, "display_name"),
            description=text(body, "description"),
            content_type=text(body, "content_type"),
            username=text(body, "username"),
            icon_url=text(body, "icon_url"),
        )
        model.add(tx.db, model.hooks, hook)
    return answer(request, hook_json(hook), status=201)
