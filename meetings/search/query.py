"""What somebody looks for: words, "phrases in quotation marks", and beginnings of words with a star.

There is no other syntax: whatever else a text holds is punctuation, so nothing that is typed can be an error or mean
more than its words.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from unicodedata import normalize

from meetings.people.terms import STOPWORDS, WORD, stem, words

MAX_TEXT = 400  # characters that are read
MAX_TERMS = 24
MIN_PREFIX = 2  # letters before a star; fewer are no beginning of anything

_PHRASE = re.compile(r'["“”„]([^"“”„]*)["“”„]')
_PREFIX = re.compile(r"([^\W_]+)\*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """What is looked for, in stems. Phrases must be there as they stand; of the rest, more is better."""

    text: str
    terms: tuple[str, ...] = ()
    phrases: tuple[tuple[str, ...], ...] = ()
    prefixes: tuple[str, ...] = ()

    @property
    def empty(self) -> bool:
        """Whether there is no word in it."""
        return not (self.terms or self.phrases or self.prefixes)

    def marks(self, text: str) -> tuple[tuple[int, int], ...]:
        """Where the words that were looked for stand in a text: (begin, end) in characters."""
        wanted = {*self.terms, *(t for phrase in self.phrases for t in phrase)}
        found = []
        for match in WORD.finditer(text):
            word = stem(match.group().lower().replace("’", "'"))
            if word in wanted or any(word.startswith(p) or word == stem(p) for p in self.prefixes):
                found.append(match.span())
        return tuple(found)


def composed(text: str) -> str:
    """A text in one line, each letter one character with its marks (NFC): apart from it they end a word.

    What is no character, as a terminal hands on bytes that are no UTF-8, is none afterwards: nothing takes it further.
    """
    return normalize("NFC", " ".join(text.split())).encode(errors="replace").decode()


def parse_query(text: str) -> Query:
    """Read what somebody typed. Words that say nothing alone (`the`, `what`) count only where there are no others."""
    text = composed(text[:MAX_TEXT])[:MAX_TEXT]
    phrases = []
    for match in _PHRASE.finditer(text):
        phrase = tuple(stem(w) for w in words(match[1]))
        if len(phrase) > 1:
            phrases.append(phrase[:MAX_TERMS])
    # One word in quotation marks is that word, and must not be lost as a small one.
    rest = _PHRASE.sub(lambda m: " " if len(words(m[1])) > 1 else f" {m[1]} ", text)
    prefixes = [m[1].lower() for m in _PREFIX.finditer(rest) if len(m[1]) >= MIN_PREFIX]
    rest = _PREFIX.sub(lambda m: " " if len(m[1]) >= MIN_PREFIX else m[0], rest)
    said = words(rest)
    telling = [w for w in said if w not in STOPWORDS] or ([] if phrases or prefixes else said)
    return Query(
        text=text,
        terms=tuple(dict.fromkeys(stem(w) for w in telling))[:MAX_TERMS],
        phrases=tuple(dict.fromkeys(phrases))[:MAX_TERMS],
        prefixes=tuple(dict.fromkeys(prefixes))[:MAX_TERMS],
    )
