"""One message a day or a week: calls missed, what is due, and the best of the channels somebody is in."""

from meetings.digests.book import DigestBook, Standing
from meetings.digests.gather import Digest, Digester, digest_to_json, period
from meetings.digests.intent import DigestIntent
from meetings.digests.render import render_digest
from meetings.digests.send import Sent, send_digest
from meetings.digests.watcher import Digests

__all__ = [
    "Digest",
    "DigestBook",
    "DigestIntent",
    "Digester",
    "Digests",
    "Sent",
    "Standing",
    "digest_to_json",
    "period",
    "render_digest",
    "send_digest",
]
