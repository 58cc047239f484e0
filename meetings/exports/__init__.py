"""A meeting as a file for people and programs elsewhere: documents, subtitles, data, actions."""

from meetings.exports.formats import FORMATS, save_as
from meetings.exports.meeting import Meeting, meeting_of_run, read_meeting

__all__ = ["FORMATS", "Meeting", "meeting_of_run", "read_meeting", "save_as"]
