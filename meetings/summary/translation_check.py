"""Whether a translation says what its source says, by what can be checked without knowing either language well.

Numbers, days, months, names, denial and doubt must be the same on both sides, the length alike, and the words of the
target language. It is strict and simple: a good translation that it does not understand costs a reader nothing but the
original sentence, while a wrong one would reach them. The lexicon is `translation.yml`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources

import yaml

from meetings.summary.ground import Verdict
from meetings.summary.rewrite import FOREIGN

# Characters of a translation for one of its source, with some more for the shortest.
SHORTEST, LONGEST, SOME = 0.5, 2.0, 20

_WORD = re.compile(r"[^\W_]+(?:[-'][^\W_]+)*'?")
_DIGITS = re.compile(r"\d+(?:[.,]\d+)*")
_CAPITAL = re.compile(r"(?<![.!?:…]\s)(?<!^)(?<!\w)([A-ZÀ-Þ][\w'-]*\w)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Lexicon:
    """What one language calls things; every entry is a pattern over lower-case words."""

    months: tuple[re.Pattern[str], ...]
    weekdays: tuple[re.Pattern[str], ...]
    numbers: tuple[tuple[re.Pattern[str], int], ...]
    denies: tuple[re.Pattern[str], ...]
    hedges: tuple[re.Pattern[str], ...]
    common: tuple[re.Pattern[str], ...]


@lru_cache(maxsize=1)
def lexicons() -> Mapping[str, Lexicon]:
    """By language code, those that can be checked."""
    # The base loader leaves words words: `no`, `on` and `null` mean something else to YAML.
    text = (resources.files("meetings.summary") / "translation.yml").read_text(encoding="utf-8")
    data = yaml.load(text, Loader=yaml.BaseLoader)
    return {
        code: Lexicon(
            months=tuple(map(_pattern, entry["months"])),
            weekdays=tuple(map(_pattern, entry["weekdays"])),
            numbers=tuple((_pattern(word), int(n)) for word, n in entry["numbers"].items()),
            denies=tuple(map(_pattern, entry["denies"])),
            hedges=tuple(map(_pattern, entry["hedges"])),
            common=tuple(map(_pattern, entry["common"])),
        )
        for code, entry in data.items()
    }


def check_translation(
    text: str, source: str, *, language: str, source_language: str, known_names: Sequence[str] = ()
) -> Verdict:
    """Whether a text is a translation of its source that may be shown.

    Args:
        text: the translation.
        source: what was translated.
        language: the code of the translation's language.
        source_language: the code of the source's.
        known_names: names of people.
    """
    there, here = lexicons().get(language), lexicons().get(source_language)
    if there is None or here is None:
        return Verdict(ok=False, reasons=("the language is not known",))
    reasons = []
    if FOREIGN.search(text):
        reasons.append("markup")
    if not SHORTEST * len(source) - SOME <= len(text) <= LONGEST * len(source) + SOME:
        reasons.append("length")
    if len(_found(there.common, text)) < (2 if len(_words(source)) > 6 else 1) or text == source:
        reasons.append("not the language")
    for what, a, b in (
        ("number", _numbers(source, here), _numbers(text, there)),
        ("month", _places(here.months, source), _places(there.months, text)),
        ("weekday", _places(here.weekdays, source), _places(there.weekdays, text)),
        ("denial", bool(_found(here.denies, source)), bool(_found(there.denies, text))),
        ("doubt", bool(_found(here.hedges, source)), bool(_found(there.hedges, text))),
    ):
        if a != b:
            reasons.append(what)
    reasons += _names(text, source, here, known_names)
    return Verdict(ok=not reasons, reasons=tuple(reasons))


def _pattern(entry: str) -> re.Pattern[str]:
    """An entry as a pattern: `*` stands for any part of a word, `!` wants a capital, `=` none (`May` and `may`)."""
    if entry.endswith("!"):
        return re.compile(rf"(?<!\w){re.escape(entry[:-1].capitalize())}(?!\w)")
    if entry.endswith("="):
        return re.compile(rf"(?<!\w){re.escape(entry[:-1])}(?!\w)")
    parts = (re.escape(p).replace(r"\*", r"[\w'-]*") for p in entry.split("|"))
    return re.compile(rf"(?<![\w-])(?:{'|'.join(parts)})(?![\w-])", re.IGNORECASE)


def _plain(text: str) -> str:
    return text.replace("’", "'")


def _words(text: str) -> list[str]:
    return _WORD.findall(_plain(text))


def _found(patterns: Sequence[re.Pattern[str]], text: str) -> set[str]:
    text = _plain(text)
    return {m.group().lower() for p in patterns for m in p.finditer(text)}


def _places(patterns: Sequence[re.Pattern[str]], text: str) -> frozenset[int]:
    return frozenset(n for n, p in enumerate(patterns) if p.search(_plain(text)))


def _numbers(text: str, lexicon: Lexicon) -> frozenset[str]:
    """Every number above one that a text names, in figures or in words; `one` is too often an article."""
    text = re.sub(r"(?<=\d)[\u00a0\u202f ](?=\d{3}(?!\d))", "", _plain(text))
    text = re.sub(r"\b(?:pour|por|per) cent(?:o)?\b|\bpor ciento\b", "", text, flags=re.IGNORECASE)
    found = {_figure(m) for m in _DIGITS.findall(text)}
    value, run = 0.0, False
    total = 0.0
    for word in [*(w.lower() for w in re.findall(r"[^\W\d_]+|[^\w\s]", text)), ""]:
        parts = _word_values(word, lexicon)
        if parts:
            for n in parts:
                if n >= 1000:
                    total, value = total + max(value, 1) * n, 0.0
                elif n == 100 or (n == 20 and value == 4 and lexicon is lexicons()["fr"]):
                    value = max(value, 1) * n
                else:
                    if run and value and not (value >= 100 or (value % 10 == 0 and n < value)):
                        # Two numbers side by side are two.
                        found.add(_figure(str(int(total + value))))
                        total, value = 0.0, 0.0
                    value += n
                run = True
        elif run and word not in {"-", "and", "et", "y", "e", "en", "und"}:
            found.add(_figure(str(int(total + value))))
            total, value, run = 0.0, 0.0, False
    return frozenset(found - {"1"})


def _word_values(word: str, lexicon: Lexicon) -> list[int]:
    for pattern, n in lexicon.numbers:
        if pattern.fullmatch(word):
            return [n]
    # German and Dutch write `fünfundzwanzig` and `zweihundert` as one word.
    for joint in ("und", "en", "ën"):
        left, _, right = word.partition(joint)
        ones, tens = _single(left, lexicon), _single(right, lexicon)
        ones = 1 if left in {"ein", "een"} else ones
        if ones is not None and tens is not None and ones < 10 <= tens < 100:
            return [tens + ones]
    for suffix in ("hundert", "tausend", "honderd", "duizend"):
        if word.endswith(suffix) and (times := _single(word.removesuffix(suffix), lexicon)) is not None:
            return [times, 100 if suffix in {"hundert", "honderd"} else 1000]
    return []


def _single(word: str, lexicon: Lexicon) -> int | None:
    return next((n for pattern, n in lexicon.numbers if word and pattern.fullmatch(word)), None)


def _figure(digits: str) -> str:
    """Figures without what separates thousands, and with a point for the decimals: `10.000`, `6,5`."""
    if re.fullmatch(r"[1-9]\d{0,2}(?:[.,]\d{3})+", digits):
        return re.sub(r"[.,]", "", digits)
    return digits.replace(",", ".")


def _names(text: str, source: str, here: Lexicon, known_names: Sequence[str]) -> list[str]:
    """Names that were lost or have come in. A month or a weekday is no name."""
    low, from_ = _plain(text).lower(), _plain(source)
    known = {part for name in known_names for part in name.split() if len(part) > 1}
    wanted = set(_CAPITAL.findall(from_)) | {n for n in known if _in(n, from_.lower())}
    wanted = {n for n in wanted if not _found((*here.months, *here.weekdays), n) and n not in {"I"}}
    lost = sorted(n for n in wanted if not _in(n.removesuffix("'s"), low))
    came = sorted(n for n in known if _in(n, low) and not _in(n, from_.lower()))
    return [*(f"name lost: {n}" for n in lost), *(f"name not there: {n}" for n in came)]


def _in(name: str, low: str) -> bool:
    # A genitive or a plural may follow: `Bens`.
    return bool(re.search(rf"(?<!\w){re.escape(name.lower())}(?:'?s)?(?!\w)", low))
