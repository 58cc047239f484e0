#!/usr/bin/env python3
"""A meeting of many: the speakers of a recording with known turns, each made into several people by shifting the voice.

    python scripts/bench/crowd.py RECORDING [--speakers 20] [--minutes 20] [--out DIR]

RECORDING.truth.json and RECORDING.rttm lie beside the recording (as for the sample call). Pitch and formants are moved
together and the pace is given back, which makes another person of a voice, though a relative of the first: harder to
tell apart than as many strangers. Writes crowd-N.flac, its truth and its RTTM;
score a run with scripts/bench/accuracy.py.
"""

from __future__ import annotations

import argparse
import json
import math
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from meetings.conversation import to_rttm
from meetings.evaluation import Said, read_rttm
from meetings.speech import ffmpeg_binary

RATE = 16_000  # Hz
STEP = 1.25  # between neighbouring voices made of one: nearly four semitones
SHORTEST, LONGEST = 1.5, 20.0  # seconds of the turns that are used


@dataclass(frozen=True, kw_only=True)
class Line:
    """One turn's sound, its text, and where in it the voice is heard (seconds)."""

    sound: np.ndarray
    text: str
    heard: tuple[tuple[float, float], ...]


def factors(count: int) -> list[float]:
    """`count` shifts around none: 1, then down and up in turn."""
    return [STEP ** ((n + 1) // 2 * (-1 if n % 2 else 1)) for n in range(count)]


def shifted(recording: Path, factor: float, folder: Path) -> np.ndarray:
    """The whole recording with its voices shifted, at its own pace."""
    path = folder / "shifted.raw"
    effects = f"aresample={RATE},asetrate={round(RATE * factor)},aresample={RATE},atempo={1 / factor:.6f}"
    command = [
        str(ffmpeg_binary()), "-hide_banner", "-loglevel", "error", "-nostdin", "-y", "-i", str(recording), "-vn",
        "-ac", "1", "-af", effects, "-f", "f32le", str(path),
    ]  # fmt: skip
    subprocess.run(command, check=True)
    return np.fromfile(path, dtype="<f4")


def lines_of(sound: np.ndarray, turns: list[dict[str, Any]], heard: tuple[Said, ...], speaker: str) -> list[Line]:
    """The turns of a speaker during which nobody else speaks."""
    lines = []
    for turn in turns:
        start, end = turn["start"], turn["end"]
        alone = not any(t is not turn and t["start"] < end and t["end"] > start for t in turns)
        if turn["speaker"] == speaker and alone and SHORTEST <= end - start <= LONGEST:
            spans = [(max(h.start, start) - start, min(h.end, end) - start) for h in heard if h.speaker == speaker]
            lines.append(
                Line(
                    sound=sound[round(start * RATE) : round(end * RATE)],
                    text=turn["text"],
                    heard=tuple((a, b) for a, b in spans if b > a),
                )
            )
    return lines


def main() -> None:
    """Write sound, truth and RTTM."""
    parser = argparse.ArgumentParser(description="Make a meeting of many people from a recording with known turns.")
    parser.add_argument("recording", type=Path)
    parser.add_argument("--speakers", type=int, default=20)
    parser.add_argument("--minutes", type=float, default=20.0)
    parser.add_argument("--out", type=Path, default=Path())
    arguments = parser.parse_args()
    turns = json.loads(arguments.recording.with_suffix(".truth.json").read_text(encoding="utf-8"))["turns"]
    heard = read_rttm(arguments.recording.with_suffix(".rttm").read_text(encoding="utf-8"))
    originals = sorted({t["speaker"] for t in turns})
    people: dict[str, list[Line]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for factor in factors(math.ceil(arguments.speakers / len(originals))):
            sound = shifted(arguments.recording, factor, Path(folder))
            for speaker in originals[: arguments.speakers - len(people)]:
                people[f"{speaker}.{factor:.2f}"] = lines_of(sound, turns, heard, speaker)
    silent = [person for person, lines in people.items() if not lines]
    if silent:
        parser.error(f"no turn of {', '.join(silent)} is long enough and free of others")
    sound, said, spans = meeting(people, arguments.minutes * 60)
    stem = arguments.out / f"crowd-{len(people)}"
    arguments.out.mkdir(parents=True, exist_ok=True)
    command = [
        str(ffmpeg_binary()), "-hide_banner", "-loglevel", "error", "-y", "-f", "f32le", "-ar", str(RATE), "-ac", "1",
        "-i", "pipe:0", "-c:a", "flac", "-sample_fmt", "s16", f"{stem}.flac",
    ]  # fmt: skip
    subprocess.run(command, input=sound.astype("<f4").tobytes(), check=True)
    truth = {"title": stem.name, "duration": len(sound) / RATE, "speakers": sorted(people), "turns": said}
    Path(f"{stem}.truth.json").write_text(json.dumps(truth, indent=1) + "\n", encoding="utf-8")
    Path(f"{stem}.rttm").write_text(to_rttm(spans, recording=stem.name), encoding="utf-8")
    print(f"{stem}.flac: {len(sound) / RATE / 60:.1f} min, {len(people)} people, {len(said)} turns")


def meeting(
    people: dict[str, list[Line]], seconds: float
) -> tuple[np.ndarray, list[dict[str, Any]], list[tuple[float, float, str]]]:
    """Turns of everybody in a seeded order, one in ten cutting in; the sound, the turns, and where voices are heard."""
    rng = np.random.default_rng(11)
    sound = np.zeros(round((seconds + LONGEST + 2) * RATE), dtype=np.float32)
    said: list[dict[str, Any]] = []
    spans: list[tuple[float, float, str]] = []
    used = dict.fromkeys(people, 0)
    clock, last = 1.0, ""
    while clock < seconds:
        # Whoever has spoken least comes next, more or less: everybody is heard, nobody in a fixed order.
        person = min((p for p in people if p != last), key=lambda p: used[p] + rng.uniform(0, 2.5))
        line = people[person][used[person] % len(people[person])]
        used[person] += 1
        start = max(0.0, clock + (-0.4 if rng.random() < 0.1 else rng.uniform(0.2, 0.8)))
        first = round(start * RATE)
        sound[first : first + len(line.sound)] += line.sound
        end = start + len(line.sound) / RATE
        said.append({"speaker": person, "start": round(start, 3), "end": round(end, 3), "text": line.text})
        spans += [(start + a, start + b, person) for a, b in line.heard]
        clock, last = end, person
    sound = sound[: round((clock + 1) * RATE)]
    sound += rng.standard_normal(len(sound)).astype(np.float32) * np.float32(10 ** (-62 / 20))
    return np.clip(sound, -0.99, 0.99), said, spans


if __name__ == "__main__":
    main()
