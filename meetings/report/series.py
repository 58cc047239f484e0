"""What goes on in the series that a meeting belongs to, for who was in it: work that stays open, decisions, talk time.

Off unless the setting `page_trends` is on. Whoever was not in the meeting gets what they get for nothing. Of its series
only those meetings count that the reader may read now, and of talk time only those that they were in. Reading a series
takes a while the first time; that goes on beside the answer, and what comes of it is kept in memory alone.
"""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass

from fastapi import APIRouter, Request, Response

from meetings.conversation import Conversation, clock
from meetings.edits import read_edits
from meetings.errors import MattermostError, MeetingsError
from meetings.mattermost.entities import User
from meetings.quiet import zone_of
from meetings.recalled import RecalledCall, recall, told
from meetings.report.access import Reader
from meetings.report.home_view import day_of
from meetings.report.http import guarded, reader_at
from meetings.report.pages import Report
from meetings.search import Card
from meetings.store import FileStore, digest
from meetings.trends import Meeting, Trends, find_series, talk_time, trends_of

MOST = 8  # meetings of a series that a page reads: two months of weekly ones
PATIENCE = 5.0  # seconds that a page waits for a series to be read
REMEMBERED = 32  # series

log = logging.getLogger("meetings.report")


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """The meetings of a series that somebody may read, in order of time, what was said, and in which they were."""

    meetings: tuple[Meeting, ...]
    said: tuple[Conversation, ...]
    attended: tuple[bool, ...]


def add_series(router: APIRouter, report: Report) -> None:
    """Add the route."""
    followed = Followers(report)

    @router.get("/{meeting}/trends")
    def trends(request: Request, meeting: str) -> Response:
        """What goes on in a meeting's series."""
        return guarded(report, lambda: _trends(report, followed, request, meeting))


def is_in_series(report: Report, reader: Reader, call: RecalledCall) -> bool:
    """Whether there is something to be shown to this reader: they were there, and there was an earlier meeting.

    Raises:
        MattermostError: the server, which has to be asked, does not answer.
    """
    if not report.settings.page_trends or not call.attended(reader.user.username):
        return False
    try:
        return len(_meetings(report, reader, patience=0.0)) > 1
    except MattermostError:
        raise
    except MeetingsError as error:  # no index: that is told at home
        log.warning("the series of a meeting could not be looked up: %s", error)
        return False


class Followers:
    """Reads series, one after the other, and keeps the newest in memory.

    Args:
        report: gives sentence embeddings.
    """

    def __init__(self, report: Report) -> None:
        self._report = report
        self._lock = threading.Lock()
        self._working = threading.Lock()
        self._kept: OrderedDict[str, Future[Trends]] = OrderedDict()

    def follow(self, series: Series, *, patience: float = PATIENCE) -> Trends | None:
        """What goes on in a series; None: it is still being read.

        Raises:
            MeetingsError: it cannot be read.
        """
        # What was said is the name of what comes of it: a corrected word makes another.
        key = digest("series", *(_said(m, c) for m, c in zip(series.meetings, series.said, strict=True)))
        with self._lock:
            future = self._kept.get(key)
            if future is None:
                future = self._kept[key] = Future()
                threading.Thread(target=self._read, args=(key, series, future), daemon=True, name="series").start()
            self._kept.move_to_end(key)
            while len(self._kept) > REMEMBERED:
                self._kept.popitem(last=False)
        try:
            return future.result(timeout=patience)
        except TimeoutError:
            return None

    def _read(self, key: str, series: Series, future: Future[Trends]) -> None:
        try:
            with self._working:
                future.set_result(trends_of(series.meetings, series.said, self._report.finder.embedder()))
        except Exception as error:  # noqa: BLE001 - whoever waits is told
            with self._lock:
                self._kept.pop(key, None)
            future.set_exception(error)


def _said(meeting: Meeting, said: Conversation) -> str:
    names = [[s.id, s.name, s.username, s.how] for s in said.speakers]
    return digest(meeting.id, meeting.started_at, names, [[u.id, u.speaker, u.start, u.text] for u in said.utterances])


def _trends(report: Report, followed: Followers, request: Request, meeting: str) -> Response:
    reader = reader_at(report, request, meeting) if report.settings.page_trends else None
    call = report.gate.call(reader) if reader else None
    if reader is None or call is None or not call.attended(reader.user.username):
        return report.nothing()
    series = _series(report, reader)
    trends = followed.follow(series) if len(series.meetings) > 1 else None
    mine = [c for c, there in zip(series.said, series.attended, strict=True) if there]
    zone = zone_of(reader.user.timezone)
    return report.show(
        "series.html",
        base="../",
        meeting=reader.meeting,
        title=call.conversation.title or "Call",
        series=series,
        days=[day_of(m.started_at, zone, hour=False) or f"meeting {n}" for n, m in enumerate(series.meetings, 1)],
        clock=clock,
        trends=trends,
        talk=talk_time(mine),
        there=len(mine),
    )


def _series(report: Report, reader: Reader) -> Series:
    store, user = FileStore.of(report.settings), reader.user
    found = []
    for meeting in _meetings(report, reader):
        call = recall(store, meeting.id, user.username, read_only=True)
        if call is not None and report.gate.may(user.id, meeting.id) is not None:
            said = told(call.conversation, read_edits(report.settings, meeting.id), attended=False)
            found.append((meeting, said, call.attended(user.username)))
    return Series(
        meetings=tuple(m for m, _, _ in found),
        said=tuple(c for _, c, _ in found),
        attended=tuple(a for _, _, a in found),
    )


def _meetings(report: Report, reader: Reader, *, patience: float = PATIENCE) -> Sequence[Meeting]:
    """The series up to this meeting, as far as the reader may read it; empty for a meeting that is in no channel."""
    report.finder.refresh(patience=patience)
    cards = _same_channel(report, reader.user, reader.job.source.channel_id or "")
    this = next((m for m in cards if m.id == reader.meeting), None)
    return find_series(this, cards)[-MOST:] if this is not None else ()


def _same_channel(report: Report, user: User, channel_id: str) -> list[Meeting]:
    return [_meeting(card) for card in report.finder.cards(user) if channel_id and card.channel_id == channel_id]


def _meeting(card: Card) -> Meeting:
    return Meeting(id=card.id, title=card.title, channel=card.channel_id, started_at=card.started_at)
