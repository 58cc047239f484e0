"""A Mattermost of a few channels, as far as briefs of incidents use one; every read of posts is counted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any

from meetings.errors import MattermostForbiddenError, MattermostNotFoundError
from meetings.mattermost.entities import Channel, Post, Team, User

START = 1_700_000_000_000
BOT = User(id="bot", username="meetings", is_bot=True)
PEOPLE = {
    "ana": User(id="ana", username="ana.ruiz", first_name="Ana", last_name="Ruiz", position="Backend Engineer"),
    "ben": User(id="ben", username="ben.okafor", first_name="Ben", last_name="Okafor", position="Support Specialist"),
    "eve": User(
        id="eve", username="eve.stone", first_name="Eve", last_name="Stone", position="Chief Executive Officer"
    ),
    "zoe": User(id="zoe", username="zoe.lang", first_name="Zoe", last_name="Lang", position="Product Manager"),
}


@dataclass
class IncidentServer:
    """`inc` is the incident's private channel (ana, ben, eve); `support` a public one (ana, ben, zoe)."""

    url: str = "http://chat.example"
    posts: list[Post] = field(default_factory=list)
    read: int = 0
    clock: int = START
    members: dict[str, set[str]] = field(
        default_factory=lambda: {
            "inc": {"ana", "ben", "eve", "bot"},
            "sup": {"ana", "ben", "zoe", "bot"},
            "oth": {"ana", "ben", "bot"},
            "sec": {"zoe"},
        }
    )
    channels: dict[str, Channel] = field(
        default_factory=lambda: {
            "inc": Channel(id="inc", team_id="t", type="P", name="incident-01", display_name="Incident 1"),
            "sup": Channel(id="sup", team_id="t", type="O", name="support"),
            "oth": Channel(id="oth", team_id="u", type="O", name="partners"),
            "sec": Channel(id="sec", team_id="t", type="P", name="secret"),
            "grp": Channel(id="grp", team_id="", type="G", name="group"),
        }
    )

    # What tests do

    def say(self, user: str, text: str, *, channel: str = "inc", minutes: int = 1, **more: Any) -> Post:
        self.clock += minutes * 60_000
        post = Post(
            id=f"p{len(self.posts)}",
            channel_id=channel,
            user_id=user,
            message=text,
            create_at=self.clock,
            update_at=self.clock,
            **more,
        )
        self.posts.append(post)
        return post

    def change(self, post: Post, **changed: Any) -> None:
        self.clock += 60_000
        at = next(i for i, p in enumerate(self.posts) if p.id == post.id)
        self.posts[at] = replace(self.posts[at], update_at=self.clock, **changed)

    def delete(self, post: Post) -> None:
        self.change(post, message="", delete_at=self.clock + 60_000)

    def seen_in(self, channel: str) -> list[str]:
        return [p.message for p in self.posts if p.channel_id == channel and p.user_id == "bot" and not p.delete_at]

    # What the client does

    def me(self) -> User:
        return BOT

    def user(self, user_id: str) -> User:
        return BOT if user_id == "bot" else PEOPLE[user_id]

    def users(self, ids: Iterable[str]) -> tuple[User, ...]:
        return tuple(self.user(i) for i in ids if i in PEOPLE or i == "bot")

    def my_teams(self) -> tuple[Team, ...]:
        return (Team(id="t", name="acme"), Team(id="u", name="partner"))

    def my_channels_everywhere(self) -> tuple[Channel, ...]:
        return tuple(c for c in self.channels.values() if "bot" in self.members.get(c.id, ()))

    def address_of(self, channel: Channel) -> str:
        return f"{ {'t': 'acme', 'u': 'partner'}.get(channel.team_id, '') }/{channel.name}"

    def channel(self, channel_id: str) -> Channel:
        if channel_id.startswith("dm-"):
            return Channel(id=channel_id, team_id="", type="D", name=channel_id)
        if channel_id not in self.channels:
            raise MattermostNotFoundError("no such channel", status=404)
        return self.channels[channel_id]

    def channel_member_ids(self, channel_id: str) -> tuple[str, ...]:
        return tuple(sorted(self.members[channel_id]))

    def is_channel_member(self, channel_id: str, user_id: str) -> bool:
        if "bot" not in self.members.get(channel_id, ()):
            raise MattermostForbiddenError("not yours", status=403)
        return user_id in self.members[channel_id]

    def direct_channel(self, user_id: str) -> str:
        return f"dm-{user_id}"

    def post(self, post_id: str) -> Post:
        return next(p for p in self.posts if p.id == post_id)

    def latest_posts(self, channel_id: str, limit: int) -> Iterator[Post]:
        found = [p for p in reversed(self.posts) if p.channel_id == channel_id and not p.delete_at]
        for post in islice(found, limit):
            self.read += 1
            yield post

    def posts_since(self, channel_id: str, since: int) -> tuple[Post, ...]:
        found = tuple(p for p in self.posts if p.channel_id == channel_id and p.update_at > since)
        self.read += len(found)
        return found

    def create_post(
        self, channel_id: str, message: str, *, props: Mapping[str, Any] | None = None, key: str | None = None
    ) -> Post:
        assert key
        return self.say("bot", message, channel=channel_id, props=dict(props or {}))

    def edit_post(self, post_id: str, message: str) -> Post:
        self.change(self.post(post_id), message=message)
        return self.post(post_id)
