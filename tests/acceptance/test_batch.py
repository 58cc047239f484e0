"""Many recordings in one command: failures keep nobody from theirs, and the same command does what is left."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from meetings.mattermost import MattermostClient
from meetings.sandbox import Sandbox, post_call, run_in_thread
from tests.acceptance.conftest import SAMPLE_PEOPLE, Meetings
from tests.acceptance.sandbox_company import ANCHOR, COMPANY
from tests.faults.known_speech import KnownSpeech


@pytest.mark.models
@pytest.mark.slow
def test_a_broken_recording_among_good_ones(after_speech: Meetings, talk: Path) -> None:
    folder = after_speech.cwd / "recordings"
    folder.mkdir()
    (folder / "good.wav").write_bytes(talk.read_bytes())
    (folder / "broken.mp4").write_bytes(b"no recording at all")
    command = ("batch", folder, "--people", SAMPLE_PEOPLE, "--out", "out", "--json")
    first = after_speech(*command)
    assert first.code == 3
    assert "1 of 2 recordings failed" in first.error_line()
    states = {Path(r["reference"]).name: r["state"] for r in first.json()["recordings"]}
    assert states == {"good.wav": "reused", "broken.mp4": "failed"}
    (done,) = [r for r in first.json()["recordings"] if r["state"] == "reused"]
    written = after_speech.cwd / done["folder"]
    assert json.loads((written / "run.json").read_text())["title"] == "good"
    (folder / "broken.mp4").unlink()
    again = after_speech(*command)
    assert again.code == 0, again.err


def test_a_dry_run_shows_and_does_nothing(after_speech: Meetings, talk: Path) -> None:
    done = after_speech("batch", talk, "--people", SAMPLE_PEOPLE, "--dry-run")
    assert done.code == 0, done.err
    assert "summaries alone, the speech is known" in done.out
    assert list(after_speech.cwd.iterdir()) == []


def test_summaries_alone_leave_out_what_was_never_heard(meetings: Meetings, talk: Path) -> None:
    done = meetings("batch", talk, "--people", SAMPLE_PEOPLE, "--stage", "summaries", "--json")
    assert done.code == 0, done.err
    assert [r["state"] for r in done.json()["recordings"]] == ["left out"]


def test_a_batch_of_nothing_says_what_is_missing(meetings: Meetings) -> None:
    assert meetings("batch").code == 2
    assert meetings("batch", "x.mp4", "--since", "2026-01-01").code == 2
    assert meetings("batch", "--channel", "acme/product", "--since", "yesterday").code == 2


def test_a_channel_without_a_server_is_told(meetings: Meetings) -> None:
    done = meetings("batch", "--channel", "acme/product")
    assert done.code == 1
    assert "MATTERMOST_URL" in done.error_line()


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    with run_in_thread(tmp_path / "sandbox", company=COMPANY, now=ANCHOR) as running:
        yield running


@pytest.mark.models
@pytest.mark.slow
def test_the_recordings_of_a_channel_between_two_days(after_speech: Meetings, talk: Path, sandbox: Sandbox) -> None:
    from meetings.config import load_settings

    env = {"MATTERMOST_URL": sandbox.url, "MATTERMOST_TOKEN": sandbox.bot_token or ""}
    heard = KnownSpeech.of(Path(after_speech.env["MEETINGS_HOME"]))
    settings = load_settings(
        environ=after_speech.environment(env), folder=after_speech.cwd, user_folder=after_speech.cwd
    )
    from tests.acceptance.sandbox_company import api

    admin = api(sandbox, "admin")
    admin.post(
        f"/channels/{admin.channel('product')['id']}/members",
        {"user_id": api(sandbox, "calls").get("/users/me")["id"]},
    )
    call = post_call(sandbox.tokens, talk, channel="product", title="Weekly", started_by="ana", duration=40.0)
    heard.give(settings, call.recording_post_id)
    nothing = after_speech("batch", "--channel", "acme/product", "--until", "2020-01-01", "--json", env=env)
    assert nothing.json()["recordings"] == []
    done = after_speech("batch", "--channel", "acme/product", "--deliver", "--json", env=env)
    assert done.code == 0, done.err
    assert [r["state"] for r in done.json()["recordings"]] == ["reused"]
    client = MattermostClient(sandbox.url, sandbox.bot_token or "")
    direct = client.direct_channel(client.user_by_username("ana").id)
    assert len(list(client.latest_posts(direct, 10))) == 1
