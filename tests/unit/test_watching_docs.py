"""docs/watching.md says what the program does: its example, its causes, its metrics, its log."""

from __future__ import annotations

import json
import logging
import re
from datetime import datetime
from pathlib import Path

from meetings.cli.status import lines
from meetings.config import load_settings
from meetings.headway import Told, stages_of
from meetings.logs import JsonLines, about
from meetings.metrics import REGISTRY, QueueMetrics
from meetings.remedies import CAUSES
from meetings.serving import Metrics
from meetings.watching import Failure, QueueState, Seen, Undelivered, UnderWay, Worker

PAGE = (Path(__file__).parents[2] / "docs" / "watching.md").read_text()
POST, LOST = "xfgr8udsptr4irwfn4rphptgnr", "9c3dd1fk9aohft7huj7uorn4te"


def test_the_example_is_what_the_command_prints() -> None:
    seen = Seen(
        at=1000.0,
        queues=(QueueState(name="recordings", waiting=2, running=1, failed=1, oldest=960.0),),
        under_way=(
            UnderWay(
                post=POST,
                queue="recordings",
                stage="transcription and diarization",
                since=820.0,
                worker="service",
                stages=stages_of(
                    "transcription and diarization",
                    {"transcription": Told(far=0.62, at=999.0, since=836.0)},
                    now=1000.0,
                ),
            ),
        ),
        failures=(
            Failure(
                post=LOST,
                state="given up",
                at=0.0,
                cause="forbidden",
                reason="the bot may not read it",
                remedy=CAUSES["forbidden"].replace("POST", LOST),
            ),
        ),
        undelivered=(
            Undelivered(
                username="dan", recording="yi4h7mpwtbd93f4gkxwqxrn4hc", reason="his account is switched off", at=""
            ),
        ),
        workers=(Worker(name="service", running=1, seen=1000.0),),
    )
    assert "\n".join(f"    {line}" for line in lines(seen)) in PAGE


def test_every_cause_is_in_the_docs() -> None:
    table = PAGE.split("## Causes and remedies")[1].split("\n## ")[0]
    told = {cause for row in re.findall(r"^\| ([a-z, ]+) \|", table, re.MULTILINE) for cause in row.split(", ")}
    assert told - {"cause"} == set(CAUSES)


def test_the_metrics_of_the_docs_are_those_of_the_program(tmp_path: Path) -> None:
    families = [*REGISTRY.collect(), *QueueMetrics(load_settings(environ={"MEETINGS_HOME": str(tmp_path)})).collect()]
    own = [*families, *Metrics().registry.collect()]
    there = {f.name + ("_total" if f.type == "counter" else "") for f in own}
    assert set(re.findall(r"`(meetings_\w+)[{`]", PAGE.split("## Metrics")[1].split("Counters are")[0])) == there


def test_the_line_of_the_docs_is_one_of_the_log() -> None:
    (shown,) = re.findall(r"^    (\{.*\})$", PAGE, re.MULTILINE)
    line = json.loads(shown)
    record = logging.LogRecord(line["logger"], logging.INFO, "", 0, line["message"], (), None)
    record.created = datetime.fromisoformat(line["time"]).timestamp()
    with about(recording=line["recording"]):
        assert JsonLines().format(record) == shown


def test_the_settings_of_the_docs_are_read(tmp_path: Path) -> None:
    (line,) = re.findall(r"^    (otlp_endpoint = .*)$", PAGE, re.MULTILINE)
    (tmp_path / "meetings.toml").write_text(f'{line}\nlog_format = "json"\n')
    settings = load_settings(environ={}, folder=tmp_path, user_folder=tmp_path / "none")
    assert settings.otlp_endpoint == "http://127.0.0.1:4318/v1/traces"
