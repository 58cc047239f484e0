"""A server of a few channels for tests of what acts by itself: its clock is the test's, all lies in memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import count
from typing import Any, cast

from meetings.errors import MattermostNotFoundError
from meetings.mattermost.client import MattermostClient
from meetings.mattermost.entities import Channel, Member, Post, Reaction, User

MINUTE, HOUR, DAY = 60_000, 3_600_000, 24 * 3_600_000
# A Tuesday, 10:00 in UTC.
NOW = 1_795_514_400_000


def id_of(name: str) -> str:
    """A user's id by their name; 26 letters, as the server has them."""
    return name.ljust(26, "0")


class ChatServer:
    """A bot `meetings`, and whatever a test adds. Times are milliseconds since the epoch."""

    url = "https://chat.example.org"

    def __init__(self) -> None:
        self.now = NOW
        self.accounts: dict[str, User] = {}
        self.places: dict[str, Channel] = {}
        self.members: dict[str, dict[str, int]] = {}  # when who last looked, by channel
        self.posts: list[Post] = []
        self.active: dict[str, int] = {}
        self.requests = 0
        self.dies: list[str] = []  # `before` or `after`: the process ends there when it next posts
        self._numbers = count(1)
        self.add_user("meetings", is_bot=True)

    @property
    def client(self) -> MattermostClient:
        """As what is tested takes it."""
        return cast(MattermostClient, self)

    # What a test does

    def add_user(self, name: str, **more: Any) -> User:
        user = User(**{"id": id_of(name), "username": name, "first_name": name.title(), "timezone": "UTC", **more})
        self.accounts[user.id] = user
        return user

    def add_channel(self, name: str, *members: str, **more: Any) -> Channel:
        made = {"id": name, "team_id": "t", "type": "O", "name": name, "display_name": name.title(), **more}
        self.places[name] = Channel(**made)
        self.members[name] = {id_of(m): 0 for m in (*members, "meetings")}
        return self.places[name]

    def write(self, channel: str, by: str, text: str, *, at: int | None = None, root: str = "", **more: Any) -> Post:
        moment = self.now if at is None else at
        fields = {"id": f"post{next(self._numbers):022}", "channel_id": channel, "user_id": id_of(by), "message": text}
        post = Post(**{**fields, "root_id": root, "create_at": moment, "update_at": moment, **more})
        self.posts.append(post)
        return post

    def join(self, channel: str, name: str, *, at: int | None = None, by: str = "") -> Post:
        self.members[channel][id_of(name)] = self.now
        kind = "system_add_to_channel" if by else "system_join_channel"
        props = {"addedUserId": id_of(name)} if by else {}
        return self.write(channel, by or name, f"{name} joined", at=at, type=kind, props=props)

    def direct_to(self, name: str) -> list[Post]:
        """What the bot wrote to somebody, oldest first."""
        return [p for p in self.posts if p.channel_id == f"dm-{id_of(name)}" and p.user_id == self.me().id]

    # What the client does

    def me(self) -> User:
        return self.accounts[id_of("meetings")]

    def user(self, user_id: str) -> User:
        if user_id not in self.accounts:
            raise MattermostNotFoundError("no such user", status=404)
        return self.accounts[user_id]

    def user_by_username(self, username: str) -> User:
        return self.user(id_of(username))

    def users(self, user_ids: Iterable[str]) -> tuple[User, ...]:
        return tuple(self.accounts[i] for i in dict.fromkeys(user_ids) if i in self.accounts)

    def my_channels_everywhere(self) -> tuple[Channel, ...]:
        return tuple(self.channel(i) for i, members in self.members.items() if self.me().id in members)

    def channel(self, channel_id: str) -> Channel:
        last = max((p.create_at for p in self.posts if p.channel_id == channel_id), default=0)
        return replace(self.places[channel_id], last_post_at=last)

    def address_of(self, channel: Channel) -> str:
        return f"acme/{channel.name}"

    def channel_members(self, channel_id: str) -> tuple[Member, ...]:
        return tuple(Member(user_id=u, viewed_at=at) for u, at in self.members[channel_id].items())

    def channel_member_ids(self, channel_id: str) -> tuple[str, ...]:
        return tuple(self.members[channel_id])

    def is_channel_member(self, channel_id: str, user_id: str) -> bool:
        return user_id in self.members[channel_id]

    def last_viewed(self, channel_id: str, user_id: str) -> int:
        if user_id not in self.members[channel_id]:
            raise MattermostNotFoundError("no such member", status=404)
        return self.members[channel_id][user_id]

    def last_activities(self, user_ids: Iterable[str]) -> dict[str, int]:
        return {i: self.active.get(i, 0) for i in user_ids}

    def direct_channel(self, user_id: str) -> str:
        name = f"dm-{user_id}"
        if name not in self.places:
            self.places[name] = Channel(id=name, team_id="", type="D", name=f"{self.me().id}__{user_id}")
            self.members[name] = {user_id: 0, self.me().id: 0}
        return name

    def latest_posts(self, channel_id: str, limit: int) -> Iterator[Post]:
        found = [p for p in self.posts if p.channel_id == channel_id]
        yield from sorted(found, key=lambda p: (-p.create_at, p.id))[:limit]

    def posts_since(self, channel_id: str, since: int) -> tuple[Post, ...]:
        return tuple(p for p in self.posts if p.channel_id == channel_id and p.update_at > since)

    def post(self, post_id: str) -> Post:
        for post in self.posts:
            if post.id == post_id:
                return post
        raise MattermostNotFoundError("no such post", status=404)

    def reactions(self, _post_ids: Iterable[str]) -> tuple[Reaction, ...]:
        return ()

    def create_post(
        self, channel_id: str, message: str, *, root_id: str = "", props: Mapping[str, Any] | None = None, key: str = ""
    ) -> Post:
        del key
        if self.dies and self.dies[0] == "before":
            raise SystemExit(self.dies.pop())
        post = self.write(channel_id, "meetings", message, root=root_id, props=dict(props or {}))
        if self.dies:
            raise SystemExit(self.dies.pop())
        return post
