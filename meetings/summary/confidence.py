"""What was said in confidence: `this stays in this call`, `off the record`, `keep that between us`.

Such passages are for those who were there and for nobody else. Which words say so: `meetings.summary.announcements`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from meetings.summary.announcements import announces_confidence, leads_back, points_back

CONFIDENTIAL_SECONDS = 60.0
CONFIDENTIAL_TURNS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A sentence with the number of its turn and its times in seconds."""

    turn: int
    start: float
    end: float
    text: str


def confidential_parts(parts: Sequence[Part]) -> frozenset[int]:
    """Which sentences were said in confidence.

    From an announcement on, everything is, until somebody leads back to the agenda or `CONFIDENTIAL_SECONDS` or
    `CONFIDENTIAL_TURNS` have passed without a new announcement; an announcement that points back (`that stays in
    this call`) also covers what was said just before. It is drawn wide: a bullet too few is mended by asking,
    one too many is not.
    """
    marked: set[int] = set()
    for index, part in enumerate(parts):
        if not announces_confidence(part.text):
            continue
        marked.add(index)
        _mark_before(parts, index, marked, far=points_back(part.text))
        for later in range(index + 1, len(parts)):
            after = parts[later]
            far_on = after.turn - part.turn > CONFIDENTIAL_TURNS or after.start - part.end > CONFIDENTIAL_SECONDS
            if leads_back(after.text) or (far_on and after.turn != part.turn):
                break
            marked.add(later)
    return frozenset(marked)


def _mark_before(parts: Sequence[Part], index: int, marked: set[int], *, far: bool) -> None:
    """Mark what the announcement at `index` points back to: the same breath, and, if `far`, shortly before."""
    announcement = parts[index]
    for earlier in range(index - 1, -1, -1):
        part = parts[earlier]
        same_breath = part.turn == announcement.turn and (far or index - earlier <= 2)
        near = far and announcement.turn - part.turn <= 3 and announcement.start - part.end <= CONFIDENTIAL_SECONDS / 2
        if leads_back(part.text) or not (same_breath or near):
            break
        marked.add(earlier)
