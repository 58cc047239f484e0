#!/usr/bin/env python3
"""How much grounding lets through and refuses, on planted bullets (tests/data/grounding).

    python scripts/bench/grounding.py [--part tune|confirm|"round 1"] [--show] [--without-embedder] [--json]

--show prints every bullet that is judged wrongly, with the reasons.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray

from meetings.config import load_settings
from meetings.llm import Embedder
from meetings.models import locate
from meetings.summary.ground import FATAL
from meetings.summary.judge import FOR, UNUSED, with_objections

sys.path.insert(0, str(Path(__file__).parents[2]))
from tests.grounding_cases import Case, all_cases

FAITHFUL = "faithful"
WEIGHTS = Path(__file__).parents[2] / "meetings" / "summary" / "judge.yml"
# The share of unfaithful bullets that may pass when the bar is set; bullets that no rule was made with count more.
LEAK, FRESH, FOLDS, PENALTY = 0.1, 2.0, 10, 0.01
Table = NDArray[np.float64]
PARTS = ("tune", "confirm", "round 1", "round 2", "round 3", "round 4")


def main() -> None:
    """Print the table, or JSON."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--part", choices=PARTS)
    parser.add_argument("--show", action="store_true")
    parser.add_argument("--without-embedder", action="store_true")
    parser.add_argument("--fit", nargs="+", metavar="PART", help="make judge.yml anew from these parts")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    embedder = None if arguments.without_embedder else Embedder(_minilm())
    if arguments.fit:
        WEIGHTS.write_text(yaml.safe_dump(fit(arguments.fit, embedder), sort_keys=False), encoding="utf-8")
        return
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


def fit(on: Sequence[str], embedder: Embedder | None) -> dict[str, Any]:
    """Weights and bar from the bullets of some parts, the bar from bullets that each fit had not seen."""
    cases = [c for c in all_cases() if c.half in on]
    measured = [c.measure(embedder) for c in cases]
    rows = [with_objections(figures, objections) for objections, figures in measured]
    fatal = np.array([any(o.startswith(FATAL) for o in objections) for objections, _ in measured])
    true = np.array([not c.fault for c in cases])
    fresh = np.array([c.half.startswith("round") for c in cases])
    names = sorted({n for row in rows for n in row} - UNUSED)
    table = np.array([[row.get(n, 0.0) for n in names] for row in rows])
    weight = np.where(fresh, FRESH, 1.0)
    scenes = sorted({c.scene for c in cases})
    fold = np.array([scenes.index(c.scene) % FOLDS for c in cases])
    unseen = np.zeros(len(cases))
    for number in range(FOLDS):
        weights, constant = _regress(table[fold != number], true[fold != number], weight[fold != number], names)
        unseen[fold == number] = _logistic(table[fold == number] @ weights + constant)
    unseen[fatal] = 0.0
    measured_on = fresh if fresh.any() else np.ones(len(cases), bool)
    bad = np.sort(unseen[measured_on & ~true])[::-1]
    bar = float(bad[int(LEAK * len(bad))]) + 1e-3
    refused = float(np.mean(unseen[measured_on & true] < bar))
    leaked = float(np.mean(unseen[measured_on & ~true] >= bar))
    print(f"crosswise: let through {100 * leaked:.1f} %, refused {100 * refused:.1f} % at {bar:.3f}")
    weights, constant = _regress(table, true, weight, names)
    kept = {n: round(float(w), 4) for n, w in zip(names, weights, strict=True) if abs(w) > 1e-3}
    return {"bar": round(bar, 3), "constant": round(float(constant), 4), "weights": kept}


def _regress(table: Table, true: NDArray[np.bool_], weight: Table, names: Sequence[str]) -> tuple[Table, float]:
    """Logistic regression with a penalty on the squares, weights of one sign a figure; by projected gradient."""
    scale = table.std(axis=0) + 1e-9
    scaled = np.hstack([table / scale, np.ones((len(table), 1))])
    signs = np.array([1.0 if n in FOR else -1.0 for n in names])
    # True and untrue bullets weigh the same in all.
    share = weight * np.where(true, 0.5 / weight[true].sum(), 0.5 / weight[~true].sum())
    values = np.zeros(len(names) + 1)
    step = 4.0 / (share.reshape(-1, 1) * scaled**2).sum(axis=0).sum()
    ahead, pace = values.copy(), 1.0
    for _ in range(3000):
        error = share * (_logistic(scaled @ ahead) - true)
        slope = scaled.T @ error + PENALTY * np.append(ahead[:-1], 0.0)
        following = ahead - step * slope
        following[:-1] = np.where(following[:-1] * signs > 0, following[:-1], 0.0)
        after = (1 + np.sqrt(1 + 4 * pace**2)) / 2
        ahead = following + (pace - 1) / after * (following - values)
        values, pace = following, after
    return values[:-1] / scale, float(values[-1])


def _logistic(values: Table) -> Table:
    return 1 / (1 + np.exp(-np.clip(values, -30, 30)))


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
