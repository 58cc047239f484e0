"""The calls that somebody got a summary of, among what was processed here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from meetings.job import Job
from meetings.recordings import STAGE, past_runs
from meetings.store import FileStore
from meetings.summary import Bullet, Summary, summary_from_json


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A call with somebody's own summary of it; `at` is when it began, in milliseconds since the epoch."""

    media_id: str
    title: str
    channel_id: str
    post_id: str
    at: int
    summary: Summary

    @property
    def missed(self) -> bool:
        """Whether it is known that they were not there."""
        return self.summary.attended is False

    @property
    def best(self) -> tuple[Bullet, ...]:
        """Its bullets, best first."""
        return tuple(sorted(self.summary.bullets, key=lambda b: -b.score))


def calls_of(store: FileStore, username: str, *, since: int, until: int) -> Iterator[Call]:
    """Calls in Mattermost that began after `since` and by `until` (milliseconds), each with this person's summary.

    Whether they may still read them is the caller's to ask.
    """
    for media_id in store.keys(STAGE):
        for run in reversed(past_runs(store, media_id)):
            if not run.summaries or not (store.has("jobs", run.job) and store.has("summaries", run.summaries)):
                continue
            source = Job.from_json(store.read_json("jobs", run.job)).source
            at = _ms(source.started_at)
            if source.channel_id is None or not since < at <= until:
                break
            mine = [s for s in store.read_json("summaries", run.summaries) if s["person"]["username"] == username]
            if mine:
                yield Call(
                    media_id=media_id,
                    title=source.title,
                    channel_id=source.channel_id,
                    post_id=source.post_id or "",
                    at=at,
                    summary=summary_from_json(mine[0]),
                )
                break


def _ms(started_at: str | None) -> int:
    if not started_at:
        return 0
    try:
        moment = datetime.fromisoformat(started_at)
    except ValueError:
        return 0
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)
