"""What backends are compared on: conversations with their readers and, where somebody wrote it down, the truth."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from meetings.conversation import Conversation, from_json, read_conversation
from meetings.errors import ConversationError, PeopleError
from meetings.people import Person, read_people

SAMPLE = "sample"
TRUTH = ".truth.json"
_NEEDED = ("turns", "speakers", "expected")


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A conversation, who reads it, and what each ought to get (`meetings.evaluation.score_summaries`)."""

    conversation: Conversation
    people: tuple[Person, ...]
    truth: Mapping[str, Any] | None = None


def read_cases(on: str, people: Path | None) -> tuple[Case, ...]:
    """The cases of `--on`.

    Args:
        on: `sample`, the call that ships, as it was spoken and not as a recogniser heard it; or a folder. Of a folder:
            every transcript in it or one folder below (`transcript.json`, else any `.json`), and beside `NAME.json`
            what is true of it, `NAME.truth.json`.
        people: who reads; default the sample's people, or `people.yml` in the folder.

    Raises:
        ConversationError: there is no conversation, or a file is wrong.
        PeopleError: nobody reads.
    """
    if on == SAMPLE:
        return (_sample(people),)
    folder = Path(on)
    if not folder.is_dir():
        raise ConversationError(f"--on {on}: give {SAMPLE}, or a folder with transcripts")
    readers = people or folder / "people.yml"
    if people is None and not readers.is_file():
        raise PeopleError(f"{folder} has no people.yml; say who reads: --people FILE")
    who = read_people(readers)
    cases = tuple(
        Case(conversation=read_conversation(file), people=who, truth=_truth(file)) for file in _transcripts(folder)
    )
    if not cases:
        raise ConversationError(f"{folder} holds no transcript; put a transcript.json or NAME.json into it")
    return cases


def _transcripts(folder: Path) -> list[Path]:
    def of(place: Path) -> list[Path]:
        if (place / "transcript.json").is_file():
            return [place / "transcript.json"]
        own = {"run.json", "comparison.json"}
        return [f for f in sorted(place.glob("*.json")) if not f.name.endswith(TRUTH) and f.name not in own]

    below = [f for place in sorted(p for p in folder.iterdir() if p.is_dir()) for f in of(place)]
    # The summaries of a run lie in a folder of their own and are none.
    return [f for f in [*of(folder), *below] if f.parent.name != "summaries" or f.parent == folder]


def _truth(file: Path) -> Mapping[str, Any] | None:
    beside = file.with_name(file.stem + TRUTH)
    if not beside.is_file():
        return None
    try:
        data = json.loads(beside.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ConversationError(f"{beside}: cannot be read as JSON") from error
    missing = [k for k in _NEEDED if not isinstance(data, dict) or k not in data]
    if missing:
        raise ConversationError(f"{beside}: lacks {', '.join(missing)}; see docs/models.md")
    found: Mapping[str, Any] = data
    return found


def _sample(people: Path | None) -> Case:
    with resources.as_file(resources.files("meetings") / "sandbox" / "data") as data:
        stem = data / "sample_call" / "weekly-product-call.json"
        truth = _truth(stem)
        who = read_people(people or data / "people.yml")
    assert truth is not None
    return Case(conversation=spoken(truth, who, ident="sample"), people=who, truth=truth)


def spoken(truth: Mapping[str, Any], people: Sequence[Person], *, ident: str) -> Conversation:
    """The conversation that the truth writes down, everybody named."""
    names = {p.username: p.name for p in people}
    return from_json(
        {
            "id": ident,
            "title": truth["title"],
            "language": truth.get("language"),
            "duration": truth.get("duration", 0.0),
            "started_at": f"{truth['date']}T10:00:00Z",
            "participants": list(truth["speakers"]),
            "speakers": [
                {
                    "id": u,
                    "name": names.get(u) or u.replace(".", " ").title(),
                    "username": u,
                    "confidence": 1.0,
                    "how": "given",
                }
                for u in truth["speakers"]
            ],
            "utterances": [{**turn, "id": f"u{n}"} for n, turn in enumerate(truth["turns"])],
        }
    )
