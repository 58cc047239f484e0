"""Which sandbox runs where: looked up, started in the background, stopped and reset from another process."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from meetings.errors import SandboxError

LOCK = "server.lock"
STATE = "server.json"
LOG = "server.log"
# What a sandbox keeps in its folder; nothing else is ever deleted there.
OWN_FILES = ("sandbox.db", "sandbox.db-wal", "sandbox.db-shm", "credentials.json", STATE, LOG)
OWN_FOLDERS = ("files",)

START_TIMEOUT = 120.0  # seconds
FILL_TIMEOUT = 3600.0  # with a company of one's own, which may have years of posts
STOP_TIMEOUT = 15.0  # seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A process that serves a folder."""

    pid: int
    url: str
    host: str


def find_running(folder: Path) -> Running | None:
    """The process that serves this folder and answers, if there is one.

    Raises:
        SandboxError: the folder is held, but nothing answers.
    """
    if not is_held(folder):
        return None
    deadline = time.monotonic() + START_TIMEOUT
    while True:
        running = _read(folder)
        if running is not None and answers(running.url):
            return running
        if not is_held(folder):
            return None
        if time.monotonic() > deadline:
            raise SandboxError(f"a process holds {folder} but does not answer; see {folder / LOG}")
        time.sleep(0.1)


def is_held(folder: Path) -> bool:
    """Whether some process serves this folder or is about to."""
    if not (folder / LOCK).exists():
        return False
    lock = FileLock(folder / LOCK)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        return True
    lock.release()
    return False


def answers(url: str) -> bool:
    """Whether a sandbox answers there, asked where no fault strikes."""
    import requests

    try:
        return requests.get(f"{url}/api/sandbox/ping", timeout=5).status_code == 200
    except requests.RequestException:
        return False


def start_in_background(
    folder: Path,
    *,
    host: str,
    port: int,
    now: str | None,
    empty: bool,
    misbehave: str | None = None,
    company: Path | None = None,
) -> Running:
    """Start a process of its own that serves a folder, and wait until it answers.

    Args:
        folder: where everything is kept.
        host: the address to answer on.
        port: the port; 0 takes a free one.
        now: the moment that a new sandbox's days count back from, ISO 8601.
        empty: whether a new sandbox stays without a company.
        misbehave: what goes wrong from the start, as JSON.
        company: the file or folder of the company of a new sandbox; None: the one that comes with the program.

    Raises:
        SandboxError: it did not start; with the reason it gave.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        log = (folder / LOG).open("w", encoding="utf-8")
    except OSError as error:
        raise SandboxError(f"{folder}: the sandbox cannot use this folder ({error.strerror})") from error
    command = [sys.executable, "-m", "meetings.sandbox", str(folder), "--host", host, "--port", str(port)]
    command += ["--now", now] if now else []
    command += ["--empty"] if empty else []
    command += ["--misbehave", misbehave] if misbehave else []
    command += ["--company", str(company)] if company else []
    with log:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, cwd="/"
        )
    timeout = FILL_TIMEOUT if company else START_TIMEOUT
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise SandboxError(_last_line(folder / LOG))
        running = _read(folder)
        if running is not None and running.pid == process.pid and answers(running.url):
            # Not a child to wait for: it lives on after this process.
            process.returncode = 0
            return running
        time.sleep(0.1)
    process.kill()
    process.wait()
    raise SandboxError(f"the sandbox did not start within {timeout:.0f} s; see {folder / LOG}")


def stop(folder: Path) -> Running | None:
    """Stop the process that serves this folder; None when there was none.

    Raises:
        SandboxError: it does not stop.
    """
    running = _read(folder)
    if not is_held(folder) or running is None:
        return None
    if running.pid == os.getpid():
        raise SandboxError("this process serves the sandbox itself")
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.kill(running.pid, number)
        except ProcessLookupError:
            return running
        deadline = time.monotonic() + STOP_TIMEOUT
        while time.monotonic() < deadline:
            if not is_held(folder):
                (folder / STATE).unlink(missing_ok=True)
                return running
            time.sleep(0.05)
    raise SandboxError(f"process {running.pid} does not stop")


def reset(folder: Path) -> None:
    """Stop the sandbox and delete its data; other files in the folder stay.

    Raises:
        SandboxError: it does not stop, or its data cannot be deleted.
    """
    stop(folder)
    try:
        for name in OWN_FILES:
            (folder / name).unlink(missing_ok=True)
        for name in OWN_FOLDERS:
            if (folder / name).exists():
                shutil.rmtree(folder / name)
        (folder / LOCK).unlink(missing_ok=True)
    except OSError as error:
        raise SandboxError(f"{folder}: cannot be reset ({error.strerror})") from error


def _read(folder: Path) -> Running | None:
    try:
        return Running(**json.loads((folder / STATE).read_text(encoding="utf-8")))
    except (FileNotFoundError, ValueError, TypeError):
        return None


def _last_line(log: Path) -> str:
    lines = [line for line in log.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]
    return lines[-1].removeprefix("error: ") if lines else f"the sandbox did not start; see {log}"
