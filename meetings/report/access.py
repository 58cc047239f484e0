"""Who may see a meeting's page: decided at every view and for every part of the recording, from what is true now.

A token says who asks (`meetings.page_links`). Whether they may see it is what decides about their message, too: the
account is active and no guest, it is a member of the recording's channel, the recording is still there. What the server
said counts for `FRESH` seconds. Whoever may not is told the same as if there were nothing. A token that is not ours is
refused before anything is looked up, so that the time it takes says nothing of what there is.

Who is signed in (`Visitor`) may see every meeting that they may read, each decided as for a link to it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from meetings.config import Settings
from meetings.errors import MattermostForbiddenError, MattermostNotFoundError
from meetings.job import Job
from meetings.mattermost import MattermostClient
from meetings.mattermost.delivery import decide_recipient
from meetings.mattermost.entities import User
from meetings.page_links import Holder, PageLinks, Purpose, is_meeting
from meetings.page_sign_ins import SignIns
from meetings.recalled import RecalledCall, recall
from meetings.recordings import past_runs
from meetings.report.lately import Lately
from meetings.store import FileStore

FRESH = 30.0  # seconds that the server's word on somebody's rights counts
REMEMBERED = 10_000  # rights
ACCOUNT = ""  # instead of a meeting: that an account may have pages


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """Somebody who may see a meeting's page now; `job` is the newest run of the meeting whose transcript is kept.

    `cookie` is what their browser came with, which their forms are tied to; `signed_in` says which of the two it is.
    """

    user: User
    holder: Holder
    job: Job
    cookie: str = field(default="", repr=False)
    signed_in: bool = False

    @property
    def meeting(self) -> str:
        """The meeting's id."""
        return self.job.source.media_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """Somebody who is signed in, with an account that may have pages now: active, no guest, no bot."""

    user: User
    holder: Holder
    cookie: str = field(repr=False)

    @property
    def is_admin(self) -> bool:
        """Whether they may do everything on the server, by its word."""
        return self.user.is_admin


class Gate:
    """Lets readers in.

    Args:
        settings: where meetings are kept.
        client: the bot, which asks the server.
        links: what tokens are checked by.
        clock: seconds; for how long the server's word counts.
    """

    def __init__(
        self,
        settings: Settings,
        client: MattermostClient,
        links: PageLinks,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = FileStore.of(settings)
        self._client = client
        self._links = links
        self.sign_ins = SignIns(links)
        self._clock = clock
        self._rights: Lately[tuple[str, str], User] = Lately(seconds=FRESH, most=REMEMBERED, clock=self.now)

    def now(self) -> float:
        """Seconds, by which the server's word grows old."""
        return self._clock()

    def visitor(self, cookie: str) -> Visitor | None:
        """Whoever is signed in by this cookie; None: nobody. Raises as `reader` does."""
        holder = self.sign_ins.holder(cookie)
        user = None if holder is None else self.account(holder.user_id)
        return None if holder is None or user is None else Visitor(user=user, holder=holder, cookie=cookie)

    def account(self, user_id: str) -> User | None:
        """An account, if it may have pages at all now. Raises as `reader` does."""
        user = self._rights.get((user_id, ACCOUNT))
        if user is None:
            try:
                user = self._client.user(user_id)
            except (MattermostNotFoundError, MattermostForbiddenError):
                return None
            if decide_recipient(user):
                return None
            self._rights.put((user.id, ACCOUNT), user)
        return user

    def at(self, meeting: str, *, home: str, page: str) -> Reader | None:
        """Whoever comes to a meeting with these cookies: who is signed in is who they are, else whose link it was.

        Args:
            meeting: its id.
            home: the cookie of a session; empty without one.
            page: the cookie that a link to this meeting gave; empty without one.

        Raises:
            MattermostError: as `reader`.
        """
        session = self.sign_ins.holder(home)
        reader = None if session is None else self.admit(session, meeting)
        if reader is not None:
            return replace(reader, cookie=home, signed_in=True)
        reader = self.reader("cookie", meeting, page)
        return None if reader is None else replace(reader, cookie=page)

    def reader(self, purpose: Purpose, meeting: str, token: str) -> Reader | None:
        """Whoever a token lets in; None: nobody.

        Raises:
            MattermostError: the server, which has to be asked, does not answer.
        """
        holder = self._links.holder(purpose, meeting, token)
        return None if holder is None else self.admit(holder, meeting)

    def admit(self, holder: Holder, meeting: str) -> Reader | None:
        """Somebody who is known, if they may see a meeting; raises as `reader` does."""
        found = self.may(holder.user_id, meeting)
        return None if found is None else Reader(user=found[0], holder=holder, job=found[1])

    def may(self, user_id: str, meeting: str) -> tuple[User, Job] | None:
        """An account and what it may see of a meeting now; None if that is nothing. Raises as `reader` does."""
        job = self._newest(meeting) if is_meeting(meeting) else None
        if job is None:
            return None
        user = self._rights.get((user_id, meeting)) or self._asked(user_id, job)
        return (user, job) if user is not None and self._addressed(user, job) else None

    def call(self, reader: Reader) -> RecalledCall | None:
        """What was said, and the reader's own summary, which is empty if there is none; None if all of it went."""
        return recall(self._store, reader.meeting, reader.user.username, read_only=True)

    def _newest(self, meeting: str) -> Job | None:
        for run in reversed(past_runs(self._store, meeting)):
            if self._store.has("conversation", run.conversation) and self._store.has("jobs", run.job):
                return Job.from_json(self._store.read_json("jobs", run.job))
        return None

    def _addressed(self, user: User, job: Job) -> bool:
        """Without a channel nothing says who may read but who got a summary."""
        if job.source.channel_id is not None:
            return True
        call = recall(self._store, job.source.media_id, user.username)
        return call is not None

    def _asked(self, user_id: str, job: Job) -> User | None:
        """What the server says: the account, if it may read the recording."""
        source = job.source
        try:
            user = self._client.user(user_id)
            refused = decide_recipient(
                user,
                member=source.channel_id is None or self._client.is_channel_member(source.channel_id, user_id),
                recording_gone=source.post_id is not None and self._client.post(source.post_id).is_deleted,
            )
        except (MattermostNotFoundError, MattermostForbiddenError):
            return None  # gone, or in a channel that the bot is in no longer
        return None if refused else self._rights.put((user.id, source.media_id), user)
