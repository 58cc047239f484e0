"""Each person gets their summary once, and only those who may.

Whether somebody gets a message is a value, decided from facts read at delivery time (`decide_recipient`). Each message
carries our own key in its props; the key is looked up in the direct channel before anything is posted, so that a run
that died between posting and noting it does not post again, and a changed summary edits the message that is there.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from meetings.errors import (
    MattermostAuthError,
    MattermostError,
    MattermostNotFoundError,
    MattermostUnreachableError,
)
from meetings.mattermost.client import MattermostClient, Post, User

KEY_PROP = "meetings_delivery"
LOOK_BACK = 400  # newest posts of a direct channel that are searched for the key

Status = Literal["sent", "edited", "unchanged", "skipped", "failed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one person's message; `reason` says why it was skipped or failed.

    `server_gone` is set when nobody else can be written to either.
    """

    username: str
    status: Status
    reason: str = ""
    post_id: str = ""
    server_gone: bool = False


def decide_recipient(user: User, *, members: Collection[str] | None) -> str | None:
    """Why this person must not get a summary, or None if they may.

    Args:
        user: the account as the server has it now.
        members: ids of those who can read the recording's channel now; None for a local recording.
    """
    if user.delete_at:
        return "the account is deactivated"
    if user.is_bot:
        return "the account is a bot"
    if members is not None and user.id not in members:
        return "not a member of the recording's channel"
    return None


def delivery_key(recording: str, user: User) -> str:
    """The key of one person's message about one recording."""
    return f"{recording}:{user.id}"


def deliver(
    client: MattermostClient, username: str, message: str, *, recording: str, channel_id: str | None
) -> Outcome:
    """Send, or correct, one person's message.

    Args:
        client: the bot.
        username: who gets it.
        message: Markdown, at most 16,383 characters.
        recording: the recording's stable id (Mattermost file id, else content hash).
        channel_id: the channel the recording was posted in; its members alone may get a summary.

    Returns:
        The outcome; a refusal by the server for this person is an outcome too (`failed`), so that one person's trouble
        does not keep the others from their message.
    """
    try:
        return _deliver(client, username, message, recording=recording, channel_id=channel_id)
    except MattermostError as error:
        gone = isinstance(error, MattermostUnreachableError | MattermostAuthError)
        return Outcome(username=username, status="failed", reason=str(error), server_gone=gone)


def _deliver(
    client: MattermostClient, username: str, message: str, *, recording: str, channel_id: str | None
) -> Outcome:
    try:
        user = client.user_by_username(username)
    except MattermostNotFoundError:
        return Outcome(username=username, status="skipped", reason="no such account on this server")
    members = client.channel_member_ids(channel_id) if channel_id else None
    if reason := decide_recipient(user, members=members):
        return Outcome(username=username, status="skipped", reason=reason)
    key = delivery_key(recording, user)
    direct = client.direct_channel(user.id)
    if earlier := find_delivered(client, direct, key):
        if earlier.message == message:
            return Outcome(username=username, status="unchanged", post_id=earlier.id)
        return Outcome(username=username, status="edited", post_id=client.edit_post(earlier.id, message).id)
    post = client.create_post(direct, message, props={KEY_PROP: key}, key=key)
    return Outcome(username=username, status="sent", post_id=post.id)


def find_delivered(client: MattermostClient, channel_id: str, key: str) -> Post | None:
    """The message with this key that the bot has already posted in a direct channel."""
    me = client.me().id
    return next(
        (
            post
            for post in client.latest_posts(channel_id, LOOK_BACK)
            if post.user_id == me and not post.delete_at and post.props.get(KEY_PROP) == key
        ),
        None,
    )
