"""What was found, for a terminal, for a message, and as JSON. What people said is inert wherever it is shown."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from meetings.conversation import clock
from meetings.search.find import Found, Moment
from meetings.search.shelf import Card
from meetings.summary import inert
from meetings.summary.markdown import link

# The address of a moment (seconds) in a meeting; None where it has none.
Place = Callable[[Card, float], str | None]

_POST_ID = re.compile(r"[a-z0-9]{26}")


def post_link(card: Card) -> str | None:
    """The post of a recording; `_redirect` finds its team (Mattermost's own links in mails are so)."""
    if not (card.server and _POST_ID.fullmatch(card.post_id)):
        return None
    return f"{card.server.rstrip('/')}/_redirect/pl/{card.post_id}"


def when(card: Card) -> str:
    """The day of a meeting."""
    return card.started_at[:10]


def marked(moment: Moment, show: Callable[[str], str], mark: Callable[[str], str]) -> str:
    """A moment's text with the words that were looked for marked.

    Args:
        moment: the moment.
        show: makes text inert.
        mark: makes inert text stand out.
    """
    shown, at = "", 0
    for begin, end in moment.marks:
        shown += _kept(moment.text[at:begin], show) + mark(show(moment.text[begin:end]))
        at = end
    return (shown + _kept(moment.text[at:], show)).strip()


def linked(card: Card, start: float, place: Place | None) -> str:
    """A moment's time, which leads to its place if it has one."""
    return link(clock(start), None if place is None else place(card, start))


def to_markdown(found: Sequence[Found], place: Place | None = None) -> str:
    """A message; each moment leads to its place."""
    lines = []
    for one in found:
        title = link(inert(one.card.title, limit=120) or "A meeting", post_link(one.card))
        lines.append(f"**{title}**" + (f", {when(one.card)}" if when(one.card) else ""))
        for moment in one.moments:
            text = marked(moment, inert, lambda word: f"**{word}**")
            at = linked(one.card, moment.start, place)
            lines.append(f"- {at} {inert(moment.speakers[0], limit=100)}: {text}")
    return "\n".join(lines)


def to_json(found: Sequence[Found]) -> list[dict[str, Any]]:
    """Plain values, in the order in which they were found."""
    return [
        {
            "meeting": one.card.id,
            "title": one.card.title,
            "started_at": one.card.started_at or None,
            "channel_id": one.card.channel_id or None,
            "link": post_link(one.card),
            "moments": [
                {
                    "start": round(moment.start, 3),
                    "speakers": list(moment.speakers),
                    "utterances": list(moment.utterances),
                    "text": moment.text,
                    "marks": [list(mark) for mark in moment.marks],
                    "kinds": list(moment.kinds),
                }
                for moment in one.moments
            ],
        }
        for one in found
    ]


def _kept(text: str, show: Callable[[str], str]) -> str:
    """Inert text that keeps the room at its ends, which `show` may take off."""
    if not text.strip():
        return " " if text else ""
    return (" " if text[0].isspace() else "") + show(text) + (" " if text[-1].isspace() else "")
