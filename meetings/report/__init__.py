"""The page of a meeting: player, timeline, transcript, and the reader's own summary, for those who may see it."""

from meetings.report.access import Gate, Reader, Visitor
from meetings.report.pages import Report
from meetings.report.routes import make_pages, report_router
from meetings.report.view import Page, make_page

__all__ = ["Gate", "Page", "Reader", "Report", "Visitor", "make_page", "make_pages", "report_router"]
