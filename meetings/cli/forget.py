"""`meetings forget`: what is held about somebody goes."""

from __future__ import annotations

import click

from meetings.cli.shown import one_line


@click.command(
    epilog="""\b
Examples:
  meetings forget ana.ruiz --dry-run
  meetings forget ana.ruiz --redact --yes"""
)
@click.argument("user")
@click.option("--redact", is_flag=True, help="Also replace their words in kept transcripts by a mark; times stay.")
@click.option("--dry-run", is_flag=True, help="Show what would go, and remove nothing.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def forget(user: str, redact: bool, dry_run: bool, yes: bool) -> int:
    """Remove what is held about USER.

    Their voiceprint and voice, their posts in kept context, what they asked for, and summaries made for them. With
    --redact also their words in kept transcripts, and everybody's summaries of these calls, so that nothing is made
    from the old words again. Interrupted, the same command does the rest. What it does not reach: docs/privacy.md
    """
    from meetings.cli.who import login_name
    from meetings.config import load_settings
    from meetings.enrolment import checked_username
    from meetings.forgetting import forget as forget_person
    from meetings.mattermost import MattermostClient

    username, settings = checked_username(user), load_settings()
    if not (yes or dry_run):
        words = " and redact their words in kept transcripts" if redact else ""
        click.confirm(f"Remove what is held about {username}{words}? It cannot be undone", abort=True)
    done = forget_person(
        username, settings, client=MattermostClient.of(settings), redact=redact, dry_run=dry_run, by=login_name()
    )
    for kind, count in done.counts.items():
        click.echo(f"{count:>6} {kind}")
    for note in done.notes:
        click.echo(f"note: {one_line(note)}")
    if not done.counts:
        click.echo(f"nothing is held about {username}")
    elif dry_run:
        click.echo("nothing was removed (--dry-run)")
    elif done.complete:
        click.echo(f"{username} is forgotten")
    if not done.complete:
        click.echo(f"error: not everything about {username} could be removed; see the note", err=True)
        return 1
    return 0
