"""Mattermost: the client, what Calls posts, what people's context says, and delivery."""

from meetings.mattermost.calls import Recording, find_recording, reference_id
from meetings.mattermost.client import MattermostClient
from meetings.mattermost.context import Reading, person_of, read_contexts, refresh
from meetings.mattermost.delivery import Outcome, deliver
from meetings.mattermost.kept import KeptContext

__all__ = [
    "KeptContext",
    "MattermostClient",
    "Outcome",
    "Reading",
    "Recording",
    "deliver",
    "find_recording",
    "person_of",
    "read_contexts",
    "reference_id",
    "refresh",
]
