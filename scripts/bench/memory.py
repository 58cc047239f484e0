#!/usr/bin/env python3
"""Memory and seconds against length: process a recording tiled to 10, 60 and 180 minutes, each in a process of its own.

    python scripts/bench/memory.py RECORDING [--minutes 10,60,180] [--json FILE] [--work DIR]

Each length is the recording again and again, so that speakers and talk stay those of a meeting. Prints peak resident
memory (of the command, and of ffmpeg beside it), seconds by stage and the real-time factor.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from meetings.speech import ffmpeg_binary

COLUMNS = ("audio", "segmentation", "transcription", "diarization", "conversation", "summaries")


def tile(recording: Path, minutes: float, target: Path) -> None:
    """The recording's sound, repeated to a length, as FLAC (a WAV would not hold more of it, only faster)."""
    command = [
        str(ffmpeg_binary()), "-hide_banner", "-loglevel", "error", "-nostdin", "-y", "-stream_loop", "-1",
        "-i", str(recording), "-vn", "-t", str(minutes * 60), "-ac", "1", "-c:a", "flac", str(target),
    ]  # fmt: skip
    subprocess.run(command, check=True)


def process(recording: Path, folder: Path) -> dict[str, Any]:
    """Run the command with a home of its own; its run.json, and the peak memory in MiB that the system counted."""
    home, out = folder / "home", folder / "out"
    environment = {**os.environ, "MEETINGS_HOME": str(home)}
    command = [str(Path(sys.executable).with_name("meetings")), "process", str(recording), "--out", str(out), "--json"]
    child = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise SystemExit(f"{recording}: meetings process ended with {child.returncode}")
    scale = 1024 if sys.platform != "darwin" else 1024 * 1024
    report: dict[str, Any] = json.loads((out / "run.json").read_text(encoding="utf-8"))
    # `wait4` counts the largest of the command and the ffmpeg that it waited for.
    report["rss_mb"] = round(usage.ru_maxrss / scale, 1)
    return report


def main() -> None:
    """Print the table, write the JSON."""
    parser = argparse.ArgumentParser(description="Peak memory and seconds by stage against a recording's length.")
    parser.add_argument("recording", type=Path)
    parser.add_argument("--minutes", default="10,60,180", help="lengths, comma separated")
    parser.add_argument("--json", type=Path, help="where the figures go as JSON")
    parser.add_argument("--work", type=Path, help="where the recordings are made; a temporary folder if not given")
    arguments = parser.parse_args()
    rows: list[dict[str, Any]] = []
    print(f"{'minutes':>8}{'peak MB':>9}{'x real time':>12}" + "".join(f"{c + ' s':>17}" for c in COLUMNS), flush=True)
    with tempfile.TemporaryDirectory(dir=arguments.work) as folder:
        for minutes in (float(m) for m in arguments.minutes.split(",")):
            place = Path(folder) / f"{minutes:g}"
            place.mkdir()
            recording = place / f"{arguments.recording.stem}-{minutes:g}.flac"
            tile(arguments.recording, minutes, recording)
            report = process(recording, place)
            seconds = {s["stage"]: s["seconds"] for s in report["stages"]}
            row = {
                "minutes": minutes,
                "peak_rss_mb": max(report["peak_rss_mb"], report["rss_mb"]),
                "real_time_factor": report["real_time_factor"],
                "speakers": report["speakers"],
                "seconds": seconds,
            }
            rows.append(row)
            print(
                f"{minutes:8g}{row['peak_rss_mb']:9.0f}{row['real_time_factor']:12.3f}"
                + "".join(f"{seconds.get(c, 0.0):17.1f}" for c in COLUMNS),
                flush=True,
            )
            if arguments.json:
                arguments.json.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
