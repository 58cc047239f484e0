"""`meetings doctor`: everything a run needs, checked."""

from __future__ import annotations

import click


@click.command(epilog="Example: meetings doctor --json")
@click.option("--deep", is_flag=True, help="Also check the hash of every model file.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def doctor(deep: bool, as_json: bool) -> int:
    """Check everything a run needs, each with its remedy.

    ffmpeg, models, device, threads, disk, and if a Mattermost is configured whether it answers, takes the token and
    lets the bot read and write. Exit code 1 if anything fails; warnings do not count.
    """
    import json
    from dataclasses import asdict

    from meetings.config import load_settings
    from meetings.doctor import examine

    findings = []
    for finding in examine(load_settings(), deep=deep):
        findings.append(finding)
        if not as_json:
            colour = {"ok": "green", "warn": "yellow", "fail": "red"}[finding.state]
            click.echo(f"{click.style(f'{finding.state:5}', fg=colour)} {finding.check}: {finding.detail}")
            if finding.remedy:
                click.echo(f"      {finding.remedy}")
    if as_json:
        click.echo(json.dumps([asdict(f) for f in findings], indent=2))
    return 1 if any(f.state == "fail" for f in findings) else 0
