"""A listener that is killed again and again still writes to everyone once, for every recording."""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from meetings.config import Settings, load_settings
from meetings.mattermost import MattermostClient
from meetings.mattermost.delivery import KEY_PROP
from meetings.sandbox import Sandbox, post_call, run_in_thread
from tests.acceptance.conftest import Meetings, Running
from tests.faults.known_speech import KnownSpeech

pytestmark = [pytest.mark.models, pytest.mark.slow]

# Two seconds each: KILLS=100 is for a figure, not for every change.
KILLS = int(os.environ.get("KILLS", "24"))
PEOPLE = ("ana", "ben", "chloe", "dan")
COMPANY = {
    "team": {"name": "acme", "display_name": "Acme"},
    "users": [
        {"username": name, "first_name": name.title(), "last_name": "Test", "position": position}
        for name, position in zip(PEOPLE, ("Engineer", "Writer", "Security Lead", "Sales"), strict=True)
    ],
    "bots": [{"username": "meetings", "display_name": "Meetings"}, {"username": "calls", "display_name": "Calls"}],
    "channels": [
        {"name": "product", "display_name": "Product", "type": "O", "members": [*PEOPLE, "meetings", "calls"]},
    ],
    "posts": [],
}


def messages(client: MattermostClient, username: str) -> Counter[str]:
    """How often each recording was told to somebody."""
    direct = client.direct_channel(client.user_by_username(username).id)
    return Counter(
        str(p.props[KEY_PROP]).split(":")[0] for p in client.latest_posts(direct, 10_000) if KEY_PROP in p.props
    )


def test_killed_at_random_moments_everybody_gets_each_message_once(
    tmp_path: Path, meetings: Meetings, short: Path, heard: KnownSpeech
) -> None:
    chance = random.Random(KILLS)
    home = tmp_path / "service"
    with run_in_thread(tmp_path / "sandbox", company=COMPANY, now=datetime(2026, 11, 19, 10, tzinfo=UTC)) as sandbox:
        env = {
            "MATTERMOST_URL": sandbox.url,
            "MATTERMOST_TOKEN": sandbox.bot_token,
            "MEETINGS_HOME": str(home),
            "MEETINGS_LANGUAGE_MODEL": "none",
        }
        client = MattermostClient(sandbox.url, sandbox.bot_token)
        settings = load_settings(environ={**meetings.environment(env)}, folder=tmp_path, user_folder=tmp_path)
        posted: list[str] = []
        for turn in range(KILLS):
            if turn % 4 == 0:
                posted.append(_post(sandbox, short, heard, settings, title=f"Call {turn}"))
            listener = meetings.start("listen", env=env)
            time.sleep(chance.uniform(0.5, 3.5))
            _end(listener, signal.SIGKILL)
        listener = meetings.start("listen", env=env)
        due = {(person, recording) for person in PEOPLE for recording in posted}
        until = time.monotonic() + 240
        while time.monotonic() < until:
            told = {(person, r) for person in PEOPLE for r in messages(client, person)}
            if told >= due:
                break
            time.sleep(1)
        time.sleep(3)  # whoever would write twice has the time to
        log = _end(listener, signal.SIGINT)
        counts = {(person, r): n for person in PEOPLE for r, n in messages(client, person).items()}
    print(f"{KILLS} kills, {len(posted)} recordings, {len(due)} messages due, "
          f"{len(due - set(counts))} missing, {sum(n > 1 for n in counts.values())} double")  # fmt: skip
    assert set(counts) == due, log
    assert set(counts.values()) == {1}


def _post(sandbox: Sandbox, clip: Path, speech: KnownSpeech, settings: Settings, *, title: str) -> str:
    call = post_call(
        sandbox.tokens,
        clip,
        channel="product",
        title=title,
        started_by="ana",
        participants=["ana", "ben"],
        duration=15.0,
    )
    speech.give(settings, call.recording_post_id)
    return call.file_id


def _end(process: Running, how: signal.Signals) -> str:
    os.killpg(process.pid, how)
    return process.communicate(timeout=120)[1]
