"""Filling a real Mattermost server with the sample company, through its public REST API: one can try the product there.

Everything is looked up before it is made, so that a second run makes only what is missing, and what is there already
under one of the names but not from here is never touched: accounts are known by their e-mail address, bots by their
description, posts by a number in their props. Posts have the time of seeding: only a server's own admins may backdate
theirs, and the company's people are no admins.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from meetings.errors import MattermostAuthError, MattermostNotFoundError, SandboxError, StorageError
from meetings.mattermost.client import MattermostClient, Post
from meetings.sandbox.company import BotEntry, Company, PostEntry, ReplyEntry, UserEntry
from meetings.sandbox.credentials import BOT, CALLS_BOT, NAME, Credentials, load_credentials

# In the props of a seeded post: which of the company's it is.
SEED_PROP = "meetings_sample"
BOT_FILE = "bot-token"
LOOK_BACK = 5_000  # newest posts of a channel that are searched for seeded ones

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Seeded:
    """What a server has of the company now, and how much of it this run made: (made, of) by kind."""

    credentials: Credentials
    folder: Path
    counts: dict[str, tuple[int, int]]

    @property
    def token_file(self) -> Path:
        """Where the bot's token lies, alone in a file."""
        return self.folder / BOT_FILE


def seed_server(url: str, admin_token: str, company: Company, folder: Path, *, tell: Tell = lambda _: None) -> Seeded:
    """Make what a server lacks of the company.

    Args:
        url: the server.
        admin_token: a system admin's token.
        company: what it is filled with.
        folder: where the tokens of the company's accounts are kept, mode 0600; what it holds is used again.
        tell: told each step.

    Raises:
        SandboxError: the token is no admin's, or a name is taken by somebody else.
        MattermostError: the server refused or does not answer.
        StorageError: the folder cannot be written.
    """
    admin = MattermostClient(url, admin_token)
    if not admin.me().is_admin:
        raise SandboxError(f"{admin.url}: {admin.me().username} is no system admin; give a system admin's token")
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        folder.chmod(0o700)
        return _Seeding(admin, company, folder, tell).run()
    except OSError as error:
        raise StorageError(folder, error) from error


def folder_for(url: str, home: Path) -> Path:
    """Where a server's tokens are kept unless said otherwise."""
    parts = urlsplit(url if "://" in url else f"https://{url}")
    return home / "seeded" / f"{parts.hostname}{f'-{parts.port}' if parts.port else ''}"


@dataclass(slots=True)
class _Account:
    """One account of the company on the server; `client` acts as it."""

    id: str
    client: MattermostClient | None = None
    token: str = ""


@dataclass(slots=True)
class _Seeding:
    """One run."""

    admin: MattermostClient
    company: Company
    folder: Path
    tell: Tell
    counts: dict[str, tuple[int, int]] = field(default_factory=dict)
    accounts: dict[str, _Account] = field(default_factory=dict)
    # In the keys of this run's posts: a server refuses a key whose post was deleted a moment ago.
    run_id: str = field(default_factory=lambda: secrets.token_hex(8))

    def run(self) -> Seeded:
        """Make everything, in the order in which it depends on each other."""
        known = self._known()
        for entry in self.company.users:
            self._count("people", self._person(entry))
        for bot in self.company.bots:
            self._count("bots", self._bot(bot))
        team_id = self._team()
        channel_ids = self._channels(team_id)
        credentials = self._tokens(known)
        # Before the posts, which take longest: a run that is cut off leaves nobody without a token.
        credentials.save(self.folder)
        token_file = self.folder / BOT_FILE
        token_file.touch(mode=0o600)
        token_file.chmod(0o600)
        token_file.write_text(f"{credentials.bot_token}\n", encoding="utf-8")
        self._posts(channel_ids)
        return Seeded(credentials=credentials, folder=self.folder, counts=self.counts)

    def _count(self, kind: str, fresh: bool) -> None:
        made, total = self.counts.get(kind, (0, 0))
        self.counts[kind] = (made + fresh, total + 1)

    def _known(self) -> Credentials:
        """The tokens of an earlier run."""
        if not (self.folder / NAME).exists():
            return Credentials(url=self.admin.url)
        known = load_credentials(self.folder)
        if known.url != self.admin.url:
            raise SandboxError(f"{self.folder} holds the tokens of {known.url}; give another folder")
        return known

    # Accounts

    def _address(self, username: str) -> str:
        return f"{username}@{self.company.team.name}.example"

    def _person(self, entry: UserEntry) -> bool:
        address = self._address(entry.username)
        try:
            found = self.admin.call("GET", f"/users/username/{entry.username}")
        except MattermostNotFoundError:
            self.tell(f"account {entry.username}")
            found = self.admin.call(
                "POST",
                "/users",
                {
                    "username": entry.username,
                    "email": address,
                    "password": _password(),
                    "first_name": entry.first_name,
                    "last_name": entry.last_name,
                    "nickname": entry.nickname,
                    "position": entry.position,
                    "locale": entry.locale,
                    "timezone": {
                        "useAutomaticTimezone": "true",
                        "automaticTimezone": entry.timezone,
                        "manualTimezone": "",
                    },
                },
            )
            self.accounts[entry.username] = _Account(id=found["id"])
            return True
        if found.get("email") != address:
            raise SandboxError(
                f"{self.admin.url} has an account {entry.username} that is not the sample company's; use another server"
            )
        if found.get("delete_at"):
            self.admin.call("PUT", f"/users/{found['id']}/active", {"active": True})
        self.accounts[entry.username] = _Account(id=found["id"])
        return False

    def _bot(self, entry: BotEntry) -> bool:
        """Make a bot; a name that another's bot has (the Calls plugin's is `calls`) gets the team's before it."""
        for username in (entry.username, f"{self.company.team.name}-{entry.username}"):
            try:
                found = self.admin.user_by_username(username)
            except MattermostNotFoundError:
                self.tell(f"bot {username}")
                body = {
                    "username": username,
                    "display_name": entry.display_name,
                    "description": self._description(entry),
                }
                made = self.admin.call("POST", "/bots", body)
                self.accounts[entry.username] = _Account(id=made["user_id"])
                return True
            if found.is_bot and self.admin.call("GET", f"/bots/{found.id}")["description"] == self._description(entry):
                self.accounts[entry.username] = _Account(id=found.id)
                return False
        raise SandboxError(f"{self.admin.url} has other bots named {entry.username}; use another server")

    def _description(self, entry: BotEntry) -> str:
        return f"{entry.description or entry.display_name} (sample company {self.company.team.name})"

    def _tokens(self, known: Credentials) -> Credentials:
        users = {}
        for person in self.company.users:
            users[person.username] = self._sign_in(person.username, known.users.get(person.username))
        return Credentials(
            url=self.admin.url,
            team=self.company.team.name,
            bot_token=self._bot_token(BOT, known.bot_token),
            calls_token=self._bot_token(CALLS_BOT, known.calls_token),
            users=users,
        )

    def _sign_in(self, username: str, known: str | None) -> str:
        """A person's session: the known one while it works, else a new one, by a password that nobody keeps."""
        account = self.accounts[username]
        if not self._use(account, known):
            self.tell(f"session of {username}")
            password = _password()
            self.admin.call("PUT", f"/users/{account.id}/password", {"new_password": password})
            anybody = MattermostClient(self.admin.url, "")
            self._use(account, anybody.log_in(username, password))
        return account.token

    def _bot_token(self, name: str, known: str | None) -> str:
        account = self.accounts[name]
        if not self._use(account, known):
            self.tell(f"token of {name}")
            made = self.admin.call("POST", f"/users/{account.id}/tokens", {"description": "sample company"})
            self._use(account, made["token"])
        return account.token

    def _use(self, account: _Account, token: str | None) -> bool:
        """Act as an account by a token, if it is the account's and works."""
        if not token:
            return False
        client = MattermostClient(self.admin.url, token)
        try:
            if client.me().id != account.id:
                return False
        except MattermostAuthError:
            return False
        account.client, account.token = client, token
        return True

    def _as(self, username: str) -> MattermostClient:
        if self.accounts[username].client is None:
            self._bot_token(username, None)
        client = self.accounts[username].client
        assert client is not None
        return client

    # Places

    def _team(self) -> str:
        entry = self.company.team
        try:
            team = self.admin.call("GET", f"/teams/name/{entry.name}")
            self._count("teams", fresh=False)
        except MattermostNotFoundError:
            self.tell(f"team {entry.name}")
            body = {"name": entry.name, "display_name": entry.display_name, "type": "I"}
            team = self.admin.call("POST", "/teams", body)
            self._count("teams", fresh=True)
        for account in self.accounts.values():
            body = {"team_id": team["id"], "user_id": account.id}
            self.admin.call("POST", f"/teams/{team['id']}/members", body)
        return str(team["id"])

    def _channels(self, team_id: str) -> dict[str, str]:
        ids = {}
        for entry in self.company.channels:
            if entry.type == "D":
                pair = [self.accounts[username].id for username in entry.members]
                ids[entry.name] = str(self.admin.call("POST", "/channels/direct", pair)["id"])
                continue
            about = {"display_name": entry.display_name, "purpose": entry.purpose, "header": entry.header}
            try:
                found = self.admin.call("GET", f"/teams/{team_id}/channels/name/{entry.name}")
                fresh = False
            except MattermostNotFoundError:
                self.tell(f"channel {entry.name}")
                body = {"team_id": team_id, "name": entry.name, "type": entry.type, **about}
                found = self.admin.call("POST", "/channels", body)
                fresh = True
            ids[entry.name] = str(found["id"])
            if any(found.get(key) != value for key, value in about.items()):
                self.admin.call("PUT", f"/channels/{found['id']}/patch", about)
            there = set(self.admin.channel_member_ids(found["id"]))
            for username in entry.members:
                if (user_id := self.accounts[username].id) not in there:
                    self.admin.call("POST", f"/channels/{found['id']}/members", {"user_id": user_id})
            self._count("channels", fresh)
        return ids

    # What people said

    def _posts(self, channel_ids: dict[str, str]) -> None:
        there = {
            str(post.props[SEED_PROP]): post
            for channel_id in channel_ids.values()
            for post in self.admin.latest_posts(channel_id, LOOK_BACK)
            if SEED_PROP in post.props and not post.is_deleted
        }
        reacted = (
            {(r.post_id, r.user_id, r.emoji_name) for r in self.admin.reactions(p.id for p in there.values())}
            if there
            else set()
        )
        for number, entry in sorted(enumerate(self.company.posts), key=lambda e: _age(e[1])):
            channel_id = channel_ids[entry.channel]
            root = self._say(there, str(number), entry, channel_id, "", reacted)
            for reply_number, reply in enumerate(entry.replies):
                self._say(there, f"{number}.{reply_number}", reply, channel_id, root.id, reacted)

    def _say(
        self,
        there: dict[str, Post],
        number: str,
        entry: PostEntry | ReplyEntry,
        channel_id: str,
        root_id: str,
        reacted: set[tuple[str, str, str]],
    ) -> Post:
        post = there.get(number)
        self._count("posts", fresh=post is None)
        if post is None:
            self.tell(f"post {number} of {len(self.company.posts)}")
            post = self._as(entry.user).create_post(
                channel_id, entry.message, root_id=root_id, props={SEED_PROP: number}, key=f"{self.run_id}:{number}"
            )
        for emoji, usernames in entry.reactions.items():
            for username in usernames:
                fresh = (post.id, self.accounts[username].id, emoji) not in reacted
                if fresh:
                    self._as(username).react(post.id, emoji)
                self._count("reactions", fresh)
        return post


def _age(entry: PostEntry) -> tuple[int, str]:
    """Sorts posts by their time, oldest first: `-12d 09:30`."""
    day, time = entry.at.split()
    return int(day.removesuffix("d")), time


def _password() -> str:
    """One that every policy takes: capitals, small letters, digits and signs."""
    return f"Aa1!{secrets.token_urlsafe(18)}"


def as_json(seeded: Seeded) -> dict[str, Any]:
    """What to tell a program: no token in it."""
    return {
        "url": seeded.credentials.url,
        "team": seeded.credentials.team,
        "folder": str(seeded.folder),
        "bot_token_file": str(seeded.token_file),
        "made": {kind: made for kind, (made, _) in seeded.counts.items()},
        "there": {kind: total for kind, (_, total) in seeded.counts.items()},
    }
