"""What people may ask for: a briefing on a channel, the briefing that was offered, and to be left alone with these.

The answer holds nothing of a channel that the asker is not in at that moment; of one that they may not know of, no more
is said than of one that is not there.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime, timedelta

from meetings.catchup.book import OFFER_LASTS, CatchupBook, Offer
from meetings.catchup.briefer import LOOK_BACK, Briefer
from meetings.catchup.phrases import CatchUp, Word, read_wish
from meetings.catchup.render import render_briefing
from meetings.catchup.watcher import CATCHUP_PROP
from meetings.config import Settings
from meetings.errors import ConfigError, MattermostForbiddenError, MattermostNotFoundError
from meetings.intents import Ask, Outcome
from meetings.llm import TextEmbedder
from meetings.mattermost.client import MattermostClient
from meetings.mattermost.entities import Channel, Post, User
from meetings.mattermost.opinions import DISLIKES, LIKES
from meetings.moments import Span, read_span
from meetings.quiet import zone_of
from meetings.summary import inert

_WEEK = timedelta(weeks=1) // timedelta(milliseconds=1)
LOOK_BACK_POSTS = 30  # newest posts of a direct channel among which the offer is that a `yes` answers

OFF = (
    "I offer you no more briefings. **catch-ups again** brings them back; **catch me up on ~channel** works as before."
)
ON = "I offer you briefings again, when you join a channel or come back after days."
DECLINED = "Fine. **catch me up** works at any time; **no catch-ups** ends these offers."


class CatchupIntent:
    """The kind of request (`meetings.intents.Intent`), also by a thumb on an offer.

    Args:
        settings: where offers are kept.
        client: the bot.
        embedder: gives sentence embeddings; asked once a briefing is to be made.
        clock: seconds since the epoch.
    """

    name = "catchup"
    help = (
        "- **catch me up on ~product**: what a channel is for, what was decided, what is open, whom to ask; "
        "**since Monday** or **3d** reach as far as you say; **catch me up**: all your channels\n"
        "- **no catch-ups**, **catch-ups again**: whether I offer that when you join a channel or come back"
    )

    def __init__(
        self,
        settings: Settings,
        client: MattermostClient,
        embedder: Callable[[], TextEmbedder],
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._client = client
        self._book = CatchupBook(settings)
        self._briefer = Briefer(settings, client, embedder)
        self._clock = clock

    def understand(self, ask: Ask) -> Outcome | None:
        """What a request comes to; None if it is of another kind, as a `yes` that answers something else."""
        wish = read_wish(ask.text)
        match wish:
            case None:
                return None
            case Word.OFF:
                return Outcome(text=OFF, effects=(("off", ask.asker.username),))
            case Word.ON:
                return Outcome(text=ON, effects=(("on", ask.asker.username),))
            case CatchUp():
                return self._asked(ask, wish)
        offer = self._offer(ask.asker)
        if offer is None or ask.command or self._answered(ask) != offer.key:
            return None
        return self._told(ask.asker, offer) if wish is Word.YES else _declined(offer)

    def understand_reaction(self, asker: User, post: Post, emoji_name: str) -> Outcome | None:
        """What a thumb on an offer comes to."""
        offer = self._offer(asker)
        if offer is None or post.props.get(CATCHUP_PROP) != offer.key:
            return None
        if emoji_name in LIKES:
            return self._told(asker, offer)
        return _declined(offer) if emoji_name in DISLIKES else None

    def change(self, username: str, user_id: str, what: str, value: str) -> None:
        """Note how far they were told, or that they want none."""
        if what in {"off", "on"}:
            self._book.set_off(user_id, username, off=what == "off")
        elif what == "told":
            ends = {str(c): int(at) for c, at in json.loads(value).items()}
            self._book.note_told(user_id, ends, now=self._now())

    # The offer

    def _offer(self, asker: User) -> Offer | None:
        offer = self._book.of(asker.id).offer
        return offer if offer is not None and self._now() - offer.at < OFFER_LASTS else None

    def _answered(self, ask: Ask) -> str:
        """The key of the message of the bot that a text answers: its thread's, else the newest before it."""
        me = self._client.me().id
        posts = list(self._client.latest_posts(ask.channel_id, LOOK_BACK_POSTS))
        said = next((p for p in posts if p.user_id == ask.asker.id and p.create_at == ask.at), None)
        if said is not None and said.root_id:
            try:
                answered: Post | None = self._client.post(said.root_id)
            except (MattermostForbiddenError, MattermostNotFoundError):
                answered = None
        else:
            answered = next((p for p in posts if p.user_id == me and p.create_at <= ask.at), None)
        return str(answered.props.get(CATCHUP_PROP, "")) if answered is not None and answered.user_id == me else ""

    def _told(self, asker: User, offer: Offer) -> Outcome:
        here = {c.id: c for c in self._briefer.channels()}
        stretches = {i: (here[i], since) for i, (since, _) in offer.stretches.items() if i in here}
        outcome = self._brief(asker, stretches, offer.joined, away_since=offer.away_since or None)
        # What is in none of the channels any more was answered too.
        ends = {i: end for i, (_, end) in offer.stretches.items()}
        return Outcome(text=outcome.text, effects=(*outcome.effects, _effect(ends)))

    # Asked for

    def _asked(self, ask: Ask, wish: CatchUp) -> Outcome:
        asker = ask.asker
        channels = self._briefer.channels()
        if not wish.channel and not ask.command and not wish.since and (offer := self._offer(asker)) is not None:
            return self._told(asker, offer)
        if wish.channel:
            theirs = [c for c in channels if self._is_called(c, wish.channel) and self._is_in(c, asker)]
            # The same name in several teams: the one that they are in at the moment, else all.
            theirs = [c for c in theirs if c.team_id == ask.team_id] or theirs
        elif ask.command and (here := [c for c in channels if c.id == ask.channel_id and self._is_in(c, asker)]):
            theirs = here
        else:
            theirs = [c for c in channels if self._is_in(c, asker)]
        if wish.channel and not theirs:
            named = inert(wish.channel, limit=80)
            return Outcome(text=f"I know no channel called {named} that you and I are both in.")
        one = len(theirs) == 1
        since = self._since(wish, asker, one=one)
        stretches = {c.id: (c, since) for c in theirs}
        return self._brief(asker, stretches, [c.id for c in theirs] if one else [], away_since=None)

    def _since(self, wish: CatchUp, asker: User, *, one: bool) -> int:
        if not wish.since:
            return self._now() - (LOOK_BACK if one else _WEEK)
        here = datetime.fromtimestamp(self._clock(), tz=UTC).astimezone(zone_of(asker.timezone))
        span = read_span(wish.since, now=here)
        if not isinstance(span, Span):
            raise ConfigError(
                f"since {wish.since!r}: say a weekday, yesterday, days or weeks (3d, 2w) or a date (2026-11-23)"
            )
        return int(span.since.timestamp() * 1000)

    def _brief(
        self,
        asker: User,
        stretches: Mapping[str, tuple[Channel, int]],
        joined: Collection[str],
        *,
        away_since: int | None,
    ) -> Outcome:
        made = self._briefer.brief(asker, stretches, joined=joined, now=self._now())
        text = render_briefing(
            made.briefing, url=self._client.url, names=made.names, timezone=asker.timezone, away_since=away_since
        )
        return Outcome(text=text, effects=(_effect(made.ends),) if made.ends else ())

    def _is_called(self, channel: Channel, name: str) -> bool:
        address = self._client.address_of(channel)
        return name in {channel.name, channel.display_name.lower(), address, address.replace("/", "/~")}

    def _is_in(self, channel: Channel, asker: User) -> bool:
        return self._client.is_channel_member(channel.id, asker.id)

    def _now(self) -> int:
        return int(self._clock() * 1000)


def _effect(ends: Mapping[str, int]) -> tuple[str, str]:
    return "told", json.dumps(dict(ends), separators=(",", ":"))


def _declined(offer: Offer) -> Outcome:
    return Outcome(text=DECLINED, effects=(_effect({i: end for i, (_, end) in offer.stretches.items()}),))
