"""`meetings listen`: acts by itself when a call's recording is posted."""

from __future__ import annotations

import click


@click.command(
    epilog="""\b
Examples:
  meetings listen
  MEETINGS_AUDIENCE=participants meetings listen --verbose"""
)
@click.option(
    "--metrics", metavar="PORT", type=click.IntRange(1, 65535), help="Answer Prometheus at this port of 127.0.0.1."
)
@click.option("--verbose", is_flag=True, help="Also tell of every stage.")
def listen(metrics: int | None, verbose: bool) -> None:
    """Wait for calls to be recorded, and send everyone their summary.

    Listens to the bot's channels. A recording that Mattermost Calls posts is queued at once, its announced
    transcription waited for, and each person gets their message once, whatever the network, the server or this process
    does meanwhile: after a gap the channels are looked through from where the last look ended. Stop it with Ctrl-C
    and start it again at any moment.

    With database_url set it only queues, and `meetings worker` works; of several listeners one listens and the others
    stand by.
    """
    import asyncio

    from meetings.cli.service import StageLog, listen_in_turn, make_listener, serve_metrics
    from meetings.config import load_settings
    from meetings.logs import talk
    from meetings.mattermost import MattermostClient
    from meetings.service import open_inbox

    settings = load_settings()
    client = MattermostClient.required(settings, "where to listen?")
    client.me()  # a wrong address or token is told at once
    talk(form=settings.log_format, verbose=verbose)
    serve_metrics(settings, metrics)
    with open_inbox(settings, StageLog(settings)) as inbox:
        listener = make_listener(client, inbox, settings)
        asyncio.run(listen_in_turn(listener, client, settings))
