"""`meetings sandbox …`: start, look at and stop a small Mattermost with a company in it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from meetings.sandbox.faults import Plan


ADMIN_VARIABLE = "MEETINGS_LIVE_ADMIN_TOKEN"


def _home_folder(_context: click.Context, _option: click.Parameter, value: Path | None) -> Path:
    if value is not None:
        return value.absolute()
    from meetings.config import load_settings

    return (load_settings().home / "sandbox").absolute()


_folder_option: Callable[[Any], Any] = click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    callback=_home_folder,
    help="Where it keeps its data. [default: HOME/sandbox]",
)
_company_option: Callable[[Any], Any] = click.option(
    "--company",
    metavar="DIR|FILE",
    type=click.Path(exists=True, path_type=Path),
    help="A company of your own, as `meetings sandbox generate` writes one. [default: the sample company]",
)
_json_option: Callable[[Any], Any] = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.group(epilog="Example: meetings sandbox start --background")
def sandbox() -> None:
    """Run a small Mattermost with a sample company and a sample call.

    It speaks the part of Mattermost's REST API and WebSocket that this program uses, keeps its data in one folder, and
    has a web page on which you can read everybody's channels and direct messages.
    """


@sandbox.command(epilog="Example: meetings sandbox start --background")
@_folder_option
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to answer on.")
@click.option("--port", default=8065, show_default=True, type=click.IntRange(0, 65535), help="0 takes a free one.")
@click.option("--now", metavar="ISO", help="The moment that the sample weeks lead up to, for a new sandbox.")
@click.option("--background", is_flag=True, help="Start it and return once it answers.")
@click.option("--empty", is_flag=True, help="A new sandbox without the company.")
@_company_option
@click.option("--misbehave", metavar="FILE|SPEC", help="What goes wrong; see: meetings sandbox misbehave --help")
def start(
    folder: Path,
    host: str,
    port: int,
    now: str | None,
    background: bool,
    empty: bool,
    company: Path | None,
    misbehave: str | None,
) -> None:
    """Start the sandbox, or find the one that runs.

    A sandbox has its company from its first start on; for another one name another folder, or reset it.
    """
    from meetings.sandbox import state

    anchor = _moment(now)
    plan = _plan(misbehave)
    if empty and company is not None:
        raise click.UsageError("--empty and --company exclude each other")
    company = company.absolute() if company else None
    running = state.find_running(folder)
    if running is not None:
        click.echo(f"already running: {running.url}")
        return
    if background:
        running = state.start_in_background(
            folder,
            host=host,
            port=port,
            now=anchor.isoformat() if anchor else None,
            empty=empty,
            misbehave=plan.model_dump_json() if plan else None,
            company=company,
        )
        click.echo(running.url)
        return
    from meetings.sandbox import serve
    from meetings.sandbox.company import sample_company

    serve(
        folder,
        host=host,
        port=port,
        company=None if empty else company or sample_company(),
        anchor=anchor,
        started=lambda started: click.echo(f"{started.url}   (Ctrl-C stops it)"),
        misbehave=plan,
    )


@sandbox.command(epilog="Example: meetings sandbox stop")
@_folder_option
def stop(folder: Path) -> None:
    """Stop the sandbox; its data stays."""
    from meetings.sandbox import state

    stopped = state.stop(folder)
    click.echo(f"stopped: {stopped.url}" if stopped else "not running")


@sandbox.command(epilog="Example: meetings sandbox status --json")
@_folder_option
@_json_option
@click.pass_context
def status(context: click.Context, folder: Path, as_json: bool) -> None:
    """Say whether and where the sandbox runs.

    Exits with 1 when it does not.
    """
    import json

    from meetings.sandbox import state

    running = state.find_running(folder)
    if as_json:
        known = {"url": None, "pid": None} if running is None else {"url": running.url, "pid": running.pid}
        click.echo(json.dumps({"running": running is not None, **known, "folder": str(folder)}))
    elif running is None:
        click.echo(f"not running ({folder})")
    else:
        click.echo(f"{running.url}   process {running.pid}, data in {folder}")
    if running is None:
        context.exit(1)


@sandbox.command(epilog='Example: eval "$(meetings sandbox env)"')
@_folder_option
def env(folder: Path) -> None:
    """Print shell variables that connect to the sandbox."""
    import shlex

    from meetings.sandbox.credentials import load_credentials

    credentials = load_credentials(folder)
    click.echo(f"export MATTERMOST_URL={shlex.quote(credentials.url)}")
    if credentials.bot_token is not None:
        click.echo(f"export MATTERMOST_TOKEN={shlex.quote(credentials.bot_token)}")


@sandbox.command(epilog="Example: meetings sandbox call standup.mp4 --channel engineering --started-by ben.okafor")
@click.argument("file", required=False, type=click.Path(path_type=Path))
@_folder_option
@click.option("--channel", metavar="NAME", help="The channel the call was in.")
@click.option("--title", help="What the call was called.")
@click.option("--started-by", metavar="USER", help="Who started it.")
@click.option("--participant", "participants", metavar="USER", multiple=True, help="Who was in it; repeat.")
@click.option("--transcription", type=click.Path(path_type=Path), help="A WebVTT file, as Calls writes one.")
@click.option("--once", is_flag=True, help="Post the same recording in the same channel only once.")
@click.option("--permalink", is_flag=True, help="Print the recording's link alone.")
@_json_option
def call(
    file: Path | None,
    folder: Path,
    channel: str | None,
    title: str | None,
    started_by: str | None,
    participants: tuple[str, ...],
    transcription: Path | None,
    once: bool,
    permalink: bool,
    as_json: bool,
) -> None:
    """Let a call's recording arrive, as Mattermost Calls posts it. Without FILE: the sample call."""
    import json
    from dataclasses import asdict

    from meetings.sandbox import load_credentials, post_call
    from meetings.sandbox.company import read_company, sample_company

    sample = read_company(sample_company()).call
    assert sample is not None  # the company that comes with the program has one
    posted = post_call(
        load_credentials(folder),
        file or sample_company().parent / sample.recording,
        channel=channel or sample.channel,
        title=title if title is not None else sample.title if file is None else file.stem,
        started_by=started_by or sample.started_by,
        participants=participants or (sample.participants if file is None and channel is None else None),
        duration=sample.duration if file is None else None,
        transcription=transcription,
        once=once,
    )
    if as_json:
        click.echo(json.dumps(asdict(posted)))
    elif permalink:
        click.echo(posted.permalink)
    else:
        click.echo(posted.permalink)
        click.echo(f"post {posted.recording_post_id}{'' if posted.fresh else ' (posted earlier)'}")


@sandbox.command(epilog="Example: meetings sandbox dms --person laura.stein")
@_folder_option
@click.option("--person", metavar="USER", help="Only this person's.")
@_json_option
def dms(folder: Path, person: str | None, as_json: bool) -> None:
    """Print what the bot wrote to each person."""
    import json
    from dataclasses import asdict

    from meetings.sandbox import load_credentials, read_direct_messages

    found = read_direct_messages(load_credentials(folder), person=person)
    if as_json:
        click.echo(json.dumps([asdict(d) for d in found], ensure_ascii=False))
        return
    if not found:
        click.echo("no direct messages yet")
    for message in found:
        _show(f"{message.name}, {message.position} (@{message.username})", message.message)


@sandbox.command(epilog="Example: meetings sandbox misbehave 'rate-limit:every=3;drop-after:path=/posts,times=1'")
@click.argument("spec", required=False, metavar="[FILE|SPEC]")
@_folder_option
@click.option("--stop", "behave", is_flag=True, help="Let nothing go wrong any more.")
def misbehave(spec: str | None, folder: Path, behave: bool) -> None:
    """Let the running sandbox go wrong, to see what becomes of it.

    SPEC is rules divided by semicolons, each a fault and its options. Without it: prints what is in force and how
    often it struck. docs/sandbox.md has the table of faults.
    """
    import json

    from meetings.sandbox import load_credentials
    from meetings.sandbox.rest import change_faults

    credentials = load_credentials(folder)
    plan = _plan("" if behave else spec)
    shown = change_faults(credentials, plan.model_dump(mode="json") if plan else None)
    if not shown["rules"]:
        click.echo("nothing goes wrong on purpose")
    for rule in shown["rules"]:
        click.echo(json.dumps(rule))


@sandbox.command(epilog="Example: meetings sandbox seed https://chat.example.org --admin-token-file admin-token")
@click.argument("url")
@click.option(
    "--admin-token-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A file with a system admin's token. [default: MEETINGS_LIVE_ADMIN_TOKEN in the environment]",
)
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where its accounts' tokens are kept. [default: HOME/seeded/HOST]",
)
@_company_option
@_json_option
def seed(url: str, admin_token_file: Path | None, folder: Path | None, company: Path | None, as_json: bool) -> None:
    """Fill a real Mattermost server with the sample company, or another, through its public API.

    A second run makes only what is missing; accounts and channels of others are never touched. Afterwards call, dms and
    env work on that server with --folder.
    """
    import json
    import os

    from meetings.config import load_settings
    from meetings.sandbox import real_server
    from meetings.sandbox.company import read_company, sample_company

    token = admin_token_file.read_text(errors="replace") if admin_token_file else os.environ.get(ADMIN_VARIABLE, "")
    if not token.strip():
        raise click.UsageError(f"no admin token: give --admin-token-file, or set {ADMIN_VARIABLE}")
    target = folder or real_server.folder_for(url, load_settings().home)
    seeded = real_server.seed_server(
        url,
        token.strip(),
        read_company(company or sample_company()),
        target.absolute(),
        tell=lambda step: click.echo(step, err=True),
    )
    if as_json:
        click.echo(json.dumps(real_server.as_json(seeded)))
        return
    click.echo(seeded.credentials.url)
    for kind, (made, total) in seeded.counts.items():
        click.echo(f"{kind}: {made} made, {total - made} there already")
    click.echo(f"the bot's token: {seeded.token_file}")
    click.echo(f"a call: meetings sandbox call --folder {seeded.folder}")


@sandbox.command(epilog="Example: meetings sandbox generate acme/ --people 50 --weeks 8 --seed 7")
@click.argument("folder", metavar="DIR", type=click.Path(file_okay=False, path_type=Path))
@click.option("--people", default=50, show_default=True, help="How many work there, 5 to 500.")
@click.option("--weeks", default=8, show_default=True, help="How many weeks lie behind them, 1 to 52.")
@click.option("--seed", "number", default=1, show_default=True, help="The same one gives the same company.")
@_json_option
def generate(folder: Path, people: int, weeks: int, number: int, as_json: bool) -> None:
    """Write an invented company of any size into DIR, with the truth of what matters to whom.

    Channels, threads, reactions, direct messages, links, calls with transcripts and an incident; docs/sandbox.md says
    what lies in DIR. Start a sandbox with it: meetings sandbox start --company DIR
    """
    import json
    from dataclasses import asdict

    from meetings.sandbox.generate import generate_workspace

    counts = asdict(generate_workspace(folder, people=people, weeks=weeks, seed=number))
    if as_json:
        click.echo(json.dumps({"folder": str(folder), "counts": counts}))
        return
    click.echo(f"{folder}: {', '.join(f'{count} {name}' for name, count in counts.items())}")


@sandbox.command(epilog="Example: meetings sandbox reset --yes")
@_folder_option
@click.option("--yes", is_flag=True, help="Do not ask.")
def reset(folder: Path, yes: bool) -> None:
    """Stop the sandbox and delete its data.

    The next start sets it up anew.
    """
    from meetings.sandbox import state

    if not yes:
        click.confirm(f"Delete the sandbox's data in {folder}?", abort=True)
    state.reset(folder)
    click.echo(f"reset: {folder}")


def _show(heading: str, message: str) -> None:
    """One message: rendered on a terminal, as it is otherwise. What others wrote cannot steer the terminal."""
    from rich.console import Console
    from rich.markdown import Markdown
    from rich.rule import Rule
    from rich.text import Text

    harmless = "".join(c for c in message if c.isprintable() or c == "\n")
    console = Console()
    if console.is_terminal:
        console.print(Rule(Text(heading), align="left"))
        console.print(Markdown(harmless, hyperlinks=True))
        console.print()
    else:
        click.echo(f"--- {heading}\n{harmless}\n")


def _plan(spec: str | None) -> Plan | None:
    """What should go wrong; None when nothing was said of it."""
    if spec is None:
        return None
    from meetings.sandbox.faults import read_plan

    return read_plan(spec)


def _moment(text: str | None) -> datetime | None:
    """The time that `--now` means; without a zone it is UTC."""
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise click.BadParameter(f"{text!r} is not a time like 2026-11-23T10:00:00", param_hint="--now") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
