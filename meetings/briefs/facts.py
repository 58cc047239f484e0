"""What one post of an incident's channel tells: its sentences, each read once for what it does and whom it concerns.

Pure, and of one post alone, so that the notes of all posts are the same however they came in. What follows from several
of them (the second figure replaces the first) is `state`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from meetings.briefs.rules import Rules
from meetings.mattermost.entities import Post
from meetings.people.profiles import match_profiles
from meetings.people.terms import stem
from meetings.summary.dates import find_due
from meetings.summary.figures import NUMBER_WORDS
from meetings.summary.kinds import read_sentence
from meetings.summary.text import is_hand_over, plain, sentences

MAX_TEXT = 4_000  # characters of a post that are read
MAX_LINES = 12  # sentences of a post that are kept
MIN_WORDS = 4  # a sentence that does nothing and has fewer words is chatter
MENTION = re.compile(r"(?<![\w@])@([a-z][a-z0-9._-]*[a-z0-9_-])", re.IGNORECASE)
_NUMBER = r"\d+(?:[.,]\d+)*|" + "|".join(sorted(NUMBER_WORDS - {"one", "first", "second", "third"}, key=len)[::-1])
_FIGURE = re.compile(
    rf"\b({_NUMBER})\s*(%|percent\b)?(?:\s+of)?(?:\s+(?:the|our|all|large|small|more|other|about))*\s*([a-z]+)?",
    re.IGNORECASE,
)
_NO_UNIT = frozenset(
    [
        "is",
        "are",
        "was",
        "were",
        "and",
        "or",
        "in",
        "on",
        "at",
        "by",
        "to",
        "for",
        "from",
        "so",
        "if",
        "when",
        "while",
        "with",
        "went",
        "set",
        "instead",
        "free",
    ]
)
_YES_NO = re.compile(r"(?<=\bso no\.)\s+(?=[A-Z])")  # to whoever splits sentences, `no.` is short for number
_SEVERITY = re.compile(
    r"\b(?:sev(?:erity)?[- ]?([0-5])|(P[0-5])\b(?=.*\b(?:incident|severity|priority)\b))", re.IGNORECASE
)
_ASKED = re.compile(r"\bplease\b|\b(?:can|could|will|would) you\b", re.IGNORECASE)
_ACCEPTED = re.compile(
    r"^\W*yes\b|\bI(?:'ll|’ll| will| am going to|'m going to| take)\b|\bon it\b|\bwill do\b", re.IGNORECASE
)
_DECIDED = re.compile(r"^\W*(?:decided|decision)\b|\bwe (?:have )?decided\b", re.IGNORECASE)
_AT = re.compile(
    r"\b(?:at|by|before|until|around|every|in)\s+((?:the\s+)?(?:full hour|noon|midnight|half an hour|an hour|the hour|"
    r"\d{1,2}(?::\d\d)?\s?(?:am|pm|utc)?\b(?:\s?(?:minutes|min|hours|h)\b)?|tomorrow|tonight|end of day|hour))",
    re.IGNORECASE,
)
_WHOLE = re.compile(r"\b(?:all|every|everything|everybody|complete(?:ly)?|fully|resolved|over|closed)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A sentence: what it does (`kind`), whose views it belongs in, and what of it is compared with others.

    `units` are what its figures count; `owners` are usernames of those a task falls to; `due` is as it was said;
    `severity` and `whole` (it speaks of everything) are of the sentence too.
    """

    text: str
    kind: str
    views: tuple[str, ...] = ()
    units: tuple[str, ...] = ()
    owners: tuple[str, ...] = ()
    due: str = ""
    severity: str = ""
    whole: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """A post as it is kept: who wrote it when (milliseconds), which version was read (`update_at`), what it tells."""

    post_id: str
    user_id: str
    username: str
    at: int
    version: int
    root_id: str
    desk: str
    lines: tuple[Line, ...]

    @property
    def views(self) -> frozenset[str]:
        """The audiences whose view any of it belongs in."""
        return frozenset(view for line in self.lines for view in line.views)

    def to_json(self) -> list[Any]:
        """A compact form: there may be thousands."""
        lines = [[x.text, x.kind, x.views, x.units, x.owners, x.due, x.severity, x.whole] for x in self.lines]
        return [self.post_id, self.user_id, self.username, self.at, self.version, self.root_id, self.desk, lines]

    @classmethod
    def from_json(cls, data: list[Any]) -> Note:
        """As `to_json` wrote it."""
        post_id, user_id, username, at, version, root_id, desk, lines = data
        return cls(
            post_id=post_id,
            user_id=user_id,
            username=username,
            at=at,
            version=version,
            root_id=root_id,
            desk=desk,
            lines=tuple(
                Line(
                    text=text,
                    kind=kind,
                    views=tuple(views),
                    units=tuple(units),
                    owners=tuple(owners),
                    due=due,
                    severity=severity,
                    whole=whole,
                )
                for text, kind, views, units, owners, due, severity, whole in lines
            ),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Colleague:
    """Somebody of the channel: how they are called, and their desk (the role profile of their position)."""

    username: str
    name: str
    desk: str


@lru_cache(maxsize=4_096)
def desk_of(position: str) -> str:
    """The role profile that a position calls for most; empty if none."""
    found = match_profiles(position)
    return max(found, key=lambda pair: pair[1])[0].name if found else ""


def read_post(post: Post, people: Mapping[str, Colleague], rules: Rules) -> Note | None:
    """What a post tells; None for one that tells nothing of an incident: chatter, the server's own, a deleted one.

    Args:
        post: as the server has it now.
        people: colleagues by user id.
        rules: how it is read.
    """
    if post.delete_at or post.type or not post.message.strip():
        return None
    by = people.get(post.user_id, Colleague(username="", name="", desk=""))
    desks = {c.username: c.desk for c in people.values()}
    lines = []
    said = (s for part in sentences(post.message[:MAX_TEXT])[: 2 * MAX_LINES] for s in _YES_NO.split(part))
    for sentence in said:
        line = _read_line(plain(sentence), by, desks, post.create_at, rules)
        if line is not None:
            lines.append(line)
    if not lines:
        return None
    return Note(
        post_id=post.id,
        user_id=post.user_id,
        username=by.username,
        at=post.create_at,
        version=post.update_at,
        root_id=post.root_id,
        desk=by.desk,
        lines=tuple(lines[:MAX_LINES]),
    )


def _read_line(text: str, by: Colleague, desks: Mapping[str, str], at: int, rules: Rules) -> Line | None:
    topics = {name for name, pattern in rules.topics.items() if pattern.search(text)}
    severity = _SEVERITY.search(text)
    owners = tuple(dict.fromkeys(m.lower() for m in MENTION.findall(text)))
    kind, due = _kind(text, owners, at, rules)
    if kind == "info" and not topics and (is_hand_over(text) or len(text.split()) < MIN_WORDS) and not severity:
        return None
    if kind == "accept":
        owners = (by.username,) if by.username else ()
    elif kind != "action":
        owners = ()
    return Line(
        text=text,
        kind=kind,
        views=tuple(
            v for v in rules.views if _belongs(v, kind, topics, by.desk, [desks.get(o, "") for o in owners], rules)
        ),
        units=_units(text),
        owners=owners,
        due=due,
        severity=next((g.upper() for g in severity.groups() if g), "") if severity else "",
        whole=bool(_WHOLE.search(text)),
    )


def _kind(text: str, mentioned: tuple[str, ...], at: int, rules: Rules) -> tuple[str, str]:
    """What a sentence does, and until when."""
    asks = text.rstrip().endswith("?")
    found = next((name for name, pattern in rules.marks.items() if pattern.search(text)), None)
    if found == "update":
        when = _AT.search(text)
        return "update", when.group(1) if when else ""
    if mentioned and _ASKED.search(text):
        return "action", _due(text, at)
    if asks:
        return "question", ""
    if found in {"hold", "cleared"}:
        return found, ""
    if _DECIDED.search(text):
        return "decision", _due(text, at)
    if found is not None:
        return found, ""
    if _ACCEPTED.search(text):
        return "accept", _due(text, at)
    reading = read_sentence(text, said_on=datetime.fromtimestamp(at / 1000, tz=UTC).date())
    if reading.kind == "decision" and reading.strength < 1:
        return "info", ""
    return {"number": "info", "action": "info"}.get(reading.kind, reading.kind), ""


def _due(text: str, at: int) -> str:
    found = find_due(text, datetime.fromtimestamp(at / 1000, tz=UTC).date())
    return found.shown if found else ""


def _belongs(view: str, kind: str, topics: set[str], desk: str, owners: list[str], rules: Rules) -> bool:
    rule = rules.views[view]
    if kind in rule.never or topics & rule.without:
        return False
    if kind == "action" and any(owners):
        # A task is the business of whose task it is, and of who gave it if both sit together.
        return bool(set(owners) & rule.desks)
    if kind == "decision" and desk in rule.decisions:
        return True
    return kind in rule.kinds or bool(topics & rule.topics) or desk in rule.desks


def _units(text: str) -> tuple[str, ...]:
    """What the figures of a sentence count, as `%user` and `building`."""
    found = []
    for _, share, noun in _FIGURE.findall(text):
        noun = "" if noun.lower() in _NO_UNIT else stem(noun.lower())
        unit = ("%" if share else "") + noun
        if unit:
            found.append(unit)
    return tuple(dict.fromkeys(found))
