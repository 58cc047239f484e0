"""What people think of the summaries they got: a thumb up or down on the bot's own direct messages.

Only the person's own reaction counts, and only on messages that carry our delivery key. Of a judged message the lines
that were chosen for their subject are taken, without quotation marks: what everybody gets (decisions), what falls to
the reader and what was said in confidence is no matter of taste.
"""

from __future__ import annotations

import html
import re
from collections.abc import Collection, Iterable, Mapping
from datetime import timedelta

from meetings.errors import MattermostForbiddenError, MattermostNotFoundError
from meetings.mattermost.client import Channel, MattermostClient, Post, Reaction, User
from meetings.mattermost.delivery import KEY_PROP, POINTS_PROP
from meetings.mattermost.kept import Judged, KeptContext, KeptSummaries
from meetings.people import FeedbackContext

LIKES = frozenset({"+1", "thumbsup", "heart"})
DISLIKES = frozenset({"-1", "thumbsdown"})
KEPT = timedelta(weeks=12)  # a summary's judgement counts so long
MAX_SUMMARIES = 100  # newest ones of a person that are looked at
MAX_POINTS = 12  # lines of one summary
_DAY_MS = 24 * 3600 * 1000

_BY_SUBJECT = {"Actions", "Worth knowing"}
_HEADING = re.compile(r"^#####\s+(.+)$")
_LABEL = re.compile(r"^(?:Risk|Open): ")
# ` — NAME, 3:07` ends what was said; the time may be a link.
_SOURCE = re.compile(r" — [^—]*?, \[?\d+:\d\d.*$")


def read_opinions(
    client: MattermostClient,
    users: Collection[User],
    direct: Mapping[str, Channel],
    *,
    now: int,
    kept: KeptContext | None = None,
) -> dict[str, tuple[FeedbackContext, ...]]:
    """What each person thinks of what they got, by user id.

    A direct channel is listed when something was written there since; for the others one request for 200 messages
    brings the reactions, which do not move a channel's time.

    Args:
        client: the bot.
        users: the people asked about.
        direct: the bot's direct channels by the other one's user id.
        now: the time that ages are counted from, in milliseconds since the epoch.
        kept: what earlier readings left.
    """
    found: dict[str, KeptSummaries] = {}
    same: dict[str, KeptSummaries] = {}
    for user in users:
        if user.id not in direct:
            continue
        known = kept.summaries(user.id) if kept else None
        if known is not None and known.last_post_at == direct[user.id].last_post_at:
            same[user.id] = found[user.id] = known
        else:
            found[user.id] = _listed(client, direct[user.id], user.id, now=now)
            if kept:
                kept.keep_summaries(user.id, found[user.id])
    for user_id in _judged_anew(client, same):
        found[user_id] = _listed(client, direct[user_id], user_id, now=now)
        if kept:
            kept.keep_summaries(user_id, found[user_id])
    return {user_id: tuple(_feedback(summaries.summaries, now=now)) for user_id, summaries in found.items()}


def verdict(reactions: Iterable[Reaction], user_id: str) -> int:
    """1 for a thumb up, -1 for one down, 0 for none or both; of the person themselves."""
    own = {r.emoji_name for r in reactions if r.user_id == user_id}
    return int(bool(own & LIKES)) - int(bool(own & DISLIKES))


def points(message: str) -> tuple[str, ...]:
    """The lines of a summary that were chosen for their subject, as plain text."""
    found: list[str] = []
    heading = ""
    for line in message.splitlines():
        if match := _HEADING.match(line):
            heading = match.group(1).strip()
        elif line.startswith("- ") and heading in _BY_SUBJECT and not line.startswith("- 🔒"):
            found.append(_plain(line[2:]))
    return tuple(p for p in found[:MAX_POINTS] if p)


def _plain(line: str) -> str:
    line = _LABEL.sub("", line)
    # A quotation ends with its mark, whatever the speaker is called.
    text = line[1:].rpartition("” — ")[0] if line.startswith("“") and "” — " in line else _SOURCE.sub("", line)
    text = html.unescape(text.replace("\u200b", ""))
    return re.sub(r"\\([\\`*_{}|~#>+=-])", r"\1", text).strip(" “”")


def _listed(client: MattermostClient, channel: Channel, user_id: str, *, now: int) -> KeptSummaries:
    me = client.me().id
    oldest = now - KEPT // timedelta(milliseconds=1)
    summaries: list[Judged] = []
    for post in client.latest_posts(channel.id, MAX_SUMMARIES):
        if post.create_at < oldest:
            break
        if post.user_id == me and KEY_PROP in post.props and not post.delete_at:
            judged = verdict(post.reactions, user_id)
            said = _judged_lines(post) if judged else ()
            summaries.append(Judged(id=post.id, create_at=post.create_at, verdict=judged, points=said))
    return KeptSummaries(last_post_at=channel.last_post_at, summaries=tuple(summaries))


def _judged_lines(post: Post) -> tuple[str, ...]:
    """What a thumb judges: the message's own note of it, whatever its language; of older messages, their lines."""
    noted = post.props.get(POINTS_PROP)
    if isinstance(noted, list):
        return tuple(str(text) for text in noted[:MAX_POINTS] if isinstance(text, str) and text)
    return points(post.message)


def _judged_anew(client: MattermostClient, same: Mapping[str, KeptSummaries]) -> list[str]:
    """Those whose judgement of some message is not what is kept."""
    posts = [s.id for summaries in same.values() for s in summaries.summaries]
    if not posts:
        return []
    try:
        given = client.reactions(posts)
    except (MattermostForbiddenError, MattermostNotFoundError):
        # One deleted message makes the server refuse them all: look at each channel.
        return list(same)
    by_post: dict[str, list[Reaction]] = {}
    for reaction in given:
        by_post.setdefault(reaction.post_id, []).append(reaction)
    return [
        user_id
        for user_id, summaries in same.items()
        if any(verdict(by_post.get(s.id, ()), user_id) != s.verdict for s in summaries.summaries)
    ]


def _feedback(summaries: Iterable[Judged], *, now: int) -> Iterable[FeedbackContext]:
    for summary in summaries:
        age = max(0.0, (now - summary.create_at) / _DAY_MS)
        for point in summary.points:
            yield FeedbackContext(text=point, age_days=age, kind="liked" if summary.verdict > 0 else "disliked")
