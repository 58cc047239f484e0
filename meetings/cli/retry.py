"""`meetings retry`: what failed gets another turn."""

from __future__ import annotations

from collections.abc import Sequence

import click


@click.command(
    epilog="""\b
Examples:
  meetings retry xfgr8udsptr4irwfn4rphptgnr
  meetings retry --all"""
)
@click.argument("posts", nargs=-1, metavar="POST...")
@click.option("--all", "everything", is_flag=True, help="Every recording that `meetings status` shows as failed.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def retry(posts: Sequence[str], everything: bool, as_json: bool) -> None:
    """Put recordings that failed back into the queue.

    POST is the permalink or the id of a recording's post. A service that runs takes them up at once, else the next one
    that is started. What is known of a recording is not made again, and nobody gets a second message.
    """
    import json

    from meetings.cli.shown import one_line
    from meetings.config import load_settings
    from meetings.mattermost import reference_id
    from meetings.watching import retry as put_back

    if bool(posts) == everything:
        raise click.UsageError("which recordings? give posts, or --all")
    wanted = []
    for post in posts:
        found = reference_id(post)
        if found is None:
            raise click.UsageError(f"{one_line(post)} is no post; give its id or its permalink")
        wanted.append(found)
    done = put_back(load_settings(), wanted)
    if as_json:
        click.echo(json.dumps(done))
        return
    for post, what in done.items():
        click.echo(f"{post} {what}")
    if not done:
        click.echo("nothing failed")
