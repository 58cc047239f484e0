"""Sends the digests that are due: each person's in their own morning, one person at each tick."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from meetings.config import Settings
from meetings.digests.book import DigestBook, Standing
from meetings.digests.digest import make_digest
from meetings.digests.render import render_digest
from meetings.digests.send import AHEAD, SPAN, is_due, period_of, refusal, send_digest
from meetings.errors import MattermostNotFoundError
from meetings.llm import TextEmbedder
from meetings.mattermost.client import MattermostClient
from meetings.mattermost.entities import User
from meetings.quiet import zone_of
from meetings.watchers import News

KNOWN = 3600.0  # seconds that an account counts as known: its timezone
_MS = timedelta(milliseconds=1)

log = logging.getLogger("meetings.watchers")


class Digests:
    """A watcher (`meetings.watchers.Watcher`).

    Args:
        settings: where wishes and results are.
        client: the bot.
        embedder: gives sentence embeddings; asked once a digest is to be made.
    """

    def __init__(self, settings: Settings, client: MattermostClient, embedder: Callable[[], TextEmbedder]) -> None:
        self._settings = settings
        self._client = client
        self._embedder = embedder
        self._book = DigestBook(settings)
        self._users: dict[str, tuple[User, float]] = {}

    def look(self, news: News) -> None:
        """Nothing: a digest waits for its time."""

    def tick(self, now: float) -> None:
        """Send the first that is due; the next one's turn is the next tick's, so that nobody waits for all of them."""
        for standing in self._book.wanted():
            user = self._user(standing, now)
            if user is None:
                continue
            here = datetime.fromtimestamp(now, tz=UTC).astimezone(zone_of(user.timezone))
            if is_due(standing.every, standing.period, here):
                self._send(standing, here)
                return

    def _send(self, standing: Standing, here: datetime) -> None:
        period, until = period_of(standing.every, here), int(here.timestamp() * 1000)
        user = self._client.user(standing.user_id)  # as it is now
        if reason := refusal(self._settings, user):
            log.info("a digest is not sent: %s", reason)
        else:
            made = make_digest(
                self._settings,
                self._client,
                user,
                self._embedder(),
                since=standing.until or until - SPAN[standing.every] // _MS,
                until=until,
                today=here.date(),
                ahead=AHEAD[standing.every],
            )
            if not made.empty:
                text = render_digest(made, zone=zone_of(user.timezone))
                send_digest(self._settings, self._client, user, text, period=f"{standing.every} {period}")
        self._book.told(standing.user_id, period, until)

    def _user(self, standing: Standing, now: float) -> User | None:
        known = self._users.get(standing.user_id)
        if known is None or not 0 <= now - known[1] < KNOWN:
            try:
                known = self._client.user(standing.user_id), now
            except MattermostNotFoundError:
                return None
            self._users[standing.user_id] = known
        return known[0]
