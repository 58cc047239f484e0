"""`meetings report`: the page of one meeting in the browser, on this machine alone."""

from __future__ import annotations

import click


@click.command(
    epilog="""\b
Examples:
  meetings report weekly/ --open
  meetings report call.mp4 --for ana.ruiz --port 8090"""
)
@click.argument("recording", metavar="RUN")
@click.option("--open", "show", is_flag=True, help="Open it in the browser.")
@click.option("--for", "who", metavar="NAME", help="Whose summary comes first: a username or a name.")
@click.option("--port", default=0, show_default=True, type=click.IntRange(0, 65535), help="Port; 0 takes a free one.")
def report(recording: str, show: bool, who: str | None, port: int) -> None:
    """Look at a processed meeting in the browser, and listen to it.

    RUN is a folder of results, or a recording that was processed here: a local file, a permalink, a post id or a file
    id. The page is on this machine alone, for the browser that first opens the address; it has everybody's summary,
    the recording, and corrections. Ctrl-C ends it.
    """
    import os
    import socket
    import webbrowser

    from meetings.cli.progress import observer
    from meetings.cli.who import login_name
    from meetings.config import load_settings
    from meetings.errors import ConfigError
    from meetings.report import LocalMeeting, LocalPage, Remaking, make_local_app, served_until_closed, whose
    from meetings.speakers import remake

    settings = load_settings()
    meeting = LocalMeeting(recording, settings, by=login_name())
    first = whose(meeting.read(), who) if who else ""
    try:
        bound = socket.create_server(("127.0.0.1", port))
    except OSError as error:
        raise ConfigError(
            f"cannot answer at port {port} ({os.strerror(error.errno or 0)}); choose another --port"
        ) from None
    remaking = Remaking()
    page = LocalPage(meeting, port=bound.getsockname()[1], first=first, remaking=remaking)

    def make() -> None:
        with observer(quiet=False) as looking:
            remake(meeting.id, settings, observer=looking)

    with bound, served_until_closed(make_local_app(page), bound):
        click.echo(f"{page.address}\nThe page is there until you press Ctrl-C.")
        if show and not webbrowser.open(page.address):
            click.echo("No browser was found here: open the address yourself.", err=True)
        while True:
            try:
                remaking.wait()
            except KeyboardInterrupt:
                break
            remaking.work(make)
    click.echo("Closed.")
