"""Whether a language model may write: it writes what we know the truth of.

Three tests, one for each thing it may be admitted for: two dozen sentences of minutes (`rewrite`), the notes of a dozen
readers of six short calls (`compose`), a dozen sentences into a language. An answer that does not stand (wrong form,
refused by the same check as later) costs nothing: the quotation takes its place. An answer that stands and is wrong
would reach a reader. So a model is admitted when most of what is asked for comes right, and next to nothing wrong gets
past the check. The verdict is kept for the model's own hash.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from importlib import resources
from typing import Any

import yaml

from meetings.conversation import Conversation, Speaker, Utterance
from meetings.errors import TESTED_WRITERS, ModelError
from meetings.llm import LanguageModel, TextEmbedder
from meetings.people import Person, build_persona
from meetings.progress import Progress, no_progress
from meetings.store import FileStore, digest
from meetings.summary.compose import compose
from meetings.summary.composed import standing_on
from meetings.summary.evidence import embed_personas, prepare_talk, weigh
from meetings.summary.rewrite import Said, rewrite_each, tidy
from meetings.summary.statements import build_statements, known_names
from meetings.summary.translate import LANGUAGES, translate_each, translator

# Less than this right, and too many bullets would be quotations anyway, at the cost of a model. Of the notes that ship
# as good, grounding takes 19 of 24.
MIN_RIGHT = 2 / 3
MAX_WRONG = 1
# Cases that are asked for together.
_AT_ONCE = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """Sentences (speaker, text), a good note of them, what a note must tell (one of each) and what would be false."""

    said: tuple[tuple[str, str], ...]
    good: str
    must: tuple[tuple[str, ...], ...]
    never: tuple[str, ...]

    def judge(self, note: str) -> str:
        """`right`, or `wrong` if the note tells something false or leaves out what counts."""
        return "right" if not _holds_any(note, self.never) and _holds(note, self.must) else "wrong"


@dataclass(frozen=True, slots=True, kw_only=True)
class GoodNote:
    """A note as it should be: the numbers of its lines, kind and text."""

    lines: tuple[int, ...]
    kind: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CallReader:
    """A reader of a call: the matters that their notes must tell, what would be false, and good notes."""

    name: str
    position: str
    must: tuple[tuple[tuple[str, ...], ...], ...]
    never: tuple[str, ...]
    good: tuple[GoodNote, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A short call, as (speaker, text), and who reads it."""

    said: tuple[tuple[str, str], ...]
    readers: tuple[CallReader, ...]

    def conversation(self) -> Conversation:
        """The call as a conversation, five seconds a line."""
        voices = list(dict.fromkeys(name for name, _ in self.said))
        return Conversation(
            id="admission",
            language="en",
            started_at="2026-11-19T10:00:00+00:00",
            duration=5.0 * len(self.said),
            speakers=tuple(Speaker(id=v, name=v, confidence=1.0, how="given") for v in voices),
            utterances=tuple(
                Utterance(id=f"u{n}", speaker=name, start=5.0 * n, end=5.0 * n + 5, text=text)
                for n, (name, text) in enumerate(self.said)
            ),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentence:
    """A sentence to translate, and by language a good translation, what one must hold and what would be false."""

    source: str
    by_language: Mapping[str, Case]


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """A verdict on one writer, or one translation: of `cases` how many came right, and `examples` of what was wrong.

    `asked` of the cases were put: what decides nothing any more is not asked. `wrong` and `refused` count notes: for
    `compose`, where a case is a matter to tell, there may be more than cases.
    """

    writer: str
    admitted: bool
    cases: int
    asked: int
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
        """Read what `to_json` wrote; before `asked` was kept, all cases were put."""
        return Admission(**{"asked": data["cases"], **data, "examples": tuple(data["examples"])})


@lru_cache(maxsize=1)
def admission_cases() -> tuple[int, tuple[Case, ...]]:
    """The version of the test for `rewrite` that ships, and its cases."""
    data = _shipped("admission.yml")
    return int(data["version"]), tuple(
        _case(case, said=tuple((str(speaker), str(text)) for speaker, text in case["said"])) for case in data["cases"]
    )


@lru_cache(maxsize=1)
def admission_calls() -> tuple[int, tuple[Call, ...]]:
    """The version of the test for `compose` that ships, and its calls."""
    data = _shipped("admission_compose.yml")
    return int(data["version"]), tuple(
        Call(
            said=tuple((str(speaker), str(text)) for speaker, text in case["said"]),
            readers=tuple(_reader(r) for r in case["readers"]),
        )
        for case in data["cases"]
    )


@lru_cache(maxsize=1)
def admission_sentences() -> tuple[int, tuple[Sentence, ...]]:
    """The version of the test for translations that ships, and its sentences."""
    data = _shipped("admission_translation.yml")
    return int(data["version"]), tuple(
        Sentence(source=str(case["source"]), by_language={code: _case(case[code]) for code in LANGUAGES})
        for case in data["cases"]
    )


def _shipped(name: str) -> Any:
    return yaml.safe_load((resources.files("meetings.summary") / name).read_text(encoding="utf-8"))


def _case(data: Mapping[str, Any], said: tuple[tuple[str, str], ...] = ()) -> Case:
    return Case(said=said, good=str(data["good"]), must=_alike(data["must"]), never=tuple(map(str, data["never"])))


def _reader(data: Mapping[str, Any]) -> CallReader:
    return CallReader(
        name=data["name"],
        position=data["position"],
        must=tuple(_alike(matter) for matter in data["must"]),
        never=tuple(map(str, data["never"])),
        good=tuple(GoodNote(lines=tuple(n["lines"]), kind=n["kind"], text=n["text"]) for n in data["good"]),
    )


def _alike(groups: Sequence[Sequence[Any]]) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(str(word) for word in group) for group in groups)


def _holds(note: str, must: Sequence[Sequence[str]]) -> bool:
    low = note.lower()
    return all(any(m.lower() in low for m in alike) for alike in must)


def _holds_any(note: str, never: Sequence[str]) -> bool:
    return any(n.lower() in note.lower() for n in never)


def examine(
    model: LanguageModel,
    writer: str = "rewrite",
    *,
    language: str = "",
    embedder: TextEmbedder | None = None,
    whole: bool = False,
    progress: Progress = no_progress,
) -> Admission:
    """Let a model write the cases, until all are written or it can no longer be admitted.

    Args:
        model: who writes.
        writer: one of `TESTED_WRITERS`.
        language: test translation into this language (one of `LANGUAGES`) instead of a writer.
        embedder: sentence embeddings for grounding, as bullets have them; `compose` needs them to read a call.
        whole: go on when it is certain that the model is refused, for figures of all cases.
        progress: told the fraction done.

    Raises:
        ModelError: there is no embedder for `compose`.
        LanguageModelError: the model failed.
    """
    if language:
        outcomes = _translations(model, language)
        cases, version = len(admission_sentences()[1]), admission_sentences()[0]
        what = translator(language)
    elif writer == "compose":
        if embedder is None:
            raise ModelError("a call is read with sentence embeddings; run: meetings models pull minilm-l6-v2")
        outcomes = _notes(model, embedder)
        cases, version = sum(len(r.must) for c in admission_calls()[1] for r in c.readers), admission_calls()[0]
        what = writer
    else:
        outcomes = _sentences(model, embedder)
        cases, version = len(admission_cases()[1]), admission_cases()[0]
        what = writer
    counts = {"right": 0, "wrong": 0, "refused": 0}
    examples: list[str] = []
    needed, asked = MIN_RIGHT * cases, 0
    for put, written in outcomes:
        asked += put
        for verdict, text in written:
            counts[verdict] += 1
            if verdict == "wrong":
                examples.append(text)
        lost = counts["wrong"] > MAX_WRONG or counts["right"] + cases - asked < needed
        if lost and not whole:
            progress(1.0)
            break
        progress(asked / cases)
    return Admission(
        writer=what,
        admitted=counts["right"] >= needed and counts["wrong"] <= MAX_WRONG,
        cases=cases,
        asked=asked,
        version=version,
        examples=tuple(examples),
        **counts,
    )


# How many cases were put, and what was written: `right`, `wrong` or `refused`, with the text.
_Part = tuple[int, list[tuple[str, str]]]


def _sentences(model: LanguageModel, embedder: TextEmbedder | None) -> Iterator[_Part]:
    _, cases = admission_cases()
    names = tuple(sorted({speaker for case in cases for speaker, _ in case.said}))
    for part in (cases[start : start + _AT_ONCE] for start in range(0, len(cases), _AT_ONCE)):
        notes = rewrite_each([Said(sentences=c.said, known_names=names) for c in part], model, embedder=embedder)
        yield len(part), [_judged(case, note) for case, note in zip(part, notes, strict=True)]


def _translations(model: LanguageModel, language: str) -> Iterator[_Part]:
    _, cases = admission_sentences()
    for part in (cases[start : start + _AT_ONCE] for start in range(0, len(cases), _AT_ONCE)):
        texts = translate_each([c.source for c in part], language, model)
        yield len(part), [_judged(c.by_language[language], text) for c, text in zip(part, texts, strict=True)]


def _judged(case: Case, note: str | None) -> tuple[str, str]:
    return ("refused", "") if note is None else (case.judge(note), note)


def _notes(model: LanguageModel, embedder: TextEmbedder) -> Iterator[_Part]:
    """`right` for every matter that a note which stands tells a reader; notes that are false, or do not stand."""
    _, calls = admission_calls()
    for call in calls:
        personas = [build_persona(Person(username=r.name, name=r.name, position=r.position)) for r in call.readers]
        conversation = call.conversation()
        names = known_names(conversation, [(p.person.username, p.person.name, p.names) for p in personas])
        talk = prepare_talk(conversation, build_statements(conversation, names), embedder)
        evidences = [
            weigh(talk, persona, vectors)
            for persona, vectors in zip(personas, embed_personas(personas, embedder), strict=True)
        ]
        people = sorted({n.shown for n in names})
        written: list[tuple[str, str]] = []
        for reader, draft in zip(call.readers, compose(talk, evidences, model), strict=True):
            told = [(tidy(c.note.text), c) for c in draft.claims]
            standing = [text for text, claim in told if standing_on(text, claim, people, embedder)]
            true = [text for text in standing if not _holds_any(text, reader.never)]
            written += [("wrong", text) for text in standing if text not in true]
            written += [("refused", "")] * (len(told) - len(standing) + draft.malformed + draft.unanswered)
            written += [("right", "") for matter in reader.must if any(_holds(t, matter) for t in true)]
        yield sum(len(r.must) for r in call.readers), written


def record(store: FileStore, fingerprint: str, verdict: Admission) -> None:
    """Keep a verdict for a model's fingerprint."""
    store.write_json("admissions", _key(fingerprint, verdict.writer), verdict.to_json())


def recorded(store: FileStore, fingerprint: str, writer: str) -> Admission | None:
    """The verdict on a model by the test that ships now; None if it was never examined."""
    key = _key(fingerprint, writer)
    return Admission.from_json(store.read_json("admissions", key)) if store.has("admissions", key) else None


def admitted_writers(store: FileStore, fingerprint: str | None) -> tuple[str, ...]:
    """What a model may write, and into which languages it may translate (`translate-de`)."""
    if fingerprint is None:
        return ()
    tested = (*TESTED_WRITERS, *(translator(code) for code in LANGUAGES))
    return tuple(w for w in tested if (verdict := recorded(store, fingerprint, w)) is not None and verdict.admitted)


def _key(fingerprint: str, writer: str) -> str:
    versions = {"rewrite": admission_cases, "compose": admission_calls}
    version, _ = versions.get(writer, admission_sentences)()
    return digest("admission", version, fingerprint, writer)
