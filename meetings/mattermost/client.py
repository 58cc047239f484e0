"""The part of Mattermost that this program uses, as typed calls.

Everything goes through mattermostdriver over our `Transport`; what comes back are frozen dataclasses with the fields
we need. Downloads are streamed to disk and resume by Range, since the driver would read whole files into memory.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests
from mattermostdriver import Driver

from meetings.errors import ConfigError, MattermostError, StorageError
from meetings.mattermost.transport import Transport
from meetings.progress import Progress, no_progress

# The server cuts per_page at 200 without a word (seen on 5.37).
PAGE = 200
MAX_SINCE = 1_000  # posts that one `since` gives (seen on 5.37)
MAX_MESSAGE = 16_383  # characters in one post (model.PostMessageMaxRunesV2)
CHUNK = 256 * 1024

ID_PATTERN = re.compile(r"[a-z0-9]{26}")


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """An account. `delete_at` is in milliseconds since the epoch, 0 while active."""

    id: str
    username: str
    first_name: str = ""
    last_name: str = ""
    nickname: str = ""
    position: str = ""
    locale: str = ""
    delete_at: int = 0
    is_bot: bool = False
    is_guest: bool = False

    @property
    def name(self) -> str:
        """First and last name, else the nickname, else the username."""
        return f"{self.first_name} {self.last_name}".strip() or self.nickname or self.username


@dataclass(frozen=True, slots=True, kw_only=True)
class Team:
    """A team."""

    id: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """A channel; `type` is O (open), P (private), D (direct) or G (group)."""

    id: str
    team_id: str
    type: str
    name: str
    display_name: str = ""
    purpose: str = ""
    header: str = ""
    last_post_at: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Reaction:
    """Who put which emoji on which post."""

    user_id: str
    post_id: str
    emoji_name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """A post. Times are milliseconds since the epoch.

    A list of posts carries the reactions to them; `update_at` moves when one is added or taken back (seen on 5.37).
    """

    id: str
    channel_id: str
    user_id: str
    root_id: str = ""
    message: str = ""
    type: str = ""
    create_at: int = 0
    update_at: int = 0
    delete_at: int = 0
    reactions: tuple[Reaction, ...] = ()
    file_ids: tuple[str, ...] = ()
    props: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class FileInfo:
    """An attached file; `size` in bytes."""

    id: str
    post_id: str
    name: str
    size: int


class MattermostClient:
    """A bot's view of one server.

    Args:
        url: the site's address, `https://chat.example.org` or with a port and path.
        token: the bot's access token.

    Raises:
        ConfigError: the address is not one.
    """

    def __init__(self, url: str, token: str) -> None:
        parts = urlsplit(url if "://" in url else f"https://{url}")
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ConfigError(f"mattermost_url {url!r} is not an address like https://chat.example.org")
        self.url = f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"
        try:
            port = parts.port or (443 if parts.scheme == "https" else 80)
        except ValueError as error:
            raise ConfigError(f"mattermost_url {url!r} has no valid port") from error
        self._driver = Driver(
            {
                "scheme": parts.scheme,
                "url": parts.hostname,
                "port": port,
                "basepath": f"{parts.path.rstrip('/')}/api/v4",
                "token": token,
            },
            client_cls=Transport,
        )
        self._driver.client.token = token
        self._me: User | None = None

    def __repr__(self) -> str:
        return f"MattermostClient({self.url!r})"

    @property
    def _transport(self) -> Transport:
        transport = self._driver.client
        assert isinstance(transport, Transport)
        return transport

    @property
    def requests(self) -> int:
        """How many requests were sent so far, repeated ones counted each time."""
        return self._transport.sent

    # The server and the bot itself

    def ping(self) -> str:
        """The server's version, from the header that every answer carries."""
        response = self._transport.send("GET", "/system/ping")
        return ".".join(response.headers.get("X-Version-Id", "").split(".")[:3])

    def me(self) -> User:
        """The bot."""
        if self._me is None:
            self._me = _user(self._driver.users.get_user("me"))
        return self._me

    def my_teams(self) -> tuple[Team, ...]:
        """Teams the bot is in."""
        found = self._driver.teams.get_user_teams("me")
        return tuple(Team(id=str(t["id"]), name=str(t["name"])) for t in found)

    def my_channels(self, team_id: str) -> tuple[Channel, ...]:
        """Channels of a team that the bot is in, direct ones among them."""
        return tuple(_channel(c) for c in self._driver.channels.get_channels_for_user("me", team_id))

    # Users and channels

    def user(self, user_id: str) -> User:
        """One account by id."""
        return _user(self._driver.users.get_user(user_id))

    def user_by_username(self, username: str) -> User:
        """One account by username."""
        return _user(self._driver.users.get_user_by_username(username))

    def users(self, user_ids: Iterable[str]) -> tuple[User, ...]:
        """Accounts by id, unknown ids left out."""
        wanted = list(dict.fromkeys(user_ids))
        found: list[User] = []
        for start in range(0, len(wanted), PAGE):
            found += [_user(u) for u in self._driver.users.get_users_by_ids(wanted[start : start + PAGE])]
        return tuple(found)

    def channel(self, channel_id: str) -> Channel:
        """One channel by id."""
        return _channel(self._driver.channels.get_channel(channel_id))

    def channel_by_name(self, team: str, channel: str) -> Channel:
        """One channel by team and channel name."""
        return _channel(self._driver.channels.get_channel_by_name_and_team_name(team, channel))

    def channel_member_ids(self, channel_id: str) -> tuple[str, ...]:
        """User ids of all members."""
        ids: list[str] = []
        for page in range(10_000):
            members = self._driver.channels.get_channel_members(channel_id, params={"page": page, "per_page": PAGE})
            ids += [str(m["user_id"]) for m in members]
            if len(members) < PAGE:
                break
        return tuple(ids)

    # Posts

    def post(self, post_id: str) -> Post:
        """One post by id."""
        return _post(self._driver.posts.get_post(post_id))

    def thread(self, post_id: str) -> tuple[Post, ...]:
        """A post's thread, in order of time."""
        return _posts(self._driver.posts.get_thread(post_id))

    def latest_posts(self, channel_id: str, limit: int) -> Iterator[Post]:
        """Posts of a channel, newest first, at most `limit`."""
        given = 0
        for page in range((limit + PAGE - 1) // PAGE):
            answer = self._driver.posts.get_posts_for_channel(channel_id, params={"page": page, "per_page": PAGE})
            for post_id in answer["order"]:
                if given == limit:
                    return
                given += 1
                yield _post(answer["posts"][post_id])
            if len(answer["order"]) < PAGE:
                return

    def posts_since(self, channel_id: str, time: int) -> tuple[Post, ...]:
        """Posts of a channel that changed after a time (ms since the epoch): new, edited, deleted, reacted to.

        Deleted ones are among them, and the copies that the server keeps of edited ones, which count as deleted. The
        server gives the newest `MAX_SINCE` alone.
        """
        answer = self._driver.posts.get_posts_for_channel(channel_id, params={"since": max(1, time)})
        return tuple(_post(answer["posts"][post_id]) for post_id in answer["order"])

    def reactions(self, post_ids: Iterable[str]) -> tuple[Reaction, ...]:
        """Reactions to several posts at once."""
        wanted = list(dict.fromkeys(post_ids))
        found: list[Reaction] = []
        for start in range(0, len(wanted), PAGE):
            answer = self._transport.send("POST", "/posts/ids/reactions", json=wanted[start : start + PAGE]).json()
            for reactions in answer.values():
                found += _reactions(reactions)
        return tuple(found)

    def direct_channel(self, user_id: str) -> str:
        """The id of the direct channel between the bot and a user, opened if need be."""
        answer = self._driver.channels.create_direct_message_channel([self.me().id, user_id])
        return str(answer["id"])

    def create_post(
        self, channel_id: str, message: str, *, props: Mapping[str, Any] | None = None, key: str | None = None
    ) -> Post:
        """Post a message. With `key`, a repeat within the server's memory gives the same post (pending_post_id)."""
        body: dict[str, Any] = {"channel_id": channel_id, "message": message, "props": dict(props or {})}
        if key is not None:
            body["pending_post_id"] = f"{self.me().id}:{key}"
        return _post(self._driver.posts.create_post(body))

    def edit_post(self, post_id: str, message: str) -> Post:
        """Replace a post's message, its props stay."""
        return _post(self._driver.posts.patch_post(post_id, {"message": message}))

    # Files

    def file_info(self, file_id: str) -> FileInfo:
        """Name, size and post of a file."""
        info = self._driver.files.get_file_metadata(file_id)
        return FileInfo(
            id=str(info["id"]),
            post_id=str(info.get("post_id") or ""),
            name=str(info.get("name") or "recording"),
            size=int(info.get("size") or 0),
        )

    def read_file(self, file_id: str, *, limit: int = 16 * 1024 * 1024) -> bytes:
        """A small file as bytes.

        Raises:
            MattermostError: it is larger than `limit`.
        """
        with self._transport.send("GET", f"/files/{file_id}", stream=True) as response:
            data = b""
            for chunk in response.iter_content(CHUNK):
                data += chunk
                if len(data) > limit:
                    raise MattermostError(f"file {file_id} is larger than {limit} bytes; it is no transcript")
        return data

    def download(self, info: FileInfo, destination: Path, *, progress: Progress = no_progress) -> None:
        """Stream a file to disk, going on where an earlier try stopped.

        Bytes collect in `destination` + `.part`; the name becomes final only when the size is the announced one.

        Raises:
            MattermostError: the server refused, or broke off again and again.
            StorageError: the disk is full or the folder cannot be written.
        """
        part = destination.with_name(destination.name + ".part")
        try:
            destination.parent.mkdir(parents=True, exist_ok=True)
            for _attempt in range(8):
                have = part.stat().st_size if part.exists() else 0
                if info.size and have >= info.size:
                    break
                if self._download_rest(info, part, have, progress) and not info.size:
                    break
            if info.size and part.stat().st_size != info.size:
                wrong = part.stat().st_size
                part.unlink()
                raise MattermostError(f"file {info.id} came with {wrong} bytes instead of {info.size}; try again later")
            part.replace(destination)
        except OSError as error:
            raise StorageError(destination, error.strerror or str(error)) from error

    def _download_rest(self, info: FileInfo, part: Path, have: int, progress: Progress) -> bool:
        """Append what the server still has; False when the connection broke."""
        headers = {"Range": f"bytes={have}-"} if have else {}
        with self._transport.send("GET", f"/files/{info.id}", headers=headers, stream=True) as response:
            fresh = response.status_code != 206
            with part.open("wb" if fresh else "ab") as file:
                done = 0 if fresh else have
                try:
                    for chunk in response.iter_content(CHUNK):
                        file.write(chunk)
                        done += len(chunk)
                        progress(min(1.0, done / info.size) if info.size else 0.0)
                except requests.RequestException:
                    return False
        return True


def _user(data: Mapping[str, Any]) -> User:
    return User(
        id=str(data["id"]),
        username=str(data["username"]),
        first_name=str(data.get("first_name") or ""),
        last_name=str(data.get("last_name") or ""),
        nickname=str(data.get("nickname") or ""),
        position=str(data.get("position") or ""),
        locale=str(data.get("locale") or ""),
        delete_at=int(data.get("delete_at") or 0),
        is_bot=bool(data.get("is_bot")),
        is_guest="system_guest" in str(data.get("roles") or ""),
    )


def _channel(data: Mapping[str, Any]) -> Channel:
    return Channel(
        id=str(data["id"]),
        team_id=str(data.get("team_id") or ""),
        type=str(data.get("type") or ""),
        name=str(data.get("name") or ""),
        display_name=str(data.get("display_name") or ""),
        purpose=str(data.get("purpose") or ""),
        header=str(data.get("header") or ""),
        last_post_at=int(data.get("last_post_at") or 0),
    )


def _post(data: Mapping[str, Any]) -> Post:
    return Post(
        id=str(data["id"]),
        channel_id=str(data["channel_id"]),
        user_id=str(data.get("user_id") or ""),
        root_id=str(data.get("root_id") or ""),
        message=str(data.get("message") or ""),
        type=str(data.get("type") or ""),
        create_at=int(data.get("create_at") or 0),
        update_at=int(data.get("update_at") or 0),
        delete_at=int(data.get("delete_at") or 0),
        reactions=_reactions((data.get("metadata") or {}).get("reactions")),
        file_ids=tuple(str(f) for f in data.get("file_ids") or ()),
        props=dict(data.get("props") or {}),
    )


def _reactions(data: Any) -> tuple[Reaction, ...]:
    return tuple(
        Reaction(user_id=str(r["user_id"]), post_id=str(r["post_id"]), emoji_name=str(r["emoji_name"]))
        for r in data or ()
    )


def _posts(answer: Mapping[str, Any]) -> tuple[Post, ...]:
    # The order of a thread may name its root twice (seen on 5.37).
    posts = {post_id: _post(answer["posts"][post_id]) for post_id in answer["order"]}
    return tuple(sorted(posts.values(), key=lambda p: (p.create_at, p.id)))
