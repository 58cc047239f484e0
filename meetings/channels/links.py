"""Links in posts: what they lead to and are called, and when two of them are the same thing to read."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode, urlsplit

from meetings.people.terms import words

LONGEST = 2_000  # characters of an address; longer ones are no links to read

_MARKDOWN = re.compile(r"\[([^\[\]\n]{1,500})\]\((https?://[^\s()<>]{1,2000})(?:\s+\"[^\"\n]*\")?\)")
_BARE = re.compile(r"(?<![\w(\"'=/])https?://[^\s<>\"']+", re.IGNORECASE)
# What feeds, newsletters and social networks put behind an address to count clicks.
_TRACKING = re.compile(
    r"utm_\w+|fbclid|gclid|dclid|msclkid|mc_[ce]id|igshid|ref|ref_src|referrer|source|cmpid|_hs\w+|yclid|at_\w+"
)
_HOST_PREFIX = re.compile(r"^(?:www\d?|m|amp|mobile)\.")
_PATH_SUFFIX = re.compile(r"(?:/amp|/index\.html?)$")
# A title of fewer words (`Release notes`) may well be that of two different pages.
_TITLE_WORDS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """Something to read: its address as it was written, and its title, empty where none was given."""

    url: str
    title: str = ""

    @property
    def keys(self) -> tuple[str, ...]:
        """What it shares with a link to the same: its canonical address, and its title if that is long enough."""
        said = words(self.title)
        return (canonical_url(self.url), *([" ".join(said)] if len(said) >= _TITLE_WORDS else []))


def canonical_url(url: str) -> str:
    """An address without what does not change the page: scheme, `www.`, tracking, fragment, a slash at the end.

    >>> canonical_url("http://www.example.com/a/?utm_source=feed&id=7#top")
    'example.com/a?id=7'
    """
    try:
        parts = urlsplit(url.strip())
        host = (parts.hostname or "").removesuffix(".")
        port = parts.port
    except ValueError:
        return url.strip()
    host = _HOST_PREFIX.sub("", host)
    place = host if port in {None, 80, 443} else f"{host}:{port}"
    path = parts.path
    while (shorter := _PATH_SUFFIX.sub("", path.strip().rstrip("/"))) != path:
        path = shorter
    asked = sorted((k, v) for k, v in parse_qsl(parts.query, keep_blank_values=True) if not _TRACKING.fullmatch(k))
    return f"{place}{path}" + (f"?{urlencode(asked)}" if asked else "")


def find_links(message: str) -> tuple[tuple[Link, ...], str]:
    """The links of a message in order, each page once, and the rest of its words."""
    found: list[Link] = []
    rest = _MARKDOWN.sub(lambda m: _take(found, m.group(2), m.group(1)), message)
    rest = _BARE.sub(lambda m: _take(found, m.group().rstrip(".,;:!?)]}*_"), ""), rest)
    once: dict[str, Link] = {}
    for link in found:
        once.setdefault(canonical_url(link.url), link)
    return tuple(once.values()), " ".join(rest.split())


def _take(found: list[Link], url: str, title: str) -> str:
    if len(url) > LONGEST:
        return " "
    found.append(Link(url=url, title=" ".join(title.split())))
    return " "
