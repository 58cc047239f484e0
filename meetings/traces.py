"""OpenTelemetry spans of recordings and their stages, sent to the collector that the settings name and to no other.

Spans are made from what each stage noted of itself, when a recording is done or has failed: they cost nothing while
work goes on, and one that was killed and taken up elsewhere has all its stages. Attributes hold ids, models, devices
and states; nothing said or written, and no names of people, calls or channels.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from meetings.errors import ConfigError
from meetings.job import Job

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
    from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

log = logging.getLogger("meetings.traces")
PATIENCE = 5.0  # seconds that a collector may take, and that the end of the program waits for it


class Traces:
    """Where spans go.

    Args:
        endpoint: the collector's address for OTLP over HTTP, with its path; None: spans go nowhere.

    Raises:
        ConfigError: the address is none.
    """

    def __init__(self, endpoint: str | None) -> None:
        self._provider = None if endpoint is None else _provider(endpoint)

    def run(self, job: Job, stages: Sequence[Mapping[str, Any]]) -> None:
        """A recording is done: a span for it, and below it one for each stage.

        Args:
            job: what was asked.
            stages: what each stage noted, as `StageResult` has it.
        """
        if self._provider is None or not stages:
            return
        from opentelemetry.trace import set_span_in_context

        tracer = self._provider.get_tracer("meetings")
        whole = tracer.start_span(
            "recording",
            start_time=_ns(min(s["began"] for s in stages)),
            attributes={
                "meetings.recording": job.source.post_id or job.source.media_id,
                "meetings.channel": job.source.channel_id or "",
            },
        )
        for stage in stages:
            span = tracer.start_span(
                stage["stage"].partition(" ")[0],
                context=set_span_in_context(whole),
                start_time=_ns(stage["began"]),
                attributes={
                    "meetings.reused": stage["reused"],
                    "meetings.model": stage["model"],
                    "meetings.device": stage["device"],
                    "meetings.status": str(stage["info"].get("status", "")),
                },
            )
            span.end(_ns(stage["began"] + stage["seconds"]))
        whole.end(_ns(max(s["began"] + s["seconds"] for s in stages)))

    def failure(self, recording: str, cause: str, *, given_up: bool) -> None:
        """Work on a recording failed."""
        if self._provider is None:
            return
        from opentelemetry.trace import Status, StatusCode

        span = self._provider.get_tracer("meetings").start_span("recording failed")
        span.set_attributes({"meetings.recording": recording, "meetings.cause": cause, "meetings.given_up": given_up})
        span.set_status(Status(StatusCode.ERROR))
        span.end()

    def close(self) -> None:
        """Send what is left; a collector that is away is not waited for long."""
        if self._provider is not None:
            self._provider.force_flush(int(PATIENCE * 1000))
            self._provider.shutdown()


def _ns(seconds: float) -> int:
    return int(seconds * 1e9)


def _provider(endpoint: str) -> TracerProvider:
    parts = urlsplit(endpoint)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ConfigError(f"otlp_endpoint: {endpoint!r} is no address; write http://127.0.0.1:4318/v1/traces")
    import requests
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    session = requests.Session()
    session.trust_env = False  # no proxy and no credentials but those of the address itself
    session.max_redirects = 0  # a collector cannot send spans on to another host
    # What the exporter has to say quotes the collector's answers.
    logging.getLogger("opentelemetry").addHandler(logging.NullHandler())
    logging.getLogger("opentelemetry").propagate = False
    exporter = OTLPSpanExporter(endpoint=endpoint, timeout=PATIENCE, session=session)
    # Ours alone: never the process's global one, into which others' spans would go.
    provider = TracerProvider(resource=Resource({"service.name": "meetings"}), shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(_told_once(exporter, parts.hostname)))
    return provider


def _told_once(inner: SpanExporter, host: str) -> SpanExporter:
    """An exporter whose trouble is told in our own log, once until it is over."""
    from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

    class Told(SpanExporter):
        troubled = False

        def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
            result = inner.export(spans)
            failed = result is not SpanExportResult.SUCCESS
            if failed and not self.troubled:
                log.warning("traces cannot be sent to %s; the work goes on without", host)
            self.troubled = failed
            return result

        def shutdown(self) -> None:
            inner.shutdown()

    return Told()
