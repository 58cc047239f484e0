"""A digest as a message: what was missed, what is due, what was on; short, and inert where others' words stand."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from meetings.channels import render_pick
from meetings.digests.gather import CallNews, Digest
from meetings.mattermost.client import MAX_MESSAGE
from meetings.summary import inert
from meetings.summary.markdown import link

# Characters of one quotation; the first with which a digest is no longer than a message may be.
SHORTER = (240, 140, 80, 40)
_KINDS = {
    "decision": "Decision: ",
    "risk": "Risk: ",
    "question": "Question: ",
    "action": "To do: ",
    "for_you": "For you: ",
}


def render_digest(digest: Digest, *, url: str, footer: str = "") -> str:
    """The message.

    Args:
        digest: what it tells.
        url: the server's address, for permalinks.
        footer: Markdown of this program's own below it.
    """
    if digest.empty:
        return f"Nothing new that concerns you since {_shown(digest, digest.since)}."
    for room in SHORTER:
        text = _rendered(digest, url, footer, room)
        if len(text) <= MAX_MESSAGE:
            break
    return text


def _rendered(digest: Digest, url: str, footer: str, room: int) -> str:
    name = {"daily": "day", "weekly": "week"}[digest.often]
    lines = [f"#### Your {name}, since {_shown(digest, digest.since)}"]
    if digest.due:
        lines += ["", "**Due, and yours**"]
        lines += [
            f"- {_day_of(digest, d.due)}: “{inert(d.text, limit=room)}” — {_title(d.title, d.url)}" for d in digest.due
        ]
    if digest.missed:
        lines += ["", "**Calls you missed**"]
        for call in digest.missed:
            lines.append(_call(digest, call, room))
            lines += [f"    - {_KINDS.get(kind, '')}{inert(text, limit=room)}" for kind, text in call.points]
    if digest.channels:
        lines += ["", "**In your channels**"]
        for news in digest.channels:
            lines += ["", f"_{inert(news.display_name, limit=80)}_"]
            lines += [
                render_pick(p, channel=news.channel, url=url, names=news.names, zone=digest.zone, room=room)
                for p in news.picks
            ]
    if digest.others:
        lines += ["", "**Other calls of yours**", *(_call(digest, call, room) for call in digest.others)]
    return "\n".join([*lines, *(["", footer] if footer else [])])


def _call(digest: Digest, call: CallNews, room: int) -> str:
    headline = f": {inert(call.headline, limit=room)}" if call.headline else ""
    return f"- {_title(call.title, call.url)}, {_shown(digest, call.at)}{headline}"


def _title(title: str, url: str) -> str:
    return link(inert(title, limit=80) or "a call", url or None)


def _shown(digest: Digest, at: int) -> str:
    moment = datetime.fromtimestamp(at / 1000, tz=digest.zone)
    return f"{moment:%a} {moment.day} {moment:%b}, {moment:%H:%M}"


def _day_of(digest: Digest, day: date) -> str:

    today = datetime.fromtimestamp(digest.until / 1000, tz=digest.zone).date()
    if day < today:
        return f"**was due {day:%a} {day.day} {day:%b}**"
    named = {today: "**today**", today + timedelta(days=1): "tomorrow"}
    return named.get(day, f"{day:%a} {day.day} {day:%b}")
