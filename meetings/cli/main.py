"""The `meetings` command: which sub-commands there are, and how every error ends."""

from __future__ import annotations

import errno
import importlib
import os
import sys

import click

from meetings import __version__
from meetings.cli.shown import one_line
from meetings.errors import MeetingsError, refusal
from meetings.telemetry import no_telemetry

# Name of the command -> (module, attribute, the line shown in `meetings --help`). The line stands here as well as in
# the command's own docstring so that help needs no import; a test compares the two.
COMMANDS: dict[str, tuple[str, str, str]] = {
    "process": ("meetings.cli.process", "process", "Turn a recording into a summary for each person."),
    "batch": ("meetings.cli.batch", "batch", "Work through many recordings, one after the other."),
    "listen": (
        "meetings.cli.listen",
        "listen",
        "Wait for calls to be recorded, and send everyone their summary.",
    ),
    "serve": ("meetings.cli.serve", "serve", "Wait for calls like `listen`, and answer by HTTP."),
    "worker": (
        "meetings.cli.worker",
        "worker",
        "Work on what `listen` and `serve` queue, on any number of machines.",
    ),
    "status": ("meetings.cli.status", "status", "Show what waits, what is worked on, and what failed."),
    "retry": ("meetings.cli.retry", "retry", "Put recordings that failed back into the queue."),
    "summarize": (
        "meetings.cli.summarize",
        "summarize",
        "Summarise a transcript for each person, without audio.",
    ),
    "brief": ("meetings.cli.brief", "brief", "Tell one person where an incident stands."),
    "channel": ("meetings.cli.channel", "channel", "Tell one person what is new in a channel and theirs."),
    "search": ("meetings.cli.search", "search", "Find where something was said, in all meetings."),
    "ask": ("meetings.cli.ask", "ask", "Answer a question from what was said in meetings."),
    "trends": (
        "meetings.cli.trends",
        "trends",
        "Show what stays open from one meeting of a series to the next.",
    ),
    "catchup": ("meetings.cli.catchup", "catchup", "Catch one person up on a channel."),
    "digest": ("meetings.cli.digest", "digest", "Tell one person in one message what they missed."),
    "alerts": ("meetings.cli.alerts", "alerts", "Show and set what people are alerted of."),
    "speakers": (
        "meetings.cli.speakers",
        "speakers",
        "Show who speaks in a processed recording, and correct it.",
    ),
    "report": (
        "meetings.cli.report",
        "report",
        "Look at a processed meeting in the browser, and listen to it.",
    ),
    "save": (
        "meetings.cli.save",
        "save",
        "Save a processed meeting as a document, subtitles, or a list of actions.",
    ),
    "voices": ("meetings.cli.voices", "voices", "Keep voiceprints of people who agreed to it."),
    "people": ("meetings.cli.people", "people", "Show who reads summaries and what matters to them."),
    "purge": (
        "meetings.cli.purge",
        "purge",
        "Remove what is older than the settings say, and what is left of deleted recordings.",
    ),
    "forget": ("meetings.cli.forget", "forget", "Remove what is held about USER."),
    "export": (
        "meetings.cli.export_person",
        "export",
        "Write everything that is held about USER into a file for them.",
    ),
    "audit": (
        "meetings.cli.audit",
        "audit",
        "Show who got what and why, and check that nobody changed it.",
    ),
    "db": ("meetings.cli.db", "db", "Check, upgrade, back up and restore the database."),
    "compare": (
        "meetings.cli.compare",
        "compare",
        "Find out which language model serves best, on your own conversations.",
    ),
    "models": ("meetings.cli.models", "models", "List, fetch and check model files."),
    "sandbox": (
        "meetings.cli.sandbox",
        "sandbox",
        "Run a small Mattermost with a sample company and a sample call.",
    ),
    "init": ("meetings.cli.init", "init", "Write the settings that a Mattermost server needs."),
    "doctor": ("meetings.cli.doctor", "doctor", "Check everything a run needs, each with its remedy."),
    "config": ("meetings.cli.config", "config", "Show settings and where each value came from."),
    "completion": ("meetings.cli.completion", "completion", "Print the shell completion script."),
}


class LazyGroup(click.Group):
    """A group that imports a sub-command's module when it is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names in the order of `COMMANDS`: the main job first."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command's module and return the command."""
        if cmd_name not in COMMANDS:
            return None
        module, attribute, _ = COMMANDS[cmd_name]
        command = getattr(importlib.import_module(module), attribute)
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does, with the command that may have been meant."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            import difflib

            near = difflib.get_close_matches(args[0], COMMANDS, n=1)
            if not near or args[0].startswith("-"):
                raise
            raise click.UsageError(f"{error.message} Did you mean {near[0]}?", ctx) from None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List commands with their one-line help, without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, _, line) in COMMANDS.items()])


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Example: meetings process call.mp4 --people people.yml --out summaries/",
)
@click.version_option(__version__, prog_name="meetings")
def cli() -> None:
    """Self-hosted meeting summaries for Mattermost.

    Takes a call recording, writes down who said what, and sends each person a summary of what matters to them.
    Everything runs on this machine.
    """


# What a disk, or who owns it, says no with; anything else that the system refuses is a defect of ours, and tells where.
_REFUSALS = frozenset({errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT, errno.EIO})


def main() -> None:
    """Entry point: run the command, turn every ending into an exit code.

    0 done; 1 failed with one line on stderr; 2 usage; 3 finished with some people not delivered, or some backends
    failed; 130 interrupted.
    """
    # Set before any engine is imported: Hugging Face libraries look for updates, and libgomp's spinning threads slow
    # down the other engines.
    no_telemetry()
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    try:
        # As rich does by itself: https://no-color.org
        result = cli.main(standalone_mode=False, color=False if os.environ.get("NO_COLOR") else None)
    except click.exceptions.Abort:
        _interrupted()
    except KeyboardInterrupt:
        _interrupted()
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except MeetingsError as error:
        click.echo(f"error: {one_line(str(error))}", err=True)
        sys.exit(error.exit_code)
    except BrokenPipeError:
        # The reader (head, less) went away: not an error of ours.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except OSError as error:
        if error.errno not in _REFUSALS:
            raise
        where = f"{error.filename}: " if error.filename else ""
        click.echo(f"error: {one_line(where + refusal(error))}", err=True)
        sys.exit(1)
    sys.exit(result if isinstance(result, int) else 0)


def _interrupted() -> None:
    if (llama := sys.modules.get("meetings.llm.llamacpp")) is not None:
        llama.speak_again()  # a thread that loads a model has silenced the whole process
    click.echo("interrupted; run the same command again to go on where it stopped", err=True)
    sys.stderr.flush()
    if (confined := sys.modules.get("meetings.speech.confined")) is not None:
        confined.end_running()  # ffmpeg has a process group of its own, which Ctrl-C does not reach
    # Engines keep worker threads that do not know of Ctrl-C; results on disk are complete or absent.
    os._exit(130)
