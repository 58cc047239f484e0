"""Actions as iCalendar (RFC 5545): one task (VTODO) an action, due all day.

Neither the time of writing nor anything else that changes is in it: the same meeting gives the same file, and a
calendar that imports it twice knows each task by its UID.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from meetings.conversation import clock
from meetings.exports.actions import Action, actions
from meetings.exports.meeting import Meeting
from meetings.exports.text import plain
from meetings.summary.message import day_of
from meetings.summary.phrases import phrases

if TYPE_CHECKING:
    from icalendar import Todo

# RFC 5545 wants a time at which each task was made (DTSTAMP); of a meeting whose start nobody knows it is this.
UNKNOWN = datetime(1970, 1, 1, tzinfo=UTC)


def to_ics(meeting: Meeting, username: str | None = None) -> str:
    """One person's own actions, or everybody's with their owners' names."""
    from icalendar import Calendar

    calendar = Calendar()
    calendar.add("prodid", "-//meetings//actions//EN")
    calendar.add("version", "2.0")
    for action in actions(meeting, username):
        calendar.add_component(_task(action, meeting, named=username is None))
    text: str = calendar.to_ical().decode()
    return text


def _task(action: Action, meeting: Meeting, *, named: bool) -> Todo:
    from icalendar import Todo

    task = Todo()
    task.add("uid", action.uid)
    task.add("dtstamp", _held(meeting))
    task.add("summary", f"{action.owner}: {action.what}" if named and action.owner else action.what)
    if action.day:
        task.add("due", action.day)
    task.add("description", "\n".join(_told(action, meeting)))
    if meeting.link:
        task.add("url", meeting.link)
    if action.confidential:
        task.add("class", "CONFIDENTIAL")
    return task


def _told(action: Action, meeting: Meeting) -> list[str]:
    """What the calendar shows of a task: who, until when, and where it was said."""
    words = phrases("en")
    title = plain(meeting.conversation.title, 200) or words.text("call")
    day = day_of(meeting.conversation.started_at)
    where = f"{title}, {words.day(day, year=True)}" if day else title
    lines = [f"{action.speaker}, {clock(action.start)} — {where}"]
    if ", " in action.owner:
        lines.insert(0, action.owner)
    if action.due and not action.day:
        lines.append(words.filled("due", "", action.due))
    if action.confidential:
        lines.append(words.text("confidential"))
    return lines


def _held(meeting: Meeting) -> datetime:
    try:
        found = datetime.fromisoformat(meeting.conversation.started_at or "")
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC).replace(microsecond=0)
    except (ValueError, OverflowError):
        return UNKNOWN
