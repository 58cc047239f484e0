"""How well the kinds of what is said are recognised, against labels given by hand.

A sentence has one kind, and may do a second thing besides: `we agreed that Sarah looks at prices` is a task that was
decided. Either counts as right when it is found, and the first as missed when neither is.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """A sentence's kind by hand, what it does besides, and what the recogniser made of it."""

    kind: str
    also: tuple[str, ...] = ()
    found: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KindScore:
    """`right` of the `found` sentences are of the kind; `caught` of the `labelled` ones were found as what they are."""

    found: int
    right: int
    labelled: int
    caught: int

    @property
    def precision(self) -> float:
        """Share of the found ones that are right; 1 if none was found."""
        return self.right / self.found if self.found else 1.0

    @property
    def recall(self) -> float:
        """Share of the labelled ones that were found; 1 if there are none."""
        return self.caught / self.labelled if self.labelled else 1.0

    @property
    def at_least(self) -> float:
        """The lower end of the 95 % interval of the precision (Wilson 1927)."""
        if not self.found:
            return 0.0
        z, n, p = 1.96, self.found, self.precision
        centre = p + z * z / (2 * n)
        return (centre - z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))) / (1 + z * z / n)


def score_kinds(labelled: Sequence[Labelled], kinds: Sequence[str]) -> Mapping[str, KindScore]:
    """Precision and recall of each of the kinds."""
    scores = {}
    for kind in kinds:
        found = [one for one in labelled if one.found == kind]
        truly = [one for one in labelled if one.kind == kind]
        scores[kind] = KindScore(
            found=len(found),
            right=sum(kind in (one.kind, *one.also) for one in found),
            labelled=len(truly),
            caught=sum(one.found in (kind, *one.also) for one in truly),
        )
    return scores
