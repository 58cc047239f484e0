"""Understands who wants a digest: now, every day, every week, or no more."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime

from meetings.config import Settings
from meetings.digests.book import DigestBook
from meetings.digests.gather import Digester, period
from meetings.digests.render import render_digest
from meetings.errors import PeopleError
from meetings.intents import Ask, Outcome
from meetings.llm import TextEmbedder
from meetings.mattermost.client import MattermostClient
from meetings.quiet import zone_of

MAX_TEXT = 200  # characters that are read

_POLITE = re.compile(
    r"^(?:(?:hi|hello|hey|hallo|please|bitte|can you|could you|kannst du|send me|give me|show me|i(?:'d| would) like|"
    r"i want|schick(?:e)? mir|gib mir|ich (?:möchte|will)|my|mein(?:en)?|the|a|ein(?:en)?|den|der)[\s,:!]+)+"
)
_TAIL = re.compile(r"[\s,]*\b(?:please|bitte|thanks|thank you|danke|now|jetzt|for me|für mich)[\s.!?]*$")
_DIGEST = r"(?:digests?|überblick|tagesüberblick|wochenüberblick)"
_OFF = re.compile(
    rf"(?:no(?: more)?|stop(?: sending(?: me)?)?|end|cancel|unsubscribe from|without|keine?n?|stopp?e?|beende) "
    rf"(?:the |my |den |meinen )?(?:(?:daily|weekly|tägliche[nr]?|wöchentliche[nr]?) )?{_DIGEST}(?: mehr)?|"
    rf"{_DIGEST} (?:off|aus|stop|never)"
)
_EVERY = {
    "daily": re.compile(
        rf"(?:daily|everyday|tägliche[nr]?) {_DIGEST}|"
        rf"{_DIGEST} (?:daily|every (?:day|morning)|täglich|jeden (?:tag|morgen))|"
        r"tagesüberblick"
    ),
    "weekly": re.compile(
        rf"(?:weekly|wöchentliche[nr]?) {_DIGEST}|{_DIGEST} (?:weekly|every (?:week|monday)|wöchentlich|jede woche|"
        r"jeden montag)|wochenüberblick"
    ),
}
_ONCE = re.compile(
    rf"{_DIGEST}(?: (?P<of>(?:of |for )?(?:the |this )?(?:last |past )?week|der (?:letzten )?woche|today|heute))?"
)

_WHEN = {"daily": "every morning at 8", "weekly": "on Mondays at 8"}


def read_wish(text: str) -> str | None:
    """`daily`, `weekly` or `none` for a standing wish, `now` or `week` for one digest; None for anything else."""
    bare = " ".join(text[:MAX_TEXT].replace("’", "'").lower().split())
    before = None
    while before != bare:
        before = bare
        bare = _TAIL.sub("", _POLITE.sub("", bare)).strip(" .!,?")
    if _OFF.fullmatch(bare):
        return "none"
    for often, pattern in _EVERY.items():
        if pattern.fullmatch(bare):
            return often
    match = _ONCE.fullmatch(bare)
    if match is None:
        return None
    return "week" if match["of"] and "w" in match["of"] else "now"


class DigestIntent:
    """Digests, as they are asked for.

    Args:
        settings: where wishes and results are kept.
        client: the bot.
        embedder: gives sentence embeddings.
    """

    name = "digest"
    help = (
        "- **daily digest**, **weekly digest**, **no digest**: calls you missed, what is due and the best of your "
        "channels in one message, in your morning; **digest**: one now"
    )

    def __init__(self, settings: Settings, client: MattermostClient, embedder: Callable[[], TextEmbedder]) -> None:
        self._settings = settings
        self._client = client
        self._embedder = embedder

    def understand(self, ask: Ask) -> Outcome | None:
        """A wish becomes an effect; one digest is read here and now."""
        wish = read_wish(ask.text)
        if wish is None:
            return None
        if wish == "none":
            return Outcome(text="Noted: no digest any more.", effects=(("often", "none"),))
        if wish in _WHEN:
            zone = ask.asker.timezone or "UTC"
            text = f"Noted: a {wish} digest, {_WHEN[wish]} ({zone}). **no digest** ends it, **digest** brings one now."
            return Outcome(text=text, effects=(("often", wish),))
        often = "weekly" if wish == "week" else "daily"
        zone_here = zone_of(ask.asker.timezone)
        now = datetime.fromtimestamp(ask.at / 1000, tz=zone_here) if ask.at else datetime.now(zone_here)
        since, until = period(often, now)
        digester = Digester(self._settings, self._client, self._embedder)
        digest = digester.make(ask.asker, often, since=since, until=until)
        return Outcome(text=render_digest(digest, url=self._client.url))

    def change(self, username: str, user_id: str, what: str, value: str) -> None:
        """Keep, or remove, the standing wish."""
        if what != "often":
            raise PeopleError(f"a digest has no {what!r}")
        book = DigestBook(self._settings)
        if value == "none":
            book.end(user_id)
            return
        zone = zone_of(self._client.user(user_id).timezone)
        book.want(user_id, username, value, now=datetime.now(zone))
