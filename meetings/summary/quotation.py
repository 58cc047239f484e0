"""Whether a cleaned quotation still is what was said: grounding for words that are only left out, never put in."""

from __future__ import annotations

import re
from collections.abc import Sequence

from meetings.people.terms import stem, words
from meetings.summary.figures import AMBIGUOUS, NUMBER_WORDS
from meetings.summary.ground import Verdict

_DENIES = re.compile(r"\b(?:not|no|never|none|nobody|nothing|neither|nor|without|cannot|\w+n't)\b")


def check_extract(text: str, raw: str) -> Verdict:
    """Whether a cleaned quotation still is what was said: words in order, none left out that turn its meaning.

    Args:
        text: the cleaned quotation; `…` marks what was cut at its ends.
        raw: the speaker's own words.
    """
    said = words(raw)
    kept = words(text)
    position = 0
    skipped: list[str] = []
    for word in kept:
        try:
            at = said.index(word, position)
        except ValueError:
            return Verdict(ok=False, reasons=(f"not said in this place: {word}",))
        skipped += said[position:at]
        position = at + 1
    if "…" not in text:
        skipped += said[position:]
    elif text.startswith("…"):
        skipped = []
    lost = [w for w in skipped if _turns_meaning(w) and not _repeated(w, kept)]
    if lost:
        return Verdict(ok=False, reasons=(f"left out: {', '.join(lost)}",))
    return Verdict(ok=True)


def _turns_meaning(word: str) -> bool:
    return bool(_DENIES.fullmatch(word)) or word.isdigit() or (word in NUMBER_WORDS and word not in AMBIGUOUS)


def _repeated(word: str, kept: Sequence[str]) -> bool:
    """A word said twice and kept once, and a bare `no` that opens an answer, are no loss."""
    return word in kept or stem(word) in {stem(k) for k in kept}
