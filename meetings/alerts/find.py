"""Which of what was written somebody is told of: pure, so that it can be measured and tried out.

What is one's own, what names one (Mattermost says so by itself) and what is written in a thread that one takes part in
is no alert; nor is small talk. Of a thread one sentence stands for the rest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from meetings.alerts.matching import Background, Passage, Phrases, embed_passages
from meetings.channels.links import find_links
from meetings.channels.rank import names_in, plain_words
from meetings.interests import Interest, Moment, Wants
from meetings.llm import TextEmbedder
from meetings.people.terms import terms
from meetings.summary.kinds import read_sentence
from meetings.summary.text import clean, sentences

MAX_TEXT = 2_000  # characters of a post that are looked at
MAX_SENTENCES = 12  # of one post
BEFORE = 2  # sentences of a call that stand before one
# What a sentence does changes how well it has to fit: small talk better, what moves things less well.
WORTH: Mapping[str, float] = {"decision": 0.02, "risk": 0.01, "action": 0.0, "number": 0.0, "question": -0.01}
QUIET, QUIET_COST = 0.25, 0.03


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """Something written or said: where, by whom (user id), and what was written before it in its thread.

    `people` are the user ids of who wrote in the thread so far; `parts` are its sentences, which a call has already.
    """

    post: str
    thread: str
    channel_id: str
    channel: str
    author: str
    text: str
    before: str = ""
    people: frozenset[str] = frozenset()
    parts: tuple[tuple[int, str], ...] = ()
    call: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """Something for somebody: where, because of which interest, and how well it fits; the words, and what they do."""

    user_id: str
    interest: Interest
    moment: Moment
    kind: str
    text: str = ""


def parts_of(text: str, names: Mapping[str, str]) -> tuple[tuple[int, str], ...]:
    """The sentences of a post that say something, by their number; of a link its title.

    Args:
        text: the post.
        names: names as shown by username.
    """
    links, rest = find_links(text[:MAX_TEXT])
    if links and links[0].title and len(terms(rest)) < 3:
        return ((0, links[0].title),)
    found = enumerate(sentences(plain_words(text[:MAX_TEXT], names)))
    return tuple((n, s) for n, s in found if len(s.split()) >= 4 and len(set(terms(s))) >= 2)[:MAX_SENTENCES]


class Finder:
    """Finds what is for whom.

    Args:
        embedder: sentence embeddings.
        background: what is usually written; grows with what is looked at.
    """

    def __init__(self, embedder: TextEmbedder, background: Background | None = None) -> None:
        self._embedder = embedder
        self.background = background or Background(embedder)
        self._phrases: Phrases | None = None

    def learn(self, notes: Sequence[Note]) -> None:
        """See what is usually written here, without looking for anything."""
        passages = [p for note in notes for p in _passages(note)]
        self.background.add(passages, *embed_passages(passages, self._embedder))

    def find(self, notes: Sequence[Note], everybody: Sequence[Wants], names: Mapping[str, str]) -> list[Hit]:
        """What is for whom, in order of the notes; of a thread what fits each person best comes first.

        Args:
            notes: what is new, oldest first.
            everybody: who wants to hear of what.
            names: usernames by user id.
        """
        asked = {i.text for w in everybody if not w.paused for i in w.interests}
        placed = [(note, place) for note in notes for place in range(len(note.parts))]
        if not placed:
            return []
        passages = [p for note in notes for p in _passages(note)]
        vectors, around = embed_passages(passages, self._embedder)
        hits: list[Hit] = []
        if asked:
            if self._phrases is None or set(self._phrases.texts) != asked:
                self._phrases = Phrases(sorted(asked), self._embedder, self.background)
            phrases = self._phrases
            place_of = {text: n for n, text in enumerate(phrases.texts)}
            least = min(w.bar(i) for w in everybody for i in w.interests) - 0.05
            scores = phrases.scores(passages, vectors, around, least=least)
            kinds = [_kind(passage.sentence) for passage in passages]
            scores = np.clip(scores + np.array([worth for _, worth in kinds], dtype=np.float32)[:, None], 0.0, 1.0)
            for wants in everybody:
                hits += self._for(wants, placed, scores, [k for k, _ in kinds], place_of, names)
        self.background.add(passages, vectors, around)
        return hits

    def _for(
        self,
        wants: Wants,
        placed: Sequence[tuple[Note, int]],
        scores: np.ndarray[tuple[int, ...], np.dtype[np.float32]],
        kinds: Sequence[str],
        place_of: Mapping[str, int],
        names: Mapping[str, str],
    ) -> list[Hit]:
        if wants.paused or not wants.interests:
            return []
        columns = np.array([place_of[i.text] for i in wants.interests])
        bars = np.array([wants.bar(i) for i in wants.interests])
        over = scores[:, columns] - bars
        found: dict[tuple[str, str], list[Hit]] = {}
        for row in np.nonzero((over >= 0).any(axis=1))[0].tolist():
            note, part = placed[row]
            if not _is_news(note, wants, names):
                continue
            for column in np.argsort(-over[row], kind="stable"):
                interest = wants.interests[column]
                if over[row, column] >= 0 and interest.channel_id in {"", note.channel_id}:
                    moment = Moment(
                        post=note.post,
                        part=note.parts[part][0],
                        thread=note.thread,
                        channel_id=note.channel_id,
                        score=round(float(scores[row, columns[column]]), 3),
                        call=note.call,
                    )
                    hit = Hit(
                        user_id=wants.user_id,
                        interest=interest,
                        moment=moment,
                        kind=kinds[row],
                        text=note.parts[part][1],
                    )
                    found.setdefault((note.thread, note.post), []).append(hit)
                    break
        # Of a post one sentence stands for the rest.
        return [max(hits, key=lambda h: h.moment.score) for hits in found.values()]


def _passages(note: Note) -> list[Passage]:
    if note.call:
        said = [text for _, text in note.parts]
        return [
            Passage(sentence=text, before=" ".join(said[max(0, n - BEFORE) : n]), channel=note.channel)
            for n, text in enumerate(said)
        ]
    whole = " ".join(text for _, text in note.parts)
    return [Passage(sentence=t, post=whole, before=note.before, channel=note.channel) for _, t in note.parts]


def _is_news(note: Note, wants: Wants, names: Mapping[str, str]) -> bool:
    if wants.user_id == note.author or wants.user_id in note.people:
        return False
    return names.get(wants.user_id, wants.username) not in names_in(note.text)


def _kind(sentence: str) -> tuple[str, float]:
    """What a sentence does, and what that is worth."""
    reading = read_sentence(clean(sentence))
    if reading.kind in {"info", "question"} and reading.strength <= QUIET:
        return reading.kind, -QUIET_COST
    return reading.kind, WORTH.get(reading.kind, 0.0) * reading.strength
