"""Tables of `meetings.toml` that concern one part of the program each; `meetings.config` reads them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

PLATFORM = r"^(compatible|openai|azure|bedrock|llama|anthropic|vllm|ollama|llama\.cpp)$"
AUDIENCE = "^(members|participants|missed|nobody)$"


_TIME = r"([01]\d|2[0-3]):[0-5]\d"
QUIET_HOURS = rf"(none|weekends|{_TIME} *- *{_TIME}( *, *weekends)?)"
Days = Annotated[int, Field(ge=0, le=36_500)] | Literal["forever"]
LEFT_BEHIND_DAYS = 30  # sound that a run which never ended left, unless `[retention] audio` says otherwise


class ChannelRetention(BaseModel):
    """How many days something is kept, of one channel's calls; unset: as everywhere."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    audio: Days | None = None
    transcript: Days | None = None
    summaries: Days | None = None
    voices: Days | None = None
    context: Days | None = None

    def __str__(self) -> str:
        return ", ".join(f"{kind} {days}" for kind, days in self if days is not None)


class Retention(ChannelRetention):
    """`[retention]` in meetings.toml: days that each kind of data is kept, or "forever"; unset: docs/privacy.md."""

    feedback: Days | None = None


def split_days(value: object) -> object:
    """`transcript=365, voices=30` as the table it would be in a file."""
    if not isinstance(value, str):
        return value
    pairs = (part.partition("=") for part in value.split(",") if part.strip())
    return {key.strip(): int(days) if days.strip().isdecimal() else days.strip() for key, _, days in pairs}


class ChannelRules(BaseModel):
    """What is different in one channel: `[channels."TEAM/CHANNEL"]` in meetings.toml."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    audience: str | None = Field(default=None, pattern=AUDIENCE)
    people: tuple[str, ...] = ()  # usernames; not empty: only these, of those the audience says
    retention: ChannelRetention = ChannelRetention()


class Backend(BaseModel):
    """A language model that `meetings compare` knows by a name: `[backends.NAME]` in meetings.toml.

    `model` is one of a server if there is a `platform` or `url`, else of the catalogue or a GGUF file. `key_env` names
    the environment variable with its key; prices are for a million tokens; `privacy` says where the words go.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: str = Field(min_length=1)
    platform: str | None = Field(default=None, pattern=PLATFORM)
    url: str | None = None
    key_env: str | None = Field(default=None, pattern=r"^[A-Za-z_]\w*$")
    context: int | None = Field(default=None, ge=256)
    thinking: int = Field(default=0, ge=0)
    input_price: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    output_price: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    currency: str = Field(default="USD", min_length=1, max_length=8)
    privacy: str | None = Field(default=None, max_length=80)

    @property
    def served(self) -> bool:
        """Whether it is a model of a server."""
        return self.platform is not None or self.url is not None


def split_pairs(value: object) -> object:
    """`mode=off, after=7` as the table it would be in a file."""
    if not isinstance(value, str):
        return value
    pairs = (part.partition("=") for part in value.split(",") if part.strip())
    return {key.strip(): text.strip() for key, _, text in pairs}


class Catchup(BaseModel):
    """`[catchup]` in meetings.toml: what those get who come into a channel, or back after days (docs/catchup.md)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    # offer: asked whether they want a briefing; brief: they get it; off: only who asks gets one.
    mode: str = Field(default="offer", pattern="^(offer|brief|off)$")
    after: int = Field(default=5, ge=1, le=365)  # days of absence after which somebody has come back
    posts: int = Field(default=10, ge=1)  # fewer than this in a channel, or since somebody went, are quicker read

    def __str__(self) -> str:
        return f"mode {self.mode}, after {self.after}, posts {self.posts}"


class AlertSettings(BaseModel):
    """`[alerts]` in meetings.toml: how many a person and day at most, and whether interests are learned, too."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    per_day: int = Field(default=3, ge=0, le=50)
    learned: bool = False
