"""`meetings catchup`: the briefing that somebody gets who comes into a channel."""

from __future__ import annotations

import click


@click.command(
    epilog="""\b
Examples:
  meetings catchup acme/product --person ana.ruiz
  meetings catchup acme/product --person ana.ruiz --since 2026-11-16 --json"""
)
@click.argument("address", metavar="TEAM/CHANNEL")
@click.option("--person", metavar="USER", required=True, help="For whom.")
@click.option("--since", metavar="AGO|DATE", default="4w", show_default=True, help="12h, 7d, 2w or a date.")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def catchup(address: str, person: str, since: str, as_json: bool) -> None:
    """Catch one person up on a channel.

    What it is for, what was decided lately, what was asked and not answered, what concerns them, and whom to ask, with
    a link to each. The bot and the person must both be in the channel. What it prints is made for that person: show it
    to nobody else.
    """
    import json
    import time
    from datetime import UTC, datetime

    from meetings.catchup import Briefer, briefing_to_json, render_briefing
    from meetings.channels import find_channel, moment_of, require_member
    from meetings.config import load_settings
    from meetings.mattermost import MattermostClient
    from meetings.personas import kept_embedder

    settings = load_settings()
    begin = moment_of(since, now=datetime.now(UTC))
    client = MattermostClient.required(settings)
    user = client.user_by_username(person.removeprefix("@"))
    channel = find_channel(client, address)
    require_member(client, channel, user)
    made = Briefer(settings, client, kept_embedder(settings)).brief(
        user, {channel.id: (channel, begin)}, joined=[channel.id], now=int(time.time() * 1000)
    )
    if as_json:
        told = briefing_to_json(made.briefing, url=client.url, names=made.names)
        click.echo(json.dumps(told, ensure_ascii=False))
    else:
        click.echo(render_briefing(made.briefing, url=client.url, names=made.names, timezone=user.timezone))
