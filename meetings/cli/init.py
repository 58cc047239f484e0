"""`meetings init`: asks what a server needs to be told, and writes it down where nobody else reads it."""

from __future__ import annotations

from pathlib import Path

import click


@click.command(
    epilog="""\b
Examples:
  meetings init
  meetings init --url https://chat.example.org --token-file /run/secrets/bot --yes"""
)
@click.option("--url", help="The Mattermost server's address.")
@click.option(
    "--token-file",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="File with the bot's token. Default: you are asked, and nothing is shown as you type.",
)
@click.option("--audience", type=click.Choice(["members", "participants", "missed"]), help="Who gets a summary.")
@click.option(
    "--file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Where to write. Default: meetings.toml in your config folder.",
)
@click.option("--yes", is_flag=True, help="Ask nothing: take defaults for what was not given.")
@click.option("--force", is_flag=True, help="Replace a file that is there.")
def init(
    url: str | None, token_file: Path | None, audience: str | None, file: Path | None, yes: bool, force: bool
) -> None:
    """Write the settings that a Mattermost server needs.

    Asks for the server's address and the bot's token, proves both, and writes meetings.toml, readable by you alone.
    """
    import platformdirs

    from meetings.config import CONFIG_NAME
    from meetings.errors import ConfigError
    from meetings.mattermost import MattermostClient

    target = file or Path(platformdirs.user_config_dir("meetings")) / CONFIG_NAME
    if target.exists() and not force:
        raise ConfigError(f"{target} is there already; edit it, or replace it with --force")
    if url is None:
        if yes:
            raise click.UsageError("--yes needs --url")
        url = click.prompt("Address of your Mattermost", default="https://")
    assert url is not None
    if token_file is not None:
        token = token_file.read_text(encoding="utf-8").strip()
    elif yes:
        raise click.UsageError("--yes needs --token-file")
    else:
        token = click.prompt("Token of the bot (not shown)", hide_input=True).strip()
    client = MattermostClient(url, token)
    me = client.me()
    click.echo(f"{client.url} knows this token as {me.username}")
    if not me.is_bot:
        click.echo(f"warning: {me.username} is a person's account; a bot's sees less and cannot log in", err=True)
    channels = [c for c in client.my_channels_everywhere() if c.type in {"O", "P"}]
    click.echo(
        f"It is in {len({c.id for c in channels})} channels: {', '.join(sorted({c.name for c in channels})[:12])}"
        if channels
        else "It is in no channel yet: /invite it where calls happen"
    )
    if audience is None:
        audience = (
            "members"
            if yes
            else click.prompt(
                "Who gets a summary of a call",
                type=click.Choice(["members", "participants", "missed"]),
                default="members",
            )
        )
    write_settings(target, url=client.url, token=token, audience=str(audience))
    click.echo(f"Written to {target}, readable by you alone")
    click.echo("Next: meetings doctor, then meetings listen")


def write_settings(target: Path, *, url: str, token: str, audience: str) -> None:
    """Write the file so that at no moment anybody else can read it.

    Raises:
        StorageError: the folder cannot be written.
    """
    import json

    from meetings.store import write_text

    # A JSON string is a TOML basic string.
    text = "\n".join(
        [
            "# What is here is known by: meetings config show",
            f"mattermost_url = {json.dumps(url)}",
            f"mattermost_token = {json.dumps(token)}",
            f"audience = {json.dumps(audience)}",
            "# Send messages without being told to on the command line; `meetings listen` sends them in any case.",
            "deliver = false",
            "",
        ]
    )
    write_text(target, text)
