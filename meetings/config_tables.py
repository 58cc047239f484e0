"""Tables of `meetings.toml` that concern one part of the program each; `meetings.config` reads them."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


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
