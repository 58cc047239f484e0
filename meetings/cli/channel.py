"""`meetings channel`: what is new in a channel, for one person."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from meetings.cli.shown import one_line

if TYPE_CHECKING:
    from meetings.mattermost import MattermostClient
    from meetings.mattermost.entities import User

DEFAULT_SINCE = "7d"


@click.command(
    epilog="""\b
Examples:
  meetings channel acme/news --person ana.ruiz
  meetings channel acme/product --person ana.ruiz --since 2026-11-16
  meetings channel acme/product --person ana.ruiz --unread --json"""
)
@click.argument("address", metavar="TEAM/CHANNEL")
@click.option("--since", metavar="AGO|DATE", help=f"12h, 7d, 2w or a date. [default: {DEFAULT_SINCE}]")
@click.option("--unread", is_flag=True, help="Since they last looked at it, where the server tells that.")
@click.option("--person", metavar="USER", help="For whom. [default: whose token it is, unless that is a bot]")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def channel(address: str, since: str | None, unread: bool, person: str | None, as_json: bool) -> None:
    """Tell one person what is new in a channel and theirs.

    Threads and pushed-in links, each once, ranked by what matters to the person, with a link to each and why. The bot
    and the person must both be in the channel. What it prints is made for that person: show it to nobody else.
    """
    import json
    from datetime import UTC, datetime

    from meetings.channels import answer, channel_to_json, find_channel, moment_of, render_channel
    from meetings.cli.progress import bar
    from meetings.config import load_settings
    from meetings.llm import open_embedder
    from meetings.mattermost import MattermostClient
    from meetings.personas import persona_of

    if since is not None and unread:
        raise click.UsageError("--since and --unread exclude each other")
    settings = load_settings()
    now = datetime.now(UTC)
    begin = moment_of(since or DEFAULT_SINCE, now=now)
    client = MattermostClient.required(settings)
    user = _reader(client, person)
    place = find_channel(client, address)
    if unread:
        looked = client.last_viewed(place.id, user.id)
        if not looked:
            click.echo(f"note: the server does not tell when they last looked; the last {DEFAULT_SINCE}", err=True)
        begin = looked or begin
    embedder = open_embedder(settings)
    with bar("Reading the channel") as progress:
        found = answer(
            client,
            place,
            user,
            lambda: persona_of(client, user, settings, note=_note),
            since=begin,
            embedder=embedder,
            progress=progress,
        )
    if as_json:
        click.echo(json.dumps(channel_to_json(found.summary, url=found.url, names=found.names), ensure_ascii=False))
    else:
        click.echo(render_channel(found.summary, url=found.url, names=found.names))


def _reader(client: MattermostClient, username: str | None) -> User:
    me = client.me()
    if username is None and me.is_bot:
        raise click.UsageError("for whom? the token is a bot's; name somebody (--person)")
    return me if username is None else client.user_by_username(username.removeprefix("@"))


def _note(text: str) -> None:
    click.echo(f"note: {one_line(text)}", err=True)
