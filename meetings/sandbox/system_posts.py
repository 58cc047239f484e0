"""What the server itself writes into channels when people come and go."""

from __future__ import annotations

from typing import Any

from meetings.sandbox.model import Channel, Post, User
from meetings.sandbox.posting import keep
from meetings.sandbox.world import Change


def joined(tx: Change, channel: Channel, user: User) -> None:
    """Somebody came by themselves."""
    _write(tx, channel, user, "system_join_channel", f"{user.username} joined the channel.", _who(user))


def added(tx: Change, channel: Channel, user: User, *, by: User) -> None:
    """Somebody was added."""
    text = f"{user.username} added to the channel by {by.username}."
    _write(tx, channel, by, "system_add_to_channel", text, _who_whom(by, user))


def joined_default(tx: Change, channel: Channel, user: User, *, by: User | None, whole_team: bool) -> None:
    """Somebody came to the team; its main channel speaks of the team, the others of themselves."""
    place = "team" if whole_team else "channel"
    if by is None:
        _write(tx, channel, user, f"system_join_{place}", f"{user.username} joined the {place}.", _who(user))
        return
    text = f"{user.username} added to the {place} by {by.username}."
    _write(tx, channel, by, f"system_add_to_{place}", text, _who_whom(by, user))


def left(tx: Change, channel: Channel, user: User) -> None:
    """Somebody went by themselves."""
    _write(tx, channel, user, "system_leave_channel", f"{user.username} has left the channel.", _who(user))


def removed(tx: Change, channel: Channel, user: User, *, by: User) -> None:
    """Somebody was taken out."""
    props = {"removedUserId": user.id, "removedUsername": user.username}
    _write(tx, channel, by, "system_remove_from_channel", f"{user.username} removed from the channel.", props)


def archived(tx: Change, channel: Channel, *, by: User) -> None:
    """The channel was closed."""
    _write(tx, channel, by, "system_channel_deleted", f"{by.username} archived the channel.", _who(by))


def _who(user: User) -> dict[str, str]:
    return {"username": user.username}


def _who_whom(by: User, user: User) -> dict[str, str]:
    return {
        "addedUserId": user.id,
        "addedUsername": user.username,
        "userId": by.id,
        "username": by.username,
    }


def _write(tx: Change, channel: Channel, author: User, kind: str, text: str, props: dict[str, Any]) -> None:
    now = tx.now()
    post = Post(
        id=tx.new_id(),
        create_at=now,
        update_at=now,
        user_id=author.id,
        channel_id=channel.id,
        message=text,
        type=kind,
        props=props,
    )
    keep(tx, author, channel, post)
