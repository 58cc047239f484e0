"""Briefs that are kept up to date: one direct message to who asked for it, edited as posts arrive.

Whether they are in the channel is asked before every edit; who is no longer in it keeps a message that says so and
nothing else. A message that is gone is not written again.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any

from meetings.briefs.access import may_read
from meetings.briefs.drafts import Drafts
from meetings.briefs.keeping import Incidents
from meetings.briefs.render import Place, render_brief
from meetings.config import Settings
from meetings.errors import MattermostForbiddenError, MattermostNotFoundError
from meetings.kept_briefs import DRAFTS, STATES, WATCHES
from meetings.mattermost.client import MattermostClient, Post
from meetings.mattermost.delivery import LOOK_BACK
from meetings.mattermost.entities import Channel, User
from meetings.store import Database, digest
from meetings.watchers import News, one_alone

BRIEF_PROP = "meetings_brief"  # in the props of a brief that is kept up to date: a hash that says which
ENDED = "_This brief has ended: you are no longer in that channel, or it is gone._"
FOOT = "_I keep this up to date while you are in the channel; `/incident stop` there ends it._"
HOURLY = 3_600.0  # seconds between looks at what has aged and who has left

log = logging.getLogger("meetings.briefs")


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """A brief that is kept up to date.

    `post_id` is its message (empty: not yet written), `shown` the hash of what that says, `last` (milliseconds) the
    newest post that is in it. `began` (milliseconds) tells one from an earlier one of the same.
    """

    channel_id: str
    user_id: str
    audience: str
    began: int = 0
    post_id: str = ""
    shown: str = ""
    last: int = 0

    @property
    def name(self) -> str:
        """Its document's."""
        return f"{self.channel_id}/{self.user_id}/{self.audience}"

    @property
    def key(self) -> str:
        """What its message is known by."""
        return digest("brief", self.name, self.began)


class Watches:
    """The watches of a deployment, and the watcher that keeps them.

    Args:
        settings: the database, and the rules.
        client: the bot.
    """

    def __init__(self, settings: Settings, client: MattermostClient, *, now: Callable[[], float] = time.time) -> None:
        self._settings = settings
        self._client = client
        self._database = Database.of(settings)
        self._now = now
        self._checked = 0.0

    # By request

    def begin(self, channel: Channel, user: User, audience: str) -> None:
        """Keep a brief for somebody, and write its message; what is kept already is brought up to date."""
        began = int(self._now() * 1000)
        watch = Watch(channel_id=channel.id, user_id=user.id, audience=audience, began=began)
        self._database.change(WATCHES, watch.name, lambda body: body or json.dumps(asdict(watch)))
        self._refresh(self._of(watch.name) or watch, channel)

    def end(self, channel_id: str, user_id: str, audience: str = "") -> None:
        """End somebody's briefs of a channel; their messages stay as they are."""
        for watch in self._all():
            if watch.channel_id == channel_id and watch.user_id == user_id and audience in {"", watch.audience}:
                self._database.delete(WATCHES, watch.name)

    # As a watcher

    def look(self, news: News) -> None:
        """Bring the briefs of a channel up to date."""
        for watch in self._all():
            if watch.channel_id == news.channel.id:
                self._keep(watch, news.channel)

    def tick(self, now: float) -> None:
        """Write messages that are still to be written; hourly, end what nobody may see and remove what has aged."""
        hourly = not 0 <= now - self._checked < HOURLY
        if hourly:
            self._checked = now
            if self._database.listed(DRAFTS):
                Drafts(self._settings, self._client, now=self._now).expire()
            for one in self._database.listed(STATES):
                if self._channel(one.name) is None:
                    self._database.delete(STATES, one.name)
        for watch in self._all():
            if hourly or not watch.post_id:
                self._keep(watch, self._channel(watch.channel_id))

    def _keep(self, watch: Watch, channel: Channel | None) -> None:
        with one_alone("a brief could not be brought up to date"):
            self._refresh(watch, channel)

    def _refresh(self, watch: Watch, channel: Channel | None) -> None:
        user = self._client.user(watch.user_id)
        if channel is None or not may_read(self._client, channel, user):
            self._close(watch)
            return
        found = Incidents(self._settings, self._client).look(channel)
        new = sum(1 for at in {f.post_id: f.at for f in found.state.timeline}.values() if at > watch.last)
        shown = digest(self._rendered(channel, found.state, watch, found.people, user, ""))
        post = self._existing(watch)
        if watch.post_id and post is None:
            self._database.delete(WATCHES, watch.name)  # they deleted it
            return
        if post is not None and shown == watch.shown:
            return
        note = "" if not watch.last else f"{new} new posts" if new != 1 else "1 new post"
        text = self._rendered(channel, found.state, watch, found.people, user, note if new else "")
        if post is None:
            direct = self._client.direct_channel(user.id)
            key = f"{watch.key}:{watch.shown[:8]}"
            post = self._client.create_post(direct, text, props={BRIEF_PROP: watch.key}, key=key)
        else:
            self._client.edit_post(post.id, text)
        after = replace(watch, post_id=post.id, shown=shown, last=found.state.last)
        # It may have been ended meanwhile.
        self._database.change(WATCHES, watch.name, lambda body: body and json.dumps(asdict(after)))

    def _rendered(self, channel: Channel, state: Any, watch: Watch, people: Any, user: User, note: str) -> str:
        team = self._client.address_of(channel).partition("/")[0]
        place = Place(
            channel=channel.display_name or channel.name,
            permalinks=f"{self._client.url}/{team}/pl/" if team else "",
        )
        brief = render_brief(state, watch.audience, place=place, people=people, zone=user.timezone, note=note)
        return f"{brief}\n\n{FOOT}"

    def _close(self, watch: Watch) -> None:
        """End a brief whose reader may not see it: what it said goes from the message too."""
        post = self._existing(watch)
        if post is not None:
            self._client.edit_post(post.id, ENDED)
        self._database.delete(WATCHES, watch.name)

    def _existing(self, watch: Watch) -> Post | None:
        """The message of a watch, also one that was written and not noted."""
        if watch.post_id:
            try:
                post = self._client.post(watch.post_id)
            except (MattermostNotFoundError, MattermostForbiddenError):
                return None
            return None if post.delete_at else post
        me = self._client.me().id
        direct = self._client.direct_channel(watch.user_id)
        return next(
            (
                p
                for p in self._client.latest_posts(direct, LOOK_BACK)
                if p.user_id == me and p.props.get(BRIEF_PROP) == watch.key and p.message != ENDED
            ),
            None,
        )

    def _channel(self, channel_id: str) -> Channel | None:
        """A channel that the bot is still in; None if it is gone or archived."""
        try:
            channel = self._client.channel(channel_id)
            there = not channel.delete_at and self._client.is_channel_member(channel.id, self._client.me().id)
        except (MattermostForbiddenError, MattermostNotFoundError):
            return None
        return channel if there else None

    def _all(self) -> tuple[Watch, ...]:
        return tuple(w for one in self._database.listed(WATCHES) if (w := self._of(one.name)) is not None)

    def _of(self, name: str) -> Watch | None:
        document = self._database.read(WATCHES, name)
        try:
            return None if document is None else Watch(**json.loads(document.body))
        except (ValueError, TypeError):
            log.warning("a watch could not be read and is dropped: %s", name)
            self._database.delete(WATCHES, name)
            return None
