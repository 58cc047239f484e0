"""`meetings digest`: calls missed, what is due and the best of one person's channels."""

from __future__ import annotations

import click


@click.command(
    epilog="""\b
Examples:
  meetings digest ana.ruiz
  meetings digest ana.ruiz --weekly --deliver
  meetings digest ana.ruiz --date 2026-11-23 --json"""
)
@click.argument("username", metavar="USER")
@click.option("--daily", "often", flag_value="daily", default="daily", help="The last day. [default]")
@click.option("--weekly", "often", flag_value="weekly", help="The last seven days.")
@click.option("--date", "day", metavar="DATE", help="As of the morning (8:00, their time) of this day. [default: now]")
@click.option("--deliver", is_flag=True, help="Send it to them, once for each day or week; an empty one is not sent.")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def digest(username: str, often: str, day: str | None, deliver: bool, as_json: bool) -> None:
    """Tell one person in one message what they missed.

    Calls that they were not in, what is due for them, and the best of the channels that they and the bot are in;
    nothing that they may not read at this moment. What it prints is made for that person: show it to nobody else.
    People ask for it themselves by telling the bot: daily digest, weekly digest, no digest.
    """
    import json
    from datetime import datetime, timedelta

    from meetings.config import load_settings
    from meetings.digests import Digester, digest_to_json, period, render_digest, send_digest
    from meetings.digests.book import MORNING
    from meetings.digests.send import FOOTER
    from meetings.errors import ConfigError
    from meetings.mattermost import MattermostClient
    from meetings.personas import kept_embedder
    from meetings.quiet import zone_of

    settings = load_settings()
    client = MattermostClient.required(settings)
    user = client.user_by_username(username.removeprefix("@"))
    now = datetime.now(zone_of(user.timezone))
    until = now
    if day is not None:
        try:
            until = datetime.fromisoformat(day).replace(
                tzinfo=now.tzinfo, hour=MORNING, minute=0, second=0, microsecond=0
            )
        except ValueError:
            raise ConfigError(f"--date {day!r} is no day; give one as 2026-11-23") from None
        if until > now:
            raise ConfigError(f"--date {day!r}: that morning is still to come")
    since, end = period(often, until)
    made = Digester(settings, client, kept_embedder(settings)).make(user, often, since=since, until=end)
    text = render_digest(made, url=client.url, footer=FOOTER if deliver else "")
    if as_json:
        click.echo(json.dumps(digest_to_json(made, url=client.url), ensure_ascii=False))
    else:
        click.echo(text)
    if not deliver:
        return
    if made.empty:
        click.echo("note: nothing to tell, so nothing was sent", err=True)
        return
    begins = until.date() if often == "daily" else until.date() - timedelta(days=until.weekday())
    sent = send_digest(settings, client, user.id, text, morning=f"{often}:{begins.isoformat()}")
    told = {"sent": f"sent to {user.username}", "unchanged": f"{user.username} has this one already"}
    click.echo(f"note: {told.get(sent.status) or f'not sent: {sent.reason}'}", err=True)
