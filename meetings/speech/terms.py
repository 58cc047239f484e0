"""The names and terms that may be said in a call, gathered from what is written around it.

Everything here is text in, terms out: who takes part, what the channel is called and about, what was posted in it. A
word from posts counts as a name when it is written like one, not when it merely opens a sentence.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

from meetings.people.terms import STOPWORDS

MOST_TERMS = 150
SHORTEST = 3  # letters; shorter ones sound like anything
# How often a capitalised word must come in posts, for one post may shout.
OFTEN = 2

_NOISE = re.compile(r"```.*?```|`[^`]*`|https?://\S+|:[A-Za-z0-9_+-]+:|[@~#][\w.-]+|\[([^\]]*)\]\([^)]*\)", re.DOTALL)
_WORD = re.compile(r"[^\W\d_][\w&'’-]*", re.UNICODE)
_SENTENCE = re.compile(r"[.!?:;|\n•*>\"“(]\s*")
_INNER_CAPITAL = re.compile(r"[a-z0-9][A-Z]|[A-Z]{2,}")
# Written with a capital in English, and known to every recogniser.
_CALENDAR = set(
    re.findall(
        r"\w+",
        "monday tuesday wednesday thursday friday saturday sunday january february march april may june july august "
        "september october november december montag dienstag mittwoch donnerstag freitag samstag sonntag",
    )
)


def collect_terms(
    *,
    given: Iterable[str] = (),
    people: Iterable[str] = (),
    channels: Iterable[str] = (),
    posts: Iterable[str] = (),
    most: int = MOST_TERMS,
) -> tuple[str, ...]:
    """Names and terms in order of weight: the user's own, people's names, the channel's, the posts' by frequency.

    Args:
        given: the user's own list, taken as it is.
        people: names of participants and members.
        channels: display names and purposes of the channels.
        posts: texts of recent posts.
        most: how many terms are kept.
    """
    spelled: dict[str, str] = {}
    for term in (*given, *(name for person in people for name in (person, *person.split()))):
        tidy = " ".join(term.split())
        if len(tidy) >= SHORTEST:
            spelled.setdefault(tidy.lower(), tidy)
    for term in (t for text in channels for t in _names(text)):
        spelled.setdefault(term.lower(), term)
    texts = list(posts)
    counted = Counter(term for text in texts for term in set(_names(text)))
    # What is also written in lower case is an ordinary word that somebody capitalised.
    ordinary = {w for text in texts for w in _WORD.findall(_NOISE.sub(" ", text)) if w.islower()}
    for term, times in sorted(counted.items(), key=lambda item: (-item[1], item[0])):
        if (times >= OFTEN or _INNER_CAPITAL.search(term)) and term.lower() not in ordinary:
            spelled.setdefault(term.lower(), term)
    return tuple(spelled.values())[:most]


def _names(text: str) -> list[str]:
    """The words of a text that are written as names are: with a capital inside a sentence, or in capitals."""
    found: list[str] = []
    for sentence in _SENTENCE.split(_NOISE.sub(r" \1 ", text)):
        for place, word in enumerate(_WORD.findall(sentence)):
            bare = re.sub(r"['’]s$", "", word)
            lower = bare.lower()
            if len(bare) < SHORTEST or lower in STOPWORDS or lower in _CALENDAR:
                continue
            if _INNER_CAPITAL.search(bare) or (place > 0 and bare[0].isupper()):
                found.append(bare)
    return found
