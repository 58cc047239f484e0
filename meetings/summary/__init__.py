"""Summaries: what matters to whom, in words that were said."""

from meetings.summary.admission import Admission, admitted_writers, examine, record, recorded
from meetings.summary.ask import passages_about
from meetings.summary.contract import Bullet, Summary, summary_from_json, summary_to_json
from meetings.summary.markdown import inert
from meetings.summary.render import MAX_MESSAGE, render_markdown
from meetings.summary.summarize import summarize

__all__ = [
    "MAX_MESSAGE",
    "Admission",
    "Bullet",
    "Summary",
    "admitted_writers",
    "examine",
    "inert",
    "passages_about",
    "record",
    "recorded",
    "render_markdown",
    "summarize",
    "summary_from_json",
    "summary_to_json",
]
