#!/usr/bin/env python3
"""How much grounding lets through and refuses, on planted bullets (tests/data/grounding).

    python scripts/bench/grounding.py [--part tune|confirm|"round 1"] [--show] [--without-embedder] [--json]

--show prints every bullet that is judged wrongly, with the reasons.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from meetings.config import load_settings
from meetings.llm import Embedder
from meetings.models import locate

sys.path.insert(0, str(Path(__file__).parents[2]))
from tests.grounding_cases import Case, all_cases

FAITHFUL = "faithful"
PARTS = ("tune", "confirm", "round 1", "round 2", "round 3")


def main() -> None:
    """Print the table, or JSON."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--part", choices=PARTS)
    parser.add_argument("--show", action="store_true")
    parser.add_argument("--without-embedder", action="store_true")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    embedder = None if arguments.without_embedder else Embedder(_minilm())
    judged = [(c, c.judge(embedder)) for c in all_cases() if arguments.part in {None, c.half}]
    passed = [(c, v.ok) for c, v in judged]
    rows = [("all", passed)]
    rows += [(half, [(c, ok) for c, ok in passed if c.half == half]) for half in PARTS]
    rows = [(name, cases) for name, cases in rows if cases]
    if arguments.json:
        print(json.dumps({name: figures(cases) for name, cases in rows}, indent=1))
        return
    for name, cases in rows:
        print(f"{name}: {len(cases)} bullets")
        for kind, (wrong, of) in figures(cases).items():
            print(f"  {kind:36}{wrong:>4} of {of:<4}{100 * wrong / of:>6.1f} %")
    if arguments.show:
        for case, verdict in judged:
            if verdict.ok == bool(case.fault):
                print(f"\n[{case.half}, {case.scene}] {case.fault or FAITHFUL}: {case.text}")
                print(f"    {'; '.join(verdict.reasons) or 'let through'}")


def figures(cases: list[tuple[Case, bool]]) -> dict[str, tuple[int, int]]:
    """How many are judged wrongly, and of how many: faithful ones refused, unfaithful ones let through by class."""
    good = [ok for c, ok in cases if not c.fault]
    bad = [(c.fault, ok) for c, ok in cases if c.fault]
    found = {
        "faithful refused": (good.count(False), len(good)),
        "unfaithful let through": (sum(ok for _, ok in bad), len(bad)),
    }
    for fault in sorted({f for f, _ in bad}):
        found[f"  {fault}"] = (sum(ok for f, ok in bad if f == fault), sum(f == fault for f, _ in bad))
    return found


def _minilm() -> Path:
    settings = load_settings()
    return locate(settings.text_embedding_model, settings.models_folder)


if __name__ == "__main__":
    main()
