"""`meetings speakers`: who was named in a recording, how, how sure; and the right name where it is wrong."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from meetings.speakers import Heard


@click.command(
    epilog="""\b
Examples:
  meetings speakers call.mp4
  meetings speakers call.mp4 --set "Speaker 2=ana.ruiz" --set "Speaker 3=Guest: Dr. Weber\""""
)
@click.argument("recording")
@click.option(
    "--set",
    "corrections",
    metavar="SPEAKER=WHO",
    multiple=True,
    help="Say who a speaker is: a username, 'Guest: NAME', ? (nobody knows) or auto (take the answer back).",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def speakers(recording: str, corrections: Sequence[str], as_json: bool) -> int:
    """Show who speaks in a processed recording, and correct it.

    RECORDING is a local file, a folder of results, a permalink, a post id or a file id. With --set the answer is kept,
    names and summaries are made again (speech is reused), the folders that were written are rewritten, and messages
    that were sent are edited.
    """
    import json

    from meetings.cli.progress import observer
    from meetings.cli.who import login_name
    from meetings.config import load_settings
    from meetings.corrections import parse_setting
    from meetings.speakers import conversation_of, correct, find_run, heard, remake

    settings = load_settings()
    wanted = [parse_setting(text) for text in corrections]
    run = find_run(recording, settings)
    failed: list[str] = []
    done = None
    if wanted:
        correct(run, wanted, settings, by=login_name())
        with observer(quiet=as_json) as looking:
            done = remake(conversation_of(run, settings).id, settings, observer=looking)
        run = find_run(recording, settings)
        failed = sorted({name for r in done.runs for name in r.not_delivered})
    found = heard(conversation_of(run, settings))
    if as_json:
        data: dict[str, object] = {"speakers": _plain(found)}
        if done is not None:
            deliveries = [dict(d) for r in done.runs for d in r.deliveries]
            data |= {"rewritten": list(done.folders), "gone": list(done.gone), "deliveries": deliveries}
        click.echo(json.dumps(data, ensure_ascii=False, indent=2))
    else:
        _print(found)
        for folder in done.folders if done else ():
            click.echo(f"Rewritten: {folder}/")
        for folder in done.gone if done else ():
            click.echo(f"No longer there, not rewritten: {folder}/")
        edited = [d for r in (done.runs if done else ()) for d in r.deliveries if d["status"] in {"edited", "sent"}]
        if edited:
            click.echo(f"{len(edited)} messages edited or sent")
    if failed:
        click.echo(f"error: not delivered to {', '.join(failed)}; run the same command again", err=True)
        return 3
    return 0


def _plain(found: Sequence[Heard]) -> list[dict[str, object]]:
    return [
        {
            "id": h.speaker.id,
            "joined": list(h.speaker.joined),
            "name": h.speaker.name,
            "username": h.speaker.username,
            "how": h.speaker.how,
            "confidence": round(h.speaker.confidence, 4),
            "seconds": round(h.seconds, 1),
            "sample": {"start": round(h.sample_start, 2), "text": h.sample},
        }
        for h in found
    ]


def _print(found: Sequence[Heard]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from meetings.conversation import clock

    if not found:
        click.echo("Nobody speaks in this recording.")
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("speaker", "label", "account", "how", "sure", "min", "at", "says"):
        table.add_column(heading, justify="right" if heading in {"sure", "min", "at"} else "left", overflow="fold")
    for h in found:
        s = h.speaker
        table.add_row(
            Text(s.name),
            Text("+".join((s.id, *s.joined))),
            Text(s.username or ""),
            Text(s.how if s.how != "unknown" else "not known"),
            f"{s.confidence:.2f}" if s.confidence else "",
            f"{h.seconds / 60:.1f}",
            clock(h.sample_start),
            Text(h.sample),
        )
    console = Console()
    (console if console.is_terminal else Console(width=160)).print(table)
