"""What the long-running commands share: a log on stderr, a line for what happens."""

from __future__ import annotations

import logging
import sys

from meetings.config import Settings
from meetings.listening import Listener
from meetings.mattermost import MattermostClient
from meetings.notices import Notices
from meetings.positions import Positions
from meetings.service import Service
from meetings.stage import StageResult


class StageLog:
    """Stages as log lines."""

    def __init__(self) -> None:
        self._log = logging.getLogger("meetings.stage")

    def stage_started(self, stage: str) -> None:
        """Nothing: the line comes when the stage is done."""

    def stage_progress(self, stage: str, fraction: float) -> None:
        """Nothing: a log is not a bar."""

    def stage_finished(self, result: StageResult) -> None:
        """The stage and its time."""
        done = "reused" if result.reused else f"{result.seconds:.1f} s"
        self._log.debug("%s: %s", result.stage, done)


def make_listener(client: MattermostClient, service: Service, settings: Settings) -> Listener:
    """What hears of recordings for a service."""
    positions = Positions(settings)
    return Listener(client, service, positions, Notices(client, settings))


def talk(*, verbose: bool) -> None:
    """Write this program's own log to stderr; what libraries log is theirs, and may hold what is private."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    own = logging.getLogger("meetings")
    own.handlers = [handler]
    own.propagate = False
    own.setLevel(logging.DEBUG if verbose else logging.INFO)
