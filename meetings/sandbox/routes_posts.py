"""REST: posts, threads, reactions and search."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request, Response

from meetings.sandbox import channels, files, posts, reading, refusals, search
from meetings.sandbox.http import (
    OK,
    SignedIn,
    answer,
    checked,
    paging,
    read_ids,
    read_object,
    text,
    world_of,
)
from meetings.sandbox.ids import is_id
from meetings.sandbox.refusals import RefusedError
from meetings.sandbox.shapes import VERSION, file_json, post_json, reaction_json

router = APIRouter(prefix="/api/v4")

MAX_EMOJI = 64  # characters


@router.post("/posts")
async def create_post(request: Request, caller: SignedIn) -> Response:
    """Write a post."""
    body = await read_object(request, "post")
    file_ids = body.get("file_ids")
    create_at = body.get("create_at")
    draft = posts.Draft(
        channel_id=text(body, "channel_id"),
        message=text(body, "message"),
        root_id=text(body, "root_id"),
        type=text(body, "type"),
        props=_props(body) or {},
        file_ids=tuple(str(f) for f in file_ids) if isinstance(file_ids, list) else (),
        pending_post_id=text(body, "pending_post_id"),
        create_at=create_at if isinstance(create_at, int) else 0,
    )
    with world_of(request).change() as tx:
        shown = posts.create(tx, caller.user, draft)
    world_of(request).hub.set_online(caller.user.id)
    return answer(request, shown, status=201)


@router.post("/posts/ids/reactions")
async def reactions_of_posts(request: Request, caller: SignedIn) -> Response:
    """The reactions of several posts, by post id; all must be in channels of the caller."""
    ids = await read_ids(request, "post_ids")
    with world_of(request).change() as tx:
        for post_id in ids:
            posts.in_own_channel(tx, caller.user, post_id)
        shown: dict[str, list[dict[str, Any]]] = {i: [] for i in sorted(ids)}
        for reaction in posts.reactions(tx, ids):
            shown[reaction.post_id].append(reaction_json(reaction))
    return answer(request, shown)


@router.get("/posts/{post_id}")
async def get_post(request: Request, post_id: str, caller: SignedIn) -> Response:
    """One post; replies are not counted here (seen on 5.37)."""
    with world_of(request).change() as tx:
        post = posts.readable(tx, caller.user, checked(post_id, "post_id"))
        shown = post_json(tx, post)
    return answer(request, shown, etag=f"{VERSION}.{post.id}.{post.update_at}")


@router.put("/posts/{post_id}")
async def update_post(request: Request, post_id: str, caller: SignedIn) -> Response:
    """Replace a post's message and props; what is not given is emptied."""
    body = await read_object(request, "post")
    if text(body, "id") != checked(post_id, "post_id"):
        raise refusals.bad_body("id")
    with world_of(request).change() as tx:
        old, _ = posts.in_own_channel(tx, caller.user, post_id)
        shown = posts.edit(
            tx,
            caller.user,
            old,
            message=text(body, "message"),
            props=_props(body) or {},
            is_pinned=body.get("is_pinned") is True,
        )
    return answer(request, shown)


@router.put("/posts/{post_id}/patch")
async def patch_post(request: Request, post_id: str, caller: SignedIn) -> Response:
    """Change the given parts of a post."""
    body = await read_object(request, "post")
    with world_of(request).change() as tx:
        old, _ = posts.in_own_channel(tx, caller.user, checked(post_id, "post_id"))
        props = _props(body)
        shown = posts.edit(
            tx,
            caller.user,
            old,
            message=text(body, "message") if isinstance(body.get("message"), str) else old.message,
            props=old.props if props is None else props,
            is_pinned=body["is_pinned"] if isinstance(body.get("is_pinned"), bool) else old.is_pinned,
        )
    return answer(request, shown)


@router.delete("/posts/{post_id}")
async def delete_post(request: Request, post_id: str, caller: SignedIn) -> Response:
    """Delete a post with its replies."""
    with world_of(request).change() as tx:
        post, _ = posts.in_own_channel(tx, caller.user, checked(post_id, "post_id"))
        posts.delete(tx, caller.user, post)
    return answer(request, OK)


@router.get("/posts/{post_id}/thread")
async def get_thread(request: Request, post_id: str, caller: SignedIn) -> Response:
    """The thread that a post is in."""
    with world_of(request).change() as tx:
        found = reading.thread(tx, posts.readable(tx, caller.user, checked(post_id, "post_id")))
    return answer(request, found.to_json(), etag=found.etag())


@router.get("/posts/{post_id}/files/info")
async def files_of_post(request: Request, post_id: str, caller: SignedIn) -> Response:
    """What is known of a post's files."""
    with world_of(request).change() as tx:
        posts.in_own_channel(tx, caller.user, checked(post_id, "post_id"))
        found = files.of_post(tx, post_id)
    return answer(request, [file_json(f) for f in found])


@router.get("/channels/{channel_id}/posts")
async def channel_posts(request: Request, channel_id: str, caller: SignedIn) -> Response:
    """Posts of a channel: a page, or those since a time, before or after a post."""
    query = request.query_params
    before, after, since = query.get("before", ""), query.get("after", ""), query.get("since", "")
    checked(channel_id, "channel_id")
    for name, value in (("after", after), ("before", before)):
        if value and not is_id(value):
            raise refusals.bad_body(name)
    if since and not since.lstrip("-").isascii():
        raise refusals.bad_body("since")
    try:
        time = int(since) if since else 0
    except ValueError:
        raise refusals.bad_body("since") from None
    page, per_page = paging(request)
    with world_of(request).change() as tx:
        if not channels.may_read(tx, caller.user, channels.by_id(tx, channel_id)):
            raise refusals.forbidden()
        etag = reading.channel_etag(tx, channel_id)
        if time > 0:
            found, etag = reading.since(tx, channel_id, time), ""
        elif after:
            found = reading.after(tx, channel_id, after, page=page, per_page=per_page)
        elif before:
            found = reading.before(tx, channel_id, before, page=page, per_page=per_page)
        else:
            found = reading.page(tx, channel_id, page=page, per_page=per_page)
    return answer(request, found.to_json(), etag=etag)


@router.post("/teams/{team_id}/posts/search")
async def search_posts(request: Request, team_id: str, caller: SignedIn) -> Response:
    """Search the posts of the caller's channels."""
    body = await read_object(request, "terms")
    if not text(body, "terms"):
        raise refusals.bad_body("terms")
    page, per_page = body.get("page"), body.get("per_page")
    with world_of(request).change() as tx:
        if not channels.in_team(tx, caller.user, checked(team_id, "team_id")):
            raise refusals.forbidden()
        found = search.find(
            tx,
            caller.user,
            team_id,
            search.parse(text(body, "terms")),
            any_term=body.get("is_or_search") is True,
            page=page if isinstance(page, int) and page > 0 else 0,
            per_page=per_page if isinstance(per_page, int) and per_page > 0 else 60,
        )
        shown = reading.PostList(order=tuple(p.id for p in found), posts=reading.counted(tx, found))
    return answer(request, {**shown.to_json(), "matches": None})


@router.post("/reactions")
async def add_reaction(request: Request, caller: SignedIn) -> Response:
    """React to a post."""
    body = await read_object(request, "reaction")
    user_id, post_id, emoji_name = text(body, "user_id"), text(body, "post_id"), text(body, "emoji_name")
    if not is_id(user_id) or not is_id(post_id) or not emoji_name or len(emoji_name) > MAX_EMOJI:
        raise RefusedError(400, "api.reaction.save_reaction.invalid.app_error", "Reaction is not valid.")
    if user_id != caller.user.id:
        raise RefusedError(
            403, "api.reaction.save_reaction.user_id.app_error", "You cannot save reaction for the other user."
        )
    with world_of(request).change() as tx:
        post, _ = posts.in_own_channel(tx, caller.user, post_id)
        shown = reaction_json(posts.react(tx, caller.user, post, emoji_name))
    return answer(request, shown)


@router.get("/posts/{post_id}/reactions")
async def get_reactions(request: Request, post_id: str, caller: SignedIn) -> Response:
    """The reactions to a post."""
    with world_of(request).change() as tx:
        posts.in_own_channel(tx, caller.user, checked(post_id, "post_id"))
        found = posts.reactions(tx, [post_id])
    return answer(request, [reaction_json(r) for r in found])


@router.delete("/users/{user_id}/posts/{post_id}/reactions/{emoji_name}")
async def delete_reaction(request: Request, user_id: str, post_id: str, emoji_name: str, caller: SignedIn) -> Response:
    """Take one's own reaction back."""
    if caller.resolve(user_id) != caller.user.id:
        raise refusals.forbidden()
    with world_of(request).change() as tx:
        post, _ = posts.in_own_channel(tx, caller.user, checked(post_id, "post_id"))
        posts.take_back(tx, caller.user, post, emoji_name)
    return answer(request, OK)


def _props(body: Mapping[str, Any]) -> dict[str, Any] | None:
    props = body.get("props")
    return props if isinstance(props, dict) else None
