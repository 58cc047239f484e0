"""What goes on from one meeting of a series to the next: work that stays open, decisions that changed, who talks."""

from meetings.trends.balance import Share, talk_time
from meetings.trends.follow import Change, Followed, Moment, Read, follow_decisions, follow_work
from meetings.trends.render import render_trends, trends_to_json
from meetings.trends.series import Meeting, Trends, find_series, same_series, trends_of

__all__ = [
    "Change",
    "Followed",
    "Meeting",
    "Moment",
    "Read",
    "Share",
    "Trends",
    "find_series",
    "follow_decisions",
    "follow_work",
    "render_trends",
    "same_series",
    "talk_time",
    "trends_of",
    "trends_to_json",
]
