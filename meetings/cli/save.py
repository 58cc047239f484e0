"""`meetings save`: a meeting as a file for people and programs elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

# Those of `meetings.exports.FORMATS`, named here so that help loads none of it; a test compares the two.
NAMES = ("md", "html", "pdf", "docx", "vtt", "srt", "json", "rttm", "ics", "csv")
SCREEN = Path("-")


@click.command(
    epilog="""\b
Examples:
  meetings save weekly/ --format pdf --person ana.ruiz
  meetings save call.mp4 --format docx --format srt --out minutes/
  meetings save weekly/ --format csv --out -"""
)
@click.argument("run", metavar="RUN")
@click.option(
    "--format",
    "formats",
    type=click.Choice(NAMES),
    multiple=True,
    help="md, html, pdf or docx to read; vtt or srt as subtitles; json or rttm for programs; ics or csv: the actions. "
    "Several at once by repeating it. Default: what --out ends in.",
)
@click.option("--person", metavar="USER", help="Add this person's own summary; of actions: only theirs.")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="File; folder, where it exists or there are several formats; - for the screen. Default: NAME.FORMAT beside "
    "you.",
)
def save(run: str, formats: Sequence[str], person: str | None, out: Path | None) -> None:
    """Save a processed meeting as a document, subtitles, or a list of actions.

    RUN is a folder of results, or a recording that was processed here: a local file, a permalink, a post id or a file
    id. Without --person a document holds the transcript alone, and a list of actions everybody's but those said in
    confidence. A file that is there is written anew.
    """
    from meetings.audit import AuditLog
    from meetings.cli.who import login_name
    from meetings.config import load_settings
    from meetings.exports import read_meeting, save_as
    from meetings.store import writing

    wanted = tuple(dict.fromkeys(formats)) or _told_by(out)
    settings = load_settings()
    meeting = read_meeting(run, settings)
    person = person.removeprefix("@") if person else None
    if person and meeting.summary_of(person):
        AuditLog(settings).note("save", user=person, by=login_name(), recording=meeting.conversation.id)
    if out == SCREEN:
        _to_screen(save_as(_only_text(wanted), meeting, person))
        return
    for name in wanted:
        path = _path(out, name, wanted, stem=f"{meeting.name}-{person}" if person else meeting.name)
        data = save_as(name, meeting, person)
        with writing(path) as part:
            part.write_bytes(data)
        click.echo(f"{path}: {max(1, round(len(data) / 1024))} KB")


def _told_by(out: Path | None) -> tuple[str, ...]:
    suffix = out.suffix.lower().removeprefix(".") if out is not None else ""
    if suffix not in NAMES:
        raise click.UsageError(f"say which --format: {', '.join(NAMES)}")
    return (suffix,)


def _only_text(wanted: Sequence[str]) -> str:
    from meetings.exports import FORMATS

    if len(wanted) > 1 or not FORMATS[wanted[0]].text:
        raise click.UsageError("--out - shows one format, and neither pdf nor docx")
    return wanted[0]


def _to_screen(data: bytes) -> None:
    """As UTF-8 wherever it goes; the mark that Excel needs is for files."""
    click.echo(data.removeprefix("\ufeff".encode()), nl=False)


def _path(out: Path | None, name: str, wanted: Sequence[str], *, stem: str) -> Path:
    from meetings.export import file_name

    if out is None:
        return Path(f"{file_name(stem)}.{name}")
    return out / f"{file_name(stem)}.{name}" if out.is_dir() or len(wanted) > 1 else out
