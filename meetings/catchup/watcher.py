"""Sees who comes into channels and who comes back after days, and offers them a briefing, or gives it.

One message a person, whatever they came into within the same minutes; never twice for the same stretch; never in quiet
hours: what is held back is looked at anew in the morning. A message is prepared in a document, looked for on the server
before it is sent, and noted afterwards, so that a process that dies in between sends nothing twice.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from meetings.audit import AuditLog
from meetings.catchup.book import CatchupBook, Due, Entry, Offer
from meetings.catchup.briefer import Briefer, Missed
from meetings.catchup.joins import CROWD, joins
from meetings.catchup.render import HOW_TO_STOP, render_briefing, render_offer
from meetings.config import Settings
from meetings.errors import MattermostError, MattermostNotFoundError
from meetings.mattermost.client import MAX_MESSAGE, MattermostClient
from meetings.mattermost.delivery import FIRST_PROP, INTRODUCTION, LOOK_BACK, decide_recipient
from meetings.mattermost.entities import Post, User
from meetings.people import FeedbackBook
from meetings.quiet import next_moment, read_quiet_hours
from meetings.store import digest
from meetings.watchers import News

CATCHUP_PROP = "meetings_catchup"  # in the props of an offer or a briefing: its key
_MS = timedelta(milliseconds=1)
SETTLE = timedelta(seconds=45) // _MS  # who joins one channel often joins more: all of them are one message
PRESENCE_EVERY = 600.0  # seconds between two looks at who is there
MEMBERS_EVERY = 3600.0  # seconds that the members of channels count as known
GIVEN_UP = timedelta(days=14) // _MS  # what could not be told for so long is old
MOST_AT_ONCE = 20  # messages of one look, so that other watchers get their turn
# Where the server tells only of posts who is there, a reader who seldom writes would seem to be away: so many times
# longer has nothing to come of them.
UNSURE = 2

log = logging.getLogger("meetings.catchup")


class Catchups:
    """A watcher of the bot's channels (`meetings.watchers.Watcher`).

    Args:
        settings: the mode, after how many days, and quiet hours.
        client: the bot.
        briefer: reads what there is to catch up on.
    """

    def __init__(self, settings: Settings, client: MattermostClient, briefer: Briefer) -> None:
        self._settings = settings
        self._client = client
        self._briefer = briefer
        self._book = CatchupBook(settings)
        self._feedback = FeedbackBook(settings)
        self._wrote: dict[str, int] = {}  # when who wrote last, since the last look at who is there
        self._viewed: dict[str, int] = {}
        self._members_at = self._presence_at = float("-inf")

    # What a watcher does

    def look(self, news: News) -> None:
        """Note who came into a channel, and who writes."""
        if self._settings.catchup.mode == "off":
            return
        for post in news.written:
            self._wrote[post.user_id] = max(post.create_at, self._wrote.get(post.user_id, 0))
        if news.channel.type not in {"O", "P"}:
            return
        came = joins(p for p in news.posts if p.create_at > news.since)
        me = self._client.me().id
        # The bot comes with the others: then the channel is new to everybody.
        if len(came) >= CROWD or any(join.user_id == me for join in came):
            return
        for join in came:
            self._book.note_due(join.user_id, joined={news.channel.id: join.at}, away_since=0, at=join.at)

    def tick(self, now: float) -> None:
        """See who is back, and write to those for whom it is time."""
        if self._settings.catchup.mode == "off":
            return
        if not 0 <= now - self._presence_at < PRESENCE_EVERY:
            self._presence_at = now
            self._see_who_is_back(now)
        sent = 0
        for user_id in self._book.waiting():
            if sent >= MOST_AT_ONCE:
                break
            try:
                sent += self._serve(user_id, int(now * 1000))
            except MattermostError as error:
                if error.everywhere:
                    raise
                log.warning("somebody could not be caught up: %s", error)
                self._drop(user_id)

    # Who is back

    def _see_who_is_back(self, now: float) -> None:
        """Compare when everybody was last there with what was noted at the last look.

        Somebody was away if they had done nothing for days when that was last looked at: of the time in which no
        process looked nothing is assumed.
        """
        if not 0 <= now - self._members_at < MEMBERS_EVERY:
            self._viewed = self._members()
            self._members_at = now
        moment = int(now * 1000)
        before, looked_at = self._book.seen()
        told = self._client.last_activities(self._viewed)
        seen: dict[str, int] = {}
        for user_id, viewed in self._viewed.items():
            known = max(told.get(user_id, 0), viewed)
            last = max(known, self._wrote.get(user_id, 0), before.get(user_id, 0))
            if last:
                seen[user_id] = last
            first = before.get(user_id, 0)
            after = timedelta(days=self._settings.catchup.after) // _MS * (1 if known else UNSURE)
            if first and last > first and looked_at - first >= after:
                self._book.note_due(user_id, joined={}, away_since=first, at=last)
        self._book.set_seen(seen, at=moment)
        self._wrote.clear()

    def _members(self) -> dict[str, int]:
        """Everybody in the bot's channels, with when they last looked at one of them, where the server tells that."""
        found: dict[str, int] = {}
        for channel in self._briefer.channels():
            try:
                members = self._client.channel_members(channel.id)
            except MattermostError as error:
                if error.everywhere:
                    raise
                continue  # the bot has left it
            for member in members:
                found[member.user_id] = max(member.viewed_at, found.get(member.user_id, 0))
        found.pop(self._client.me().id, None)
        return found

    # Telling them

    def _serve(self, user_id: str, now: int) -> bool:
        """Write to somebody, if it is time; whether it was."""
        entry = self._book.of(user_id)
        due = entry.due
        if entry.sending is None and due is not None and (now - due.at < SETTLE or now < due.not_before):
            return False
        user = self._recipient(user_id)
        if user is None or entry.off or (due is not None and now - due.at > GIVEN_UP):
            self._drop(user_id)
            return False
        quiet = read_quiet_hours(self._settings.quiet_hours)
        moment = datetime.fromtimestamp(now / 1000, tz=UTC)
        if (later := next_moment(moment, user.timezone, quiet)) > moment:
            self._hold_back(user_id, int(later.timestamp() * 1000))
            return False
        if entry.sending is None and due is not None:
            missed = self._briefer.missed(user, due, entry.told, now=now)
            entry = self._prepare(user, due, missed, now)
        if entry.sending is None:
            return False
        self._send(user, entry.sending, now)
        return True

    def _recipient(self, user_id: str) -> User | None:
        """The account, if it may be written to."""
        try:
            user = self._client.user(user_id)
        except MattermostNotFoundError:
            return None
        stopped = self._feedback.has_stopped(user.username, user.id)
        return None if decide_recipient(user, opted_out=stopped) else user

    def _prepare(self, user: User, due: Due, missed: tuple[Missed, ...], now: int) -> Entry:
        """Note what is to be sent in the place of what was due; what became due meanwhile stays due."""
        offer = Offer(
            key=f"{user.id}:{digest([sorted(due.joined.items()), due.away_since])[:16]}",
            stretches={m.channel.id: (m.since, m.end) for m in missed},
            joined=tuple(m.channel.id for m in missed if m.place.joined),
            away_since=due.away_since if any(not m.place.joined for m in missed) else 0,
            at=now,
        )

        def prepared(before: Entry) -> Entry:
            left = before.due
            if left is not None:
                new = {c: at for c, at in left.joined.items() if due.joined.get(c) != at}
                left = replace(left, joined=new, away_since=0) if new else None
            sending = offer if missed and not before.off else None
            return replace(before, username=user.username, due=left, sending=sending)

        return self._book.change(user.id, prepared)

    def _send(self, user: User, offer: Offer, now: int) -> None:
        """Send what was prepared, unless it was sent, and note it."""
        direct = self._client.direct_channel(user.id)
        me = self._client.me().id
        earlier = [p for p in self._client.latest_posts(direct, LOOK_BACK) if p.user_id == me]
        posted = next((p for p in earlier if p.props.get(CATCHUP_PROP) == offer.key), None)
        wanted = self._settings.catchup.mode
        if posted is None:
            text = self._text(user, offer, now, brief=wanted == "brief")
            if text:
                posted = self._post(direct, text, offer.key, first=not earlier)
                AuditLog(self._settings).note(
                    "catchup", user=user.username, kind=wanted, channels=len(offer.stretches), post=posted.id
                )
        self._note_sent(user, offer, open_=posted is not None and wanted == "offer")

    def _post(self, direct: str, text: str, key: str, *, first: bool) -> Post:
        props: dict[str, object] = {CATCHUP_PROP: key, **({FIRST_PROP: True} if first else {})}
        if first:
            text = f"{text[: MAX_MESSAGE - len(INTRODUCTION) - 8]}\n\n---\n{INTRODUCTION}"
        return self._client.create_post(direct, text, props=props, key=f"catchup:{key}")

    def _text(self, user: User, offer: Offer, now: int, *, brief: bool) -> str:
        """What is said, as things are now; empty if there is nothing left to say."""
        missed = self._briefer.again(user, offer)
        if not missed:
            return ""
        away = offer.away_since or None
        if not brief:
            return render_offer(
                [(m.place, m.posts) for m in missed],
                away_since=away,
                url=self._client.url,
                timezone=user.timezone,
            )
        stretches = {m.channel.id: (m.channel, m.since) for m in missed}
        made = self._briefer.brief(user, stretches, joined=offer.joined, now=now)
        text = render_briefing(
            made.briefing, url=self._client.url, names=made.names, timezone=user.timezone, away_since=away
        )
        return f"{text}\n\n_You get this because you {_why(offer)}; {HOW_TO_STOP}_"

    # Notes

    def _note_sent(self, user: User, offer: Offer, *, open_: bool) -> None:
        def noted(before: Entry) -> Entry:
            ends: Mapping[str, int] = {c: end for c, (_, end) in offer.stretches.items()}
            told = {**before.told, **{c: max(end, before.told.get(c, 0)) for c, end in ends.items()}}
            left = offer if open_ else before.offer
            return replace(before, sending=None, told=told, offer=None if before.off else left)

        self._book.change(user.id, noted)

    def _hold_back(self, user_id: str, until: int) -> None:
        def held(before: Entry) -> Entry:
            return before if before.due is None else replace(before, due=replace(before.due, not_before=until))

        self._book.change(user_id, held)

    def _drop(self, user_id: str) -> None:
        self._book.change(user_id, lambda before: replace(before, due=None, sending=None))


def _why(offer: Offer) -> str:
    if offer.joined and offer.away_since:
        return "came back and joined a channel"
    return "joined a channel" if offer.joined else "came back"
