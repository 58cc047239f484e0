"""Ctrl-C says that the same command goes on, whatever a thread of the program does with the terminal meanwhile."""

from __future__ import annotations

import subprocess
import sys

LOADING = """
import os, sys, threading
from meetings.llm import llamacpp

inside, go_on = threading.Event(), threading.Event()

def load() -> None:
    with llamacpp._silence():
        inside.set()
        go_on.wait()

{before}
"""


def said(before: str) -> tuple[int, str, str]:
    done = subprocess.run(
        [sys.executable, "-c", LOADING.format(before=before)], capture_output=True, text=True, timeout=300, check=False
    )
    return done.returncode, done.stdout, done.stderr


def test_what_is_said_while_a_model_is_loaded_goes_nowhere() -> None:
    code, out, err = said(
        "with llamacpp._silence():\n    os.write(1, b'log'); os.write(2, b'log')\nos.write(2, b'after')"
    )
    assert (code, out, err) == (0, "", "after")


def test_ctrl_c_is_answered_while_another_thread_loads_a_model() -> None:
    code, _, err = said(
        "threading.Thread(target=load, daemon=True).start(); inside.wait()\n"
        "from meetings.cli.main import _interrupted\n_interrupted()"
    )
    assert code == 130
    assert "run the same command again" in err


def test_two_models_that_are_loaded_at_once_give_the_terminal_back() -> None:
    code, _, err = said(
        "one = threading.Thread(target=load); one.start(); inside.wait()\n"
        "with llamacpp._silence():\n    go_on.set(); one.join(); os.write(2, b'still')\nos.write(2, b'after')"
    )
    assert (code, err) == (0, "after")
