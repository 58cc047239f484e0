#!/usr/bin/env python3
"""A meeting of many: the speakers of several recordings with known turns, put into one call turn by turn.

    python scripts/bench/crowd.py RECORDING... [--rttm FILE] [--speakers 20] [--minutes 20] [--out DIR] [--score]

Where each voice is heard comes from RECORDING.rttm beside it, or from --rttm for those that have none. Voices heard
alone long enough are taken, the ones heard longest first. If they are fewer than asked for, more people are made by
shifting voices: pitch and formants are moved together and the pace is given back, which gives another person, though a
relative of the first: harder to tell apart than a stranger. Of 20 minutes nobody has as much to say, so that turns come
again. Writes crowd-N.flac and its RTTM, then, with --score, diarizes it and prints speakers found and DER.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from meetings.config import load_settings
from meetings.conversation import to_rttm
from meetings.evaluation import Said, diarization_error_rate, read_rttm
from meetings.speech import decode_audio, diarize, ffmpeg_binary, segment

RATE = 16_000  # Hz
STEP = 1.25  # between neighbouring voices made of one: nearly four semitones
SHORTEST, LONGEST = 1.0, 20.0  # seconds of the turns that are used
LEAST = 3.0  # seconds of such turns without which a speaker is left out
PAUSE = 0.5  # seconds within a turn

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class Line:
    """One turn's sound, and where in it the voice is heard (seconds)."""

    sound: Floats
    heard: tuple[tuple[float, float], ...]


def read(recording: Path, factor: float = 1.0) -> Floats:
    """The sound with its voices shifted, at its own pace, at one loudness."""
    effects = f"aresample={RATE},asetrate={round(RATE * factor)},aresample={RATE},atempo={1 / factor:.6f}"
    command = [
        str(ffmpeg_binary()), "-hide_banner", "-loglevel", "error", "-nostdin", "-i", str(recording), "-vn", "-ac", "1",
        "-af", effects, "-f", "f32le", "pipe:1",
    ]  # fmt: skip
    return np.frombuffer(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout, dtype="<f4")


def spans_alone(heard: Sequence[Said], speaker: str) -> Iterator[tuple[tuple[float, float], ...]]:
    """A speaker's turns, pauses in them allowed, during which nobody else is heard."""
    others = [(h.start, h.end) for h in heard if h.speaker != speaker]
    pieces = [piece for h in heard if h.speaker == speaker for piece in _without(h.start, h.end, others)]
    turn: list[tuple[float, float]] = []
    for start, end in pieces:
        if turn:
            near = start - turn[-1][1] < PAUSE and end - turn[0][0] <= LONGEST
            if not near or any(a < start and b > turn[-1][1] for a, b in others):
                yield tuple(turn)
                turn = []
        turn.append((start, end))
    if turn:
        yield tuple(turn)


def _without(start: float, end: float, others: Sequence[tuple[float, float]]) -> Iterator[tuple[float, float]]:
    """What is left of a span when the others' are taken out of it."""
    for a, b in sorted(others):
        if a < end and b > start:
            if a > start:
                yield start, a
            start = max(start, b)
    if end > start:
        yield start, end


def lines_of(sound: Floats, heard: Sequence[Said], speaker: str) -> list[Line]:
    """What a speaker says alone, all of it at one loudness."""
    lines = []
    for spans in spans_alone(heard, speaker):
        start, end = spans[0][0], spans[-1][1]
        piece = sound[round(start * RATE) : round(end * RATE)]
        if SHORTEST <= len(piece) / RATE <= LONGEST:
            loudness = float(np.sqrt(np.mean(np.square(piece)))) or 1.0
            lines.append(Line(sound=piece * (0.05 / loudness), heard=tuple((a - start, b - start) for a, b in spans)))
    return lines


def people_of(recordings: Mapping[Path, Sequence[Said]], wanted: int) -> dict[str, list[Line]]:
    """So many people and what each says, strangers first, then their shifted relatives."""
    people: dict[str, list[Line]] = {}
    factor = 1.0
    for round_ in range(9):
        found: dict[str, list[Line]] = defaultdict(list)
        for recording, heard in recordings.items():
            sound = read(recording, factor)
            for speaker in sorted({h.speaker for h in heard}):
                found[speaker if factor == 1.0 else f"{speaker}x{factor:.2f}"] += lines_of(sound, heard, speaker)
        seconds = {s: sum(len(line.sound) for line in lines) / RATE for s, lines in found.items()}
        for speaker in sorted(seconds, key=lambda s: -seconds[s]):
            if seconds[speaker] >= LEAST and len(people) < wanted:
                people[speaker] = found[speaker]
        if len(people) == wanted:
            break
        factor = STEP ** ((round_ // 2 + 1) * (1 if round_ % 2 else -1))
    return people


def meeting(people: Mapping[str, Sequence[Line]], seconds: float) -> tuple[Floats, list[tuple[float, float, str]]]:
    """Turns of everybody in a seeded order, one in ten cutting in; the sound, and where voices are heard."""
    rng = np.random.default_rng(11)
    sound = np.zeros(round((seconds + LONGEST + 2) * RATE), dtype=np.float32)
    spans: list[tuple[float, float, str]] = []
    used, spoken = dict.fromkeys(people, 0), dict.fromkeys(people, 0.0)
    clock, last = 1.0, ""
    while clock < seconds:
        # Whoever has spoken least comes next, more or less: everybody is heard, nobody in a fixed order.
        person = min((p for p in people if p != last), key=lambda p: spoken[p] + rng.uniform(0, 8.0))
        line = people[person][used[person] % len(people[person])]
        used[person] += 1
        spoken[person] += len(line.sound) / RATE
        start = max(0.0, clock + (-0.4 if rng.random() < 0.1 else rng.uniform(0.2, 0.8)))
        first = round(start * RATE)
        sound[first : first + len(line.sound)] += line.sound
        spans += [(start + a, start + b, person) for a, b in line.heard]
        clock, last = start + len(line.sound) / RATE, person
    sound = sound[: round((clock + 1) * RATE)]
    sound += rng.standard_normal(len(sound)).astype(np.float32) * np.float32(10 ** (-62 / 20))
    return np.clip(sound, -0.99, 0.99), spans


def score(recording: Path, reference: Sequence[Said]) -> dict[str, object]:
    """Diarize and compare."""
    settings = load_settings()
    models, threads = settings.models_folder, settings.cpu_threads
    with tempfile.TemporaryDirectory() as folder:
        audio = Path(folder) / "audio.wav"
        decode_audio(recording, audio, name=recording.name)
        began = time.monotonic()
        activity = segment(audio, segmentation=models / settings.segmentation_model, threads=threads)
        found = diarize(
            audio,
            activity=activity,
            segmentation=models / settings.segmentation_model,
            embedding=models / settings.embedding_model,
            threads=threads,
        )
        seconds = time.monotonic() - began
    hypothesis = [Said(speaker=t.speaker, start=t.start, end=t.end, text="") for t in found.turns]
    pairs: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    for one in reference:
        for other in found.turns:
            pairs[other.speaker][one.speaker] += max(0.0, min(one.end, other.end) - max(one.start, other.start))
    mixed = {v: {p: round(s) for p, s in sorted(who.items(), key=lambda x: -x[1]) if s > 3} for v, who in pairs.items()}
    return {
        "speakers": len({r.speaker for r in reference}),
        "found": len({t.speaker for t in found.turns}),
        "der": round(diarization_error_rate(reference, hypothesis), 3),
        "seconds": round(seconds, 1),
        "voices": mixed,
    }


def main() -> None:
    """Write sound and RTTM; score them if asked."""
    parser = argparse.ArgumentParser(description="Make a meeting of many people from recordings with known turns.")
    parser.add_argument("recordings", type=Path, nargs="+")
    parser.add_argument("--rttm", type=Path, help="where voices are heard in recordings that have no RTTM beside them")
    parser.add_argument("--speakers", type=int, default=20)
    parser.add_argument("--minutes", type=float, default=20.0)
    parser.add_argument("--out", type=Path, default=Path())
    parser.add_argument("--score", action="store_true", help="diarize it and print speakers found and DER as JSON")
    arguments = parser.parse_args()
    shared: dict[str, list[str]] = defaultdict(list)
    for line in arguments.rttm.read_text(encoding="utf-8").splitlines() if arguments.rttm else ():
        shared[line.split()[1]].append(line)
    recordings = {}
    for recording in arguments.recordings:
        beside = recording.with_suffix(".rttm")
        text = beside.read_text(encoding="utf-8") if beside.is_file() else "\n".join(shared[recording.stem])
        recordings[recording] = sorted(read_rttm(text), key=lambda s: (s.start, s.end))
    people = people_of(recordings, arguments.speakers)
    sound, spans = meeting(people, arguments.minutes * 60)
    arguments.out.mkdir(parents=True, exist_ok=True)
    stem = arguments.out / f"crowd-{len(people)}"
    command = [
        str(ffmpeg_binary()), "-hide_banner", "-loglevel", "error", "-y", "-f", "f32le", "-ar", str(RATE), "-ac", "1",
        "-i", "pipe:0", "-c:a", "flac", "-sample_fmt", "s16", f"{stem}.flac",
    ]  # fmt: skip
    subprocess.run(command, input=sound.astype("<f4").tobytes(), check=True)
    Path(f"{stem}.rttm").write_text(to_rttm(spans, recording=stem.name), encoding="utf-8")
    relatives = sum("x" in p for p in people)
    print(
        f"{stem}.flac: {len(sound) / RATE / 60:.1f} min, {len(people)} people, {relatives} of them shifted: "
        f"{', '.join(people)}"
    )
    if arguments.score:
        reference = [Said(speaker=who, start=start, end=end, text="") for start, end, who in spans]
        print(json.dumps(score(Path(f"{stem}.flac"), reference)))


if __name__ == "__main__":
    main()
