#!/usr/bin/env python3
"""Precision and recall of decisions, actions, risks, questions and numbers, on sentences labelled by hand.

    python scripts/bench/kinds.py [--labels tests/data/kinds/labels.jsonl] [--wrong] [--json]

Prints both for the two halves of the training meetings, for some validation meetings, for the sentences that were
drawn evenly (recall means most there) and for all. `>=` is the lower end of the 95 % interval of the precision. --wrong
lists the sentences that were taken for something else. What the labels mean: tests/data/kinds/README.md.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from meetings.evaluation import KindScore, Labelled, score_kinds
from meetings.summary.kinds import QUIET, read_sentence
from meetings.summary.text import clean

LABELS = Path(__file__).parents[2] / "tests" / "data" / "kinds" / "labels.jsonl"
KINDS = ("decision", "action", "risk", "question", "number")
# How the speakers of the labelled meetings are called.
NAMES = ("project manager", "industrial designer", "user interface", "marketing")
PARTS: dict[str, Callable[[dict[str, Any]], bool]] = {
    "tune": lambda item: item["half"] == "tune",
    "confirm": lambda item: item["half"] == "confirm",
    "validation": lambda item: item["half"] == "validation",
    "evenly drawn": lambda item: item["drawn"] == "evenly",
    "all": lambda item: bool(item),
}


def read_labels(path: Path = LABELS) -> list[dict[str, Any]]:
    """The labelled sentences with what the recogniser makes of each: `found`, `found_owners`."""
    items = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    for item in items:
        reading = read_sentence(clean(item["text"]), names=NAMES)
        # A quiet question is small talk, or runs the meeting: it counts as information.
        quiet = reading.kind == "question" and reading.strength < QUIET
        item["found"] = "info" if quiet else reading.kind
        item["found_owners"] = sorted(owner.lower() for owner in reading.owners)
    return items


def score(items: list[dict[str, Any]]) -> dict[str, KindScore]:
    """The score of each kind."""
    labelled = [Labelled(kind=i["kind"], also=tuple(i["also"]), found=i["found"]) for i in items]
    return dict(score_kinds(labelled, KINDS))


def owners(items: list[dict[str, Any]]) -> tuple[int, int]:
    """Actions found whose owners are exactly those labelled, and all actions found."""
    found = [i for i in items if i["kind"] == i["found"] == "action"]
    return sum(i["found_owners"] == sorted(o.lower() for o in i["owners"]) for i in found), len(found)


def main() -> None:
    """Print the tables, or JSON."""
    parser = argparse.ArgumentParser(description="Precision and recall of the kinds of what is said.")
    parser.add_argument("--labels", type=Path, default=LABELS)
    parser.add_argument("--wrong", action="store_true", help="list the sentences that were taken for something else")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    items = read_labels(arguments.labels)
    right, found = owners(items)
    parts = {name: [i for i in items if belongs(i)] for name, belongs in PARTS.items()}
    scores = {name: score(chosen) for name, chosen in parts.items()}
    if arguments.json:
        table = {
            name: {
                "sentences": len(parts[name]),
                **{
                    kind: {**asdict(s), "precision": s.precision, "at_least": s.at_least, "recall": s.recall}
                    for kind, s in kinds.items()
                },
            }
            for name, kinds in scores.items()
        }
        print(json.dumps({**table, "owners": {"right": right, "actions": found}}, indent=1))
        return
    for name, kinds in scores.items():
        print(f"{name} ({len(parts[name])} sentences)")
        for kind, s in kinds.items():
            print(
                f"  {kind:10} precision {s.right:3} of {s.found:3} {s.precision:.2f} (>= {s.at_least:.2f})"
                f"   recall {s.caught:3} of {s.labelled:3} {s.recall:.2f}"
            )
    print(f"owners right: {right} of {found} actions")
    if arguments.wrong:
        for item in items:
            if item["found"] not in (item["kind"], *item["also"]):
                where = f"{item['meeting']} {item['turn']} {item['half']}"
                print(f"{where}: {item['kind']}, taken for {item['found']}: {item['text']}")


if __name__ == "__main__":
    main()
