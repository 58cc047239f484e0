"""Texts that wait for somebody's word before they leave a confidential channel.

A draft is encrypted, belongs to who asked for it, and is known by a short random code that is good for nobody else.
What is posted is what they read, to the letter; once, however often the word is given.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any

from meetings.audit import AuditLog
from meetings.briefs.access import channel_of, still_target
from meetings.config import Settings
from meetings.errors import IncidentError, VoicesKeyError
from meetings.kept_briefs import DRAFTS
from meetings.mattermost.client import MattermostClient
from meetings.mattermost.entities import Channel, User
from meetings.store import Sealed, digest

SHARED_PROP = "meetings_shared"  # in the props of a post made of a draft: a hash that says of which
LASTS = 24 * 3600.0  # seconds
CODE = 8  # letters
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
LOOK_BACK = 200  # newest posts of a channel that are searched for the one that was made
NO_DRAFT = "I know no draft with that code; a draft lasts 24 hours, and only who asked for it can answer it."


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A text that waits.

    `at` is seconds since the epoch; `made` is a hash of what I proposed, by which later news is noticed; `told` that of
    the newest proposal whose difference the person was told of; `posted` the post made of it.
    """

    code: str
    user_id: str
    channel_id: str
    target_id: str
    audience: str
    text: str
    at: float
    made: str
    told: str = ""
    posted: str = ""


def new_code() -> str:
    """A code that cannot be guessed in the day that it lasts."""
    return "".join(secrets.choice(_LETTERS) for _ in range(CODE))


class Drafts:
    """The drafts of a deployment.

    Args:
        settings: the database, and its key.
        client: the bot.
        now: tells seconds since the epoch.
    """

    def __init__(self, settings: Settings, client: MattermostClient, *, now: Callable[[], float]) -> None:
        self._settings = settings
        self._client = client
        self._now = now
        self._sealed = Sealed.of(settings, DRAFTS)

    def keep(self, draft: Draft) -> None:
        """Keep a draft; one that was posted stays so."""
        name = _name(draft.user_id, draft.code)
        self._sealed.change(name, lambda before: before if before and before["posted"] else asdict(draft))

    def of(self, user_id: str, code: str) -> Draft:
        """Somebody's own draft.

        Raises:
            IncidentError: there is none of theirs, or its day is over.
        """
        try:
            data = self._sealed.read(_name(user_id, code))
        except VoicesKeyError:
            data = None
        draft = None if data is None else Draft(**data)
        if draft is None or draft.user_id != user_id or not 0 <= self._now() - draft.at < LASTS:
            raise IncidentError(NO_DRAFT)
        return draft

    def places(self, draft: Draft, user: User) -> tuple[Channel, Channel]:
        """The channel it comes from, and that it goes to: somebody must be in both, now.

        Raises:
            IncidentError: they are not, or the bot is not.
        """
        source = channel_of(self._client, draft.channel_id, user)
        return source, still_target(self._client, draft.target_id, user, source=source)

    def post(self, user: User, code: str) -> str:
        """Post a draft to the letter, once; the post's id.

        Raises:
            IncidentError: it is not theirs, its day is over, or they or the bot are no longer in both channels.
            MattermostError: the server failed; done again, it is posted if it was not.
        """
        draft = self.of(user.id, code)
        if draft.posted:
            return draft.posted
        _, target = self.places(draft, user)
        key = digest("shared", user.id, code)
        me = self._client.me().id
        earlier = (
            p
            for p in self._client.latest_posts(target.id, LOOK_BACK)
            if p.user_id == me and p.props.get(SHARED_PROP) == key
        )
        post = next(earlier, None) or self._client.create_post(
            target.id, draft.text, props={SHARED_PROP: key}, key=f"shared:{key}"
        )
        # The text is the server's now; that it was posted is kept, so that a second word finds it done.
        self._sealed.write(_name(user.id, code), asdict(replace(draft, text="", posted=post.id)))
        AuditLog(self._settings).note(
            "incident_shared",
            user=user.username,
            by=user.username,
            channel=target.id,
            source=draft.channel_id,
            kind=draft.audience,
            post=post.id,
        )
        return post.id

    def discard(self, user_id: str, code: str) -> None:
        """Remove somebody's own draft; one that is not there is gone already."""
        self._sealed.delete(_name(user_id, code))

    def expire(self) -> None:
        """Remove drafts whose day is over."""
        for one in self._sealed.listed():
            if self._now() - one.changed_at >= LASTS:
                self._sealed.delete(one.name)


def _name(user_id: str, code: str) -> str:
    return f"{user_id}/{code.lower()}"


def draft_of(data: Any) -> Draft:
    """A draft from plain values."""
    return Draft(**data)
