#!/usr/bin/env python3
"""Score a processed recording against its truth: speech, speed, memory, and what each person got.

    python scripts/bench/accuracy.py OUT_DIR TRUTH_STEM [--json]

OUT_DIR is the folder of `meetings process`; TRUTH_STEM.truth.json and TRUTH_STEM.rttm are the truth. If the truth says
what each person ought to get, their bullets are compared with it: an item counts as got when a bullet's evidence shares
time with the turns that carry the item.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from meetings.conversation import read_conversation
from meetings.evaluation import Said, read_rttm, score_speech


def main() -> None:
    """Print the table, or JSON."""
    parser = argparse.ArgumentParser()
    parser.add_argument("out", type=Path)
    parser.add_argument("truth")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    truth = json.loads(Path(arguments.truth + ".truth.json").read_text())
    conversation = read_conversation(arguments.out / "transcript.json")
    reference = [Said(speaker=t["speaker"], start=t["start"], end=t["end"], text=t["text"]) for t in truth["turns"]]
    hypothesis = [Said(speaker=u.speaker, start=u.start, end=u.end, text=u.text) for u in conversation.utterances]
    score = score_speech(
        reference,
        hypothesis,
        reference_turns=read_rttm(Path(arguments.truth + ".rttm").read_text()),
        hypothesis_turns=read_rttm((arguments.out / "speakers.rttm").read_text()),
    )
    run = json.loads((arguments.out / "run.json").read_text())
    result: dict[str, Any] = {
        "speech": asdict(score),
        "named": {s.name: f"{s.how} {s.confidence:.2f}" for s in conversation.speakers},
        "real_time_factor": run["real_time_factor"],
        "stages": {s["stage"]: s["seconds"] for s in run["stages"] if not s["reused"]},
        "peak_rss_mb": run["peak_rss_mb"],
    }
    if "expected" in truth:
        result["people"] = people(truth, conversation, arguments.out)
    if arguments.json:
        print(json.dumps(result, indent=1))
        return
    for key, value in result["speech"].items():
        print(f"{key:16}{value:.4f}" if isinstance(value, float) else f"{key:16}{value}")
    print(f"{'rtf':16}{result['real_time_factor']}\n{'peak rss':16}{result['peak_rss_mb']} MB")
    for name, seconds in result["stages"].items():
        print(f"  {name:24}{seconds:8.1f} s")
    print("names:", result["named"])
    if "people" in result:
        print(f"{'person':16}{'must got':>10}{'all got':>10}{'bullets':>9}{'unasked':>9}{'unwanted':>10}  missed")
        for name, p in result["people"].items():
            print(
                f"{name:16}{p['must']:>10}{p['all']:>10}{p['bullets']:>9}{p['unasked']:>9}{p['unwanted']:>10}"
                f"  {'; '.join(p['missed'])}"
            )


def people(truth: dict[str, Any], conversation: Any, out: Path) -> dict[str, dict[str, Any]]:
    """Each person's bullets against what they ought to get."""
    spans = {u.id: (u.start, u.end) for u in conversation.utterances}
    turns = [(t["start"], t["end"]) for t in truth["turns"]]
    result: dict[str, dict[str, Any]] = {}
    totals = [0, 0, 0, 0, 0, 0, 0]
    for username, expected in truth["expected"].items():
        file = out / "summaries" / f"{username}.json"
        if not file.exists():
            continue
        bullets = [
            [(bullet["start"], bullet["start"] + 0.1), *(spans[e] for e in bullet["evidence"])]
            for bullet in json.loads(file.read_text())["bullets"]
        ]
        touched = [{i for i, t in enumerate(turns) if any(_shared(t, span) for span in spans_)} for spans_ in bullets]
        items = expected["items"]
        got = [any(set(item["turns"]) & t for t in touched) for item in items]
        must = [g for g, item in zip(got, items, strict=True) if item["must"]]
        wanted = {i for item in items for i in item["turns"]}
        refused = {i for item in expected["not_for"] if isinstance(item, dict) for i in item["turns"]}
        unasked = sum(1 for t in touched if not t & wanted)
        unwanted = sum(1 for t in touched if t & refused and not t & wanted)
        missed = [item["what"] for g, item in zip(got, items, strict=True) if item["must"] and not g]
        for index, value in enumerate((sum(must), len(must), sum(got), len(got), len(bullets), unasked, unwanted)):
            totals[index] += value
        result[username] = {
            "must": f"{sum(must)}/{len(must)}",
            "all": f"{sum(got)}/{len(got)}",
            "bullets": len(bullets),
            "unasked": unasked,
            "unwanted": unwanted,
            "missed": missed,
        }
    result["together"] = {
        "must": f"{totals[0]}/{totals[1]}",
        "all": f"{totals[2]}/{totals[3]}",
        "bullets": totals[4],
        "unasked": totals[5],
        "unwanted": totals[6],
        "missed": [],
    }
    return result


def _shared(one: tuple[float, float], other: tuple[float, float]) -> bool:
    """Whether two spans share about a tenth of a second or more."""
    return min(one[1], other[1]) - max(one[0], other[0]) > 0.09


if __name__ == "__main__":
    main()
