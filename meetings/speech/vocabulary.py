"""Names and terms that may be said, corrected where the sound agrees.

The recogniser writes first, without a hint, for a prompt full of names makes small models write names that nobody said.
Then words that look and sound like a term are proposed, and the recogniser judges each proposal on the same sound: how
probable is the text with the term, and without? What does not sound alike can thus not come in.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from meetings.people.terms import STOPWORDS
from meetings.speech.recogniser import Heard, Placed, Recogniser

MOST_WORDS = 3  # neighbouring words that one term may have been heard as
# How alike a term and what was written must be, in [0, 1]: half by sound, half by letters. Short ones need more.
ALIKE, ALIKE_SHORT, SHORT = 0.70, 0.78, 4
# Nats that a term may be less probable than what was written: the model is not told that it is likely here. Of 19 words
# of terms said in two meetings 7 are right without, 11 with 3 nats, 12 with 5; none was written where it was not said.
BONUS = 5.0
# Words written with more certainty than this are left as they are.
CERTAIN = 0.93
MOST_PROPOSALS = 8  # for one window
# Tokens after a proposal that are compared as well: a wrong word makes the next one improbable.
AFTER = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """Words `first` to `last` (exclusive) of a window may be `term`; `text` is what would be written."""

    first: int
    last: int
    term: str
    text: str
    alike: float


class Vocabulary:
    """Names and terms, spelled as they shall be written."""

    def __init__(self, terms: Iterable[str]) -> None:
        cleaned = (" ".join(t.split()) for t in terms)
        # "Maya Chen" may be said as a whole or by either name.
        names = [n for t in cleaned if t for n in (t, *(t.split() if " " in t else ()))]
        self.terms = tuple(dict.fromkeys(n for n in names if len(letters(n)) >= 3 and n.lower() not in STOPWORDS))
        self._known = {letters(t) for t in self.terms}

    def __bool__(self) -> bool:
        return bool(self.terms)

    def propose(self, words: Sequence[Placed]) -> list[Proposal]:
        """Where a term may have been said, the most alike first; no two of them overlap in words for one term."""
        found: list[Proposal] = []
        for first in range(len(words)):
            for last in range(first + 1, min(first + MOST_WORDS, len(words)) + 1):
                span = words[first:last]
                written = "".join(w.text for w in span)
                if not self._open(span):
                    continue
                best = max(
                    ((likeness(written, term), term) for term in self.terms if _fits(written, term)), default=(0.0, "")
                )
                alike, term = best
                if alike >= (ALIKE if len(letters(term)) > SHORT else ALIKE_SHORT):
                    found.append(Proposal(first=first, last=last, term=term, text=_dressed(term, span), alike=alike))
        found.sort(key=lambda p: (-p.alike, p.first, p.last))
        return found[:MOST_PROPOSALS]

    def _open(self, span: Sequence[Placed]) -> bool:
        """Whether words may be anything else than what is written."""
        sure = min(w.probability for w in span)
        if sure > CERTAIN or any(w.text.strip().endswith((".", "?", "!", ",")) for w in span[:-1]):
            return False
        # A term that is written already stays; so does one beside another word.
        return all(letters(w.text) not in self._known for w in span)

    def correct(
        self,
        recogniser: Recogniser,
        heard: Sequence[Heard],
        placed: Sequence[tuple[Placed, ...]],
        languages: Sequence[str],
    ) -> list[tuple[Placed, ...]]:
        """Windows' words with the proposals that the recogniser accepts."""
        return [
            self._correct(recogniser, sound, words, language)
            for sound, words, language in zip(heard, placed, languages, strict=True)
        ]

    def _correct(
        self, recogniser: Recogniser, heard: Heard, words: tuple[Placed, ...], language: str
    ) -> tuple[Placed, ...]:
        proposals = self.propose(words)
        if not proposals:
            return words
        tokens = [recogniser.tokens(p.text) for p in proposals]
        texts = [
            tuple(t for w in words[: p.first] for t in w.tokens)
            + new
            + tuple(t for w in words[p.last :] for t in w.tokens)
            for p, new in zip(proposals, tokens, strict=True)
        ]
        before = recogniser.score([heard], [[t for w in words for t in w.tokens]], [language])[0]
        scores = recogniser.score([heard] * len(texts), texts, [language] * len(texts))
        judged = sorted(
            (
                (gain(before, score, words, proposal, len(new)), i)
                for i, (proposal, new, score) in enumerate(zip(proposals, tokens, scores, strict=True))
            ),
            reverse=True,
        )
        taken: list[int] = []
        for better, i in judged:
            p = proposals[i]
            free = all(p.last <= proposals[j].first or proposals[j].last <= p.first for j in taken)
            if better > -BONUS and free:
                taken.append(i)
        result = list(words)
        for i in sorted(taken, key=lambda i: proposals[i].first, reverse=True):
            p, at = proposals[i], sum(len(w.tokens) for w in words[: proposals[i].first])
            result[p.first : p.last] = [
                replace(
                    words[p.first],
                    text=p.text,
                    tokens=tokens[i],
                    end=words[p.last - 1].end,
                    probabilities=tuple(scores[i][at : at + len(tokens[i])]),
                )
            ]
        return tuple(result)


def gain(
    before: Sequence[float], after: Sequence[float], words: Sequence[Placed], proposal: Proposal, new: int
) -> float:
    """By how many nats a window's text gets more probable with a proposal: its words and the tokens behind them."""
    at = sum(len(w.tokens) for w in words[: proposal.first])
    old = sum(len(w.tokens) for w in words[proposal.first : proposal.last])
    return _nats(after[at : at + new + AFTER]) - _nats(before[at : at + old + AFTER])


def _nats(probabilities: Iterable[float]) -> float:
    return sum(math.log(max(p, 1e-9)) for p in probabilities)


@lru_cache(maxsize=65_536)
def likeness(written: str, term: str) -> float:
    """How alike two texts are, in [0, 1], half by sound, half by letters."""
    from rapidfuzz.distance import Levenshtein

    sound = Levenshtein.normalized_similarity(sound_key(written), sound_key(term))
    spelling = Levenshtein.normalized_similarity(letters(written), letters(term))
    return (sound + spelling) / 2


@lru_cache(maxsize=65_536)
def letters(text: str) -> str:
    """A text's letters and digits in lower case, without accents."""
    plain = unicodedata.normalize("NFKD", text.lower())
    return "".join(c for c in plain if c.isalnum())


_SOUNDS = (
    (r"ght", "t"),
    (r"^kn|^gn|^pn", "n"),
    (r"^wr", "r"),
    (r"wh", "w"),
    (r"ph", "f"),
    (r"sch|sh|ch|tch", "x"),
    (r"ck|q|c(?![eiy])|k", "k"),
    (r"c|z|s", "s"),
    (r"dg|j|g(?=[eiy])", "j"),
    (r"th", "t"),
    (r"v|w(?=[aeiou])", "v"),
    (r"h", ""),
    (r"e$", ""),
    (r"[aeiouy]+", "a"),
)


@lru_cache(maxsize=65_536)
def sound_key(text: str) -> str:
    """Roughly how a text sounds: letters that sound alike are one, so are vowels, and doubled letters.

    >>> sound_key("Bright water") == sound_key("Brytwatter")
    True
    """
    key = letters(text)
    for pattern, sound in _SOUNDS:
        key = re.sub(pattern, sound, key)
    return re.sub(r"(.)\1+", r"\1", key)


def _fits(written: str, term: str) -> bool:
    """Whether they can be the same at all: of like length, and not one of them inside the other by chance."""
    a, b = letters(written), letters(term)
    return (bool(a) and abs(len(a) - len(b)) <= max(2, len(b) // 3) and a != b) or _only_spelled(written, term)


def _only_spelled(written: str, term: str) -> bool:
    """The same letters written otherwise: `back end` for `backend`, `github` for `GitHub`; a mere capital is none."""
    bare = re.sub(r"[^\w\- ]", "", written).strip()
    return letters(written) == letters(term) and bare != term and (" " in bare or "-" in bare or not term.istitle())


def _dressed(term: str, span: Sequence[Placed]) -> str:
    """A term with the space, marks and genitive that the words in its place had."""
    text = "".join(w.text for w in span)
    lead = re.match(r"[\s\"'“¿(\[{]*", text)
    tail = re.search(r"(?:['’]s)?[\s\"'.。,，!！?？:：”)\]}…]*$", text)
    return (lead[0] if lead else " ") + term + (tail[0] if tail else "")
