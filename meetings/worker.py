"""A worker: takes recordings' parts out of the queues of a database that several machines share.

Who is alive is known from the database's locks. A worker holds one in its own name as long as it lives, on a connection
of its own; whoever can take that lock knows that its owner is dead, and puts what it was at back into the queues. The
one rule that keeps two from doing the same: a worker that cannot be sure of its lock ends at once, before the server
can have given the lock away (`meetings.store.locks`).
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import threading
import time
import uuid
from collections.abc import Collection, Mapping
from typing import Any

from dbos import DBOS
from dbos._dbos import _get_dbos_instance

from meetings.config import Settings
from meetings.errors import DatabaseError
from meetings.left_work import LeftWork
from meetings.pipeline import Observer
from meetings.queueing import ANSWERS, DELIVERY, PARTS, RECORDINGS, SPEECH, SUMMARY
from meetings.service import prepare_engine, stop_engine
from meetings.steps import plain
from meetings.store import DatabaseLock
from meetings.wide_settings import note_wide_settings

# What a worker can be told to take, and how much of it at once unless told: engines fill a machine, the network waits.
QUEUES: Mapping[str, int] = {SPEECH: 1, SUMMARY: 1, DELIVERY: 4, ANSWERS: 4}
LOOK = 1.0  # seconds between two looks at a queue
HEARTBEAT = 2.0  # seconds between two looks at one's own lock, and at who has died
FAILED = 1  # exit status of a worker that may have lost its lock

log = logging.getLogger("meetings.worker")


class Worker:
    """A worker, as a context manager: it works from `with` until the block ends."""

    def __init__(
        self, settings: Settings, observer: Observer, *, queues: Collection[str], concurrency: int | None = None
    ) -> None:
        """
        Args:
            settings: with `database_url`.
            observer: who looks on.
            queues: what it takes, of `QUEUES`.
            concurrency: how many things of each queue at once; None: as `QUEUES` says.
        """
        assert settings.database_url is not None
        self._settings = settings
        self._observer = observer
        self._url = settings.database_url.get_secret_value()
        self._limits = {queue: concurrency or QUEUES[queue] for queue in queues}
        if DELIVERY in queues:
            # Looks at recordings need the network alone.
            self._limits[RECORDINGS] = self._limits[DELIVERY]
        self.name = f"{socket.gethostname()}-{os.getpid()}-{uuid.uuid4().hex[:8]}"
        self._alive = alive_lock(self._url, self.name)
        self._left = LeftWork(self.name)
        self._stop = threading.Event()

    def __enter__(self) -> Worker:
        """Begin.

        Raises:
            DatabaseError: the server cannot be reached.
        """
        note_wide_settings(self._settings)
        self._alive.acquire()
        prepare_engine(
            self._settings,
            self._observer,
            {
                "system_database_url": self._url,
                "executor_id": self.name,
                # Work in progress, the looks at each queue, and whatever waits for a connection but a moment.
                "sys_db_pool_size": 4 + sum(self._limits.values()),
            },
        )
        DBOS.listen_queues(list(self._limits))
        DBOS.launch()
        own_limits(self._limits)
        for queue in PARTS:
            # That a partition has a limit is what makes partitions; one alone may have all of a worker (`own_limits`).
            DBOS.register_queue(queue, worker_concurrency=1, partition_worker_concurrency=1, polling_interval_sec=LOOK)
        DBOS.register_queue(ANSWERS, worker_concurrency=1, partition_concurrency=1, polling_interval_sec=LOOK)
        DBOS.register_queue(RECORDINGS, worker_concurrency=1, polling_interval_sec=LOOK)
        threading.Thread(target=self._watch, name="watch", daemon=True).start()
        return self

    def __exit__(self, *exc: object) -> None:
        # The lock is left to the end of the process: what is under way ends there and no sooner.
        self._stop.set()
        stop_engine()

    def _watch(self) -> None:
        while not self._stop.wait(HEARTBEAT):
            try:
                self._alive.check()
            except DatabaseError as error:
                if not self._stop.is_set():
                    log.error("%s; ending, as others may take this worker for dead", error)
                    # At once: no work, and no message, may go on beside its next owner's.
                    os._exit(FAILED)
            try:
                take_over(self._url, self.name)
                self._left.look()
            except Exception as error:  # noqa: BLE001 - the next look is in a moment
                log.warning("could not look for dead workers: %s", " ".join(str(plain(error)).split()))


def alive_lock(url: str, name: str) -> DatabaseLock:
    """What a worker of this name holds as long as it lives."""
    return DatabaseLock(url, f"worker:{name}")


def take_over(url: str, me: str) -> list[str]:
    """Put back into the queues what dead workers were at; who they were."""
    at_work = DBOS.list_workflows(status="PENDING", load_input=False, load_output=False)
    dead = []
    for name in {one.executor_id for one in at_work if one.executor_id} - {me}:
        lock = alive_lock(url, name)
        if lock.take():
            try:
                DBOS._recover_pending_workflows([name])
            finally:
                lock.release()
            log.warning("worker %s is dead; what it was at goes on here or elsewhere", name)
            dead.append(name)
    return dead


def own_limits(limits: Mapping[str, int]) -> None:
    """Give this process limits of its own: the engine keeps a queue's in the database, for all workers alike (1)."""
    database: Any = _get_dbos_instance()._sys_db
    stored = database.get_queue

    def get_queue(name: str, **options: Any) -> Any:
        queue = stored(name, **options)
        if queue is not None and name in limits:
            queue._worker_concurrency = limits[name]
            if queue._partition_worker_concurrency is not None:
                queue._partition_worker_concurrency = limits[name]
        return queue

    database.get_queue = get_queue


async def wait_for_turn(url: str, name: str, *, waiting: str) -> DatabaseLock:
    """Wait until no other process does what one is to do alone; from then on this process ends if it may not be alone.

    Args:
        url: the database.
        name: what there is one of.
        waiting: what is told in the log if another is there.
    """
    lock = DatabaseLock(url, name)
    told = False
    while not await asyncio.to_thread(lock.take):
        if not told:
            log.info("%s", waiting)
        told = True
        await asyncio.sleep(HEARTBEAT)

    def watch() -> None:
        while lock.held:
            time.sleep(HEARTBEAT)
            try:
                lock.check()
            except DatabaseError as error:
                log.error("%s; ending, as another may have taken this one's place", error)
                os._exit(FAILED)

    threading.Thread(target=watch, name="watch", daemon=True).start()
    return lock
