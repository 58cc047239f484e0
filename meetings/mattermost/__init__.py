"""Mattermost: the client, what Calls posts, what people's context says, and delivery."""

from meetings.mattermost.calls import Recording, find_recording, reference_id
from meetings.mattermost.client import MattermostClient
from meetings.mattermost.context import person_of, read_contexts
from meetings.mattermost.delivery import Outcome, deliver

__all__ = [
    "MattermostClient",
    "Outcome",
    "Recording",
    "deliver",
    "find_recording",
    "person_of",
    "read_contexts",
    "reference_id",
]
