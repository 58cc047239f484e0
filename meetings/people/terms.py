"""Words as terms: what lexical matching compares, for what is said and for what a person cares about alike.

A term is a lower-case word without its inflection; words that carry no subject (function words, the small talk of
meetings) are no terms. English endings are taken off by a few rules; other languages keep their words whole.
"""

from __future__ import annotations

import re
from functools import lru_cache
from importlib import resources

import yaml

WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)?|r&d", re.IGNORECASE)

_LISTS = yaml.safe_load((resources.files("meetings.people") / "stopwords.yml").read_text(encoding="utf-8"))
STOPWORDS = frozenset(str(_LISTS["stopwords"]).split())
_SHORT = frozenset(str(_LISTS["short"]).split())


def words(text: str) -> list[str]:
    """The words of a text in lower case, in order, with straight apostrophes."""
    return [w.lower().replace("’", "'") for w in WORD.findall(text)]


@lru_cache(maxsize=65_536)
def stem(word: str) -> str:
    """A word without its English inflection: plural, -ing, -ed, possessive; rough, but the same on both sides.

    >>> stem("batteries"), stem("shipping"), stem("decided"), stem("customers'")
    ('battery', 'ship', 'decid', 'customer')
    """
    w = word.removesuffix("'s").removesuffix("'")
    if len(w) > 4 and w.endswith("ies"):
        return w[:-3] + "y"
    if len(w) > 4 and w.endswith(("sses", "shes", "ches", "xes", "zes")):
        w = w[:-2]
    elif len(w) > 3 and w.endswith("s") and not w.endswith(("ss", "us", "is")):
        w = w[:-1]
    for ending in ("ing", "ed"):
        if len(w) > len(ending) + 2 and w.endswith(ending) and re.search("[aeiouy]", w[: -len(ending)]):
            w = w[: -len(ending)]
            if len(w) > 3 and w[-1] == w[-2] and w[-1] not in "lsz":
                w = w[:-1]
            break
    # `decide` and `decided`, `price` and `pricing` meet without their e.
    return w[:-1] if len(w) > 3 and w.endswith("e") else w


def terms(text: str) -> list[str]:
    """The terms of a text in order, with repetitions; words of one letter and pure digits are none."""
    return [stem(w) for w in words(text) if w not in STOPWORDS and (len(w) > 2 or w in _SHORT) and not w.isdigit()]


# Words that carry a subject but name no topic.
WEAK = frozenset(stem(w) for w in str(_LISTS["weak"]).split())
