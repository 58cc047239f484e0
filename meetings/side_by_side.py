"""Runs stages at the same time in threads; when one fails, the others stop at their next sign of progress.

The engines leave the interpreter while they compute, so threads are enough for them to share the cores. Where cores are
few, each stage keeps all of them busy by itself: there stages run in turn, and what one held is gone before the next.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from contextvars import copy_context
from threading import Event
from typing import TypeVar

from meetings.progress import Progress

Result = TypeVar("Result")

# From so many threads on, stages run beside one another. On two it was no faster (46 s in turn against 48 s side by
# side, ten minutes of ES2014b) and held 0.16 GB more.
MANY_THREADS = 4


class Stopped(Exception):  # noqa: N818 - a signal, not an error: never shown
    """Raised inside a task whose neighbour failed."""


def checked(progress: Progress, check: Callable[[], None]) -> Progress:
    """A progress callback that first looks whether the work is still wanted."""

    def tell(fraction: float) -> None:
        check()
        progress(fraction)

    return tell


def in_turn(*tasks: Callable[[Callable[[], None]], Result], between: Callable[[], None]) -> list[Result]:
    """The results of all tasks, one after the other, with a call of `between` after each."""
    found: list[Result] = []
    for task in tasks:
        found.append(task(lambda: None))
        between()
    return found


def side_by_side(*tasks: Callable[[Callable[[], None]], Result]) -> list[Result]:
    """The results of all tasks, in their order.

    Args:
        tasks: each is given a function to call now and then, which raises when the task should stop.

    Raises:
        Exception: what the first task that failed raised; by then the others have ended.
    """
    stop = Event()

    def check() -> None:
        if stop.is_set():
            raise Stopped

    with ThreadPoolExecutor(len(tasks), thread_name_prefix="stage") as pool:
        # Each knows what it is about (`meetings.logs`), as it would in turn.
        futures: list[Future[Result]] = [pool.submit(copy_context().run, task, check) for task in tasks]
        try:
            wait(futures, return_when=FIRST_EXCEPTION)
        finally:
            # Set by a failure, and by Ctrl-C in this thread.
            if any(not f.done() or f.exception() for f in futures):
                stop.set()
    for future in futures:
        error = future.exception()
        if error is not None and not isinstance(error, Stopped):
            raise error
    return [f.result() for f in futures]
