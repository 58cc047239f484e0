"""Whether what a text says is likely to have been said: figures of `bearing` and objections of `ground`, weighed.

The weights come from bullets written by hand (`tests/data/grounding`), by logistic regression in which a sign of fault
can only count against a text and a sign of truth only for it. `scripts/bench/grounding.py --fit` makes them anew.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources

import yaml

# Signs of truth; every other figure is one of fault.
FOR = frozenset(
    {"near whole", "near bare", "near passage", "near least", "soft", "reported", "own I", "named there"}
    | {"asks what was asked"}
)
# They tell how the bullets were written, not whether they are true.
UNUSED = frozenset({"length", "share told"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Judge:
    """Weights by figure, the constant, and the probability from which a text is let through."""

    weights: Mapping[str, float]
    constant: float
    bar: float

    def probability(self, figures: Mapping[str, float]) -> float:
        """How likely the text is borne by its evidence, from 0 to 1."""
        value = self.constant + sum(weight * figures.get(name, 0.0) for name, weight in self.weights.items())
        return 1 / (1 + math.exp(-max(-30.0, min(30.0, value))))


def with_objections(figures: Mapping[str, float], objections: Sequence[str]) -> dict[str, float]:
    """The figures with one for each sort of objection that the rules made."""
    return {
        **figures,
        **{f"rule: {o if o.startswith('commitment') else o.split(':')[0].split(' (')[0]}": 1.0 for o in objections},
    }


@lru_cache(maxsize=1)
def load_judge() -> Judge:
    """The weights that ship with the package."""
    content = yaml.safe_load((resources.files("meetings.summary") / "judge.yml").read_text(encoding="utf-8"))
    return Judge(weights=content["weights"], constant=content["constant"], bar=content["bar"])
