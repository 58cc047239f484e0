"""Keeping a new post: the row, its channel's counts, who is mentioned, its thread, and the `posted` event."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import func, or_, select, update

from meetings.sandbox import model
from meetings.sandbox.model import Channel, Post, User
from meetings.sandbox.shapes import post_json
from meetings.sandbox.text import mentioned
from meetings.sandbox.world import Change

# Posts about coming and going move a channel's time but not its count (model.Post.IsJoinLeaveMessage).
JOIN_LEAVE = frozenset(
    [
        "system_join_channel",
        "system_leave_channel",
        "system_add_to_channel",
        "system_remove_from_channel",
        "system_join_team",
        "system_leave_team",
        "system_add_to_team",
        "system_remove_from_team",
    ]
)


def keep(tx: Change, author: User, channel: Channel, post: Post, *, pending_post_id: str = "") -> Post:
    """Write a new post and tell the channel.

    Files are put on it if its author uploaded them and they are on no post yet; the others are left out without a
    word, as the real server does.
    """
    attached = _attach(tx, post)
    if attached != list(post.file_ids):
        post = replace(post, file_ids=attached)
    model.add(tx.db, model.posts, post)
    if post.root_id:
        _update_root(tx, post.root_id, post.create_at)
    _count(tx, channel, post)
    mentions = _mentions(tx, channel, author, post)
    if mentions:
        _count_mentions(tx, channel.id, mentions, root=not post.root_id)
    data: dict[str, Any] = {
        "channel_display_name": channel.display_name if channel.type != "D" else f"@{author.username}",
        "channel_name": channel.name,
        "channel_type": channel.type,
    }
    if mentions:
        data["mentions"] = json.dumps(sorted(mentions), separators=(",", ":"))
    if attached:
        kinds = tx.db.execute(select(model.files.c.mime_type).where(model.files.c.id.in_(attached))).scalars()
        data["image" if any(k.startswith("image/") for k in kinds) else "otherFile"] = "true"
    shown = post_json(
        tx, post, reply_count=reply_counts(tx, [post.root_id]).get(post.root_id, 0), pending_post_id=pending_post_id
    )
    data |= {
        "post": json.dumps(shown, ensure_ascii=False, separators=(",", ":")),
        "sender_name": "System" if post.is_system else f"@{author.username}",
        "set_online": True,
        "team_id": channel.team_id,
    }
    tx.emit("posted", data, channel_id=channel.id)
    return post


def reply_counts(tx: Change, root_ids: Sequence[str]) -> dict[str, int]:
    """How many replies each thread has, by root id."""
    table = model.posts
    wanted = [r for r in set(root_ids) if r]
    query = (
        select(table.c.root_id, func.count())
        .where(table.c.root_id.in_(wanted), table.c.delete_at == 0)
        .group_by(table.c.root_id)
    )
    return {str(row[0]): int(row[1]) for row in tx.db.execute(query)} if wanted else {}


def _attach(tx: Change, post: Post) -> list[str]:
    table = model.files
    attached = []
    for file_id in dict.fromkeys(post.file_ids):
        done = tx.db.execute(
            update(table)
            .where(
                table.c.id == file_id,
                table.c.post_id == "",
                table.c.user_id == post.user_id,
                table.c.delete_at == 0,
            )
            .values(post_id=post.id)
        )
        if done.rowcount:
            attached.append(file_id)
    _attach_captions(tx, post)
    return attached


def _attach_captions(tx: Change, post: Post) -> None:
    """Let the members read the captions that a transcription post names.

    The Calls plugin puts the WebVTT file on the call's post in the server's database (handleBotPostTranscriptions):
    the file is not shown, and by REST alone only its uploader could read it.
    """
    call_id, captions = post.props.get("call_post_id"), post.props.get("captions")
    if post.type != "custom_calls_transcription" or not isinstance(call_id, str) or not isinstance(captions, list):
        return
    call = model.one(tx.db, Post, select(model.posts).where(model.posts.c.id == call_id))
    if call is None or call.channel_id != post.channel_id:
        return
    named = [str(c["file_id"]) for c in captions if isinstance(c, dict) and "file_id" in c]
    table = model.files
    tx.db.execute(
        update(table)
        .where(table.c.id.in_(named), table.c.post_id == "", table.c.user_id == post.user_id)
        .values(post_id=call_id)
    )


def _update_root(tx: Change, root_id: str, time: int) -> None:
    table = model.posts
    tx.db.execute(update(table).where(table.c.id == root_id, table.c.update_at < time).values(update_at=time))


def _count(tx: Change, channel: Channel, post: Post) -> None:
    table = model.channels
    values: dict[str, Any] = {"last_post_at": func.max(table.c.last_post_at, post.create_at)}
    if post.type not in JOIN_LEAVE:
        values["total_msg_count"] = table.c.total_msg_count + 1
        if not post.root_id:
            values["total_msg_count_root"] = table.c.total_msg_count_root + 1
    tx.db.execute(update(table).where(table.c.id == channel.id).values(**values))


def _mentions(tx: Change, channel: Channel, author: User, post: Post) -> set[str]:
    """Ids of the members a post mentions: by name, everybody in a direct channel, and whoever was added."""
    query = (
        select(model.users.c.id, model.users.c.username)
        .join(model.members, model.members.c.user_id == model.users.c.id)
        .where(model.members.c.channel_id == channel.id)
    )
    ids = {username: user_id for user_id, username in tx.db.execute(query)}
    if post.type in JOIN_LEAVE:
        return {post.props["addedUserId"]} & set(ids.values()) if "addedUserId" in post.props else set()
    if channel.type == "D":
        return {i for i in ids.values() if i != author.id}
    return {ids[u] for u in mentioned(post.message, ids) if ids[u] != author.id}


def _count_mentions(tx: Change, channel_id: str, user_ids: set[str], *, root: bool) -> None:
    table = model.members
    values: dict[str, Any] = {"mention_count": table.c.mention_count + 1}
    if root:
        values["mention_count_root"] = table.c.mention_count_root + 1
    tx.db.execute(update(table).where(table.c.channel_id == channel_id, table.c.user_id.in_(user_ids)).values(**values))


def thread_of(root_id: str) -> Any:
    """The condition that a post is in this thread."""
    return or_(model.posts.c.id == root_id, model.posts.c.root_id == root_id)
