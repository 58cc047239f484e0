"""The formats that a meeting can be saved in, by name: a table of what makes each of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from meetings.conversation import to_json, to_rttm
from meetings.exports.calendar import to_ics
from meetings.exports.docx import to_docx
from meetings.exports.html import to_html
from meetings.exports.markdown import to_markdown
from meetings.exports.meeting import Meeting
from meetings.exports.pdf import to_pdf
from meetings.exports.subtitles import to_subtitles_srt, to_subtitles_vtt
from meetings.exports.table import to_csv
from meetings.summary import summary_to_json

# Excel reads a CSV as UTF-8 only with this in front.
BYTE_ORDER_MARK = "\ufeff"


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """A format: what makes it of a meeting and a reader, and whether it is text. Its name is its file's suffix."""

    make: Callable[[Meeting, str | None], str | bytes]
    text: bool = True
    mark: bool = False


def to_plain_json(meeting: Meeting, username: str | None = None) -> str:
    """`transcript.json`'s object, with `summary` (that of `summaries/USERNAME.json`) for a reader, and `made_by`."""
    data = to_json(meeting.conversation)
    if username:
        data["summary"] = summary_to_json(meeting.summary_of(username))
    data["made_by"] = {"recogniser": meeting.heard_by or None, "recording": meeting.link}
    return json.dumps(data, ensure_ascii=False, indent=2) + "\n"


def speaker_lines(meeting: Meeting) -> str:
    """RTTM: the diarization's turns; where nobody kept them, those of the transcript."""
    conversation = meeting.conversation
    turns = ((u.start, u.end, u.speaker) for u in conversation.utterances)
    return meeting.rttm or to_rttm(turns, recording=meeting.name)


FORMATS: Mapping[str, Format] = {
    "md": Format(make=to_markdown),
    "html": Format(make=to_html),
    "pdf": Format(make=to_pdf, text=False),
    "docx": Format(make=to_docx, text=False),
    "vtt": Format(make=lambda meeting, _: to_subtitles_vtt(meeting.conversation)),
    "srt": Format(make=lambda meeting, _: to_subtitles_srt(meeting.conversation)),
    "json": Format(make=to_plain_json),
    "rttm": Format(make=lambda meeting, _: speaker_lines(meeting)),
    "ics": Format(make=to_ics),
    "csv": Format(make=to_csv, mark=True),
}


def save_as(name: str, meeting: Meeting, username: str | None = None) -> bytes:
    """A meeting in one of `FORMATS`, as the bytes of a file.

    Raises:
        SaveError: there is no summary of this reader.
    """
    wanted = FORMATS[name]
    made = wanted.make(meeting, username)
    if isinstance(made, bytes):
        return made
    # Halves of characters, which JSON can hold, have no bytes.
    return f"{BYTE_ORDER_MARK if wanted.mark else ''}{made}".encode(errors="replace")
