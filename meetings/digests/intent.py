"""What people may ask of digests: one now, one every day or week, or none."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from meetings.config import Settings
from meetings.digests.book import DAILY, WEEKLY, DigestBook
from meetings.digests.digest import make_digest
from meetings.digests.render import render_digest
from meetings.digests.send import AHEAD, SPAN, period_of
from meetings.intents import Ask, Outcome
from meetings.llm import TextEmbedder
from meetings.mattermost.client import MattermostClient
from meetings.quiet import zone_of

_MS = timedelta(milliseconds=1)
MAX_TEXT = 120  # characters that are read
NOW_, OFF = "now", "off"

_POLITE = re.compile(
    r"^(?:(?:hi|hello|hey|hallo|please|bitte|can you|could you|meetings|@\S+|,|i(?:'d| would) like|i want|send me"
    r"|give me|make me|subscribe me to|ich (?:möchte|will)|schick mir|a|an|the|my|eine?n?|die|den)[\s,:!]+)+"
)
_TAIL = re.compile(r"[\s,]*\b(?:please|bitte|thanks|thank you|danke)\b[\s.!]*$")
_DIGEST = r"(?:digests?|round-?ups?)"
_WISHES: tuple[tuple[str, re.Pattern[str]], ...] = (
    (
        OFF,
        re.compile(
            r"(?:no(?: more)?|stop(?: sending)?(?: me)?|cancel|end|kein(?:en?)?)(?: (?:the|my|daily|weekly))* "
            rf"{_DIGEST}|{_DIGEST} (?:off|none|aus)|unsubscribe from (?:the |my )?{_DIGEST}"
        ),
    ),
    (
        DAILY,
        re.compile(
            rf"(?:daily|tägliche[nr]?) {_DIGEST}|{_DIGEST} (?:daily|every day|each day|täglich)|tageszusammenfassung"
        ),
    ),
    (
        WEEKLY,
        re.compile(
            rf"(?:weekly|wöchentliche[nr]?) {_DIGEST}|{_DIGEST} (?:weekly|every week|each week|wöchentlich)"
            r"|wochenzusammenfassung"
        ),
    ),
    (NOW_, re.compile(rf"(?:today's |today )?{_DIGEST}(?: (?:now|today|jetzt|heute))?")),
)
NO_MORE = "You get no more digests. **digest** makes one whenever you ask."


def read_wish(text: str) -> str | None:
    """`daily`, `weekly`, `off` or `now`; None for what is none of these.

    >>> read_wish("Please send me a weekly digest")
    'weekly'
    """
    bare = " ".join(text[:MAX_TEXT].replace("’", "'").lower().split())
    bare = _TAIL.sub("", _POLITE.sub("", bare)).strip(" .!,?")
    return next((wish for wish, pattern in _WISHES if pattern.fullmatch(bare)), None)


class DigestIntent:
    """The kind of request (`meetings.intents.Intent`).

    Args:
        settings: where wishes and results are.
        client: the bot.
        embedder: gives sentence embeddings; asked once a digest is to be made.
        clock: seconds since the epoch.
    """

    name = "digest"
    help = (
        "- **digest**: the last day's calls and channels in one message; **daily digest**, **weekly digest**: every "
        "morning, or on Mondays; **no digest** ends it"
    )

    def __init__(
        self,
        settings: Settings,
        client: MattermostClient,
        embedder: Callable[[], TextEmbedder],
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._settings = settings
        self._client = client
        self._embedder = embedder
        self._clock = clock

    def understand(self, ask: Ask) -> Outcome | None:
        """What a request comes to; None if it is of another kind."""
        wish = read_wish(ask.text)
        if wish is None:
            return None
        if wish == OFF:
            return Outcome(
                text="You get no more digests. **digest** makes one whenever you ask.", effects=(("every", ""),)
            )
        if wish != NOW_:
            when = "each morning at 8" if wish == DAILY else "on Mondays at 8"
            text = f"You get a digest {when}, by your own clock, when there is something in it. **no digest** ends it."
            return Outcome(text=text, effects=(("every", wish),))
        zone = zone_of(ask.asker.timezone)
        here = datetime.fromtimestamp(self._clock(), tz=UTC).astimezone(zone)
        until = int(here.timestamp() * 1000)
        made = make_digest(
            self._settings,
            self._client,
            ask.asker,
            self._embedder(),
            since=until - SPAN[DAILY] // _MS,
            until=until,
            today=here.date(),
            ahead=AHEAD[DAILY],
        )
        return Outcome(text=render_digest(made, zone=zone))

    def change(self, username: str, user_id: str, what: str, value: str) -> None:
        """Note how often they want one, from the next period on."""
        if what == "every" and value in {DAILY, WEEKLY, ""}:
            zone = zone_of(self._client.user(user_id).timezone)
            here = datetime.fromtimestamp(self._clock(), tz=UTC).astimezone(zone)
            period = period_of(value, here) if value else ""
            now = int(here.timestamp() * 1000)
            DigestBook(self._settings).want(user_id, username, value, period=period, now=now)
