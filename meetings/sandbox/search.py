"""Searching posts: words, "phrases", #hashtags, -exclusions, wild* cards, and from: in: before: after: on:.

The words of a message are compared whole and without case, as the server's database search does. Only channels that
the searcher is in are searched, and never what the server itself wrote.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import Select, select

from meetings.sandbox import model
from meetings.sandbox.model import Post, User
from meetings.sandbox.world import Change

MAX_FOUND = 100
FLAGS = frozenset(["from", "in", "channel", "before", "after", "on"])
_PIECE = re.compile(r'(?P<minus>-?)(?:"(?P<phrase>[^"]*)"|(?P<word>\S+))')
_WORD = re.compile(r"\w+")
_DAY_MS = 24 * 3600 * 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """One thing to look for; a phrase has several words. `prefix`: the last word may go on."""

    words: tuple[str, ...]
    prefix: bool = False
    hashtag: bool = False

    def found_in(self, words: Sequence[str], tags: frozenset[str]) -> bool:
        """Whether a post with these words and hashtags (all lower case) has it."""
        if self.hashtag:
            tag = self.words[0]
            return any(t.startswith(tag) if self.prefix else t == tag for t in tags)
        size = len(self.words)
        return any(self._at(words[i : i + size]) for i in range(len(words) - size + 1))

    def _at(self, words: Sequence[str]) -> bool:
        *first, last = self.words
        if list(words[:-1]) != first:
            return False
        return words[-1].startswith(last) if self.prefix else words[-1] == last


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """What somebody searches for. Dates are days, both ends of a range left out."""

    terms: tuple[Term, ...] = ()
    excluded: tuple[Term, ...] = ()
    authors: frozenset[str] = frozenset()
    channels: frozenset[str] = frozenset()
    other_authors: frozenset[str] = frozenset()
    other_channels: frozenset[str] = frozenset()
    before: date | None = None
    after: date | None = None
    on: date | None = None

    @property
    def is_empty(self) -> bool:
        """Whether it asks for nothing."""
        return self == Query()

    def matches(self, message: str, hashtags: str, *, any_term: bool) -> bool:
        """Whether a post's words fit; without terms all do."""
        words = [w.lower() for w in _WORD.findall(message)]
        tags = frozenset(hashtags.lower().split())
        if any(t.found_in(words, tags) for t in self.excluded):
            return False
        found = [t.found_in(words, tags) for t in self.terms]
        return not found or (any(found) if any_term else all(found))


def parse(text: str) -> Query:
    """Read a search line. What looks like a flag but is none is a word; a flag's value may follow after a space."""
    terms: list[Term] = []
    excluded: list[Term] = []
    flags: dict[str, list[str]] = {sign + name: [] for sign in ("", "-") for name in FLAGS}
    pieces = iter(_PIECE.finditer(text))
    for piece in pieces:
        minus, phrase, word = piece.group("minus"), piece.group("phrase"), piece.group("word")
        if phrase is None:
            flag, colon, value = word.partition(":")
            if colon and flag.lower() in FLAGS:
                value = value or next(_words(pieces), "")
                if value:
                    flags[minus + flag.lower()].append(value.lstrip("@~").lower())
                continue
        term = _term(word if phrase is None else phrase, quoted=phrase is not None)
        if term is not None:
            (excluded if minus else terms).append(term)
    return Query(
        terms=tuple(terms),
        excluded=tuple(excluded),
        authors=frozenset(flags["from"]),
        channels=frozenset(flags["in"] + flags["channel"]),
        other_authors=frozenset(flags["-from"]),
        other_channels=frozenset(flags["-in"] + flags["-channel"]),
        before=_date(flags["before"]),
        after=_date(flags["after"]),
        on=_date(flags["on"]),
    )


def find(tx: Change, user: User, team_id: str, query: Query, *, any_term: bool, page: int, per_page: int) -> list[Post]:
    """The posts that fit, newest first."""
    if query.is_empty:
        return []
    wanted = (
        p
        for p in model.many(tx.db, Post, _candidates(user, team_id, query))
        if not p.is_system and query.matches(p.message, p.hashtags, any_term=any_term)
    )
    found = [p for p, _ in zip(wanted, range(MAX_FOUND), strict=False)]
    return found[page * per_page : (page + 1) * per_page]


def _candidates(user: User, team_id: str, query: Query) -> Select[tuple[object, ...]]:
    posts, channels, members, users = model.posts, model.channels, model.members, model.users
    chosen = (
        select(posts)
        .join(members, (members.c.channel_id == posts.c.channel_id) & (members.c.user_id == user.id))
        .join(channels, channels.c.id == posts.c.channel_id)
        .join(users, users.c.id == posts.c.user_id)
        .where(posts.c.delete_at == 0, channels.c.team_id.in_([team_id, ""]))
        .where(users.c.username.not_in(query.other_authors), channels.c.name.not_in(query.other_channels))
        .order_by(posts.c.create_at.desc())
    )
    if query.authors:
        chosen = chosen.where(users.c.username.in_(query.authors))
    if query.channels:
        chosen = chosen.where(channels.c.name.in_(query.channels))
    for start, end in _ranges(query):
        chosen = chosen.where(posts.c.create_at >= start, posts.c.create_at < end)
    return chosen


def _ranges(query: Query) -> Iterator[tuple[int, int]]:
    """The times, in milliseconds, that a post must lie in."""
    always = 2**62
    if query.on is not None:
        yield _start_of(query.on), _start_of(query.on) + _DAY_MS
    if query.after is not None:
        yield _start_of(query.after) + _DAY_MS, always
    if query.before is not None:
        yield 0, _start_of(query.before)


def _start_of(day: date) -> int:
    # Exact: a float of seconds would lose the last digits.
    return (datetime(day.year, day.month, day.day, tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(
        milliseconds=1
    )


def _words(pieces: Iterator[re.Match[str]]) -> Iterator[str]:
    for piece in pieces:
        yield piece.group("word") or piece.group("phrase") or ""


def _term(text: str, *, quoted: bool) -> Term | None:
    prefix = text.endswith("*") and not quoted
    if text.startswith("#") and not quoted and _WORD.search(text):
        return Term(words=(text.rstrip("*").lower(),), prefix=prefix, hashtag=True)
    words = tuple(w.lower() for w in _WORD.findall(text))
    return Term(words=words, prefix=prefix) if words else None


def _date(values: list[str]) -> date | None:
    """The last value that is a day; anything else counts as none."""
    for value in reversed(values):
        try:
            return date.fromisoformat(value)
        except ValueError:
            continue
    return None
