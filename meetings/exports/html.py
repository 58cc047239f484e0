"""A meeting as one HTML file: no script, nothing fetched (its own policy forbids both), all text escaped by Jinja."""

from __future__ import annotations

from importlib import resources

from meetings.conversation import clock
from meetings.exports.meeting import Meeting
from meetings.exports.paper import lay_out


def to_html(meeting: Meeting, username: str | None = None) -> str:
    """The document, with the summary of one reader or with none."""
    from jinja2 import Environment, StrictUndefined

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    template = environment.from_string(
        (resources.files("meetings.exports") / "meeting.html.j2").read_text(encoding="utf-8")
    )
    paper = lay_out(meeting, username)
    return template.render(paper=paper, linked=paper.linked, clock=clock, duration=_duration)


def _duration(seconds: float) -> str:
    """`75.2` as HTML's duration `PT75S`, which a `time` element says to machines."""
    return f"PT{max(0, int(seconds))}S"
