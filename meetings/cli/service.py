"""What the long-running commands share: what hears of recordings, and what tells of the work on them."""

from __future__ import annotations

import logging
import threading
from contextlib import AbstractContextManager, nullcontext, suppress

from prometheus_client import CollectorRegistry, start_http_server

from meetings.alerts import Alerts, learn_interests, outside_quiet_hours
from meetings.briefs import Watches
from meetings.catchup import Briefer, Catchups
from meetings.config import Settings
from meetings.digests import Digests
from meetings.errors import ConfigError
from meetings.headway import Headway
from meetings.listening import Listener, listen_forever
from meetings.mattermost import MattermostClient
from meetings.metrics import REGISTRY, QueueMetrics, count_stage
from meetings.notices import Notices
from meetings.personas import kept_embedder
from meetings.positions import Positions
from meetings.queueing import Inbox
from meetings.stage import StageResult
from meetings.watchers import KIND as WATCHED
from meetings.watchers import Watch, Watcher

MANY_FILES = 65_536


class StageLog:
    """Stages as log lines, as metrics, and as what `meetings status` tells of them."""

    def __init__(self, settings: Settings) -> None:
        self._log = logging.getLogger("meetings.stage")
        self._headway = Headway(settings)

    def stage_started(self, stage: str) -> None:
        """No line, which comes when the stage is done; how fast it went before says nothing any more."""
        self._headway.begin(stage)

    def stage_progress(self, stage: str, fraction: float) -> None:
        """How far it is, for who looks on: a log is not a bar."""
        self._headway.tell(stage, fraction)

    def stage_finished(self, result: StageResult) -> None:
        """The stage and its time."""
        done = "reused" if result.reused else f"{result.seconds:.1f} s"
        self._headway.done(result.stage)
        self._log.debug("%s: %s", result.stage, done)
        count_stage(result)


def allow_many_files() -> None:
    """Open as many files as the machine's admin allows: each reader of a page takes one, and shells begin with few."""
    try:
        import resource
    except ImportError:  # no such limit on Windows
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = MANY_FILES if hard == resource.RLIM_INFINITY else min(hard, MANY_FILES)
    if soft != resource.RLIM_INFINITY and soft < most:
        with suppress(ValueError, OSError):  # some systems have a limit of their own beside it
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def make_listener(client: MattermostClient, inbox: Inbox, settings: Settings) -> Listener:
    """What hears of recordings, and puts it into an inbox."""
    watch = Watch(client, Positions(settings, kind=WATCHED), make_watchers(settings, client))
    return Listener(client, inbox, Positions(settings), Notices(client, settings), watch=watch)


def make_watchers(settings: Settings, client: MattermostClient) -> tuple[Watcher, ...]:
    """What acts on what is new in the bot's channels."""
    embedder = kept_embedder(settings)
    return (
        Alerts(
            settings,
            client,
            embedder,
            may_send=outside_quiet_hours(settings),
            learn=lambda: learn_interests(settings, client),
        ),
        Watches(settings, client),
        Catchups(settings, client, Briefer(settings, client, embedder)),
        Digests(settings, client, embedder),
    )


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
        stop = threading.Event()
        if listener.watch is not None:
            threading.Thread(target=listener.watch.run, args=(stop,), name="watch", daemon=True).start()
        try:
            await listen_forever(listener, url=client.url, token=client.token)
        finally:
            stop.set()


def add_metrics(registry: CollectorRegistry, settings: Settings) -> None:
    """Let a registry tell of stages, failures, messages and the queue."""
    registry.register(REGISTRY)
    registry.register(QueueMetrics(settings))


def serve_metrics(settings: Settings, port: int | None) -> None:
    """Answer Prometheus at a port of this machine, for as long as the process lives; None: nowhere.

    Raises:
        ConfigError: the port is taken.
    """
    if port is None:
        return
    registry = CollectorRegistry()
    add_metrics(registry, settings)
    try:
        start_http_server(port, addr="127.0.0.1", registry=registry)
    except OSError as error:
        raise ConfigError(f"--metrics: port {port} cannot be used ({error.strerror}); choose another") from None
