"""A process that has imported the engines of speech, from which runs of `meetings …` are forked.

A run spends some ten seconds of a core on imports, more than on a short clip's sound, and tests start very many. What
is forked is the command as it is: its own entry point, in a session, a folder and an environment of its own. It serves
at a Unix socket for as long as somebody is connected: `tests.warm` talks to it.

Run as a program: `python -m tests.warm_server SOCKET`; the call returns when the server listens.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import importlib
import json
import os
import selectors
import signal
import socket
import sys
import threading
import traceback
import warnings
from pathlib import Path
from typing import Any

# What commands import when they need it.
ENGINES = (
    *("faster_whisper", "llama_cpp", "onnxruntime", "tokenizers", "meetings.llm", "meetings.summary"),
    *(f"meetings.speech.{name}" for name in ("pyannote_pipeline", "resegmentation", "segmentation_network")),
    *(f"meetings.speech.{name}" for name in ("splitting", "voice_features")),
)
LONGEST = 1 << 20  # bytes of a request


def warm_up() -> None:
    """Import what `meetings process` does, in the environment that it gives itself before."""
    os.environ["PYANNOTE_METRICS_ENABLED"] = "false"
    os.environ["HF_HUB_OFFLINE"] = "1"
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
    os.environ["OMP_WAIT_POLICY"] = "passive"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from meetings.cli.main import COMMANDS

        for module in (*ENGINES, *(module for module, _, _ in COMMANDS.values())):
            importlib.import_module(module)
    # What is there by now is there for good: a fork need not look at it for garbage, nor copy its pages.
    gc.collect()
    gc.freeze()


class Server:
    """Forks runs that it is asked for, one a connection, and says how each of them ended."""

    def __init__(self, listener: socket.socket) -> None:
        self._listener = listener
        self._events = selectors.DefaultSelector()
        self._events.register(listener, selectors.EVENT_READ, None)
        self._runs: dict[socket.socket, int] = {}
        self._connections: set[socket.socket] = set()

    def serve(self) -> None:
        """Until the last of those who were connected has gone."""
        met = False
        while self._connections or not met:
            for key, _ in self._events.select():
                if key.fileobj is self._listener:
                    met = True
                    connection, _address = self._listener.accept()
                    self._connections.add(connection)
                    self._events.register(connection, selectors.EVENT_READ, None)
                elif isinstance(key.fileobj, socket.socket):
                    self._hear(key.fileobj)
                else:
                    self._ended(key.fd, key.data)

    def _hear(self, connection: socket.socket) -> None:
        try:
            request, fds, _flags, _address = socket.recv_fds(connection, LONGEST, 3)
        except ConnectionResetError:
            request, fds = b"", []
        if request:
            self._fork(connection, json.loads(request), fds)
            return
        # Whoever asked is gone; nobody waits for the run any more.
        self._events.unregister(connection)
        self._connections.discard(connection)
        connection.close()
        if (pid := self._runs.get(connection)) is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(pid, signal.SIGKILL)

    def _fork(self, connection: socket.socket, request: dict[str, Any], fds: list[int]) -> None:
        pid = os.fork()
        if pid == 0:
            for key in list(self._events.get_map().values()):
                os.close(key.fd)
            self._events.close()
            live(request, fds)
        for fd in fds:
            os.close(fd)
        self._runs[connection] = pid
        watched = os.pidfd_open(pid)
        self._events.register(watched, selectors.EVENT_READ, connection)
        with contextlib.suppress(BrokenPipeError):  # whoever asked is gone: that is heard next
            connection.send(str(pid).encode())

    def _ended(self, watched: int, connection: socket.socket) -> None:
        self._events.unregister(watched)
        os.close(watched)
        _, status = os.waitpid(self._runs.pop(connection), 0)
        if connection in self._connections:
            with contextlib.suppress(BrokenPipeError):
                connection.send(str(os.waitstatus_to_exitcode(status)).encode())


def live(request: dict[str, Any], fds: list[int]) -> None:
    """In the fork: be the process that was asked for; never returns."""
    code = 1
    try:
        os.setsid()
        signal.signal(signal.SIGINT, signal.default_int_handler)
        for number, fd in enumerate(fds):
            os.dup2(fd, number)
            os.close(fd)
        # Those of the process, for its whole life.
        sys.stdin, sys.stdout = open(0), open(1, "w")  # noqa: SIM115
        sys.stderr = open(2, "w", buffering=1, errors="backslashreplace")  # noqa: SIM115
        os.chdir(request["cwd"])
        os.umask(request["umask"])
        os.environ.clear()
        os.environ.update(request["env"])
        sys.argv = request["argv"]
        from meetings.cli import main

        main()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:  # noqa: BLE001 - as the interpreter does
        traceback.print_exc()
    finally:
        # What the interpreter does at its end, without the destructors of libraries whose threads were not forked.
        threading._shutdown()  # type: ignore[attr-defined]
        atexit._run_exitfuncs()
        sys.stdout.flush()
        os._exit(code)


def start(path: str) -> None:
    """Serve at a socket from a process of its own; returns when it listens."""
    ours, theirs = os.pipe()
    if os.fork():
        os.close(theirs)
        if os.read(ours, 1) != b"+":
            sys.exit("the warm process did not start")
        return
    os.setsid()
    os.close(ours)
    warm_up()
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
        listener.bind(path)
        listener.listen(64)
        os.write(theirs, b"+")
        os.close(theirs)
        nowhere = os.open(os.devnull, os.O_RDWR)
        for number in range(3):
            os.dup2(nowhere, number)
        Server(listener).serve()
        Path(path).unlink(missing_ok=True)  # before it is closed: a next server's would have the same name


if __name__ == "__main__":
    start(sys.argv[1])
