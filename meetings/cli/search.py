"""`meetings search`: where something was said, over all meetings."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from meetings.cli.shown import one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from meetings.config import Settings
    from meetings.llm import TextEmbedder
    from meetings.search import Filters, Found, Index, Reader


@click.command(
    epilog="""\b
Examples:
  meetings search pricing
  meetings search '"battery life" warrant*' --since 4w --speaker ana.ruiz
  meetings search "login problems" --channel acme/product --person ben.okoye --json"""
)
@click.argument("query", required=False, default="")
@click.option("--channel", "address", metavar="TEAM/CHANNEL", help="Only calls of this channel.")
@click.option("--since", metavar="AGO|DATE", help="Only meetings since then: 12h, 7d, 2w or a date.")
@click.option("--speaker", metavar="NAME", help="Only where this person speaks: a username or a name.")
@click.option("--person", metavar="USER", help="Only what this user of Mattermost may read now.")
@click.option("--limit", type=click.IntRange(1, 100), default=10, show_default=True, help="Meetings at most.")
@click.option("--reindex", is_flag=True, help="Make the index anew first.")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def search(
    query: str,
    address: str | None,
    since: str | None,
    speaker: str | None,
    person: str | None,
    limit: int,
    reindex: bool,
    as_json: bool,
) -> None:
    """Find where something was said, in all meetings.

    By words and by meaning at once; results are grouped by meeting, each with its moments. "Phrases" in quotation
    marks must be there as they stand, and a star ends a beginning (warrant*). What is new since the last search is put
    into the index first. Whoever may read the data folder finds everything in it; --person keeps to what one user of
    Mattermost may read at this moment, and what is printed then is for them alone.
    """
    import json

    from meetings.config import load_settings
    from meetings.search import open_index
    from meetings.search import search as look_up
    from meetings.search.render import to_json

    if not query.strip() and not reindex:
        raise click.UsageError("for what? give some words, or --reindex")
    settings = load_settings()
    if reindex:
        from meetings.search import clear_index

        clear_index(settings)
    embedder = embedder_of(settings)
    with open_index(settings) as index:
        bring_up_to_date(settings, index, embedder)
        if not query.strip():
            click.echo(f"Meetings in the index: {len(index.stamps())}")
            return
        reader, filters = reader_and_filters(settings, index, person=person, address=address, since=since)
        if speaker:
            from dataclasses import replace

            filters = replace(filters, speaker=speaker)
        found = look_up(index, query, reader, embedder=embedder(), filters=filters, limit=limit)
    if as_json:
        click.echo(json.dumps(to_json(found), ensure_ascii=False, indent=2))
    elif not found:
        click.echo("Nothing was found.")
    else:
        _print(found)


def embedder_of(settings: Settings) -> Callable[[], TextEmbedder]:
    """What gives sentence embeddings; loaded when it is first asked for."""
    from functools import cache

    from meetings.llm import open_embedder

    return cache(lambda: open_embedder(settings))


def bring_up_to_date(settings: Settings, index: Index, embedder: Callable[[], TextEmbedder]) -> None:
    """Put into the index what is new, with a bar where somebody looks."""
    from meetings.cli.progress import bar
    from meetings.search import catch_up

    with bar("Reading what is new") as progress:
        done = catch_up(settings, index, embedder, progress=progress)
    if done.put:
        click.echo(f"Put into the index: {done.put}", err=True)


def reader_and_filters(
    settings: Settings, index: Index, *, person: str | None, address: str | None, since: str | None
) -> tuple[Reader, Filters]:
    """Whose search it is, and what it keeps to."""
    from datetime import UTC, datetime

    from meetings.channels import find_channel, moment_of
    from meetings.mattermost import MattermostClient
    from meetings.search import OPERATOR, Filters, reader_of

    reader = OPERATOR
    if person is not None:
        client = MattermostClient.required(settings, "--person asks Mattermost what they may read")
        user = client.user_by_username(person.removeprefix("@"))
        reader = reader_of(client, user, index.shelf().cards)
    channel_id = ""
    if address is not None:
        channel_id = find_channel(MattermostClient.required(settings, "--channel is looked up there"), address).id
    begin = None
    if since is not None:
        begin = datetime.fromtimestamp(moment_of(since, now=datetime.now(UTC)) / 1000, tz=UTC)
    return reader, Filters(channel_id=channel_id, since=begin)


def _print(found: Sequence[Found]) -> None:
    from meetings.conversation import clock
    from meetings.search.render import marked, when

    for number, one in enumerate(found):
        if number:
            click.echo()
        title = click.style(one_line(one.card.title) or one.card.id, bold=True)
        click.echo(f"{title}  {one_line(when(one.card))}".rstrip())
        for moment in one.moments:
            text = marked(moment, one_line, lambda word: click.style(word, bold=True))
            click.echo(f"  {clock(moment.start):>8}  {one_line(moment.speakers[0])}: {text}")
