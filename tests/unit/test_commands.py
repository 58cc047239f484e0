"""The command line: help that is true, quick and has an example for every command."""

import contextlib
import importlib
import os
import pty
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from meetings.cli.main import COMMANDS, cli
from tests.programs import run_python

ROOT = Path(__file__).parents[2]


def every_command() -> Iterator[tuple[str, click.Command]]:
    def below(command: click.Command, path: str) -> Iterator[tuple[str, click.Command]]:
        yield path, command
        if isinstance(command, click.Group):
            context = click.Context(command, info_name=path)
            for name in command.list_commands(context):
                child = command.get_command(context, name)
                assert child is not None
                yield from below(child, f"{path} {name}")

    yield from below(cli, "meetings")


@pytest.mark.parametrize(("path", "command"), list(every_command()), ids=lambda v: v if isinstance(v, str) else "")
def test_every_command_explains_itself_with_an_example(path: str, command: click.Command) -> None:
    assert command.help
    assert command.epilog, path
    assert "Example" in command.epilog
    assert "meetings" in command.epilog


@pytest.mark.parametrize("name", COMMANDS)
def test_the_line_in_the_list_is_the_commands_own(name: str) -> None:
    module, attribute, line = COMMANDS[name]
    command = getattr(importlib.import_module(module), attribute)
    assert command.help.strip().splitlines()[0] == line


def test_the_page_of_commands_is_up_to_date() -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "scripts" / "make_command_docs.py"), "--check"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def test_help_loads_no_engine() -> None:
    code = (
        "import sys; from meetings.cli.main import cli\n"
        "try: cli(['--help'])\n"
        "except SystemExit: pass\n"
        "heavy = {'torch', 'faster_whisper', 'pyannote', 'llama_cpp', 'dbos', 'fastapi', 'pydantic', 'rich', 'yaml'}\n"
        "sys.exit(', '.join(heavy & set(sys.modules)) or 0)"
    )
    run_python(code)


def test_a_search_waits_for_no_engine_that_it_does_not_need(tmp_path: Path) -> None:
    code = (
        "import sys; from meetings.cli.main import cli\n"
        "try: cli(['search', 'parser'])\n"
        "except SystemExit: pass\n"
        "sys.exit(', '.join({'torch', 'faster_whisper', 'pyannote', 'llama_cpp', 'dbos'} & set(sys.modules)) or 0)"
    )
    assert "Nothing was found" in run_python(code, env={**os.environ, "MEETINGS_HOME": str(tmp_path)})


def test_a_mistyped_command_is_asked_about() -> None:
    with pytest.raises(click.UsageError, match=r"Did you mean process\?"):
        cli.main(["proces", "call.mp4"], standalone_mode=False)


@pytest.mark.parametrize(("no_color", "coloured"), [("", True), ("1", False)])
def test_who_wants_no_colours_gets_none_on_a_terminal_either(no_color: str, coloured: bool, tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    environ = {**os.environ, "NO_COLOR": no_color, "TERM": "xterm", "MEETINGS_HOME": str(tmp_path)}
    program = "from meetings.cli.main import main; main()"
    with subprocess.Popen([sys.executable, "-c", program, "doctor"], stdout=theirs, cwd=tmp_path, env=environ):
        os.close(theirs)
        told = b""
        with contextlib.suppress(OSError):  # its end, on Linux
            while piece := os.read(ours, 65536):
                told += piece
    os.close(ours)
    assert b"ffmpeg" in told
    assert (b"\x1b[3" in told) is coloured
