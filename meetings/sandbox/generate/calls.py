"""Calls of a generated company: the weekly one of each squad, as a conversation with its truth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from meetings.conversation import Conversation, Speaker, Utterance
from meetings.sandbox.generate.staff import Member, Place, Squad, Staff
from meetings.sandbox.generate.story import Line, Storyline, Talk, make_facts, why, why_theme
from meetings.sandbox.generate.threads import Said

WORDS_A_SECOND = 2.6
PAUSE = 0.6  # seconds
PRESENT = 0.75  # of a squad
MOST = 9
FILLER = 0.3


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoken:
    """An utterance: `said` as a post would be, `story` the storyline it belongs to."""

    said: Said
    story: Storyline | None
    theme: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A call: what was said, by storyline, and where."""

    place: Place
    day: int
    minute: int
    conversation: Conversation
    spoken: tuple[Spoken, ...]


def hold_call(
    staff: Staff,
    squad: Squad,
    stories: Sequence[Storyline],
    talk: Talk,
    chance: Random,
    *,
    name: str,
    started_at: str,
    day: int,
    minute: int,
) -> Call | None:
    """The weekly call of a squad on its storylines; None where there is nobody to talk to.

    Args:
        staff: the company.
        squad: whose call it is.
        stories: what is on in the squad.
        talk: makes the lines.
        chance: decides who is there and who says what.
        name: the call's id.
        started_at: when it began, ISO 8601.
        day: the day of the week, 0 is Monday.
        minute: minute of that day in UTC.
    """
    place = staff.places[squad.channel]
    readers = staff.members(place)
    if len(readers) < 2:
        return None
    owners = [s.owner for s in stories if s.owner in readers]
    there = [m for m in readers if m in owners or chance.random() < PRESENT][:MOST]
    room = there if len(there) > 1 else readers[:2]
    spoken = _Room(room, readers, squad, talk, chance).run(stories)
    return Call(
        place=place,
        day=day,
        minute=minute,
        conversation=_conversation(spoken, room, name=name, title=f"{squad.product} weekly", started_at=started_at),
        spoken=tuple(spoken),
    )


class _Room:
    """People in a call."""

    def __init__(
        self, room: Sequence[Member], readers: Sequence[Member], squad: Squad, talk: Talk, chance: Random
    ) -> None:
        self._room = room
        self._readers = readers
        self._squad = squad
        self._talk = talk
        self._chance = chance
        self._facts = make_facts(talk.grammar, squad, chance)
        self._proper = _proper_names(talk.grammar.words, room)

    def run(self, stories: Sequence[Storyline]) -> list[Spoken]:
        """The whole call: greetings, one storyline after the other, now and then something else, goodbye."""
        chance = self._chance
        spoken = [self._aside("opening") for _ in range(chance.randint(2, 4))]
        for story in stories:
            last = story.left <= 0 and story.decides_in_call
            lines = self._talk.course(story, self._room, turns=chance.randint(3, 6), decide=last, call=True)
            spoken += [self._told(line, story) for line in lines]
            if chance.random() < 0.3:
                spoken.append(self._aside("asides"))
            if chance.random() < 0.4:
                spoken += self._on_theme()
        return [*spoken, *(self._aside("closing") for _ in range(2))]

    def _told(self, line: Line, story: Storyline) -> Spoken:
        matters, side = why(line, story, self._readers)
        said = Said(
            by=line.by.username,
            after=0,
            text=self._spoken(line.text),
            act=line.act,
            matters=matters,
            side=side,
            to=line.to.username if line.to else None,
        )
        return Spoken(said=said, story=story)

    def _on_theme(self) -> list[Spoken]:
        theme = self._chance.choice(list(self._talk.grammar.themes))
        keen = [m for m in self._room if theme in (*m.stated, *m.hidden)] or self._room
        found = []
        for _ in range(self._chance.randint(1, 3)):
            by = self._chance.choice(keen)
            said = Said(
                by=by.username,
                after=0,
                text=self._spoken(self._talk.theme(theme, self._facts)),
                act="theme",
                matters=why_theme(theme, by, self._readers),
            )
            found.append(Spoken(said=said, story=None, theme=theme))
        return found

    def _aside(self, kind: str) -> Spoken:
        by = self._chance.choice(self._room)
        said = Said(by=by.username, after=0, text=self._talk.phrase(kind, self._facts), act="chat")
        return Spoken(said=said, story=None)

    def _spoken(self, text: str) -> str:
        """As it is said aloud: now and then with a word before it."""
        if self._chance.random() >= FILLER:
            return text
        filler = self._chance.choice(self._talk.grammar.words["fillers"])
        kept = text.split()[0].strip(",:") in self._proper
        return f"{filler}, {text if kept else text[:1].lower() + text[1:]}"


def _proper_names(words: Mapping[str, Any], room: Sequence[Member]) -> frozenset[str]:
    """First words that keep their capital inside a sentence."""
    listed = [n for kind in ("products", "customers", "rivals", "vendors", "places") for n in words[kind]]
    ours = ("I", "I'll", "CO2", "LoRa", "German", "Legionella", "A/B", "PDF")
    return frozenset([n.split()[0] for n in listed] + [m.first for m in room] + list(ours))


def _conversation(
    spoken: Sequence[Spoken], room: Sequence[Member], *, name: str, title: str, started_at: str
) -> Conversation:
    speakers = {
        m.username: Speaker(id=f"S{n}", name=m.name, username=m.username, confidence=1.0, how="given")
        for n, m in enumerate(room, start=1)
    }
    utterances = []
    at = 1.0
    for number, one in enumerate(spoken):
        end = at + max(1.0, len(one.said.text.split()) / WORDS_A_SECOND)
        speaker = speakers[one.said.by].id
        utterances.append(
            Utterance(id=f"u{number}", speaker=speaker, start=round(at, 2), end=round(end, 2), text=one.said.text)
        )
        at = end + PAUSE
    return Conversation(
        id=name,
        title=title,
        language="en",
        duration=round(at, 2),
        started_at=started_at,
        participants=tuple(speakers),
        speakers=tuple(speakers.values()),
        utterances=tuple(utterances),
    )
