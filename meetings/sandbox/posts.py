"""Writing, editing and deleting posts, and reacting to them, with the server's refusals."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import delete as delete_rows
from sqlalchemy import func, select
from sqlalchemy import update as change_rows

from meetings.sandbox import channels, hooks, model, refusals
from meetings.sandbox.ids import is_id
from meetings.sandbox.model import Channel, Post, Reaction, User
from meetings.sandbox.posting import keep, reply_counts, thread_of
from meetings.sandbox.refusals import RefusedError
from meetings.sandbox.shapes import ATTACHMENT, bare_post_json, post_json, reaction_json
from meetings.sandbox.text import hashtags
from meetings.sandbox.world import Change

MAX_MESSAGE = 16_383  # characters
MAX_PROPS = 8_000  # characters of their JSON
PENDING_SECONDS = 30.0  # how long a pending_post_id is remembered (PENDING_POST_IDS_CACHE_TTL)

GREETING = (
    "Please add me to teams and channels you want me to interact in. "
    "To do this, use the browser or Mattermost Desktop App."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What somebody wants to post. `create_at` counts for admins alone."""

    channel_id: str
    message: str = ""
    root_id: str = ""
    type: str = ""
    props: Mapping[str, Any] = field(default_factory=dict)
    file_ids: tuple[str, ...] = ()
    pending_post_id: str = ""
    create_at: int = 0


def create(tx: Change, author: User, draft: Draft) -> dict[str, Any]:
    """Write a post; the answer's JSON.

    A `pending_post_id` seen within 30 seconds gives the post that is there. The answer then is the bare post, and the
    channel counts as viewed even by a bot: both seen on 5.37.
    """
    channel = channels.by_id(tx, draft.channel_id) if is_id(draft.channel_id) else None
    if channel is None or not channels.may_read(tx, author, channel):
        raise refusals.forbidden()
    if draft.type.startswith("system_"):
        raise refusals.bad_body("post.type")
    if channel.delete_at:
        raise RefusedError(
            400, "api.post.create_post.can_not_post_to_deleted.error", "Can not post to deleted channel."
        )
    repeated = _repeated(tx, author, draft)
    if repeated is not None:
        channels.mark_viewed(tx, channel.id, author.id)
        return bare_post_json(repeated)
    root = _root(tx, draft)
    props = _checked_props(draft.props)
    if author.is_bot:
        props["from_bot"] = "true"
    _check(draft.message, props)
    now = draft.create_at if draft.create_at and author.is_admin else tx.now()
    post = Post(
        id=tx.new_id(),
        create_at=now,
        update_at=now,
        user_id=author.id,
        channel_id=channel.id,
        root_id=root,
        message=draft.message,
        type=draft.type,
        props=props,
        hashtags=hashtags(draft.message),
        file_ids=draft.file_ids,
    )
    post = keep(tx, author, channel, post, pending_post_id=draft.pending_post_id)
    if draft.pending_post_id:
        tx.world.pending[draft.pending_post_id] = (post.id, time.monotonic())
    if not author.is_bot:
        channels.mark_viewed(tx, channel.id, author.id)
    hooks.fire(tx, author, channel, post)
    count = reply_counts(tx, [root]).get(root, 0)
    return post_json(tx, post, reply_count=count, pending_post_id=draft.pending_post_id)


def greet_owner(tx: Change, bot: User, owner: User) -> None:
    """The direct message in which a new bot asks its owner to be added somewhere."""
    channel = channels.direct(tx, bot, owner, creator=bot)
    now = tx.now()
    post = Post(
        id=tx.new_id(),
        create_at=now,
        update_at=now,
        user_id=bot.id,
        channel_id=channel.id,
        message=GREETING,
        type="add_bot_teams_channels",
        props={"from_bot": "true"},
    )
    keep(tx, bot, channel, post)


def edit(
    tx: Change, editor: User, old: Post, *, message: str, props: Mapping[str, Any], is_pinned: bool
) -> dict[str, Any]:
    """Change a post; the words it had are kept as a deleted copy. The answer's JSON."""
    if old.is_system:
        raise RefusedError(400, "api.post.update_post.system_message.app_error", "Unable to update system message.")
    if editor.id != old.user_id and not editor.is_admin:
        raise refusals.forbidden()
    new_props = _checked_props(props)
    _check(message, new_props)
    now = tx.now()
    new = replace(
        old,
        message=message,
        props=new_props,
        is_pinned=is_pinned,
        hashtags=hashtags(message) if message != old.message else old.hashtags,
        edit_at=now if message != old.message else old.edit_at,
        update_at=now,
    )
    table = model.posts
    tx.db.execute(
        change_rows(table)
        .where(table.c.id == old.id)
        .values(
            message=new.message,
            props=dict(new.props),
            is_pinned=new.is_pinned,
            hashtags=new.hashtags,
            edit_at=new.edit_at,
            update_at=now,
        )
    )
    model.add(tx.db, table, replace(old, id=tx.new_id(), delete_at=now, update_at=now, original_id=old.id))
    if old.root_id:
        tx.db.execute(change_rows(table).where(table.c.id == old.root_id).values(update_at=now))
    # An edit moves the channel's time, a moment after its own (seen on 5.37).
    last = func.max(model.channels.c.last_post_at, tx.now())
    tx.db.execute(change_rows(model.channels).where(model.channels.c.id == old.channel_id).values(last_post_at=last))
    root = new.root_id or new.id
    shown = post_json(tx, new, reply_count=reply_counts(tx, [root]).get(root, 0))
    tx.emit("post_edited", {"post": _dump(shown)}, channel_id=new.channel_id)
    return shown


def delete(tx: Change, user: User, post: Post) -> None:
    """Delete a post with its replies and their files."""
    if user.id != post.user_id and not user.is_admin:
        raise refusals.forbidden()
    shown = _dump(post_json(tx, post))
    now = tx.now()
    table = model.posts
    gone = model.many(tx.db, Post, select(table).where(thread_of(post.id), table.c.delete_at == 0))
    for one in gone:
        tx.db.execute(
            change_rows(table)
            .where(table.c.id == one.id)
            .values(delete_at=now, update_at=now, props={**one.props, "deleteBy": user.id})
        )
    files = model.files
    tx.db.execute(change_rows(files).where(files.c.post_id.in_([p.id for p in gone])).values(delete_at=now))
    # Admins are told who did it.
    listeners = channels.member_users(tx, post.channel_id)
    admins = [u.id for u in listeners if u.is_admin]
    others = [u.id for u in listeners if not u.is_admin]
    tx.emit("post_deleted", {"post": shown}, channel_id=post.channel_id, listeners=others)
    tx.emit("post_deleted", {"delete_by": user.id, "post": shown}, channel_id=post.channel_id, listeners=admins)


def react(tx: Change, user: User, post: Post, emoji_name: str) -> Reaction:
    """Put an emoji on a post; the same one again changes nothing."""
    table = model.reactions
    known = model.one(
        tx.db,
        Reaction,
        select(table).where(table.c.user_id == user.id, table.c.post_id == post.id, table.c.emoji_name == emoji_name),
    )
    if known is not None:
        return known
    now = tx.now()
    reaction = Reaction(user_id=user.id, post_id=post.id, emoji_name=emoji_name, create_at=now, update_at=now)
    model.add(tx.db, table, reaction)
    _mark_reactions(tx, post, some=True)
    tx.emit("reaction_added", {"reaction": _dump(reaction_json(reaction))}, channel_id=post.channel_id)
    return reaction


def take_back(tx: Change, user: User, post: Post, emoji_name: str) -> None:
    """Take an emoji off a post."""
    table = model.reactions
    mine = (table.c.user_id == user.id) & (table.c.post_id == post.id) & (table.c.emoji_name == emoji_name)
    reaction = model.one(tx.db, Reaction, select(table).where(mine))
    if reaction is None:
        return
    tx.db.execute(delete_rows(table).where(mine))
    _mark_reactions(tx, post, some=bool(reactions(tx, [post.id])))
    tx.emit("reaction_removed", {"reaction": _dump(reaction_json(reaction))}, channel_id=post.channel_id)


def reactions(tx: Change, post_ids: list[str]) -> list[Reaction]:
    """The reactions to some posts, oldest first."""
    table = model.reactions
    query = select(table).where(table.c.post_id.in_(post_ids)).order_by(table.c.create_at)
    return model.many(tx.db, Reaction, query)


def by_id(tx: Change, post_id: str) -> Post | None:
    """The post with this id, unless it was deleted."""
    table = model.posts
    return model.one(tx.db, Post, select(table).where(table.c.id == post_id, table.c.delete_at == 0))


def readable(tx: Change, user: User, post_id: str) -> Post:
    """A post that somebody may read, or the refusal."""
    post = by_id(tx, post_id)
    if post is None:
        raise refusals.no_post()
    if not channels.may_see_posts(tx, user, channels.require(tx, post.channel_id)):
        raise refusals.forbidden()
    return post


def in_own_channel(tx: Change, user: User, post_id: str) -> tuple[Post, Channel]:
    """A post in a channel that somebody is in, or the refusal: what cannot be seen is forbidden, not missing."""
    post = by_id(tx, post_id)
    channel = channels.by_id(tx, post.channel_id) if post else None
    if post is None or channel is None:
        if user.is_admin:
            raise refusals.no_post()
        raise refusals.forbidden()
    if not channels.may_read(tx, user, channel):
        raise refusals.forbidden()
    return post, channel


def _repeated(tx: Change, author: User, draft: Draft) -> Post | None:
    known = tx.world.pending
    for key in [k for k, (_, seen) in known.items() if time.monotonic() - seen > PENDING_SECONDS]:
        del known[key]
    if draft.pending_post_id not in known:
        return None
    post = by_id(tx, known[draft.pending_post_id][0])
    if post is None or post.user_id != author.id:
        raise RefusedError(
            500,
            "api.post.deduplicate_create_post.failed_to_get",
            "Failed to fetch original post after deduplicating a client repeating the same request.",
        )
    return post


def _root(tx: Change, draft: Draft) -> str:
    if not draft.root_id:
        return ""
    root = by_id(tx, draft.root_id)
    if root is None or root.root_id:
        raise RefusedError(400, "api.post.create_post.root_id.app_error", "Invalid RootId parameter.")
    if root.channel_id != draft.channel_id:
        raise RefusedError(
            400, "api.post.create_post.channel_root_id.app_error", "Invalid ChannelId for RootId parameter."
        )
    return root.id


def _check(message: str, props: Mapping[str, Any]) -> None:
    if len(message) > MAX_MESSAGE:
        raise RefusedError(400, "model.post.is_valid.msg.app_error", "Invalid message.")
    if len(_dump(props)) > MAX_PROPS:
        raise RefusedError(400, "model.post.is_valid.props.app_error", "Invalid props.")


def _checked_props(props: Mapping[str, Any]) -> dict[str, Any]:
    """Props with each attachment written out in full."""
    checked = dict(props)
    attachments = checked.get("attachments")
    if isinstance(attachments, list):
        checked["attachments"] = [{**ATTACHMENT, **a} for a in attachments if isinstance(a, Mapping)]
    return checked


def _mark_reactions(tx: Change, post: Post, *, some: bool) -> None:
    table = model.posts
    tx.db.execute(change_rows(table).where(table.c.id == post.id).values(has_reactions=some, update_at=tx.now()))


def _dump(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
