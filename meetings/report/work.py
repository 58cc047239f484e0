"""The page of the work: what waits, what is worked on and how far it is, what failed.

All who look share one look in a few seconds. Who may see a recording there is asked of the server for each that looks:
an admin is whom the server says to be one, a member whom it says to be in the channel, and its word counts for `FRESH`
seconds. What the page says is decided in `meetings.report.board`.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool

from meetings.config import Settings
from meetings.errors import (
    AuditError,
    DatabaseError,
    MattermostError,
    MattermostForbiddenError,
    MattermostNotFoundError,
    MattermostUnreachableError,
    MeetingsError,
    StorageError,
)
from meetings.job import Job
from meetings.mattermost import MattermostClient, find_recording
from meetings.mattermost.delivery import decide_recipient
from meetings.page_links import is_meeting
from meetings.recordings import past_runs
from meetings.report.access import FRESH, Visitor
from meetings.report.board import MOST, Board, Known, everything, own, posts_of
from meetings.report.forms import read_form
from meetings.report.home import may_change, visitor_of
from meetings.report.http import guarded, to
from meetings.report.lately import Lately
from meetings.report.pages import Report
from meetings.store import FileStore
from meetings.watching import Seen, look, retry, span

EVERY = 3.0  # seconds that a look counts, for all who look
PATIENCE = 10.0  # seconds that somebody waits for the first look
STALE = 60.0  # seconds after which a look is told of no longer where the next does not end
POSTS_ASKED = 25  # posts that the server is asked about in one look; the others' turn is in the next
POST_FRESH, POST_KEPT = 60.0, 300.0  # seconds that its answer counts; that it counts while others have their turn
REMEMBERED = 10_000  # memberships
AWAY = "The queue's database cannot be read just now"
SAID = {
    "queued": "It is in the queue again.",
    "is tried now": "It is tried now.",
    "waits for its turn": "It waits for its turn already.",
    "is being worked on": "It is being worked on already.",
    "": "It is not among what failed any more.",
}

log = logging.getLogger("meetings.report")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What was seen in one look, what is known of the recordings' posts, and what was in the way.

    `titles` are those of calls whose messages were not delivered, by their recordings' ids.
    """

    seen: Seen
    known: Mapping[str, Known]
    titles: Mapping[str, str] = field(default_factory=dict)
    trouble: str = ""


class Lookout:
    """Looks at the work, now and then, for all who want to know.

    Args:
        settings: where the steps' database is.
        client: the bot.
        clock: seconds that never step back.
        looking: how a look is taken.
    """

    def __init__(
        self,
        settings: Settings,
        client: MattermostClient,
        *,
        clock: Callable[[], float] = time.monotonic,
        looking: Callable[[Settings], Seen] = look,
    ) -> None:
        self._settings, self._client = settings, client
        self._clock, self._look = clock, looking
        self._turn = threading.Lock()  # one looks, the others have what was seen last
        self._last: tuple[float, Sight] | None = None
        self._changes = 0  # a look that began before a change does not tell of it
        self._store = FileStore.of(settings)
        self._titles: dict[str, str] = {}
        self._posts: dict[str, tuple[float, Known | None]] = {}

    def sight(self) -> Sight:
        """How the work stands, or stood a few seconds ago.

        Raises:
            MattermostError: the server does not answer, or a look takes too long.
        """
        if (last := self._younger(EVERY)) is not None:
            return last
        if not self._turn.acquire(timeout=0.0 if self._younger(STALE) else PATIENCE):
            if (last := self._younger(STALE)) is not None:
                return last
            raise MattermostUnreachableError("a look at the work takes too long")
        try:
            if (last := self._younger(EVERY)) is None:
                changes = self._changes
                last = self._taken()
                self._last = (self._clock(), last) if changes == self._changes else None
            return last
        finally:
            self._turn.release()

    def again(self) -> None:
        """Something was changed: the next look is a new one, even where one is under way."""
        self._changes += 1
        self._last = None

    def _younger(self, age: float) -> Sight | None:
        last = self._last
        return last[1] if last is not None and self._clock() - last[0] < age else None

    def _taken(self) -> Sight:
        try:
            seen = self._look(self._settings)
        except (DatabaseError, AuditError, StorageError) as error:
            log.warning("the work cannot be looked at: %s", error)
            return self._before()
        titles = {missed.recording: self._title(missed.recording) for missed in seen.undelivered[:MOST]}
        return Sight(seen=seen, known=self._known(posts_of(seen)), titles=titles)

    def _title(self, recording: str) -> str:
        """What a call is called, by the newest run over its recording; empty if nothing is kept of it."""
        if recording not in self._titles:
            try:
                runs = past_runs(self._store, recording) if is_meeting(recording) else ()
                kept = runs and self._store.has("jobs", runs[-1].job)
                job = Job.from_json(self._store.read_json("jobs", runs[-1].job)) if kept else None
            except MeetingsError as error:
                log.debug("what recording %s is called cannot be read: %s", recording, error)
                return ""
            self._titles[recording] = job.source.title if job else ""
        return self._titles[recording]

    def _before(self) -> Sight:
        """What was seen before the trouble began, with what is said of that."""
        now, last = time.time(), self._last
        if last is None or now - last[1].seen.at > STALE * 60:
            return Sight(seen=Seen(at=now), known={}, trouble=f"{AWAY}.")
        seen = last[1].seen
        # Who may read what is known anew, or not at all.
        return Sight(
            seen=seen,
            known=self._known(posts_of(seen)),
            trouble=f"{AWAY}; this is how it stood {span(now - seen.at)} ago.",
        )

    def _known(self, posts: Sequence[str]) -> Mapping[str, Known]:
        self._posts = {post: self._posts[post] for post in posts if post in self._posts}
        asked, found = 0, {}
        for post in posts:
            at, known = self._posts.get(post, (float("-inf"), None))
            age = self._clock() - at
            if age >= POST_FRESH and asked < POSTS_ASKED:
                asked, age = asked + 1, 0.0
                known = self._asked(post, known)
                self._posts[post] = self._clock(), known
            if known is not None and age < POST_KEPT:
                found[post] = known
        return found

    def _asked(self, post: str, before: Known | None) -> Known | None:
        """What the server says of a post; None of one that the bot cannot read."""
        try:
            there = self._client.post(post)
            if there.is_deleted:
                return None
            if before is not None and before.title:
                return Known(channel_id=there.channel_id, title=before.title)
        except (MattermostNotFoundError, MattermostForbiddenError):
            return None
        try:
            return Known(channel_id=there.channel_id, title=find_recording(self._client, post).title)
        except MattermostError as error:
            if error.status and not isinstance(error, MattermostNotFoundError | MattermostForbiddenError):
                raise
            if isinstance(error, MattermostUnreachableError):
                raise
            return Known(channel_id=there.channel_id, title="")  # no recording, or its file is gone


class Members:
    """Who is in which channel, by the server's word of the last seconds."""

    def __init__(self, client: MattermostClient, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._kept: Lately[tuple[str, str], bool] = Lately(seconds=FRESH, most=REMEMBERED, clock=clock)

    def channels(self, user_id: str, channel_ids: Sequence[str]) -> set[str]:
        """Those of the channels that somebody is in now.

        Raises:
            MattermostError: the server does not answer.
        """
        return {channel for channel in channel_ids if self._is_in(channel, user_id)}

    def _is_in(self, channel_id: str, user_id: str) -> bool:
        if (known := self._kept.get((channel_id, user_id))) is not None:
            return known
        try:
            member = self._client.is_channel_member(channel_id, user_id)
        except (MattermostNotFoundError, MattermostForbiddenError):
            member = False  # the channel is gone, or the bot is in it no longer
        return self._kept.put((channel_id, user_id), member)


class WorkPage:
    """The page, for whoever is signed in.

    Args:
        settings: where the steps' database is.
        client: the bot.
        lookout: who looks.
        members: who is in which channel.
    """

    def __init__(
        self,
        settings: Settings,
        client: MattermostClient,
        *,
        lookout: Lookout | None = None,
        members: Members | None = None,
    ) -> None:
        self._settings, self._client = settings, client
        self.lookout = lookout or Lookout(settings, client)
        self.members = members or Members(client)

    def board(self, visitor: Visitor) -> Board:
        """What somebody sees. Raises as `Lookout.sight` does."""
        sight = self.lookout.sight()
        server, trouble = self._client.url, sight.trouble
        if visitor.is_admin:
            return everything(sight.seen, sight.known, server=server, titles=sight.titles, trouble=trouble)
        channels = list(dict.fromkeys(one.channel_id for one in sight.known.values()))
        mine = self.members.channels(visitor.user.id, channels)
        return own(sight.seen, sight.known, channels=mine, server=server, trouble=trouble)

    def is_admin(self, visitor: Visitor) -> bool:
        """Whether somebody is an admin at this very moment: what changes something waits for no answer's age."""
        try:
            user = self._client.user(visitor.user.id)
        except (MattermostNotFoundError, MattermostForbiddenError):
            return False
        return user.is_admin and decide_recipient(user) is None

    def retry(self, post: str) -> str:
        """Put a recording that failed back into the queue; what was done, empty if it did not fail.

        Raises:
            DatabaseError: the steps' database cannot be read or written.
        """
        if post not in {failure.post for failure in look(self._settings).failures}:
            return ""
        done = retry(self._settings, [post])[post]
        self.lookout.again()
        return done


def add_work(router: APIRouter, report: Report, page: WorkPage) -> None:
    """Add the routes."""

    @router.get("/work")
    def work(request: Request) -> Response:
        """The page; the way in for who is not signed in."""
        return guarded(report, lambda: _work(report, page, request))

    @router.get("/work.json")
    def work_json(request: Request) -> Response:
        """The same for the page's script."""

        def told() -> Response:
            visitor = visitor_of(report, request)
            return report.nothing() if visitor is None else report.json(asdict(page.board(visitor)))

        return guarded(report, told)

    @router.post("/work/retry")
    async def try_again(request: Request) -> Response:
        """Put a recording that failed back into the queue."""
        form = await read_form(request)
        return await run_in_threadpool(guarded, report, lambda: _retry(report, page, request, form))


def _work(report: Report, page: WorkPage, request: Request) -> Response:
    visitor = visitor_of(report, request)
    if visitor is None:
        return report.door("work")
    told = SAID.get(request.query_params.get("done", "-"), "")
    return report.show(
        "work.html",
        visitor=visitor,
        board=page.board(visitor),
        told=told if visitor.is_admin else "",
        form=report.links.form_token(visitor.cookie),
    )


def _retry(report: Report, page: WorkPage, request: Request, form: Mapping[str, str] | None) -> Response:
    visitor = visitor_of(report, request)
    if visitor is None or not page.is_admin(visitor):
        return report.nothing()
    if form is None or not may_change(report, visitor, request, form):
        return report.refused()
    post = form.get("post", "")
    done = page.retry(post)
    if done:
        report.noted("retry", visitor.user, recording=post, outcome=done)
    return to(f"{report.links.path}/m/work?done={done.replace(' ', '+')}")
