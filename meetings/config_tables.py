"""Tables of meetings.toml that have settings of their own."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class AlertSettings(BaseModel):
    """`[alerts]` in meetings.toml: how many a person and day at most, and whether interests are learned, too."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    per_day: int = Field(default=3, ge=0, le=50)
    learned: bool = False


def split_pairs(value: object) -> object:
    """`per_day=2, learned=true` as the table it would be in a file; anything else as it is."""
    if not isinstance(value, str):
        return value
    return {
        key.strip(): given.strip()
        for part in value.split(",")
        if part.strip()
        for key, _, given in [part.partition("=")]
    }
