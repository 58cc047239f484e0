"""Trends as text for people and as JSON for programs."""

from __future__ import annotations

from typing import Any

from meetings.conversation import clock
from meetings.summary import inert
from meetings.trends.follow import Followed, Moment
from meetings.trends.series import Trends

_STATES = {
    "carried": "Still open, and spoken of again",
    "open": "Open, and not spoken of again",
    "new": "New in the last meeting",
    "done": "Done",
}


def render_trends(trends: Trends) -> str:
    """The trends as Markdown; what was said is inert in it."""
    lines = [f"**{inert(trends.meetings[-1].title)}**: {len(trends.meetings)} meetings, {_span(trends)}"]
    for state, title in _STATES.items():
        if found := trends.of(state):
            lines += ["", f"**{title}** ({len(found)})", *(_task(trends, f) for f in found)]
    if trends.decisions:
        lines += ["", "**Decisions that changed**"]
        for change in trends.decisions:
            word = "taken back" if change.how == "reversed" else "changed"
            lines.append(f"- {_quoted(trends, change.before)}\n  {word}: {_quoted(trends, change.after)}")
    if not trends.work and not trends.decisions:
        lines += ["", "No tasks and no changed decisions in them."]
    if trends.talk:
        lines += ["", "**Who talked**"]
        for share in trends.talk:
            each = ", ".join("-" if s is None else f"{s / 60:.0f}" for s in share.seconds)
            lines.append(f"- {inert(share.name)}: {share.share:.0%} (minutes: {each})")
    return "\n".join(lines)


def trends_to_json(trends: Trends) -> dict[str, Any]:
    """The plain object that `meetings trends --json` prints; seconds from each recording's start."""
    return {
        "meetings": [{"id": m.id, "title": m.title, "started_at": m.started_at or None} for m in trends.meetings],
        "work": [
            {
                "state": f.state,
                "owners": [o.shown for o in f.owners],
                "due": f.due,
                "said": _plain(trends, f.said),
                "again": [_plain(trends, m) for m in f.again],
            }
            for f in trends.work
        ],
        "decisions": [
            {"how": c.how, "before": _plain(trends, c.before), "after": _plain(trends, c.after)}
            for c in trends.decisions
        ],
        "talk": [
            {"name": s.name, "username": s.username, "seconds": list(s.seconds), "share": round(s.share, 4)}
            for s in trends.talk
        ],
    }


def _task(trends: Trends, followed: Followed) -> str:
    whose = ", ".join(inert(o.shown) for o in followed.owners)
    until = f", until {inert(followed.due)}" if followed.due else ""
    head = f"- {f'**{whose}**: ' if whose else ''}{_quoted(trends, followed.said)}{until}"
    if not followed.again:
        return head
    word = "done" if followed.state == "done" else "again"
    return f"{head}\n  {word}: {_quoted(trends, followed.again[-1])}"


def _quoted(trends: Trends, moment: Moment) -> str:
    day = trends.meetings[moment.meeting].started_at[:10] or f"meeting {moment.meeting + 1}"
    return f"“{inert(moment.text, limit=240)}” — {inert(moment.speaker)}, {day}, {clock(moment.start)}"


def _plain(trends: Trends, moment: Moment) -> dict[str, Any]:
    return {
        "meeting": trends.meetings[moment.meeting].id,
        "utterance": moment.utterance,
        "start": round(moment.start, 2),
        "speaker": moment.speaker,
        "text": moment.text,
    }


def _span(trends: Trends) -> str:
    days = [m.started_at[:10] for m in trends.meetings if m.started_at]
    return f"{days[0]} to {days[-1]}" if days else "days not known"
