"""How well voices are named: wrong names, and how much of the talk carries a right one.

A voice's truth is whoever speaks most of its time. A wrong name is worse than none, so the two are counted apart.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from meetings.evaluation.speech import Said


@dataclass(frozen=True, slots=True, kw_only=True)
class NamingScore:
    """Voices heard, named rightly and wrongly; `coverage` is the share of all speaking time under a right name.

    `mistaken` lists (voice, given, true) of the wrong ones.
    """

    voices: int
    right: int
    wrong: int
    coverage: float
    mistaken: tuple[tuple[str, str, str], ...] = ()


def true_speakers(reference: Sequence[Said], heard: Iterable[Said]) -> dict[str, str]:
    """Who each voice is: the speaker with whom it has most time in common; a voice without any is left out."""
    common: defaultdict[str, defaultdict[str, float]] = defaultdict(lambda: defaultdict(float))
    for h in heard:
        for r in reference:
            seconds = min(h.end, r.end) - max(h.start, r.start)
            if seconds > 0:
                common[h.speaker][r.speaker] += seconds
    return {voice: max(shares, key=lambda who: (shares[who], who)) for voice, shares in common.items()}


def score_names(reference: Sequence[Said], heard: Sequence[Said], given: Mapping[str, str]) -> NamingScore:
    """Compare the names that voices were given with the truth.

    Args:
        reference: who truly speaks when.
        heard: what was found; `speaker` is the voice's label.
        given: voice to name, for those that were named.
    """
    truth = true_speakers(reference, heard)
    seconds: defaultdict[str, float] = defaultdict(float)
    for h in heard:
        seconds[h.speaker] += h.end - h.start
    right = [v for v in truth if given.get(v) == truth[v]]
    mistaken = tuple((v, given[v], truth.get(v, "")) for v in given if v in seconds and given[v] != truth.get(v))
    return NamingScore(
        voices=len(seconds),
        right=len(right),
        wrong=len(mistaken),
        coverage=sum(seconds[v] for v in right) / max(sum(seconds.values()), 1e-9),
        mistaken=mistaken,
    )
