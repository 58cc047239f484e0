"""A meeting laid out for reading, apart from any file format: what Markdown, HTML, PDF and DOCX all show.

All text in here is plain (`meetings.exports.text`) and in no markup; each format escapes it in its own way.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from meetings.conversation import Conversation, Utterance
from meetings.exports.meeting import Meeting
from meetings.exports.text import plain
from meetings.summary import Summary
from meetings.summary.message import day_of, groups, notes, opening, remark, said, whose_and_when
from meetings.summary.phrases import Phrases, phrases

# Probability of a word below which it is marked: more often wrong than right.
UNSURE = 0.5
# Characters after the last word within which the next is looked for; farther on it is another one.
NEAR = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A part of what was said. `sure` is the recogniser's probability in [0, 1] if it is below `UNSURE`, else None."""

    text: str
    sure: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """One utterance; `speaker` is empty where the one before has the same. `start` is in seconds."""

    speaker: str
    start: float
    pieces: tuple[Piece, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One bullet: `label` before it (`Risk: `), `facts` (whose, until when) and `remark` (why, or in confidence).

    `passage` is the number of the passage that it stands on, None where the transcript has none.
    """

    label: str
    text: str
    speaker: str
    start: float
    passage: int | None
    facts: tuple[str, ...]
    remark: str
    confidential: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Bullets under a heading."""

    heading: str
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """A document about one meeting; without `reader` it is the transcript alone. `link` leads to the recording."""

    words: Phrases
    title: str
    facts: tuple[str, ...]
    participants: tuple[str, ...]
    link: str | None
    reader: str
    opening: str
    headline: str
    groups: tuple[Group, ...]
    left_out: str
    passages: tuple[Passage, ...]
    notes: str

    @property
    def linked(self) -> frozenset[int]:
        """Numbers of the passages that bullets stand on."""
        return frozenset(n for g in self.groups for line in g.lines if (n := line.passage) is not None)

    @property
    def language(self) -> str:
        """That of headings and notes, an ISO 639-1 code."""
        return self.words.language

    def word(self, part: str) -> str:
        """A heading of the document's own."""
        return self.words.text("paper", part)


def lay_out(meeting: Meeting, username: str | None = None) -> Paper:
    """The document of a meeting, with the summary of one reader or with none.

    Raises:
        SaveError: there is no summary of theirs.
    """
    summary = meeting.summary_of(username) if username else None
    conversation = meeting.conversation
    words = phrases(summary.language if summary else "en")
    passages = tuple(_passages(conversation))
    told = notes(summary, conversation, words, _shown, heard_by=meeting.heard_by, answerable=False)
    if any(p.sure is not None for passage in passages for p in passage.pieces):
        told.insert(len(told) - 1, words.text("paper", "unsure"))
    made = " · ".join(told)
    return Paper(
        words=words,
        title=plain(conversation.title, 200) or words.text("call"),
        facts=tuple(_facts(conversation, words)),
        participants=_participants(meeting),
        link=meeting.link,
        reader=", ".join(plain(t, 100) for t in (summary.name, summary.position) if t.strip()) if summary else "",
        opening=opening(summary, words, _shown) if summary and summary.bullets else "",
        headline=plain(summary.headline, 300) if summary else "",
        groups=tuple(_groups(summary, words, conversation)) if summary else (),
        left_out=_left_out(summary.left_out, words) if summary else "",
        passages=passages,
        notes=f"{made[:1].upper()}{made[1:]}.",
    )


def pieces(utterance: Utterance) -> tuple[Piece, ...]:
    """What was said, in full and in order, with the words that the recogniser is unsure of apart.

    Words are looked for in the text one after the other; what a human wrote into it since has no probability.
    """
    text = plain(utterance.text)
    found: list[Piece] = []
    done = at = 0
    for word in utterance.words:
        if not (token := plain(word.word)):
            continue
        if (begins := text.find(token, at, at + NEAR + len(token))) < 0:
            continue
        at = begins + len(token)
        if word.probability >= UNSURE:
            continue
        if begins > done:
            found.append(Piece(text=text[done:begins]))
        found.append(Piece(text=token, sure=max(0.0, word.probability)))
        done = at
    if done < len(text):
        found.append(Piece(text=text[done:]))
    return tuple(found)


def _passages(conversation: Conversation) -> Iterator[Passage]:
    last = None
    for utterance in conversation.utterances:
        name = plain(conversation.speaker_of(utterance).name, 100) or utterance.speaker
        shown = "" if utterance.speaker == last else name
        last = utterance.speaker
        yield Passage(speaker=shown, start=utterance.start, pieces=pieces(utterance))


def _facts(conversation: Conversation, words: Phrases) -> Iterator[str]:
    if day := day_of(conversation.started_at):
        yield words.day(day, year=True)
    if conversation.duration >= 1:
        yield words.length(conversation.duration)


def _participants(meeting: Meeting) -> tuple[str, ...]:
    """Who was there by the call's own list, then whoever else is heard by name."""
    speakers = meeting.conversation.speakers
    names = {s.username: s.name for s in meeting.summaries} | {s.username: s.name for s in speakers if s.username}
    heard = {u.speaker for u in meeting.conversation.utterances}
    others = (s.name for s in speakers if s.id in heard and s.how != "unknown")
    shown = (plain(n, 100) for n in (*(names.get(p, p) for p in meeting.conversation.participants), *others))
    return tuple(dict.fromkeys(n for n in shown if n))


def _groups(summary: Summary, words: Phrases, conversation: Conversation) -> Iterator[Group]:
    numbers = {u.id: n for n, u in enumerate(conversation.utterances)}
    for key, bullets in groups(summary.bullets):
        lines = tuple(
            Line(
                label=words.texts["labels"].get(b.kind, ""),
                text=said(b, words, _shown),
                speaker=plain(b.speaker, 100),
                start=b.start,
                passage=next((numbers[e] for e in b.evidence if e in numbers), None),
                facts=tuple(whose_and_when(b, summary, words, _shown)),
                remark=remark(b, words, _shown, reasons=key == "rest"),
                confidential=b.confidential,
            )
            for b in bullets
        )
        if lines:
            yield Group(heading=words.text("groups", key), lines=lines)


def _left_out(count: int, words: Phrases) -> str:
    if not count:
        return ""
    return words.filled("left_out", "one" if count == 1 else "many", words.text("recording"), n=count)


def _shown(text: str, limit: int) -> str:
    return plain(text, limit)
