"""Whether a language model may write: it writes two dozen sentences of minutes that we know the truth of.

An answer that does not stand (wrong form, refused by grounding) costs nothing later: the quotation takes its place. An
answer that stands and is wrong would reach a reader. So a model is admitted when most of what it writes is right, and
next to nothing wrong gets past grounding. The verdict is kept for the model's own hash.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import lru_cache
from importlib import resources
from typing import Any

import yaml

from meetings.errors import TESTED_WRITERS
from meetings.llm import LanguageModel
from meetings.progress import Progress, no_progress
from meetings.store import FileStore, digest
from meetings.summary.ground import TextEmbedder
from meetings.summary.rewrite import rewrite

# Less than this right, and too many bullets would be quotations anyway, at the cost of a model. Of the notes that ship
# as good, grounding takes 19 of 24.
MIN_RIGHT = 2 / 3
MAX_WRONG = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """Sentences (speaker, text), a good note of them, what a note must tell (one of each) and what would be false."""

    said: tuple[tuple[str, str], ...]
    good: str
    must: tuple[tuple[str, ...], ...]
    never: tuple[str, ...]

    def judge(self, note: str) -> str:
        """`right`, or `wrong` if the note tells something false or leaves out what counts."""
        low = note.lower()
        if any(n.lower() in low for n in self.never):
            return "wrong"
        return "right" if all(any(m.lower() in low for m in alike) for alike in self.must) else "wrong"


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """A verdict: of `cases` answers, how many were right, wrong, or refused by grounding; `examples` of the wrong."""

    writer: str
    admitted: bool
    cases: int
    right: int
    wrong: int
    refused: int
    version: int
    examples: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """A plain object that `from_json` reads back."""
        return {**asdict(self), "examples": list(self.examples)}

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> Admission:
        """Read what `to_json` wrote."""
        return Admission(**{**data, "examples": tuple(data["examples"])})


@lru_cache(maxsize=1)
def admission_cases() -> tuple[int, tuple[Case, ...]]:
    """The version of the test that ships, and its cases."""
    data = yaml.safe_load((resources.files("meetings.summary") / "admission.yml").read_text(encoding="utf-8"))
    return int(data["version"]), tuple(
        Case(
            said=tuple((str(speaker), str(text)) for speaker, text in case["said"]),
            good=str(case["good"]),
            must=tuple(tuple(str(m) for m in alike) for alike in case["must"]),
            never=tuple(str(n) for n in case["never"]),
        )
        for case in data["cases"]
    )


def examine(
    model: LanguageModel,
    writer: str = "rewrite",
    *,
    embedder: TextEmbedder | None = None,
    progress: Progress = no_progress,
) -> Admission:
    """Let a model write the cases.

    Args:
        model: who writes.
        writer: one of `TESTED_WRITERS`.
        embedder: sentence embeddings for grounding, as bullets have them.
        progress: told the fraction done.

    Raises:
        LanguageModelError: the model failed.
    """
    version, cases = admission_cases()
    names = sorted({speaker for case in cases for speaker, _ in case.said})
    counts = {"right": 0, "wrong": 0, "refused": 0}
    examples: list[str] = []
    for number, case in enumerate(cases, start=1):
        note = rewrite(case.said, model, known_names=names, embedder=embedder)
        verdict = "refused" if note is None else case.judge(note)
        counts[verdict] += 1
        if verdict == "wrong" and note:
            examples.append(note)
        progress(number / len(cases))
    return Admission(
        writer=writer,
        admitted=counts["right"] >= MIN_RIGHT * len(cases) and counts["wrong"] <= MAX_WRONG,
        cases=len(cases),
        version=version,
        examples=tuple(examples),
        **counts,
    )


def record(store: FileStore, fingerprint: str, verdict: Admission) -> None:
    """Keep a verdict for a model's fingerprint."""
    store.write_json("admissions", _key(fingerprint, verdict.writer), verdict.to_json())


def recorded(store: FileStore, fingerprint: str, writer: str) -> Admission | None:
    """The verdict on a model by the test that ships now; None if it was never examined."""
    key = _key(fingerprint, writer)
    return Admission.from_json(store.read_json("admissions", key)) if store.has("admissions", key) else None


def admitted_writers(store: FileStore, fingerprint: str | None) -> tuple[str, ...]:
    """What a model may write."""
    if fingerprint is None:
        return ()
    return tuple(
        w for w in TESTED_WRITERS if (verdict := recorded(store, fingerprint, w)) is not None and verdict.admitted
    )


def _key(fingerprint: str, writer: str) -> str:
    return digest("admission", admission_cases()[0], fingerprint, writer)
