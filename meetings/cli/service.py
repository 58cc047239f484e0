"""What the long-running commands share: a log on stderr, a line for what happens."""

from __future__ import annotations

import logging
import sys
from contextlib import AbstractContextManager, nullcontext

from meetings.config import Settings
from meetings.listening import Listener
from meetings.mattermost import MattermostClient
from meetings.notices import Notices
from meetings.positions import Positions
from meetings.queueing import Inbox
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


def make_listener(client: MattermostClient, inbox: Inbox, settings: Settings) -> Listener:
    """What hears of recordings, and puts it into an inbox."""
    positions = Positions(settings)
    return Listener(client, inbox, positions, Notices(client, settings))


def stand_by(settings: Settings) -> AbstractContextManager[object]:
    """Wait until no other machine listens; where there is one machine there is nothing to wait for."""
    if settings.database_url is None:
        return nullcontext()
    from meetings.worker import wait_for_turn

    log = logging.getLogger("meetings.listen")
    log.info("what is heard is queued in the database; `meetings worker` works on it")
    return wait_for_turn(settings.database_url.get_secret_value(), "listener", waiting="another listens; standing by")


def talk(*, verbose: bool) -> None:
    """Write this program's own log to stderr; what libraries log is theirs, and may hold what is private."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    own = logging.getLogger("meetings")
    own.handlers = [handler]
    own.propagate = False
    own.setLevel(logging.DEBUG if verbose else logging.INFO)
