"""The command line: parses, calls, prints. No logic lives here.

Each command group is a module that is imported only when its command runs, so that `meetings --help` answers at once;
torch and its friends load when a stage needs them. Errors of this program end here, as one line on stderr.
"""

from meetings.cli.main import main

__all__ = ["main"]
