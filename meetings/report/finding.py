"""What somebody may find: the index of meetings, opened once in a process, and filled while pages are asked for.

Filling goes on beside the answers: a page waits for it a moment and then shows what there is. Who may find what is
asked of the server anew (`meetings.search.reader_of`), and its word counts as long as for pages.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from meetings.config import Settings
from meetings.errors import MattermostForbiddenError, MattermostNotFoundError, MeetingsError
from meetings.llm import TextEmbedder, open_embedder
from meetings.mattermost import MattermostClient
from meetings.mattermost.entities import Channel, User
from meetings.report.access import FRESH
from meetings.report.lately import Lately
from meetings.search import Card, Filters, Found, Index, Reader, catch_up, open_index, reader_of, search

AT_ONCE = 3  # meetings that are put in before others may change the index, as who is forgotten wants to
AGAIN = 10.0  # seconds after which it is looked for what is new
PATIENCE = 3.0  # seconds that a page waits for what is new
BREATH = 0.5  # seconds after a change in which its answer and the page that follows have the processor to themselves
REMEMBERED = 1_000  # readers, and channels
NAMED = 600.0  # seconds that a channel's name counts

log = logging.getLogger("meetings.report")


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """How the index stands: `trouble` is why there is none (empty: there is); `complete`, whether everything is in."""

    trouble: str = ""
    complete: bool = True


class Finder:
    """Finds meetings for those who may read them.

    Args:
        settings: where the index and the models are.
        client: the bot.
        now: seconds; for how long the server's word counts.
        embedder: gives sentence embeddings; None: those that settings name.
    """

    def __init__(
        self,
        settings: Settings,
        client: MattermostClient,
        *,
        now: Callable[[], float] = time.monotonic,
        embedder: Callable[[], TextEmbedder] | None = None,
    ) -> None:
        self._settings = settings
        self._client = client
        self._now = now
        self.embedder = cache(embedder or (lambda: open_embedder(settings)))
        self._reading = threading.Lock()  # the index is one connection
        self._filling = threading.Lock()
        self._index: Index | None = None
        self._filler: threading.Thread | None = None
        self._filled_at = float("-inf")
        self._news = threading.Event()
        self._state = State(complete=False)
        self._readers: Lately[str, tuple[frozenset[str], Reader]] = Lately(seconds=FRESH, most=REMEMBERED, clock=now)
        self._channels: Lately[str, tuple[Channel | None]] = Lately(
            seconds=NAMED, most=REMEMBERED, clock=time.monotonic
        )

    def refresh(self, *, patience: float = PATIENCE, after: float = 0.0) -> State:
        """See what is new, for at most `patience` seconds, beginning `after` some; how the index stands."""
        with self._filling:
            running = self._filler is not None and self._filler.is_alive()
            if not running and not self._news.is_set() and time.monotonic() - self._filled_at < AGAIN:
                return self._state
            if not running:
                self._filler = threading.Thread(target=self._fill, args=(after,), daemon=True, name="index")
                self._filler.start()
            filler = self._filler
        assert filler is not None
        filler.join(patience)
        return State(trouble=self._state.trouble, complete=False) if filler.is_alive() else self._state

    def changed(self) -> None:
        """Something was changed just now: it is looked for at once, beside the answer to whoever did it."""
        self._news.set()
        self.refresh(patience=0.0, after=BREATH)

    def cards(self, user: User) -> tuple[Card, ...]:
        """The meetings that somebody may read, the newest first.

        Raises:
            MeetingsError: the server does not answer, or the index cannot be read.
        """
        with self._opened() as index:
            cards = index.shelf().cards
        reader = self._reader(user, cards)
        return tuple(sorted((c for c in cards if reader.may_read(c)), key=lambda c: (c.started_at, c.id), reverse=True))

    def found(self, user: User, text: str, filters: Filters, *, limit: int) -> tuple[Found, ...]:
        """What is found for somebody; raises as `cards` does."""
        embedder = self.embedder()
        with self._opened() as index:
            cards = index.shelf().cards
        reader = self._reader(user, cards)
        with self._opened() as index:
            return search(index, text, reader, embedder=embedder, filters=filters, limit=limit)

    def seconds(self, card: Card) -> float:
        """How long a meeting was spoken in; 0 if nothing was said."""
        with self._opened() as index:
            shelf = index.shelf()
            at = next((n for n, c in enumerate(shelf.cards) if c.id == card.id), None)
            last = 0 if at is None else int(shelf.first[at + 1] - shelf.first[at]) - 1
            found = index.passages(card.id, [last]) if last >= 0 else {}
        return max((part.end for passage in found.values() for part in passage.parts), default=0.0)

    def channel(self, channel_id: str) -> Channel | None:
        """A channel, for its name; None of one that the bot cannot see."""
        if (known := self._channels.get(channel_id)) is not None:
            return known[0]
        try:
            channel = self._client.channel(channel_id)
        except (MattermostForbiddenError, MattermostNotFoundError):
            channel = None
        return self._channels.put(channel_id, (channel,))[0]

    # Inside

    def _reader(self, user: User, cards: Sequence[Card]) -> Reader:
        channels = frozenset(c.channel_id for c in cards)
        if (known := self._readers.get(user.id)) is not None and channels <= known[0]:
            return known[1]
        at = self._now()
        return self._readers.put(user.id, (channels, reader_of(self._client, user, cards)), at=at)[1]

    @contextlib.contextmanager
    def _opened(self) -> Iterator[Index]:
        with self._reading:
            # What was made anew beside this process holds what is true now; the old file may hold what was removed.
            if self._index is not None and not self._index.in_place():
                self._index.close()
                self._index = None
            if self._index is None:
                self._index = open_index(self._settings)
            yield self._index

    def _fill(self, after: float) -> None:
        """Put in what is new, some meetings at a time: others, who change the index too, get their turn."""
        time.sleep(after)
        self._news.clear()
        try:
            with open_index(self._settings) as index:
                while True:
                    done = catch_up(self._settings, index, self.embedder, most=AT_ONCE)
                    # What cannot be read is left again and again.
                    if self._news.is_set():
                        self._news.clear()  # it may have come too late to be seen
                    elif not done.left or not done.put:
                        break
            self._state = State(complete=not done.left)
        except (MeetingsError, OSError) as error:
            log.warning("meetings cannot be put into the index: %s", error)
            self._state = State(trouble=" ".join(str(error).split()), complete=False)
        finally:
            self._filled_at = time.monotonic()
