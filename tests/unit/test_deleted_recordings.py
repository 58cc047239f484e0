"""A recording that was deleted while its server was away, or while it was worked on, goes all the same."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import meetings.service
from meetings.arrivals import Wait
from meetings.config import Settings
from meetings.errors import MattermostNotFoundError, MattermostUnreachableError
from meetings.mattermost.entities import Post
from meetings.pipeline import Silent
from meetings.recordings import recording_lock
from meetings.service import Service
from tests.kept_results import Kept, keep_recording

URL = "https://chat.test"


class Server:
    """Knows the recording's post no more, and is away for the first so many questions."""

    url = URL

    def __init__(self) -> None:
        self.away = 0
        self.asked = 0

    def post(self, _post_id: str) -> Post:
        self.asked += 1
        if self.asked <= self.away:
            raise MattermostUnreachableError("away")
        raise MattermostNotFoundError("gone", status=404)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Server:
    made = Server()
    monkeypatch.setattr("meetings.service.MattermostClient.required", lambda _settings: made)
    monkeypatch.setattr(meetings.service, "decide_again", lambda *_, **__: Wait(seconds=0.1, reason="away"))
    return made


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home")


@pytest.fixture
def kept(settings: Settings) -> Kept:
    return keep_recording(settings, post_id="p" * 26, channel_id="c1", server=URL)


@pytest.fixture
def service(settings: Settings, server: Server) -> Iterator[Service]:
    with Service(settings, Silent()) as running:
        yield running


def is_gone(kept: Kept) -> bool:
    end = time.monotonic() + 60
    while kept.of_recording():
        if time.monotonic() > end:
            return False
        time.sleep(0.1)
    return True


def test_it_goes_when_the_server_answers_again(kept: Kept, server: Server, service: Service) -> None:
    server.away = 2
    service.put_gone("p" * 26, "c1")
    assert is_gone(kept)


def test_it_goes_when_nobody_is_at_it_any_more(
    settings: Settings, kept: Kept, server: Server, service: Service
) -> None:
    with recording_lock(settings, kept.job.source.media_id):
        service.put_gone("p" * 26, "c1")
        while server.asked < 2:  # it was refused once, and asked for again
            time.sleep(0.05)
    assert is_gone(kept)
