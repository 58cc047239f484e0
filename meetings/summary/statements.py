"""The sentences of a conversation as `Statement`s: what one speaker says in one go, read for what it does.

A sentence may go over several utterances of its speaker, and an utterance may hold many sentences. Owners of tasks are
resolved here, because that needs the turns around a sentence.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from meetings.conversation import Conversation, Speaker, Utterance
from meetings.people.terms import STOPWORDS, terms
from meetings.summary.confidence import Part, confidential_parts
from meetings.summary.consensus import settled
from meetings.summary.kinds import Reading, read_sentence
from meetings.summary.referents import REACH, Before, Referent, find_referent
from meetings.summary.text import clean, is_complete, is_hand_over, sentences

# A sentence goes on over a pause of its speaker of this many seconds at most.
MAX_PAUSE = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Name:
    """How somebody is called in speech, and who that is: `key` is their username, else their speaker id."""

    called: str
    key: str
    shown: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One sentence: where it stands (numbers of utterances), who says it and when (seconds), what it does."""

    index: int
    turns: tuple[int, ...]
    speaker: Speaker
    start: float
    end: float
    raw: str
    text: str
    terms: tuple[str, ...]
    reading: Reading
    owners: tuple[Name, ...]
    mentioned: tuple[Name, ...]
    addressee: Name | None
    confidential: bool
    substantial: bool  # whether it can stand in a summary at all
    referent: Referent | None = None  # what the pronoun that opens it stands for, where that is plain

    @property
    def turn(self) -> int:
        """The utterance in which the sentence begins."""
        return self.turns[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sentence:
    turns: tuple[int, ...]
    start: float
    end: float
    raw: str


def meeting_day(conversation: Conversation) -> date | None:
    """The day of the meeting, in the time zone of `started_at`; None if it says nothing readable."""
    if not conversation.started_at:
        return None
    try:
        return datetime.fromisoformat(conversation.started_at).date()
    except ValueError:
        return None


def known_names(conversation: Conversation, people: Iterable[tuple[str, str, Sequence[str]]]) -> tuple[Name, ...]:
    """How everyone who may be meant is called.

    Args:
        conversation: its speakers are known by their names.
        people: username, name as shown, and ways to be called, of each reader.
    """
    found: dict[str, Name] = {}
    ambiguous: set[str] = set()

    def add(called: str, key: str, shown: str) -> None:
        called = called.lower()
        if len(called) < 3 or called in STOPWORDS or called in ambiguous:
            return
        if called in found and found[called].key != key:
            # Two people called Ana: the first name alone says nothing.
            del found[called]
            ambiguous.add(called)
            return
        found[called] = Name(called=called, key=key, shown=shown)

    readers = set()
    for username, shown, ways in people:
        readers.add(username)
        for way in ways:
            add(way, username, shown)
    for speaker in conversation.speakers:
        if speaker.how == "unknown" or re.match(r"speaker\b", speaker.name, re.IGNORECASE):
            continue
        known = _key_of(found, speaker.name)
        key = speaker.username or known or speaker.id
        add(speaker.name, key, speaker.name)
        # How a reader is called is settled above; others go by their first name.
        if known is None and speaker.username not in readers and len(speaker.name.split()) > 1:
            add(speaker.name.split()[0], key, speaker.name)
    return tuple(found.values())


def _key_of(found: dict[str, Name], name: str) -> str | None:
    known = found.get(name.lower())
    return known.key if known else None


def secret_turns(conversation: Conversation) -> frozenset[int]:
    """Numbers of the utterances in which something was said in confidence, or again; soon done where nothing was.

    They are those of which `build_statements` says so, without reading what each sentence does.
    """
    pieces = _sentences(conversation.utterances)
    secret = _confidential(pieces)
    again = _said_again([frozenset(terms(clean(p.raw))) for p in pieces], secret) if secret else frozenset()
    return frozenset(turn for index in secret | again for turn in pieces[index].turns)


def _confidential(pieces: Sequence[_Sentence]) -> frozenset[int]:
    return confidential_parts(
        [Part(turn=p.turns[0], start=p.start, end=p.end, text=clean(p.raw, opening=False)) for p in pieces]
    )


def build_statements(
    conversation: Conversation, names: Sequence[Name] = (), *, heard: Conversation | None = None
) -> tuple[Statement, ...]:
    """All sentences of a conversation in order.

    Args:
        conversation: what was said, as people corrected it.
        names: how everyone who may be meant is called.
        heard: the same before; what was said in confidence by either stays so. None: nothing was corrected.
    """
    day = meeting_day(conversation)
    called = {n.called: n for n in names}
    pieces = _sentences(conversation.utterances)
    secret = _confidential(pieces)
    before = secret_turns(heard) if heard is not None and heard != conversation else frozenset()
    statements: list[Statement] = []
    recapped = -1
    upgraded: set[int] = set()
    for index, piece in enumerate(pieces):
        text = clean(piece.raw)
        reading = read_sentence(text, names=tuple(called), said_on=day)
        if statements and _announces_decision(statements[-1]) and statements[-1].turn == piece.turns[0]:
            # "Then we decided. The release moves to the tenth.": the second sentence is the decision.
            reading = replace(reading, kind="decision", strength=1.0) if reading.kind != "question" else reading
        if recapped == piece.turns[0] and reading.kind == "decision":
            # Told again in short: worth something only if the first time was missed.
            reading = replace(reading, strength=0.4)
        if _RECAP.search(text):
            recapped = piece.turns[0]
        if reading.kind == "question" and reading.strength >= 0.9 and len(set(terms(text))) <= 2:
            upgraded |= _asked_before(statements)
        speaker = conversation.speaker_of(conversation.utterances[piece.turns[0]])
        statements.append(
            Statement(
                index=index,
                turns=piece.turns,
                speaker=speaker,
                start=piece.start,
                end=piece.end,
                raw=piece.raw,
                text=text,
                terms=tuple(terms(text)),
                reading=reading,
                owners=_owners(reading, speaker, called, conversation, piece),
                mentioned=tuple(n for n in names if re.search(rf"\b{re.escape(n.called)}\b", text, re.IGNORECASE)),
                addressee=called.get((reading.named or "").lower()),
                confidential=index in secret or not before.isdisjoint(piece.turns),
                substantial=_is_substantial(piece.raw, text),
            )
        )
    repeated = _told_again(statements)
    people = [n.shown for n in names]
    agreed = settled(
        statements, [u.speaker for u in conversation.utterances], [u.text for u in conversation.utterances]
    )
    return tuple(
        replace(
            s,
            referent=_referent(statements, s, people),
            reading=_in_context(s, open_question=s.index in upgraded, agreed=agreed.get(s.index)),
            confidential=s.confidential or s.index in repeated,
        )
        for s in statements
    )


def _referent(statements: Sequence[Statement], statement: Statement, people: Sequence[str]) -> Referent | None:
    """What the opening pronoun stands for; what was said in confidence is not told by a bracket elsewhere."""
    if not statement.substantial:
        return None
    near = [s for s in statements[max(0, statement.index - 8) : statement.index] if s.substantial]
    if any(s.confidential != statement.confidential for s in near[-REACH:]):
        return None
    before = [Before(speaker=s.speaker.id, text=s.text) for s in near]
    return find_referent(statement.text, before, statement.speaker.id, people=people)


def _in_context(statement: Statement, *, open_question: bool, agreed: float | None) -> Reading:
    """What a sentence does, given the talk around it."""
    reading = statement.reading
    if open_question:
        return replace(reading, strength=0.9)
    if agreed is not None and reading.kind in {"info", "number"}:
        return replace(reading, kind="decision", strength=agreed)
    return reading


def _told_again(statements: Sequence[Statement]) -> frozenset[int]:
    """Sentences elsewhere that say again what was said in confidence."""
    return _said_again([frozenset(s.terms) for s in statements], {s.index for s in statements if s.confidential})


def _said_again(said: Sequence[frozenset[str]], secret: Collection[int]) -> frozenset[int]:
    """The same by each sentence's terms: three of those of a secret or more, most of the sentence."""
    secrets = [said[index] for index in secret]
    return frozenset(
        index
        for index, mine in enumerate(said)
        if index not in secret and any(len(mine & theirs) >= max(3, 0.6 * len(mine)) for theirs in secrets)
    )


def _asked_before(statements: Sequence[Statement]) -> set[int]:
    """`That's an open question.`: the last question of the three sentences before it is what stays open."""
    found = [s.index for s in statements[-3:] if s.reading.kind == "question" and s.raw.rstrip().endswith("?")]
    return set(found[-1:])


_RECAP = re.compile(
    r"\b(?:let me (?:repeat|recap|sum)|to (?:recap|repeat|sum up|summari[sz]e)|in summary|recap|once (?:more|again))\b",
    re.IGNORECASE,
)


def _announces_decision(statement: Statement) -> bool:
    return statement.reading.kind == "decision" and len(set(statement.terms)) <= 2


def _is_substantial(raw: str, text: str) -> bool:
    return len(text.split()) >= 4 and len(terms(text)) >= 2 and not is_hand_over(raw)


def _owners(
    reading: Reading, speaker: Speaker, called: dict[str, Name], conversation: Conversation, piece: _Sentence
) -> tuple[Name, ...]:
    if reading.kind != "action":
        return ()
    found: dict[str, Name] = {}
    for owner in reading.owners:
        name: Name | None
        if owner == "me":
            name = _as_name(speaker, called)
        elif owner == "you":
            name = _who_accepts(speaker, called, conversation, piece)
        else:
            name = called.get(owner.lower())
        if name is not None:
            found.setdefault(name.key, name)
    return tuple(found.values())


def _as_name(speaker: Speaker, called: dict[str, Name]) -> Name:
    known = called.get(speaker.name.lower())
    key = speaker.username or (known.key if known else speaker.id)
    return Name(called=speaker.name.lower(), key=key, shown=speaker.name)


_ACCEPTS = re.compile(
    r"^\W*(?:yes|yeah|yep|sure|okay|ok|of course|will do|i will|i'll|i can|no problem|absolutely|happy to|"
    r"got it|alright)\b",
    re.IGNORECASE,
)


def _who_accepts(
    speaker: Speaker, called: dict[str, Name], conversation: Conversation, piece: _Sentence
) -> Name | None:
    """`Can you ...?` without a name falls to the next other speaker if they say yes; else nobody knows."""
    after = piece.turns[-1] + 1
    for utterance in conversation.utterances[after : after + 2]:
        if utterance.speaker != speaker.id:
            accepts = _ACCEPTS.match(clean(utterance.text, opening=False))
            return _as_name(conversation.speaker_of(utterance), called) if accepts else None
    return None


def _sentences(utterances: Sequence[Utterance]) -> list[_Sentence]:
    """Cut utterances into sentences and join what an utterance's end cut in two."""
    found: list[_Sentence] = []
    open_speaker: str | None = None
    for turn, utterance in enumerate(utterances):
        pieces = sentences(utterance.text)
        if not pieces:
            continue
        times = _times(utterance, pieces)
        for number, (piece, (start, end)) in enumerate(zip(pieces, times, strict=True)):
            goes_on = (
                number == 0
                and found
                and open_speaker == utterance.speaker
                and found[-1].turns[-1] == turn - 1
                and start - found[-1].end <= MAX_PAUSE
                and len(found[-1].raw.split()) < 40
            )
            if goes_on:
                last = found.pop()
                found.append(_Sentence(turns=(*last.turns, turn), start=last.start, end=end, raw=f"{last.raw} {piece}"))
            else:
                found.append(_Sentence(turns=(turn,), start=start, end=end, raw=piece))
        open_speaker = None if is_complete(pieces[-1]) else utterance.speaker
    return found


def _times(utterance: Utterance, pieces: Sequence[str]) -> list[tuple[float, float]]:
    """Start and end of each sentence: by the words' times if they are known, else by its share of the text."""
    counts = [max(1, len(p.split())) for p in pieces]
    total = sum(counts)
    edges = [0]
    for count in counts:
        edges.append(edges[-1] + count)
    spoken = utterance.words
    if spoken:
        place = [min(len(spoken) - 1, round(e * len(spoken) / total)) for e in edges]
        starts = [spoken[p].start for p in place[:-1]]
        return [(start, end) for start, end in zip(starts, [*starts[1:], utterance.end], strict=True)]
    length = max(0.0, utterance.end - utterance.start)
    return [
        (utterance.start + length * a / total, utterance.start + length * b / total)
        for a, b in itertools.pairwise(edges)
    ]
