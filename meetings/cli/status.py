"""`meetings status`: how the work stands, once or as it changes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from meetings.cli.shown import one_line

if TYPE_CHECKING:
    from meetings.watching import Seen

EVERY = 2.0  # seconds between two looks


@click.command(
    epilog="""\b
Examples:
  meetings status
  meetings status --watch
  meetings status --json"""
)
@click.option("--watch", is_flag=True, help="Look again every two seconds, until Ctrl-C.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def status(watch: bool, as_json: bool) -> None:
    """Show what waits, what is worked on, and what failed.

    Each queue, each recording under way with its stage, failures with what to do about them, people whose message could
    not be delivered, and who works. Works beside `listen`, `serve` and `worker`, and while none of them runs. What
    ended more than two weeks ago is left out.
    """
    import json
    from dataclasses import asdict

    from meetings.config import load_settings
    from meetings.watching import look

    if watch and as_json:
        raise click.UsageError("--watch is for people, --json for programs: choose one")
    settings = load_settings()
    if as_json:
        click.echo(json.dumps(asdict(look(settings)), ensure_ascii=False))
    elif watch:
        _watch(lambda: look(settings))
    else:
        for line in lines(look(settings)):
            click.echo(line)


def lines(seen: Seen) -> list[str]:
    """What is shown, line by line; words of others cannot steer the terminal."""
    from meetings.watching import span, told_of

    shown = []
    for queue in seen.queues:
        counts = (
            (queue.waiting, "waiting"),
            (queue.later, "later"),
            (queue.running, "running"),
            (queue.failed, "failed"),
        )
        told = ", ".join(f"{n} {what}" for n, what in counts if n) or "empty"
        shown.append(
            f"{queue.name}: {told}" + (f" (oldest for {span(seen.at - queue.oldest)})" if queue.oldest else "")
        )
    for under in seen.under_way:
        far = "; ".join(f"{stage.name} {words}" for stage in under.now if (words := told_of(stage)))
        told = f"{under.stage} for {span(seen.at - under.since)}" + (f" ({far})" if far else "")
        shown.append(f"▸ {under.post} {told}, by {under.worker}")
    for failure in seen.failures:
        when = f", next in {span(failure.due - seen.at)}" if failure.due else ""
        shown.append(f"✗ {failure.post} {failure.state}{when}: {failure.reason}; {failure.remedy}")
    shown += [f"! {m.username} not delivered ({m.recording}): {m.reason}" for m in seen.undelivered]
    for worker in seen.workers:
        has = f"{worker.running} running" if worker.running else f"seen {span(seen.at - worker.seen)} ago"
        shown.append(f"worker {worker.name}: {has}")
    return [one_line(line) for line in shown] or ["nothing waits, and nothing is being worked on"]


def _watch(look: Any) -> None:
    """Draw it anew where somebody looks; write it again, where nobody does, when it changed."""
    import sys
    import time

    if sys.stdout.isatty():
        from rich.console import Group
        from rich.live import Live
        from rich.text import Text

        with Live(auto_refresh=False) as live:
            while True:
                live.update(Group(*(Text(line) for line in lines(look()))), refresh=True)
                time.sleep(EVERY)
    before: list[str] = []
    while True:
        now = lines(look())
        if now != before:
            click.echo("\n".join([*now, ""]))
        before = now
        time.sleep(EVERY)
