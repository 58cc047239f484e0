"""The company that a sandbox starts with: what `company.yml` may say, checked before anything is written.

Many posts lie in a file of their own beside it, a thread a line (`posts: posts.jsonl`).
Unknown keys, people who are not there and authors outside their channel are refused by name.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from meetings.errors import SandboxError
from meetings.sandbox.credentials import BOT, CALLS_BOT

_AT = re.compile(r"^-([0-9]{1,3})d ([01][0-9]|2[0-3]):([0-5][0-9])$")
_AFTER = re.compile(r"^([0-9]{1,4})([mhd])$")

Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")]
Emoji = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_+-]{1,64}$")]
Message = Annotated[str, StringConstraints(min_length=1, max_length=16_383)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class TeamEntry(_Strict):
    """The team everybody is in."""

    name: Name
    display_name: str


class UserEntry(_Strict):
    """A person."""

    username: Name
    first_name: str
    last_name: str
    nickname: str = ""
    position: str
    locale: str = "en"
    timezone: str = "UTC"


class BotEntry(_Strict):
    """A bot account."""

    username: Name
    display_name: str
    description: str = ""


class ChannelEntry(_Strict):
    """A channel and who is in it; a direct one (D) has two members, and is called what the file likes."""

    name: Name
    display_name: str
    type: Literal["O", "P", "D"]
    purpose: str = ""
    header: str = ""
    members: list[Name]


class ReplyEntry(_Strict):
    """A reply; `after` its thread's first post: minutes, hours or days (12m, 2h, 1d)."""

    user: Name
    after: Annotated[str, StringConstraints(pattern=_AFTER.pattern)]
    message: Message
    reactions: dict[Emoji, list[Name]] = Field(default_factory=dict)

    @property
    def delay(self) -> timedelta:
        """Time since the thread's first post."""
        match = _AFTER.fullmatch(self.after)
        assert match is not None
        unit = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}[match.group(2)]
        return int(match.group(1)) * unit


class PostEntry(_Strict):
    """A post; `at` is a day before the anchor and a time of that day in UTC ("-12d 09:30")."""

    channel: Name
    user: Name
    at: Annotated[str, StringConstraints(pattern=_AT.pattern)]
    message: Message
    reactions: dict[Emoji, list[Name]] = Field(default_factory=dict)
    replies: list[ReplyEntry] = Field(default_factory=list)

    def moment(self, anchor: datetime) -> datetime:
        """When it was written."""
        match = _AT.fullmatch(self.at)
        assert match is not None
        days, hour, minute = (int(group) for group in match.groups())
        day = anchor.astimezone(UTC).date() - timedelta(days=days)
        return datetime.combine(day, time(hour, minute), tzinfo=UTC)


class CallEntry(_Strict):
    """The sample call. `recording` lies beside the company's file; `duration` in seconds."""

    channel: Name
    title: str
    started_by: Name
    participants: list[Name]
    recording: str
    duration: float = Field(gt=0)


class Company(_Strict):
    """Everything a sandbox is filled with."""

    team: TeamEntry
    users: list[UserEntry]
    bots: list[BotEntry]
    channels: list[ChannelEntry]
    posts: list[PostEntry] = Field(default_factory=list)
    call: CallEntry | None = None

    @model_validator(mode="after")
    def _hangs_together(self) -> Company:
        problems = list(_problems(self))
        if problems:
            raise ValueError(problems[0])
        return self


def read_company(path: Path) -> Company:
    """Read and check a company's file, or the `company.yml` of a folder.

    Raises:
        SandboxError: what is wrong, and where.
    """
    import yaml

    path = path / "company.yml" if path.is_dir() else path
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except OSError as error:
        raise SandboxError(f"{path}: cannot be read ({error.strerror})") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise SandboxError(f"{path}: not YAML ({' '.join(str(error).split())})") from error
    if isinstance(content, dict) and isinstance(content.get("posts"), str):
        # A name alone: a company's file reads nothing outside its folder.
        content = {**content, "posts": _read_posts(path.parent / Path(content["posts"]).name)}
    return check_company(content, origin=str(path))


def _read_posts(path: Path) -> list[Any]:
    try:
        with path.open(encoding="utf-8") as lines:
            return [json.loads(line) for line in lines]
    except OSError as error:
        raise SandboxError(f"{path}: cannot be read ({error.strerror})") from error
    except (ValueError, RecursionError) as error:
        raise SandboxError(f"{path}: a line is not JSON ({error})") from error


def check_company(content: Any, *, origin: str) -> Company:
    """Check what a company's file says.

    Raises:
        SandboxError: what is wrong, and where.
    """
    try:
        return Company.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        if first["type"] == "extra_forbidden":
            raise SandboxError(f"{origin}: unknown key {where!r}") from None
        raise SandboxError(f"{origin}: {where + ': ' if where else ''}{first['msg']}") from None


def sample_company() -> Path:
    """The file of the company that comes with the program."""
    return Path(str(files("meetings.sandbox"))) / "data" / "company.yml"


def _problems(company: Company) -> Iterator[str]:
    usernames = [u.username for u in company.users] + [b.username for b in company.bots]
    names = [c.name for c in company.channels]
    for kind, found in (("username", usernames), ("channel", names)):
        yield from (f"{kind} {one} appears twice" for one, times in sorted(Counter(found).items()) if times > 1)
    for needed in (BOT, CALLS_BOT):
        if needed not in {b.username for b in company.bots}:
            yield f"bots: {needed} is missing"
    known = set(usernames)
    members = {c.name: set(c.members) for c in company.channels}
    for channel in company.channels:
        yield from (f"channel {channel.name}: no such account {m}" for m in channel.members if m not in known)
        if channel.type == "D" and len(set(channel.members)) != 2:
            yield f"channel {channel.name}: a direct channel has two members"
    for number, post in enumerate(company.posts):
        where = f"posts.{number}"
        if post.channel not in members:
            yield f"{where}: no such channel {post.channel}"
            continue
        said: list[PostEntry | ReplyEntry] = [post, *post.replies]
        speakers = [one.user for one in said]
        reactors = [u for one in said for who in one.reactions.values() for u in who]
        for user in speakers + reactors:
            if user not in members[post.channel]:
                yield f"{where}: {user} is not a member of {post.channel}"
        if post.at.startswith("-0d"):
            yield f"{where}: at {post.at!r} is not before the anchor's day; the newest is -1d"
    call = company.call
    if call is not None:
        if call.channel not in members:
            yield f"call: no such channel {call.channel}"
        else:
            yield from (
                f"call: {u} is not a member of {call.channel}"
                for u in [call.started_by, *call.participants]
                if u not in members[call.channel]
            )
