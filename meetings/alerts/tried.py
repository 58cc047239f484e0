"""What somebody would have been alerted of: a dry run over the last days, which sends and keeps nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from meetings.alerts.find import Hit, Note
from meetings.alerts.watch import Alerts
from meetings.config import Settings
from meetings.errors import MattermostForbiddenError, MattermostNotFoundError
from meetings.interests import STEP, AlertBook, Interest, Wants
from meetings.llm import TextEmbedder
from meetings.mattermost import MattermostClient
from meetings.mattermost.entities import Post, User

MOST = 2_000  # newest posts of a channel that are read


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """A sentence that would have been told, or nearly; `at` in milliseconds since the epoch."""

    interest: str
    score: float
    bar: float
    kind: str
    channel: str
    by: str
    at: int
    text: str
    permalink: str

    def to_json(self) -> dict[str, Any]:
        """As a plain object."""
        return asdict(self)


def try_alerts(
    client: MattermostClient,
    settings: Settings,
    user: User,
    interests: Sequence[Interest],
    embedder: TextEmbedder,
    *,
    since: int,
    below: float = 0.0,
) -> list[Tried]:
    """What somebody would have been told of what was written, oldest first: of a thread its best sentence.

    Args:
        client: the bot.
        settings: where thumbs are.
        user: whose channels are read.
        interests: what they want to hear of.
        embedder: sentence embeddings.
        since: milliseconds since the epoch.
        below: also what misses the bar by so much.
    """
    wants = replace(AlertBook(settings).of(user.id, user.username), interests=tuple(interests), paused=False)
    # A lower bar for everything finds what nearly fits, too.
    low = replace(wants, lean=wants.lean + round(below / STEP + 0.5) if below else wants.lean)
    alerts = Alerts(settings, client, lambda: embedder)
    posts: dict[str, Post] = {}
    hits: list[Hit] = []
    places = {}
    for channel in client.my_channels_everywhere():
        if channel.type not in {"O", "P"} or not client.is_channel_member(channel.id, user.id):
            continue
        try:
            read = [p for p in client.latest_posts(channel.id, MOST) if p.create_at > since and not p.type]
        except (MattermostForbiddenError, MattermostNotFoundError):
            continue
        notes = alerts.notes(channel, [p for p in reversed(read) if not p.delete_at])
        posts |= {p.id: p for p in read}
        places[channel.id] = channel
        hits += _find(alerts, notes, low, user)
    names = {u.id: u.name for u in client.users({posts[h.moment.post].user_id for h in hits})}
    found = []
    for hit in _best_of_thread(hits):
        bar, post = wants.bar(hit.interest), posts[hit.moment.post]
        if hit.moment.score < bar - below:
            continue
        channel = places[post.channel_id]
        team = client.address_of(channel).partition("/")[0]
        found.append(
            Tried(
                interest=hit.interest.text,
                score=hit.moment.score,
                bar=round(bar, 3),
                kind=hit.kind,
                channel=channel.name,
                by=names.get(post.user_id, ""),
                at=post.create_at,
                text=hit.text,
                permalink=f"{client.url}/{team or '_redirect'}/pl/{post.id}",
            )
        )
    return sorted(found, key=lambda t: t.at)


def _find(alerts: Alerts, notes: Sequence[Note], wants: Wants, user: User) -> list[Hit]:
    return alerts.finder().find(notes, [wants], {user.id: user.username}) if notes else []


def _best_of_thread(hits: Sequence[Hit]) -> list[Hit]:
    best: dict[tuple[str, str], Hit] = {}
    for hit in hits:
        key = (hit.moment.thread, hit.interest.id)
        if key not in best or hit.moment.score > best[key].moment.score:
            best[key] = hit
    return list(best.values())
