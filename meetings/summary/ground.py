"""Grounding: nothing is told that was not said.

Every bullet of every writer passes here. `check` is for text that a model wrote: its numbers, names, negations,
commitments and content words must be in the evidence. `check_extract` is for cleaned quotations: they may only leave
words out, and none that carry meaning. A refusal says why, and the caller falls back to the speaker's own words.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from meetings.people.terms import STOPWORDS, stem, terms, words

# Share of a text's content words that its evidence must hold.
MIN_OVERLAP = 0.75
MIN_SIMILARITY = 0.5

_UNITS = {
    "zero": 0, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9,
    "ten": 10, "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14, "fifteen": 15, "sixteen": 16,
    "seventeen": 17, "eighteen": 18, "nineteen": 19, "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60,
    "seventy": 70, "eighty": 80, "ninety": 90,
    "first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5, "sixth": 6, "seventh": 7, "eighth": 8, "ninth": 9,
    "tenth": 10, "eleventh": 11, "twelfth": 12, "fifteenth": 15, "twentieth": 20, "thirtieth": 30,
}  # fmt: skip
_SCALES = {"hundred": 100, "thousand": 1_000, "million": 1_000_000, "billion": 1_000_000_000}
# `one` is a pronoun more often than a number, `second` a moment.
_AMBIGUOUS = {"one", "second", "first"}

_NEGATION = re.compile(r"\b(?:not|no|never|none|nobody|nothing|neither|nor|without|cannot|\w+n't)\b")
_COMMITMENT = {
    "will": re.compile(r"\b(?:will|\w+'ll|won't|going to|gonna|shall)\b"),
    "must": re.compile(r"\b(?:must|have to|has to|had to|need to|needs to|required|mandatory)\b"),
    "may": re.compile(r"\b(?:may|might|maybe|perhaps|could|possibly|probably)\b"),
    "decided": re.compile(r"\b(?:decided|agreed|approved|settled|confirmed|decision)\b"),
}
_DATES = re.compile(
    r"\b(?:mon|tues|wednes|thurs|fri|satur|sun)day|tomorrow|today|tonight|next (?:week|month|quarter)|january|"
    r"february|march|"
    r"april|june|july|august|september|october|november|december\b"
)
_NAME = re.compile(r"(?<![.!?…]\s)(?<!^)\b[A-Z][\w'-]+\b")


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Whether a text stands on its evidence; `reasons` says why not."""

    ok: bool
    reasons: tuple[str, ...] = ()


def numbers(text: str) -> Counter[str]:
    """The numbers in a text, `twenty five` and `25` alike; ordinals count as their number."""
    found: Counter[str] = Counter()
    tokens = re.findall(r"\d+(?:[.,:]\d+)*|[a-z]+", text.lower())
    run: int | None = None
    last = 0
    for word in [*tokens, ""]:
        if word in _UNITS and word not in _AMBIGUOUS:
            value = _UNITS[word]
            if (run is not None and last >= 20 and last % 10 == 0 and value < 10) or (
                run is not None and last in _SCALES.values()
            ):
                run += value
            else:
                if run is not None:
                    found[str(run)] += 1
                run = value
            last = value
        elif word in _SCALES:
            run = (run if run is not None else 1) * _SCALES[word]
            last = _SCALES[word]
        elif word == "and" and run is not None and last in _SCALES.values():
            continue
        else:
            if run is not None:
                found[str(run)] += 1
            run = None
            if word and word[0].isdigit():
                found[_number(word)] += 1
    return found


def _number(token: str) -> str:
    # 1,000 is a thousand, 1,5 and 1.5 are one and a half.
    if re.fullmatch(r"\d{1,3}(?:[.,]\d{3})+", token):
        return re.sub(r"\D", "", token)
    return token.replace(",", ".")


def names(text: str, known: Sequence[str] = ()) -> set[str]:
    """Capitalised words inside sentences, and known names anywhere, in lower case."""
    found = {n.lower().removesuffix("'s") for n in _NAME.findall(text) if n not in {"I"} and not n.startswith("I'")}
    lowered = set(words(text))
    found |= {k.lower() for k in known if set(words(k)) <= lowered}
    return {n for n in found if n not in STOPWORDS}


def check(
    text: str, evidence: Sequence[str], *, known_names: Sequence[str] = (), similarity: float | None = None
) -> Verdict:
    """Whether a text that a model wrote stands on what was said.

    Args:
        text: the bullet or headline.
        evidence: the sentences it stands on, with the names of their speakers where the text may use them.
        known_names: names of people, looked for in any spelling of case.
        similarity: cosine of text and evidence, if there is an embedder.
    """
    said = " ".join(evidence)
    low, said_low = text.lower(), said.lower()
    reasons = []
    # A number may be told twice; it must have been said once.
    if extra := set(numbers(text)) - set(numbers(said)):
        reasons.append(f"number not said: {', '.join(sorted(extra))}")
    if extra_names := {n for n in names(text, known_names) if not _said(n, said_low)}:
        reasons.append(f"name not said: {', '.join(sorted(extra_names))}")
    if extra_dates := set(_DATES.findall(low)) - set(_DATES.findall(said_low)):
        reasons.append(f"date not said: {', '.join(sorted(extra_dates))}")
    if bool(_NEGATION.search(low)) != _negated_nearby(low, evidence):
        reasons.append("negation differs")
    reasons += [
        f"commitment not said: {kind}"
        for kind, pattern in _COMMITMENT.items()
        if pattern.search(low) and not pattern.search(said_low)
    ]
    content = set(terms(text))
    missing = content - set(terms(said))
    if content and len(missing) / len(content) > 1 - MIN_OVERLAP:
        reasons.append(f"not said: {', '.join(sorted(missing)[:4])}")
    if not content:
        reasons.append("says nothing")
    if similarity is not None and similarity < MIN_SIMILARITY:
        reasons.append(f"says something else (similarity {similarity:.2f})")
    return Verdict(ok=not reasons, reasons=tuple(reasons))


def _said(name: str, said: str) -> bool:
    return bool(re.search(rf"(?<!\w){re.escape(name)}(?!\w)", said))


def _negated_nearby(text: str, evidence: Sequence[str]) -> bool:
    """Whether the part of the evidence that a text is closest to says no."""
    content = set(terms(text))
    clauses = [c for e in evidence for c in re.split(r"(?<=[.!?;])\s+|,\s+(?:but|and|so)\s+", e.lower()) if c]
    if not clauses:
        return False
    closest = max(clauses, key=lambda c: (len(content & set(terms(c))), -len(c)))
    return bool(_NEGATION.search(closest))


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
    return bool(_NEGATION.fullmatch(word)) or word.isdigit() or (word in _UNITS and word not in _AMBIGUOUS)


def _repeated(word: str, kept: Sequence[str]) -> bool:
    """A word said twice and kept once, and a bare `no` that opens an answer, are no loss."""
    return word in kept or stem(word) in {stem(k) for k in kept}
