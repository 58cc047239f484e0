"""Progress on the terminal: bars with time left where somebody looks, plain lines where nobody does."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import click

from meetings.progress import STAGES

if TYPE_CHECKING:
    from rich.progress import TaskID

    from meetings.pipeline import Observer
    from meetings.stage import StageResult


class PlainObserver:
    """One line a stage on stderr, for logs and pipes."""

    def stage_started(self, stage: str) -> None:
        """Nothing: the line comes when the stage is done."""

    def stage_progress(self, stage: str, fraction: float) -> None:
        """Nothing: a log is not a bar."""

    def stage_finished(self, result: StageResult) -> None:
        """The stage and its time; of a file that lies here already there is nothing to fetch, and nothing to tell."""
        if result.stage == "fetch" and result.reused:
            return
        done = "reused" if result.reused else f"{result.seconds:.1f} s"
        click.echo(f"{result.stage}: {done}", err=True)


class BarObserver:
    """Bars by rich, with elapsed time and time left."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=30),
            TextColumn("{task.percentage:>3.0f}%"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            transient=False,
        )
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> BarObserver:
        self._progress.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._progress.stop()

    def stage_started(self, stage: str) -> None:
        """A new bar."""
        if stage not in self._tasks:
            self._tasks[stage] = self._progress.add_task(STAGES.get(stage, stage), total=1.0)

    def stage_progress(self, stage: str, fraction: float) -> None:
        """The bar moves."""
        if stage in self._tasks:
            self._progress.update(self._tasks[stage], completed=fraction)

    def stage_finished(self, result: StageResult) -> None:
        """The bar is full."""
        stage = "delivery" if result.stage.startswith("delivery") else result.stage
        self.stage_started(stage)
        self.stage_progress(stage, 1.0)


@contextlib.contextmanager
def observer(*, quiet: bool) -> Iterator[Observer]:
    """Bars on a terminal, lines otherwise, nothing when quiet."""
    if quiet:
        from meetings.pipeline import Silent

        yield Silent()
    elif sys.stderr.isatty():
        with BarObserver() as bars:
            yield bars
    else:
        yield PlainObserver()


@contextlib.contextmanager
def bar(title: str) -> Iterator[Callable[[float], None]]:
    """One bar on stderr for work of a single kind; gives what is told the fraction done. Silent where nobody looks."""
    if not sys.stderr.isatty():
        yield lambda _fraction: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(title, total=1.0)
        yield lambda fraction: progress.update(task, completed=fraction)
