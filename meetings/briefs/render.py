"""A state as a brief for one audience, in Mattermost's Markdown; what people wrote shows as it stands, and is inert."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from meetings.briefs.clean import Cleaner
from meetings.briefs.facts import Colleague
from meetings.briefs.rules import Rules
from meetings.briefs.state import Action, Fact, State
from meetings.summary import inert
from meetings.summary.markdown import link

MAX_LINES = 40  # of the timeline, the newest
MAX_SECTION = 8  # lines of another section, the newest
MAX_BRIEF = 15_000  # characters
STATUS: Mapping[str, str] = {
    "quiet": "nothing was said of an incident yet",
    "ongoing": "ongoing",
    "easing": "easing: something is back, not everything",
    "resolved": "resolved, as far as was said",
}
TITLES: Mapping[str, str] = {
    "engineering": "engineering",
    "customers": "who talks to customers",
    "pr": "public relations",
}
# Which parts a brief has, in order: (title, part of the state). A fact stands in the first that has it.
SECTIONS: Mapping[str, Sequence[tuple[str, str]]] = {
    "engineering": (
        ("Impact", "impact"),
        ("Back", "restored"),
        ("Works meanwhile", "works"),
        ("Cause", "cause"),
        ("Suspected, not confirmed", "hypotheses"),
        ("Ruled out", "known"),
        ("Not known, not answered", "unknown"),
        ("Who does what", "actions"),
        ("Decided", "decisions"),
    ),
    "customers": (
        ("What customers notice", "impact"),
        ("Back", "restored"),
        ("What works, what to do meanwhile", "works"),
        ("Do not say", "hold"),
        ("Decided", "decisions"),
        ("Asked, and answered", "answered"),
        ("Not answered", "unknown"),
        ("Who does what", "actions"),
    ),
    "pr": (
        ("May be said", "cleared"),
        ("Confirmed", "known"),
        ("Back", "restored"),
        ("Works meanwhile", "works"),
        ("Do not say", "hold"),
        ("Decided", "decisions"),
        ("Asked, and answered", "answered"),
        ("Not known, not answered", "unknown"),
        ("Who does what", "actions"),
    ),
}
# Of whom no names are shown: these briefs are read out to others.
NAMELESS = frozenset({"customers", "pr"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a brief comes from: the channel's name, and the start of permalinks into it (empty: none)."""

    channel: str
    permalinks: str = ""


def facts_for(state: State, audience: str) -> tuple[Fact, ...]:
    """Everything that belongs in an audience's view, oldest first."""
    return tuple(f for f in state.timeline if audience in f.line.views)


def render_brief(
    state: State,
    audience: str,
    *,
    place: Place,
    people: Mapping[str, Colleague],
    zone: str = "",
    note: str = "",
) -> str:
    """A brief for members of the channel.

    Args:
        state: where the incident stands.
        audience: whose view.
        place: the channel.
        people: colleagues by user id.
        zone: the reader's time zone (IANA); UTC if there is none.
        note: a line of ours beside the time, as `3 new posts`.
    """
    time = _Clock(zone, state.last)
    cleaner = Cleaner(people.values())
    clean: Callable[[str], str] = cleaner.names if audience in NAMELESS else str
    head = f"**{inert(place.channel)}**, for {TITLES[audience]}, as of {time.of(state.last, day=True)}"
    lines = [head + (f" ({note})" if note else ""), f"**Status: {STATUS[state.status]}**"]
    if state.severity:
        lines[-1] += f", severity {inert(state.severity)}"
    lines.append(f"Next update: {_update(state, time)}")
    shown = {_key(state.update)} if state.update else set()
    sections = []
    for title, part in SECTIONS[audience]:
        found = _section(state, part, audience, shown, lambda f: _fact(f, time, place, clean))
        if part == "actions":
            found = [_action(a, time, place, clean, people, audience) for a in state.actions if _is_for(a, audience)]
            shown |= {_key(a.fact) for a in state.actions}
        if found:
            sections += ["", f"**{title}**", *found[-MAX_SECTION:]]
            if len(found) > MAX_SECTION:
                sections.append(f"- _{len(found) - MAX_SECTION} older ones are left out_")
    lines += sections
    whole = audience == "engineering"
    rest = [f for f in facts_for(state, audience) if whole or _key(f) not in shown]
    if rest:
        title = "Timeline" if whole else "Also said"
        lines += ["", f"**{title}**", *_posts(rest, time, place, clean)]
    text = "\n".join(lines)
    return text if len(text) <= MAX_BRIEF else text[: text.rfind("\n", 0, MAX_BRIEF)] + "\n- _…_"


def _section(
    state: State, part: str, audience: str, shown: set[tuple[str, str]], tell: Callable[[Fact], str]
) -> list[str]:
    if part == "actions":
        return []
    if part == "answered":
        found = []
        for asked, answer in state.answered:
            if audience in asked.line.views and audience in answer.line.views:
                shown |= {_key(asked), _key(answer)}
                found.append(f"{tell(asked)} → {tell(answer).removeprefix('- ')}")
        return found
    told = []
    for fact in getattr(state, part):
        if audience in fact.line.views and _key(fact) not in shown:
            shown.add(_key(fact))
            told.append(tell(fact))
    return told


def _posts(facts: Sequence[Fact], time: _Clock, place: Place, clean: Callable[[str], str]) -> list[str]:
    """One line a post, the newest `MAX_LINES`."""
    posts: dict[str, list[Fact]] = {}
    for fact in facts:
        posts.setdefault(fact.post_id, []).append(fact)
    told = [
        f"- {time.link(found[0], place)} {inert(clean(' '.join(f.line.text for f in found)), limit=320)}"
        for found in list(posts.values())[-MAX_LINES:]
    ]
    left = len(posts) - len(told)
    return [f"- _{left} older posts are left out_", *told] if left else told


def _fact(fact: Fact, time: _Clock, place: Place, clean: Callable[[str], str]) -> str:
    return f"- {inert(clean(fact.line.text), limit=400)} ({time.link(fact, place)})"


def _is_for(action: Action, audience: str) -> bool:
    return audience in action.fact.line.views


def _action(
    action: Action,
    time: _Clock,
    place: Place,
    clean: Callable[[str], str],
    people: Mapping[str, Colleague],
    audience: str,
) -> str:
    named = {c.username: c for c in people.values()}
    owners = [(named[o].name if audience not in NAMELESS else clean(f"@{o}")) for o in action.owners if o in named]
    who = f"{inert(' or '.join(owners))}: " if owners else ""
    due = f", due {inert(action.due)}" if action.due and action.status != "done" else ""
    task = _ADDRESS.sub("", action.fact.line.text)
    return f"- {who}{inert(clean(task), limit=300)} **{action.status}**{due} ({time.link(action.fact, place)})"


def _update(state: State, time: _Clock) -> str:
    if state.update is None:
        return "none was announced"
    line = state.update.line
    when = f"**{inert(line.due)}**, " if line.due else ""
    return f"{when}said at {time.of(state.update.at)}"


def _key(fact: Fact) -> tuple[str, str]:
    return fact.post_id, fact.line.text


_ADDRESS = re.compile(r"^@[\w.-]+\b,?:?\s+(?:please\s+)?", re.IGNORECASE)
_QUOTED = re.compile(r"(?<!\w)['‘’“\"]([^\"“”]{15,}?)['’”\"](?!\w)")


class _Clock:
    """Moments (milliseconds) in a reader's time zone; those of another day than `last` with their day."""

    def __init__(self, zone: str, last: int) -> None:
        self._zone: tzinfo = UTC
        if zone and zone != "UTC":
            # A zone that this machine does not know (a KeyError) is shown as UTC, and says so.
            with contextlib.suppress(ValueError, OSError, KeyError):
                self._zone = ZoneInfo(zone)
        self._today = datetime.fromtimestamp(last / 1000, tz=self._zone).date()

    def of(self, at: int, *, day: bool = False) -> str:
        """A moment as hours and minutes; `day`: with its date in any case, and with the zone if that is UTC."""
        moment = datetime.fromtimestamp(at / 1000, tz=self._zone)
        if day:
            return moment.strftime("%Y-%m-%d %H:%M") + (" UTC" if self._zone is UTC else "")
        return moment.strftime("%H:%M" if moment.date() == self._today else "%m-%d %H:%M")

    def link(self, fact: Fact, place: Place) -> str:
        """When a fact was written, as a link to it."""
        return link(self.of(fact.at), f"{place.permalinks}{fact.post_id}" if place.permalinks else None)


def render_outside(state: State, audience: str, rules: Rules, cleaner: Cleaner) -> str:
    """The text that may be proposed for outside the channel: no names, hosts, links, nor anything that is not for it.

    Only kinds that `outside` names, of facts in the audience's own view; each is cleaned once more by itself.
    """
    allowed = rules.views[audience].outside
    status = {"ongoing": "We are working on it.", "easing": "It is getting better.", "resolved": "It is solved."}
    lines = [status.get(state.status, "We are looking into it.")]
    parts: Iterable[tuple[str, tuple[Fact, ...]]] = (
        ("", tuple(f for f in state.cleared if "cleared" in allowed)),
        ("What is affected", state.impact if "impact" in allowed else ()),
        ("What works again", state.restored if "restored" in allowed else ()),
        ("What works meanwhile", state.works if "works" in allowed else ()),
        ("The cause", state.cause if "cause" in allowed else ()),
        ("Confirmed", state.known if "ruled_out" in allowed else ()),
    )
    for title, facts in parts:
        said = (f.line.text for f in facts if audience in f.line.views)
        if not title:
            # Of what may be said, that itself, and not who may say it when.
            said = (m.group(1) for text in said for m in _QUOTED.finditer(text))
        found = [cleaner.outside(text) for text in said]
        if found:
            lines += [
                "",
                *([f"{title}:"] if title else []),
                *(f"- {inert(t)}" for t in dict.fromkeys(found[-MAX_SECTION:])),
            ]
    if state.update is not None and state.status != "resolved" and "update" in allowed and state.update.line.due:
        lines += ["", f"Next update: {inert(cleaner.outside(state.update.line.due))}"]
    text = "\n".join(lines)
    cleaner.look_at(text)
    return text


def state_to_json(state: State, audience: str, *, channel: str) -> dict[str, Any]:
    """The plain object that `meetings brief --json` prints: the parts of an audience's view, without what is not."""

    def facts(found: Iterable[Fact]) -> list[dict[str, Any]]:
        return [
            {"post": f.post_id, "at": f.at, "by": f.username, "kind": f.line.kind, "text": f.line.text}
            for f in found
            if audience in f.line.views
        ]

    parts = ("impact", "restored", "works", "cause", "hypotheses", "known", "unknown", "decisions", "hold", "cleared")
    return {
        "channel": channel,
        "audience": audience,
        "status": state.status,
        "severity": state.severity,
        "began": state.began,
        "last": state.last,
        "next_update": facts([state.update] if state.update else []),
        **{part: facts(getattr(state, part)) for part in parts},
        "actions": [
            {**facts([a.fact])[0], "owners": list(a.owners), "due": a.due, "status": a.status, "closed_by": a.closed_by}
            for a in state.actions
            if _is_for(a, audience)
        ],
        "timeline": facts(state.timeline),
    }
