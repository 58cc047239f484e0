"""How well summaries give each person what they ought to get, against a call whose truth is known.

The truth names, for each person, the items they ought to learn and the turns of the call that say them. A bullet gives
an item if its evidence lies in one of these turns. Pure: plain objects in, plain figures out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from meetings.conversation import Conversation
from meetings.people.terms import terms

# A turn stands behind a bullet if it holds at least this share of the bullet's terms.
MIN_SHARED = 0.3


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonScore:
    """One person's figures: items they got and missed; bullets nobody asked for; confidences told to the absent."""

    username: str
    must_found: tuple[str, ...]
    must_missed: tuple[str, ...]
    may_found: tuple[str, ...]
    may_missed: tuple[str, ...]
    unasked: tuple[str, ...]
    leaked: tuple[str, ...]
    bullets: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedScore:
    """Everybody's figures."""

    people: tuple[PersonScore, ...]

    @property
    def must_recall(self) -> float:
        """Share of the items people must get that they got; 1 if there are none."""
        found = sum(len(p.must_found) for p in self.people)
        total = found + sum(len(p.must_missed) for p in self.people)
        return found / total if total else 1.0

    @property
    def recall(self) -> float:
        """Share of all items that people got; 1 if there are none."""
        found = sum(len(p.must_found) + len(p.may_found) for p in self.people)
        total = found + sum(len(p.must_missed) + len(p.may_missed) for p in self.people)
        return found / total if total else 1.0

    @property
    def unasked(self) -> int:
        """Bullets that give no item."""
        return sum(len(p.unasked) for p in self.people)

    @property
    def bullets(self) -> int:
        """All bullets."""
        return sum(p.bullets for p in self.people)

    @property
    def leaked(self) -> int:
        """Bullets from the confidential part that went to people who were not in the call."""
        return sum(len(p.leaked) for p in self.people)


def score_summaries(
    summaries: Iterable[Mapping[str, Any]], truth: Mapping[str, Any], conversation: Conversation
) -> ExpectedScore:
    """Score summaries of a call.

    Args:
        summaries: objects as in `summaries/USERNAME.json`.
        truth: `turns` (speaker, start, end, text), `speakers`, `confidential` and `expected` by username.
        conversation: the transcript that the summaries were made from; its ids are theirs.
    """
    times = {u.id: (u.start, u.end) for u in conversation.utterances}
    turns = truth["turns"]
    secret = set(truth.get("confidential", {}).get("turns", ()))
    there = set(truth["speakers"])
    people = []
    for summary in summaries:
        username = summary["person"]["username"]
        expected = truth["expected"].get(username)
        if expected is None:
            continue
        behind = {n: turns_behind(bullet, turns, times) for n, bullet in enumerate(summary["bullets"])}
        texts = {n: str(bullet["text"]) for n, bullet in enumerate(summary["bullets"])}
        wanted: set[int] = set().union(*(i["turns"] for i in expected["items"]))
        told: set[int] = set().union(*behind.values())
        people.append(
            PersonScore(
                username=username,
                must_found=_items(expected, told, must=True, found=True),
                must_missed=_items(expected, told, must=True, found=False),
                may_found=_items(expected, told, must=False, found=True),
                may_missed=_items(expected, told, must=False, found=False),
                unasked=tuple(texts[n] for n, b in behind.items() if not b & wanted),
                leaked=tuple(texts[n] for n, b in behind.items() if b & secret and username not in there),
                bullets=len(texts),
            )
        )
    return ExpectedScore(people=tuple(people))


def _items(expected: Mapping[str, Any], told: set[int], *, must: bool, found: bool) -> tuple[str, ...]:
    return tuple(
        str(i["what"]) for i in expected["items"] if bool(i["must"]) == must and bool(told & set(i["turns"])) == found
    )


def turns_behind(
    bullet: Mapping[str, Any], turns: Sequence[Mapping[str, Any]], times: Mapping[str, tuple[float, float]]
) -> set[int]:
    """The truth's turns that a bullet stands on: spoken at the time of its evidence, and holding its words."""
    said = set(terms(str(bullet["text"])))
    spans = [times[e] for e in bullet["evidence"] if e in times]
    found = set()
    for number, turn in enumerate(turns):
        overlaps = any(start < turn["end"] and turn["start"] < end for start, end in spans)
        shared = len(said & set(terms(str(turn["text"]))))
        if overlaps and said and shared / len(said) >= MIN_SHARED:
            found.add(number)
    return found
