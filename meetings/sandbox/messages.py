"""What the bot wrote to each person, read over REST with their own tokens."""

from __future__ import annotations

from dataclasses import dataclass

from meetings.errors import SandboxError
from meetings.sandbox.credentials import BOT, Credentials
from meetings.sandbox.rest import Rest

PAGE = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectMessage:
    """One message of the bot. `at` in milliseconds since the epoch."""

    username: str
    name: str
    position: str
    message: str
    at: int
    post_id: str
    permalink: str


def read_direct_messages(credentials: Credentials, *, person: str | None = None) -> list[DirectMessage]:
    """The bot's newest messages (at most 200) to each person, or to one; people by username, oldest message first.

    Raises:
        SandboxError: there is no such person, or nothing answers.
    """
    if person is not None and person not in credentials.users:
        raise SandboxError(f"the sandbox has no user {person!r}; known: {', '.join(sorted(credentials.users))}")
    chosen = [person] if person is not None else sorted(credentials.users)
    return [message for username in chosen for message in _to(credentials, username)]


def _to(credentials: Credentials, username: str) -> list[DirectMessage]:
    with Rest(credentials.url, credentials.users[username]) as rest:
        user, bot = rest.get("/users/me"), rest.get(f"/users/username/{BOT}", missing=f"bot {BOT!r}")
        direct = "__".join(sorted((user["id"], bot["id"])))
        team = rest.get(f"/teams/name/{credentials.team}")
        channels = rest.get(f"/users/me/teams/{team['id']}/channels")
        channel = next((c for c in channels if c["name"] == direct), None)
        if channel is None:
            return []
        posts = rest.get(f"/channels/{channel['id']}/posts?per_page={PAGE}")
    return [
        DirectMessage(
            username=username,
            name=f"{user['first_name']} {user['last_name']}".strip(),
            position=user["position"],
            message=post["message"],
            at=post["create_at"],
            post_id=post["id"],
            permalink=f"{credentials.url}/{credentials.team}/pl/{post['id']}",
        )
        for post in (posts["posts"][i] for i in reversed(posts["order"]))
        if post["user_id"] == bot["id"]
    ]
