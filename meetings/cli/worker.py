"""`meetings worker`: one of several machines that share the work."""

from __future__ import annotations

import click

QUEUES = ("speech", "summary", "delivery", "answers")


def _queues(_context: click.Context, _option: click.Parameter, value: str) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(name.strip() for name in value.split(",") if name.strip()))
    if unknown := [name for name in names if name not in QUEUES]:
        raise click.BadParameter(f"{unknown[0]!r} is no queue; there are {', '.join(QUEUES)}")
    if not names:
        raise click.BadParameter(f"name at least one of {', '.join(QUEUES)}")
    return names


@click.command(
    epilog="""\b
Examples:
  meetings worker
  meetings worker --queues speech
  meetings worker --queues summary,delivery,answers --concurrency 2"""
)
@click.option(
    "--queues",
    default=",".join(QUEUES),
    show_default=True,
    callback=_queues,
    help="What it takes: speech (from the recording to who said what: a GPU), summary (a language model), delivery "
    "(looks at recordings, and messages: the network alone), answers (to what people write to the bot).",
)
@click.option(
    "--concurrency",
    type=click.IntRange(1, 64),
    help="Things of each queue at once. Default: 1 of speech and summary, 4 of delivery and answers.",
)
@click.option(
    "--metrics", metavar="PORT", type=click.IntRange(1, 65535), help="Answer Prometheus at this port of 127.0.0.1."
)
@click.option("--verbose", is_flag=True, help="Also tell of every stage.")
def worker(queues: tuple[str, ...], concurrency: int | None, metrics: int | None, verbose: bool) -> None:
    """Work on what `listen` and `serve` queue, on any number of machines.

    Needs the setting database_url (PostgreSQL), and files_url where the machines share no folder (docs/scaling.md).
    Stop it at any moment, and start as many as you like. What a worker was at when it died is taken over by the others
    within about 10 seconds; if its whole machine is lost, within about 40. A worker that loses the database ends with
    exit code 1 at once, so that nothing is done twice: let whatever starts it start it again.
    """
    import logging
    import threading

    from meetings.cli.service import StageLog, serve_metrics
    from meetings.config import load_settings
    from meetings.errors import ConfigError
    from meetings.logs import talk
    from meetings.mattermost import MattermostClient
    from meetings.worker import Worker

    settings = load_settings()
    if settings.database_url is None:
        raise ConfigError(
            "a worker needs database_url (PostgreSQL); on one machine `meetings listen` does all the work"
        )
    MattermostClient.required(settings, "whose calls?").me()
    talk(form=settings.log_format, verbose=verbose)
    serve_metrics(settings, metrics)
    with Worker(settings, StageLog(settings), queues=queues, concurrency=concurrency) as one:
        logging.getLogger("meetings.worker").info("worker %s takes %s", one.name, ", ".join(queues))
        threading.Event().wait()
