"""The web page: people, their channels and direct messages, and the posts in them.

It needs no login, shows everything, and therefore answers to this machine only. It runs no script and loads nothing
from elsewhere; its Content-Security-Policy says so to the browser.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request, Response
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from sqlalchemy import func, select
from starlette.responses import FileResponse, HTMLResponse, PlainTextResponse, RedirectResponse

from meetings.sandbox import channels, files, markdown, model, posts, teams, users
from meetings.sandbox.guard import is_loopback
from meetings.sandbox.http import world_of
from meetings.sandbox.ids import is_id
from meetings.sandbox.model import Channel, File, Post, User
from meetings.sandbox.routes_files import send
from meetings.sandbox.world import Change

router = APIRouter()

MAX_SHOWN = 500  # threads on one page
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; media-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """A channel as the page names it; `title` says who is in a direct one."""

    channel: Channel
    title: str
    mark: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A post ready to be shown."""

    post: Post
    author: User | None
    html: Markup
    call: Markup
    files: tuple[File, ...]
    captions: tuple[dict[str, str], ...]
    reactions: tuple[tuple[str, tuple[str, ...]], ...]
    replies: tuple[Shown, ...] = ()


@router.get("/")
async def people(request: Request) -> Response:
    """Everybody, with their position."""
    if refused := _refused(request):
        return refused
    with world_of(request).change() as tx:
        everybody = users.everybody(tx)
        by_team = [
            (team, [_room(tx, c) for c in channels.public(tx, team.id, page=0, per_page=200)])
            for team in model.many(tx.db, model.Team, select(model.teams).order_by(model.teams.c.name))
        ]
    return _page(
        "people.html",
        people=[u for u in everybody if not u.is_bot and not u.is_admin],
        services=[u for u in everybody if u.is_bot or u.is_admin],
        teams=by_team,
    )


@router.get("/people/{username}")
async def person(request: Request, username: str) -> Response:
    """One person: their channels and direct messages."""
    if refused := _refused(request):
        return refused
    with world_of(request).change() as tx:
        user = users.by_username(tx, username)
        if user is None:
            return no_such_page(request, 404)
        team_ids = [t.id for t in teams.of_user(tx, user.id)] or [""]
        mine = {c.id: c for team_id in team_ids for c in channels.of_user(tx, user.id, team_id)}.values()
        rooms = [_room(tx, c, seen_by=user) for c in mine]
    return _page(
        "person.html",
        user=user,
        direct=sorted((r for r in rooms if r.channel.type in {"D", "G"}), key=lambda r: -r.channel.last_post_at),
        rooms=[r for r in rooms if r.channel.type not in {"D", "G"}],
    )


@router.get("/channels/{channel_id}")
async def channel(request: Request, channel_id: str) -> Response:
    """One channel with its threads, oldest first; `post` is the one that is pointed at."""
    if refused := _refused(request):
        return refused
    with world_of(request).change() as tx:
        found = channels.by_id(tx, channel_id)
        if found is None:
            return no_such_page(request, 404)
        threads, more = _threads(tx, found, pointed_at=request.query_params.get("post", ""))
        return _page(
            "channel.html",
            room=_room(tx, found),
            members=[u for u in channels.member_users(tx, found.id) if not u.is_bot],
            threads=threads,
            more=more,
            pointed_at=request.query_params.get("post", ""),
        )


@router.get("/{team}/pl/{post_id}")
async def permalink(request: Request, team: str, post_id: str) -> Response:
    """The link that Mattermost copies for a post: that post, in its channel."""
    del team  # the post's id says it all, as on the real server
    if refused := _refused(request):
        return refused
    with world_of(request).change() as tx:
        post = posts.by_id(tx, post_id) if is_id(post_id) else None
    if post is None:
        return no_such_page(request, 404)
    return RedirectResponse(f"/channels/{post.channel_id}?post={post.id}#p-{post.id}", 302, headers=HEADERS)


@router.get("/media/{file_id}")
async def media(request: Request, file_id: str) -> Response:
    """A file, for the page's players."""
    if refused := _refused(request):
        return refused
    world = world_of(request)
    with world.change() as tx:
        file = files.by_id(tx, file_id)
    return send(world, file, headers={}) if file else no_such_page(request, 404)


@router.get("/page.css")
async def style(request: Request) -> Response:
    """The page's style."""
    del request
    return FileResponse(Path(__file__).parent / "static" / "page.css", media_type="text/css", headers=HEADERS)


def no_such_page(request: Request, status: int) -> Response:
    """The answer to an address that the page does not have."""
    del request
    return _page("missing.html", status=status)


def _refused(request: Request) -> Response | None:
    """The page is for this machine: whoever else can reach the server needs a token and REST."""
    if request.client is not None and is_loopback(request.client.host) and is_loopback(request.url.hostname or ""):
        return None
    return PlainTextResponse("this page needs no login and so answers to its own machine only\n", 403)


def _room(tx: Change, channel: Channel, *, seen_by: User | None = None) -> Room:
    table = model.posts
    query = select(func.count()).where(table.c.channel_id == channel.id, table.c.delete_at == 0)
    if channel.type != "D":
        title = channel.display_name
    else:
        others = [u for u in channels.member_users(tx, channel.id) if seen_by is None or u.id != seen_by.id]
        title = " and ".join(u.name for u in others) or "themselves"
    return Room(
        channel=channel,
        title=title,
        mark={"O": "#", "P": "🔒", "D": "✉", "G": "✉"}[channel.type],
        count=tx.db.execute(query).scalar_one(),
    )


def _threads(tx: Change, channel: Channel, *, pointed_at: str) -> tuple[tuple[Shown, ...], bool]:
    """A channel's newest threads, or those up to the one pointed at when it is older; and whether there are more."""
    table = model.posts
    roots = select(table).where(table.c.channel_id == channel.id, table.c.delete_at == 0, table.c.root_id == "")
    target = posts.by_id(tx, pointed_at) if is_id(pointed_at) else None
    if target is not None:
        root = posts.by_id(tx, target.root_id or target.id)
        newer = roots.where(table.c.create_at > (root or target).create_at).with_only_columns(func.count())
        offset = max(0, tx.db.execute(newer).scalar_one() - MAX_SHOWN + 1)
    else:
        offset = 0
    page = roots.order_by(table.c.create_at.desc()).limit(MAX_SHOWN + 1).offset(offset)
    found = model.many(tx.db, Post, page)
    newest = found[:MAX_SHOWN][::-1]
    replies = model.many(
        tx.db,
        Post,
        select(table)
        .where(table.c.root_id.in_([p.id for p in newest]), table.c.delete_at == 0)
        .order_by(table.c.create_at),
    )
    shown = _shown(tx, [*newest, *replies])
    return (
        tuple(_with_replies(shown[p.id], tuple(shown[r.id] for r in replies if r.root_id == p.id)) for p in newest),
        len(found) > MAX_SHOWN,
    )


def _with_replies(shown: Shown, replies: tuple[Shown, ...]) -> Shown:
    return replace(shown, replies=replies)


def _shown(tx: Change, found: Sequence[Post]) -> dict[str, Shown]:
    ids = [p.id for p in found]
    reactions = posts.reactions(tx, ids)
    people = {u.id: u for u in users.by_ids(tx, [p.user_id for p in found] + [r.user_id for r in reactions])}
    attached = model.many(
        tx.db,
        File,
        select(model.files).where(model.files.c.post_id.in_(ids), model.files.c.delete_at == 0),
    )
    shown = {}
    for post in found:
        who: dict[str, list[str]] = {}
        for reaction in reactions:
            if reaction.post_id == post.id:
                who.setdefault(reaction.emoji_name, []).append(people[reaction.user_id].name)
        shown[post.id] = Shown(
            post=post,
            author=people.get(post.user_id),
            html=Markup(markdown.render(post.message)),  # safe: the renderer escapes whatever HTML a post has
            call=_call(post),
            files=tuple(f for f in attached if f.post_id == post.id and f.id in post.file_ids),
            captions=_captions(post),
            reactions=tuple((markdown.emoji(name), tuple(names)) for name, names in who.items()),
        )
    return shown


def _call(post: Post) -> Markup:
    """The line under a call's post: title and length."""
    start, end = post.props.get("start_at"), post.props.get("end_at")
    if post.type != "custom_calls":
        return Markup()
    title = str(post.props.get("title") or "")
    length = ""
    if isinstance(start, int) and isinstance(end, int):
        length = f"{max(1, round((end - start) / 60_000))} min"
    return Markup(", ").join(part for part in (title, length) if part)


def _captions(post: Post) -> tuple[dict[str, str], ...]:
    """The captions of a recording's video."""
    captions = post.props.get("captions")
    return tuple(
        {"file_id": str(c["file_id"]), "title": str(c.get("title", "")), "language": str(c.get("language", ""))}
        for c in (captions if isinstance(captions, list) else [])
        if isinstance(c, dict) and is_id(str(c.get("file_id", "")))
    )


def _page(template: str, *, status: int = 200, **values: Any) -> Response:
    return HTMLResponse(_templates().get_template(template).render(**values), status, headers=HEADERS)


@cache
def _templates() -> Environment:
    environment = Environment(
        loader=PackageLoader("meetings.sandbox"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["when"] = _when
    environment.filters["iso"] = lambda time: _moment(time).isoformat()
    environment.filters["size"] = _size
    return environment


def _moment(time: int) -> datetime:
    return datetime.fromtimestamp(time / 1000, tz=UTC)


def _when(time: int) -> str:
    return f"{_moment(time):%a %d %b %Y, %H:%M}"


def _size(size: int) -> str:
    return f"{size / 1e6:.1f} MB" if size >= 1e6 else f"{max(1, round(size / 1e3))} kB"
