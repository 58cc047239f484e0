"""`meetings completion`: the shell completion script."""

from __future__ import annotations

import click


@click.command(epilog='Example: eval "$(meetings completion bash)"')
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print the shell completion script.

    Put the line of the example into ~/.bashrc (or ~/.zshrc); for fish: meetings completion fish | source
    """
    from click.shell_completion import get_completion_class

    from meetings.cli.main import cli

    kind = get_completion_class(shell)
    assert kind is not None
    click.echo(kind(cli, {}, "meetings", "_MEETINGS_COMPLETE").source())
