"""`meetings export`: everything that is held about somebody, in one file for them."""

from __future__ import annotations

from pathlib import Path

import click

from meetings.cli.shown import one_line


@click.command(epilog="Example: meetings export ana.ruiz --out ana.zip")
@click.argument("user")
@click.option("--out", required=True, type=click.Path(path_type=Path, dir_okay=False), help="The ZIP to write.")
def export(user: str, out: Path) -> None:
    """Write everything that is held about USER into a file for them.

    A ZIP of JSON with a README (docs/privacy.md): what they asked for, what their summaries were made from, the
    summaries, what they said in kept transcripts, their voiceprint, and what the audit log tells of them. Only your own
    account can read the file. It is theirs: give it to nobody else.
    """
    from meetings.audit import AuditLog
    from meetings.cli.who import login_name
    from meetings.config import load_settings
    from meetings.enrolment import checked_username
    from meetings.mattermost import MattermostClient
    from meetings.personal_data import personal_data, write_archive

    username, settings = checked_username(user), load_settings()
    AuditLog(settings).note("export", user=username, by=login_name())
    data = personal_data(username, settings, client=MattermostClient.of(settings))
    write_archive(data, out)
    for note in data["about.json"]["notes"]:
        click.echo(f"note: {one_line(note)}")
    click.echo(f"{out}: {len(data['summaries.json'])} summaries, {len(data['utterances.json'])} utterances")
