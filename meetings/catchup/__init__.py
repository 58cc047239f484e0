"""Catching up: what those are told who come into a channel, or back to one after days."""

from meetings.catchup.book import CatchupBook
from meetings.catchup.briefer import LOOK_BACK, Briefer, Made
from meetings.catchup.briefing import Briefing, ChannelBrief, Expert, Place, brief_channel, within_budget
from meetings.catchup.intent import CatchupIntent
from meetings.catchup.lines import Line, Lines, read_lines
from meetings.catchup.render import briefing_to_json, render_briefing, render_offer
from meetings.catchup.watcher import CATCHUP_PROP, Catchups

__all__ = [
    "CATCHUP_PROP",
    "LOOK_BACK",
    "Briefer",
    "Briefing",
    "CatchupBook",
    "CatchupIntent",
    "Catchups",
    "ChannelBrief",
    "Expert",
    "Line",
    "Lines",
    "Made",
    "Place",
    "brief_channel",
    "briefing_to_json",
    "read_lines",
    "render_briefing",
    "render_offer",
    "within_budget",
]
