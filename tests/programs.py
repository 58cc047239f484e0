"""Short programs that tests run in a Python of their own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).parents[1]


def run_python(code: str, *args: str | Path, env: Mapping[str, str] | None = None) -> str:
    """Run a program that has to end well; what it prints.

    Args:
        code: the program.
        args: what it finds in `sys.argv[1:]`.
        env: its whole environment; None: this process's.
    """
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, args)],
        cwd=ROOT,
        env=env,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
