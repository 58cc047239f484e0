"""Briefs of an incident: the state of a confidential channel for engineering, customer contact or public relations."""

from meetings.briefs.access import channel_of, may_read
from meetings.briefs.asks import BriefIntent, place_of
from meetings.briefs.clean import Checks, Cleaner
from meetings.briefs.drafts import Draft, Drafts
from meetings.briefs.facts import Colleague, Line, Note, desk_of, read_post
from meetings.briefs.keeping import Incidents, Reading
from meetings.briefs.render import Place, render_brief, render_outside, state_to_json
from meetings.briefs.rules import AUDIENCES, Rules, read_rules
from meetings.briefs.state import Action, Fact, State, add_notes, state_of
from meetings.briefs.watches import Watches

__all__ = [
    "AUDIENCES",
    "Action",
    "BriefIntent",
    "Checks",
    "Cleaner",
    "Colleague",
    "Draft",
    "Drafts",
    "Fact",
    "Incidents",
    "Line",
    "Note",
    "Place",
    "Reading",
    "Rules",
    "State",
    "Watches",
    "add_notes",
    "channel_of",
    "desk_of",
    "may_read",
    "place_of",
    "read_post",
    "read_rules",
    "render_brief",
    "render_outside",
    "state_of",
    "state_to_json",
]
