"""A channel read for one person: what was written, ranked by what matters to them."""

from meetings.channels.answer import Answer, answer, find_channel, moment_of
from meetings.channels.items import Item, Written, gather
from meetings.channels.links import Link, canonical_url, find_links
from meetings.channels.rank import Pick, Reader, rank
from meetings.channels.read import Stretch, read_stretch, require_member
from meetings.channels.summary import (
    ChannelSummary,
    Topic,
    channel_to_json,
    render_channel,
    render_pick,
    summarize_channel,
)

__all__ = [
    "Answer",
    "ChannelSummary",
    "Item",
    "Link",
    "Pick",
    "Reader",
    "Stretch",
    "Topic",
    "Written",
    "answer",
    "canonical_url",
    "channel_to_json",
    "find_channel",
    "find_links",
    "gather",
    "moment_of",
    "rank",
    "read_stretch",
    "render_channel",
    "render_pick",
    "require_member",
    "summarize_channel",
]
