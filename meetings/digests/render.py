"""A digest as a message for Mattermost and as JSON for programs; what others said or wrote does nothing in it."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from typing import Any

from meetings.channels import channel_to_json, render_pick
from meetings.digests.calls import Call
from meetings.digests.digest import Digest
from meetings.summary import MAX_MESSAGE, inert, summary_to_json
from meetings.summary.markdown import link

_KINDS = {"decision": "Decision: ", "risk": "Risk: ", "question": "Question: ", "action": "To do: "}
OF_MISSED = 3  # bullets of a call that one was not in


def render_digest(digest: Digest, *, zone: tzinfo = UTC) -> str:
    """The message, at most `MAX_MESSAGE` characters.

    Args:
        digest: the digest.
        zone: the reader's timezone.
    """
    since = datetime.fromtimestamp(digest.since / 1000, tz=zone)
    lines = [f"**Your digest** since {since:%a %d %b, %H:%M}"]
    if digest.empty:
        return f"{lines[0]}: nothing in it that concerns you."
    if digest.due:
        lines += ["", "**Due**"]
        for due in digest.due:
            lines.append(
                f"- {due.day:%a %d %b}: {inert(due.bullet.text, limit=300)} — {_title(digest, due.call, zone)}"
            )
    if digest.missed:
        lines += ["", "**Calls you were not in**"]
        for call in digest.missed:
            lines.append(f"- {_title(digest, call, zone)}{_headline(call)}")
            lines += [
                f"  - {_KINDS.get(b.kind, '')}{'🔒 ' if b.confidential else ''}{inert(b.text, limit=300)}"
                for b in call.best[:OF_MISSED]
            ]
    if digest.attended:
        lines += ["", "**Calls you were in**"]
        lines += [f"- {_title(digest, call, zone)}{_headline(call)}" for call in digest.attended]
    for part in digest.channels:
        lines += ["", f"**{inert(part.summary.channel.rpartition('/')[2])}** ({part.summary.posts} posts)"]
        lines += [render_pick(part.summary, pick, url=digest.url, names=part.names) for pick in part.picks]
    lines += ["", "_**no digest** ends these; **daily digest**, **weekly digest** change how often._"]
    while len("\n".join(lines)) > MAX_MESSAGE:
        lines.pop(-3)
    return "\n".join(lines)


def digest_to_json(digest: Digest) -> dict[str, Any]:
    """The plain object that `meetings digest --json` prints."""
    return {
        "person": digest.username,
        "since": _moment(digest.since),
        "until": _moment(digest.until),
        "due": [
            {"day": d.day.isoformat(), "text": d.bullet.text, "owner": d.bullet.owner, "call": d.call.media_id}
            for d in digest.due
        ],
        "calls": [
            {
                "id": c.media_id,
                "title": c.title,
                "at": _moment(c.at),
                "missed": c.missed,
                "permalink": _permalink(digest, c) or None,
                "summary": summary_to_json(c.summary),
            }
            for c in digest.calls
        ],
        "channels": [channel_to_json(p.summary, url=digest.url, names=p.names) for p in digest.channels],
    }


def _title(digest: Digest, call: Call, zone: tzinfo) -> str:
    when = datetime.fromtimestamp(call.at / 1000, tz=zone)
    return f"{link(inert(call.title, limit=100), _permalink(digest, call))}, {when:%a %d %b %H:%M}"


def _headline(call: Call) -> str:
    text = inert(call.summary.headline, limit=200)
    return f": {text}" if text else ""


def _permalink(digest: Digest, call: Call) -> str | None:
    """The server finds the team of a post by itself at this address."""
    return f"{digest.url}/_redirect/pl/{call.post_id}" if call.post_id else None


def _moment(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, tz=UTC).isoformat(timespec="seconds")
