"""A meeting on this machine, for who processed it: what there is to see and hear, and what they can correct.

Whoever runs the command may read the data folder anyway, so everybody's summary can be looked at and nothing is
withheld. What is read is read anew at every look: a correction made elsewhere is seen.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from meetings.audit import AuditLog
from meetings.config import Settings
from meetings.conversation import read_conversation
from meetings.corrections import USERNAME
from meetings.edits import Edit, read_edits
from meetings.errors import CorrectionError, MattermostError, SaveError
from meetings.exports import Meeting, meeting_of_run, read_meeting
from meetings.job import Job
from meetings.mattermost import MattermostClient
from meetings.recordings import PastRun, past_runs
from meetings.report.changes import edit_words, setting_of
from meetings.report.media import Media, Shelf
from meetings.speakers import correct, find_run
from meetings.stages import Stages
from meetings.store import FileStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The recording; without `media`, `gone` says in a sentence why there is nothing to play."""

    media: Media | None = None
    gone: str = ""


class LocalMeeting:
    """One meeting that was processed here, or a folder of results from elsewhere.

    Args:
        recording: a local file, a folder of results, a permalink, or an id.
        settings: where meetings are kept.
        by: who runs the command, as it is noted beside corrections.

    Raises:
        CorrectionError: it was never processed here.
        ConversationError: the folder holds no transcript.
        MattermostError: the server knows no such recording.
    """

    def __init__(self, recording: str, settings: Settings, *, by: str) -> None:
        self.settings, self._by = settings, by
        self._store = FileStore.of(settings)
        path = Path(recording)
        self._folder = path.resolve() if _is(path.is_dir) else None
        self._given = path.resolve() if _is(path.is_file) else None
        if self._folder is not None:
            self.id = read_conversation(self._folder / "transcript.json").id
        else:
            run = find_run(recording, settings)
            self.id = self._job(run).source.media_id
        self._client = MattermostClient.of(settings)
        self._shelf = Shelf(self._client)
        self._noted: set[str] = set()

    # What there is

    def read(self) -> Meeting:
        """The meeting as it stands now; raises as `read_meeting` does."""
        if self._folder is not None:
            return read_meeting(str(self._folder), self.settings)
        runs = self._runs()
        if not runs or not self._store.has("conversation", runs[-1].conversation):
            raise CorrectionError("What was said in this meeting is not kept here any more.")
        return meeting_of_run(runs[-1], self.settings)

    def edits(self) -> tuple[Edit, ...]:
        """What was changed in its words."""
        return read_edits(self.settings, self.id)

    def find(self) -> Found:
        """The recording: the file that the command was given, else one that was processed; else what Mattermost has."""
        jobs = [self._job(run) for run in reversed(self._runs())]
        paths = [Path(job.source.path) for job in jobs if job.source.path]
        for path in dict.fromkeys([*([self._given] if self._given else []), *paths]):
            if (media := self._shelf.near(path, self.id)) is not None:
                return Found(media=media)
        if paths:
            return Found(gone=f"There is nothing to play: the recording is no longer at {paths[0]}, or was changed.")
        if not jobs:
            return Found(gone="There is nothing to play: this was processed on another machine.")
        if self._client is None:
            return Found(gone="There is nothing to play: the recording is in Mattermost, and none is configured here.")
        try:
            media = self._shelf.find(jobs[0])
        except MattermostError as error:
            return Found(gone=f"There is nothing to play, as the recording is in Mattermost: {error}")
        return Found(media=media) if media else Found(gone="There is nothing to play: Mattermost has it no longer.")

    def note_look(self, username: str) -> None:
        """Note once that somebody's summary was looked at."""
        if username not in self._noted:
            self._noted.add(username)
            AuditLog(self.settings).note(
                "page opened", user=username, by=self._by, recording=self.id, how="meetings report"
            )

    def note_save(self, username: str, name: str) -> None:
        """Note that somebody's summary is saved as a file."""
        AuditLog(self.settings).note("save", user=username, by=self._by, recording=self.id, format=name)

    # What can be corrected

    def may_edit(self) -> bool:
        """Whether corrections are kept: the recording was processed here, and what is shown is what they change."""
        runs = self._runs()
        ours = self._folder is None or any(str(self._folder) in run.folders for run in runs)
        return ours and bool(runs) and self._store.has("conversation", runs[-1].conversation)

    def may_remake(self) -> bool:
        """Whether names and summaries can be made again: nothing that they need is out of reach."""
        return self.may_edit() and all(map(self._can_run, self._runs()))

    def possible(self) -> list[dict[str, str]]:
        """Whose a voice can be, besides somebody without an account."""
        return [{"username": u, "name": n} for u, n in sorted(self._people().items(), key=lambda p: p[1].casefold())]

    def change(self, what: str, form: Mapping[str, str]) -> None:
        """Keep what a form says.

        Raises:
            CorrectionError: it cannot be; the text says why.
            MattermostError: the server, which the recording is on, does not answer.
        """
        if what == "edit" and self.may_edit():
            edit_words(self.settings, self.id, self.read().conversation, form, user="", by=self._by)
        elif what == "speaker" and self.may_remake():
            run = self._runs()[-1]
            setting = setting_of(form, self.read().conversation, lambda: set(self._people()))
            correct(run, [setting], self.settings, by=self._by)
        elif what == "remake" and self.may_remake():
            AuditLog(self.settings).note("remake", by=self._by, recording=self.id)
        else:
            raise CorrectionError("That cannot be done on this machine.")

    def _people(self) -> dict[str, str]:
        """Names of the accounts that a correction can name, by username."""
        found: dict[str, str] = {}
        for run in self._runs()[-1:]:
            job = self._job(run)
            if job.people_key is not None:
                listed: list[dict[str, Any]] = self._store.read_json("people", job.people_key)
                found = {p["username"]: p["name"] or p["username"] for p in listed}
            elif job.server is not None:
                found = {s.username: s.name for s in self.read().summaries}
        return {u: n for u, n in found.items() if USERNAME.fullmatch(u)}

    def _can_run(self, run: PastRun) -> bool:
        job = self._job(run)
        if (job.source.in_mattermost or job.deliver) and self._client is None:
            return False
        heard = Stages(settings=self.settings, store=self._store).speech_done(job)
        return heard or (job.source.path is not None and Path(job.source.path).is_file())

    def _runs(self) -> tuple[PastRun, ...]:
        # The id in a folder from elsewhere is no path into the store.
        return past_runs(self._store, self.id) if self.id.isalnum() else ()

    def _job(self, run: PastRun) -> Job:
        return Job.from_json(self._store.read_json("jobs", run.job))


def whose(meeting: Meeting, who: str) -> str:
    """The username of whom somebody means: by username, by name, or by first name.

    Raises:
        SaveError: there is no summary of theirs, or there are several.
    """
    wanted = " ".join(who.split()).removeprefix("@").casefold()
    summaries = meeting.summaries
    ways = (
        [s.username for s in summaries if s.username.casefold() == wanted],
        [s.username for s in summaries if s.name.casefold() == wanted],
        [s.username for s in summaries if s.name.casefold().split()[:1] == [wanted]],
    )
    found = next((usernames for usernames in ways if usernames), [])
    if len(found) > 1:
        raise SaveError(f"{who!r} may be {' or '.join(found)}; give the username")
    return found[0] if found else meeting.summary_of(who).username


def _is(asked: Callable[[], bool]) -> bool:
    """What a path says of itself; one that cannot be a path is none."""
    try:
        return asked()
    except (OSError, ValueError):
        return False
