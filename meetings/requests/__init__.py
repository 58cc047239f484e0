"""What people ask of channels: what is new in one, for them, since when they say."""

from meetings.requests.intent import ChannelIntent
from meetings.requests.moments import read_moment
from meetings.requests.phrases import Wanted, read_wanted
from meetings.requests.places import find_places

__all__ = ["ChannelIntent", "Wanted", "find_places", "read_moment", "read_wanted"]
