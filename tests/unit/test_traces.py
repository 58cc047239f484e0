"""Spans reach the collector that was named, tell of stages, and hold nothing that anybody said."""

from __future__ import annotations

from typing import Any

import pytest

from meetings.errors import ConfigError
from meetings.job import Job, Source
from meetings.traces import Traces
from tests.otlp_receiver import attributes, receiving

JOB = Job(
    source=Source(media_id="m" * 26, name="call.mp4", title="Secret plans", post_id="p" * 26, channel_id="c" * 26),
    people_key=None,
    deliver=True,
    writer="auto",
    language=None,
    device="cpu",
    models={},
    fingerprints={},
)


def stage(name: str, began: float, seconds: float, **info: Any) -> dict[str, Any]:
    return {
        "stage": name,
        "key": "k",
        "seconds": seconds,
        "reused": False,
        "model": "tiny",
        "device": "cpu",
        "began": began,
        "info": info,
        "process": "x",
    }


STAGES = [stage("audio", 100.0, 2.0), stage("delivery to ana", 103.0, 1.5, status="sent", username="ana")]


def test_a_recording_is_a_span_with_its_stages_below() -> None:
    with receiving() as collector:
        traces = Traces(collector.url)
        traces.run(JOB, STAGES)
        traces.close()
    (whole,) = collector.named("recording")
    (audio,) = collector.named("audio")
    (delivery,) = collector.named("delivery")
    assert {audio.parent_span_id, delivery.parent_span_id} == {whole.span_id}
    assert (whole.start_time_unix_nano, whole.end_time_unix_nano) == (100 * 10**9, 1045 * 10**8)
    assert audio.end_time_unix_nano - audio.start_time_unix_nano == 2 * 10**9
    assert attributes(whole)["meetings.recording"] == "p" * 26
    assert attributes(delivery)["meetings.status"] == "sent"


def test_nobody_and_nothing_said_is_named() -> None:
    with receiving() as collector:
        traces = Traces(collector.url)
        traces.run(JOB, STAGES)
        traces.close()
    for word in (b"Secret", b"plans", b"ana", b"call.mp4"):
        assert word not in collector.bodies


def test_a_failure_is_a_span_with_its_cause() -> None:
    with receiving() as collector:
        traces = Traces(collector.url)
        traces.failure("p" * 26, "NoAudioError", given_up=True)
        traces.close()
    (failed,) = collector.named("recording failed")
    assert attributes(failed) == {
        "meetings.recording": "p" * 26,
        "meetings.cause": "NoAudioError",
        "meetings.given_up": True,
    }


def test_without_a_collector_nothing_is_made() -> None:
    traces = Traces(None)
    traces.run(JOB, STAGES)
    traces.failure("p" * 26, "NoAudioError", given_up=True)
    traces.close()


def test_a_collector_that_sends_on_is_not_followed() -> None:
    with receiving() as elsewhere, receiving(status=307, location=elsewhere.url) as collector:
        traces = Traces(collector.url)
        traces.run(JOB, STAGES)
        traces.close()
    assert collector.spans
    assert elsewhere.spans == []


def test_proxies_of_the_environment_see_no_span(monkeypatch: pytest.MonkeyPatch) -> None:
    with receiving() as proxy, receiving() as collector:
        monkeypatch.setenv("http_proxy", proxy.url)
        monkeypatch.delenv("no_proxy", raising=False)
        traces = Traces(collector.url)
        traces.run(JOB, STAGES)
        traces.close()
    assert collector.spans
    assert proxy.spans == []


def test_a_collector_that_refuses_is_told_of_once(caplog: pytest.LogCaptureFixture) -> None:
    with receiving(status=400) as collector:
        traces = Traces(collector.url)
        for _ in range(2):
            traces.run(JOB, STAGES)
            traces._provider.force_flush(5000)  # type: ignore[union-attr]
        traces.close()
    assert caplog.text.count("traces cannot be sent to 127.0.0.1") == 1


@pytest.mark.parametrize("address", ["collector:4318", "ftp://x/v1/traces", "http://", "/v1/traces"])
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(ConfigError, match="otlp_endpoint"):
        Traces(address)
