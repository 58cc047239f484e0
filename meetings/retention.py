"""What is kept no longer: what is older than settings say, of recordings that are gone, what broken-off runs left.

`plan_purge` only looks, `purge` removes what was planned; both can be repeated. A recording that is being worked on is
left for the next time. Each removal is one file or document, and what a recording is found by goes last, so that a
purge that is killed is finished by the next.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from filelock import Timeout

from meetings.audit import AuditLog
from meetings.config import Settings
from meetings.ended_runs import Engine, delete_runs, ended_runs, engines
from meetings.errors import (
    MattermostAuthError,
    MattermostError,
    MattermostNotFoundError,
    MattermostUnreachableError,
    StorageError,
)
from meetings.holdings import Held, Holdings, files, read_json
from meetings.interests import KIND as ALERTS
from meetings.kept_briefs import KINDS as BRIEFS
from meetings.mattermost import MattermostClient
from meetings.mattermost.kept import CHANNELS, SUMMARIES
from meetings.people import FeedbackBook
from meetings.people.feedback import KIND as FEEDBACK
from meetings.recordings import recording_lock
from meetings.search import drop_changed
from meetings.store import Database, Listed, digest

T = TypeVar("T", bound=Path | Listed)
DAY = 86_400.0
ORPHAN_DAYS = 30.0  # what no job leads to
PASSING = (".enrol-", ".meetings-")  # folders in which a voiceprint or a backup is made
BROKEN_OFF_DAYS = 10.0  # a download that stopped: so long is a server waited for (`decide_again`)
UNDER_WAY = 3_600.0  # seconds: what is younger may belong to a run that has not noted it yet


@dataclass(frozen=True, slots=True, kw_only=True)
class Doomed:
    """A file or document that goes: of which kind, why, of which recording (empty: of none), its size in bytes."""

    path: Path | Listed
    kind: str
    why: str
    recording: str = ""
    size: int = 0


@dataclass(slots=True, kw_only=True)
class Plan:
    """What goes, in this order; what people should know besides; ids of ended runs by database file.

    `trouble` is what kept the server from being asked of every recording, where that passes.
    """

    doomed: list[Doomed] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    titles: dict[str, str] = field(default_factory=dict)
    rows: dict[Engine, list[str]] = field(default_factory=dict)
    trouble: MattermostError | None = None
    _known: set[Path | Listed] = field(default_factory=set)

    def totals(self) -> dict[str, tuple[int, int]]:
        """Files and bytes by kind."""
        found: dict[str, tuple[int, int]] = {}
        for one in self.doomed:
            count, size = found.get(one.kind, (0, 0))
            found[one.kind] = (count + 1, size + one.size)
        return found

    def add(self, paths: Iterable[Path | Listed], *, kind: str, why: str, recording: str = "") -> None:
        """Add files and documents, each once."""
        for path in sorted(set(paths) - self._known, key=str):
            try:
                size = path.size if isinstance(path, Listed) else path.stat().st_size
            except FileNotFoundError:
                continue
            self._known.add(path)
            self.doomed.append(Doomed(path=path, kind=kind, why=why, recording=recording, size=size))


def plan_purge(settings: Settings, *, client: MattermostClient | None, now: float | None = None) -> Plan:
    """What is to go; removes nothing.

    Args:
        settings: the data folder, and how long each kind is kept.
        client: is asked which recordings are still there, and what channels are called; None if there is none.
        now: seconds since the epoch.
    """
    moment = time.time() if now is None else now
    plan = Plan()
    holdings = Holdings(settings)
    server = _Server(settings, client, plan.notes)
    for media_id, held in holdings.recordings.items():
        if server.is_gone(held):
            _plan_whole(plan, holdings, held, why="deleted in Mattermost")
        else:
            _plan_aged(plan, settings, held, server.channel(held), moment)
        plan.titles[media_id] = held.title
    _plan_people(plan, settings, holdings, moment)
    old = moment - ORPHAN_DAYS * DAY
    orphans: list[Path | Listed] = [*holdings.orphans, *holdings.orphan_voices]
    plan.add((p for p in orphans if _at(p) < old), kind="orphans", why="belongs to no recording")
    _plan_leftovers(plan, settings, holdings, moment)
    _plan_rows(plan, settings, moment)
    return plan


def plan_gone(settings: Settings, client: MattermostClient, channel_id: str) -> Plan:
    """What is held of recordings of a channel that are no longer on the server."""
    plan = Plan()
    holdings = Holdings(settings)
    server = _Server(settings, client, plan.notes)
    for media_id, held in holdings.recordings.items():
        if held.channel_id == channel_id and server.is_gone(held):
            _plan_whole(plan, holdings, held, why="deleted in Mattermost")
            plan.titles[media_id] = held.title
    plan.trouble = server.trouble
    return plan


def purge(plan: Plan, settings: Settings, *, by: str) -> Plan:
    """Remove what was planned, and note it in the audit log; what was removed, and what could not be.

    Raises:
        StorageError: a file cannot be removed.
        DatabaseError: the database does not answer.
    """
    database = Database.of(settings)
    done = Plan(notes=list(plan.notes), titles=plan.titles)
    log = AuditLog(settings)
    by_recording: dict[str, list[Doomed]] = {}
    for one in plan.doomed:
        by_recording.setdefault(one.recording, []).append(one)
    for recording, doomed in by_recording.items():
        lock = recording_lock(settings, recording or "purge")
        try:
            with lock.acquire(timeout=0):
                for one in doomed:
                    _remove(one.path, database)
                    done.doomed.append(one)
        except Timeout:
            done.notes.append(
                f"{plan.titles.get(recording, recording)} is being worked on; it is left for the next time"
            )
            continue
        log.note(
            "purge",
            by=by,
            recording=recording,
            reason=", ".join(sorted({one.why for one in doomed})),
            kinds=", ".join(sorted({one.kind for one in doomed})),
            files=len(doomed),
            bytes=sum(one.size for one in doomed),
        )
    for engine, ids in plan.rows.items():
        delete_runs(engine, ids)
        done.rows[engine] = ids
        log.note("purge", by=by, kinds="state", reason="runs that ended long ago", rows=len(ids))
    drop_changed(settings)
    return done


def _plan_whole(plan: Plan, holdings: Holdings, held: Held, *, why: str) -> None:
    """Everything of a recording; jobs, by which the rest is found, last."""
    usernames = {
        str(s["person"]["username"])
        for path in held.summaries
        for s in read_json(path) or ()
        if isinstance(s, dict) and "person" in s
    }
    servers = {job.server for job in held.jobs.values()}
    delivered = {
        holdings.store.path("delivered", digest("delivered", server, held.media_id, username))
        for server in servers
        for username in usernames
    }
    named = {"recording": held.media_id, "why": why}
    plan.add(held.sound, kind="audio", **named)
    plan.add(held.voices | held.voice_notes, kind="voices", **named)
    plan.add(delivered, kind="summaries", **named)
    plan.add(held.summaries, kind="summaries", **named)
    _plan_words(plan, held, named)


def _plan_words(plan: Plan, held: Held, named: Mapping[str, str]) -> None:
    jobs = {path for path in held.words if path.parent.name == "jobs"}
    plan.add(held.conversations | (held.words - jobs), kind="transcript", **named)
    plan.add(held.edits, kind="transcript", **named)
    plan.add(jobs, kind="transcript", **named)
    if held.folders:
        plan.notes.append(
            f"{held.title}: its results were also written to {', '.join(sorted(held.folders))}; not touched"
        )


def _plan_aged(plan: Plan, settings: Settings, held: Held, channels: tuple[str | None, ...], now: float) -> None:
    """What is too old of a recording; of several channels that it may be of, the one that keeps longest counts."""

    def limit(kind: str) -> float | None:
        days = [settings.days_kept(kind, channel) for channel in channels]
        return None if None in days else max(d for d in days if d is not None) * DAY

    def aged(paths: Iterable[T], kind: str) -> set[T]:
        kept = limit(kind)
        return set() if kept is None else {p for p in paths if _at(p) < now - max(kept, UNDER_WAY)}

    def why(kind: str) -> str:
        return f"{kind} is kept {(limit(kind) or 0) / DAY:g} days"

    plan.add(aged(held.sound, "audio"), kind="audio", why=why("audio"), recording=held.media_id)
    plan.add(aged(held.voices, "voices"), kind="voices", why=why("voices"), recording=held.media_id)
    plan.add(aged(held.summaries, "summaries"), kind="summaries", why=why("summaries"), recording=held.media_id)
    # The oldest file says how old a transcript is: a correction makes it anew and does not make it younger.
    words = held.conversations | {p for p in held.words if p.parent.name != "corrections"}
    if aged(words, "transcript"):
        named = {"recording": held.media_id, "why": why("transcript")}
        plan.add(held.sound, kind="audio", **named)
        plan.add(held.voices | held.voice_notes, kind="voices", **named)
        _plan_words(plan, held, named)


def _plan_people(plan: Plan, settings: Settings, holdings: Holdings, now: float) -> None:
    results, database = holdings.store.results, Database.of(settings)
    used = {job.people_key for held in holdings.recordings.values() for job in held.jobs.values()}
    days = settings.days_kept("context")
    for path in files(results / "people"):
        data = read_json(path)
        with_context = isinstance(data, list) and any(isinstance(e, dict) and "context" in e for e in data)
        if with_context and days is not None and _at(path) < now - max(days * DAY, UNDER_WAY):
            plan.add([path], kind="context", why=f"context is kept {days} days")
        elif not with_context and path.stem not in used and _at(path) < now - ORPHAN_DAYS * DAY:
            plan.add([path], kind="orphans", why="belongs to no recording")
    if days is not None:
        kept = [*database.listed(CHANNELS), *database.listed(SUMMARIES)]
        kept += [one for kind in BRIEFS for one in database.listed(kind)]
        old = now - max(days * DAY, UNDER_WAY)
        plan.add((one for one in kept if _at(one) < old), kind="context", why=f"context is kept {days} days")
    if (days := settings.days_kept("feedback")) is not None:
        # Who wants no messages goes on getting none, whatever else of theirs is forgotten.
        staying = {document.name for document, stopped in FeedbackBook(settings).documents() if stopped}
        wishes = [one for one in database.listed(FEEDBACK) if _at(one) < now - days * DAY]
        plan.add(
            (one for one in wishes if one.name not in staying), kind="feedback", why=f"feedback is kept {days} days"
        )
        old = now - days * DAY
        alerts = (one for one in database.listed(ALERTS) if _at(one) < old)
        plan.add(alerts, kind="feedback", why=f"feedback is kept {days} days")
    if (days := settings.days_kept("summaries")) is not None:
        old = now - max(days * DAY, UNDER_WAY)
        notes = [p for p in files(results / "delivered") if _at(p) < old]
        plan.add(notes, kind="summaries", why=f"summaries is kept {days} days")


def _plan_leftovers(plan: Plan, settings: Settings, holdings: Holdings, now: float) -> None:
    """Files that were being written when the process died, and downloads that stopped."""
    root = holdings.store.root
    folders = {root, holdings.store.results, settings.home / "people"}
    # An object store has no files that are half written.
    written = [p for folder in folders if isinstance(folder, Path) for p in folder.rglob(".*") if p.is_file()]
    passing = [p for name in PASSING for p in settings.home.glob(f"{name}*/*") if p.is_file()]
    broken = [p for p in written if p.name != ".lock"] + passing
    plan.add((p for p in broken if _at(p) < now - DAY), kind="leftovers", why="a process died while it was written")
    parts = list((root / "media").glob("*.part*")) if (root / "media").is_dir() else []
    old = now - BROKEN_OFF_DAYS * DAY
    plan.add((p for p in parts if _at(p) < old), kind="leftovers", why="a download that was broken off")


def _plan_rows(plan: Plan, settings: Settings, now: float) -> None:
    """Runs that ended longer ago than transcripts are kept: who got what is in the outputs of their steps."""
    days = settings.days_kept("transcript")
    if days is None:
        return
    before = datetime.fromtimestamp(now - max(days * DAY, UNDER_WAY), tz=UTC).isoformat()
    for database in engines(settings):
        if ended := ended_runs(database, completed_before=before):
            plan.rows[database] = ended


class _Server:
    """What only the server knows: which recordings are still there, and what channels are called."""

    def __init__(self, settings: Settings, client: MattermostClient | None, notes: list[str]) -> None:
        self._client = client
        self._notes = notes
        self._ruled = [name for name, rules in settings.channels.items() if str(rules.retention)]
        self._names: dict[str, str | None] = {}
        self.trouble: MattermostError | None = None

    def is_gone(self, held: Held) -> bool:
        """Whether a recording was deleted; not, if that cannot be known now."""
        posts = {
            job.source.post_id
            for job in held.jobs.values()
            if job.source.post_id and self._client is not None and job.server == self._client.url
        }
        return bool(posts) and all(self._post_is_gone(post) for post in posts)

    def channel(self, held: Held) -> tuple[str | None, ...]:
        """`TEAM/CHANNEL` of a recording; every channel with rules, and none, where that cannot be known now."""
        channel_id = held.channel_id
        if channel_id is None or not self._ruled:
            return (None,)
        name = self._name(channel_id)
        return (None, *self._ruled) if name is None else (name,)

    def _post_is_gone(self, post_id: str) -> bool:
        if self._client is None:
            return False
        try:
            return self._client.post(post_id).is_deleted
        except MattermostNotFoundError:
            return True
        except MattermostError as error:
            self._told(error)
            return False

    def _name(self, channel_id: str) -> str | None:
        if channel_id not in self._names:
            self._names[channel_id] = self._ask_name(channel_id)
        return self._names[channel_id]

    def _ask_name(self, channel_id: str) -> str | None:
        if self._client is None:
            self._note("no Mattermost is configured: of channels' own days the longest counts for each recording")
            return None
        try:
            return self._client.address_of(self._client.channel(channel_id))
        except MattermostError as error:
            self._told(error)
            return None

    def _told(self, error: MattermostError) -> None:
        self._note(f"not everything could be asked: {error}")
        if error.everywhere:
            self.trouble = error
        if isinstance(error, MattermostUnreachableError | MattermostAuthError):
            self._client = None

    def _note(self, note: str) -> None:
        if note not in self._notes:
            self._notes.append(note)


def _at(path: Path | Listed) -> float:
    """When it was last written; now, if it is gone."""
    if isinstance(path, Listed):
        return path.changed_at
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return time.time()


def _remove(path: Path | Listed, database: Database) -> None:
    if isinstance(path, Listed):
        database.delete(path.kind, path.name, unless_changed_since=path.changed_at)
        return
    try:
        path.unlink(missing_ok=True)
        if path.parent.name.startswith(PASSING) and not any(path.parent.iterdir()):
            path.parent.rmdir()
    except OSError as error:
        raise StorageError(path, error) from error
