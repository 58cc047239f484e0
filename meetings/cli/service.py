"""What the long-running commands share: a log on stderr, a line for what happens."""

from __future__ import annotations

import logging
import sys
from contextlib import AbstractContextManager, nullcontext

from meetings.config import Settings
from meetings.listening import Listener, listen_forever
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
    positions = Positions(settings.home / "state" / "positions.json")
    return Listener(client, inbox, positions, Notices(client, settings))


async def listen_in_turn(listener: Listener, client: MattermostClient, settings: Settings) -> None:
    """Listen until cancelled; where several machines may, one does, and the others stand by."""
    log = logging.getLogger("meetings.listen")
    turn: AbstractContextManager[object] = nullcontext()
    if settings.database_url is not None:
        from meetings.worker import wait_for_turn

        log.info("what is heard is queued in the database; `meetings worker` works on it")
        url = settings.database_url.get_secret_value()
        turn = await wait_for_turn(url, "listener", waiting="another listens; standing by")
    with turn:
        log.info("listening at %s as %s", client.url, client.me().username)
        await listen_forever(listener, url=client.url, token=client.token)


def talk(*, verbose: bool) -> None:
    """Write this program's own log to stderr; what libraries log is theirs, and may hold what is private."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    own = logging.getLogger("meetings")
    own.handlers = [handler]
    own.propagate = False
    own.setLevel(logging.DEBUG if verbose else logging.INFO)
