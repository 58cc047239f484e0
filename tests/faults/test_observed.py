"""A whole call is followed from outside: logs, metrics and traces tell of it, and none of what was said or written."""

from __future__ import annotations

import json
import os
import re
import signal
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import requests

from meetings.config import load_settings
from meetings.sandbox import post_call, run_in_thread
from tests.acceptance.conftest import Meetings
from tests.faults.known_speech import KnownSpeech
from tests.faults.test_queue_kills import COMPANY, PEOPLE
from tests.otlp_receiver import Receiver, attributes, receiving
from tests.ports import held_port
from tests.warm import Warm

pytestmark = [pytest.mark.models, pytest.mark.slow]

TITLE = "Zanzibar weekly"
STAGES = {"fetch", "audio", "segmentation", "transcription", "diarization", "conversation", "people", "summaries"}


@dataclass(frozen=True)
class Followed:
    """What was seen: the log's lines, the metrics' page, the traces; and what nobody may see."""

    post: str
    log: str
    metrics: str
    traces: Receiver
    secrets: set[str]


@pytest.fixture(scope="module")
def followed(
    tmp_path_factory: pytest.TempPathFactory, short: Path, heard: KnownSpeech, models_folder: Path, warm: Warm | None
) -> Followed:
    root = tmp_path_factory.mktemp("followed")
    env = {"MEETINGS_MODELS": str(models_folder), "HOME": str(root), "MEETINGS_LANGUAGE_MODEL": "none"}
    meetings = Meetings(cwd=root, env=env, warm=warm)
    with (
        run_in_thread(root / "sandbox", company=COMPANY, now=datetime(2026, 11, 19, 10, tzinfo=UTC)) as sandbox,
        receiving() as traces,
    ):
        meetings.env |= {
            "MEETINGS_HOME": str(root / "home"),
            "MATTERMOST_URL": sandbox.url,
            "MATTERMOST_TOKEN": sandbox.bot_token or "",
            "MEETINGS_LOG_FORMAT": "json",
            "MEETINGS_OTLP_ENDPOINT": traces.url,
        }
        call = post_call(
            sandbox.tokens,
            short,
            channel="product",
            title=TITLE,
            started_by="ana",
            participants=["ana", "ben"],
            duration=15.0,
        )
        settings = load_settings(environ=meetings.environment(), folder=root, user_folder=root)
        heard.give(settings, call.recording_post_id)
        with held_port() as port:
            listener = meetings.start("listen", "--verbose", "--metrics", str(port))
            try:
                metrics = _metrics(port, until='meetings_deliveries_total{status="sent"} 4.0')
                # Traces are made when the last step is written down, and sent some seconds later.
                end = time.monotonic() + 120
                while not traces.named("recording") and time.monotonic() < end:
                    time.sleep(0.2)
            finally:
                os.killpg(listener.pid, signal.SIGINT)
                _, log = listener.communicate(timeout=120)
    said = {word["word"].strip() for word in heard.transcription["words"]}
    secrets = {word for word in said if len(word) > 6} | set(TITLE.split()) | {"Product"}
    assert len(secrets) > 5
    return Followed(post=call.recording_post_id, log=log, metrics=metrics, traces=traces, secrets=secrets)


def _metrics(port: int, *, until: str) -> str:
    end, text = time.monotonic() + 180, ""
    while until not in text:
        assert time.monotonic() < end, text
        time.sleep(0.3)
        try:
            text = requests.get(f"http://127.0.0.1:{port}/metrics", timeout=60).text
        except requests.ConnectionError:
            continue
    return text


def lines(followed: Followed) -> list[dict[str, Any]]:
    return [json.loads(line) for line in followed.log.splitlines() if line.startswith("{")]


def test_the_log_is_json_line_by_line(followed: Followed) -> None:
    others = [line for line in followed.log.splitlines() if line and not line.startswith("{")]
    assert others == ["interrupted; run the same command again to go on where it stopped"]
    assert all({"time", "level", "message"} <= line.keys() for line in lines(followed))


def test_every_stage_is_logged_with_its_recording(followed: Followed) -> None:
    told = {line["stage"] for line in lines(followed) if line.get("recording") == followed.post and "stage" in line}
    assert told == {*STAGES, "delivery"}


def test_nothing_that_was_said_or_written_is_in_the_log(followed: Followed) -> None:
    above_debug = [json.dumps(line, ensure_ascii=False) for line in lines(followed) if line["level"] != "DEBUG"]
    assert above_debug
    assert [
        (s, line) for s in followed.secrets for line in above_debug if re.search(rf"\b{re.escape(s)}\b", line)
    ] == []


def test_the_metrics_tell_of_stages_messages_and_the_queue(followed: Followed) -> None:
    assert 'meetings_stage_seconds_count{stage="summaries"} 1.0' in followed.metrics
    assert 'meetings_stages_reused_total{stage="transcription"} 1.0' in followed.metrics
    assert "meetings_queue_readable 1.0" in followed.metrics


def test_the_traces_have_every_stage_below_the_recording(followed: Followed) -> None:
    (whole,) = followed.traces.named("recording")
    assert attributes(whole)["meetings.recording"] == followed.post
    below = [s.name for s in followed.traces.spans if s.parent_span_id == whole.span_id]
    assert set(below) == {*STAGES, "delivery"}
    assert below.count("delivery") == len(PEOPLE)


def test_nothing_that_was_said_or_written_is_in_metrics_or_traces(followed: Followed) -> None:
    seen = followed.metrics.encode() + followed.traces.bodies
    names = {name.encode() for name in PEOPLE} | {secret.encode() for secret in followed.secrets}
    assert [name for name in names if re.search(rb"\b" + re.escape(name) + rb"\b", seen)] == []
