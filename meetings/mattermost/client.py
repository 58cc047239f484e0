"""The part of Mattermost that this program uses, as typed calls.

Everything goes through mattermostdriver over our `Transport`; what comes back are frozen dataclasses with the fields
we need. Downloads are streamed to disk and resume by Range, since the driver would read whole files into memory.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from mattermostdriver import Driver

from meetings.config import Settings
from meetings.errors import ConfigError, MattermostNotFoundError
from meetings.mattermost.address import read_address
from meetings.mattermost.download import download, read_part
from meetings.mattermost.entities import (
    ID_PATTERN,
    Channel,
    FileInfo,
    Member,
    Post,
    Reaction,
    Team,
    User,
    activity_of,
    channel_of,
    file_of,
    id_of,
    listed_of,
    many_of,
    member_of,
    post_of,
    posts_of,
    reaction_of,
    reactions_of,
    status_of,
    team_of,
    user_of,
    viewed_of,
)
from meetings.mattermost.transport import Transport
from meetings.progress import Progress, no_progress

# The server cuts per_page at 200 without a word (seen on 5.37).
PAGE = 200
MAX_MESSAGE = 16_383  # characters in one post (model.PostMessageMaxRunesV2)

# Posts that one `since` gives at most; which ones, of more, the server does not say (store.GetPostsSince).
MAX_SINCE = 1_000

__all__ = [
    "ID_PATTERN",
    "MAX_MESSAGE",
    "MAX_SINCE",
    "PAGE",
    "Channel",
    "FileInfo",
    "MattermostClient",
    "Post",
    "Reaction",
    "Team",
    "User",
]


class MattermostClient:
    """A bot's view of one server.

    Args:
        url: the site's address, `https://chat.example.org` or with a port and path.
        token: the bot's access token.

    Raises:
        ConfigError: the address or the token is not one.
    """

    def __init__(self, url: str, token: str) -> None:
        self.url, way = read_address(url)
        if not all("!" <= c <= "~" for c in token):
            raise ConfigError("the Mattermost token has spaces or other characters that no token has; copy it again")
        self._driver = Driver(way, client_cls=Transport)
        self._driver.client.token = token
        self._me: User | None = None
        self._teams: dict[str, str] = {}  # names by id

    @classmethod
    def of(cls, settings: Settings) -> MattermostClient | None:
        """The bot of these settings; None where no Mattermost is configured."""
        if settings.mattermost_url is None or settings.mattermost_token is None:
            return None
        return cls(settings.mattermost_url, settings.mattermost_token.get_secret_value())

    @classmethod
    def required(cls, settings: Settings, why: str = "no Mattermost is configured") -> MattermostClient:
        """The bot of these settings.

        Raises:
            ConfigError: none is configured; it begins with `why`.
        """
        client = cls.of(settings)
        if client is None:
            raise ConfigError(f"{why}; set MATTERMOST_URL and MATTERMOST_TOKEN")
        return client

    @property
    def token(self) -> str:
        """The bot's token, for its socket."""
        return str(self._driver.client.token)

    def __repr__(self) -> str:
        return f"MattermostClient({self.url!r})"

    @property
    def _transport(self) -> Transport:
        transport = self._driver.client
        assert isinstance(transport, Transport)
        return transport

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """A request below /api/v4 that has no method of its own here, under the same policies; the answer's JSON."""
        return self._transport.send(method, path, json=body).json()

    def log_in(self, login_id: str, password: str) -> str:
        """A session's token for a name and its password."""
        body = {"login_id": login_id, "password": password}
        return self._transport.send("POST", "/users/login", json=body).headers.get("Token", "")

    @property
    def requests(self) -> int:
        """How many requests were sent so far, repeated ones counted each time."""
        return self._transport.sent

    # The server and the bot itself

    def ping(self) -> str:
        """The server's version, from the header that every answer carries."""
        answer = self._transport.send("GET", "/system/ping")
        return ".".join(answer.headers.get("X-Version-Id", "").split(".")[:3])

    def me(self) -> User:
        """The bot."""
        if self._me is None:
            self._me = user_of(self._driver.users.get_user("me"))
        return self._me

    def my_teams(self) -> tuple[Team, ...]:
        """Teams the bot is in."""
        found = self._driver.teams.get_user_teams("me")
        return many_of(team_of, found)

    def my_channels(self, team_id: str) -> tuple[Channel, ...]:
        """Channels of a team that the bot is in, direct ones among them."""
        return many_of(channel_of, self._driver.channels.get_channels_for_user("me", team_id))

    def my_channels_everywhere(self) -> tuple[Channel, ...]:
        """Channels of all teams that the bot is in, direct ones among them, each once."""
        return tuple({c.id: c for team in self.my_teams() for c in self.my_channels(team.id)}.values())

    # Users and channels

    def address_of(self, channel: Channel) -> str:
        """`TEAM/CHANNEL`, as settings name it; without a team for one that the bot is not in."""
        if channel.team_id and channel.team_id not in self._teams:
            self._teams = {team.id: team.name for team in self.my_teams()}
        return f"{self._teams.get(channel.team_id, '')}/{channel.name}"

    def user(self, user_id: str) -> User:
        """One account by id."""
        return user_of(self._driver.users.get_user(user_id))

    def user_by_username(self, username: str) -> User:
        """One account by username."""
        return user_of(self._driver.users.get_user_by_username(username))

    def users(self, user_ids: Iterable[str]) -> tuple[User, ...]:
        """Accounts by id, unknown ids left out."""
        wanted = list(dict.fromkeys(user_ids))
        found: list[User] = []
        for start in range(0, len(wanted), PAGE):
            found += many_of(user_of, self._driver.users.get_users_by_ids(wanted[start : start + PAGE]))
        return tuple(found)

    def status(self, user_id: str) -> str:
        """What somebody shows: online, away, dnd or offline."""
        return status_of(self._driver.status.get_user_status(user_id))

    def last_activities(self, user_ids: Iterable[str]) -> dict[str, int]:
        """When each was last seen to do something, milliseconds since the epoch; 0 where the server does not know."""
        wanted = list(dict.fromkeys(user_ids))
        found: dict[str, int] = {}
        for start in range(0, len(wanted), PAGE):
            answer = self._driver.status.get_user_statuses_by_id(wanted[start : start + PAGE])
            found |= dict(many_of(activity_of, answer))
        return found

    def channel(self, channel_id: str) -> Channel:
        """One channel by id."""
        return channel_of(self._driver.channels.get_channel(channel_id))

    def channel_by_name(self, team: str, channel: str) -> Channel:
        """One channel by team and channel name."""
        return channel_of(self._driver.channels.get_channel_by_name_and_team_name(team, channel))

    def channel_members(self, channel_id: str) -> tuple[Member, ...]:
        """All memberships of a channel."""
        members: list[Member] = []
        for page in range(10_000):
            answer = self._driver.channels.get_channel_members(channel_id, params={"page": page, "per_page": PAGE})
            found = many_of(member_of, answer)
            members += found
            if len(found) < PAGE:
                break
        return tuple(members)

    def channel_member_ids(self, channel_id: str) -> tuple[str, ...]:
        """User ids of all members."""
        return tuple(m.user_id for m in self.channel_members(channel_id))

    def is_channel_member(self, channel_id: str, user_id: str) -> bool:
        """Whether somebody is in a channel now; False when the channel is gone."""
        try:
            self._driver.channels.get_channel_member(channel_id, user_id)
        except MattermostNotFoundError:
            return False
        return True

    def last_viewed(self, channel_id: str, user_id: str) -> int:
        """When a member last looked at a channel, milliseconds since the epoch; 0 where the server does not tell."""
        return viewed_of(self._driver.channels.get_channel_member(channel_id, user_id))

    def my_direct_channels(self) -> tuple[Channel, ...]:
        """The bot's direct (D) and group (G) channels; a bot in no team is told of none."""
        return tuple(c for c in self.my_channels_everywhere() if c.type in {"D", "G"})

    def direct_channel(self, user_id: str) -> str:
        """The id of the direct channel between the bot and a user, opened if need be."""
        answer = self._driver.channels.create_direct_message_channel([self.me().id, user_id])
        return id_of(answer)

    # Posts

    def post(self, post_id: str) -> Post:
        """One post by id."""
        return post_of(self._driver.posts.get_post(post_id))

    def thread(self, post_id: str) -> tuple[Post, ...]:
        """A post's thread, in order of time."""
        answer = self._driver.posts.get_thread(post_id)
        found = posts_of(answer)
        # 5.37 gives whole threads; newer servers may cut them (has_next) and then are asked for the rest.
        while found and answer.get("has_next"):
            last = found[-1]
            after = {"perPage": PAGE, "direction": "down", "fromPost": last.id, "fromCreateAt": last.create_at}
            answer = self._transport.send("GET", f"/posts/{post_id}/thread", params=after).json()
            more = {p.id: p for p in (*found, *posts_of(answer))}
            if len(more) == len(found):
                break
            found = tuple(sorted(more.values(), key=lambda p: (p.create_at, p.id)))
        return found

    def latest_posts(self, channel_id: str, limit: int) -> Iterator[Post]:
        """Posts of a channel, newest first, at most `limit`; what is written meanwhile is left out."""
        return islice(self._newest_first(channel_id), limit)

    def posts_since(self, channel_id: str, since: int) -> tuple[Post, ...]:
        """What changed in a channel after a time, in order of writing: new, edited, reacted to and deleted posts.

        The server gives at most `MAX_SINCE` of them and does not say which. When that many come, the channel is read
        page by page back to `since` as well: then every post written after it is there, but of older posts that were
        edited, and of deleted ones, some may be missing.

        Args:
            channel_id: the channel.
            since: milliseconds since the epoch; what changed at this very moment is left out.
        """
        answer = self._driver.posts.get_posts_for_channel(channel_id, params={"since": max(1, since)})
        # Roots of changed replies come along: they count only if they changed too.
        found = {p.id: p for p in posts_of(answer) if p.update_at > since}
        if len(answer["order"] or ()) >= MAX_SINCE:
            for post in self._newest_first(channel_id):
                if post.create_at <= since:
                    break
                found[post.id] = post
        return tuple(sorted(found.values(), key=lambda p: (p.create_at, p.id)))

    def _newest_first(self, channel_id: str) -> Iterator[Post]:
        """All posts of a channel. Pages hang on a post, not on a number: what comes or goes meanwhile shifts none."""
        before = ""
        seen: set[str] = set()
        while True:
            params = {"per_page": PAGE, **({"before": before} if before else {"page": 0})}
            answer = self._driver.posts.get_posts_for_channel(channel_id, params=params)
            posts = listed_of(answer)
            yield from (p for p in posts if p.id not in seen)
            seen = {p.id for p in posts}
            if len(posts) < PAGE:
                return
            # Posts of the same millisecond may be cut apart, and `before` skips that millisecond: ask from one newer.
            newer = [p.id for p in posts if p.create_at > posts[-1].create_at]
            before = newer[-1] if newer else posts[-1].id

    def reactions(self, post_ids: Iterable[str]) -> tuple[Reaction, ...]:
        """Reactions to several posts at once; all must be in channels of the bot."""
        wanted = list(dict.fromkeys(post_ids))
        found: list[Reaction] = []
        for start in range(0, len(wanted), PAGE):
            answer = self._transport.send("POST", "/posts/ids/reactions", json=wanted[start : start + PAGE]).json()
            found += reactions_of(answer)
        return tuple(found)

    def reactions_to(self, post_id: str) -> tuple[Reaction, ...]:
        """Reactions to one post."""
        # Not by the driver: it asks for /posts/ID//reactions.
        answer = self._transport.send("GET", f"/posts/{post_id}/reactions").json()
        return many_of(reaction_of, answer)

    def react(self, post_id: str, emoji_name: str) -> None:
        """Put an emoji on a post; the same one again changes nothing."""
        body = {"user_id": self.me().id, "post_id": post_id, "emoji_name": emoji_name}
        self._driver.reactions.create_reaction(body)

    def create_post(
        self,
        channel_id: str,
        message: str,
        *,
        root_id: str = "",
        props: Mapping[str, Any] | None = None,
        key: str | None = None,
    ) -> Post:
        """Post a message, or a reply to `root_id`.

        With `key`, a repeat within the server's memory gives the same post (pending_post_id).
        """
        body: dict[str, Any] = {"channel_id": channel_id, "message": message, "props": dict(props or {})}
        if root_id:
            body["root_id"] = root_id
        if key is not None:
            body["pending_post_id"] = f"{self.me().id}:{key}"
        return post_of(self._driver.posts.create_post(body))

    def edit_post(self, post_id: str, message: str, *, props: Mapping[str, Any] | None = None) -> Post:
        """Replace a post's message; its props stay, those given are put over them."""
        changes: dict[str, Any] = {"message": message}
        if props is not None:
            # The server replaces all props by those it is given.
            changes["props"] = {**self.post(post_id).props, **props}
        return post_of(self._driver.posts.patch_post(post_id, changes))

    def delete_post(self, post_id: str) -> None:
        """Delete a post of the bot."""
        self._driver.posts.delete_post(post_id)

    # Files

    def file_info(self, file_id: str) -> FileInfo:
        """Name, size and post of a file."""
        return file_of(self._driver.files.get_file_metadata(file_id))

    def read_file(self, file_id: str, *, limit: int = 16 * 1024 * 1024) -> bytes:
        """A small file as bytes.

        Raises:
            MattermostError: it is larger than `limit`.
        """
        return self._transport.send("GET", f"/files/{file_id}", limit=limit, raw=True).body

    def file_part(self, file_id: str, start: int, end: int, *, patience: float = 60.0) -> bytes:
        """Bytes `start` to `end` (the last one included) of a file, held in memory.

        Raises:
            MattermostError: the server refused, broke off, or took longer than `patience` (seconds).
        """
        return read_part(self._transport, file_id, start, end, patience=patience)

    def download(
        self, info: FileInfo, destination: Path, *, sha256: str | None = None, progress: Progress = no_progress
    ) -> str:
        """Stream a file to disk, going on where an earlier try stopped, in this process or another.

        Args:
            info: the file, as the server announced it.
            destination: where it goes; the name becomes final only when the size is the announced one.
            sha256: the hash that the file is known to have.
            progress: told the share that is done.

        Returns:
            The file's SHA-256.

        Raises:
            MattermostFileChangedError: it is not the file that was announced, or not the known one.
            MattermostError: the server refused, or broke off again and again.
            StorageError: the disk is full or the folder cannot be written; what came is kept.
        """
        return download(self._transport, info, destination, sha256=sha256, progress=progress)
