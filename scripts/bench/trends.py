#!/usr/bin/env python3
"""How well tasks are followed from one meeting to the next, on sentences labelled by hand.

    python scripts/bench/trends.py

Each pair is a task of one meeting and a sentence of a later one (tests/data/follow_ups.yml): that it is done, that it
is not, or something else that shares words with it. Printed are precision and recall of `done` and of being about the
same task at all, for the pairs that the rules were changed by and for those that nobody looked at; beside it what the
nearness of meaning alone (MiniLM) finds, at the threshold that suits it best.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import yaml

from meetings.config import load_settings
from meetings.conversation import Conversation, Speaker, Utterance
from meetings.llm import Embedder
from meetings.models import locate
from meetings.trends import Read, follow_work

PAIRS = Path(__file__).parents[2] / "tests" / "data" / "follow_ups.yml"
NAMES = ("Pat", "Ben", "Ana", "Carla", "Tom", "Emma", "Jonas", "Nadia", "Oscar", "Laura", "Maya", "Chris")


def meeting(number: int, *texts: str) -> Conversation:
    """A meeting in which these sentences are said by different people, among what is said of everything else."""
    everybody = tuple(
        Speaker(id=f"S{n}", name=name, username=name.lower(), confidence=1.0, how="given")
        for n, name in enumerate(NAMES)
    )
    utterances = tuple(
        Utterance(
            id=f"u{n}", speaker=everybody[(n + number) % len(everybody)].id, start=10.0 * n, end=10.0 * n + 6, text=text
        )
        for n, text in enumerate(texts)
    )
    return Conversation(
        id=f"m{number}",
        title="Weekly",
        language="en",
        duration=10.0 * len(texts),
        started_at=f"2026-11-{2 + 7 * number:02d}T10:00:00+00:00",
        participants=tuple(n.lower() for n in NAMES),
        speakers=everybody,
        utterances=utterances,
    )


def main() -> None:
    """Measure and print."""
    settings = load_settings()
    embedder = Embedder(locate(settings.text_embedding_model, settings.models_folder))
    entries = yaml.safe_load(PAIRS.read_text(encoding="utf-8"))
    for tuned in (True, False):
        mine = [e for e in entries if e["tuned"] is tuned]
        told: list[tuple[str, str]] = []
        near: list[tuple[float, str]] = []
        missed = 0
        for entry in mine:
            for text, label in entry["later"]:
                # What the words of a series weigh is known from all of it.
                rest = [e["task"] for e in mine if e is not entry]
                work = follow_work(Read([meeting(0, entry["task"], *rest), meeting(1, text)], embedder))
                (task,) = [w for w in work if w.said.utterance == "u0" and w.said.meeting == 0] or [None]
                missed += task is None
                told.append((task.state if task else "open", label))
                a, b = embedder.embed([entry["task"], text])
                near.append((float(a @ b), label))
        title = "tuned on" if tuned else "not looked at"
        print(f"{title}: {len(mine)} tasks, {len(told)} later sentences; in {missed} the task was not heard as one")
        print(f"  done: {_figures([(s == 'done', label == 'done') for s, label in told])}")
        same = [(s in {"done", "carried"}, label != "other") for s, label in told]
        print(f"  same task: {_figures(same)}")
        best = max((n for n, _ in near), key=lambda bar: _f1([(n >= bar, label != "other") for n, label in near]))
        alone = [(n >= best, label != "other") for n, label in near]
        print(f"  same task by meaning alone, at its best threshold ({best:.2f}): {_figures(alone)}")


def _counts(pairs: Sequence[tuple[bool, bool]]) -> tuple[int, int, int]:
    return sum(a and b for a, b in pairs), sum(a for a, _ in pairs), sum(b for _, b in pairs)


def _f1(pairs: Sequence[tuple[bool, bool]]) -> float:
    right, said, true = _counts(pairs)
    return 2 * right / (said + true) if said + true else 0.0


def _figures(pairs: Sequence[tuple[bool, bool]]) -> str:
    right, said, true = _counts(pairs)
    precision, recall = (right / n if n else 0.0 for n in (said, true))
    return f"precision {precision:.2f} ({right}/{said}), recall {recall:.2f} ({right}/{true})"


if __name__ == "__main__":
    main()
