#!/usr/bin/env python3
"""Write docs/commands.md from the commands' own help; `--check` fails if it is out of date (a test runs it)."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from meetings.cli.main import cli

TARGET = Path(__file__).parents[1] / "docs" / "commands.md"


def pages(command: click.Command, path: str) -> list[str]:
    """The help of a command and, below it, of its sub-commands."""
    context = click.Context(command, info_name=path, max_content_width=100, terminal_width=100)
    result = [f"## {path}\n\n```text\n{command.get_help(context).rstrip()}\n```\n"]
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            child = command.get_command(context, name)
            assert child is not None
            result += pages(child, f"{path} {name}")
    return result


def main() -> None:
    """Write the page, or compare it."""
    text = "# Commands\n\nMade by `scripts/make_command_docs.py` from the commands' own help.\n\n" + "\n".join(
        pages(cli, "meetings")
    )
    if "--check" in sys.argv:
        if not TARGET.exists() or TARGET.read_text() != text:
            sys.exit(f"{TARGET} is out of date; run: python scripts/make_command_docs.py")
    else:
        TARGET.write_text(text)


if __name__ == "__main__":
    main()
