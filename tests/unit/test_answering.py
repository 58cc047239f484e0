"""An answer is given though the database was away in between: what somebody asked for is done, late."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from meetings.answering import Answers
from meetings.config import Settings
from meetings.errors import DatabaseError
from meetings.intents import Understood
from meetings.mattermost import MattermostClient
from meetings.mattermost.entities import Post
from meetings.pipeline import Silent
from meetings.service import Service

STOP = Understood(
    username="ana", user_id="a", channel_id="d", root_id="", answers="p", text="Done.", effects=(("stopped", "yes"),)
)


class Talk:
    """Understands everything as `stop`; the first time that it is to be noted the database is away."""

    def __init__(self) -> None:
        self.tries = 0
        self.said: list[str] = []

    def understand(self, _post: Post) -> Understood:
        return STOP

    def change(self, understood: Understood) -> str:
        self.tries += 1
        if self.tries == 1:
            raise DatabaseError("the database does not answer")
        return understood.text

    def say(self, _understood: Understood, text: str) -> None:
        self.said.append(text)


class Server:
    def post(self, post_id: str) -> Post:
        return Post(id=post_id, channel_id="d", user_id="a")


def test_a_wish_that_could_not_be_kept_is_kept_when_the_database_is_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    talk = Talk()
    monkeypatch.setattr(Answers, "_talkback", lambda _self: talk)
    monkeypatch.setattr(MattermostClient, "required", lambda _settings: Server())
    with Service(Settings(home=tmp_path / "home"), Silent()) as service:
        service.put_answer("p", "a")
        end = time.monotonic() + 60
        while not talk.said and time.monotonic() < end:
            time.sleep(0.1)
    assert talk.said == ["Done."]
