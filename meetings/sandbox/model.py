"""What the sandbox keeps: its tables, and one frozen value for a row of each.

Field names are those of Mattermost's JSON. Times are milliseconds since the epoch, 0 for never.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, TypeVar

from sqlalchemy import JSON, Boolean, Column, Connection, Index, Integer, MetaData, Select, String, Table, insert

metadata = MetaData()


def _table(name: str, *columns: str, key: tuple[str, ...] = ("id",), **kinds: type[Any]) -> Table:
    """A table of text columns unless `kinds` says otherwise; names ending in `_at` are times."""
    return Table(
        name,
        metadata,
        *(
            Column(c, kinds.get(c, Integer if c.endswith("_at") else String), primary_key=c in key, nullable=False)
            for c in columns
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """An account; a bot is one with `is_bot`. `password_hash` is empty where no password logs in."""

    id: str
    create_at: int
    update_at: int
    delete_at: int = 0
    username: str
    password_hash: str = ""
    email: str
    nickname: str = ""
    first_name: str = ""
    last_name: str = ""
    position: str = ""
    roles: str = "system_user"
    locale: str = "en"
    timezone: Mapping[str, str] = field(default_factory=dict)
    last_password_update: int = 0
    failed_attempts: int = 0
    is_bot: bool = False
    bot_description: str = ""
    bot_owner_id: str = ""

    @property
    def is_admin(self) -> bool:
        """Whether this account may do everything."""
        return "system_admin" in self.roles.split()

    @property
    def is_guest(self) -> bool:
        """Whether this account sees only what it was invited to."""
        return "system_guest" in self.roles.split()

    @property
    def name(self) -> str:
        """First and last name, else the nickname, else the username."""
        return f"{self.first_name} {self.last_name}".strip() or self.nickname or self.username


users = _table(
    "users",
    *(f.name for f in fields(User)),
    timezone=JSON,
    last_password_update=Integer,
    failed_attempts=Integer,
    is_bot=Boolean,
)
Index("users_by_username", users.c.username, unique=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A session or an access token; only its SHA-256 is kept."""

    id: str
    token_hash: str
    user_id: str
    description: str = ""
    is_active: bool = True


tokens = _table("tokens", *(f.name for f in fields(Token)), is_active=Boolean)
Index("tokens_by_hash", tokens.c.token_hash, unique=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Team:
    """A team; `type` is O (open) or I (by invitation)."""

    id: str
    create_at: int
    update_at: int
    delete_at: int = 0
    display_name: str
    name: str
    description: str = ""
    email: str = ""
    type: str = "O"
    invite_id: str


teams = _table("teams", *(f.name for f in fields(Team)))
Index("teams_by_name", teams.c.name, unique=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamMember:
    """Who is in which team."""

    team_id: str
    user_id: str
    delete_at: int = 0
    scheme_admin: bool = False


team_members = _table(
    "team_members", *(f.name for f in fields(TeamMember)), key=("team_id", "user_id"), scheme_admin=Boolean
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """A channel; `type` is O (open), P (private), D (direct) or G (group)."""

    id: str
    create_at: int
    update_at: int
    delete_at: int = 0
    team_id: str
    type: str
    display_name: str
    name: str
    header: str = ""
    purpose: str = ""
    last_post_at: int = 0
    total_msg_count: int = 0
    total_msg_count_root: int = 0
    creator_id: str = ""


channels = _table("channels", *(f.name for f in fields(Channel)), total_msg_count=Integer, total_msg_count_root=Integer)
Index("channels_by_name", channels.c.team_id, channels.c.name, unique=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """Who is in which channel, and how far they have read."""

    channel_id: str
    user_id: str
    last_viewed_at: int = 0
    last_update_at: int = 0
    msg_count: int = 0
    msg_count_root: int = 0
    mention_count: int = 0
    mention_count_root: int = 0
    scheme_admin: bool = False


members = _table(
    "members",
    *(f.name for f in fields(Member)),
    key=("channel_id", "user_id"),
    msg_count=Integer,
    msg_count_root=Integer,
    mention_count=Integer,
    mention_count_root=Integer,
    scheme_admin=Boolean,
)
Index("members_by_user", members.c.user_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """A post. `original_id` marks the kept copy of an edited post."""

    id: str
    create_at: int
    update_at: int
    edit_at: int = 0
    delete_at: int = 0
    is_pinned: bool = False
    user_id: str
    channel_id: str
    root_id: str = ""
    original_id: str = ""
    message: str = ""
    type: str = ""
    props: Mapping[str, Any] = field(default_factory=dict)
    hashtags: str = ""
    file_ids: tuple[str, ...] | list[str] = ()
    has_reactions: bool = False

    @property
    def is_system(self) -> bool:
        """Whether the server itself wrote it."""
        return self.type.startswith("system_")


posts = _table(
    "posts",
    *(f.name for f in fields(Post)),
    is_pinned=Boolean,
    has_reactions=Boolean,
    props=JSON,
    file_ids=JSON,
)
Index("posts_by_time", posts.c.channel_id, posts.c.create_at)
Index("posts_by_update", posts.c.channel_id, posts.c.update_at)
Index("posts_by_root", posts.c.root_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """An uploaded file; the bytes lie beside the database under its id. `size` in bytes."""

    id: str
    user_id: str
    post_id: str = ""
    channel_id: str
    create_at: int
    update_at: int
    delete_at: int = 0
    name: str
    extension: str
    size: int
    mime_type: str


files = _table("files", *(f.name for f in fields(File)), size=Integer)
Index("files_by_post", files.c.post_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reaction:
    """Who put which emoji on which post."""

    user_id: str
    post_id: str
    emoji_name: str
    create_at: int
    update_at: int


reactions = _table("reactions", *(f.name for f in fields(Reaction)), key=("user_id", "post_id", "emoji_name"))
Index("reactions_by_post", reactions.c.post_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hook:
    """An outgoing webhook. `trigger_when` 0: the first word is a trigger word; 1: it starts with one."""

    id: str
    token: str
    create_at: int
    update_at: int
    creator_id: str
    channel_id: str
    team_id: str
    trigger_words: list[str]
    trigger_when: int
    callback_urls: list[str]
    display_name: str
    description: str
    content_type: str
    username: str
    icon_url: str


hooks = _table("hooks", *(f.name for f in fields(Hook)), trigger_words=JSON, callback_urls=JSON, trigger_when=Integer)


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A slash command. `method` P: it is called by POST."""

    id: str
    token: str
    create_at: int
    update_at: int
    creator_id: str
    team_id: str
    trigger: str
    method: str
    display_name: str
    description: str
    url: str


commands = _table("commands", *(f.name for f in fields(Command)))
Index("commands_by_trigger", commands.c.team_id, commands.c.trigger, unique=True)

# What the sandbox remembers about itself: how it was seeded, the schema's version.
facts = _table("facts", "name", "value", key=("name",))

SCHEMA_VERSION = "1"

T = TypeVar("T")


def one(db: Connection, kind: Callable[..., T], query: Select[Any]) -> T | None:
    """The first row as a value, or None."""
    row = db.execute(query).mappings().first()
    return None if row is None else kind(**row)


def many(db: Connection, kind: Callable[..., T], query: Select[Any]) -> list[T]:
    """All rows as values."""
    return [kind(**row) for row in db.execute(query).mappings()]


def add(db: Connection, table: Table, value: Any) -> None:
    """Write a value as a new row."""
    db.execute(insert(table), asdict(value))
