"""What a meeting's page shows one reader: what was said, their own summary, and what was corrected, as plain values.

Pure: who may see it was decided before. Nobody else's summary is in it, and what was said in confidence only for those
who were in the call.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any

from meetings.conversation import Conversation, Speaker, Utterance, clock
from meetings.edits import Edit, apply_edits, as_heard, edits_by_utterance, edits_that_fit
from meetings.summary import Bullet, Summary, summary_from_json
from meetings.summary.message import groups as grouped
from meetings.summary.message import opening, remark, said, whose_and_when
from meetings.summary.phrases import Phrases, phrases
from meetings.summary.withheld import in_confidence

UNSURE = 0.5  # a word's probability below which it is marked
LANES = 8  # speakers with a lane and a colour of their own; the others share the last
WIDTH = 1000.0  # of the timeline's picture
WITHHELD = "Said in confidence: stays with those who were there."


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """An utterance as shown: `parts` are pieces of text, each with whether the recogniser was unsure of it.

    `lane` numbers the speaker's colour; `told` names the speaker where it is another than before; `edits` are what
    people changed. A withheld line has no words.
    """

    id: str
    at: str
    start: float
    lane: int
    speaker: str
    told: bool
    parts: tuple[tuple[str, bool], ...]
    edits: tuple[Edit, ...] = ()
    withheld: bool = False

    @property
    def text(self) -> str:
        """The words."""
        return "".join(text for text, _ in self.parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """A speaker: their colour's number, how they were named, and when they speak, as a path of an SVG picture.

    `share` is their part of all talk in percent; `sure` the probability of the name in percent, None of one that
    nobody gave.
    """

    id: str
    name: str
    number: int
    path: str
    minutes: str
    share: int
    named: bool
    sure: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """A bullet as shown: `quoted` when the text is what somebody said; `facts` say whose it is and until when.

    `heard` are the ids of the utterances that it stands on.
    """

    text: str
    quoted: bool
    label: str
    at: str
    start: float
    speaker: str
    facts: str
    why: str
    confidential: bool
    heard: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Bullets under one heading."""

    heading: str
    points: tuple[Point, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Everything the template needs of a meeting."""

    title: str
    day: str
    length: str
    duration: float
    language: str
    headline: str
    opening: str
    groups: tuple[Group, ...]
    marks: tuple[tuple[float, str, str], ...]  # of bullets: where in the picture, seconds as text, what
    lanes: tuple[Lane, ...]
    pictured: tuple[tuple[str, int, str], ...]  # of each colour: whose it is, its number, and the path
    lines: tuple[Line, ...]
    unsure: bool
    edited: int
    summary_language: str


def make_page(
    conversation: Conversation,
    summary: Mapping[str, Any],
    edits: Sequence[Edit],
    *,
    attended: bool,
    zone: tzinfo | None = None,
) -> Page:
    """The page of a meeting for one reader.

    Args:
        conversation: what was said.
        summary: the reader's own, as it is stored; empty if there is none.
        edits: what people changed in its words.
        attended: whether the reader was there.
        zone: of the reader's clock; None: the day is that of where the meeting's time is from.
    """
    heard, conversation = conversation, apply_edits(conversation, edits)
    theirs = summary_from_json(summary) if summary else None
    words = phrases(theirs.language if theirs else "en")
    numbers = _numbers(conversation)
    duration = max(conversation.duration, max((u.end for u in conversation.utterances), default=0.0), 1.0)
    lines = tuple(_lines(heard, conversation, edits, numbers, attended=attended))
    groups = tuple(_groups(theirs, words)) if theirs else ()
    lanes = _lanes(conversation, numbers, duration)
    marks = tuple(
        (round(min(p.start / duration, 1.0) * WIDTH, 1), f"{p.start:.0f}", f"{p.at} {p.text}")
        for g in groups
        for p in g.points
    )
    return Page(
        title=conversation.title or "Call",
        day=_day(conversation.started_at, zone),
        length=clock(duration),
        duration=round(duration, 3),
        language=conversation.language,
        headline=theirs.headline if theirs else "",
        opening=opening(theirs, words, _plain) if theirs else "",
        groups=groups,
        marks=marks,
        lanes=lanes,
        pictured=tuple(_pictured(lanes)),
        lines=lines,
        unsure=any(unsure for line in lines for _, unsure in line.parts),
        edited=sum(bool(line.edits) for line in lines),
        summary_language=theirs.language if theirs else "en",
    )


def _day(text: str | None, zone: tzinfo | None) -> str:
    try:
        when = datetime.fromisoformat(text) if text else None
        when = when.astimezone(zone) if when is not None and when.tzinfo and zone else when
    except (ValueError, OverflowError):
        return ""
    return f"{when:%A}, {when.day} {when:%B %Y}" if when else ""


def _plain(text: str, limit: int) -> str:
    """As it stands: the template makes it harmless."""
    return text if len(text) <= limit else f"{text[: limit - 1].rstrip()}…"


# Bullets


def _groups(summary: Summary, words: Phrases) -> Iterator[Group]:
    for heading, bullets in grouped(summary.bullets):
        if bullets:
            points = tuple(_point(b, summary, words, reasons=heading == "rest") for b in bullets)
            yield Group(heading=words.text("groups", heading), points=points)


def _point(bullet: Bullet, summary: Summary, words: Phrases, *, reasons: bool) -> Point:
    return Point(
        text=said(bullet, words, _plain),
        quoted=bullet.writer == "extract",
        label=words.texts["labels"].get(bullet.kind, "").strip().rstrip(":"),
        at=clock(bullet.start),
        start=round(bullet.start, 1),
        speaker=bullet.speaker,
        facts=", ".join(whose_and_when(bullet, summary, words, _plain)),
        why=remark(bullet, words, _plain, reasons=reasons),
        confidential=bullet.confidential,
        heard=bullet.evidence,
    )


# Speakers


def _numbers(conversation: Conversation) -> dict[str, int]:
    """Each speaker's colour: those who talk most get their own."""
    talk: dict[str, float] = {}
    for u in conversation.utterances:
        talk[u.speaker] = talk.get(u.speaker, 0.0) + max(0.0, u.end - u.start)
    most = sorted(talk, key=lambda s: -talk[s])[: LANES if len(talk) <= LANES else LANES - 1]
    order = {speaker: n for n, speaker in enumerate(s for s in talk if s in most)}
    return {speaker: order.get(speaker, LANES - 1) for speaker in talk}


def _lanes(conversation: Conversation, numbers: Mapping[str, int], duration: float) -> tuple[Lane, ...]:
    spoken: dict[str, list[Utterance]] = {}
    for u in conversation.utterances:
        spoken.setdefault(u.speaker, []).append(u)
    total = sum(max(0.0, u.end - u.start) for u in conversation.utterances) or 1.0
    found = []
    for speaker_id, theirs in sorted(spoken.items(), key=lambda item: (numbers[item[0]], item[1][0].start)):
        speaker: Speaker = conversation.speaker_of(theirs[0])
        seconds = sum(max(0.0, u.end - u.start) for u in theirs)
        found.append(
            Lane(
                id=speaker_id,
                name=speaker.name,
                number=numbers[speaker_id],
                path=_path(theirs, duration),
                minutes=clock(seconds),
                share=round(100 * seconds / total),
                named=speaker.username is not None or speaker.how == "given",
                sure=_percent(speaker.confidence) if speaker.username and speaker.how != "given" else None,
            )
        )
    return tuple(found)


def _percent(probability: float) -> int:
    """Of what nobody said for sure, never all."""
    return min(99, round(100 * probability))


def _pictured(lanes: Sequence[Lane]) -> Iterator[tuple[str, int, str]]:
    """A lane for each colour; those who share one are the others."""
    for number in sorted({lane.number for lane in lanes}):
        theirs = [lane for lane in lanes if lane.number == number]
        yield theirs[0].name if len(theirs) == 1 else "Others", number, "".join(lane.path for lane in theirs)


def _path(spoken: Sequence[Utterance], duration: float) -> str:
    """Boxes where somebody speaks; pauses too short to be seen are closed."""
    scale, seen = WIDTH / duration, 1.0
    boxes: list[list[float]] = []
    for u in sorted(spoken, key=lambda u: u.start):
        left, right = u.start * scale, max(u.end * scale, u.start * scale + seen)
        if boxes and left - boxes[-1][1] < seen:
            boxes[-1][1] = max(boxes[-1][1], right)
        else:
            boxes.append([left, right])
    return "".join(f"M{left:.1f} 0h{right - left:.1f}v10h-{right - left:.1f}z" for left, right in boxes)


# Lines


def _lines(
    heard: Conversation, shown: Conversation, edits: Sequence[Edit], numbers: Mapping[str, int], *, attended: bool
) -> Iterator[Line]:
    changed = edits_by_utterance(edits)
    secret = frozenset() if attended else in_confidence(as_heard(heard, edits), shown)
    before = ""
    for index, (was, u) in enumerate(zip(heard.utterances, shown.utterances, strict=True)):
        hidden = index in secret
        history = edits_that_fit(was, changed.get(u.id, ()))
        # Taken back, it is what was heard again.
        history = () if history and history[-1].text == history[0].before else history
        yield Line(
            id=u.id,
            at=clock(u.start),
            start=round(u.start, 2),
            lane=numbers[u.speaker],
            speaker=shown.speaker_of(u).name,
            told=u.speaker != before,
            parts=() if hidden else parts_of(u),
            edits=() if hidden else history,
            withheld=hidden,
        )
        before = u.speaker


def parts_of(utterance: Utterance) -> tuple[tuple[str, bool], ...]:
    """The words of an utterance, those in a row that the recogniser was equally sure of together."""
    text, at = utterance.text, 0
    found: list[tuple[str, bool]] = []

    def add(piece: str, unsure: bool) -> None:
        if piece and found and found[-1][1] == unsure:
            found[-1] = (found[-1][0] + piece, unsure)
        elif piece:
            found.append((piece, unsure))

    for word in utterance.words:
        said = word.word.strip()
        if not said or word.probability >= UNSURE:
            where = text.find(said, at) if said else -1
            at_end = where + len(said) if where >= 0 else at
            add(text[at:at_end], False)
            at = at_end
            continue
        where = text.find(said, at)
        if where >= 0:
            add(text[at:where], False)
            add(said, True)
            at = where + len(said)
    add(text[at:], False)
    return tuple(found)
