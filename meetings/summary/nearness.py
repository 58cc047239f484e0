"""How close in meaning a text and what was said are, by sentence embeddings."""

from __future__ import annotations

import re
from collections.abc import Sequence

from meetings.llm import TextEmbedder
from meetings.people.terms import STOPWORDS, words
from meetings.summary import roles
from meetings.summary.wordnet import opposites_of

_ATTRIBUTION = re.compile(
    r"^(?:(?:the )?[\w ]{3,22}? (?:designer )?(?:says|said|reports|notes|explains|thinks|points out|suggests|"
    r"proposes|believes|warns|argues|wants|mentions)(?: that)?|according to [^,]+,)\s+",
    re.IGNORECASE,
)


def nearness(text: str, lines: Sequence[tuple[str, str]], embedder: TextEmbedder, who: str) -> dict[str, float]:
    """How close in meaning text and evidence are: whole, passage by passage, clause by clause, voice by voice."""
    bare = _ATTRIBUTION.sub("", text)
    parts = [p for p in re.split(r"[;:]\s+|,\s+(?:and|but|while|as|since|because|so)\s+", bare) if len(p.split()) >= 3]
    passages = [(who_said, p) for who_said, line in lines for p in _pieces(line)]
    told = [text, bare, *parts]
    vectors = embedder.embed([*told, " ".join(line for _, line in lines), *(p for _, p in passages)])
    near = vectors[: len(told)] @ vectors[len(told) :].T
    found = {
        "near whole": float(near[0, 0]),
        "near bare": float(near[1].max()),
        "near passage": float(near[:2, 1:].max()) if passages else 0.0,
        "near least": float(near[2:].max(axis=1).min()) if parts else float(near[1].max()),
    }
    found |= _turned(bare, [p for _, p in passages] or [line for _, line in lines], embedder)
    if who and passages:
        own = [j + 1 for j, (w, _) in enumerate(passages) if roles.same_person(who, w)]
        rest = [j + 1 for j in range(len(passages)) if j + 1 not in own]
        mine = float(near[1, own].max()) if own else 0.0
        theirs = float(near[1, rest].max()) if rest else 0.0
        found["nearer to others"] = max(-0.4, min(0.4, theirs - mine))
    return found


def _turned(text: str, passages: Sequence[str], embedder: TextEmbedder) -> dict[str, float]:
    """Whether what was said is nearer to the text when one of its words is left out, denied or turned round.

    MiniLM was trained to hold contradictions apart (AllNLI): what bears `cheaper` is farther from `dearer`.
    """
    parts = text.split()
    content = [i for i, w in enumerate(parts) if words(w) and words(w)[0] not in STOPWORDS]
    without = [" ".join(parts[:i] + parts[i + 1 :]) for i in content]
    if _DENIAL.search(text):
        turned = [_DENIAL.sub("", text, count=1)]
    else:
        turned = [f"It is not true that {text}", _AUXILIARY.sub(r"\1 not ", text, count=1)]
    swapped = [
        " ".join([*parts[:i], other, *parts[i + 1 :]])
        for i in content
        for other in opposites_of(words(parts[i])[0])[:3]
    ]
    texts = [text, *without, *turned, *swapped]
    vectors = embedder.embed([*texts, *passages])
    near = vectors[: len(texts)] @ vectors[len(texts) :].T
    best = int(near[0].argmax())
    gains = near[:, best] - near[0, best]
    one, two = 1 + len(without), 1 + len(without) + len(turned)
    return {
        "nearer without a word": float(gains[1:one].max()) if without else 0.0,
        "nearer without words": float(gains[1:one].mean()) if without else 0.0,
        "nearer denied": float(gains[one:two].max()),
        "nearer turned": float(gains[two:].max()) if swapped else -0.15,
    }


_DENIAL = re.compile(r"\b(?:not|never|no longer|no|cannot)\b ?|n't\b", re.IGNORECASE)
_AUXILIARY = re.compile(r"\b(is|are|was|were|will|would|can|could|should|must|may|might|has|have|had) ", re.IGNORECASE)


def _pieces(line: str) -> list[str]:
    """Sentences of a line, longer ones also in halves of about twelve words."""
    found = []
    for sentence in re.split(r"(?<=[.!?])\s+", line):
        parts = sentence.split()
        if len(parts) >= 2:
            found.append(sentence)
        if len(parts) > 18:
            found += [" ".join(parts[i : i + 14]) for i in range(0, len(parts) - 6, 7)]
    return found
