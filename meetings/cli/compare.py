"""`meetings compare`: the same conversations and people through several language models."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from meetings.comparison import Outcome


@click.command(
    epilog="""\b
Examples:
  meetings compare --backends extract,smollm2-135m
  meetings compare --backends extract,qwen3-4b-instruct,gpt --on transcripts/ --people people.yml --out comparison/"""
)
@click.option(
    "--backends",
    required=True,
    help="With commas between them: extract (no model), a model of the catalogue, a GGUF file, or a NAME of "
    "[backends.NAME] in meetings.toml.",
)
@click.option(
    "--on", default="sample", show_default=True, help="sample: the call that ships; or a folder with transcripts."
)
@click.option(
    "--people",
    type=click.Path(path_type=Path),
    help="People file (YAML): who reads. Default: the sample's people, or people.yml in the folder.",
)
@click.option(
    "--writer",
    type=click.Choice(["compose", "rewrite"]),
    default="compose",
    show_default=True,
    help="What models do: read the call and write (compose), or put chosen sentences into their words (rewrite).",
)
@click.option("--out", type=click.Path(path_type=Path), help="Folder for comparison.html and comparison.json.")
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON.")
def compare(backends: str, on: str, people: Path | None, writer: str, out: Path | None, as_json: bool) -> int:
    """Find out which language model serves best, on your own conversations.

    Every backend gets the same conversations and readers. Told are how much of what it wrote stood, how much of what
    people had to get they got (where the truth is known), what that took in time, tokens and money, and where the
    words went. Nothing is sent to readers, and no words to a host that llm_allowed_hosts does not name.

    Exit code 3: a backend failed, the others are told. Ctrl-C: what was done is told.
    """
    import json
    import os

    from meetings.audit import AuditLog
    from meetings.cli.progress import bar
    from meetings.cli.shown import one_line
    from meetings.comparison import compare as compare_backends
    from meetings.comparison import to_json
    from meetings.comparison_cases import read_cases
    from meetings.comparison_page import render_page
    from meetings.config import load_settings
    from meetings.contenders import find_contenders
    from meetings.export import check_writable
    from meetings.llm import open_embedder
    from meetings.people import read_profiles
    from meetings.store import FileStore, write_text
    from meetings.summary import admitted_writers

    settings = load_settings()
    cases = read_cases(on, people)
    contenders = find_contenders(backends, settings, os.environ)
    if out is not None:
        check_writable(out)
    embedder = open_embedder(settings)
    store = FileStore(settings.home / "results")
    with bar("Comparing") as tell:
        outcomes = list(
            compare_backends(
                contenders,
                cases,
                writer=writer,
                embedder=embedder,
                profiles=read_profiles(settings.profiles),
                admitted={c.name: admitted_writers(store, c.fingerprint) for c in contenders if c.model},
                audit=AuditLog(settings),
                progress=tell,
            )
        )
    data = to_json(outcomes, writer=writer)
    if out is not None:
        write_text(out / "comparison.json", json.dumps(data, ensure_ascii=False, indent=2) + "\n")
        write_text(out / "comparison.html", render_page(outcomes, cases, writer=writer))
    if as_json:
        click.echo(json.dumps(data, ensure_ascii=False))
    else:
        _print(outcomes)
        if out is not None:
            click.echo(f"\nThe texts side by side: {out / 'comparison.html'}")
    for outcome in outcomes:
        if outcome.error:
            click.echo(f"error: {outcome.contender.name}: {one_line(outcome.error)}", err=True)
    if any(o.interrupted for o in outcomes):
        return 130
    return 3 if any(o.error for o in outcomes) else 0


def _print(outcomes: list[Outcome]) -> None:
    """The figures, a column a backend."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from meetings.cli.shown import one_line
    from meetings.comparison_page import figure_rows

    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("")
    for outcome in outcomes:
        table.add_column(Text(one_line(outcome.contender.name)), justify="right")
    for label, cells in figure_rows(outcomes):
        table.add_row(label, *(Text(one_line(c)) for c in cells))
    console = Console()
    console.print(table, width=None if console.is_terminal else 160)
