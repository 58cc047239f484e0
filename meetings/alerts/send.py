"""Tells people what was found for them: few messages, each once, to those alone who may read what it is about.

Several moments of an interest, or of a thread, within some hours are one message that grows; what is over a day's
number waits for the next morning, and comes together. Every message carries our own key, which is looked for before
anything is posted, and what was told is noted after it was: a process that dies in between tells nothing twice.
"""

from __future__ import annotations

import itertools
import logging
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from meetings.alerts.find import Hit
from meetings.alerts.message import Quoter, by_interest, render
from meetings.alerts.taken_back import take_back
from meetings.audit import AuditLog
from meetings.config import Settings
from meetings.errors import MattermostForbiddenError, MattermostNotFoundError
from meetings.interests import AlertBook, Held, Interest, Moment, Told, Wants
from meetings.mattermost import MattermostClient
from meetings.mattermost.delivery import LOOK_BACK, decide_recipient
from meetings.mattermost.entities import Post, Reaction, User
from meetings.mattermost.opinions import DISLIKES, LIKES
from meetings.people import FeedbackBook
from meetings.quiet import is_quiet, read_quiet_hours
from meetings.store import digest
from meetings.watchers import one_alone

ALERT_PROP = "meetings_alert"  # in the props of an alert: its key
TOGETHER = 4 * 3_600.0  # seconds within which a message grows
MAX_MOMENTS, MAX_OF_THREAD, MAX_LATE = 6, 3, 8
MORNING = 8  # the hour, by the reader's clock, at which what was over comes
THUMBS = 20  # newest messages of a person whose thumbs are looked at
# Of a thread that one knows of, only what moves it is news.
NEWS = frozenset({"decision", "risk", "action"})

log = logging.getLogger("meetings.alerts")


class Sender:
    """Tells people.

    Args:
        client: the bot.
        settings: how many alerts a day, and the database.
        may_send: whether somebody may be written to at a time (seconds since the epoch): quiet hours.
    """

    def __init__(
        self,
        client: MattermostClient,
        settings: Settings,
        *,
        may_send: Callable[[float, User], bool] = lambda _now, _user: True,
    ) -> None:
        self._client = client
        self._settings = settings
        self._may_send = may_send
        self._book = AlertBook(settings)
        self._quoter = Quoter(client, settings)
        self._stopped = FeedbackBook(settings)

    def tell(self, hits: Iterable[Hit], *, now: float | None = None) -> int:
        """Tell people what was found; how many messages were new.

        Raises:
            MattermostError: the server failed; told again, nobody gets anything twice.
            DatabaseError: as before.
        """
        moment = time.time() if now is None else now
        sent = 0
        for user_id, theirs in itertools.groupby(sorted(hits, key=lambda h: h.user_id), key=lambda h: h.user_id):
            found = list(theirs)
            with one_alone("somebody could not be told"):
                user = self._reader(user_id)
                if user is not None:
                    sent += self._tell_one(user, found, moment)
        return sent

    def tell_held(self, *, now: float | None = None) -> int:
        """Tell what waited, where its time has come; how many messages were sent."""
        moment = time.time() if now is None else now
        sent = 0
        for wants in self._book.everybody():
            with one_alone("somebody could not be told"):
                if wants.held and not wants.paused and (user := self._reader(wants.user_id)) is not None:
                    sent += self._tell_held(user, moment)
        return sent

    def take_back(self, everybody: Iterable[Wants], posts: Collection[str]) -> int:
        """Take out of what was sent what is on the server no longer; in how many messages.

        Args:
            everybody: what was told whom.
            posts: ids of posts that were changed or deleted.

        Raises:
            MattermostError: the server failed; done again, it comes to the same.
        """
        return take_back(self._client, self._quoter, (told for w in everybody for told in w.told), posts)

    def refreshed(self, user: User) -> Wants:
        """What somebody wants, with what their thumbs say now: one that was taken off counts no more."""
        wants = self._book.of(user.id, user.username)
        newest = [t for t in wants.told if t.post][-THUMBS:]
        if not newest:
            return wants
        found: dict[str, int] = dict.fromkeys((t.post for t in newest), 0)
        for reaction in self._reactions(found):
            if reaction.user_id == user.id and reaction.post_id in found:
                liked, disliked = reaction.emoji_name in LIKES, reaction.emoji_name in DISLIKES
                found[reaction.post_id] = -1 if disliked else 1 if liked else found[reaction.post_id]
        for told in newest:
            if told.thumb != found.get(told.post, told.thumb):
                wants = self._book.thumb(user.id, user.username, told.post, found[told.post])
        return wants

    # One person

    def _reactions(self, posts: dict[str, int]) -> tuple[Reaction, ...]:
        """The reactions to posts; those that are gone are taken out."""
        try:
            return self._client.reactions(posts)
        except (MattermostForbiddenError, MattermostNotFoundError):
            pass
        # One deleted message makes the server refuse them all: it is asked of each.
        given: list[Reaction] = []
        for post in tuple(posts):
            try:
                given += self._client.reactions_to(post)
            except (MattermostForbiddenError, MattermostNotFoundError):
                del posts[post]
        return tuple(given)

    def _reader(self, user_id: str) -> User | None:
        """Who may get alerts at all: no guests, no bots, nobody who is gone or wants no messages."""
        try:
            user = self._client.user(user_id)
        except MattermostNotFoundError:
            return None
        stopped = self._stopped.has_stopped(user.username, user.id)
        return None if decide_recipient(user, opted_out=stopped) else user

    def _tell_one(self, user: User, hits: Sequence[Hit], now: float) -> int:
        wants = self.refreshed(user)
        sent = 0
        for _, of_thread in itertools.groupby(hits, key=lambda h: h.moment.thread):
            # What fits best stands first; the rest follows as news of it.
            theirs = list(of_thread)
            best = max(theirs, key=lambda h: h.moment.score)
            for hit in (best, *(h for h in theirs if h is not best)):
                wants, new = self._tell_hit(user, wants, hit, now)
                sent += new
        return sent

    def _tell_hit(self, user: User, wants: Wants, hit: Hit, now: float) -> tuple[Wants, int]:
        moment = hit.moment
        interest = wants.interest(hit.interest.id)
        if interest is None and hit.interest.learned:
            interest = hit.interest
        if interest is None or wants.paused or moment.score < wants.bar(interest) or wants.knows(moment):
            return wants, 0
        thread = [t for t in wants.told if any(m.thread == moment.thread for m in t.moments)]
        waits = any(h.moment.thread == moment.thread for h in wants.held)
        if (thread or waits) and hit.kind not in NEWS:
            return wants, 0
        if not self._client.is_channel_member(moment.channel_id, user.id):
            return wants, 0
        recent = [t for t in wants.told if now - t.at < TOGETHER]
        known = next((t for t in recent if t in thread), None)
        if known is not None and sum(m.thread == moment.thread for m in known.moments) >= MAX_OF_THREAD:
            return wants, 0
        grows = known or next((t for t in recent if t.interests == (interest.id,)), None)
        if grows is not None and len(grows.moments) < MAX_MOMENTS:
            told = Told(
                key=grows.key, post=grows.post, interests=grows.interests, at=grows.at, moments=(*grows.moments, moment)
            )
            return self._rewrite(user, wants, told, now), 0
        quiet = not self._may_send(now, user)
        if quiet or _today(wants, user, now) >= self._settings.alerts.per_day:
            held = Held(interest=interest.id, moment=moment, at=now, over=not quiet)
            return self._book.hold(user.id, user.username, held), 0
        if interest.learned and wants.interest(interest.id) is None:
            # What thumbs say of it has to be kept somewhere.
            wants = self._book.keep_learned(user.id, user.username, interest)
        key = digest(["alert", user.id, interest.id, moment.thread, moment.post, moment.part])[:26]
        return self._send(user, wants, key, [(interest, moment)], now)

    def _tell_held(self, user: User, now: float) -> int:
        wants = self.refreshed(user)
        local = _local(now, user)
        due = [
            h for h in wants.held if not h.over or (_local(h.at, user).date() < local.date() and local.hour >= MORNING)
        ]
        if not due or not self._may_send(now, user):
            return 0
        if _today(wants, user, now) >= self._settings.alerts.per_day:
            return 0
        chosen: list[tuple[Interest, Moment]] = []
        for held in sorted(due, key=lambda h: -h.moment.score):
            interest = wants.interest(held.interest)
            if interest is None or held.moment.score < wants.bar(interest):
                continue
            if self._client.is_channel_member(held.moment.channel_id, user.id):
                chosen.append((interest, held.moment))
        sent = 0
        if chosen:
            key = digest(["held", user.id, *(h.moment.post for h in due)])[:26]
            _, sent = self._send(
                user, wants, key, chosen[:MAX_LATE], now, late=any(h.over for h in due), left_out=len(chosen[MAX_LATE:])
            )
        self._book.release(user.id, user.username, due)
        return sent

    # Messages

    def _send(
        self,
        user: User,
        wants: Wants,
        key: str,
        found: Sequence[tuple[Interest, Moment]],
        now: float,
        *,
        late: bool = False,
        left_out: int = 0,
    ) -> tuple[Wants, int]:
        quoted = [(i, m, q) for i, m in found if (q := self._quoter.quote(m)) is not None]
        if not quoted:
            return wants, 0
        text = render(by_interest([(i, q) for i, _, q in quoted]), late=late, left_out=left_out)
        direct = self._client.direct_channel(user.id)
        post = self._find(direct, key)
        new = post is None
        if post is None:
            post = self._client.create_post(direct, text, props={ALERT_PROP: key}, key=f"alert:{key}")
            for channel in sorted({m.channel_id for _, m, _ in quoted}):
                AuditLog(self._settings).note("alert", user=user.username, channel=channel, post=post.id)
        told = Told(
            key=key,
            post=post.id,
            interests=tuple(dict.fromkeys(i.id for i, _, _ in quoted)),
            at=now,
            moments=tuple(m for _, m, _ in quoted),
        )
        return self._book.note(user.id, user.username, told, now=now), int(new)

    def _rewrite(self, user: User, wants: Wants, told: Told, now: float) -> Wants:
        """Let a message grow; one that somebody deleted stays away, and what it would have told is told."""
        interest = wants.interest(told.interests[0]) if told.interests else None
        if interest is not None:
            may = {c for c in {m.channel_id for m in told.moments} if self._client.is_channel_member(c, user.id)}
            quotes = [q for m in told.moments if m.channel_id in may and (q := self._quoter.quote(m)) is not None]
            if quotes:
                try:
                    self._client.edit_post(told.post, render([(interest, quotes)]))
                except (MattermostNotFoundError, MattermostForbiddenError) as error:
                    log.info("an alert is not there any more: %s", error)
        return self._book.note(user.id, user.username, told, now=now)

    def _find(self, direct: str, key: str) -> Post | None:
        me = self._client.me().id
        posts = self._client.latest_posts(direct, LOOK_BACK)
        return next((p for p in posts if p.user_id == me and p.props.get(ALERT_PROP) == key), None)


def _today(wants: Wants, user: User, now: float) -> int:
    """How many messages somebody got today, by their own clock."""
    today = _local(now, user).date()
    return sum(_local(t.at, user).date() == today for t in wants.told)


def _local(moment: float, user: User) -> datetime:
    try:
        zone = ZoneInfo(user.timezone) if user.timezone else UTC
    except (ValueError, OSError, LookupError):
        zone = UTC
    return datetime.fromtimestamp(moment, tz=zone)


def outside_quiet_hours(settings: Settings) -> Callable[[float, User], bool]:
    """Whether somebody may be written to at a time (seconds since the epoch), by the settings and their own clock."""
    quiet = read_quiet_hours(settings.quiet_hours)
    return lambda now, user: not is_quiet(datetime.fromtimestamp(now, tz=UTC), user.timezone, quiet)
