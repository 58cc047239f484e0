"""A briefing, and the offer of one, as Markdown and as JSON. What people wrote shows as it stands and does nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, tzinfo
from typing import Any

from meetings.catchup.briefing import Briefing, ChannelBrief, Expert, Place
from meetings.catchup.lines import Line
from meetings.channels import Pick
from meetings.mattermost.client import MAX_MESSAGE
from meetings.quiet import zone_of
from meetings.summary import inert
from meetings.summary.markdown import link

QUOTE, ABOUT, PURPOSE = 240, 70, 300  # characters of what people wrote
LISTED = 5  # channels that an offer names
HOW_TO_STOP = "**no catch-ups** ends these messages."
_CUT = "\n\n_There was more; ask for one channel: **catch me up on ~channel**._"


def render_offer(places: Sequence[tuple[Place, int]], *, away_since: int | None, url: str, timezone: str) -> str:
    """The question whether somebody wants a briefing.

    Args:
        places: the channels, each with how many posts there are to catch up on.
        away_since: milliseconds since the epoch; None: they only joined.
        url: the server's address.
        timezone: the reader's, an IANA name.
    """
    posts = sum(count for _, count in places)
    joined = [(place, count) for place, count in places if place.joined]
    others = len(places) - len(joined)
    said = []
    if others and away_since is not None:
        many = f"{others} channels of yours" if others > 1 else _name(next(p for p, _ in places if not p.joined), url)
        there = posts - sum(count for _, count in joined)
        said.append(f"Welcome back. Since {_day(away_since, zone_of(timezone))} there are {there} posts in {many}.")
    if joined:
        names = _listed([_name(place, url) for place, _ in joined])
        count = sum(count for _, count in joined)
        said.append(f"You joined {names}: {count} posts in the last weeks.")
    said.append(
        "Shall I catch you up: what was decided, what is open, what concerns you? Answer **yes**, or put a 👍 here; "
        f"only you see it. {HOW_TO_STOP}"
    )
    return "\n".join(said)


def render_briefing(
    briefing: Briefing,
    *,
    url: str,
    names: Mapping[str, tuple[str, str]],
    timezone: str,
    away_since: int | None = None,
) -> str:
    """A briefing.

    Args:
        briefing: what is told.
        url: the server's address, for permalinks.
        names: username and name as shown by user id.
        timezone: the reader's, an IANA name; days are theirs.
        away_since: milliseconds since the epoch; None: not because they were away.
    """
    page = _Page(url, names, zone_of(timezone))
    if not briefing.channels:
        return "There is nothing to catch up on: nothing was written in the channels that you and I share."
    if len(briefing.channels) == 1:
        (one,) = briefing.channels
        blocks = [page.whole(one)]
    else:
        blocks = [page.opening(briefing, away_since)]
        blocks += [page.whole(b) if b.place.joined else page.short(b) for b in briefing.channels if page.told(b)]
        if quiet := [b for b in briefing.channels if not page.told(b)]:
            listed = _listed([_name(b.place, url) for b in quiet])
            blocks.append(f"_Nothing for you in_ {listed} _({sum(b.posts for b in quiet)} posts)._")
    return _fitted(blocks)


class _Page:
    """What every line of a message needs."""

    def __init__(self, url: str, names: Mapping[str, tuple[str, str]], zone: tzinfo) -> None:
        self._url = url
        self._names = names
        self._zone = zone

    def told(self, brief: ChannelBrief) -> bool:
        """Whether a channel gets lines of its own."""
        return brief.place.joined or not brief.empty

    def opening(self, briefing: Briefing, away_since: int | None) -> str:
        """The first line of a message about several channels."""
        posts = sum(b.posts for b in briefing.channels)
        since = _day(min(b.since for b in briefing.channels) if away_since is None else away_since, self._zone)
        return f"**Since {since}: {posts} posts in {len(briefing.channels)} channels that we share**"

    def whole(self, brief: ChannelBrief) -> str:
        """One channel, with headings."""
        place = brief.place
        head = (
            f"**{_name(place, self._url)}**: {brief.posts} posts by {brief.people} people "
            f"since {_day(brief.since, self._zone)}"
        )
        lines = [head]
        if brief.cut:
            lines.append("_There was more than I read; the oldest part is missing._")
        if place.purpose:
            lines.append(f"What it is for: {inert(place.purpose, limit=PURPOSE)}")
        if place.header and place.joined:
            lines.append(f"Header: {inert(place.header, limit=PURPOSE)}")
        for title, items in (
            ("Decided lately", [self._said(place, d) for d in brief.decisions]),
            ("Still open", [self._said(place, q) for q in brief.questions]),
            ("What concerns you", [self._concern(place, p) for p in brief.concerns]),
            ("Whom to ask", [self._expert(e) for e in brief.experts]),
        ):
            if items:
                lines += ["", f"**{title}**", *items]
        if brief.empty:
            lines += ["", "No decisions, no open questions, and nothing that seems to concern you."]
        return "\n".join(lines)

    def short(self, brief: ChannelBrief) -> str:
        """One channel of many."""
        place = brief.place
        return "\n".join(
            [
                f"**{_name(place, self._url)}** ({brief.posts} posts)",
                *(self._said(place, d, "Decided: ") for d in brief.decisions),
                *(self._concern(place, p) for p in brief.concerns),
                *(self._said(place, q, "Open: ") for q in brief.questions),
            ]
        )

    def _said(self, place: Place, line: Line, told: str = "") -> str:
        about = f", on “{inert(line.about, limit=ABOUT)}”" if line.about else ""
        return f"- {told}“{inert(line.text, limit=QUOTE)}” — {self._by(place, line.post.user_id, line.post)}{about}"

    def _concern(self, place: Place, pick: Pick) -> str:
        said = f"“{inert(pick.text, limit=QUOTE)}” — {self._by(place, pick.post.user_id, pick.post)}"
        return f"- {said} · _{inert(pick.why, limit=160)}_"

    def _expert(self, expert: Expert) -> str:
        counts = [
            _count(expert.decided, "decision", "decisions"),
            _count(expert.answered, "answer", "answers"),
            _count(expert.wrote, "post", "posts"),
        ]
        about = f" on {inert(', '.join(expert.about))}" if expert.about else ""
        return f"- {self._who(expert.user_id)}{about} ({', '.join(c for c in counts if c)})"

    def _by(self, place: Place, user_id: str, post: Any) -> str:
        team = place.address.partition("/")[0]
        return f"{self._who(user_id)}, {link(_day(post.at, self._zone), f'{self._url}/{team}/pl/{post.id}')}"

    def _who(self, user_id: str) -> str:
        return inert(self._names.get(user_id, ("", "somebody"))[1], limit=80)


def briefing_to_json(briefing: Briefing, *, url: str, names: Mapping[str, tuple[str, str]]) -> dict[str, Any]:
    """The plain object that `meetings catchup --json` prints."""

    def said(brief: ChannelBrief, post: Any) -> dict[str, Any]:
        team = brief.place.address.partition("/")[0]
        return {
            "by": names.get(post.user_id, ("", ""))[0],
            "at": _moment(post.at),
            "permalink": f"{url}/{team}/pl/{post.id}",
        }

    return {
        "person": briefing.username,
        "channels": [
            {
                "channel": b.place.address,
                "joined": b.place.joined,
                "purpose": b.place.purpose,
                "header": b.place.header,
                "since": _moment(b.since),
                "posts": b.posts,
                "people": b.people,
                "cut": b.cut,
                "decisions": [{"text": x.text, "about": x.about, **said(b, x.post)} for x in b.decisions],
                "questions": [{"text": x.text, "about": x.about, **said(b, x.post)} for x in b.questions],
                "concerns": [
                    {"kind": p.kind, "text": p.text, "why": p.why, "score": round(p.score, 4), **said(b, p.post)}
                    for p in b.concerns
                ],
                "ask": [
                    {
                        "username": names.get(e.user_id, ("", ""))[0],
                        "about": list(e.about),
                        "decided": e.decided,
                        "answered": e.answered,
                        "wrote": e.wrote,
                    }
                    for e in b.experts
                ],
            }
            for b in briefing.channels
        ],
    }


def _fitted(blocks: Sequence[str]) -> str:
    """As many blocks as a post holds."""
    kept: list[str] = []
    for block in blocks:
        if sum(len(b) + 2 for b in kept) + len(block) > MAX_MESSAGE - len(_CUT):
            return "\n\n".join(kept)[: MAX_MESSAGE - len(_CUT)] + _CUT
        kept.append(block)
    return "\n\n".join(kept)


def _name(place: Place, url: str) -> str:
    team, _, name = place.address.partition("/")
    return link(inert(place.title or name, limit=80), f"{url}/{team}/channels/{name}")


def _listed(names: Sequence[str]) -> str:
    shown = list(names[:LISTED])
    if len(names) > LISTED:
        shown.append(f"{len(names) - LISTED} more")
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}" if number else ""


def _day(at: int, zone: tzinfo) -> str:
    day = datetime.fromtimestamp(at / 1000, tz=zone)
    return f"{day:%a} {day.day} {day:%b}"


def _moment(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, tz=zone_of("")).isoformat(timespec="seconds")
