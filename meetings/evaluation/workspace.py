"""How well people are served by what they get, against a generated workspace whose truth is known (docs/sandbox.md).

The truth says of each post and utterance to whom it matters and why, and whom it only touches. What only touches a
reader counts neither for nor against. Pure but for the reader of the truth's files.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from statistics import fmean
from typing import Any

AT = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """What is true of a post or an utterance.

    `ref` is the post's place in the company's file (`12`, its replies `12.0`, `12.1`) or `CALL#UTTERANCE`; `matters`
    gives the reasons by username; `side` are those whom it only touches; `topic` is its link, storyline or theme, empty
    for none; `duplicate_of` the ref of what was there first.
    """

    ref: str
    channel: str
    by: str
    act: str
    matters: Mapping[str, tuple[str, ...]]
    side: frozenset[str] = frozenset()
    topic: str = ""
    duplicate_of: str | None = None
    confidential: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """How one reader was served, by what was shown them.

    `precision` is the share of the first five that matter, `recall` that of the topics that matter of which they got
    something; both None where nothing matters to them. `first` is how many of these five there were.
    """

    username: str
    precision: float | None
    recall: float | None
    first: int
    shown: frozenset[str] = field(default=frozenset())


def read_truth(path: Path) -> Iterator[Item]:
    """The items of a truth file (`truth/posts.jsonl`, `truth/calls.jsonl`), one at a time."""
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            yield _item(json.loads(line))


def _item(data: Mapping[str, Any]) -> Item:
    return Item(
        ref=data["ref"],
        channel=data["channel"],
        by=data["by"],
        act=data["act"],
        matters={name: tuple(reasons) for name, reasons in data["matters"].items()},
        side=frozenset(data.get("side", ())),
        topic=data.get("link") or data.get("storyline") or data.get("theme") or "",
        duplicate_of=data.get("duplicate_of"),
        confidential=bool(data.get("confidential", False)),
    )


def serve(username: str, ranked: Sequence[Collection[str]], items: Mapping[str, Item]) -> Served:
    """How a reader was served by what they were shown.

    Args:
        username: the reader.
        ranked: what they were shown, best first, each as the refs that it stands on.
        items: the truth of everything they might have been shown, by ref.
    """
    relevant = {ref for ref, item in items.items() if username in item.matters}
    # Of one's own words and of what only touches one nobody says that it is wrong to be shown them.
    neutral = {ref for ref, item in items.items() if username in item.side or item.by == username} - relevant
    judged = [refs for refs in ranked if not (refs and all(ref in neutral for ref in refs))][:AT]
    hits = [any(ref in relevant for ref in refs) for refs in judged]
    shown = frozenset(ref for refs in ranked for ref in refs)
    topics = {items[ref].topic or ref for ref in relevant}
    found = {items[ref].topic or ref for ref in shown & relevant}
    return Served(
        username=username,
        precision=sum(hits) / len(hits) if hits and relevant else None,
        recall=len(found) / len(topics) if topics else None,
        first=len(hits),
        shown=shown,
    )


def distinctness(shown: Sequence[Set[str]]) -> float | None:
    """How different several people's answers are: 1 - the mean Jaccard index of every two; None for fewer than two."""
    pairs = [(a, b) for a, b in combinations(shown, 2) if a or b]
    return 1 - fmean(len(a & b) / len(a | b) for a, b in pairs) if pairs else None


def mean(values: Sequence[float | None]) -> float | None:
    """The mean of those that are there."""
    known = [v for v in values if v is not None]
    return fmean(known) if known else None
