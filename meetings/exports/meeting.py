"""One meeting with all that a file of it may hold, read from a folder of results or from what is kept of a call."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from meetings.config import Settings
from meetings.conversation import Conversation, read_conversation, to_rttm
from meetings.edits import apply_edits, read_edits
from meetings.errors import SaveError
from meetings.export import speaker_turns
from meetings.job import Job, Source
from meetings.recordings import PastRun, past_runs
from meetings.speakers import conversation_of, find_run
from meetings.store import FileStore
from meetings.summary import Summary, summary_from_json

_ADDRESS = re.compile(r"https?://[A-Za-z0-9._~:/?#\[\]@!$&'*+,;=%-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Meeting:
    """What was said and what was made of it.

    `url` is where the recording can be opened, None if nobody knows; `heard_by` the recogniser, empty likewise; `rttm`
    who spoke when, overlaps included, in the words of `speakers.rttm`; `pdf_font` a font for what ours lacks.
    """

    conversation: Conversation
    summaries: tuple[Summary, ...] = ()
    url: str | None = None
    heard_by: str = ""
    rttm: str = ""
    name: str = "meeting"
    pdf_font: Path | None = None

    @property
    def link(self) -> str | None:
        """Where the recording can be opened, if that is an ordinary address: nothing else becomes a link."""
        return self.url if self.url and _ADDRESS.fullmatch(self.url) else None

    def summary_of(self, username: str) -> Summary:
        """Somebody's own summary.

        Raises:
            SaveError: there is none of them.
        """
        found = next((s for s in self.summaries if s.username == username.removeprefix("@")), None)
        if found is None:
            there = ", ".join(s.username for s in self.summaries) or "nobody"
            raise SaveError(f"there is no summary of this meeting for {username!r}; there is one for: {there}")
        return found


def read_meeting(recording: str, settings: Settings) -> Meeting:
    """A meeting by what names it: a folder of results, a local file, a permalink, or an id.

    Of a folder what stands in it counts; else words are those that people corrected, as on the meeting's page.

    Raises:
        SaveError: a file of the folder is damaged.
        ConversationError: the folder holds no transcript.
        CorrectionError: the recording was never processed here.
        MattermostError: the server knows no such recording.
    """
    folder = Path(recording)
    if folder.is_dir():
        return _of_folder(folder, settings)
    meeting = meeting_of_run(find_run(recording, settings), settings)
    edits = read_edits(settings, meeting.conversation.id)
    return replace(meeting, conversation=apply_edits(meeting.conversation, edits))


def meeting_of_run(run: PastRun, settings: Settings) -> Meeting:
    """A meeting as one run of it left it in the store, with the words that were heard."""
    store = FileStore.of(settings)
    job = Job.from_json(store.read_json("jobs", run.job))
    conversation = conversation_of(run, settings)
    kept = run.summaries and store.has("summaries", run.summaries)
    turns = (
        store.read_json("diarization", run.diarization)["turns"] if store.has("diarization", run.diarization) else ()
    )
    return Meeting(
        conversation=conversation,
        summaries=tuple(summary_from_json(s) for s in store.read_json("summaries", run.summaries)) if kept else (),
        url=job.source.url,
        heard_by=job.models["recogniser"],
        rttm=to_rttm(speaker_turns(turns, conversation), recording=job.source.name),
        name=job.source.name,
        pdf_font=settings.pdf_font,
    )


def _of_folder(folder: Path, settings: Settings) -> Meeting:
    """What a folder holds counts, also where it was made on another machine; only the link is looked up here."""
    conversation = read_conversation(folder / "transcript.json")
    summaries = []
    for path in sorted((folder / "summaries").glob("*.json")):
        try:
            summaries.append(summary_from_json(_json(path)))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise SaveError(f"{path}: not a summary ({error}); write it again: meetings process") from error
    report = _json(folder / "run.json") if (folder / "run.json").is_file() else {}
    models = report.get("models") if isinstance(report, dict) else None
    spoken = folder / "speakers.rttm"
    source = _source(conversation.id, settings)
    return Meeting(
        conversation=conversation,
        summaries=tuple(summaries),
        url=source.url if source is not None else None,
        heard_by=str(models.get("recogniser") or "") if isinstance(models, dict) else "",
        rttm=_text(spoken) if spoken.is_file() else "",
        name=folder.resolve().name.removesuffix("-summary") or "meeting",
        pdf_font=settings.pdf_font,
    )


def _source(media_id: str, settings: Settings) -> Source | None:
    """Where a recording came from, if it was processed here; an id from a foreign file is no path into the store."""
    if not media_id.isalnum():
        return None
    store = FileStore.of(settings)
    runs = past_runs(store, media_id)
    return Job.from_json(store.read_json("jobs", runs[-1].job)).source if runs else None


def _json(path: Path) -> Any:
    try:
        return json.loads(_text(path))
    except (ValueError, RecursionError) as error:
        raise SaveError(f"{path}: not JSON ({error}); write it again: meetings process") from error


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise SaveError(f"{path}: cannot be read ({error.strerror or error})") from error
    except UnicodeDecodeError as error:
        raise SaveError(f"{path}: not UTF-8; write it again: meetings process") from error
