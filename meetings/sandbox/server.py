"""Running a sandbox: in this process until told to stop, or in a thread for tests.

One process serves a folder at a time: it holds `server.lock` while it runs, and says in `server.json` where it
answers.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from filelock import FileLock, Timeout

from meetings.errors import SandboxError, StorageError
from meetings.sandbox.credentials import Credentials, load_credentials
from meetings.sandbox.state import LOCK, STATE, Running

# The server itself (FastAPI, SQLAlchemy) loads when one starts: commands that only talk to one answer sooner.
if TYPE_CHECKING:
    import uvicorn

    from meetings.sandbox.company import Company
    from meetings.sandbox.faults import Plan
    from meetings.sandbox.world import World

START_TIMEOUT = 60.0  # seconds
# Open sockets are told goodbye; after this they are cut (seconds).
GRACE = 3
# Tests hand over a company as it stands in a file.
CompanySource: TypeAlias = "Path | Company | Mapping[str, object]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sandbox:
    """A running sandbox."""

    url: str
    folder: Path
    tokens: Credentials
    world: World

    @property
    def bot_token(self) -> str:
        """The token of the bot `meetings`."""
        assert self.tokens.bot_token is not None
        return self.tokens.bot_token

    def permalink(self, post_id: str) -> str:
        """The link that Mattermost copies for a post."""
        return f"{self.url}/{self.tokens.team}/pl/{post_id}"


def serve(
    folder: Path,
    *,
    host: str,
    port: int,
    company: CompanySource | None,
    anchor: datetime | None,
    started: Callable[[Sandbox], None],
    misbehave: Plan | None = None,
) -> None:
    """Serve a folder until the process is told to stop.

    Args:
        folder: where everything is kept.
        host: the address to answer on.
        port: the port; 0 takes a free one.
        company: what a new sandbox is filled with; None: nothing.
        anchor: the moment that a new sandbox's days count back from; None: now.
        started: called once requests are answered.
        misbehave: what goes wrong from the start; it can be changed while the sandbox runs.

    Raises:
        SandboxError: another process serves the folder, the port is taken, or the data does not fit.
    """
    with _prepared(folder, host=host, port=port, company=company, anchor=anchor, misbehave=misbehave) as (
        server,
        listener,
        sandbox,
    ):
        thread = threading.Thread(target=_tell_when_started, args=(server, sandbox, started), daemon=True)
        thread.start()
        # uvicorn ends in order on SIGTERM and Ctrl-C and then raises the signal again: this makes both an ordinary end.
        before = signal.signal(signal.SIGTERM, signal.default_int_handler)
        try:
            server.run(sockets=[listener])
        except KeyboardInterrupt:
            server.should_exit = True
        finally:
            signal.signal(signal.SIGTERM, before)


@contextmanager
def run_in_thread(
    folder: Path,
    *,
    company: CompanySource | None = None,
    now: datetime | None = None,
    port: int = 0,
    max_file_size: int | None = None,
    misbehave: Plan | None = None,
) -> Iterator[Sandbox]:
    """Serve a folder from a thread of this process, on loopback, for the time of a `with` block.

    Args:
        folder: where everything is kept; what it holds is served again.
        company: what a new sandbox is filled with; None: nothing.
        now: the moment that a new sandbox's days count back from; None: now.
        port: the port; 0 takes a free one.
        max_file_size: larger uploads are refused, in bytes; None: as `world` has it.
        misbehave: what goes wrong from the start.
    """
    with _prepared(
        folder,
        host="127.0.0.1",
        port=port,
        company=company,
        anchor=now,
        max_file_size=max_file_size,
        misbehave=misbehave,
    ) as (server, listener, sandbox):
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="sandbox")
        thread.start()
        try:
            _wait_until_started(server, thread)
            yield sandbox
        finally:
            server.should_exit = True
            thread.join()


@contextmanager
def _prepared(
    folder: Path,
    *,
    host: str,
    port: int,
    company: CompanySource | None,
    anchor: datetime | None,
    max_file_size: int | None = None,
    misbehave: Plan | None = None,
) -> Iterator[tuple[uvicorn.Server, socket.socket, Sandbox]]:
    """Lock the folder, take the port, fill the world, and clean up after the block."""
    import uvicorn
    from sqlalchemy.exc import OperationalError

    from meetings.sandbox.app import create_app
    from meetings.sandbox.misbehave import Connections
    from meetings.sandbox.world import MAX_FILE_SIZE, World

    world = World.open(folder, max_file_size=MAX_FILE_SIZE if max_file_size is None else max_file_size)
    lock = FileLock(folder / LOCK)
    try:
        # Not at once: whoever asks whether the folder is served holds the lock for a moment.
        lock.acquire(timeout=3)
    except Timeout:
        world.close()
        raise SandboxError(f"another process serves the sandbox in {folder}; see: meetings sandbox status") from None
    listener: socket.socket | None = None
    try:
        listener = _listen(host, port)
        world.url = _url(host, listener.getsockname()[1])
        try:
            tokens = _tokens(world, company, anchor)
        except (OSError, OperationalError) as error:
            raise StorageError(folder, str(error.orig if isinstance(error, OperationalError) else error)) from error
        if misbehave is not None:
            world.faults.follow(misbehave)
        sandbox = Sandbox(url=world.url, folder=folder, tokens=tokens, world=world)
        _say(folder, Running(pid=os.getpid(), url=world.url, host=host))
        config = uvicorn.Config(
            create_app(world, host=host),
            http=Connections,
            log_level="warning",
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=GRACE,
            ws_max_size=1024 * 1024,
        )
        yield uvicorn.Server(config), listener, sandbox
    finally:
        (folder / STATE).unlink(missing_ok=True)
        if listener is not None:
            listener.close()
        world.close()
        lock.release()


def _tokens(world: World, company: CompanySource | None, anchor: datetime | None) -> Credentials:
    """Fill a new world; the tokens, with the address where it answers now."""
    from meetings.sandbox.seed import check_seeded, seed

    if not check_seeded(world, anchor=anchor, empty=company is None):
        return seed(world, None if company is None else _read(company), anchor=anchor)
    tokens = replace(load_credentials(world.folder), url=world.url)
    tokens.save(world.folder)
    return tokens


def _read(company: CompanySource) -> Company:
    from meetings.sandbox.company import Company, check_company, read_company

    if isinstance(company, Company):
        return company
    if isinstance(company, Path):
        return read_company(company)
    return check_company(company, origin="company")


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(128)
    except (OSError, OverflowError) as error:
        listener.close()
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise SandboxError(
            f"cannot listen on {host}:{port} ({reason}); choose another with --port, 0 takes a free one"
        ) from error
    return listener


def _url(host: str, port: int) -> str:
    """Where it answers, as somebody on this machine would write it."""
    name = "127.0.0.1" if host in {"0.0.0.0", ""} else f"[{host}]" if ":" in host else host
    return f"http://{name}:{port}"


def _say(folder: Path, running: Running) -> None:
    partial = folder / f"{STATE}.part"
    partial.write_text(json.dumps(asdict(running)), encoding="utf-8")
    partial.replace(folder / STATE)


def _wait_until_started(server: uvicorn.Server, thread: threading.Thread) -> None:
    deadline = time.monotonic() + START_TIMEOUT
    while not server.started:
        if not thread.is_alive() or time.monotonic() > deadline:
            raise SandboxError("the sandbox did not start")
        time.sleep(0.01)


def _tell_when_started(server: uvicorn.Server, sandbox: Sandbox, started: Callable[[Sandbox], None]) -> None:
    while not server.started and not server.should_exit:
        time.sleep(0.01)
    if server.started:
        started(sandbox)
