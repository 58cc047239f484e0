"""`meetings process`: one recording in, a summary for each person out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import click


@click.command(
    epilog="""\b
Examples:
  meetings process call.mp4 --people people.yml --out weekly/
  meetings process https://chat.example.org/acme/pl/xfgr8udsptr4irwfn4rphptgnr --deliver"""
)
@click.argument("recording")
@click.option(
    "--people",
    type=click.Path(path_type=Path, dir_okay=False),
    help="People file (YAML): who gets a summary. Default: the channel's members.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder for transcript and summaries. Default: NAME-summary beside you.",
)
@click.option("--deliver/--no-deliver", default=None, help="Send each person their direct message.")
@click.option(
    "--writer",
    type=click.Choice(["auto", "extract", "rewrite", "compose"]),
    help="How bullets are written. auto: compose or rewrite if the language model is admitted, else extract.",
)
@click.option("--language", metavar="CODE", help="Spoken language (en, de, ...). Default: detected.")
@click.option(
    "--vocabulary",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Names and terms that are said, one a line; added to the setting and to what the channel tells.",
)
@click.option("--title", help="Title of the meeting. Default: the call's title or the file's name.")
@click.option("--started-at", metavar="TIME", help="When a local recording began, for due dates (ISO 8601).")
@click.option("--fresh", is_flag=True, help="Do every stage again instead of reusing results.")
@click.option("--json", "as_json", is_flag=True, help="Print the run's report as JSON.")
def process(
    recording: str,
    people: Path | None,
    out: Path | None,
    deliver: bool | None,
    writer: str | None,
    language: str | None,
    vocabulary: Path | None,
    title: str | None,
    started_at: str | None,
    fresh: bool,
    as_json: bool,
) -> int:
    """Turn a recording into a summary for each person.

    RECORDING is a local file of any kind that ffmpeg reads, or a recording in Mattermost: its permalink, post id or
    file id. Results go into a folder; with --deliver each person gets theirs by direct message. Interrupted at any
    moment, the same command goes on where it stopped; nothing is sent twice.
    """
    import json
    from shlex import quote

    from meetings.cli.progress import observer
    from meetings.config import load_settings
    from meetings.export import check_writable, export_run
    from meetings.pipeline import run_job
    from meetings.prepare import prepare_job
    from meetings.stages import Stages
    from meetings.store import FileStore

    settings = load_settings()
    job = prepare_job(
        recording,
        settings,
        people=people,
        deliver=settings.deliver if deliver is None else deliver,
        writer=writer,
        language=language,
        vocabulary=vocabulary,
        title=title,
        started_at=started_at,
        fresh=fresh,
    )
    folder = out or Path(f"{job.source.name}-summary")
    check_writable(folder)
    with observer(quiet=as_json) as looking:
        run = run_job(job, settings, observer=looking)
    store = FileStore.of(settings)
    conversation = Stages(settings=settings, store=store).conversation(run.conversation_key)
    report = export_run(run, store, folder, conversation=conversation)
    if as_json:
        click.echo(json.dumps({**report, "out": str(folder)}, ensure_ascii=False))
    else:
        said = {u.speaker for u in conversation.utterances}
        voices = [s for s in conversation.speakers if s.id in said]
        _print_report(report, folder, [s.name for s in voices])
        unnamed = [s.name for s in voices if s.how == "unknown"]
        if unnamed:
            click.echo(
                f'Who is {unnamed[0]}? Say it: meetings speakers {quote(str(folder))} --set "{unnamed[0]}=USERNAME"'
            )
    if run.not_delivered:
        reasons = {d["reason"] for d in run.deliveries if d["status"] == "failed"}
        click.echo(
            f"error: not delivered to {', '.join(run.not_delivered)}: {'; '.join(sorted(reasons))}; "
            "run the same command again",
            err=True,
        )
        return 3
    return 0


def _print_report(report: dict[str, object], folder: Path, voices: Sequence[str]) -> None:
    """What took how long, what was found, who was told, and where to look. Lines are not broken: they get copied."""
    from shlex import quote

    from rich.console import Console
    from rich.table import Table

    from meetings.conversation import clock

    console = Console()
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("stage")
    table.add_column("seconds", justify="right")
    table.add_column("x real time", justify="right")
    table.add_column("")
    for stage, seconds, factor, how in stage_rows(report):
        table.add_row(stage, f"{seconds:.1f}", f"{factor:.3f}" if factor is not None else "", how)
    console.print(table)
    duration, times, notes = report["duration"], report["real_time_factor"], report["notes"]
    assert isinstance(duration, float | int)
    told = [f"note: {note}" for note in notes] if isinstance(notes, list) else []
    told += [
        f"{clock(float(duration))} of recording, {report['seconds']:.1f} s of work"
        + (f" ({times:.2f} x real time)" if isinstance(times, float) else "")
        + f", peak memory {report['peak_rss_mb']:.0f} MB",
        f"{len(voices)} {'voice' if len(voices) == 1 else 'voices'}: {', '.join(voices)}"
        if voices
        else "Nothing was said in this recording.",
        f"Written to {folder}/",
        f"Look at it: meetings report {quote(str(folder))}",
    ]
    for line in told:
        console.print(line, markup=False, highlight=False, soft_wrap=True)


def stage_rows(report: Mapping[str, object]) -> Iterator[tuple[str, float, float | None, str]]:
    """A row a stage: its name, seconds, times real time, and its model or that it was reused.

    All deliveries are one row: thirty people are no thirty stages. What was not fetched, as a local file, has none.
    """
    stages = report["stages"]
    assert isinstance(stages, list)
    sent = [s for s in stages if s["stage"].startswith("delivery")]
    for s in stages:
        if s in sent or (s["stage"] == "fetch" and s["reused"]):
            continue
        factor = s.get("real_time_factor")
        how = "reused" if s["reused"] else str(s.get("model", ""))
        yield s["stage"], s["seconds"], factor if isinstance(factor, float) else None, how
    if sent:
        factors = [s["real_time_factor"] for s in sent if isinstance(s.get("real_time_factor"), float)]
        people = "one person" if len(sent) == 1 else f"{len(sent)} people"
        again = "reused" if all(s["reused"] for s in sent) else ""
        yield f"delivery to {people}", sum(s["seconds"] for s in sent), sum(factors) if factors else None, again
