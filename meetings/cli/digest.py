"""`meetings digest`: one message that says what somebody missed."""

from __future__ import annotations

import click


@click.command(
    epilog="""\b
Examples:
  meetings digest ana.ruiz --daily
  meetings digest ana.ruiz --weekly --json
  meetings digest ana.ruiz --weekly --deliver"""
)
@click.argument("user")
@click.option("--daily", "every", flag_value="daily", help="The last day.  [default]", default=True)
@click.option("--weekly", "every", flag_value="weekly", help="The last seven days.")
@click.option("--deliver", is_flag=True, help="Send it, once a day or week; an empty one is not sent.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def digest(user: str, every: str, deliver: bool, as_json: bool) -> int:
    """Tell USER in one message what they missed.

    Calls with the summaries that were made for them, tasks of theirs that are due, and the best of the channels that
    they and the bot are in: nothing that they may not read now. People get one every morning or week by writing `daily
    digest` or `weekly digest` to the bot. What is printed is made for that person: show it to nobody else.
    """
    import json
    import time
    from datetime import UTC, datetime, timedelta

    from meetings.cli.progress import bar
    from meetings.config import load_settings
    from meetings.digests import digest_to_json, make_digest, render_digest, send_digest
    from meetings.digests.send import AHEAD, SPAN, period_of, refusal
    from meetings.llm import Embedder
    from meetings.mattermost import MattermostClient
    from meetings.models import locate
    from meetings.quiet import zone_of

    settings = load_settings()
    client = MattermostClient.required(settings)
    person = client.user_by_username(user.removeprefix("@"))
    zone = zone_of(person.timezone)
    here = datetime.fromtimestamp(time.time(), tz=UTC).astimezone(zone)
    until = int(here.timestamp() * 1000)
    embedder = Embedder(locate(settings.text_embedding_model, settings.models_folder), threads=settings.cpu_threads)
    with bar("Reading calls and channels") as progress:
        made = make_digest(
            settings,
            client,
            person,
            embedder,
            since=until - SPAN[every] // timedelta(milliseconds=1),
            until=until,
            today=here.date(),
            ahead=AHEAD[every],
            progress=progress,
        )
    text = render_digest(made, zone=zone)
    click.echo(json.dumps(digest_to_json(made), ensure_ascii=False) if as_json else text)
    if not deliver or made.empty:
        return 0
    if reason := refusal(settings, person):
        click.echo(f"error: not delivered to {person.username}: {reason}", err=True)
        return 3
    became = send_digest(settings, client, person, text, period=f"{every} {period_of(every, here)}")
    click.echo(f"{person.username}: {became}", err=True)
    return 0
