#!/usr/bin/env python3
"""Speech against the script that anyone would write, on the same file and the same weights.

    python scripts/bench/speech.py RECORDING [TRUTH_STEM] [--runs N] [--ablation] [--json]

The peer: faster-whisper with its defaults (word times, voice activity filter), then pyannote's stock pipeline (step
0.1, CAM++ in ONNX), then words to speakers by overlap. Ours: the stages of `meetings process` up to the transcript.
Each runs in a process of its own, in turn, and is charged for everything from its start, imports included. TRUTH_STEM
names `.truth.json` and `.rttm` files (default: beside the recording); without them only speed is compared. `--until S`
scores the first S seconds alone. `--ablation` also runs ours without one speed-up at a time.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

VARIANTS = {
    "ours": "as shipped",
    "other order": "side by side where stages run in turn (fewer than four threads), in turn where they do not",
    "no line": "without the line that recognition is given before each English window",
    "step 1 s": "windows of the segmentation every second, as pyannote has them",
    "filter each": "the segmentation's filters for each window anew",
}


def main() -> None:
    """Run the contestants and print the table, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recording", type=Path)
    parser.add_argument("truth", nargs="?", help="stem of .truth.json and .rttm")
    parser.add_argument("--runs", type=int, default=1, help="runs of each; medians are shown")
    parser.add_argument("--language", default="en")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--until", type=float, help="score the first seconds alone")
    parser.add_argument("--ablation", action="store_true")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--contestant", help=argparse.SUPPRESS)
    parser.add_argument("--out", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.contestant:
        run_contestant(arguments)
        return
    stem = arguments.truth or str(arguments.recording.with_suffix(""))
    names = ["peer", *(VARIANTS if arguments.ablation else ["ours"])]
    runs: dict[str, list[dict[str, Any]]] = {name: [] for name in names}
    for _ in range(arguments.runs):
        for name in names:
            runs[name].append(one_run(name, arguments, stem))
    result = {name: median(found) for name, found in runs.items()}
    for found in result.values():
        found["times_faster"] = round(result["peer"]["real_time_factor"] / found["real_time_factor"], 2)
    if arguments.json:
        print(json.dumps({"recording": arguments.recording.name, "threads": arguments.threads, "runs": result}))
        return
    print_table(arguments.recording.name, result)


def one_run(name: str, arguments: argparse.Namespace, stem: str) -> dict[str, Any]:
    """One contestant in a process of its own, scored."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "wespeaker"  # pyannote knows the kind of an ONNX model by its path
        out.mkdir()
        if name == "peer":
            export_campplus(out / "campplus.onnx")
        command = [sys.executable, __file__, str(arguments.recording), "--contestant", name, "--out", str(out)]
        command += ["--threads", str(arguments.threads), "--language", arguments.language]
        environment = {**os.environ, "OMP_WAIT_POLICY": "passive", "PYANNOTE_METRICS_ENABLED": "false"}
        began = time.monotonic()
        subprocess.run(command, check=True, env={**environment, "HF_HUB_OFFLINE": "1"}, stdout=subprocess.DEVNULL)
        wall = time.monotonic() - began
        report: dict[str, Any] = json.loads((out / "report.json").read_text())
        report["seconds"]["everything"] = wall
        report["real_time_factor"] = wall / report["duration"]
        score = score_of(out, stem, arguments.until)
        return {**report, **score}


def score_of(out: Path, stem: str, until: float | None) -> dict[str, Any]:
    """WER, cpWER, words under the wrong speaker, DER; what of it there is truth for."""
    from meetings.evaluation import Said, diarization_error_rate, read_rttm, score_speech

    def cut(turns: list[Said]) -> list[Said]:
        if until is None:
            return turns
        return [
            Said(speaker=t.speaker, start=t.start, end=min(until, t.end), text=t.text) for t in turns if t.start < until
        ]

    found = json.loads((out / "found.json").read_text())
    turns = cut([Said(**t) for t in found["turns"]])
    truth, rttm = Path(stem + ".truth.json"), Path(stem + ".rttm")
    if truth.is_file():
        given = json.loads(truth.read_text())["turns"]
        reference = [Said(speaker=t["speaker"], start=t["start"], end=t["end"], text=t["text"]) for t in given]
        spoken = list(read_rttm(rttm.read_text())) if rttm.is_file() else reference
        said = [Said(**u) for u in found["utterances"]]
        return asdict(score_speech(reference, said, reference_turns=spoken, hypothesis_turns=turns))
    if rttm.is_file():
        reference = cut(list(read_rttm(rttm.read_text())))
        return {"der": diarization_error_rate(reference, turns), "speakers": len({t.speaker for t in turns})}
    return {}


def median(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """Each figure's median over the runs; scores are the same in each."""
    result = dict(runs[0])
    result["seconds"] = {
        stage: round(statistics.median(r["seconds"][stage] for r in runs), 1) for stage in runs[0]["seconds"]
    }
    for figure in ("real_time_factor", "peak_rss_mb", "cpu_seconds"):
        result[figure] = round(statistics.median(r[figure] for r in runs), 3)
    return result


def _figure(key: str, result: dict[str, Any]) -> str:
    return f"{result[key]:.4f}"


def print_table(name: str, result: dict[str, dict[str, Any]]) -> None:
    """A column for each contestant."""
    first = result["peer"]
    print(f"{name}: {first['duration']:.0f} s")
    print(f"{'':24}" + "".join(f"{n:>14}" for n in result))
    rows: list[tuple[str, Callable[[dict[str, Any]], str]]] = [
        ("real-time factor", lambda r: f"{r['real_time_factor']:.3f}"),
        ("times faster", lambda r: f"{r['times_faster']:.2f}"),
        ("CPU seconds", lambda r: f"{r['cpu_seconds']:.0f}"),
        ("peak RSS, MB", lambda r: f"{r['peak_rss_mb']:.0f}"),
    ]
    for key, title in (("wer", "WER"), ("cpwer", "cpWER"), ("wrong_speaker", "wrong speaker"), ("der", "DER")):
        if key in first:
            rows.append((title, partial(_figure, key)))
    if "speakers" in first:
        rows.append(("speakers", lambda r: f"{r['speakers']}" + (f"/{r['true_speakers']}" if "wer" in r else "")))
    for title, show in rows:
        print(f"{title:24}" + "".join(f"{show(r):>14}" for r in result.values()))
    for stage in dict.fromkeys(s for r in result.values() for s in r["seconds"]):
        print(f"  {stage + ', s':22}" + "".join(f"{r['seconds'].get(stage, ''):>14}" for r in result.values()))
    for variant in result:
        if variant in VARIANTS and variant != "ours":
            print(f"{variant}: {VARIANTS[variant]}")


def run_contestant(arguments: argparse.Namespace) -> None:
    """In the contestant's own process: work, then write what was found and what it took."""
    seconds: dict[str, float] = {}
    contest = peer if arguments.contestant == "peer" else ours
    found = contest(arguments, seconds)
    usage = resource.getrusage(resource.RUSAGE_SELF)
    report = {
        "duration": found.pop("duration"),
        "seconds": seconds,
        "peak_rss_mb": usage.ru_maxrss / 1024,
        "cpu_seconds": usage.ru_utime + usage.ru_stime,
    }
    (arguments.out / "found.json").write_text(json.dumps(found))
    (arguments.out / "report.json").write_text(json.dumps(report))


def models_folder() -> Path:
    """Where the weights are."""
    from meetings.config import load_settings

    return load_settings().models_folder


def export_campplus(path: Path) -> None:
    """CAM++ as the ONNX model that pyannote's stock pipeline takes: `feats` (batch, time, 80) to `embs`."""
    import warnings

    import torch

    from meetings.speech.campplus import load_campplus
    from meetings.speech.diarization import weights_file

    class Whole(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.network = load_campplus(weights_file(models_folder() / "campplus"))

        def forward(self, feats: torch.Tensor) -> torch.Tensor:
            x = self.network.frames(feats)
            mean = x.mean(-1, keepdim=True)
            deviation = ((x - mean).square().sum(-1) / (x[0, 0].numel() - 1)).clamp(min=1e-10).sqrt()
            return self.network.xvector.get_submodule("dense")(torch.cat([mean.squeeze(-1), deviation], dim=1))

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the tracing exporter is deprecated; the new one needs another package
        torch.onnx.export(
            Whole().eval(),
            (torch.randn(1, 500, 80),),
            str(path),
            input_names=["feats"],
            output_names=["embs"],
            dynamic_axes={"feats": {0: "B", 1: "T"}, "embs": {0: "B"}},
            dynamo=False,
            opset_version=17,
        )


def stock_pipeline(campplus: Path) -> Any:
    """pyannote's pipeline as it comes, over the same weights; `campplus` from `export_campplus`."""
    from pyannote.audio.core.plda import PLDA
    from pyannote.audio.pipelines import SpeakerDiarization

    from meetings.speech.diarization import weights_file

    pipeline: Any = SpeakerDiarization(
        segmentation=str(weights_file(models_folder() / "segmentation-3.0")),
        segmentation_step=0.1,
        embedding=str(campplus),
        embedding_exclude_overlap=True,
        plda=PLDA.__new__(PLDA),
        clustering="AgglomerativeClustering",
        segmentation_batch_size=32,
        embedding_batch_size=32,
    )
    clustering = {"method": "centroid", "threshold": 0.7, "min_cluster_size": 12}
    return pipeline.instantiate({"segmentation": {"min_duration_off": 0.0}, "clustering": clustering})


def peer(arguments: argparse.Namespace, seconds: dict[str, float]) -> dict[str, Any]:
    """The obvious script."""
    began = time.monotonic()
    import torch
    from faster_whisper import WhisperModel, decode_audio

    torch.set_num_threads(arguments.threads)
    began = _lap(seconds, "imports", began)
    audio = decode_audio(str(arguments.recording))
    began = _lap(seconds, "audio", began)
    folder = models_folder()
    whisper = WhisperModel(
        str(folder / "whisper-base"), device="cpu", compute_type="int8", cpu_threads=arguments.threads
    )
    segments, _ = whisper.transcribe(audio, word_timestamps=True, vad_filter=True, language=arguments.language)
    words = [w for s in segments for w in s.words or ()]
    began = _lap(seconds, "transcription", began)
    pipeline = stock_pipeline(arguments.out / "campplus.onnx")
    result = pipeline({"waveform": torch.from_numpy(audio)[None], "sample_rate": 16000, "uri": "x"})
    _lap(seconds, "diarization", began)
    exclusive = [(s.start, s.end, x) for s, _, x in result.exclusive_speaker_diarization.itertracks(yield_label=True)]
    utterances: list[dict[str, Any]] = []
    for word in words:
        best = max(exclusive, key=lambda t: min(t[1], word.end) - max(t[0], word.start), default=(0, 0, "SPEAKER_00"))
        last = utterances[-1] if utterances else None
        if last and last["speaker"] == best[2] and word.start - last["end"] < 1.0:
            last["text"] += word.word
            last["end"] = word.end
        else:
            utterances.append({"speaker": best[2], "start": word.start, "end": word.end, "text": word.word})
    turns = [
        {"speaker": x, "start": s.start, "end": s.end}
        for s, _, x in result.speaker_diarization.itertracks(yield_label=True)
    ]
    return {"duration": len(audio) / 16000, "utterances": utterances, "turns": turns}


def ours(arguments: argparse.Namespace, seconds: dict[str, float]) -> dict[str, Any]:
    """The stages of the product, as `meetings process` runs them."""
    variant = arguments.contestant
    began = time.monotonic()
    if variant == "step 1 s":
        from meetings.speech import segmentation

        segmentation.STEP_FRAMES = 59
    from meetings.config import Settings
    from meetings.hearing import give_memory_back
    from meetings.prepare import prepare_job
    from meetings.side_by_side import MANY_THREADS, in_turn, side_by_side
    from meetings.stages import Stages
    from meetings.store import FileStore

    if variant == "filter each":
        _filter_each()
    if variant == "no line":
        from meetings.speech import recogniser

        recogniser.SPOKEN.clear()
    home = arguments.out / "home"
    settings = Settings(home=home, models=models_folder(), threads=arguments.threads, device="cpu")
    store = FileStore(home / "results")
    stages = Stages(settings=settings, store=store)
    job = prepare_job(str(arguments.recording), settings, language=arguments.language)

    def nothing(_fraction: float) -> None:
        pass

    found = [stages.decode(job, nothing), stages.segment(job, nothing)]

    def transcribe(_check: Callable[[], None]) -> Any:
        return stages.transcribe(job, nothing)

    def diarize(_check: Callable[[], None]) -> Any:
        return stages.diarize(job, nothing)

    if (arguments.threads < MANY_THREADS) == (variant != "other order"):
        found += in_turn(transcribe, diarize, between=give_memory_back)
    else:
        found += side_by_side(transcribe, diarize)
    joined = stages.join(job, nothing)
    for result in (*found, joined):
        seconds[result.stage] = result.seconds
    seconds["imports"] = found[0].began - time.time() + time.monotonic() - began
    conversation = stages.conversation(joined.key)
    turns = store.read_json("diarization", found[3].key)["turns"]
    utterances = [
        {"speaker": u.speaker, "start": u.start, "end": u.end, "text": u.text} for u in conversation.utterances
    ]
    return {"duration": conversation.duration, "utterances": utterances, "turns": turns}


def _filter_each() -> None:
    """The segmentation's whole network for each window."""
    import torch

    from meetings.speech import segmentation_network as network

    def windows(self: Any, samples: torch.Tensor, count: int) -> torch.Tensor:
        starts = [i * network.STEP_SAMPLES for i in range(count)]
        pieces = torch.stack([samples[s : s + network.WINDOW_SAMPLES] for s in starts])
        return self.model(pieces[:, None]).exp()

    network.Segmenter.windows = windows  # type: ignore[method-assign]


def _lap(seconds: dict[str, float], stage: str, began: float) -> float:
    now = time.monotonic()
    seconds[stage] = now - began
    return now


if __name__ == "__main__":
    main()
