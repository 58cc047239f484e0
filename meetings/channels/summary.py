"""What one person should know of a channel: the best items, grouped by topic, with a link to each and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from math import log
from typing import Any
from urllib.parse import urlsplit

import numpy as np

from meetings.channels.items import gather
from meetings.channels.rank import Pick, Reader, rank
from meetings.channels.read import Stretch
from meetings.llm import TextEmbedder
from meetings.mattermost.client import MAX_MESSAGE
from meetings.people.terms import STOPWORDS, WEAK, stem, words
from meetings.summary import inert
from meetings.summary.markdown import link

ROOM: Mapping[str, int] = {"short": 5, "medium": 10, "long": 16}
# Below this an item is not worth a reader's time. In four channels of a generated workspace (seed 7, 28 days) three in
# four of the items that matter to a reader weigh more than .75, and three in four of the others less than .67.
BAR = 0.65
# A stretch with no more items than this is told whole, but for what the reader wants less of: an announcement to
# everybody is close to nobody's interests.
QUIET = 5
# Items closer than this in meaning are one topic.
SAME_TOPIC = 0.45
# A further item of a topic counts this much less, so that one topic does not fill everything.
AGAIN = 0.08
TITLE_WORDS = 2
# Characters of an item's words; the first with which an answer is no longer than a message may be.
SHORTER = (400, 200, 100, 40)
_KINDS = {"decision": "Decision: ", "risk": "Risk: ", "question": "Question: ", "action": "To do: "}


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """Items that are about the same, best first; `title` is made of their words, empty for a single one."""

    title: str
    picks: tuple[Pick, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelSummary:
    """What one person should know of a stretch of a channel.

    `since` is milliseconds since the epoch; `posts` and `items` count what was read; `left_out` what would have been
    told with more room; `cut` says that the stretch was longer than what is read.
    """

    channel: str
    username: str
    since: int
    posts: int
    items: int
    topics: tuple[Topic, ...]
    left_out: int
    cut: bool

    @property
    def picks(self) -> tuple[Pick, ...]:
        """All items that are told, best first."""
        return tuple(sorted((p for t in self.topics for p in t.picks), key=lambda p: (-p.score, -p.item.at)))


def summarize_channel(
    stretch: Stretch,
    reader: Reader,
    *,
    channel: str,
    names: Mapping[str, tuple[str, str]],
    bots: frozenset[str],
    embedder: TextEmbedder,
) -> ChannelSummary:
    """What a reader should know of a stretch.

    Args:
        stretch: what was written; the reader must be allowed to read it (`require_member`).
        reader: for whom.
        channel: `TEAM/CHANNEL`.
        names: username and name as shown by user id, of everybody who wrote.
        bots: user ids of accounts that are no people.
        embedder: sentence embeddings.
    """
    items = gather(stretch.posts, bots=bots)
    bar = BAR if len(items) > QUIET else 0.0
    ranked = [p for p in rank(items, reader, names, embedder) if p.score >= bar]
    room = ROOM.get(reader.persona.person.length or "medium", ROOM["medium"])
    chosen = _spread(ranked, room)
    return ChannelSummary(
        channel=channel,
        username=reader.username,
        since=stretch.since,
        posts=len(stretch.posts),
        items=len(items),
        topics=_topics(chosen),
        left_out=len(ranked) - len(chosen),
        cut=stretch.cut,
    )


def _spread(ranked: Sequence[Pick], room: int) -> list[Pick]:
    """The best of the ranked, each counted less for what is close to it already."""
    left = list(ranked[: 6 * room])
    chosen: list[Pick] = []
    while left and len(chosen) < room:
        best = max(left, key=lambda p: (p.score - AGAIN * sum(_close(p, c) for c in chosen), p.item.at))
        left.remove(best)
        chosen.append(best)
    return chosen


def _close(one: Pick, other: Pick) -> bool:
    return float(one.vector @ other.vector) >= SAME_TOPIC


def _topics(chosen: Sequence[Pick]) -> tuple[Topic, ...]:
    """Picks in groups: each goes to the first group whose middle is close, else it begins one."""
    groups: list[list[Pick]] = []
    for pick in sorted(chosen, key=lambda p: (-p.score, -p.item.at)):
        for group in groups:
            middle = np.mean([p.vector for p in group], axis=0)
            if float(pick.vector @ middle) / max(1e-9, float(np.linalg.norm(middle))) >= SAME_TOPIC:
                group.append(pick)
                break
        else:
            groups.append([pick])
    spread = Counter(t for p in chosen for t in {stem(w) for w in words(p.text)})
    return tuple(Topic(title=_title(group, spread, len(chosen)), picks=tuple(group)) for group in groups)


def _title(group: Sequence[Pick], spread: Counter[str], count: int) -> str:
    """The words that most of a group share and few others have."""
    if len(group) < 2:
        return ""
    shown: dict[str, str] = {}
    found: Counter[str] = Counter()
    for pick in group:
        said = {stem(w): w for w in words(pick.text) if w not in STOPWORDS and len(w) > 2 and not w.isdigit()}
        found.update(t for t in said if t not in WEAK)
        shown |= {t: w for t, w in said.items() if t not in shown}
    shared = [t for t, times in found.items() if times > 1]
    best = sorted(shared, key=lambda t: (-found[t] * log(1 + count / spread[t]), t))[:TITLE_WORDS]
    return ", ".join(shown[t] for t in best)


def channel_to_json(summary: ChannelSummary, *, url: str, names: Mapping[str, tuple[str, str]]) -> dict[str, Any]:
    """The plain object that `meetings channel --json` prints.

    Args:
        summary: the summary.
        url: the server's address, for permalinks.
        names: username and name as shown by user id.
    """
    return {
        "channel": summary.channel,
        "person": summary.username,
        "since": _moment(summary.since),
        "posts": summary.posts,
        "items": summary.items,
        "left_out": summary.left_out,
        "cut": summary.cut,
        "topics": [
            {
                "title": topic.title,
                "items": [
                    {
                        "kind": p.kind,
                        "text": p.text,
                        "by": names.get(p.post.user_id, ("", ""))[0],
                        "at": _moment(p.post.at),
                        "permalink": _permalink(summary, url, p),
                        "url": p.item.link.url if p.item.link else None,
                        "times": 1 + len(p.item.again),
                        "replies": len(p.item.posts) - 1,
                        "people": len(p.item.people),
                        "why": p.why,
                        "score": round(p.score, 4),
                    }
                    for p in topic.picks
                ],
            }
            for topic in summary.topics
        ],
    }


def render_channel(
    summary: ChannelSummary,
    *,
    url: str,
    names: Mapping[str, tuple[str, str]],
    when: str = "",
    zone: tzinfo = UTC,
) -> str:
    """The summary as Markdown for Mattermost, as long as a message may be; what people wrote is shown and does nothing.

    Args:
        summary: the summary.
        url: the server's address, for permalinks.
        names: username and name as shown by user id.
        when: what the stretch is called; default `since` and the day it begins.
        zone: in which days are counted.
    """
    for room in SHORTER:
        text = _rendered(summary, url, names, when or f"since {_day(summary.since, zone)}", zone, room)
        if len(text) <= MAX_MESSAGE:
            break
    return text


def _rendered(
    summary: ChannelSummary, url: str, names: Mapping[str, tuple[str, str]], when: str, zone: tzinfo, room: int
) -> str:
    channel = inert(summary.channel.rpartition("/")[2])
    lines = [f"**{channel}** {when}: {_count(summary.posts, 'post')}, {_count(summary.items, 'thread')} and links"]
    if summary.cut:
        lines.append("_There was more than I read; the oldest part is missing._")
    if not summary.topics:
        lines += ["", "Nothing in it that concerns you." if summary.posts else "Nothing was written there."]
    for topic in summary.topics:
        lines += ["", f"**{inert(topic.title, limit=80)}**"] if topic.title else [""]
        lines += [
            render_pick(p, channel=summary.channel, url=url, names=names, zone=zone, room=room) for p in topic.picks
        ]
    if summary.left_out:
        lines += ["", f"_{summary.left_out} more that may concern you._"]
    return "\n".join(lines)


def render_pick(
    pick: Pick,
    *,
    channel: str,
    url: str,
    names: Mapping[str, tuple[str, str]],
    zone: tzinfo = UTC,
    room: int = 400,
) -> str:
    """One item as a line of a list: its words, who wrote them, a link to the post, and why it is the reader's.

    Args:
        pick: the item.
        channel: `TEAM/CHANNEL`.
        url: the server's address, for the permalink.
        names: username and name as shown by user id.
        zone: in which days are counted.
        room: characters of the words.
    """
    permalink = f"{url}/{channel.partition('/')[0]}/pl/{pick.post.id}"
    when = link(_day(pick.post.at, zone), permalink)
    why = f"_{inert(pick.why, limit=200)}_"
    if pick.item.link is not None:
        site = inert((urlsplit(pick.item.link.url).hostname or "").removeprefix("www."), limit=80)
        often = f", posted {1 + len(pick.item.again)} times" if pick.item.again else ""
        return f"- {inert(pick.text, limit=min(room, 300))} — {site}, {when}{often} · {why}"
    by = inert(names.get(pick.post.user_id, ("", "somebody"))[1], limit=80)
    return f"- {_KINDS.get(pick.kind, '')}“{inert(pick.text, limit=room)}” — {by}, {when} · {why}"


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _permalink(summary: ChannelSummary, url: str, pick: Pick) -> str:
    return f"{url}/{summary.channel.partition('/')[0]}/pl/{pick.post.id}"


def _day(at: int, zone: tzinfo) -> str:
    return datetime.fromtimestamp(at / 1000, tz=zone).date().isoformat()


def _moment(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, tz=UTC).isoformat(timespec="seconds")
