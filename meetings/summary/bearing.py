"""How well a text is borne by what was said, as figures: what `meetings.summary.judge` weighs.

Every word of the text is looked for among the words that were said (as itself, as a synonym, by its meaning); the
passage that holds most of a clause is then read for what a list of words does not tell: whether what is denied was
denied, whether what was said is as firm, in what order the words stand, how far apart, and whose they are.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from meetings.llm import TextEmbedder
from meetings.people.terms import STOPWORDS, stem, words
from meetings.summary import roles
from meetings.summary.claims import (
    DENYING,
    PERHAPS_DENYING,
    SAYING,
    TELLING,
    Clause,
    clauses,
    key_of,
    other_camp,
)
from meetings.summary.contrast import contrasts, likeness, other_span, widened
from meetings.summary.figures import NUMBER_WORDS
from meetings.summary.nearness import nearness
from meetings.summary.wordnet import opposite

# Words of a window that reach this likeness may stand for a word of the text.
LIKE = 0.5
WINDOW = 28

_NEGATION = re.compile(
    r"not|no|never|none|nobody|nothing|neither|nor|without|unless|cannot|hardly|barely|instead|rather|than|\w+n't"
)
_HEDGE = frozenset(
    stem(w)
    for w in words(
        "might may maybe perhaps could possibly probably likely seems seem would suggest suggests suggested propose "
        "proposes proposed proposal think thinks believe believes expect expects wonder wonders ask asks asked asking "
        "want wants wish hope hopes consider considers recommend recommends prefer prefers favour favours idea option "
        "potentially imagine imagines if whether unless should doubt doubts suspects supposed offers offer float "
        "envisage envisages estimates estimate plans aims doubts unsure unclear open can depending provided likes guess"
    )
)
_EXTREME = frozenset(
    stem(w) for w in words("all every only always never most everybody nobody alone both first last best worst exactly")
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A word that was said: its key, its place, and the clause it stands in."""

    word: str
    key: str
    line: int
    clause: Clause
    denied: bool


@dataclass(slots=True)
class _Match:
    """The words of one clause of a text with the said words that stand for them."""

    clause: Clause
    keys: list[str]
    denied: list[bool]
    found: list[int | None] = field(default_factory=list)
    likeness: list[float] = field(default_factory=list)


def measure(
    text: str,
    lines: Sequence[tuple[str, str]],
    *,
    people: frozenset[str],
    speaker: str | None,
    owner: str | None,
    embedder: TextEmbedder | None,
) -> dict[str, float]:
    """The figures by name; those of meaning only with an embedder.

    Args:
        text: what is told.
        lines: speaker and words of each utterance.
        people: every name by which somebody may be called, in lower case.
        speaker: who is shown as having said it.
        owner: to whom it is shown to fall.
        embedder: a model of meaning.
    """
    said = [c for n, (who, line) in enumerate(lines) for c in clauses(line, speaker=who, line=n)]
    tokens = _tokens(said)
    names = {part for person in people for part in person.split()} | {"designer"}
    matches = [m for m in (_match(c, tokens, names, embedder) for c in clauses(text)) if m.keys]
    figures: dict[str, float] = {}
    figures |= _coverage(matches, tokens)
    figures |= _passages(matches, tokens, text, people, speaker, owner)
    if embedder is not None:
        figures |= nearness(text, lines, embedder, speaker or owner or roles.subject(text, people)[0])
    return figures


def _tokens(said: Sequence[Clause]) -> list[Token]:
    found = []
    for clause in said:
        parts = words(clause.text.replace("-", " "))
        denied = _denied(parts)
        found += [
            Token(word=w, key=key_of(w), line=clause.line, clause=clause, denied=d)
            for w, d in zip(parts, denied, strict=True)
        ]
    return found


def _denied(parts: Sequence[str]) -> list[bool]:
    """Which words stand within five words after a denial in their clause, or before `not` at its end."""
    marks = [bool(_NEGATION.fullmatch(w)) or w in DENYING or w in PERHAPS_DENYING for w in parts]
    return [sum(marks[max(0, i - 5) : i]) % 2 == 1 for i in range(len(parts))]


def _match(clause: Clause, tokens: Sequence[Token], names: set[str], embedder: TextEmbedder | None) -> _Match:
    parts = words(clause.text.replace("-", " "))
    denied = _denied(parts)
    keys, flags = [], []
    for word, flag in zip(parts, denied, strict=True):
        bare = word.removesuffix("'s")
        if bare in names or bare in STOPWORDS or len(bare) < 2 or bare in NUMBER_WORDS or bare[0].isdigit():
            continue
        if key_of(bare) in TELLING or stem(bare) in TELLING or word.endswith("n't"):
            continue
        keys.append(bare)
        flags.append(flag)
    match = _Match(clause=clause, keys=keys, denied=flags)
    content = [i for i, t in enumerate(tokens) if t.word not in STOPWORDS and not t.word.endswith("n't")]
    likeness = _likeness(keys, [tokens[i].word for i in content], embedder)
    place = _best_window(likeness, content)
    for row in likeness:
        if not len(row) or row.max() < LIKE:
            match.found.append(None)
            match.likeness.append(float(row.max()) if len(row) else 0.0)
            continue
        top = float(row.max())
        near = [j for j in range(len(content)) if row[j] >= top - 0.12]
        chosen = min(near, key=lambda j: (not place[0] <= content[j] <= place[1], -row[j]))
        match.found.append(content[chosen])
        match.likeness.append(float(row[chosen]))
    return match


def _likeness(keys: Sequence[str], said: Sequence[str], embedder: TextEmbedder | None) -> NDArray[np.float32]:
    """How alike each word told and each word said are: 1 the same, less for synonyms, family and meaning."""
    table = np.zeros((len(keys), len(said)), dtype=np.float32)
    for i, key in enumerate(keys):
        for j, word in enumerate(said):
            table[i, j] = likeness(key, word)
    if embedder is not None and len(keys) and len(said):
        vectors = word_vectors([*keys, *said], embedder)
        close = vectors[: len(keys)] @ vectors[len(keys) :].T
        for i, key in enumerate(keys):
            for j, word in enumerate(said):
                if opposite(key, word):
                    close[i, j] = 0.0
        table = np.maximum(table, np.clip(close, 0, 1) * 0.9).astype(np.float32)
    return table


_CACHE: WeakKeyDictionary[TextEmbedder, dict[str, NDArray[np.float32]]] = WeakKeyDictionary()


def word_vectors(texts: Sequence[str], embedder: TextEmbedder) -> NDArray[np.float32]:
    """Vectors of single words, kept for as long as the embedder lives."""
    try:
        known = _CACHE.setdefault(embedder, {})
    except TypeError:
        known = {}
    new = [t for t in dict.fromkeys(texts) if t not in known]
    if new:
        if len(known) > 50_000:
            known.clear()
            new = list(dict.fromkeys(texts))
        known |= dict(zip(new, embedder.embed(new), strict=True))
    return np.stack([known[t] for t in texts])


def _best_window(likeness: NDArray[np.float32], content: Sequence[int]) -> tuple[int, int]:
    """First and last token of the passage of at most `WINDOW` tokens that holds most of the words."""
    best, place = -1.0, (0, 0)
    for start in range(len(content)):
        end = start
        while end + 1 < len(content) and content[end + 1] - content[start] <= WINDOW:
            end += 1
        part = likeness[:, start : end + 1]
        value = float(np.where(part.max(axis=1) >= LIKE, part.max(axis=1), 0).sum()) if len(part) else 0.0
        if value > best + 1e-6:
            best, place = value, (content[start], content[end])
    return place


def _coverage(matches: Sequence[_Match], tokens: Sequence[Token]) -> dict[str, float]:
    values = [v for m in matches for v in m.likeness]
    if not values:
        return {"no words": 1.0}
    missing = [1 - v for v in values]
    return {
        "missing": sum(v > 1 - LIKE for v in missing) / len(values),
        "missing count": min(4, sum(v > 1 - LIKE for v in missing)),
        "unlike": float(np.mean(missing)),
        "unlike most": max(missing),
        "not the same": sum(v < 0.85 for v in values) / len(values),
        "length": min(len(values), 16) / 8,
        "share told": min(1.0, len(values) / max(1, sum(t.word not in STOPWORDS for t in tokens))),
    }


def _passages(
    matches: Sequence[_Match],
    tokens: Sequence[Token],
    text: str,
    people: frozenset[str],
    speaker: str | None,
    owner: str | None,
) -> dict[str, float]:
    found: dict[str, float] = {}
    heard = [t.word for t in tokens]
    said = list(dict.fromkeys(t.word for t in tokens))
    soft = any(stem(w) in _HEDGE for w in words(text))
    reported = roles.subject(text, people)[1] in SAYING or "according to" in text.lower() or ", says " in text.lower()
    camp, odd_camps = 0, 0
    flips = turned = denial = odd = gap = behind = asked = done = 0.0
    inverted = pairs = steps = crossing = spread = 0.0
    for match in matches:
        at = [i for i in match.found if i is not None]
        around = [tokens[i].clause for i in at]
        near = list(dict.fromkeys(w for c in around for w in words(c.text)))
        antonyms = [
            k
            for k, i in zip(match.keys, match.found, strict=True)
            if (i is None or match.likeness[match.keys.index(k)] < 0.85) and any(opposite(k, w) for w in near)
        ]
        camps = [k for k in words(match.clause.text) if other_camp(k, near)]
        camp = max(camp, len(camps))
        even = (len(camps) + any(match.clause.denies) + any(any(tokens[i].clause.denies) for i in at)) % 2
        odd_camps += bool(camps) and even
        flips += len(antonyms)
        mismatch = [tokens[i].denied != d for i, d in zip(match.found, match.denied, strict=True) if i is not None]
        turned += sum(mismatch) / max(1, len(mismatch))
        if around:
            differs = any(match.clause.denies) != any(any(c.denies) for c in around)
            most = sum(mismatch) > len(mismatch) / 2
            denial += differs
            odd += (len(antonyms) + most) % 2
            least = min(0 if c.asked else c.firm for c in around)
            gap = max(gap, match.clause.firm - least)
            behind = max(behind, float(any(c.conditional for c in around)) * (not match.clause.conditional))
            asked = max(asked, float(all(c.asked for c in around)))
            done = max(
                done, float(bool(_DONE.search(match.clause.text)) and any(_AHEAD.search(c.text) for c in around))
            )
        for a, b in itertools.pairwise(at):
            pairs += 1
            inverted += b < a
            steps += min(abs(b - a), 20) / 20
            crossing += tokens[a].clause is not tokens[b].clause
        if at:
            spread = max(spread, min(max(at) - min(at), 60) / 60)
    count = max(1, len(matches))
    binding = _BINDING.search(text.lower()) is not None
    found["other camp"] = min(2.0, camp)
    found["other camp, denial alike"] = min(2.0, odd_camps)
    found["antonyms"] = min(2.0, flips)
    found["denied otherwise"] = turned / count
    found["denial differs"] = denial / count
    found["turned once"] = min(2.0, odd)
    found["firmer, told"] = gap / 2 * (not soft) * (not reported)
    found["firmer, reported"] = gap / 2 * (not soft) * reported
    found["binding, said softly"] = float(binding and gap > 0)
    found["done, said as ahead"] = done
    found["soft"] = float(soft)
    found["reported"] = float(reported)
    found["condition dropped"] = behind * (not soft)
    found["was asked"] = asked * (not soft)
    found["asks what was asked"] = asked * soft
    found["inverted"] = inverted / max(1, pairs)
    found["steps"] = steps / max(1, pairs)
    found["crossing"] = crossing / max(1, pairs)
    found["spread"] = spread
    found["extremes"] = float(sum(stem(w) in _EXTREME and stem(w) not in {stem(s) for s in said} for w in words(text)))
    found["another span"] = float(other_span(text, " ".join(heard)))
    found["narrower said"] = float(widened(text, " ".join(heard)))
    found |= contrasts(text, heard, people)
    found |= _voices(matches, tokens, text, people, speaker, owner)
    return found


_DONE = re.compile(r"\b(?:has|have|had|was|were|been)\b|\b\w{3,}ed\b")
_AHEAD = re.compile(
    r"\b(?:will|'ll|going to|gonna|can|could|would|'d|should|if|might|let's|want|need)\b|\w'll\b|\w'd\b"
)
_BINDING = re.compile(
    r"\b(?:will|must|has to|have to|decided|agreed|is to|are to|gets?|goes|go|is|are|required|settled|confirmed)\b"
)


def _voices(
    matches: Sequence[_Match],
    tokens: Sequence[Token],
    text: str,
    people: frozenset[str],
    speaker: str | None,
    owner: str | None,
) -> dict[str, float]:
    """Whose the words are: the share of them that the one who is named said, and who speaks of himself in them."""
    if not any(t.clause.speaker for t in tokens):
        return {}
    at = [i for m in matches for i in m.found if i is not None]
    who, verb = roles.subject(text, people)
    if text.lower().startswith("according to"):
        verb = "says"
    shown = speaker or owner or ""
    found: dict[str, float] = {}
    for label, name in (("subject", who), ("shown", shown)):
        own = [roles.same_person(name, tokens[i].clause.speaker) for i in at] if name else []
        found[f"{label} elsewhere"] = 1 - sum(own) / len(own) if own else 0.0
        found[f"{label} nowhere"] = float(bool(own) and not any(own))
    doing = owner or (who if who and verb not in SAYING else "")
    around = {id(tokens[i].clause): tokens[i].clause for i in at}
    first_person = [
        c for c in around.values() if re.search(r"\b(?:i|i'll|i'd|i'm|i've|my)\b", c.text.lower()) and c.speaker
    ]
    if doing:
        found["somebody else's I"] = float(
            bool(first_person) and not any(roles.same_person(doing, c.speaker) for c in first_person)
        )
        found["own I"] = float(any(roles.same_person(doing, c.speaker) for c in first_person))
        found["named there"] = float(any(roles.named_as_doer(doing, c.text) for c in around.values()))
    others = {p for p in people if p and not (who and roles.same_person(p, who))}
    found["other doer"] = float(
        bool(doing)
        and any(
            roles.named_as_doer(p, c.text) for p in others for c in around.values() if not roles.same_person(p, doing)
        )
    )
    return found
