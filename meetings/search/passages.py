"""Passages: what search finds. A few utterances in a row, of about sixty words, with what their sentences do.

A passage is long enough to be about something and short enough to be read at a glance. It never reaches over a silence
of some length, for what comes after one is often about something else, and what was said in confidence never stands in
one passage with what was not: a passage is shown whole or not at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from meetings.conversation import Conversation, Utterance
from meetings.people.terms import words
from meetings.search.query import composed
from meetings.summary.statements import build_statements, known_names

WORDS = 60  # a passage that has so many is complete
LONGEST = 120  # words of an utterance that stand in one passage; a longer one goes over several
SILENCE = 20.0  # seconds without a word that end a passage
# What a sentence does and how surely, for it to count: a wrong "decision" costs more than one that is missed.
SURE = 0.7
KINDS = ("decision", "action", "risk", "question", "number")


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """An utterance, or a piece of a long one, in a passage; times in seconds from the recording's start."""

    id: str
    speaker: str
    start: float
    end: float
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """Utterances in a row. `kinds` are of `KINDS`; `confidential` is for those alone who were there."""

    parts: tuple[Part, ...]
    kinds: frozenset[str] = frozenset()
    confidential: bool = False

    @property
    def start(self) -> float:
        """When it begins, in seconds."""
        return self.parts[0].start

    @property
    def text(self) -> str:
        """What is said in it, by whomever."""
        return " ".join(p.text for p in self.parts)

    @property
    def utterances(self) -> tuple[str, ...]:
        """Ids, each once."""
        return tuple(dict.fromkeys(p.id for p in self.parts))

    @property
    def speakers(self) -> tuple[str, ...]:
        """Ids, each once."""
        return tuple(dict.fromkeys(p.speaker for p in self.parts))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Read:
    part: Part
    words: int
    kinds: frozenset[str]
    confidential: bool


def make_passages(conversation: Conversation, *, heard: Conversation | None = None) -> tuple[Passage, ...]:
    """The passages of a conversation in order; every utterance with a word in it stands in one.

    Args:
        conversation: what was said, as people corrected it.
        heard: the same before; what was said in confidence by either stays so. None: nothing was corrected.
    """
    kinds, secret = _readings(conversation, heard)
    read = [
        _Read(part=part, words=len(words(part.text)), kinds=kinds[at], confidential=secret[at])
        for at, utterance in enumerate(conversation.utterances)
        for part in _parts(utterance)
    ]
    return tuple(_passage(group) for group in _groups(read))


def _readings(conversation: Conversation, heard: Conversation | None) -> tuple[list[frozenset[str]], list[bool]]:
    """What the sentences of each utterance do, and whether one of them was said in confidence."""
    count = len(conversation.utterances)
    kinds: list[set[str]] = [set() for _ in range(count)]
    secret = [False] * count
    for statement in build_statements(conversation, known_names(conversation, []), heard=heard):
        reading = statement.reading
        if reading.kind in KINDS and (reading.strength >= SURE or reading.kind == "number"):
            kinds[statement.turn].add(reading.kind)
        for turn in statement.turns:
            secret[turn] = secret[turn] or statement.confidential
    return [frozenset(k) for k in kinds], secret


def _parts(utterance: Utterance) -> Iterator[Part]:
    text = composed(utterance.text)
    pieces = _cut(text) if len(text) > 3 * LONGEST else [text]
    if not words(text):
        return
    length = max(1, sum(len(p) for p in pieces))
    begin = utterance.start
    for piece in pieces:
        # Words have times where a recogniser wrote them; a share of the utterance is near enough to jump to.
        end = begin + (utterance.end - utterance.start) * len(piece) / length
        yield Part(id=utterance.id, speaker=utterance.speaker, start=begin, end=end, text=piece)
        begin = end


def _cut(text: str) -> list[str]:
    """A text in pieces of at most `LONGEST` words, and of as many characters as those would have."""
    pieces: list[list[str]] = [[]]
    length = 0
    for word in text.split():
        for chunk in (word[i : i + 400] for i in range(0, len(word), 400)):
            if len(pieces[-1]) >= LONGEST or length + len(chunk) > 12 * LONGEST:
                pieces.append([])
                length = 0
            pieces[-1].append(chunk)
            length += len(chunk) + 1
    return [" ".join(piece) for piece in pieces if piece]


def _groups(read: Sequence[_Read]) -> Iterator[list[_Read]]:
    group: list[_Read] = []
    count = 0
    for one in read:
        full = count >= WORDS or count + one.words > 2 * WORDS
        silent = bool(group) and one.part.start - group[-1].part.end > SILENCE
        if group and (full or silent or group[-1].confidential != one.confidential):
            yield group
            group, count = [], 0
        group.append(one)
        count += one.words
    if group:
        yield group


def _passage(group: Iterable[_Read]) -> Passage:
    read = list(group)
    return Passage(
        parts=tuple(_joined([r.part for r in read])),
        kinds=frozenset().union(*(r.kinds for r in read)),
        confidential=read[0].confidential,
    )


def _joined(parts: Sequence[Part]) -> Iterator[Part]:
    """Pieces of one utterance that came into the same passage, as one."""
    last: Part | None = None
    for part in parts:
        if last is not None and part.id == last.id:
            last = replace(last, end=part.end, text=f"{last.text} {part.text}")
            continue
        if last is not None:
            yield last
        last = part
    if last is not None:
        yield last
