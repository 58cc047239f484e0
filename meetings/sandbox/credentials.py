"""The tokens of a sandbox's accounts, for scripts and tests: `credentials.json`, readable by its owner alone."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from meetings.errors import SandboxError

NAME = "credentials.json"
# The two bots that every company has.
BOT = "meetings"
CALLS_BOT = "calls"


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """Where a sandbox answers, and a token for each account; an empty sandbox has none."""

    url: str
    team: str | None = None
    bot_token: str | None = None
    calls_token: str | None = None
    admin_token: str | None = None
    users: Mapping[str, str] = field(default_factory=dict)

    def save(self, folder: Path) -> None:
        """Write them, mode 0600, in one step."""
        partial = folder / f"{NAME}.part"
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(asdict(self), file, indent=2)
            file.write("\n")
        partial.replace(folder / NAME)


def load_credentials(folder: Path) -> Credentials:
    """Read them.

    Raises:
        SandboxError: there are none, or they cannot be read.
    """
    path = folder / NAME
    try:
        return Credentials(**json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise SandboxError(f"there is no sandbox in {folder}; run: meetings sandbox start") from None
    except (OSError, ValueError, TypeError) as error:
        raise SandboxError(f"{path} cannot be read ({error}); run: meetings sandbox reset") from error
