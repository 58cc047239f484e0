"""Writes a finished run into the folder that people open: transcript, speakers, summaries, and `run.json`."""

from __future__ import annotations

import json
import resource
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from meetings.conversation import Conversation, clock, to_json, to_rttm, to_vtt
from meetings.pipeline import Run
from meetings.recordings import remember_folder
from meetings.stage import StageResult
from meetings.store import FileStore, write_text
from meetings.summary import render_markdown, summary_from_json

SPEECH_STAGES = frozenset({"audio", "segmentation", "transcription", "diarization"})


def check_writable(folder: Path) -> None:
    """Fail before the long work rather than after it.

    Raises:
        StorageError: the folder cannot be made or written.
    """
    write_text(folder / ".writable", "")
    (folder / ".writable").unlink(missing_ok=True)


def export_run(run: Run, store: FileStore, folder: Path, *, conversation: Conversation) -> dict[str, Any]:
    """Write every file of the contract (docs/formats.md) and return what `run.json` holds."""
    write_text(folder / "transcript.json", _pretty(to_json(conversation)))
    write_text(folder / "transcript.vtt", to_vtt(conversation))
    write_text(folder / "transcript.md", transcript_markdown(conversation))
    turns = store.read_json("diarization", run.diarization_key)["turns"]
    rttm = to_rttm(speaker_turns(turns, conversation), recording=run.job.source.name)
    write_text(folder / "speakers.rttm", rttm)
    summaries = store.read_json("summaries", run.summaries_key)
    for summary in summaries:
        name = file_name(summary["person"]["username"])
        write_text(folder / "summaries" / f"{name}.json", _pretty(summary))
        text = render_markdown(
            summary_from_json(summary),
            conversation,
            recording_url=run.job.source.url,
            heard_by=run.job.models["recogniser"],
        )
        write_text(folder / "summaries" / f"{name}.md", text + "\n")
    report = run_report(run, conversation)
    report["bullets"] = {
        "written": sum(len(s["bullets"]) for s in summaries),
        "refused": sum(s.get("refused", 0) for s in summaries),
        "unanswered": sum(s.get("unanswered", 0) for s in summaries),
    }
    write_text(folder / "run.json", _pretty(report))
    remember_folder(store, run.job, folder)
    return report


def speaker_turns(turns: Iterable[Mapping[str, Any]], conversation: Conversation) -> Iterator[tuple[float, float, str]]:
    """Turns of the diarization as start, end (seconds) and speaker; labels that are one person get one label."""
    joined = {label: s.id for s in conversation.speakers for label in s.joined}
    return ((t["start"], t["end"], joined.get(t["speaker"], t["speaker"])) for t in turns)


def run_report(run: Run, conversation: Conversation) -> dict[str, Any]:
    """What `run.json` holds: seconds by stage, what was reused, devices, models, real-time factor, memory."""
    worked = busy_seconds(s for s in run.stages if not s.reused)
    speech = busy_seconds(s for s in run.stages if s.stage in SPEECH_STAGES and not s.reused)
    duration = conversation.duration
    return {
        "recording": run.job.source.name,
        "title": conversation.title,
        "duration": round(duration, 3),
        "language": conversation.language,
        "speakers": len(conversation.speakers),
        "stages": [
            {
                "stage": s.stage,
                "seconds": round(s.seconds, 3),
                "reused": s.reused,
                **({"model": s.model} if s.model else {}),
                **({"device": s.device} if s.device else {}),
                **({"real_time_factor": round(s.seconds / duration, 4)} if duration and not s.reused else {}),
            }
            for s in run.stages
        ],
        "seconds": round(worked, 3),
        "real_time_factor": round(worked / duration, 4) if duration else None,
        "speech_real_time_factor": round(speech / duration, 4) if duration else None,
        "peak_rss_mb": peak_rss_mb(),
        "models": dict(run.job.models),
        "writer": run.job.writer,
        "deliveries": [{k: v for k, v in d.items() if v} for d in run.deliveries],
        "notes": list(run.notes),
    }


def busy_seconds(stages: Iterable[StageResult]) -> float:
    """Seconds in which any of the stages was at work: some run side by side."""
    total, until = 0.0, 0.0
    for stage in sorted(stages, key=lambda s: s.began):
        end = stage.began + stage.seconds
        total += max(0.0, end - max(stage.began, until))
        until = max(until, end)
    return total


def peak_rss_mb() -> float:
    """Peak resident memory of this process in MiB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / (1024 if sys.platform != "darwin" else 1024 * 1024), 1)


def transcript_markdown(conversation: Conversation) -> str:
    """The transcript for reading: speaker, time, text."""
    lines = [f"# {_inert(conversation.title) or 'Transcript'}", ""]
    if not conversation.utterances:
        lines.append("Nothing was said.")
    for u in conversation.utterances:
        name = _inert(conversation.speaker_of(u).name)
        lines += [f"**{name}** ({clock(u.start)}) {_inert(u.text)}", ""]
    return "\n".join(lines).rstrip() + "\n"


def file_name(username: str) -> str:
    """A username as a file name that cannot leave its folder."""
    safe = "".join(c if c.isalnum() or c in "._-" else "_" for c in username).lstrip(".")
    return safe or "person"


def _inert(text: str) -> str:
    """Speech in Markdown as plain text: CommonMark's punctuation escaped, line breaks folded."""
    return "".join("\\" + c if c in "\\`*_{}[]<>()#+!|~" else c for c in " ".join(text.split()))


def _pretty(data: object) -> str:
    return json.dumps(data, ensure_ascii=False, indent=2) + "\n"
