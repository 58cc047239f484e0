"""When a digest is due, what it reaches over, and sending it once."""

from __future__ import annotations

from datetime import datetime, time, timedelta

from meetings.audit import AuditLog
from meetings.config import Settings
from meetings.digests.book import DAILY
from meetings.mattermost.client import MattermostClient
from meetings.mattermost.delivery import LOOK_BACK
from meetings.mattermost.entities import User
from meetings.people import FeedbackBook

PROP = "meetings_digest"  # in the props of a digest: which period it is of
MORNING = time(8)  # of the reader's own day
SPAN = {DAILY: timedelta(days=1), "weekly": timedelta(days=7)}
AHEAD = {DAILY: timedelta(days=2), "weekly": timedelta(days=7)}


def period_of(every: str, here: datetime) -> str:
    """The period that a moment, as the reader's clock shows it, is in: a day, or a week that begins on Monday."""
    year, week, _ = here.isocalendar()
    return here.date().isoformat() if every == DAILY else f"{year}-W{week:02d}"


def is_due(every: str, told: str, here: datetime) -> bool:
    """Whether the digest of the present period is to be sent now, if the last one was of the period `told`."""
    return here.time() >= MORNING and period_of(every, here) != told


def refusal(settings: Settings, user: User) -> str:
    """Why somebody must not get one; empty if they may."""
    if user.delete_at:
        return "the account is deactivated"
    if user.is_bot:
        return "the account is a bot"
    if FeedbackBook(settings).has_stopped(user.username, user.id):
        return "wants no messages"
    return ""


def send_digest(settings: Settings, client: MattermostClient, user: User, text: str, *, period: str) -> str:
    """Send a digest, unless that of the same period is there already; what became of it: `sent` or `unchanged`.

    Raises:
        MattermostError: the server does not answer or refuses.
    """
    direct, me = client.direct_channel(user.id), client.me().id
    for post in client.latest_posts(direct, LOOK_BACK):
        if post.user_id == me and post.props.get(PROP) == period:
            return "unchanged"
    post = client.create_post(direct, text, props={PROP: period}, key=f"digest:{user.id}:{period}")
    AuditLog(settings).note("digest", user=user.username, period=period, post=post.id)
    return "sent"
