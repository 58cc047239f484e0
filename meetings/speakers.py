"""Who was named in a processed recording, how, how sure; and what a human says of it.

A correction is kept with the recording; then every run of it is made again from the conversation on: names, summaries,
the folders it was written to, and the messages that were sent, which are edited. Speech is reused.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from meetings.audit import AuditLog
from meetings.config import Settings
from meetings.conversation import Conversation, Speaker, Utterance, read_conversation
from meetings.corrections import (
    Correction,
    Setting,
    read_corrections,
    spans_of,
    without,
    write_corrections,
)
from meetings.enrolment import now
from meetings.errors import (
    ConfigError,
    CorrectionError,
    MattermostNotFoundError,
    RecordingError,
    RecordingNotFoundError,
)
from meetings.export import export_run
from meetings.job import Job
from meetings.known_voices import names_stamp
from meetings.mattermost import MattermostClient, find_recording, reference_id
from meetings.pipeline import Observer, Run, run_job
from meetings.recordings import PastRun, find_media, past_runs
from meetings.stages import Stages
from meetings.store import FileStore, file_digest, named_lock

SAMPLE_WORDS = (6, 20)  # a sentence to know a voice by: not too short, not too long
SHOWN = 100  # characters of it


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """One speaker of a recording: who, how much they speak (seconds), and a sentence of theirs."""

    speaker: Speaker
    seconds: float
    sample: str
    sample_start: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Remade:
    """What came of a correction: the runs made again, the folders rewritten, those that are gone."""

    runs: tuple[Run, ...]
    folders: tuple[str, ...]
    gone: tuple[str, ...]


def find_run(recording: str, settings: Settings) -> PastRun:
    """The newest run of a recording: a local file, a folder of results, a permalink, or an id.

    Raises:
        CorrectionError: it was never processed here.
        MattermostError: the server knows no such recording.
    """
    store = FileStore.of(settings)
    media_id = _media_id(recording, settings, store)
    runs = past_runs(store, media_id) if media_id is not None else ()
    if not runs or not store.has("conversation", runs[-1].conversation):
        if Path(recording).is_dir():
            raise CorrectionError(
                f"{recording} was made on another machine, or with another MEETINGS_HOME; correct it there"
            )
        raise CorrectionError(f"{recording} has not been processed here; run: meetings process {recording}")
    return runs[-1]


def _media_id(recording: str, settings: Settings, store: FileStore) -> str | None:
    path = Path(recording)
    try:
        if path.is_dir():
            return read_conversation(path / "transcript.json").id
        if path.is_file():
            return file_digest(path)
    except OSError as error:
        raise RecordingError(recording[:200], error.strerror or str(error)) from error
    wanted = reference_id(recording)
    if wanted is None:
        raise RecordingNotFoundError(recording)
    if (found := find_media(store, wanted)) is not None:
        return found
    client = MattermostClient.of(settings)
    return None if client is None else find_recording(client, recording).file.id


def conversation_of(run: PastRun, settings: Settings) -> Conversation:
    """What was said, as it stands now."""
    return Stages(settings=settings, store=FileStore.of(settings)).conversation(run.conversation)


def heard(conversation: Conversation) -> tuple[Heard, ...]:
    """Every speaker, in order of appearance."""
    result = []
    for speaker in conversation.speakers:
        theirs = [u for u in conversation.utterances if u.speaker == speaker.id]
        if not theirs:
            continue
        sample = max(theirs, key=_tells)
        result.append(
            Heard(
                speaker=speaker,
                seconds=sum(u.end - u.start for u in theirs),
                sample=sample.text if len(sample.text) <= SHOWN else f"{sample.text[: SHOWN - 1].rstrip()}…",
                sample_start=sample.start,
            )
        )
    return tuple(result)


def _tells(utterance: Utterance) -> tuple[bool, int, float]:
    words = len(utterance.text.split())
    return SAMPLE_WORDS[0] <= words <= SAMPLE_WORDS[1], min(words, SAMPLE_WORDS[1]), -utterance.start


def correct(run: PastRun, wanted: Sequence[Setting], settings: Settings, *, by: str) -> tuple[Correction, ...]:
    """Keep what a human says of a recording's speakers; nothing is kept if any of it is wrong.

    Raises:
        CorrectionError: there is no such speaker, two are called so, or there is no such account.
    """
    store = FileStore.of(settings)
    conversation = conversation_of(run, settings)
    job = Job.from_json(store.read_json("jobs", run.job))
    answers: dict[str, tuple[Setting, Correction]] = {}
    for setting in wanted:
        speaker = _find_speaker(conversation, setting.who)
        if speaker.id in answers:
            raise CorrectionError(f"{setting.who!r} is set twice; say once who it is")
        name = setting.name or (_name_of(setting.username, job, store, settings) if setting.username else "")
        spans = spans_of((speaker.id,), conversation.utterances)
        answers[speaker.id] = setting, Correction(username=setting.username, name=name, spans=spans, by=by, at=now())
    # Of two who say something at once one waits: else what the first one said would be written over.
    with named_lock(settings, f"corrections-{job.source.media_id}"):
        corrections = read_corrections(store, job.source.media_id)
        for setting, answer in answers.values():
            corrections = without(corrections, answer.spans)
            if not setting.withdrawn:
                corrections = (*corrections, answer)
        write_corrections(store, job.source.media_id, corrections)
    for setting in wanted:
        AuditLog(settings).note(
            "correction", user=setting.username or "", by=by, recording=job.source.media_id, voice=setting.who
        )
    return corrections


def _find_speaker(conversation: Conversation, who: str) -> Speaker:
    wanted = who.casefold().removeprefix("@")
    present = {u.speaker for u in conversation.utterances}
    speakers = [s for s in conversation.speakers if s.id in present]
    found = [s for s in speakers if wanted in {n.casefold() for n in (s.id, s.name, s.username or "", *s.joined) if n}]
    if len(found) == 1:
        return found[0]
    shown = ", ".join(f"{s.name} ({s.id})" for s in speakers)
    if found:
        raise CorrectionError(f"several speakers are called {who!r}; say which by its label: {shown}")
    raise CorrectionError(f"no speaker is called {who!r}; there are: {shown}")


def _name_of(username: str, job: Job, store: FileStore, settings: Settings) -> str:
    """What an account is called.

    Raises:
        CorrectionError: there is no such account, neither in the people file nor on the server.
    """
    people = {}
    if job.people_key is not None:
        people = {p["username"]: p["name"] or p["username"] for p in store.read_json("people", job.people_key)}
    if username in people:
        return str(people[username])
    client = MattermostClient.of(settings) if job.server is not None else None
    if client is not None:
        try:
            return client.user_by_username(username).name
        except MattermostNotFoundError:
            pass
    elif job.server is not None:
        raise ConfigError("the recording is in Mattermost but none is configured; set MATTERMOST_URL, MATTERMOST_TOKEN")
    near = difflib.get_close_matches(username, people, n=1)
    hint = f"did you mean {near[0]}?" if near else f"somebody without an account: 'Guest: {username}'"
    where = "on the server" if client is not None else "in the people file the recording was processed with"
    raise CorrectionError(f"there is no {username!r} {where}; {hint}")


def remake(media_id: str, settings: Settings, *, observer: Observer | None = None) -> Remade:
    """Make every run of a recording again with what is known of its names now, the oldest first.

    Raises:
        MeetingsError: a stage failed; what was made before stays as it is.
    """
    store = FileStore.of(settings)
    runs, folders, gone = [], [], []
    for past in past_runs(store, media_id):
        job = Job.from_json(store.read_json("jobs", past.job))
        run = run_job(replace(job, names=names_stamp(settings, store, media_id)), settings, observer=observer)
        conversation = Stages(settings=settings, store=store).conversation(run.conversation_key)
        runs.append(run)
        for folder in past.folders:
            if _is_of(Path(folder), media_id):
                export_run(run, store, Path(folder), conversation=conversation)
                folders.append(folder)
            else:
                gone.append(folder)
    return Remade(runs=tuple(runs), folders=tuple(folders), gone=tuple(gone))


def _is_of(folder: Path, media_id: str) -> bool:
    """Whether a folder still holds this recording's results: nothing else is written over."""
    file = folder / "transcript.json"
    return file.is_file() and read_conversation(file).id == media_id
