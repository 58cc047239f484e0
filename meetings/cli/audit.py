"""`meetings audit`: who got what and why, and whether the log of it is what was written."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from meetings.cli.shown import one_line

if TYPE_CHECKING:
    from meetings.audit import AuditFile, AuditLog

_FILE = click.option(
    "--file",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="A log.jsonl of an earlier version, instead of the database's log.",
)


@click.group(
    epilog="""\b
Examples:
  meetings audit show --user ana.ruiz
  meetings audit check"""
)
def audit() -> None:
    """Show who got what and why, and check that nobody changed it.

    The log holds facts about deliveries, opt-outs, corrections, consents, purges and the like, and nothing of what was
    said. More: docs/privacy.md
    """


@audit.command(
    epilog="""\b
Examples:
  meetings audit show --user ana.ruiz
  meetings audit show --last 20 --json"""
)
@click.option("--user", metavar="USER", help="Only what concerns USER, or was done by them.")
@click.option("--last", metavar="N", type=click.IntRange(min=1), help="Only the newest N lines.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON lines.")
@_FILE
def show(user: str | None, last: int | None, as_json: bool, file: Path | None) -> None:
    """Print the log, the oldest line first."""
    import json
    from collections import deque

    entries = _log(file).entries(user=user.removeprefix("@").lower() if user else "")
    for entry in entries if last is None else deque(entries, last):
        if as_json:
            data = {"n": entry.n, "at": entry.at, "event": entry.event, "user": entry.user, "by": entry.by}
            click.echo(json.dumps({**data, **entry.facts, "hash": entry.hash}, ensure_ascii=False))
            continue
        facts = " ".join(f"{key}={_shown(value)}" for key, value in entry.facts.items())
        by = f"by {entry.by} " if entry.by else ""
        click.echo(f"{entry.n:>6} {entry.at[:19]} {entry.event:<12} {entry.user:<20} {by}{facts}".rstrip())


def _shown(value: str | int) -> str:
    text = one_line(str(value))
    return f'"{text}"' if " " in text else text


@audit.command(
    epilog="""\b
Examples:
  meetings audit check
  meetings audit check --head 5f1c…"""
)
@click.option("--head", metavar="HASH", default="", help="A hash that `audit head` printed: is it still in the log?")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@_FILE
def check(head: str, as_json: bool, file: Path | None) -> int:
    """Go through the chain and name the first line that is not what was written. Exit code 1 if there is one.

    An edited, removed, added or moved line is found. Whole lines cut off at the end are found only with --head: note
    what `meetings audit head` prints in another place from time to time.
    """
    import json
    from dataclasses import asdict

    log = _log(file)
    found = log.check(head=head.strip().lower())
    if as_json:
        click.echo(json.dumps(asdict(found), ensure_ascii=False, indent=2))
    else:
        for note in found.notes:
            click.echo(note)
        if not found.broken:
            click.echo(f"{found.lines} lines, one chain")
    if found.broken:
        click.echo(f"error: {log.where}, line {found.broken}: {found.why}", err=True)
        return 1
    if found.known_head is False:
        click.echo(f"error: {log.where}: the hash is not in it; lines were cut off, or it was written anew", err=True)
        return 1
    return 0


@audit.command(epilog="Example: meetings audit head")
def head() -> int:
    """Print the newest hash, to be noted where this machine cannot change it."""
    from meetings.audit import AuditLog
    from meetings.config import load_settings

    log = AuditLog(load_settings())
    found = log.check()
    if found.broken:
        click.echo(f"error: {log.where}, line {found.broken}: {found.why}", err=True)
        return 1
    click.echo(found.head)
    return 0


def _log(file: Path | None) -> AuditLog | AuditFile:
    from meetings.audit import AuditFile, AuditLog
    from meetings.config import load_settings

    return AuditLog(load_settings()) if file is None else AuditFile(file)
