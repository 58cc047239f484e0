"""A named lock is one process's at a time, on one machine or among all that share a database."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
from filelock import Timeout

from meetings.config import Settings, load_settings
from meetings.errors import DatabaseError
from meetings.store import DatabaseLock, named_lock


@pytest.fixture(params=["file", "database"])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    environ = {"MEETINGS_HOME": str(tmp_path)}
    if request.param == "database":
        environ["MEETINGS_DATABASE_URL"] = request.getfixturevalue("postgres_url")
    return load_settings(environ=environ)


def test_who_comes_second_is_told(settings: Settings) -> None:
    with named_lock(settings, "r"), pytest.raises(Timeout):
        named_lock(settings, "r").acquire(timeout=0)


def test_a_lock_that_was_given_back_can_be_taken(settings: Settings) -> None:
    with named_lock(settings, "r"):
        pass
    with named_lock(settings, "r").acquire(timeout=0):
        pass


def test_different_names_do_not_wait_for_each_other(settings: Settings) -> None:
    with named_lock(settings, "r"), named_lock(settings, "s").acquire(timeout=0):
        pass


HOLD = "import sys, time\nfrom meetings.store import DatabaseLock\nlock = DatabaseLock(sys.argv[1], 'w').acquire()\n"


def test_the_lock_of_a_process_that_was_killed_can_be_taken(postgres_url: str) -> None:
    command = [sys.executable, "-c", HOLD + "print('held', flush=True)\ntime.sleep(60)", postgres_url]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        assert not DatabaseLock(postgres_url, "w").take()
        holder.kill()
        holder.wait()
    with DatabaseLock(postgres_url, "w").acquire(timeout=60):
        pass


def test_a_lock_whose_connection_is_cut_is_known_to_be_lost(postgres_url: str) -> None:
    lock = DatabaseLock(postgres_url, "w")
    with lock:
        lock.check()
        with psycopg.connect(postgres_url, autocommit=True) as admin:
            admin.execute("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'")
        with pytest.raises(DatabaseError):
            lock.check()


def test_a_server_that_is_away_is_told_in_one_line_without_the_password() -> None:
    with pytest.raises(DatabaseError) as told:
        DatabaseLock("postgresql://u:s3cr3t@127.0.0.1:9/x", "w").take()
    assert "s3cr3t" not in str(told.value)
    assert "\n" not in str(told.value)
