"""Sees what is new in the bot's channels, and has those told who asked to hear of it."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from meetings.alerts.find import Finder, Note, parts_of
from meetings.alerts.send import Sender
from meetings.config import Settings
from meetings.errors import MattermostForbiddenError, MattermostNotFoundError
from meetings.interests import AlertBook, Interest, Wants
from meetings.llm import TextEmbedder
from meetings.mattermost import MattermostClient
from meetings.mattermost.entities import Channel, Post, User
from meetings.watchers import News

# What is usual here is learnt from so many of the newest posts, of so many of a channel, when somebody first asks.
USUAL_POSTS, USUAL_OF_CHANNEL = 300, 30
LEARN_EVERY = 86_400.0  # seconds after which learned interests are looked for anew

log = logging.getLogger("meetings.alerts")


class Alerts:
    """The watcher.

    Args:
        settings: who gets how many.
        client: the bot.
        embedder: gives sentence embeddings; asked when somebody wants alerts, not before.
        may_send: whether somebody may be written to at a time (seconds since the epoch): quiet hours.
        learn: gives learned interests by user id and username; asked once a day if the settings want them.
        clock: the time in seconds since the epoch.
    """

    def __init__(
        self,
        settings: Settings,
        client: MattermostClient,
        embedder: Callable[[], TextEmbedder],
        *,
        may_send: Callable[[float, User], bool] = lambda _now, _user: True,
        learn: Callable[[], Mapping[tuple[str, str], Sequence[str]]] | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._settings = settings
        self._client = client
        self._embedder = embedder
        self._learn = learn if settings.alerts.learned else None
        self._clock = clock
        self._book = AlertBook(settings)
        self.sender = Sender(client, settings, may_send=may_send)
        self._finder: Finder | None = None
        self._learned: Mapping[tuple[str, str], Sequence[str]] = {}
        self._learned_at = float("-inf")

    def look(self, news: News) -> None:
        """See what is new in a channel."""
        everybody = self.everybody()
        # A call's words are of its recording's post, which Mattermost changes when it comes: no harm in looking.
        if changed := {p.id for p in news.posts if p.delete_at or p.edit_at}:
            self.sender.take_back(everybody, changed)
        if not any(w.interests and not w.paused for w in everybody) or not self._settings.alerts.per_day:
            return
        notes = self.notes(news.channel, news.written)
        if notes:
            users = self._client.users(w.user_id for w in everybody)
            self.sender.tell(self.finder().find(notes, everybody, {u.id: u.username for u in users}), now=self._clock())

    def tick(self, now: float) -> None:
        """Tell what waited for its time; learn anew once a day, and where that fails at the next moment."""
        if self._settings.alerts.per_day:
            self.sender.tell_held(now=now)
        if self._learn is not None and not 0 <= now - self._learned_at < LEARN_EVERY:
            self._learned = self._learn()
            self._learned_at = now

    def everybody(self) -> tuple[Wants, ...]:
        """What people said, and what was learned of them."""
        return with_learned(self._book.everybody(), self._learned)

    def notes(self, channel: Channel, posts: Sequence[Post]) -> list[Note]:
        """Posts as they are compared, each with what was written before it in its thread."""
        me = self._client.me().id
        threads: dict[str, tuple[Post, ...]] = {}
        found = []
        for post in posts:
            if post.user_id == me or not post.message.strip():
                continue
            if post.root_id and post.root_id not in threads:
                try:
                    threads[post.root_id] = self._client.thread(post.root_id)
                except (MattermostNotFoundError, MattermostForbiddenError):
                    continue  # the thread went meanwhile
            thread = threads.get(post.root_id, ())
            before = [p for p in thread if p.create_at < post.create_at and not p.delete_at]
            found.append(note_of(channel, post, before, people=frozenset(p.user_id for p in thread)))
        return found

    def finder(self) -> Finder:
        """What finds; made when it is first needed, with what is usual in the bot's channels."""
        if self._finder is None:
            finder = Finder(self._embedder())
            notes: list[Note] = []
            for channel in self._client.my_channels_everywhere():
                if channel.type in {"O", "P"} and len(notes) < USUAL_POSTS:
                    try:
                        posts = [p for p in self._client.latest_posts(channel.id, USUAL_OF_CHANNEL) if not p.type]
                    except (MattermostNotFoundError, MattermostForbiddenError):
                        continue
                    notes += [note_of(channel, p, ()) for p in posts if p.message and not p.delete_at]
            finder.learn(notes)
            self._finder = finder
        return self._finder


def note_of(channel: Channel, post: Post, before: Sequence[Post], *, people: frozenset[str] = frozenset()) -> Note:
    """A post as it is compared."""
    return Note(
        post=post.id,
        thread=post.root_id or post.id,
        channel_id=channel.id,
        channel=f"{channel.name} {channel.display_name}",
        author=post.user_id,
        text=post.message,
        before=" ".join(p.message for p in before)[:1_000],
        people=people - {post.user_id},
        parts=parts_of(post.message, {}),
    )


def with_learned(everybody: Sequence[Wants], learned: Mapping[tuple[str, str], Sequence[str]]) -> tuple[Wants, ...]:
    """What people said, with what was learned of them where they did not say the same."""
    known = {w.user_id: w for w in everybody}
    for (user_id, username), texts in learned.items():
        wants = known.get(user_id, Wants(username=username, user_id=user_id))
        said = {i.text.lower() for i in wants.interests}
        more = tuple(Interest(text=t, learned=True) for t in texts if t.lower() not in said)
        known[user_id] = replace(wants, interests=(*wants.interests, *more))
    return tuple(known.values())
