"""One message that says what one missed: calls, channels, and what is due."""

from meetings.digests.book import DAILY, WEEKLY, DigestBook
from meetings.digests.digest import Digest, make_digest
from meetings.digests.intent import DigestIntent, read_wish
from meetings.digests.render import digest_to_json, render_digest
from meetings.digests.send import send_digest
from meetings.digests.watcher import Digests

__all__ = [
    "DAILY",
    "WEEKLY",
    "Digest",
    "DigestBook",
    "DigestIntent",
    "Digests",
    "digest_to_json",
    "make_digest",
    "read_wish",
    "render_digest",
    "send_digest",
]
