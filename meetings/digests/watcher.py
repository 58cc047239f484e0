"""Sends digests in the morning: a few a minute, so that nothing else has to wait for all of them."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import datetime

from meetings.config import Settings
from meetings.digests.book import DigestBook, Standing, morning
from meetings.digests.gather import Digester, period
from meetings.digests.render import render_digest
from meetings.digests.send import FOOTER, delivered, refused, send_digest
from meetings.errors import DatabaseError, MattermostAuthError, MattermostUnreachableError, MeetingsError
from meetings.llm import TextEmbedder
from meetings.mattermost.client import MattermostClient
from meetings.mattermost.entities import User
from meetings.quiet import zone_of
from meetings.watchers import News

# The watch's thread does other things as well: of one tick a minute this much (seconds) is spent on digests.
AT_A_TIME = 20.0
AGAIN = 1_800.0  # seconds until who could not be sent theirs is tried again

log = logging.getLogger("meetings.digests")


class Digests:
    """Sends to each who wants one what is due.

    Args:
        settings: who wants what.
        client: the bot.
        embedder: gives sentence embeddings.
        clock: seconds, for how long a tick may take.
    """

    def __init__(
        self,
        settings: Settings,
        client: MattermostClient,
        embedder: Callable[[], TextEmbedder],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self._client = client
        self._embedder = embedder
        self._clock = clock
        self._later: dict[str, float] = {}

    def look(self, news: News) -> None:
        """Nothing: a digest reads its channels when it is made."""

    def tick(self, now: float) -> None:
        """Send what is due; what there is no time for is due a minute later still."""
        book = DigestBook(self._settings)
        wanting = {s.user_id: s for s in book.everybody()}
        if not wanting:
            return
        begun = self._clock()
        digester = Digester(self._settings, self._client, self._embedder)
        for user in self._client.users(wanting):
            standing = wanting[user.id]
            here = datetime.fromtimestamp(now, tz=zone_of(user.timezone))
            due = morning(standing.often, here)
            if due is None or due == standing.last or self._later.get(user.id, 0.0) > now:
                continue
            if self._clock() - begun > AT_A_TIME:
                return
            try:
                self._send(book, standing, user, due, here, digester)
            except (MattermostUnreachableError, MattermostAuthError, DatabaseError):
                raise
            except MeetingsError as error:
                self._later[user.id] = now + AGAIN
                log.warning("a digest could not be sent, and is tried again: %s", " ".join(str(error).split()))

    def _send(
        self, book: DigestBook, standing: Standing, user: User, due: str, here: datetime, digester: Digester
    ) -> None:
        since, until = period(standing.often, here, last=standing.until)
        told: tuple[str, ...] = ()
        # Looked at first: making one takes seconds.
        if reason := refused(self._settings, user):
            log.info("no digest for %s: %s", user.username, reason)
        elif not delivered(self._client, self._client.direct_channel(user.id), due):
            digest = digester.make(user, standing.often, since=since, until=until, told=frozenset(standing.told))
            told = tuple(c.media_id for c in (*digest.missed, *digest.others))
            # They may have ended it while it was made.
            if not digest.empty and book.of(user.id) is not None:
                text = render_digest(digest, url=self._client.url, footer=FOOTER)
                send_digest(self._settings, self._client, user.id, text, morning=due)
        book.seen_to(user.id, due, until=until, told=told)
