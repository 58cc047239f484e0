"""What the server's JSON says, as frozen values with the fields that this program reads.

Times are milliseconds since the epoch, 0 for never. A field that is absent or null reads as empty; an answer that is of
another kind or lacks an id is no Mattermost's and raises `MattermostAnswerError`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import wraps
from typing import Any, TypeVar

from meetings.errors import MattermostAnswerError

ID_PATTERN = re.compile(r"[a-z0-9]{26}")
LARGEST = 253_402_300_799_999  # the last millisecond that a date can be made of

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """An account. `delete_at` is 0 while it is active; `timezone` is an IANA name, empty when nobody said."""

    id: str
    username: str
    first_name: str = ""
    last_name: str = ""
    nickname: str = ""
    position: str = ""
    locale: str = ""
    timezone: str = ""
    roles: tuple[str, ...] = ()
    delete_at: int = 0
    is_bot: bool = False
    is_guest: bool = False

    @property
    def name(self) -> str:
        """First and last name, else the nickname, else the username."""
        return f"{self.first_name} {self.last_name}".strip() or self.nickname or self.username

    @property
    def is_admin(self) -> bool:
        """Whether this account may do everything on the server."""
        return "system_admin" in self.roles


@dataclass(frozen=True, slots=True, kw_only=True)
class Team:
    """A team."""

    id: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """A channel; `type` is O (open), P (private), D (direct) or G (group); `delete_at` is set once it is archived."""

    id: str
    team_id: str
    type: str
    name: str
    display_name: str = ""
    purpose: str = ""
    header: str = ""
    create_at: int = 0
    delete_at: int = 0
    last_post_at: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """Somebody's membership of a channel; `viewed_at` is when they last looked at it, 0 where nobody says."""

    user_id: str
    viewed_at: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Reaction:
    """Who put which emoji on which post, and when."""

    user_id: str
    post_id: str
    emoji_name: str
    create_at: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """A post.

    `update_at` moves with every edit and deletion, with a reaction and, of a root, with a reply; `edit_at` with an edit
    of the words alone. A deleted post has no words any more. A list of posts carries the reactions to them.
    """

    id: str
    channel_id: str
    user_id: str
    root_id: str = ""
    message: str = ""
    type: str = ""
    create_at: int = 0
    update_at: int = 0
    edit_at: int = 0
    delete_at: int = 0
    reactions: tuple[Reaction, ...] = ()
    file_ids: tuple[str, ...] = ()
    props: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_deleted(self) -> bool:
        """Whether it is gone."""
        return self.delete_at > 0


@dataclass(frozen=True, slots=True, kw_only=True)
class FileInfo:
    """An attached file; `size` in bytes, `update_at` changes when the server's copy does."""

    id: str
    post_id: str
    name: str
    size: int
    update_at: int = 0


def _reader(read: Callable[[Any], T]) -> Callable[[Any], T]:
    """Let a reader of JSON say in one line that it was given something else."""

    @wraps(read)
    def safely(data: Any) -> T:
        try:
            return read(data)
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
            what = f"lacks {error}" if isinstance(error, KeyError) else "has another form"
        raise MattermostAnswerError(
            f"the server's answer {what} where Mattermost's has {read.__name__.removesuffix('_of')}; "
            "check mattermost_url and the server's version",
            status=200,
        )

    return safely


def many_of(read: Callable[[Any], T], data: Any) -> tuple[T, ...]:
    """A list, each entry read; null is an empty one, as the server writes it."""
    return tuple(read(one) for one in list_of(data))


@_reader
def list_of(data: Any) -> list[Any]:
    """A list; null is an empty one."""
    if not isinstance(data, list | None):
        raise TypeError
    return list(data or ())


@_reader
def id_of(data: Mapping[str, Any]) -> str:
    """The id of whatever it is."""
    return str(data["id"])


@_reader
def user_of(data: Mapping[str, Any]) -> User:
    """An account's JSON."""
    roles = tuple(str(data.get("roles") or "").split())
    return User(
        id=str(data["id"]),
        username=str(data["username"]),
        first_name=str(data.get("first_name") or ""),
        last_name=str(data.get("last_name") or ""),
        nickname=str(data.get("nickname") or ""),
        position=str(data.get("position") or ""),
        locale=str(data.get("locale") or ""),
        timezone=_timezone(data.get("timezone")),
        roles=roles,
        delete_at=whole(data.get("delete_at")),
        is_bot=bool(data.get("is_bot")),
        is_guest="system_guest" in roles,
    )


def whole(value: object) -> int:
    """A time or a size; 0 for what is none. JSON has numbers beyond every clock, and infinity."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= LARGEST:
        return 0
    return int(value)


def _timezone(data: Any) -> str:
    """The zone that is in force: found by the browser unless the person chose one. Booleans come as text."""
    if not isinstance(data, Mapping):
        return ""
    automatic = str(data.get("useAutomaticTimezone", "true")).lower() != "false"
    return str(data.get("automaticTimezone" if automatic else "manualTimezone") or "")


@_reader
def team_of(data: Mapping[str, Any]) -> Team:
    """A team's JSON."""
    return Team(id=str(data["id"]), name=str(data["name"]))


@_reader
def channel_of(data: Mapping[str, Any]) -> Channel:
    """A channel's JSON."""
    return Channel(
        id=str(data["id"]),
        team_id=str(data.get("team_id") or ""),
        type=str(data.get("type") or ""),
        name=str(data.get("name") or ""),
        display_name=str(data.get("display_name") or ""),
        purpose=str(data.get("purpose") or ""),
        header=str(data.get("header") or ""),
        create_at=whole(data.get("create_at")),
        delete_at=whole(data.get("delete_at")),
        last_post_at=whole(data.get("last_post_at")),
    )


@_reader
def post_of(data: Mapping[str, Any]) -> Post:
    """A post's JSON, from an answer or an event."""
    return Post(
        id=str(data["id"]),
        channel_id=str(data["channel_id"]),
        user_id=str(data.get("user_id") or ""),
        root_id=str(data.get("root_id") or ""),
        message=str(data.get("message") or ""),
        type=str(data.get("type") or ""),
        create_at=whole(data.get("create_at")),
        update_at=whole(data.get("update_at")),
        edit_at=whole(data.get("edit_at")),
        delete_at=whole(data.get("delete_at")),
        reactions=tuple(reaction_of(r) for r in (data.get("metadata") or {}).get("reactions") or ()),
        file_ids=tuple(str(f) for f in data.get("file_ids") or ()),
        props=dict(data.get("props") or {}),
    )


@_reader
def listed_of(answer: Mapping[str, Any]) -> tuple[Post, ...]:
    """A list of posts in the server's order, each once: a thread may name its root twice (seen on 5.37).

    The copies that the server keeps of edited posts are left out.
    """
    named = dict.fromkeys(answer["order"] or ())
    return tuple(post_of(data) for i in named if not (data := answer["posts"][i]).get("original_id"))


def posts_of(answer: Any) -> tuple[Post, ...]:
    """A list of posts in order of time."""
    return tuple(sorted(listed_of(answer), key=lambda p: (p.create_at, p.id)))


@_reader
def file_of(data: Mapping[str, Any]) -> FileInfo:
    """What is known of a file, from its JSON."""
    return FileInfo(
        id=str(data["id"]),
        post_id=str(data.get("post_id") or ""),
        name=str(data.get("name") or "recording"),
        size=whole(data.get("size")),
        update_at=whole(data.get("update_at")),
    )


@_reader
def reactions_of(answer: Mapping[str, Any]) -> tuple[Reaction, ...]:
    """The reactions to several posts, which come by post id."""
    return tuple(reaction for found in answer.values() for reaction in many_of(reaction_of, found))


@_reader
def member_of(data: Mapping[str, Any]) -> Member:
    """A membership."""
    return Member(user_id=str(data["user_id"]), viewed_at=whole(data.get("last_viewed_at")))


@_reader
def viewed_of(data: Mapping[str, Any]) -> int:
    """When a member last looked at a channel; newer servers tell -1 of others than oneself."""
    return whole(data.get("last_viewed_at"))


@_reader
def status_of(data: Mapping[str, Any]) -> str:
    """What somebody shows."""
    return str(data["status"])


@_reader
def activity_of(data: Mapping[str, Any]) -> tuple[str, int]:
    """Who, and when they were last seen to do something; 0 where the server does not know."""
    return str(data["user_id"]), whole(data.get("last_activity_at"))


@_reader
def reaction_of(data: Mapping[str, Any]) -> Reaction:
    """A reaction's JSON, from an answer or an event."""
    return Reaction(
        user_id=str(data["user_id"]),
        post_id=str(data["post_id"]),
        emoji_name=str(data["emoji_name"]),
        create_at=whole(data.get("create_at")),
    )
