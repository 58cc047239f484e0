"""Somebody asks to hear of something; another writes it; the alert comes with why, and a thumb raises the bar."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from meetings.alerts import ALERT_PROP
from meetings.config import Settings
from meetings.interests import BAR, STEP, AlertBook
from meetings.mattermost import MattermostClient
from meetings.mattermost.entities import Post
from meetings.positions import Positions
from meetings.sandbox import run_in_thread
from meetings.talkback import ANSWER_PROP
from meetings.watchers import KIND
from tests.acceptance.conftest import Meetings
from tests.acceptance.sandbox_company import ANCHOR, COMPANY, api

pytestmark = [pytest.mark.models, pytest.mark.slow]


def wait_for(what: Callable[[], object], *, seconds: float = 200) -> None:
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.5)


def test_an_interest_set_by_message_is_told_once_with_why_and_learns_from_a_thumb(
    meetings: Meetings, tmp_path: Path, models_folder: Path
) -> None:
    with run_in_thread(tmp_path / "sandbox", company=COMPANY, now=ANCHOR) as sandbox:
        client = MattermostClient(sandbox.url, sandbox.bot_token or "")
        ana, ben = api(sandbox, "ana"), api(sandbox, "ben")
        user = client.user_by_username("ana")
        direct = client.direct_channel(user.id)
        place = ben.channel("product")["id"]
        settings = Settings(home=tmp_path / "home")
        book = AlertBook(settings)
        env = {
            "MATTERMOST_URL": sandbox.url,
            "MATTERMOST_TOKEN": sandbox.bot_token or "",
            "MEETINGS_HOME": str(settings.home),
            "MEETINGS_MODELS": str(models_folder),
            "MEETINGS_QUIET_HOURS": "none",
        }

        def alerts() -> list[Post]:
            return [p for p in client.latest_posts(direct, 50) if ALERT_PROP in p.props]

        listener = meetings.start("listen", env=env)
        try:
            said = ana.write(direct, "Tell me when anyone talks about the parser release, please")
            wait_for(lambda: any(p.props.get(ANSWER_PROP) == said["id"] for p in client.thread(said["id"])))
            wait_for(lambda: Positions(settings, kind=KIND).of(place) is not None)
            ben.write(place, "We should parse the release notes of the competitor.")
            written = ben.write(place, "Bad news: the 2.3 release of the parser slips to **Friday**, @channel.")
            wait_for(alerts)
            (alert,) = alerts()
            assert "**the parser release**: you asked to hear of it" in alert.message
            assert "release of the parser slips to Friday" in alert.message
            assert "Ben Okafor" in alert.message
            assert f"/acme/pl/{written['id']}" in alert.message
            assert "competitor" not in alert.message
            assert "@channel" not in alert.message
            ana.post("/reactions", {"user_id": user.id, "post_id": alert.id, "emoji_name": "-1"})
            wait_for(lambda: any(ANSWER_PROP in p.props for p in client.thread(alert.id)))
        finally:
            listener.send_signal(signal.SIGINT)
            listener.communicate(timeout=120)
        wants = book.of(user.id)
        assert wants.bar(wants.interests[0]) == pytest.approx(BAR + STEP)
        tried = meetings("alerts", "test", "ana", "--json", env=env)
        assert tried.code == 0, tried.err
        assert [t["permalink"].rpartition("/")[2] for t in json.loads(tried.out)] == [written["id"]]
        listed = meetings("alerts", "list", "ana", env=env)
        assert "the parser release" in listed.out
