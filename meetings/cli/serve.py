"""`meetings serve`: the listener, and the same by HTTP."""

from __future__ import annotations

import click


@click.command(
    epilog="""\b
Examples:
  meetings serve
  meetings serve --port 9000 --no-listen"""
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to answer at; loopback unless told.")
@click.option(
    "--port", default=8077, show_default=True, type=click.IntRange(0, 65535), help="Port; 0 takes a free one."
)
@click.option("--listen/--no-listen", default=True, show_default=True, help="Also listen at the bot's own socket.")
@click.option("--verbose", is_flag=True, help="Also tell of every stage.")
def serve(host: str, port: int, listen: bool, verbose: bool) -> None:
    """Wait for calls like `listen`, and answer by HTTP.

    POST /hooks/mattermost takes an outgoing webhook (setting webhook_token), POST /commands/meetings a slash command
    (setting command_token); pages of meetings are below /m (setting page_url, docs/report.md); GET /healthz, /readyz
    and /metrics are for whoever watches. Put a reverse proxy with TLS before it if Mattermost runs on another machine.
    With database_url set it only queues, like `listen`.
    """
    import asyncio
    import logging
    import os
    import socket

    import uvicorn

    from meetings.cli.service import StageLog, add_metrics, allow_many_files, listen_in_turn, make_listener
    from meetings.config import load_settings
    from meetings.errors import ConfigError
    from meetings.logs import talk
    from meetings.mattermost import MattermostClient
    from meetings.report import make_pages
    from meetings.service import open_inbox
    from meetings.serving import Doors, make_app

    settings = load_settings()
    allow_many_files()
    client = MattermostClient.required(settings, "whose calls?")
    answered = (settings.webhook_token, settings.command_token, settings.incident_token, settings.page_url)
    if not listen and all(door is None for door in answered):
        raise ConfigError(
            "--no-listen needs webhook_token, command_token, incident_token or page_url: nothing else would be answered"
        )
    me = client.me()
    talk(form=settings.log_format, verbose=verbose)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        bound = socket.create_server((host, port), family=family)
    except OSError as error:
        # Of a port that is taken, its words name the address a second time.
        reason = error.strerror if isinstance(error, socket.gaierror) else os.strerror(error.errno or 0)
        raise ConfigError(f"cannot answer at {host}:{port} ({reason}); choose another --host or --port") from None
    with bound, open_inbox(settings, StageLog(settings)) as inbox:
        doors = Doors(
            client=client,
            queue=inbox,
            webhook_token=settings.webhook_token,
            command_token=settings.command_token,
            incident_token=settings.incident_token,
        )
        doors.pages = make_pages(settings, client, inbox)
        add_metrics(doors.metrics.registry, settings)
        listener = make_listener(client, inbox, settings)
        server = uvicorn.Server(uvicorn.Config(make_app(doors), log_config=None, access_log=False, server_header=False))

        async def run() -> None:
            # The server ends on a signal, which uvicorn takes for itself; whichever ends first ends both.
            tasks = [asyncio.create_task(server.serve(sockets=[bound]))]
            if listen:
                tasks.append(asyncio.create_task(listen_in_turn(listener, client, settings)))
            done, others = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in others:
                task.cancel()
            for task in done:
                task.result()

        shown = bound.getsockname()[1]
        logging.getLogger("meetings.serve").info("answering at http://%s:%s as %s", host, shown, me.username)
        asyncio.run(run())
