"""The page of a meeting: player, timeline, transcript, and the reader's own summary, for those who may see it."""

from meetings.report.access import Gate, Reader, Visitor
from meetings.report.local import LocalPage, Remaking, make_local_app, served_until_closed
from meetings.report.local_meeting import LocalMeeting, whose
from meetings.report.pages import Report
from meetings.report.routes import make_pages, report_router
from meetings.report.view import Page, make_page

__all__ = [
    "Gate",
    "LocalMeeting",
    "LocalPage",
    "Page",
    "Reader",
    "Remaking",
    "Report",
    "Visitor",
    "make_local_app",
    "make_page",
    "make_pages",
    "report_router",
    "served_until_closed",
    "whose",
]
