"""Outgoing webhooks: which posts fire them, and what they say.

As on the real server they speak only of open channels, and a post without a word of text has no first word to match.
What the called side answers is not read.
"""

from __future__ import annotations

import json
from functools import partial
from urllib.parse import urlencode

from sqlalchemy import select

from meetings.sandbox import model
from meetings.sandbox.model import Channel, Hook, Post, Team, User
from meetings.sandbox.world import Change

# What the real server calls itself when it calls out.
USER_AGENT = "Mattermost-Bot/1.1"


def fire(tx: Change, author: User, channel: Channel, post: Post) -> None:
    """Call the hooks that a new post fires, once it is kept."""
    call_out = tx.world.call_out
    if call_out is None or channel.type != "O":
        return
    query = select(model.hooks).where(model.hooks.c.team_id == channel.team_id)
    for hook in model.many(tx.db, Hook, query):
        trigger = matches(hook, channel.id, post.message)
        if trigger is None:
            continue
        team = model.one(tx.db, Team, select(model.teams).where(model.teams.c.id == channel.team_id))
        assert team is not None
        headers, body = message(hook, trigger, team=team, channel=channel, author=author, post=post)
        for url in hook.callback_urls:
            tx.afterwards.append(partial(call_out, url, headers, body))


def matches(hook: Hook, channel_id: str, text: str) -> str | None:
    """The word that fires the hook: empty when it needs none, None when it does not fire."""
    if hook.channel_id and hook.channel_id != channel_id:
        return None
    if not hook.trigger_words:
        return "" if hook.channel_id else None
    first = (text.split() or [""])[0]
    for word in hook.trigger_words:
        if first == word if hook.trigger_when == 0 else first.startswith(word):
            return word
    return None


def message(
    hook: Hook, trigger: str, *, team: Team, channel: Channel, author: User, post: Post
) -> tuple[dict[str, str], bytes]:
    """Headers and body of the call. `file_ids` is one string, ids divided by commas."""
    said: dict[str, str | int] = {
        "token": hook.token,
        "team_id": team.id,
        "team_domain": team.name,
        "channel_id": channel.id,
        "channel_name": channel.name,
        "timestamp": post.create_at,
        "user_id": author.id,
        "user_name": author.username,
        "post_id": post.id,
        "text": post.message,
        "trigger_word": trigger,
        "file_ids": ",".join(post.file_ids),
    }
    if hook.content_type == "application/json":
        kind, body = "application/json", json.dumps(said, ensure_ascii=False, separators=(",", ":"))
    else:
        kind, body = "application/x-www-form-urlencoded", urlencode(said)
    return {"User-Agent": USER_AGENT, "Accept": "application/json", "Content-Type": kind}, body.encode("utf-8")
