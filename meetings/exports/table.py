"""Actions as CSV (RFC 4180), for spreadsheets: one row an action."""

from __future__ import annotations

import csv
import io

from meetings.conversation import clock
from meetings.exports.actions import actions
from meetings.exports.meeting import Meeting
from meetings.exports.text import plain
from meetings.summary.message import day_of

COLUMNS = ("owner", "what", "due", "meeting", "held", "moment", "link")
# A cell that begins so is a formula to a spreadsheet, in some languages' versions also in full width (OWASP, CSV
# Injection).
_FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠")


def to_csv(meeting: Meeting, username: str | None = None) -> str:
    """One person's own actions, or everybody's; every cell in quotes, none of them a formula."""
    held = day_of(meeting.conversation.started_at)
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_ALL)
    writer.writerow(COLUMNS)
    for action in actions(meeting, username):
        row = (
            action.owner,
            action.what,
            action.day.isoformat() if action.day else action.due,
            plain(meeting.conversation.title, 200),
            held.isoformat() if held else "",
            clock(action.start),
            meeting.link or "",
        )
        writer.writerow([_defused(cell) for cell in row])
    return out.getvalue()


def _defused(cell: str) -> str:
    return f"'{cell}" if cell.startswith(_FORMULA) else cell
