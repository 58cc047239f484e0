"""A digest becomes a direct message, once for each morning, and only to who may and wants to get one."""

from __future__ import annotations

from dataclasses import dataclass

from meetings.audit import AuditLog
from meetings.config import Settings
from meetings.errors import MattermostNotFoundError
from meetings.mattermost.client import MattermostClient
from meetings.mattermost.delivery import LOOK_BACK
from meetings.mattermost.entities import User
from meetings.people import FeedbackBook

DIGEST_PROP = "meetings_digest"  # in the props of a digest: for which morning of whom it is
FOOTER = (
    "_**no digest** ends these messages, **stop** all of mine; **weekly digest** and **daily digest** change them._"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """What became of it: `sent`, `unchanged` (it was there before) or `skipped`, and why."""

    status: str
    reason: str = ""
    post_id: str = ""


def refused(settings: Settings, user: User) -> str:
    """Why somebody gets none; empty if they may."""
    if user.delete_at:
        return "the account is deactivated"
    if user.is_bot:
        return "the account is a bot"
    if FeedbackBook(settings).has_stopped(user.username, user.id):
        return "wants no messages"
    return ""


def send_digest(settings: Settings, client: MattermostClient, user_id: str, text: str, *, morning: str) -> Sent:
    """Send it, unless the same morning's is there.

    Args:
        settings: wishes, and the audit log.
        client: the bot.
        user_id: whom to.
        text: the message.
        morning: which one it is, as `daily:2026-11-27`.

    Raises:
        MattermostError: the server does not answer or refuses.
    """
    try:
        user = client.user(user_id)  # as they are now
    except MattermostNotFoundError:
        return Sent(status="skipped", reason="no such account on this server")
    if reason := refused(settings, user):
        return Sent(status="skipped", reason=reason)
    direct = client.direct_channel(user.id)
    if there := delivered(client, direct, morning):
        return Sent(status="unchanged", post_id=there)
    key = f"digest:{morning}:{user.id}"
    post = client.create_post(direct, text, props={DIGEST_PROP: morning}, key=key)
    AuditLog(settings).note("digest", user=user.username, status="sent", morning=morning, post=post.id)
    return Sent(status="sent", post_id=post.id)


def delivered(client: MattermostClient, direct: str, morning: str) -> str:
    """The id of a morning's digest in a direct channel, deleted ones among them; empty if there is none."""
    me = client.me().id
    posts = client.latest_posts(direct, LOOK_BACK)
    return next((p.id for p in posts if p.user_id == me and p.props.get(DIGEST_PROP) == morning), "")
