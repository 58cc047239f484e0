"""The JSON of users, teams, channels, posts and files, key by key as a 5.37 server writes it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import select

from meetings.sandbox import model
from meetings.sandbox.world import Change

VERSION = "5.37.0"
# The server's version, build and a hash of its configuration: X-Version-Id and the hello frame carry it.
VERSION_ID = f"{VERSION}..0d1c5f4e8a3b4a6f9e2d7c6b5a493827.false"

NOTIFY_PROPS = {
    "channel": "true",
    "comments": "never",
    "desktop": "mention",
    "desktop_sound": "true",
    "email": "true",
    "first_name": "false",
    "mention_keys": "",
    "push": "mention",
    "push_status": "away",
}
CHANNEL_NOTIFY_PROPS = {
    "desktop": "default",
    "email": "default",
    "ignore_channel_mentions": "default",
    "mark_unread": "all",
    "push": "default",
}
# All of an attachment's fields are written, whatever the sender gave.
ATTACHMENT: dict[str, Any] = {
    "id": 0,
    "fallback": "",
    "color": "",
    "pretext": "",
    "author_name": "",
    "author_link": "",
    "author_icon": "",
    "title": "",
    "title_link": "",
    "text": "",
    "fields": None,
    "image_url": "",
    "thumb_url": "",
    "footer": "",
    "footer_icon": "",
    "ts": None,
}


def user_json(user: model.User, *, full: bool) -> dict[str, Any]:
    """An account; `full` as the account itself and admins see it."""
    timezone = {"automaticTimezone": "", "manualTimezone": "", "useAutomaticTimezone": "true", **user.timezone}
    shown: dict[str, Any] = {
        "id": user.id,
        "create_at": user.create_at,
        "update_at": user.update_at,
        "delete_at": user.delete_at,
        "username": user.username,
        "auth_data": "",
        "auth_service": "",
        "email": user.email,
        "nickname": user.nickname,
        "first_name": user.first_name,
        "last_name": user.last_name,
        "position": user.position,
        "roles": user.roles,
    }
    if full:
        shown["notify_props"] = NOTIFY_PROPS
        shown["last_password_update"] = user.last_password_update
        if user.failed_attempts:
            shown["failed_attempts"] = user.failed_attempts
    shown |= {"locale": user.locale, "timezone": timezone}
    if user.is_bot:
        shown |= {"is_bot": True, "bot_description": user.bot_description}
    shown["disable_welcome_email"] = False
    return shown


def user_etag(user: model.User) -> str:
    """Changes when the account does."""
    return f"{VERSION}.{user.id}.{user.update_at}..0.true.true.0"


def bot_json(user: model.User) -> dict[str, Any]:
    """A bot account as `/bots` shows it."""
    return {
        "user_id": user.id,
        "username": user.username,
        "display_name": user.first_name,
        "description": user.bot_description,
        "owner_id": user.bot_owner_id,
        "create_at": user.create_at,
        "update_at": user.create_at,
        "delete_at": user.delete_at,
    }


def team_json(team: model.Team, *, full: bool) -> dict[str, Any]:
    """A team; its e-mail address is for those who manage it."""
    return {
        "id": team.id,
        "create_at": team.create_at,
        "update_at": team.update_at,
        "delete_at": team.delete_at,
        "display_name": team.display_name,
        "name": team.name,
        "description": team.description,
        "email": team.email if full else "",
        "type": team.type,
        "company_name": "",
        "allowed_domains": "",
        "invite_id": team.invite_id,
        "allow_open_invite": False,
        "scheme_id": None,
        "group_constrained": None,
        "policy_id": None,
    }


def team_member_json(member: model.TeamMember) -> dict[str, Any]:
    """Somebody's membership of a team."""
    return {
        "team_id": member.team_id,
        "user_id": member.user_id,
        "roles": "team_user team_admin" if member.scheme_admin else "team_user",
        "delete_at": member.delete_at,
        "scheme_guest": False,
        "scheme_user": True,
        "scheme_admin": member.scheme_admin,
        "explicit_roles": "",
    }


def channel_json(channel: model.Channel) -> dict[str, Any]:
    """A channel."""
    return {
        "id": channel.id,
        "create_at": channel.create_at,
        "update_at": channel.update_at,
        "delete_at": channel.delete_at,
        "team_id": channel.team_id,
        "type": channel.type,
        "display_name": channel.display_name,
        "name": channel.name,
        "header": channel.header,
        "purpose": channel.purpose,
        "last_post_at": channel.last_post_at,
        "total_msg_count": channel.total_msg_count,
        "extra_update_at": 0,
        "creator_id": channel.creator_id,
        "scheme_id": None,
        "props": None,
        "group_constrained": None,
        # A direct channel says false, the others null.
        "shared": False if channel.type == "D" else None,
        "total_msg_count_root": channel.total_msg_count_root,
        "policy_id": None,
    }


def channels_etag(channels: Iterable[model.Channel]) -> str:
    """Changes when a channel in the list does, or gets a post."""
    newest, newest_id, count = 0, "0", 0
    for channel in channels:
        count += 1
        for time in (channel.last_post_at, channel.update_at):
            if time > newest:
                newest, newest_id = time, channel.id
    return f"{VERSION}.{newest_id}.{newest}.0.{count}"


def member_json(member: model.Member) -> dict[str, Any]:
    """Somebody's membership of a channel."""
    return {
        "channel_id": member.channel_id,
        "user_id": member.user_id,
        "roles": "channel_user channel_admin" if member.scheme_admin else "channel_user",
        "last_viewed_at": member.last_viewed_at,
        "msg_count": member.msg_count,
        "mention_count": member.mention_count,
        "mention_count_root": member.mention_count_root,
        "msg_count_root": member.msg_count_root,
        "notify_props": CHANNEL_NOTIFY_PROPS,
        "last_update_at": member.last_update_at,
        "scheme_guest": False,
        "scheme_user": True,
        "scheme_admin": member.scheme_admin,
        "explicit_roles": "",
    }


def reaction_json(reaction: model.Reaction) -> dict[str, Any]:
    """One reaction."""
    return {
        "user_id": reaction.user_id,
        "post_id": reaction.post_id,
        "emoji_name": reaction.emoji_name,
        "create_at": reaction.create_at,
        "update_at": reaction.update_at,
        "delete_at": 0,
        "remote_id": "",
    }


def file_json(file: model.File) -> dict[str, Any]:
    """What is known of a file; its channel is not told, and its post only once it is on one (as on 5.37)."""
    return {
        "id": file.id,
        "user_id": file.user_id,
        **({"post_id": file.post_id} if file.post_id else {}),
        "channel_id": "",
        "create_at": file.create_at,
        "update_at": file.update_at,
        "delete_at": file.delete_at,
        "name": file.name,
        "extension": file.extension,
        "size": file.size,
        "mime_type": file.mime_type,
        "mini_preview": None,
        "remote_id": "",
    }


def hook_json(hook: model.Hook) -> dict[str, Any]:
    """An outgoing webhook."""
    return {
        "id": hook.id,
        "token": hook.token,
        "create_at": hook.create_at,
        "update_at": hook.update_at,
        "delete_at": 0,
        "creator_id": hook.creator_id,
        "channel_id": hook.channel_id,
        "team_id": hook.team_id,
        "trigger_words": list(hook.trigger_words),
        "trigger_when": hook.trigger_when,
        "callback_urls": list(hook.callback_urls),
        "display_name": hook.display_name,
        "description": hook.description,
        "content_type": hook.content_type,
        "username": hook.username,
        "icon_url": hook.icon_url,
    }


def command_json(command: model.Command) -> dict[str, Any]:
    """A slash command."""
    return {
        "id": command.id,
        "token": command.token,
        "create_at": command.create_at,
        "update_at": command.update_at,
        "delete_at": 0,
        "creator_id": command.creator_id,
        "team_id": command.team_id,
        "trigger": command.trigger,
        "method": command.method,
        "username": "",
        "icon_url": "",
        "auto_complete": False,
        "auto_complete_desc": "",
        "auto_complete_hint": "",
        "display_name": command.display_name,
        "description": command.description,
        "url": command.url,
    }


def bare_post_json(post: model.Post, *, reply_count: int = 0, pending_post_id: str = "") -> dict[str, Any]:
    """A post without what is looked up for it; a repeated `pending_post_id` is answered so."""
    return {
        "id": post.id,
        "create_at": post.create_at,
        "update_at": post.update_at,
        "edit_at": post.edit_at,
        "delete_at": post.delete_at,
        "is_pinned": post.is_pinned,
        "user_id": post.user_id,
        "channel_id": post.channel_id,
        "root_id": post.root_id,
        "parent_id": post.root_id,
        "original_id": post.original_id,
        # The words of a deleted post, and of the kept copy of an edited one, are not told.
        "message": "" if post.delete_at else post.message,
        "type": post.type,
        "props": {key: post.props[key] for key in sorted(post.props)},
        "hashtags": post.hashtags,
        **({"file_ids": list(post.file_ids)} if post.file_ids else {}),
        "pending_post_id": pending_post_id,
        **({"has_reactions": True} if post.has_reactions else {}),
        "reply_count": reply_count,
        "last_reply_at": 0,
        "participants": None,
    }


def posts_json(
    tx: Change, posts: Iterable[model.Post], *, reply_counts: Mapping[str, int] | None = None
) -> dict[str, dict[str, Any]]:
    """Posts by id, each with its reactions, files and embeds.

    Args:
        tx: the change.
        posts: the posts.
        reply_counts: replies in each thread, by root id; those that are not counted say 0.
    """
    posts = list(posts)
    counts = reply_counts or {}
    ids = [p.id for p in posts if not p.delete_at]
    reactions: dict[str, list[dict[str, Any]]] = {}
    chosen = select(model.reactions).where(model.reactions.c.post_id.in_(ids))
    for reaction in model.many(tx.db, model.Reaction, chosen.order_by(model.reactions.c.create_at)):
        reactions.setdefault(reaction.post_id, []).append(reaction_json(reaction))
    files: dict[str, list[dict[str, Any]]] = {}
    attached = select(model.files).where(model.files.c.post_id.in_(ids), model.files.c.delete_at == 0)
    for file in model.many(tx.db, model.File, attached.order_by(model.files.c.create_at)):
        files.setdefault(file.post_id, []).append(file_json(file))
    shown = {}
    for post in posts:
        metadata: dict[str, Any] = {}
        if not post.delete_at:
            if post.props.get("attachments"):
                metadata["embeds"] = [{"type": "message_attachment"}]
            if post.file_ids and post.id in files:
                metadata["files"] = files[post.id]
            if post.has_reactions and post.id in reactions:
                metadata["reactions"] = reactions[post.id]
        count = counts.get(post.root_id or post.id, 0)
        shown[post.id] = {**bare_post_json(post, reply_count=count), "metadata": metadata}
    return shown


def post_json(tx: Change, post: model.Post, *, reply_count: int = 0, pending_post_id: str = "") -> dict[str, Any]:
    """One post with its reactions, files and embeds."""
    shown = posts_json(tx, [post], reply_counts={post.root_id or post.id: reply_count})[post.id]
    return {**shown, "pending_post_id": pending_post_id}
