"""Questions about a channel in everyday words: "what's new in ~news for me since Monday?"."""

from meetings.moments import Span, Unread, read_span
from meetings.requests.intent import ChannelIntent
from meetings.requests.words import ChannelRequest, Reference, read_request

__all__ = ["ChannelIntent", "ChannelRequest", "Reference", "Span", "Unread", "read_request", "read_span"]
