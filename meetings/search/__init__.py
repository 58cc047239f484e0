"""Search over everything that was said in meetings, for one reader and what they may read."""

from meetings.search.find import Filters, Found, Moment, search
from meetings.search.index import Index
from meetings.search.readers import OPERATOR, Reader, reader_of
from meetings.search.shelf import Card
from meetings.search.upkeep import Upkeep, catch_up, clear_index, drop_changed, index_path, index_recording, open_index

__all__ = [
    "OPERATOR",
    "Card",
    "Filters",
    "Found",
    "Index",
    "Moment",
    "Reader",
    "Upkeep",
    "catch_up",
    "clear_index",
    "drop_changed",
    "index_path",
    "index_recording",
    "open_index",
    "reader_of",
    "search",
]
