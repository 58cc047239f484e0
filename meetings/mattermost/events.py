"""What the server's socket says, as values: text frames in, events out.

Frames come from outside: one that is not understood is no event, and never an error. Shapes as recorded from
Mattermost 5.37; `data.post` and `data.reaction` are JSON in a string there, and newer servers may send them as objects.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from meetings.errors import MattermostError
from meetings.mattermost.entities import Post, Reaction, post_of, reaction_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Hello:
    """The server has taken the token."""

    seq: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PostWritten:
    """A post is there, new or (`edited`) changed; `channel_type` is empty in events of edits."""

    seq: int
    post: Post
    edited: bool = False
    channel_type: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PostGone:
    """A post was deleted."""

    seq: int
    post: Post


@dataclass(frozen=True, slots=True, kw_only=True)
class Reacted:
    """An emoji was put on a post, or (`removed`) taken off; the channel it happened in."""

    seq: int
    reaction: Reaction
    channel_id: str
    removed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberChanged:
    """Somebody came to a channel, or (`removed`) left it."""

    seq: int
    user_id: str
    channel_id: str
    removed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Other:
    """An event that nothing here acts on; its number counts all the same."""

    seq: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """The answer to something that we sent."""

    seq_reply: int
    ok: bool


Event = Hello | PostWritten | PostGone | Reacted | MemberChanged | Other
Frame = Event | Reply


def read_frame(text: str | bytes) -> Frame | None:
    """The event or answer in a frame; None for what is neither."""
    try:
        frame = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(frame, Mapping):
        return None
    if "seq_reply" in frame and isinstance(frame["seq_reply"], int):
        return Reply(seq_reply=frame["seq_reply"], ok=frame.get("status") == "OK")
    seq, name = frame.get("seq"), frame.get("event")
    if not isinstance(seq, int) or isinstance(seq, bool) or not isinstance(name, str):
        return None
    event = _event(name, seq, _object(frame.get("data")), _object(frame.get("broadcast")))
    return Other(seq=seq) if event is None else event


def _event(name: str, seq: int, data: Mapping[str, Any], broadcast: Mapping[str, Any]) -> Event | None:
    match name:
        case "hello":
            return Hello(seq=seq)
        case "posted" | "post_edited" | "post_deleted":
            post = _post(data.get("post"))
            if post is None:
                return None
            if name == "post_deleted":
                return PostGone(seq=seq, post=post)
            return PostWritten(
                seq=seq, post=post, edited=name == "post_edited", channel_type=str(data.get("channel_type") or "")
            )
        case "reaction_added" | "reaction_removed":
            reaction = _reaction(data.get("reaction"))
            if reaction is None:
                return None
            return Reacted(
                seq=seq,
                reaction=reaction,
                channel_id=str(broadcast.get("channel_id") or ""),
                removed=name == "reaction_removed",
            )
        case "user_added" | "user_removed":
            # Who is removed hears of it with the channel in `data`, those who stay with the user in it.
            user_id = data.get("user_id") or broadcast.get("user_id")
            channel_id = data.get("channel_id") or broadcast.get("channel_id")
            if not (isinstance(user_id, str) and user_id and isinstance(channel_id, str) and channel_id):
                return None
            return MemberChanged(seq=seq, user_id=user_id, channel_id=channel_id, removed=name == "user_removed")
    return None


def _post(given: object) -> Post | None:
    data = _object(given)
    try:
        return post_of(data)
    except MattermostError:
        return None


def _reaction(given: object) -> Reaction | None:
    data = _object(given)
    try:
        return reaction_of(data)
    except MattermostError:
        return None


def _object(given: object) -> Mapping[str, Any]:
    if isinstance(given, str):
        try:
            given = json.loads(given)
        except (ValueError, RecursionError):
            return {}
    return given if isinstance(given, Mapping) else {}
