"""What the bot says to those who answer it: help, their wishes, reasons, and passages of a call."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from meetings.conversation import clock
from meetings.people import Wishes
from meetings.summary import Bullet, inert
from meetings.summary.translate import LANGUAGES as WRITTEN

MAX_LISTED = 14

HELP = """You can tell me, here or under a summary:
- **more about prices**, **less about hiring**, **more technical**: what counts for you
- **shorter**, **longer**, **only decisions**, **everything**: how much and what kind
- **German**, **English**: the language, where the model on this server can write it
- **why this?**: why these points are in your summary
- **what did I miss about pricing?**: what was said about it in that call
- **Speaker 2 is Ben**: who a voice is, if you were in the call
- **settings**: what I know of your wishes; **stop** and **start**

A 👍 or 👎 on a summary says more or less of its kind; 👀 brings what was left out."""
KINDS = {"decision": "decisions", "action": "actions", "risk": "risks", "question": "questions"}
LANGUAGES = {"en": "English", **WRITTEN}
NEXT = "It counts from your next summary on."
NO_CALL = "I do not know which call you mean: answer in the thread of its summary."


def listed(wishes: Wishes) -> str:
    """What somebody asked for."""
    lines = [f"- {w.kind} about {inert(w.text)}" for w in wishes.wishes]
    if wishes.length:
        lines.append(f"- {wishes.length} summaries")
    if wishes.only:
        lines.append(f"- {' and '.join(KINDS.get(k, k) for k in wishes.only)} alone")
    if wishes.locale:
        lines.append(f"- in {LANGUAGES.get(wishes.locale, wishes.locale)}")
    if wishes.stopped:
        lines.append("- no messages")
    return "\n".join(["What you asked for:", *lines]) if lines else "You have asked for nothing special. **help**"


def why(summary: Mapping[str, Any]) -> str:
    """The reason of each point of a summary."""
    bullets = summary["bullets"]
    if not bullets:
        return "Nothing in that call seemed to concern you, so nothing was chosen."
    lines = [f"- “{inert(b['text'], limit=90)}”: {inert(b['why'] or 'everyone gets it', limit=160)}" for b in bullets]
    return "\n".join(["Why each point is there:", *lines[:MAX_LISTED]])


def line(bullet: Bullet) -> str:
    """A quotation with its speaker and time."""
    lock = "🔒 " if bullet.confidential else ""
    return f"- {lock}“{inert(bullet.text)}” — {inert(bullet.speaker, limit=100)}, {clock(bullet.start)}"
