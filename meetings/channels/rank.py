"""Ranking a channel's items for one reader, by the same evidence that summaries of calls stand on.

Two steps, so that the cost of large channels stays bounded: all items are weighed by their words, by whom they name and
by how many people took part; the best of them are read sentence by sentence (`meetings.summary`), with their meaning.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log, log1p

import numpy as np
from numpy.typing import NDArray

from meetings.channels.items import Item, Written
from meetings.conversation import Conversation, Speaker, Utterance
from meetings.llm import TextEmbedder
from meetings.people import Persona
from meetings.people.terms import terms
from meetings.summary.evidence import Evidence, embed_personas, prepare_talk, weigh
from meetings.summary.reasons import close_to
from meetings.summary.standing import cost
from meetings.summary.statements import Statement, build_statements, known_names

# Items that are read sentence by sentence, and posts of one of them.
MOST_READ = 240
MOST_POSTS = 12
# Sentences further apart than this are never one (statements join what a speaker says within two seconds).
APART = 60.0
# What being named, being given a task, and answers to what one wrote are worth, beside a match in [0, 1]: the first two
# come before any topic.
NAMED, FALLS_TO, ANSWERED = 2.0, 2.2, 0.7
PEOPLE = 0.12  # for the logarithm of those who took part
UNWANTED = 1.2
WORTH: Mapping[str, float] = {"decision": 0.35, "action": 0.15, "risk": 0.2, "question": 0.05, "number": 0.1}
WANTED = 0.3

_HANDLE = re.compile(r"@([a-z0-9][a-z0-9._-]*)", re.IGNORECASE)
_CODE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]*`", re.DOTALL)
_MARKED = re.compile(r"^\s*(?:[>#*+-]+|\d+[.)])\s+", re.MULTILINE)
_LINK = re.compile(r"\[([^\[\]\n]*)\]\([^\s()]*[^()\n]*\)")
_ADDRESS = re.compile(r"https?://\S+")
_EMOJI = re.compile(r":[a-z0-9_+-]+:|(?<!\w)[*_~]{1,3}(?=\w)|(?<=\w)[*_~]{1,3}(?!\w)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """For whom it is: their account, and what matters to them."""

    user_id: str
    persona: Persona

    @property
    def username(self) -> str:
        """Their username."""
        return self.persona.person.username


@dataclass(frozen=True, slots=True, kw_only=True)
class Pick:
    """An item for a reader: the post and the words that stand for it, why it is theirs, and its weight.

    `vector` is its meaning, for grouping.
    """

    item: Item
    post: Written
    text: str
    kind: str
    why: str
    score: float
    vector: NDArray[np.float32]


def rank(
    items: Sequence[Item], reader: Reader, names: Mapping[str, tuple[str, str]], embedder: TextEmbedder
) -> list[Pick]:
    """The items that are news to a reader, best first.

    Args:
        items: what there is.
        reader: for whom.
        names: username and name as shown by user id, of everybody who wrote.
        embedder: sentence embeddings.
    """
    read = _likely([item for item in items if _news(item, reader)], reader)
    if not read:
        return []
    conversation, places = _conversation(read, names)
    persona = reader.persona
    called = known_names(conversation, [(persona.person.username, persona.person.name, persona.names)])
    talk = prepare_talk(conversation, build_statements(conversation, called), embedder)
    (vectors,) = embed_personas([persona], embedder)
    evidence = weigh(talk, persona, vectors)
    said: dict[int, list[tuple[Statement, Written]]] = {}
    for statement in talk.statements:
        number, post = places[statement.turn]
        said.setdefault(number, []).append((statement, post))
    picks = []
    for number, item in enumerate(read):
        pick = _pick(item, said.get(number, []), reader, evidence, talk.vectors)
        picks += [pick] if pick is not None else []
    return sorted(picks, key=lambda p: (-p.score, -p.item.at, p.item.id))


def _took_part(item: Item, reader: Reader) -> bool:
    return any(p.user_id == reader.user_id for p in item.posts)


def _news(item: Item, reader: Reader) -> tuple[Written, ...]:
    """What others wrote after the reader's last words in it: who writes in a thread has read what was there."""
    last = max((n for n, p in enumerate(item.posts) if p.user_id == reader.user_id), default=-1)
    return item.posts[last + 1 :]


def names_in(text: str) -> set[str]:
    """Usernames that a post may name: `@ana.` at the end of a sentence means ana."""
    named = {n.lower() for n in _HANDLE.findall(text)}
    return named | {n.rstrip("._-") for n in named}


def _likely(items: Sequence[Item], reader: Reader) -> list[Item]:
    """The items worth reading closely, by what is quick to see, in order of time."""
    if len(items) <= MOST_READ:
        return list(items)
    said = [set(terms(_words_of(item))) for item in items]
    spread = Counter(t for one in said for t in one)
    weights = reader.persona.terms

    def likely(place: int) -> float:
        item = items[place]
        # Summed in a fixed order: sets have none.
        known = sum(weights[t] * log(1 + len(items) / spread[t]) for t in sorted(said[place]) if t in weights)
        named = any(reader.username in names_in(p.text) for p in item.posts)
        own = _took_part(item, reader)
        return known / (1 + 0.1 * len(said[place])) + 6 * named + 3 * own + 0.5 * log1p(len(item.people))

    best = sorted(range(len(items)), key=lambda n: (-likely(n), -items[n].at))[:MOST_READ]
    return [items[n] for n in sorted(best)]


def _words_of(item: Item) -> str:
    title = item.link.title if item.link else ""
    return " ".join([title, *(p.text for p in item.posts[:MOST_POSTS])])


def _conversation(
    items: Sequence[Item], names: Mapping[str, tuple[str, str]]
) -> tuple[Conversation, list[tuple[int, Written]]]:
    """Items as utterances, one thread after the other, and for each utterance its item's number and its post."""
    by_handle = dict(names.values())
    utterances: list[Utterance] = []
    places: list[tuple[int, Written]] = []
    for number, item in enumerate(items):
        for place, post in enumerate(item.posts[:MOST_POSTS]):
            title = item.link.title if item.link and place == 0 else ""
            text = title or plain_words(post.text, by_handle)
            start = APART * len(utterances)
            utterances.append(
                Utterance(id=f"{item.id}:{place}", speaker=post.user_id, start=start, end=start + 1.0, text=text)
            )
            places.append((number, post))
    speakers = tuple(
        Speaker(id=user_id, name=shown, username=username, confidence=1.0, how="given")
        for user_id, (username, shown) in sorted(names.items())
    )
    return Conversation(id="channel", language="", speakers=speakers, utterances=tuple(utterances)), places


def plain_words(text: str, names: Mapping[str, str]) -> str:
    """A post as it would be said: no code, no addresses, no markup, people by their names.

    >>> plain_words("**Ship** it, @ana.ruiz: [notes](https://example.com) :tada:", {"ana.ruiz": "Ana Ruiz"})
    'Ship it, Ana Ruiz: notes'
    """

    def called(match: re.Match[str]) -> str:
        handle = match.group(1)
        bare = handle.rstrip("._-")
        found = names.get(handle.lower()) or names.get(bare.lower())
        return f"{found}{handle[len(bare) :]}" if found else handle

    text = _CODE.sub(" ", text)
    text = _ADDRESS.sub(" ", _LINK.sub(r"\1", text))
    text = _EMOJI.sub(" ", _MARKED.sub(" ", text))
    return " ".join(_HANDLE.sub(called, text).split())


def _pick(
    item: Item,
    said: Sequence[tuple[Statement, Written]],
    reader: Reader,
    evidence: Evidence,
    vectors: NDArray[np.float32],
) -> Pick | None:
    """An item with the sentence that is most the reader's; None if it says nothing that is news to them."""
    news = _news(item, reader)
    fresh = {post.id for post in news}
    theirs = [(s, post) for s, post in said if post.id in fresh and (s.substantial or item.link)]
    if not theirs:
        return None
    worth = {s.index: _worth(s, reader, evidence, item) for s, _ in theirs}
    best, post = max(theirs, key=lambda one: (worth[one[0].index], -one[0].index))
    # What a thread is about shows in more than its best sentence.
    match = sorted((float(evidence.match[s.index]) for s, _ in theirs), reverse=True)[:3]
    named = any(reader.username in names_in(p.text) for p in news)
    falls = any(o.key == reader.username for s, _ in theirs for o in s.owners)
    answered = _took_part(item, reader)
    score = max(0.0, 0.7 * worth[best.index] + 0.5 * sum(match) / len(match)) + PEOPLE * log1p(len(item.people))
    score += FALLS_TO * falls + NAMED * (named and not falls) + ANSWERED * answered
    score -= UNWANTED * max(float(evidence.unwanted[s.index]) for s, _ in theirs)
    if named or falls:
        to_them = ((s, p) for s, p in theirs if any(m.key == reader.username for m in (*s.mentioned, *s.owners)))
        best, post = next(to_them, (best, post))
    kind = "info" if best.reading.kind == "number" else best.reading.kind
    return Pick(
        item=item,
        # A link is shown where it was pushed in, whatever was said under it.
        post=item.posts[0] if item.link else post,
        text=item.link.title if item.link and item.link.title else best.text,
        kind="link" if item.link else kind,
        why=_why(best, reader, evidence, item, falls=falls, named=named, answered=answered),
        score=score,
        vector=vectors[best.index],
    )


def _worth(statement: Statement, reader: Reader, evidence: Evidence, item: Item) -> float:
    """What a sentence is worth to a reader: as their business, and for what it does."""
    match = float(evidence.match[statement.index])
    if item.link:
        return match
    reading = statement.reading
    wanted = WORTH.get(reading.kind, 0.0) + WANTED * reader.persona.wants.get(reading.kind, 0.0)
    # A decision on what is nobody's business of theirs is worth little.
    return match + wanted * reading.strength * (0.3 + match) - 0.5 * cost(statement.text)


def _why(
    statement: Statement,
    reader: Reader,
    evidence: Evidence,
    item: Item,
    *,
    falls: bool,
    named: bool,
    answered: bool,
) -> str:
    """Why a reader gets an item, in one clause. Their own context is named, what others wrote is not quoted."""
    if falls:
        return f"{statement.speaker.name} says it falls to you"
    if named:
        return "you are named"
    if answered:
        return "others went on in a thread that you wrote in"
    about = evidence.about[statement.index]
    if about >= 0:
        ingredient = reader.persona.ingredients[about]
        return close_to(ingredient.source, ingredient.text)
    if hits := evidence.hits[statement.index][:2]:
        said = " and ".join(_as_written(statement.text, hits))
        own = any(hit in reader.persona.own_terms for hit in hits)
        return f"it is about {said}, your field" if own else f"it is about {said}, as posts that you wrote or liked"
    people = len(item.people)
    return f"{people} people took part" if people > 1 else "new in a channel of yours"


def _as_written(text: str, stems: Sequence[str]) -> list[str]:
    """The words of a text behind stems; a stem where none is found."""
    spoken = re.findall(r"[\w'-]+", text)
    found = (next((w for w in spoken if w.lower().startswith(s[: max(3, len(s) - 1)])), s) for s in stems)
    return list(dict.fromkeys(found))
