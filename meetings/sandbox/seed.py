"""Filling a new sandbox with its company, as if its weeks had passed.

Everything is done by the same code that serves the REST calls, in order of time, with the clock set to each moment:
counts, threads, mentions and hashtags come out as they would have. With a fixed anchor the ids are the same in every
run, so that permalinks are; tokens never are.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from meetings.errors import SandboxError
from meetings.sandbox import channels, posts, teams, users
from meetings.sandbox.company import Company, PostEntry, ReplyEntry
from meetings.sandbox.credentials import BOT, CALLS_BOT, Credentials
from meetings.sandbox.ids import Clock, derived_id
from meetings.sandbox.model import Channel, User
from meetings.sandbox.world import Change, World

ADMIN = "sysadmin"
# How long before the anchor the company was founded, and at least before its first post; a reaction's delay.
AGE = timedelta(days=90)
BEFORE_POSTS = timedelta(days=7)
REACTION_DELAY = timedelta(minutes=3)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Step:
    """Something that happened; `kind` orders what happened at once (post, reply, reaction)."""

    at: datetime
    kind: int
    act: Callable[[], None]


def seed(world: World, company: Company | None, *, anchor: datetime | None) -> Credentials:
    """Fill an empty world, or leave it empty but for a note that it is.

    Args:
        world: the world; must not be seeded yet.
        company: what to fill it with; None: nothing, the first account made by REST is the admin.
        anchor: the moment that days count back from, aware; None: now, and random ids.

    Returns:
        The tokens of everybody, which are written to the folder and kept nowhere else.
    """
    moment = anchor or datetime.now(UTC)
    clock, make_id = world.clock, world.new_id
    try:
        with world.change() as tx:
            tx.remember(
                "seeded", json.dumps({"anchor": anchor.isoformat() if anchor else None, "empty": company is None})
            )
            if company is None:
                tokens = Credentials(url=world.url)
            else:
                if anchor is not None:
                    counter = iter(range(10**9))
                    world.new_id = lambda: derived_id(moment.isoformat(), str(next(counter)))
                tokens = _Seeding(tx, company, moment).run()
            # Written before the change is kept: a sandbox that is killed here has no data without tokens to it.
            tokens.save(world.folder)
        return tokens
    finally:
        world.new_id = make_id
        # With an anchor in the future what comes next is later still.
        world.clock = Clock(last=max(clock.last, world.clock.last), source=clock.source)


def check_seeded(world: World, *, anchor: datetime | None, empty: bool) -> bool:
    """Whether a world has its data already.

    Raises:
        SandboxError: it has other data than what is asked for.
    """
    with world.change() as tx:
        known = tx.fact("seeded")
    if known is None:
        return False
    was = json.loads(known)
    if empty != was["empty"] and empty:
        raise SandboxError(f"{world.folder} already holds a company; for an empty one run: meetings sandbox reset")
    if anchor is not None and was["anchor"] != anchor.isoformat():
        raise SandboxError(
            f"{world.folder} was set up for {was['anchor'] or 'another moment'}; "
            "to set it up anew run: meetings sandbox reset"
        )
    return True


class _Seeding:
    """One company being written."""

    def __init__(self, tx: Change, company: Company, anchor: datetime) -> None:
        self.tx = tx
        self.company = company
        self.anchor = anchor
        self.users: dict[str, User] = {}
        self.channels: dict[str, Channel] = {}
        self._real_clock = tx.world.clock

    def run(self) -> Credentials:
        """Write everything."""
        oldest = min((post.moment(self.anchor) for post in self.company.posts), default=self.anchor)
        self._set_clock(min(self.anchor - AGE, oldest - BEFORE_POSTS))
        self._accounts()
        self._places()
        steps = [step for post in self.company.posts for step in self._steps(post)]
        for step in sorted(steps, key=lambda s: (s.at, s.kind)):
            self._set_clock(step.at)
            step.act()
            # Nobody listens yet.
            self.tx.events.clear()
        self._set_clock(self.anchor)
        for channel in self.channels.values():
            # Everybody is up to date: only what comes now is unread.
            for member in channels.members(self.tx, channel.id):
                channels.mark_viewed(self.tx, channel.id, member.user_id)
        self.tx.events.clear()
        tokens = {name: users.new_token(self.tx, user, description="sandbox")[1] for name, user in self.users.items()}
        return Credentials(
            url=self.tx.world.url,
            team=self.company.team.name,
            bot_token=tokens[BOT],
            calls_token=tokens[CALLS_BOT],
            admin_token=tokens[ADMIN],
            users={u.username: tokens[u.username] for u in self.company.users},
        )

    def _set_clock(self, moment: datetime) -> None:
        # Two posts of one minute keep their order: no time is given twice.
        time = _milliseconds(moment)
        self.tx.world.clock = Clock(last=self._last, source=lambda: time)

    @property
    def _last(self) -> int:
        clock = self.tx.world.clock
        return clock.last if clock is not self._real_clock else 0

    def _accounts(self) -> None:
        tx = self.tx
        admin = users.create(
            tx,
            users.Profile(
                username=ADMIN,
                email=f"{ADMIN}@{self.company.team.name}.example",
                first_name="Sandbox",
                last_name="Admin",
                position="Runs this sandbox",
            ),
            password=None,
            roles="system_admin system_user",
        )
        self.users[ADMIN] = admin
        for entry in self.company.users:
            self.users[entry.username] = users.create(
                tx,
                users.Profile(
                    username=entry.username,
                    email=f"{entry.username}@{self.company.team.name}.example",
                    first_name=entry.first_name,
                    last_name=entry.last_name,
                    nickname=entry.nickname,
                    position=entry.position,
                    locale=entry.locale,
                    timezone={"automaticTimezone": entry.timezone},
                ),
                password=None,
                roles="system_user",
            )
        for bot in self.company.bots:
            self.users[bot.username] = users.create_bot(
                tx,
                admin,
                username=bot.username,
                display_name=bot.display_name,
                description=bot.description,
                # The Calls plugin works inside the server: it may post into, and edit in, every channel.
                roles="system_admin system_user" if bot.username == CALLS_BOT else "system_user",
            )

    def _places(self) -> None:
        tx, entry = self.tx, self.company.team
        admin = self.users[ADMIN]
        team = teams.create(tx, admin, name=entry.name, display_name=entry.display_name, announce=False)
        for user in self.users.values():
            teams.join(tx, team, user, by=admin, announce=False)
        for place in self.company.channels:
            if place.type == "D":
                one, other = (self.users[name] for name in place.members)
                self.channels[place.name] = channels.direct(tx, one, other, creator=one)
                continue
            channel = channels.by_name(tx, team.id, place.name)
            if channel is None:
                creator = self.users[place.members[0]] if place.members else admin
                channel = channels.create(
                    tx,
                    creator,
                    team,
                    name=place.name,
                    display_name=place.display_name,
                    kind=place.type,
                    announce=False,
                )
            channels.describe(tx, channel, display_name=place.display_name, purpose=place.purpose, header=place.header)
            for username in place.members:
                channels.join(tx, channel, self.users[username], by=admin, announce=False)
            self.channels[place.name] = channel

    def _steps(self, entry: PostEntry) -> list[_Step]:
        """A post, its replies and all reactions, each at its moment; nothing is later than the anchor."""
        written: dict[int, str] = {}
        at = entry.moment(self.anchor)
        steps = [self._post(at, 0, entry, entry, written)]
        for number, reply in enumerate(entry.replies, start=1):
            steps.append(self._post(min(at + reply.delay, self.anchor), number, reply, entry, written))
        said: list[PostEntry | ReplyEntry] = [entry, *entry.replies]
        for number, one in enumerate(said):
            time = min(steps[number].at + REACTION_DELAY, self.anchor)
            for emoji, usernames in one.reactions.items():
                steps += [
                    _Step(at=time, kind=2, act=self._reaction(number, username, emoji, written))
                    for username in usernames
                ]
        return steps

    def _post(
        self, at: datetime, number: int, one: PostEntry | ReplyEntry, entry: PostEntry, written: dict[int, str]
    ) -> _Step:
        def act() -> None:
            draft = posts.Draft(
                channel_id=self.channels[entry.channel].id, message=one.message, root_id=written.get(0, "")
            )
            written[number] = posts.create(self.tx, self.users[one.user], draft)["id"]

        return _Step(at=at, kind=min(number, 1), act=act)

    def _reaction(self, number: int, username: str, emoji: str, written: dict[int, str]) -> Callable[[], None]:
        def act() -> None:
            post = posts.by_id(self.tx, written[number])
            assert post is not None
            posts.react(self.tx, self.users[username], post, emoji)

        return act


def _milliseconds(moment: datetime) -> int:
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
