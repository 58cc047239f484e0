"""Who may no longer read a call's channel learns no more of the call by answering an old summary, nor changes it."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import pytest

from meetings.config import Settings
from meetings.intents import Understood
from meetings.mattermost import MattermostClient
from meetings.mattermost.delivery import KEY_PROP
from meetings.mattermost.entities import Post, User
from meetings.talkback import Talkback
from tests.kept_results import keep_recording

URL = "https://chat.test"


class Server:
    """Ana, who has a summary of a call, and was or was not put out of its channel since."""

    url = URL

    def __init__(self, media_id: str, *, member: bool) -> None:
        self._member = member
        self._summary = Post(id="s", channel_id="d", user_id="bot", props={KEY_PROP: f"{media_id}:ana"})

    def me(self) -> User:
        return User(id="bot", username="meetings", is_bot=True)

    def user(self, user_id: str) -> User:
        return User(id=user_id, username=user_id)

    def users(self, ids: set[str]) -> tuple[User, ...]:
        return tuple(self.user(i) for i in sorted(ids))

    def post(self, _post_id: str) -> Post:
        return self._summary

    def is_channel_member(self, _channel_id: str, _user_id: str) -> bool:
        return self._member

    def channel_member_ids(self, _channel_id: str) -> tuple[str, ...]:
        return ("ben",)


def answered(home: Path, text: str, *, member: bool) -> Understood:
    settings = Settings(home=home)
    kept = keep_recording(settings, post_id="p" * 26, channel_id="c1", server=URL)
    server = Server(kept.job.source.media_id, member=member)
    post = Post(id="a", channel_id="d", user_id="ana", root_id="s", message=text)
    found = Talkback(settings, cast(MattermostClient, server)).understand(post)
    assert found is not None
    return found


@pytest.mark.parametrize("text", ["who is speaker 9", "speaker 1 is ben", "speaker 1 is nobody there"])
def test_who_left_the_channel_is_told_nothing_of_voices(tmp_path: Path, text: str) -> None:
    found = answered(tmp_path, text, member=False)
    assert (found.text, found.voice) == ("You can no longer read the channel of that call.", None)


def test_who_is_in_it_is_told_which_voices_there_are(tmp_path: Path) -> None:
    assert "there are:" in answered(tmp_path, "who is speaker 9", member=True).text
