"""What goes on at a generated company: storylines with facts that stay the same, and whose business each is.

A storyline is one subject at one product over some weeks: it is opened, moves on, and ends with a decision. Whose
business it is follows from roles and products; that rule is the truth which summaries are measured against.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from meetings.sandbox.generate.grammar import Deck, Grammar, Subject, fill
from meetings.sandbox.generate.staff import Member, Place, Squad, Staff

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday")
PER_SQUAD = 2  # storylines at a time
PER_DEPARTMENT = 1
# Departments with a subject of their own get more of it, as more people are in them.
DEPARTMENT_PEOPLE = 40
# Weeks; so many openings, of two threads and a call a week, has a storyline before it would repeat itself.
LONGEST = 3

_OWN_NUMBERS = frozenset({"info", "ask", "risk", "more"})

# Why something matters to somebody; these count, `side` only touches them.
OWNER, ASSIGNED, MENTIONED, THREAD = "owner", "assigned", "mentioned", "thread"
ROLE, STATED, HIDDEN, EVERYBODY, AUDIENCE = "role", "interest", "hidden interest", "everybody", "audience"


@dataclass(slots=True, kw_only=True)
class Storyline:
    """One subject at one product. `helper` knows it as well as its `owner`; `left` are the weeks it still has.

    `used` are the templates that it has said: a storyline does not repeat itself.
    """

    id: str
    subject: Subject
    squad: Squad
    place: Place
    owner: Member
    helper: Member
    facts: dict[str, str]
    left: int
    opened: bool = False
    decides_in_call: bool = False
    used: set[str] = field(default_factory=set)
    decisions: list[dict[str, str]] = field(default_factory=list)
    actions: list[dict[str, str]] = field(default_factory=list)

    def concerns(self, member: Member) -> bool:
        """Whether it is somebody's business by their role and product; heads answer for all products."""
        same = member.squad is None or member.squad == self.squad.number or member.head
        return same and member.role in self.subject.roles

    def touches(self, member: Member) -> bool:
        """Whether it touches somebody's role without being their business."""
        return member.role in self.subject.side and member.squad in {None, self.squad.number}

    def to_json(self) -> dict[str, Any]:
        """What is known of it, for the truth."""
        return {
            "id": self.id,
            "subject": self.subject.name,
            "product": self.squad.product,
            "channel": self.place.name,
            "owner": self.owner.username,
            "helper": self.helper.username,
            "facts": self.facts,
            "decisions": self.decisions,
            "actions": self.actions,
        }


def make_facts(grammar: Grammar, squad: Squad, chance: Random, *, owner: str = "", helper: str = "") -> dict[str, str]:
    """Facts to fill templates with."""
    words = grammar.words
    hour = chance.randint(6, 15)
    return {
        **make_numbers(chance),
        "product": squad.product,
        "component": chance.choice(squad.components),
        "customer": chance.choice(words["customers"]),
        "version": f"{chance.randint(2, 6)}.{chance.randint(0, 12)}",
        "day": chance.choice(DAYS),
        "rival": chance.choice(words["rivals"]),
        "vendor": chance.choice(words["vendors"]),
        "place": chance.choice(words["places"]),
        "hour": f"{hour}:{chance.randint(10, 59)}",
        "hour2": f"{hour + 2}:{chance.randint(10, 59)}",
        "owner": owner,
        "helper": helper,
    }


def make_numbers(chance: Random) -> dict[str, str]:
    """Numbers to fill templates with: `small` has one digit, `small2` is larger, `pct` a share, `money` an amount."""
    small = chance.randint(3, 9)
    return {
        "big": str(chance.randint(21, 96)),
        "small": str(small),
        "small2": str(small + chance.randint(4, 14)),
        "pct": str(chance.randint(6, 45)),
        "money": f"{chance.randint(11, 480)},{chance.choice(('000', '500'))} euros",
    }


class Stories:
    """The storylines that are on, week by week; ended ones are handed out and forgotten."""

    def __init__(self, grammar: Grammar, staff: Staff, chance: Random) -> None:
        self._grammar = grammar
        self._staff = staff
        self._chance = chance
        self._deck = Deck(chance)
        self._count = 0
        self._running: dict[str, list[Storyline]] = {}

    def week(self, left: int) -> list[Storyline]:
        """The storylines of the next week, each with its weeks left counted down.

        Args:
            left: the weeks that are still to come, this one among them: all must end by then.
        """
        for place, wanted in self._slots():
            running = self._running.setdefault(place.name, [])
            while len(running) < wanted:
                story = self._begin(place, left)
                if story is None:
                    break
                running.append(story)
        found = [story for running in self._running.values() for story in running]
        for story in found:
            story.left -= 1
        return found

    def ended(self) -> Iterator[Storyline]:
        """Storylines that had their last week."""
        for running in self._running.values():
            yield from (s for s in running if s.left <= 0)
            running[:] = [s for s in running if s.left > 0]

    def _slots(self) -> Iterator[tuple[Place, int]]:
        for squad in self._staff.squads:
            yield self._staff.places[squad.channel], PER_SQUAD
        for name in dict.fromkeys(w for s in self._grammar.subjects.values() for w in s.where if w != "squad"):
            place = self._staff.places.get(name)
            if place is not None:
                yield place, PER_DEPARTMENT + len(place.members) // DEPARTMENT_PEOPLE

    def _begin(self, place: Place, left: int) -> Storyline | None:
        chance = self._chance
        squad = next((s for s in self._staff.squads if s.channel == place.name), None)
        where = "squad" if squad else place.name
        members = self._staff.members(place)
        roles = {m.role for m in members}
        kind = squad.kind if squad else ""
        subjects = [
            s
            for s in self._grammar.subjects.values()
            if where in s.where and roles & set(s.roles) and (not squad or not s.kinds or kind in s.kinds)
        ]
        if not subjects or len(members) < 2:
            return None
        by_name = {s.name: s for s in subjects}
        # One deck a channel and choice, so that neither starves.
        subject = by_name[self._deck.next(f"subjects of {place.name}", list(by_name))]
        fitting = [s for s in self._staff.squads if not subject.kinds or s.kind in subject.kinds]
        squad = squad or chance.choice(fitting or self._staff.squads)
        owners = [m for m in members if m.role in subject.roles]
        owner = chance.choice([m for m in owners if m.squad == squad.number] or owners)
        others = [m for m in members if m is not owner]
        near = [m for m in others if m.role in (*subject.roles, *subject.side)]
        helper = chance.choice(near or others)
        self._count += 1
        facts = make_facts(self._grammar, squad, chance, owner=owner.first, helper=helper.first)
        return Storyline(
            id=f"s{self._count:05d}",
            subject=subject,
            squad=squad,
            place=place,
            owner=owner,
            helper=helper,
            facts=facts,
            left=min(left, chance.randint(1, LONGEST)),
            decides_in_call=where == "squad" and chance.random() < 0.5,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """Something to be said: by whom, what it does, and to whom it falls or is put (`to`)."""

    by: Member
    act: str
    text: str
    to: Member | None = None


class Talk:
    """Makes lines of storylines and themes; `call` addresses people by name instead of by their handle."""

    def __init__(self, grammar: Grammar, chance: Random) -> None:
        self.grammar = grammar
        self.chance = chance
        self._deck = Deck(chance)

    def phrase(self, kind: str, facts: Mapping[str, str]) -> str:
        """A small phrase."""
        return fill(self._deck.next(kind, self.grammar.lines(kind)), facts, self.chance)

    def line(self, story: Storyline, act: str, **more: str) -> str | None:
        """A sentence of a storyline that it has not said yet; None if it has said all."""
        template = self._deck.draw(f"{story.subject.name} {act}", story.subject.lines[act], story.used)
        if template is None:
            template = self._deck.draw(f"any {act}", self.grammar.general.get(act, ()), story.used)
        if template is None:
            return None
        story.used.add(template)
        # Side remarks have numbers of their own: not everything at a product is 29 percent.
        numbers = make_numbers(self.chance) if act in _OWN_NUMBERS else {}
        return fill(template, {**story.facts, **numbers, **more}, self.chance)

    def theme(self, name: str, facts: Mapping[str, str]) -> str:
        """A sentence of a theme."""
        template = self._deck.next(f"theme {name}", self.grammar.themes[name].lines)
        return fill(template, {**facts, **make_numbers(self.chance)}, self.chance)

    def link(self, name: str, facts: Mapping[str, str]) -> str:
        """The title of something to read about a theme."""
        return fill(self._deck.next(f"link {name}", self.grammar.themes[name].links), facts, self.chance)

    def course(self, story: Storyline, room: Sequence[Member], *, turns: int, decide: bool, call: bool) -> list[Line]:
        """How a conversation on a storyline goes among those in a room: an opening, some turns, perhaps a decision."""
        chance = self.chance
        owner = story.owner if story.owner in room else self._near(story, room)
        lines = self._said(owner, "open", self.line(story, "more" if story.opened else "open"))
        story.opened = True
        acts = ["info", *chance.choices(["info", "ask", "assign", "risk"], [5, 4, 3, 2], k=max(0, turns - 1))]
        for act in acts:
            lines += self._turn(story, act, room, owner, call=call)
        if decide:
            lines += self._said(owner, "decide", self.line(story, "decide"))
        return lines

    def _turn(self, story: Storyline, act: str, room: Sequence[Member], owner: Member, *, call: bool) -> list[Line]:
        chance = self.chance
        speaker = self._near(story, room)
        if act == "ask":
            return self._asked(story, room, owner, speaker, call=call)
        if act == "assign":
            able = [m for m in room if m is not owner and story.concerns(m)] or [m for m in room if m is not owner]
            to = chance.choice(able or [owner])
            told = self.line(story, "assign", to=_called(to, call=call)) if able else None
            if told is None:
                return []
            return [
                *self._said(owner, "assign", told, to=to),
                *self._said(to, "accept", self.phrase("accept", story.facts)),
            ]
        # Nobody tells of themselves by name.
        other = story.owner if speaker is story.helper else story.helper
        return self._said(speaker, act, self.line(story, act, helper=other.first))

    def _asked(
        self, story: Storyline, room: Sequence[Member], owner: Member, speaker: Member, *, call: bool
    ) -> list[Line]:
        said = self.line(story, "ask")
        if said is None:
            return []
        question, answer = (part.strip() for part in said.split(">>"))
        answer = answer[:1].upper() + answer[1:]
        able = [m for m in (owner, story.helper) if m in room and m.first not in answer]
        knows = next(iter(able), owner)
        if knows is speaker:
            others = [m for m in room if m is not knows]
            speaker = self.chance.choice([m for m in others if story.touches(m) or story.concerns(m)] or others)
        named = self.chance.random() < 0.4
        asked = f"{_called(knows, call=call)}, {question[:1].lower()}{question[1:]}" if named else question
        return [
            *self._said(speaker, "ask", asked, to=knows if named else None),
            *self._said(knows, "answer", answer),
        ]

    def _near(self, story: Storyline, room: Sequence[Member]) -> Member:
        """Somebody who has a say: those whose business it is, now and then those it touches."""
        concerned = [m for m in room if story.concerns(m) or m is story.helper]
        touched = [m for m in room if story.touches(m)]
        pool = touched if touched and self.chance.random() < 0.25 else concerned
        return self.chance.choice(pool or list(room))

    def _said(self, by: Member, act: str, text: str | None, to: Member | None = None) -> list[Line]:
        """A line, if there is something to say."""
        return [] if text is None else [Line(by=by, act=act, text=text, to=to)]


def _called(member: Member, *, call: bool) -> str:
    return member.first if call else f"@{member.username}"


def why(
    line: Line, story: Storyline, readers: Iterable[Member], *, spoke: Iterable[str] = ()
) -> tuple[dict[str, list[str]], list[str]]:
    """To whom a line of a storyline matters and why, and whom it only touches; nobody is told their own words.

    Args:
        line: what is said.
        story: what it belongs to.
        readers: who may read it.
        spoke: usernames of those who wrote in the thread before.
    """
    matters: dict[str, list[str]] = {}
    side: list[str] = []
    before = set(spoke)
    for reader in readers:
        if reader is line.by:
            continue
        reasons = []
        if line.to is reader:
            reasons.append(ASSIGNED if line.act == "assign" else MENTIONED)
        if line.act != "thanks":
            reasons += [OWNER] if reader in (story.owner, story.helper) else []
            reasons += [ROLE] if story.concerns(reader) else []
            reasons += [THREAD] if reader.username in before else []
        if reasons:
            matters[reader.username] = reasons
        elif story.touches(reader):
            side.append(reader.username)
    return matters, side


def why_theme(theme: str, by: Member | None, readers: Iterable[Member]) -> dict[str, list[str]]:
    """To whom a theme matters: those who said so, and those whose behaviour shows it."""
    return {
        r.username: [STATED if theme in r.stated else HIDDEN]
        for r in readers
        if r is not by and theme in (*r.stated, *r.hidden)
    }
