"""Each person gets their summary once, and only those who may.

Whether somebody gets a message is a value, decided from facts read at delivery time (`decide_recipient`). Each message
carries our own key in its props; the key is looked up in the direct channel before anything is posted, so that a run
that died between posting and noting it does not post again, and a changed summary edits the message that is there. A
message whose post was noted and is gone was deleted by somebody, and stays away.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from meetings.errors import (
    MattermostAuthError,
    MattermostError,
    MattermostNotFoundError,
    MattermostUnreachableError,
)
from meetings.mattermost.client import MAX_MESSAGE, MattermostClient, Post, User

KEY_PROP = "meetings_delivery"
FIRST_PROP = "meetings_first"  # the message that introduces the bot
POINTS_PROP = "meetings_points"  # the lines that a thumb on the message judges, as plain text
LOOK_BACK = 400  # newest posts of a direct channel that are searched for the key

INTRODUCTION = (
    "_Hello, I am a bot. When a call in a channel of yours is recorded, I send you what matters to you from it. Only "
    "you get this version. To change what you get, answer me here: **stop** ends these messages, **help** tells what "
    "else I understand._"
)

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
    key: str = ""
    server_gone: bool = False


def decide_recipient(
    user: User, *, member: bool = True, recording_gone: bool = False, opted_out: bool = False
) -> str | None:
    """Why this person must not get a summary, or None if they may.

    Args:
        user: the account as the server has it now.
        member: whether they can read the recording's channel now; true for a local recording.
        recording_gone: the recording was deleted.
        opted_out: they said that they want no messages.
    """
    if recording_gone:
        return "the recording was deleted"
    if user.delete_at:
        return "the account is deactivated"
    if user.is_bot:
        return "the account is a bot"
    if not member:
        return "not a member of the recording's channel"
    if user.is_guest:
        return "the account is a guest"
    if opted_out:
        return "wants no messages"
    return None


def delivery_key(recording: str, user: User) -> str:
    """The key of one person's message about one recording."""
    return f"{recording}:{user.id}"


def deliver(
    client: MattermostClient,
    username: str,
    message: str,
    *,
    recording: str,
    channel_id: str | None,
    post_id: str | None = None,
    noted: str = "",
    noted_key: str = "",
    opted_out: Callable[[User], bool] = lambda _user: False,
    points: Sequence[str] = (),
) -> Outcome:
    """Send, or correct, one person's message.

    Args:
        client: the bot.
        username: who gets it.
        message: Markdown, at most 16,383 characters.
        recording: the recording's stable id (Mattermost file id, else content hash).
        channel_id: the channel the recording was posted in; its members alone may get a summary.
        post_id: the recording's post; if it is gone, nobody gets anything.
        noted: the post of this message, if it was sent before and that was noted.
        noted_key: the key that was noted with it: a username may belong to another account by now.
        opted_out: whether an account wants no messages.
        points: what a thumb on the message judges, as plain text.

    Returns:
        The outcome; a refusal by the server for this person is an outcome too (`failed`), so that one person's trouble
        does not keep the others from their message.
    """
    try:
        try:
            user = client.user_by_username(username)
        except MattermostNotFoundError:
            return Outcome(username=username, status="skipped", reason="no such account on this server")
        if reason := decide_recipient(
            user,
            member=channel_id is None or client.is_channel_member(channel_id, user.id),
            recording_gone=post_id is not None and _gone(client, post_id),
            opted_out=opted_out(user),
        ):
            return Outcome(username=username, status="skipped", reason=reason)
        key = delivery_key(recording, user)
        return _send(client, user, message, key=key, noted=noted if noted_key == key else "", points=points)
    except MattermostError as error:
        gone = isinstance(error, MattermostUnreachableError | MattermostAuthError)
        return Outcome(username=username, status="failed", reason=str(error), server_gone=gone)


def _send(
    client: MattermostClient, user: User, message: str, *, key: str, noted: str, points: Sequence[str]
) -> Outcome:
    direct = client.direct_channel(user.id)
    if noted:
        earlier = _existing(client, noted)
        if earlier is None:
            reason = "the message was deleted"
            return Outcome(username=user.username, status="skipped", reason=reason, post_id=noted, key=key)
    else:
        earlier = find_delivered(client, direct, key)
    if earlier is not None:
        text = _introduced(message) if earlier.props.get(FIRST_PROP) else message
        if earlier.message == text:
            return Outcome(username=user.username, status="unchanged", post_id=earlier.id, key=key)
        edited = client.edit_post(earlier.id, text, props={POINTS_PROP: list(points)})
        return Outcome(username=user.username, status="edited", post_id=edited.id, key=key)
    first = not any(p.user_id == client.me().id for p in client.latest_posts(direct, LOOK_BACK))
    props = {KEY_PROP: key, POINTS_PROP: list(points), **({FIRST_PROP: True} if first else {})}
    post = client.create_post(direct, _introduced(message) if first else message, props=props, key=key)
    return Outcome(username=user.username, status="sent", post_id=post.id, key=key)


def _introduced(message: str) -> str:
    """A first message ends with who sends it and how to stop it; there is always room for that."""
    room = MAX_MESSAGE - len(INTRODUCTION) - 8
    return f"{message if len(message) <= room else message[:room] + '…'}\n\n---\n{INTRODUCTION}"


def _gone(client: MattermostClient, post_id: str) -> bool:
    return _existing(client, post_id) is None


def _existing(client: MattermostClient, post_id: str) -> Post | None:
    """A post, unless it was deleted."""
    try:
        post = client.post(post_id)
    except MattermostNotFoundError:
        return None
    return None if post.delete_at else post


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
