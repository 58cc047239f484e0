"""Runs of `meetings …` that are forked from a process which has imported everything (see `tests.warm_server`).

A `WarmRun` is to its test what a `subprocess.Popen` is: the same command, with signals, pipes and an exit code.
"""

from __future__ import annotations

import hashlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Thread
from typing import IO, Any

from filelock import FileLock

ROOT = Path(__file__).parents[1]


class WarmRun:
    """One forked run, in a session of its own."""

    def __init__(self, connection: socket.socket, argv: Sequence[str], stdout: IO[str] | None, stderr: IO[str] | None):
        self._connection = connection
        self.args = list(argv)
        self.stdout, self.stderr = stdout, stderr
        self.returncode: int | None = None
        self.pid = int(connection.recv(64))
        self._readers: list[tuple[Thread, list[str]]] = []

    def poll(self) -> int | None:
        """How it ended; None while it runs."""
        if self.returncode is None and select.select([self._connection], [], [], 0)[0]:
            self._end()
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end.

        Raises:
            subprocess.TimeoutExpired: it took longer.
        """
        if self.returncode is None:
            if not select.select([self._connection], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired(self.args, timeout or 0)
            self._end()
        assert self.returncode is not None
        return self.returncode

    def _end(self) -> None:
        told = self._connection.recv(64)
        self._connection.close()
        assert told, "the warm process is gone"
        self.returncode = int(told)

    def communicate(self, timeout: float | None = None) -> tuple[str, str]:
        """What it still says until its end, on stdout and stderr.

        Raises:
            subprocess.TimeoutExpired: it took longer; nothing that it said is lost.
        """
        end = None if timeout is None else time.monotonic() + timeout
        if not self._readers:
            for stream in (self.stdout, self.stderr):
                said: list[str] = []
                reader = Thread(target=_read, args=(stream, said), daemon=True)
                reader.start()
                self._readers.append((reader, said))
        for reader, _ in self._readers:
            reader.join(None if end is None else max(0.0, end - time.monotonic()))
            if reader.is_alive():
                raise subprocess.TimeoutExpired(self.args, timeout or 0)
        self.wait(None if end is None else max(0.0, end - time.monotonic()))
        out, err = ("".join(said) for _, said in self._readers)
        return out, err

    def send_signal(self, number: int) -> None:
        """Send it a signal, unless it has ended."""
        if self.poll() is None:
            with suppress(ProcessLookupError):  # it ended, and we are not told of it yet
                os.kill(self.pid, number)

    def kill(self) -> None:
        """Kill it."""
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)


def _read(stream: IO[str] | None, said: list[str]) -> None:
    if stream is not None:
        with stream:
            said.append(stream.read())


class Warm:
    """The server of a test session, from which all of the session's workers have their runs forked."""

    def __init__(self, address: Path) -> None:
        self._address = address

    def start(self, argv: Sequence[str], *, cwd: Path, env: Mapping[str, str], log: IO[bytes] | None = None) -> WarmRun:
        """Start a run.

        Args:
            argv: the command line.
            cwd: its folder.
            env: its whole environment.
            log: where it writes to; without one, to pipes that the run is read from.
        """
        connection = _connected(self._address)
        request = {"argv": list(argv), "cwd": str(cwd), "env": dict(env), "umask": _umask()}
        with Path(os.devnull).open("rb") as nothing:
            if log is not None:
                _ask(connection, request, [nothing.fileno(), log.fileno(), log.fileno()])
                return WarmRun(connection, argv, None, None)
            (out, to_out), (err, to_err) = os.pipe(), os.pipe()
            _ask(connection, request, [nothing.fileno(), to_out, to_err])
        os.close(to_out)
        os.close(to_err)
        return WarmRun(connection, argv, os.fdopen(out, encoding="utf-8"), os.fdopen(err, encoding="utf-8"))


def _ask(connection: socket.socket, request: Mapping[str, Any], fds: Sequence[int]) -> None:
    socket.send_fds(connection, [json.dumps(request).encode()], list(fds))


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def _connected(address: Path) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    try:
        connection.connect(str(address))
    except OSError:
        connection.close()
        raise
    return connection


@contextmanager
def warm_runs(session: Path) -> Iterator[Warm]:
    """The server of a test session, started by whoever needs it first; it ends with the last of its users.

    Args:
        session: a folder that all workers of the session know and no other session does.
    """
    # Not in that folder: a socket's address may have no more than 107 characters.
    address = Path(tempfile.gettempdir()) / f"warm-{hashlib.sha256(str(session).encode()).hexdigest()[:16]}"
    with FileLock(session / "warm.lock"):
        try:
            presence = _connected(address)
        except OSError:
            address.unlink(missing_ok=True)
            clean = {k: v for k, v in os.environ.items() if not k.startswith(("MEETINGS_", "MATTERMOST_"))}
            command = [sys.executable, "-m", "tests.warm_server", str(address)]
            subprocess.run(command, cwd=ROOT, env=clean, stdin=subprocess.DEVNULL, check=True, timeout=300)
            presence = _connected(address)
    try:
        yield Warm(address)
    finally:
        presence.close()
