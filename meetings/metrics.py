"""What Prometheus is told: stages and their time, failures by cause, messages by outcome, and how the queue stands.

Counters are of one process and begin anew with it; how the queue stands is read when somebody asks, and is the same
from whichever process. Labels hold no names of people, calls or channels.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import GaugeMetricFamily, Metric

from meetings.config import Settings
from meetings.errors import DatabaseError
from meetings.remedies import remedy_of
from meetings.stage import StageResult
from meetings.steps import open_steps, unfinished

REGISTRY = CollectorRegistry()
_SECONDS = (0.1, 0.5, 1, 5, 15, 60, 300, 900, 3600, 10_800)
_STAGES = Histogram(
    "meetings_stage_seconds", "Time of a stage that was run", ["stage"], buckets=_SECONDS, registry=REGISTRY
)
_REUSED = Counter("meetings_stages_reused_total", "Stages found done", ["stage"], registry=REGISTRY)
_DELIVERIES = Counter("meetings_deliveries_total", "Messages by what became of them", ["status"], registry=REGISTRY)
_FAILURES = Counter(
    "meetings_failures_total", "Work on a recording that failed, by cause", ["cause", "then"], registry=REGISTRY
)


def count_stage(result: StageResult) -> None:
    """A stage is done, or was found done."""
    stage = result.stage.partition(" ")[0]  # `delivery to USERNAME`: who it was is nobody's business here
    if stage == "delivery":
        _DELIVERIES.labels(str(result.info.get("status", ""))).inc()
    if result.reused:
        _REUSED.labels(stage).inc()
    else:
        _STAGES.labels(stage).observe(result.seconds)


def count_failure(error: Exception, *, given_up: bool) -> None:
    """Work on a recording failed, for good or to be tried again."""
    _FAILURES.labels(remedy_of(type(error).__name__).cause, "given up" if given_up else "tried again").inc()


class QueueMetrics:
    """How the queue stands, read when it is asked for. Registered with a registry, as prometheus_client has it."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def collect(self) -> Iterator[Metric]:
        """Work by queue and state, the age of the oldest that waits, and whether all that could be read."""
        depth = GaugeMetricFamily("meetings_queue_depth", "Queued work by state", labels=["queue", "state"])
        oldest = GaugeMetricFamily("meetings_queue_oldest_seconds", "Age of the oldest that waits", labels=["queue"])
        readable = GaugeMetricFamily("meetings_queue_readable", "1 if the steps' database could be read")
        counts: dict[tuple[str, str], int] = defaultdict(int)
        since: dict[str, float] = {}
        try:
            with open_steps(self._settings) as client:
                for work in unfinished(client) if client is not None else ():
                    counts[work.queue, work.state] += 1
                    if work.state == "waiting":
                        since[work.queue] = min(work.created, since.get(work.queue, work.created))
        except DatabaseError:
            readable.add_metric([], 0)
        else:
            readable.add_metric([], 1)
        for labels, n in sorted(counts.items()):
            depth.add_metric(labels, n)
        for queue, created in sorted(since.items()):
            oldest.add_metric([queue], max(0.0, time.time() - created))
        yield from (depth, oldest, readable)
