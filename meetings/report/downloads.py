"""A meeting's files, as its page hands them out: what its reader sees there, in the formats of `meetings save`.

Whoever may not read something on the page finds it in no file either: another's summary is in none, what was said in
confidence is withheld from who was not there, and words are those that stand there after corrections.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace
from urllib.parse import quote

from fastapi import Response

from meetings.edits import Edit, apply_edits, as_heard
from meetings.errors import BusyError
from meetings.export import file_name
from meetings.exports import FORMATS, Meeting, save_as
from meetings.report.view import WITHHELD
from meetings.summary import Summary
from meetings.summary.withheld import in_confidence

# Format, what the page calls it, and its media type; in the order of the menu.
_OFFERED = (
    ("pdf", "PDF", "application/pdf"),
    ("docx", "Word", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    ("html", "Web page", "text/html; charset=utf-8"),
    ("md", "Markdown", "text/markdown; charset=utf-8"),
    ("ics", "Actions for a calendar", "text/calendar; charset=utf-8"),
    ("csv", "Actions as a table", "text/csv; charset=utf-8"),
    ("vtt", "Subtitles, WebVTT", "text/vtt; charset=utf-8"),
    ("srt", "Subtitles, SubRip", "application/x-subrip; charset=utf-8"),
    ("json", "Data", "application/json"),
    ("rttm", "Who spoke when", "text/plain; charset=utf-8"),
)
DOWNLOADS = tuple((name, label) for name, label, _ in _OFFERED)
_TYPES = {name: kind for name, _, kind in _OFFERED}
# A file that is opened all the same, whatever its header says, runs nothing, asks nobody, and is of no origin.
SANDBOX = "sandbox; default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'"
AT_ONCE = 2  # files that are made at the same time: a long call's PDF takes seconds of a core
PATIENCE = 30.0  # seconds that one waits for its turn
LONGEST = 80  # characters of a file's name before its suffix

_turns = threading.BoundedSemaphore(AT_ONCE)


def is_offered(name: str) -> bool:
    """Whether a format is one of the menu's."""
    return name in _TYPES


def as_seen(meeting: Meeting, own: Summary | None, edits: Sequence[Edit], *, attended: bool) -> Meeting:
    """A meeting as its page shows it to one reader.

    Args:
        meeting: all that is kept of it.
        own: the reader's own summary; None if there is none.
        edits: what people changed in its words.
        attended: whether the reader was there.
    """
    kept = meeting.conversation
    shown = apply_edits(kept, edits)
    secret = frozenset() if attended else in_confidence(as_heard(kept, edits), shown)
    said = tuple(replace(u, text=WITHHELD, words=()) if n in secret else u for n, u in enumerate(shown.utterances))
    return replace(meeting, conversation=replace(shown, utterances=said), summaries=() if own is None else (own,))


def download(name: str, meeting: Meeting) -> Response:
    """A meeting as a file for one reader: `meeting` holds what they may see, and no summary but theirs.

    Raises:
        BusyError: too many are being made.
    """
    own = meeting.summaries[0].username if meeting.summaries else None
    if not _turns.acquire(timeout=PATIENCE):
        raise BusyError(f"{AT_ONCE} files are being made; try again soon")
    try:
        data = save_as(name, meeting, own)
    finally:
        _turns.release()
    stem = f"{meeting.name}-{own}" if own else meeting.name
    headers = {
        "Content-Disposition": disposition(stem, name),
        "Content-Security-Policy": SANDBOX,
        "X-Content-Type-Options": "nosniff",
    }
    return Response(data, media_type=_TYPES[name], headers=headers)


def disposition(stem: str, suffix: str) -> str:
    """A header that has a file saved under its name (RFC 6266), told twice: for all, and in full (RFC 8187)."""
    assert suffix in FORMATS
    full = f"{file_name(stem)[:LONGEST]}.{suffix}"
    simple = "".join(c if c.isascii() else "_" for c in full)
    return f"attachment; filename=\"{simple}\"; filename*=UTF-8''{quote(full, safe='', errors='replace')}"
