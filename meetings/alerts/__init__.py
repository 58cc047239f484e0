"""Alerts: people say what they want to hear of, and are told when it comes up; few messages, each with why."""

from meetings.alerts.asking import AlertsIntent, chosen
from meetings.alerts.calls import alert_of_call, tell_of_call
from meetings.alerts.find import Finder, Hit, Note
from meetings.alerts.learned import learn_interests, phrases_of
from meetings.alerts.message import Quoter
from meetings.alerts.send import ALERT_PROP, Sender, outside_quiet_hours
from meetings.alerts.tried import Tried, try_alerts
from meetings.alerts.watch import Alerts, note_of

__all__ = [
    "ALERT_PROP",
    "Alerts",
    "AlertsIntent",
    "Finder",
    "Hit",
    "Note",
    "Quoter",
    "Sender",
    "Tried",
    "alert_of_call",
    "chosen",
    "learn_interests",
    "note_of",
    "outside_quiet_hours",
    "phrases_of",
    "tell_of_call",
    "try_alerts",
]
