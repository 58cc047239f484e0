"""Search: the meetings that a query is about, the best first, each with the moments that tell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from meetings.llm import TextEmbedder
from meetings.people.terms import stem
from meetings.search.index import Index
from meetings.search.passages import Passage
from meetings.search.query import Query, parse_query
from meetings.search.ranking import Mask, Ranked, rank, rarity
from meetings.search.readers import Reader, readable
from meetings.search.shelf import MOST_SPEAKERS, Card, Shelf

MEETINGS = 10
MOMENTS = 3  # of a meeting
SNIPPET = 32  # words


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """What is looked at: of a channel (its id), since a moment (ISO 8601), where somebody speaks (name or username)."""

    channel_id: str = ""
    since: datetime | None = None
    speaker: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """A passage that was found: `text` as it was said, `marks` where the words of the query stand in it."""

    start: float
    utterances: tuple[str, ...]
    speakers: tuple[str, ...]
    text: str
    marks: tuple[tuple[int, int], ...]
    kinds: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A meeting, and its moments in the order in which they were found."""

    card: Card
    moments: tuple[Moment, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """A passage that a query is about, with the card of its meeting."""

    card: Card
    passage: Passage
    score: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """What was looked at: how many meetings, the days of the first and the last (ISO; empty where none is known).

    `words` are what was looked for, `rarity` how rare each is in what was looked at: 1 is said by nobody.
    """

    meetings: int
    since: str
    until: str
    words: tuple[str, ...]
    rarity: tuple[float, ...]

    @property
    def unsaid(self) -> tuple[str, ...]:
        """Words that nobody said."""
        return tuple(w for w, rare in zip(self.words, self.rarity, strict=True) if rare == 1.0)


def search(
    index: Index,
    text: str,
    reader: Reader,
    *,
    embedder: TextEmbedder | None,
    filters: Filters | None = None,
    limit: int = MEETINGS,
) -> tuple[Found, ...]:
    """The meetings that a text is about, of those that the reader may read.

    Args:
        index: the index.
        text: what somebody typed: words, "phrases", beginnings*.
        reader: whose search it is.
        embedder: sentence embeddings; None: by words alone.
        filters: what else to keep to.
        limit: meetings at most.
    """
    query = parse_query(text)
    with index.reading() as shelf:
        ranked = find_rows(index, shelf, query, reader, embedder=embedder, filters=filters)
        return _grouped(index, shelf, ranked, query, limit)


def _grouped(index: Index, shelf: Shelf, ranked: Ranked, query: Query, limit: int) -> tuple[Found, ...]:
    chosen: dict[int, list[int]] = {}
    for row in ranked.rows.tolist():
        meeting = _meeting_of(shelf, row)
        if meeting in chosen:
            if len(chosen[meeting]) < MOMENTS:
                chosen[meeting].append(row)
        elif len(chosen) < limit:
            chosen[meeting] = [row]
    found = []
    for meeting, rows in chosen.items():
        card = shelf.cards[meeting]
        numbers = [row - int(shelf.first[meeting]) for row in rows]
        passages = index.passages(card.id, numbers)
        moments = tuple(_moment(card, passages[n], query) for n in numbers if n in passages)
        if moments:
            found.append(Found(card=card, moments=moments))
    return tuple(found)


def find_hits(
    index: Index, query: Query, reader: Reader, *, embedder: TextEmbedder, filters: Filters | None = None, limit: int
) -> tuple[Hit, ...]:
    """The passages that a query is about, the best first."""
    hits = []
    with index.reading() as shelf:
        ranked = find_rows(index, shelf, query, reader, embedder=embedder, filters=filters)
        for row, score in zip(ranked.rows[:limit].tolist(), ranked.scores[:limit].tolist(), strict=True):
            meeting = _meeting_of(shelf, row)
            card = shelf.cards[meeting]
            number = row - int(shelf.first[meeting])
            hits += [Hit(card=card, passage=p, score=score) for p in index.passages(card.id, [number]).values()]
    return tuple(hits)


def find_rows(
    index: Index, shelf: Shelf, query: Query, reader: Reader, *, embedder: TextEmbedder | None, filters: Filters | None
) -> Ranked:
    """The passages' rows; the reader's rights and the filters come before anything is looked up."""
    mask = _looked_at(shelf, reader, filters)
    if query.empty or not mask.any():
        return Ranked(rows=np.zeros(0, np.int64), scores=np.zeros(0, np.float32))
    vector = None if embedder is None else embedder.embed([query.text.replace('"', " ").replace("*", "")])[0]
    return rank(index, shelf, query, vector, mask)


def look_over(index: Index, words: Sequence[str], reader: Reader, filters: Filters | None = None) -> Looked:
    """What a reader's search looks at, and how rare some words are in it."""
    with index.reading() as shelf:
        mask = _looked_at(shelf, reader, filters)
        # A meeting has at least one passage, or there is nothing of it to be looked at.
        here = [c for at, c in enumerate(shelf.cards) if mask[int(shelf.first[at]) : int(shelf.first[at + 1])].any()]
        rare = tuple(rarity(index, shelf, stem(w), mask) for w in words)
    days = sorted(c.started_at[:10] for c in here if c.started_at)
    return Looked(
        meetings=len(here),
        since=days[0] if days else "",
        until=days[-1] if days else "",
        words=tuple(words),
        rarity=rare,
    )


def _looked_at(shelf: Shelf, reader: Reader, filters: Filters | None) -> Mask:
    mask = readable(shelf, reader)
    return mask if filters is None else mask & _kept(shelf, filters)


def _kept(shelf: Shelf, filters: Filters) -> Mask:
    mask = np.zeros(len(shelf.lengths), dtype=np.bool_)
    for at, card in enumerate(shelf.cards):
        if filters.channel_id and card.channel_id != filters.channel_id:
            continue
        if filters.since is not None and not _is_since(card.started_at, filters.since):
            continue
        rows = slice(int(shelf.first[at]), int(shelf.first[at + 1]))
        mask[rows] = True if not filters.speaker else (shelf.who[rows] & _bits(card, filters.speaker)) != 0
    return mask


def _bits(card: Card, speaker: str) -> np.uint64:
    """The speakers of a meeting who are called so: by username, whole name or one of its parts."""
    wanted = speaker.removeprefix("@").casefold()
    bits = 0
    for at, (_, name, username) in enumerate(card.speakers):
        if wanted in {username.casefold(), name.casefold(), *name.casefold().split()} - {""}:
            bits |= 1 << min(at, MOST_SPEAKERS)
    return np.uint64(bits)


def _is_since(started_at: str, since: datetime) -> bool:
    """Whether a meeting began then or later; one without a readable time did not."""
    try:
        began = datetime.fromisoformat(started_at)
    except ValueError:
        return False
    return (began if began.tzinfo else began.astimezone()) >= since


def _meeting_of(shelf: Shelf, row: int) -> int:
    return int(np.searchsorted(shelf.first, row, side="right")) - 1


def _moment(card: Card, passage: Passage, query: Query) -> Moment:
    """The part of a passage where the query's words are thickest, or its beginning."""
    marked = [query.marks(part.text) for part in passage.parts]
    best = max(range(len(marked)), key=lambda i: (len({passage.parts[i].text[b:e].lower() for b, e in marked[i]}), -i))
    part = passage.parts[best]
    text, marks = _window(part.text, marked[best])
    return Moment(
        start=part.start,
        utterances=passage.utterances,
        speakers=tuple(card.name_of(s) for s in dict.fromkeys((part.speaker, *passage.speakers))),
        text=text,
        marks=marks,
        kinds=tuple(sorted(passage.kinds)),
    )


def _window(text: str, marks: Sequence[tuple[int, int]]) -> tuple[str, tuple[tuple[int, int], ...]]:
    """At most `SNIPPET` words of a text, those with most marks; what was left out shows as an ellipsis."""
    spans = []
    at = 0
    for word in text.split():
        at = text.index(word, at)
        spans.append((at, at + len(word)))
        at += len(word)
    if len(spans) <= SNIPPET:
        return text, tuple(marks)
    first = 0
    if marks:
        inside = [sum(b >= spans[i][0] and e <= spans[i + SNIPPET - 1][1] for b, e in marks)
                  for i in range(len(spans) - SNIPPET + 1)]  # fmt: skip
        most = [i for i, n in enumerate(inside) if n == max(inside)]
        first = most[len(most) // 3]
    begin, end = spans[first][0], spans[first + SNIPPET - 1][1]
    head, tail = "… " if first else "", " …" if first + SNIPPET < len(spans) else ""
    moved = tuple((b - begin + len(head), e - begin + len(head)) for b, e in marks if b >= begin and e <= end)
    return head + text[begin:end] + tail, moved
