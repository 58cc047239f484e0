#!/usr/bin/env python3
"""Speak the sample call: scripts/sample_call/script.txt becomes the mp4, its truth and its RTTM.

Needs flite and sox (Debian), and in a virtual environment of its own: hibari-tts, numpy, scipy, pillow, PyYAML,
imageio-ffmpeg. The voices are synthetic and distinct; two are shifted in pitch and formants by sox.

    python scripts/make_sample_call.py [--out meetings/sandbox/data/sample_call]
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import imageio_ffmpeg
import numpy as np
import yaml
from PIL import Image, ImageDraw, ImageFont
from scipy.io import wavfile
from scipy.signal import resample_poly

ROOT = Path(__file__).parents[1]
RATE = 24_000
NAME = "weekly-product-call"
# Seconds. In the RTTM shorter silence belongs to the speech around it, as in the NIST Rich Transcription evaluations.
PAUSE = 0.3
# Engine, its voice, then sox effects. `speed` moves pitch and formants together, which makes another person of a
# voice; `tempo` gives the pace back. They are as far apart as stays understandable: with less, pyannote's segmentation
# takes two of these voices for one wherever they take short turns (9 % of speech confused in ten seconds,here 6).
VOICES: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "maya": ("hibari", "heart", ("speed", "1.12", "tempo", "0.92")),
    "ben": ("flite", "awb", ("speed", "1.06", "tempo", "1.00")),
    "laura": ("flite", "slt", ("speed", "0.88", "tempo", "1.12", "highpass", "150")),
    "oscar": ("flite", "rms", ("speed", "0.90", "tempo", "1.18")),
    "nadia": ("hibari", "heart", ("speed", "0.82", "tempo", "1.15")),
}
LINE = re.compile(r"(?P<who>\w+)(?: (?P<gap>-?[\d.]+))?: (?P<text>.*?) \{\{(?P<tags>.*)\}\}")


@dataclass
class Line:
    """One line of the script."""

    who: str
    gap: float
    text: str
    tags: tuple[str, ...]


def read_script(path: Path) -> list[Line]:
    """The lines of the script in order."""
    lines = []
    for raw in path.read_text().splitlines():
        if raw and not raw.startswith("#"):
            match = LINE.fullmatch(raw)
            assert match, raw
            gap = float(match["gap"]) if match["gap"] else 0.45
            lines.append(Line(match["who"], gap, match["text"], tuple(match["tags"].split())))
    return lines


def speak(line: Line, folder: Path) -> np.ndarray:
    """One line as float32 mono at `RATE`, silence cut off at both ends."""
    engine, voice, effects = VOICES[line.who]
    raw, shaped = folder / "raw.wav", folder / "shaped.wav"
    if engine == "hibari":
        wavfile.write(raw, 24_000, (np.clip(hibari()(line.text, seed=0), -1, 1) * 32767).astype(np.int16))
    else:
        subprocess.run(["flite", "-voice", voice, "-t", line.text, "-o", str(raw)], check=True)
    subprocess.run(["sox", "-D", str(raw), "-r", str(RATE), str(shaped), "gain", "-3", *effects], check=True)
    rate, samples = wavfile.read(shaped)
    audio = samples.astype(np.float32) / 32768
    if rate != RATE:
        audio = resample_poly(audio, RATE, rate).astype(np.float32)
    loud = np.flatnonzero(np.abs(audio) > 0.01 * np.abs(audio).max())
    audio = audio[max(0, loud[0] - 240) : loud[-1] + 480]
    return audio / np.sqrt(np.mean(audio**2)) * 0.07


_HIBARI: list[Any] = []


def hibari() -> Any:
    """The neural voice, loaded once."""
    if not _HIBARI:
        from hibari import Hibari

        _HIBARI.append(Hibari())
    return _HIBARI[0]


def voiced(audio: np.ndarray) -> list[tuple[float, float]]:
    """Where a line is heard, in seconds from its start: cut at pauses of `PAUSE` and more."""
    heard = np.flatnonzero(np.abs(audio) > 0.02 * np.abs(audio).max()) / RATE
    cuts = np.flatnonzero(np.diff(heard) >= PAUSE)
    starts = [0.0, *heard[cuts + 1]]
    ends = [*heard[cuts], len(audio) / RATE]
    return list(zip(starts, ends, strict=True))


def mix(lines: list[Line]) -> tuple[np.ndarray, list[dict[str, Any]]]:
    """The whole call and its turns with exact times in seconds."""
    pieces, turns, clock = [], [], 1.5
    with tempfile.TemporaryDirectory() as folder:
        for line in lines:
            audio = speak(line, Path(folder))
            start = max(0.0, clock + line.gap)
            pieces.append((round(start * RATE), audio))
            end = start + len(audio) / RATE
            turns.append(
                {
                    "speaker": line.who,
                    "start": round(start, 3),
                    "end": round(end, 3),
                    "text": line.text,
                    "tags": line.tags,
                    "voiced": [(start + a, start + b) for a, b in voiced(audio)],
                }
            )
            clock = max(clock, end)
    total = np.zeros(round((clock + 1.5) * RATE), dtype=np.float32)
    for offset, audio in pieces:
        total[offset : offset + len(audio)] += audio
    rng = np.random.default_rng(7)
    # A quiet room: noise about 50 dB below the voices, low frequencies strongest.
    noise = np.cumsum(rng.standard_normal(len(total))).astype(np.float32)
    noise -= np.convolve(noise, np.ones(480) / 480, mode="same").astype(np.float32)
    total += noise / noise.std() * 0.0003
    return np.clip(total, -0.99, 0.99), turns


def picture(path: Path, names: list[str]) -> None:
    """The still picture: one tile a person, as Calls shows them."""
    image = Image.new("RGB", (1280, 720), (27, 30, 38))
    draw = ImageDraw.Draw(image)
    colours = [(61, 111, 180), (180, 96, 61), (74, 140, 92), (140, 84, 150), (160, 130, 60)]
    big, small = ImageFont.load_default(64), ImageFont.load_default(26)
    draw.text((40, 28), "Weekly product call", font=small, fill=(200, 204, 212))
    for index, name in enumerate(names):
        row, column = divmod(index, 3)
        x, y = 60 + column * 400 + (200 if row else 0), 100 + row * 300
        draw.rounded_rectangle((x, y, x + 360, y + 260), 16, fill=(40, 44, 54))
        draw.ellipse((x + 125, y + 50, x + 235, y + 160), fill=colours[index])
        initials = "".join(part[0] for part in name.split())
        draw.text((x + 180, y + 105), initials, font=big, fill=(255, 255, 255), anchor="mm")
        draw.text((x + 180, y + 215), name, font=small, fill=(230, 232, 238), anchor="mm")
    image.save(path)


def main() -> None:
    """Write mp4, truth and RTTM."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=Path, default=ROOT / "meetings/sandbox/data/sample_call")
    out: Path = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    about = yaml.safe_load((ROOT / "scripts/sample_call/truth.yml").read_text())
    people = {p["username"].split(".")[0]: p["username"] for p in about["speakers"]}
    audio, turns = mix(read_script(ROOT / "scripts/sample_call/script.txt"))
    duration = round(len(audio) / RATE, 3)
    tagged: dict[str, list[int]] = {}
    spoken: list[tuple[float, float, str]] = []
    for index, turn in enumerate(turns):
        for tag in turn.pop("tags"):
            tagged.setdefault(tag, []).append(index)
        turn["speaker"] = people[turn["speaker"]]
        spoken += [(start, end, turn["speaker"]) for start, end in turn.pop("voiced")]

    def indices(tags: list[str]) -> list[int]:
        return sorted({i for t in tags for i in tagged[t]})

    truth = {
        "title": about["title"],
        "language": "en",
        "duration": duration,
        "date": str(about["date"]),
        "speakers": [p["username"] for p in about["speakers"]],
        "turns": turns,
        "decisions": [{**d, "turns": tagged[d["tag"]]} for d in about["decisions"]],
        "actions": [{**a, "due": str(a["due"]), "turns": tagged[a["tag"]]} for a in about["actions"]],
        "confidential": {"text": about["confidential"], "turns": tagged["C"]},
        "expected": {
            person: {
                "items": [
                    {"what": i["what"], "must": i.get("must", True), "turns": indices(i["tags"])} for i in e["items"]
                ],
                "not_for": [{"what": i["what"], "turns": indices(i["tags"])} for i in e["not_for"]],
            }
            for person, e in about["expected"].items()
        },
    }
    (out / f"{NAME}.truth.json").write_text(json.dumps(truth, indent=1) + "\n")
    (out / f"{NAME}.rttm").write_text(
        "".join(
            f"SPEAKER {NAME} 1 {start:.3f} {end - start:.3f} <NA> <NA> {speaker} <NA> <NA>\n"
            for start, end, speaker in spoken
        )
    )
    with tempfile.TemporaryDirectory() as folder:
        wav, still = Path(folder) / "call.wav", Path(folder) / "call.png"
        wavfile.write(wav, RATE, (audio * 32767).astype(np.int16))
        picture(still, [p["name"] for p in about["speakers"]])
        subprocess.run(
            [
                imageio_ffmpeg.get_ffmpeg_exe(), "-hide_banner", "-loglevel", "error", "-y",
                "-loop", "1", "-framerate", "1", "-i", str(still), "-i", str(wav),
                "-c:v", "libx264", "-preset", "slow", "-tune", "stillimage", "-crf", "30", "-pix_fmt", "yuv420p",
                "-c:a", "aac", "-b:a", "44k", "-ac", "1", "-t", str(duration), "-movflags", "+faststart",
                "-map_metadata", "-1", "-fflags", "+bitexact", str(out / f"{NAME}.mp4"),
            ],
            check=True,
        )  # fmt: skip
    size = (out / f"{NAME}.mp4").stat().st_size
    print(f"{duration:.0f} s, {len(turns)} turns, {size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
