"""What was said in confidence: `this stays in this call`, `off the record`, `keep that between us`.

Such passages are for those who were there and for nobody else. English only; drawn wide on purpose.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass


def _r(expression: str) -> re.Pattern[str]:
    return re.compile(expression, re.IGNORECASE)


# Said of something: it is to stay where it is.
_STAYS = (
    r"(?:stays|has to stay|must stay|should stay|needs to stay|will stay|remains) "
    r"(?:(?:in|inside|within) (?:this|the|our|that) (?:\w+ )?(?:call|room|meeting|team|group|circle|round|company)|"
    r"(?:with|between|among) (?:us|you|the \w+ of us|ourselves)|here|confidential|internal|private|secret)"
)
_PLACE = r"(?:this|the) (?:room|call|meeting|team|group|circle)"
_CONFIDENTIAL = _r(
    rf"\b(?:(?:this|that|it|what i (?:just )?said|everything|the following) {_STAYS}|"
    r"keep (?:this|that|it) (?:(?:strictly |just )?(?:between|among) (?:us|you|ourselves)|to ourselves|to yourselves|"
    r"to yourself|quiet|confidential|private|secret|internal|inside|in this (?:call|room|meeting|group)|under)|"
    r"just between us|between us for now|between you and me|in confidence|confidentially|off the record|"
    r"(?:strictly|this is|that's|that is|it's|is|highly|still) confidential|for (?:your|our) ears only|"
    r"not for the (?:record|notes|minutes|summary)|not public yet|under (?:nda|embargo)|"
    r"leave (?:this|that|it) out of the (?:notes|minutes|summary)|"
    r"(?<!we )(?<!i )(?<!they )(?:don't|do not|nobody should|no one should) "
    r"(?:tell|share|repeat|mention|spread|forward) "
    r"(?:anyone|anybody|others|this|it|that|any of this)\b|nobody outside|no one outside|"
    rf"not (?:leave|leaves|to leave|go outside|outside) {_PLACE}|nothing (?:leaves|goes outside) {_PLACE}|"
    r"(?:doesn't|does not|must not|mustn't|shouldn't|should not|can't|cannot|don't let (?:this|that|it)) "
    rf"leave {_PLACE})"
)
_BACK_REFERENCE = _r(
    r"\b(?:that (?:stays|has to|must|should|is confidential|was|doesn't|does not|must not)|what i (?:just )?said|"
    r"(?:keep|leave) (?:that|it)|repeat (?:that|it)|don't (?:share|mention|repeat|tell))\b"
)
_BACK_TO_OPEN = _r(
    r"\b(?:back (?:to|on) (?:the )?(?:record|agenda|topic|normal|business|our|what)|on the record|moving on|"
    r"next (?:topic|item|"
    r"point|on the)|(?:that's|that is|that was) (?:it|all) (?:for|on|about) (?:that|the confidential)|"
    r"end of (?:the )?aside|"
    r"okay,? (?:so )?(?:next|moving)|let's (?:move|go|get) (?:on|back)|back to)\b"
)

CONFIDENTIAL_SECONDS = 60.0
CONFIDENTIAL_TURNS = 8


def announces_confidence(text: str) -> bool:
    """Whether a sentence says that something is not to be passed on."""
    return bool(_CONFIDENTIAL.search(text))


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
        _mark_before(parts, index, marked, far=bool(_BACK_REFERENCE.search(part.text)))
        for later in range(index + 1, len(parts)):
            after = parts[later]
            far_on = after.turn - part.turn > CONFIDENTIAL_TURNS or after.start - part.end > CONFIDENTIAL_SECONDS
            if _BACK_TO_OPEN.search(after.text) or (far_on and after.turn != part.turn):
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
        if _BACK_TO_OPEN.search(part.text) or not (same_breath or near):
            break
        marked.add(earlier)
