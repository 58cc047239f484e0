"""`meetings purge`: removes what is kept no longer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from meetings.cli.shown import one_line

if TYPE_CHECKING:
    pass


@click.command(
    epilog="""\b
Examples:
  meetings purge --dry-run
  meetings purge"""
)
@click.option("--dry-run", is_flag=True, help="Show what would go, and remove nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, with every file.")
def purge(dry_run: bool, as_json: bool) -> None:
    """Remove what is older than the settings say, and what is left of deleted recordings.

    How long each kind of data is kept: [retention] in meetings.toml, and docs/privacy.md. A recording that was deleted
    in Mattermost goes with everything made of it; so do downloads that were broken off, and files that belong to no
    recording. Let it run once a day.
    """
    import json

    from meetings.cli.who import login_name
    from meetings.config import load_settings
    from meetings.mattermost import MattermostClient
    from meetings.retention import plan_purge
    from meetings.retention import purge as carry_out

    settings = load_settings()
    done = plan_purge(settings, client=MattermostClient.of(settings))
    if not dry_run:
        done = carry_out(done, settings, by=login_name())
    totals, rows = done.totals(), sum(len(ids) for ids in done.rows.values())
    if as_json:
        files = [
            {"path": str(d.path), "kind": d.kind, "bytes": d.size, "why": d.why, "recording": d.recording}
            for d in done.doomed
        ]
        data = {
            "dry_run": dry_run,
            "removed": {kind: {"files": count, "bytes": size} for kind, (count, size) in totals.items()},
            "runs": rows,
            "files": files,
            "notes": done.notes,
        }
        click.echo(json.dumps(data, ensure_ascii=False, indent=2))
        return
    reasons: dict[str, list[str]] = {}
    for one in done.doomed:
        reasons.setdefault(one.recording, []).append(one.why)
    for recording, whys in reasons.items():
        if recording:
            title = one_line(done.titles.get(recording, recording))
            click.echo(f"{title}: {len(whys)} files ({', '.join(sorted(set(whys)))})")
    for kind, (count, size) in totals.items():
        click.echo(f"{kind:<12} {count:>6} files {size / 1e6:>10.1f} MB")
    if rows:
        click.echo(f"{'state':<12} {rows:>6} ended runs")
    for note in done.notes:
        click.echo(f"note: {one_line(note)}")
    if not totals and not rows:
        click.echo("there is nothing to remove")
    elif dry_run:
        click.echo("nothing was removed (--dry-run)")
