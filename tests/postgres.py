"""A PostgreSQL server of the tests' own: on a free port of this machine, its data in a temporary folder."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.ports import held_port

PATIENCE = 120.0  # seconds until the server has to answer
USER = "meetings"


def find_programs() -> Path | None:
    """The folder with `initdb` and `postgres`: Debian's newest, else what PATH has."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: float(p.parent.name), reverse=True)
    on_path = shutil.which("initdb")
    folders += [Path(on_path).parent] if on_path else []
    return next((f for f in folders if (f / "initdb").exists() and (f / "postgres").exists()), None)


@contextlib.contextmanager
def running_postgres() -> Iterator[str]:
    """A server, as the URL of its first database; it is gone, with all its data, when the block ends."""
    programs = find_programs()
    if programs is None:
        pytest.skip("no PostgreSQL server here (apt-get install postgresql): what needs one is NOT tested")
    # The server refuses to run as root.
    account = "nobody" if os.getuid() == 0 else None
    folder = Path(tempfile.mkdtemp(prefix="meetings-postgres-"))
    data = folder / "data"
    if account:
        shutil.chown(folder, account)
    try:
        subprocess.run(
            [programs / "initdb", "-D", data, "-U", USER, "--auth=trust", "--no-sync", "--encoding=UTF8", "--locale=C"],
            check=True,
            capture_output=True,
            user=account,
            cwd=folder,
        )
        with held_port() as port:
            settings = {
                "listen_addresses": "127.0.0.1",
                "unix_socket_directories": "",
                "port": port,
                "max_connections": 200,
            }
            # Nothing here has to outlive the machine.
            settings |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
            options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
            with (folder / "log").open("wb") as log:
                server = subprocess.Popen(
                    [programs / "postgres", "-D", data, *options], stdout=log, stderr=log, user=account, cwd=folder
                )
            url = f"postgresql://{USER}@127.0.0.1:{port}/postgres"
            try:
                _wait(url, server, folder / "log")
                yield url
            finally:
                server.send_signal(signal.SIGINT)  # "fast": clients that are still there are not waited for
                try:
                    server.wait(10)
                except subprocess.TimeoutExpired:
                    server.kill()
                    server.wait()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def new_database(url: str) -> str:
    """An empty database in the server of `url`; its own URL."""
    name = f"test_{uuid.uuid4().hex}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"'.encode())
    return f"{url.rpartition('/')[0]}/{name}"


def _wait(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + PATIENCE
    while True:
        if server.poll() is not None:
            raise RuntimeError(f"PostgreSQL ended: {log.read_text()[-2000:]}")
        try:
            psycopg.connect(url, connect_timeout=2).close()
            return
        except psycopg.OperationalError:
            if time.monotonic() > end:
                raise
            time.sleep(0.1)
