"""Work whose end could not be written down, as on a full disk, is taken up again by the process that was at it."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from dbos._dbos import _get_dbos_instance
from sqlalchemy.exc import OperationalError

from meetings.arrivals import Wait, decide_again
from meetings.config import Settings
from meetings.left_work import EVERY, LeftWork
from meetings.pipeline import Silent
from meetings.service import Service
from meetings.steps import plain

SAID = "we shall all go to Zanzibar"


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    with Service(Settings(home=tmp_path / "home"), Silent()) as running:
        yield running


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def state_of(service: Service) -> str:
    with sqlite3.connect(service._settings.home / "state" / "service.sqlite", timeout=30) as steps:
        (state,) = steps.execute("SELECT status FROM workflow_status WHERE name = 'correct_names'").fetchone()
    steps.close()
    return str(state)


def wait_for(service: Service, state: str) -> None:
    """Until it is in that state and the process knows that it is at it no longer, which it does a moment later."""
    end = time.monotonic() + 60
    while state_of(service) != state or _get_dbos_instance()._active_workflows_set.activeList():
        assert time.monotonic() < end, state_of(service)
        time.sleep(0.1)


def leave(service: Service) -> None:
    """What is left of work whose end could not be written down."""
    with sqlite3.connect(service._settings.home / "state" / "service.sqlite", timeout=30) as steps:
        steps.execute("UPDATE workflow_status SET status = 'PENDING', output = NULL, completed_at = NULL")
    steps.close()


def test_work_that_nobody_is_at_is_taken_up_again(service: Service) -> None:
    clock = Clock()
    looking = LeftWork("service", clock=clock)
    service.put_remake("f" * 26, "again")
    wait_for(service, "SUCCESS")
    leave(service)
    assert looking.look() == []  # it may have been taken this moment
    clock.now += EVERY
    assert looking.look() == ["names:again"]
    wait_for(service, "SUCCESS")


def test_the_service_looks_for_it_by_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("meetings.left_work.EVERY", 0.2)
    with Service(Settings(home=tmp_path / "home"), Silent()) as service:
        service.put_remake("f" * 26, "again")
        wait_for(service, "SUCCESS")
        leave(service)
        wait_for(service, "SUCCESS")


def test_work_that_is_left_again_and_again_is_waited_for_longer(service: Service) -> None:
    clock = Clock()
    looking = LeftWork("service", clock=clock)
    service.put_remake("f" * 26, "again")
    waited = []
    for _ in range(3):
        wait_for(service, "SUCCESS")
        leave(service)
        looking.look()
        began = clock.now
        while not looking.look():
            clock.now += EVERY
        waited.append(clock.now - began)
    assert waited == [EVERY, 2 * EVERY, 4 * EVERY]


def test_what_could_not_be_written_down_is_not_quoted() -> None:
    error = OperationalError("INSERT …", {"output": SAID}, sqlite3.OperationalError("database or disk is full"))
    assert str(plain(error)) == "the steps' database cannot be used (database or disk is full)"
    assert isinstance(decide_again(plain(error), attempt=100), Wait)
