"""`meetings trends`: what goes on from one meeting of a series to the next."""

from __future__ import annotations

from collections.abc import Sequence

import click


@click.command(
    epilog="""\b
Examples:
  meetings trends weekly-2026-11-24.mp4
  meetings trends https://chat.example.org/acme/pl/8tq6n3yofbyb7x5bn3u9b1c4ae --person ana.ruiz
  meetings trends w1/transcript.json w2/transcript.json w3/transcript.json --talk-time"""
)
@click.argument("meetings", metavar="MEETING...", nargs=-1, required=True)
@click.option("--person", metavar="USER", help="Read only what they may read; they must be in the channel.")
@click.option(
    "--talk-time", is_flag=True, help="Also who talked how much; with --person, if they were in each meeting."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def trends(meetings: Sequence[str], person: str | None, talk_time: bool, as_json: bool) -> None:
    """Show what stays open from one meeting of a series to the next.

    MEETING is a processed recording (a file, a folder of results, a permalink, an id): its series are the meetings
    before it in the same channel with the same title, whatever date is in it. Or give the transcripts of several
    meetings. Tasks that are done, carried over or were never spoken of again; decisions that were taken back or moved.
    """
    import json

    from meetings.cli.progress import bar
    from meetings.config import load_settings
    from meetings.llm import open_embedder
    from meetings.series import read_series
    from meetings.trends import render_trends, trends_of, trends_to_json

    settings = load_settings()
    with bar("Reading the meetings") as progress:
        found, said = read_series(meetings, settings, person=person, talk=talk_time)
        progress(0.2)
        embedder = open_embedder(settings)
        made = trends_of(found, said, embedder, talk=talk_time)
        progress(1.0)
    click.echo(json.dumps(trends_to_json(made), ensure_ascii=False) if as_json else render_trends(made))
