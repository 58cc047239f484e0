"""`meetings batch`: old recordings, many at once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from meetings.cli.shown import one_line

if TYPE_CHECKING:
    from meetings.batch import Planned

_MARKS = {"todo": "·", "done": "✓", "reused": "✓", "failed": "✗", "not delivered": "!", "left out": "-"}


def _moment(_context: click.Context, _option: click.Parameter, value: str | None) -> datetime | None:
    if value is None:
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise click.BadParameter(f"{value!r} is no date; write 2026-11-19 or 2026-11-19T14:00+01:00") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


@click.command(
    epilog="""\b
Examples:
  meetings batch recordings/ --people people.yml --out summaries/
  meetings batch --channel acme/product --since 2026-10-01 --dry-run
  meetings batch --channel acme/product --since 2026-10-01 --stage summaries"""
)
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@click.option("--channel", metavar="TEAM/CHANNEL", help="Take the recordings that Calls posted in this channel.")
@click.option("--since", metavar="DATE", callback=_moment, help="From this day on (ISO 8601; UTC unless told).")
@click.option("--until", metavar="DATE", callback=_moment, help="Before this day.")
@click.option("--people", type=click.Path(path_type=Path, dir_okay=False), help="People file (YAML) for all of them.")
@click.option(
    "--stage",
    type=click.Choice(["all", "summaries"]),
    default="all",
    show_default=True,
    help="summaries: write them anew where the speech is known, leave the others out.",
)
@click.option(
    "--deliver/--no-deliver",
    default=None,
    help="Send direct messages. Default: the setting, but never of recordings older than a day.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("meetings-batch"),
    show_default=True,
    help="Folder with a folder for each recording.",
)
@click.option("--dry-run", is_flag=True, help="Show what would be done, and do nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
def batch(
    paths: Sequence[Path],
    channel: str | None,
    since: datetime | None,
    until: datetime | None,
    people: Path | None,
    stage: str,
    deliver: bool | None,
    out: Path,
    dry_run: bool,
    as_json: bool,
) -> int:
    """Work through many recordings, one after the other.

    PATHS are files, and folders that are searched for recordings; --channel takes those of a channel in Mattermost.
    Shows what it will do and how long that may take, goes on after a recording that fails, and ends with a report.
    Interrupted or with failures behind it, the same command does what is left. Exits with 3 if anything failed.
    """
    import json

    from meetings.batch import estimate, find_files, find_posts, pace_of, plan, run
    from meetings.cli.progress import bar
    from meetings.config import load_settings
    from meetings.export import check_writable
    from meetings.mattermost import MattermostClient
    from meetings.store import FileStore

    if not paths and channel is None:
        raise click.UsageError("which recordings? give files or folders, or --channel TEAM/CHANNEL")
    if channel is None and (since or until):
        raise click.UsageError("--since and --until are for recordings of a --channel")
    settings = load_settings()
    found = [*find_files(paths)]
    if channel is not None:
        found += find_posts(
            MattermostClient.required(settings, "--channel needs a Mattermost"), channel, since=since, until=until
        )
    with bar("Looking at recordings") as tell:
        planned = plan(
            found,
            settings,
            people=people,
            deliver=deliver,
            summaries_only=stage == "summaries",
            now=datetime.now(tz=UTC),
            progress=tell,
        )
    seconds = estimate(planned, pace_of(FileStore.of(settings)))
    if not as_json:
        _show_plan(planned, seconds)
    if dry_run or not any(p.job for p in planned):
        return _end(planned, as_json=as_json, dry_run=dry_run, seconds=seconds)
    check_writable(out)
    taken: set[str] = set()
    results: list[Planned] = []
    with _watching(planned, quiet=as_json) as watch:
        for number, step in enumerate(planned):
            watch.begins(number)
            results.append(run(step, settings, out=out, taken=taken, observer=watch))
            watch.ended(number, results[-1])
    if as_json:
        click.echo(json.dumps({"out": str(out), **_report(results)}, ensure_ascii=False))
    return _end(results, as_json=as_json, dry_run=False, seconds=seconds, said=as_json)


def _show_plan(planned: Sequence[Planned], seconds: float) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from meetings.conversation import clock

    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("recording", "made", "length", "what"):
        table.add_column(heading, justify="right" if heading == "length" else "left")
    for p in planned:
        made = p.found.made.strftime("%Y-%m-%d %H:%M") if p.found.made else "?"
        if p.job is None:
            what = f"{p.state}: {p.reason}"
        else:
            what = "summaries alone, the speech is known" if p.speech_known else "everything"
            what += ", messages" if p.deliver else ""
        length = clock(p.found.seconds) if p.found.seconds else "?"
        table.add_row(Text(p.found.title), made, length, Text(what))
    console = Console()
    console.print(table)
    work = sum(p.job is not None for p in planned)
    console.print(
        f"{work} of {len(planned)} recordings to work on, about {_human(seconds)} for their speech", highlight=False
    )


def _human(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 90 * 60 else f"{seconds / 3600:.1f} h"


def _report(results: Sequence[Planned]) -> dict[str, Any]:
    return {
        "recordings": [
            {
                "reference": p.found.reference,
                "title": p.found.title,
                "made": p.found.made.isoformat() if p.found.made else None,
                "state": p.state,
                "reason": p.reason,
                "folder": p.folder,
                "seconds": round(p.took, 1),
                "delivered": p.deliver,
            }
            for p in results
        ],
        "counts": {s: sum(p.state == s for p in results) for s in _MARKS},
    }


def _end(results: Sequence[Planned], *, as_json: bool, dry_run: bool, seconds: float, said: bool = False) -> int:
    import json

    if as_json and not said:
        click.echo(
            json.dumps(
                {"dry_run": dry_run, "estimated_seconds": round(seconds), **_report(results)}, ensure_ascii=False
            )
        )
    bad = [p for p in results if p.state in {"failed", "not delivered"}]
    if not as_json:
        counts = {
            s: sum(p.state == s for p in results) for s in ("done", "reused", "left out", "failed", "not delivered")
        }
        click.echo(", ".join(f"{n} {s}" for s, n in counts.items() if n) or "nothing was to be done")
        for p in bad:
            click.echo(one_line(f"{p.found.title} ({p.found.reference}): {p.state}: {p.reason}"))
    if bad:
        click.echo(f"error: {len(bad)} of {len(results)} recordings failed; run the same command again", err=True)
        return 3
    return 0


class _Lines:
    """A line on stderr for each recording, for logs and pipes."""

    def __init__(self, planned: Sequence[Planned], *, quiet: bool) -> None:
        self._planned = planned
        self._quiet = quiet

    def __enter__(self) -> _Lines:
        return self

    def __exit__(self, *exc: object) -> None:
        pass

    def begins(self, number: int) -> None:
        """Nothing: the line comes when it ended."""

    def ended(self, number: int, step: Planned) -> None:
        """What became of it."""
        if not self._quiet:
            told = f"[{number + 1}/{len(self._planned)}] {step.found.title}: {step.state} ({step.took:.0f} s)"
            click.echo(one_line(told), err=True)

    def stage_started(self, stage: str) -> None:
        """Nothing."""

    def stage_progress(self, stage: str, fraction: float) -> None:
        """Nothing."""

    def stage_finished(self, result: object) -> None:
        """Nothing."""


class _Table(_Lines):
    """A table that lives: a row for each recording, and in it what is being done now."""

    def __init__(self, planned: Sequence[Planned]) -> None:
        super().__init__(planned, quiet=False)
        from rich.console import Console
        from rich.live import Live

        self._states = [p.state if p.job is None else "todo" for p in planned]
        self._notes = [p.reason for p in planned]
        self._now = 0
        self._live = Live(console=Console(stderr=True), refresh_per_second=4, get_renderable=self._draw)

    def __enter__(self) -> _Table:
        self._live.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._live.stop()

    def begins(self, number: int) -> None:
        """It is this one's turn."""
        self._now = number

    def ended(self, number: int, step: Planned) -> None:
        """What became of it."""
        self._states[number] = step.state
        self._notes[number] = step.reason or f"{step.took:.0f} s"

    def stage_started(self, stage: str) -> None:
        """The row tells the stage."""
        self.stage_progress(stage, 0.0)

    def stage_progress(self, stage: str, fraction: float) -> None:
        """The row tells how far the stage is."""
        from meetings.progress import STAGES

        self._notes[self._now] = f"{STAGES.get(stage, stage)} {fraction:.0%}"

    def _draw(self) -> Any:
        from rich.table import Table
        from rich.text import Text

        table = Table(box=None, pad_edge=False)
        # A long list: what is at work now, and what is just before and after it.
        first = max(0, min(self._now - 10, len(self._planned) - 20))
        for number in range(first, min(first + 20, len(self._planned))):
            mark = "▸" if self._states[number] == "todo" and number == self._now else _MARKS[self._states[number]]
            table.add_row(mark, Text(self._planned[number].found.title), Text(self._notes[number]))
        return table


def _watching(planned: Sequence[Planned], *, quiet: bool) -> _Lines:
    import sys

    return _Table(planned) if sys.stderr.isatty() and not quiet else _Lines(planned, quiet=quiet)
