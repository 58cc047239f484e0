"""ffmpeg in bounds: a recording comes from strangers, and what reads it is a large program in C.

It runs in a process group of its own that is killed whole: when its time is over, when we are interrupted, and, where
util-linux's `setpriv` is there, by the kernel when we die ourselves. The kernel bounds its processor time, its address
space, its open files and what it may write. Its environment holds no secret of ours, and of what it says only the
beginning and the end are kept.

Not bounded is the number of its processes: RLIMIT_NPROC counts every thread of the user, on the whole machine.
"""

from __future__ import annotations

import contextlib
import functools
import os
import shutil
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import IO

from meetings.errors import FfmpegMissingError

LOG_LIMIT = 4_000_000  # bytes of ffmpeg's log that are kept: a broken file makes millions of complaints
# What a program needs to start; MATTERMOST_TOKEN and the like stay here.
PASSED_ON = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SYSTEMROOT")
# glibc reserves 64 MB of addresses for every thread's arena: with many cores that alone passes any bound.
ARENAS = {"MALLOC_ARENA_MAX": "2"}

_running: set[int] = set()  # process groups


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one run may use: seconds by the clock and of processor time, bytes of addresses and of each file it writes.

    Three hours with a picture take 0.34 GB of addresses, 64 tracks 0.85 GB, a static ffmpeg's own 0.17 GB among them.
    """

    seconds: float = 600.0
    memory: int = 2 * 1024**3
    output: int = 64 * 1024**2
    files: int = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a run ended: exit code (negative: the signal), what it said, and which limit ended it ("" for none)."""

    code: int
    log: str
    limit: str = ""


def run_confined(arguments: Sequence[str], limits: Limits, tell: Callable[[float], None] | None = None) -> Ended:
    """Run ffmpeg within limits; `tell` gets the seconds written. Killed with all it started if we are interrupted.

    Raises:
        FfmpegMissingError: it cannot be started.
    """
    try:
        process = subprocess.Popen(
            [*_with_us(), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**{name: os.environ[name] for name in PASSED_ON if name in os.environ}, **ARENAS},
            start_new_session=True,
        )
    except OSError as error:
        raise FfmpegMissingError from error
    _limit(process.pid, limits)
    log = _Log()
    late = threading.Event()

    def too_late() -> None:
        late.set()
        _kill(process.pid)

    clock = threading.Timer(limits.seconds, too_late)
    clock.daemon = True
    assert process.stdout is not None
    assert process.stderr is not None
    reader = threading.Thread(target=log.read, args=(process.stderr,), daemon=True)
    _running.add(process.pid)
    try:
        clock.start()
        reader.start()
        for line in process.stdout:
            key, _, value = line.decode("ascii", errors="replace").strip().partition("=")
            if tell is not None and key == "out_time_us" and value.isdigit():
                tell(int(value) / 1e6)
        code = process.wait()
    finally:
        clock.cancel()
        if process.poll() is None:
            _kill(process.pid)
            process.wait()
        _running.discard(process.pid)
        reader.join()
        process.stdout.close()
        process.stderr.close()
    return Ended(code=code, log=log.text(), limit="time" if late.is_set() else _passed(code))


def end_running() -> None:
    """Kill every ffmpeg of this process: for an end that runs no cleaning up."""
    for group in tuple(_running):
        _kill(group)


@functools.cache
def _with_us() -> tuple[str, ...]:
    """What lets the kernel end ffmpeg when we are killed; nothing where there is no such program."""
    found = shutil.which("setpriv")
    if found is None:
        return ()
    command = (found, "--pdeathsig", "KILL", "--no-new-privs", "--")
    # Busybox has a setpriv that knows less.
    tried = subprocess.run([*command, "true"], capture_output=True, check=False)
    return command if tried.returncode == 0 else ()


def _limit(pid: int, limits: Limits) -> None:
    """Set after the start, which needs no code of ours between fork and exec; what comes before is microseconds."""
    try:
        import resource

        for kind, most in (
            (resource.RLIMIT_CPU, int(limits.seconds) + 1),
            (resource.RLIMIT_AS, limits.memory),
            (resource.RLIMIT_FSIZE, limits.output),
            (resource.RLIMIT_NOFILE, limits.files),
            (resource.RLIMIT_CORE, 0),
        ):
            hard = resource.prlimit(pid, kind)[1]
            bound = most if hard == resource.RLIM_INFINITY else min(most, hard)
            resource.prlimit(pid, kind, (bound, bound))
    except (ImportError, AttributeError):  # not Linux: the clock and the log are bounded, the rest is not
        return
    except ProcessLookupError:  # it has ended already
        return


def _kill(group: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)


def _passed(code: int) -> str:
    """The limit whose signal ended it."""
    return {-signal.SIGXCPU: "time", -signal.SIGXFSZ: "output"}.get(code, "")


@dataclass(slots=True)
class _Log:
    """The beginning and the end of what is read."""

    _head: bytearray = field(default_factory=bytearray)
    _tail: bytearray = field(default_factory=bytearray)

    def read(self, source: IO[bytes]) -> None:
        """Until nobody writes any more."""
        for chunk in _chunks(source):
            room = LOG_LIMIT // 2 - len(self._head)
            self._head += chunk[:room]
            self._tail += chunk[room:]
            if len(self._tail) > LOG_LIMIT:
                del self._tail[: -LOG_LIMIT // 2]

    def text(self) -> str:
        """What was kept; a line end stands where something was left out."""
        if len(self._tail) <= LOG_LIMIT // 2:
            return (self._head + self._tail).decode("utf-8", errors="replace")
        return (self._head + b"\n" + self._tail[-LOG_LIMIT // 2 :]).decode("utf-8", errors="replace")


def _chunks(source: IO[bytes]) -> Iterator[bytes]:
    while chunk := os.read(source.fileno(), 65536):
        yield chunk
