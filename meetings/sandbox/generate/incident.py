"""An incident of a generated company: a confidential channel, each post of which belongs in some people's view."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from random import Random
from typing import Any

from meetings.sandbox.generate.grammar import fill
from meetings.sandbox.generate.staff import Member, Place, Staff
from meetings.sandbox.generate.story import ASSIGNED, AUDIENCE, Talk, make_facts
from meetings.sandbox.generate.threads import Said, Thread

# Whose view is whose.
AUDIENCES: Mapping[str, frozenset[str]] = {
    "engineering": frozenset({"engineering", "operations", "security", "data", "hardware"}),
    "customers": frozenset({"support", "sales", "finance", "legal"}),
    "pr": frozenset({"marketing", "content", "legal", "executive"}),
}
EVERY = 13  # weeks
START = 9 * 60
TUESDAY = 1


def weeks_of_incidents(weeks: int) -> tuple[int, ...]:
    """The weeks in which there is one: the last but one, and every quarter of a year before."""
    last = max(0, weeks - 2)
    return tuple(sorted(range(last, -1, -EVERY)))


def incident(staff: Staff, talk: Talk, chance: Random, number: int) -> tuple[Place, list[Thread]]:
    """The channel of an incident and what is said there and outside; each post is a thread of its own."""
    squad = chance.choice(staff.squads)
    acting = _acting(staff, squad.number, chance)
    named = {role: f"@{member.username}" for role, member in acting.items()}
    facts = {**make_facts(talk.grammar, squad, chance), **named}
    course: Mapping[str, Any] = talk.grammar.incident
    inside = list(dict.fromkeys(m.username for m in acting.values()))
    watching = [m.username for m in staff.people if m.squad == squad.number and m.role in AUDIENCES["engineering"]]
    place = Place(
        name=f"incident-{number:02d}",
        display_name=f"Incident {number}: {squad.product} {chance.choice(course['title'])}",
        type="P",
        purpose="Confidential. One voice to the outside: ask before you pass anything on.",
        members=tuple(dict.fromkeys([*inside, *watching])),
    )
    threads = [_post(place, entry, acting, facts, staff, chance) for entry in course["posts"]]
    support = staff.places.get("support")
    if support is not None and acting["support"].username in support.members:
        threads += _outside(course["outside"], support, acting["support"], facts, staff, chance)
    return place, threads


def _acting(staff: Staff, squad: int, chance: Random) -> dict[str, Member]:
    """Who acts for each role; where a company has nobody of it, somebody else does."""
    roles = ("operations", "engineering", "support", "security", "executive", "marketing", "legal", "finance")
    found = {}
    for role in roles:
        of_role = [m for m in staff.people if m.role == role]
        near = [m for m in of_role if m.squad == squad] or of_role
        found[role] = chance.choice(near or [staff.people[0]])
    return found


def _post(
    place: Place,
    entry: Mapping[str, Any],
    acting: Mapping[str, Member],
    facts: Mapping[str, str],
    staff: Staff,
    chance: Random,
) -> Thread:
    by = acting[entry["by"]]
    text = fill(entry["text"], facts, chance)
    readers = staff.members(place)
    wanted = frozenset().union(*(AUDIENCES[name] for name in entry["to"]))
    matters = {m.username: [AUDIENCE] for m in readers if m is not by and m.role in wanted}
    to = None
    if entry["act"] == "assign":
        to = next(m for m in acting.values() if f"@{m.username}" in text)
        if to is not by:
            matters[to.username] = [ASSIGNED, *matters.get(to.username, [])]
    day, minute = divmod(TUESDAY * 24 * 60 + START + entry["after"], 24 * 60)
    said = Said(by=by.username, after=0, text=text, act=entry["act"], matters=matters, to=to.username if to else None)
    return Thread(place=place, day=day, minute=minute, said=(said,), confidential=True)


def _outside(
    entries: list[Mapping[str, Any]],
    place: Place,
    by: Member,
    facts: Mapping[str, str],
    staff: Staff,
    chance: Random,
) -> Iterator[Thread]:
    for entry in entries:
        matters = {m.username: [AUDIENCE] for m in staff.members(place) if m is not by and m.role in {"support"}}
        text = fill(entry["text"], facts, chance)
        said = Said(by=by.username, after=0, text=text, act="info", matters=matters)
        yield Thread(place=place, day=TUESDAY, minute=START + entry["after"], said=(said,))
