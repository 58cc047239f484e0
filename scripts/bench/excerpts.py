#!/usr/bin/env python3
"""Who spoke when, in many short recordings scored together: ours and the stock pipeline of pyannote, same weights.

    python scripts/bench/excerpts.py RECORDING... --rttm FILE [--until 30]

FILE holds the turns of all recordings, each under its file's name. `--until S`: only the first S seconds are annotated.
DER by pyannote.metrics, collar 0, overlap counted, over all seconds together.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Iterable
from pathlib import Path

import torch
from faster_whisper import decode_audio as read_sound
from pyannote.core import Annotation, Segment, Timeline
from pyannote.metrics.diarization import DiarizationErrorRate
from speech import export_campplus, models_folder, stock_pipeline

from meetings.speech import decode_audio, diarize, segment


def main() -> None:
    """Score both and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recordings", nargs="+", type=Path)
    parser.add_argument("--rttm", required=True, type=Path)
    parser.add_argument("--until", type=float, default=1e9, help="seconds that are annotated")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    scores = {name: DiarizationErrorRate(collar=0.0, skip_overlap=False) for name in ("stock pipeline", "ours")}
    with tempfile.TemporaryDirectory(prefix="wespeaker-") as folder:
        # By this word in its path pyannote knows how to read the model.
        onnx = Path(folder) / "campplus.onnx"
        export_campplus(onnx)
        stock = stock_pipeline(onnx)
        for recording in arguments.recordings:
            truth = annotation(turns_of(recording.stem, arguments.rttm), arguments.until)
            sound = read_sound(str(recording))
            area = Timeline([Segment(0, min(arguments.until, len(sound) / 16_000))])
            found = stock({"waveform": torch.from_numpy(sound)[None], "sample_rate": 16_000, "uri": recording.stem})
            scores["stock pipeline"](truth, found.speaker_diarization, uem=area)
            scores["ours"](truth, ours(recording, Path(folder) / f"{recording.stem}.wav", arguments.threads), uem=area)
    print(f"{len(arguments.recordings)} recordings: " + ", ".join(f"{n} DER {abs(s):.3f}" for n, s in scores.items()))


def ours(recording: Path, audio: Path, threads: int) -> Annotation:
    """The product's turns."""
    models = models_folder()
    decode_audio(recording, audio)
    activity = segment(audio, segmentation=models / "segmentation-3.0", device="cpu", threads=threads)
    found = diarize(
        audio,
        activity=activity,
        segmentation=models / "segmentation-3.0",
        embedding=models / "campplus",
        device="cpu",
        threads=threads,
    )
    return annotation(((t.speaker, t.start, t.end) for t in found.turns), 1e9)


def turns_of(name: str, rttm: Path) -> list[tuple[str, float, float]]:
    """Speaker, start and end in seconds of each turn of one recording."""
    rows = [line.split() for line in rttm.read_text(encoding="utf-8").splitlines()]
    return [(r[7], float(r[3]), float(r[3]) + float(r[4])) for r in rows if r[:1] == ["SPEAKER"] and r[1] == name]


def annotation(turns: Iterable[tuple[str, float, float]], until: float) -> Annotation:
    """As pyannote has it."""
    result = Annotation()
    for number, (speaker, start, end) in enumerate(turns):
        if min(end, until) > start:
            result[Segment(start, min(end, until)), number] = speaker
    return result


if __name__ == "__main__":
    main()
