"""Keeping the index true: what is new or changed goes in, what is gone goes out.

What a meeting in the index was made from is noted beside it (`stamp`): which results, and which state of their files
and of what people changed in its words. So a corrected name or word, a redacted transcript, a run that was made again
and a recording that was purged are all seen in the listing of two folders and of one kind of documents, without reading
a transcript. Where several machines share results and a database, each has an index of its own in its data folder and
fills it from what all of them made.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

import numpy as np
from filelock import FileLock
from numpy.typing import NDArray

from meetings.config import Settings
from meetings.conversation import Conversation, from_json
from meetings.edits import apply_edits, as_heard, edits_states, read_edits
from meetings.errors import ConversationError, StorageError
from meetings.job import Job
from meetings.llm import TextEmbedder
from meetings.recordings import STAGE as RECORDINGS
from meetings.recordings import past_runs
from meetings.search.index import Index
from meetings.search.passages import Passage, make_passages
from meetings.search.shelf import Card
from meetings.store import FileStore, private_folder, reached, remove_sqlite

FOLDER = "search"
NAME = "index.sqlite"
MANY = 50  # meetings put in at once, after which the file is packed anew
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Upkeep:
    """What was done: meetings that went in (new or changed), that went out, and that are still to be put in."""

    put: int = 0
    removed: int = 0
    left: int = 0


def index_path(settings: Settings) -> Path:
    """Where this machine's index is."""
    return settings.home / FOLDER / NAME


def open_index(settings: Settings) -> Index:
    """This machine's index.

    Raises:
        StorageError: the file cannot be opened or made.
    """
    return Index(index_path(settings), fingerprint=_fingerprint(settings))


def clear_index(settings: Settings) -> None:
    """Remove this machine's index; the next search makes it anew."""
    with _lock(settings):
        remove_sqlite(index_path(settings))


def catch_up(
    settings: Settings,
    index: Index,
    embedder: Callable[[], TextEmbedder],
    *,
    only: str | None = None,
    most: int | None = None,
    progress: Callable[[float], None] = lambda _fraction: None,
) -> Upkeep:
    """Bring an index to what results hold now.

    Args:
        settings: where results are.
        index: the index.
        embedder: gives sentence embeddings; called if there is something to put in.
        only: a recording that alone is looked at; None: all.
        most: meetings that are put in at most, the newest first; None: all.
        progress: is told the fraction done.

    Raises:
        StorageError: results or the index cannot be read or written.
    """
    store = FileStore.of(settings)
    with _lock(settings):
        stamps = index.stamps()
        files = _files(settings, store)
        wanted = [i for i in files.recordings if only in {None, i} and stamps.get(i) != files.stamp(store, i, stamps)]
        removed = index.remove([i for i in stamps if only in {None, i} and i not in files.recordings])
        wanted.sort(key=lambda i: (files.recordings[i], i), reverse=True)
        wanted, left = wanted[:most], wanted[len(wanted) if most is None else most :]
        # Where what is there of a meeting is no longer true, nothing is better.
        removed += index.remove([i for i in left if i in stamps])
        put = 0
        for done, media_id in enumerate(wanted):
            progress(done / len(wanted))
            found = _read(settings, store, media_id)
            if found is None:
                removed += index.remove([media_id])
                continue
            card, passages, key = found
            index.put(card, files.stamp_of(media_id, key), passages, _vectors(index, media_id, passages, embedder))
            put += 1
        if put >= MANY:
            index.compact()
    return Upkeep(put=put, removed=removed, left=len(left))


def index_recording(settings: Settings, media_id: str) -> None:
    """Put a recording that was just worked on into this machine's index.

    Raises:
        MeetingsError: there are no sentence embeddings, or a file cannot be read or written.
    """
    from meetings.llm import open_embedder

    with open_index(settings) as index:
        catch_up(settings, index, lambda: open_embedder(settings), only=media_id)


def drop_changed(settings: Settings) -> int:
    """Take out of the index what is gone or was changed since, without putting anything in; how many meetings.

    What was removed from results is to be nowhere from that moment on, not from the next search on.
    """
    if not index_path(settings).is_file():
        return 0
    store = FileStore.of(settings)
    with _lock(settings), Index(index_path(settings)) as index:
        stamps, files = index.stamps(), _files(settings, store)
        gone = [i for i, stamp in stamps.items() if stamp != files.stamp(store, i, stamps)]
        return index.remove(gone)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Files:
    """The state of every recording's list of runs, of every transcript, and of what people changed in its words."""

    recordings: Mapping[str, str]
    conversations: Mapping[str, str]
    edits: Mapping[str, str]

    def stamp_of(self, media_id: str, conversation: str) -> str:
        """What a meeting is made from, if this is its transcript."""
        run, words, edits = (
            self.recordings.get(media_id),
            self.conversations.get(conversation),
            self.edits.get(media_id),
        )
        return "" if run is None or words is None else " ".join((conversation, run, words, *([edits] if edits else [])))

    def stamp(self, store: FileStore, media_id: str, known: Mapping[str, str]) -> str:
        """What a meeting is to be made from now; empty if there is nothing to make it from."""
        before = known.get(media_id, "")
        conversation = before.partition(" ")[0]
        if before and before == self.stamp_of(media_id, conversation):
            return before  # nothing was written since: no file has to be read
        if media_id not in self.recordings:
            return ""
        found = _newest(store, media_id)
        return "" if found is None else self.stamp_of(media_id, found)


def _newest(store: FileStore, media_id: str) -> str | None:
    """The key of the newest transcript that is still there."""
    for run in reversed(past_runs(store, media_id)):
        if run.conversation and store.has("conversation", run.conversation) and store.has("jobs", run.job):
            return run.conversation
    return None


def _read(settings: Settings, store: FileStore, media_id: str) -> tuple[Card, Sequence[Passage], str] | None:
    """A recording's card, passages as people corrected them, and the key of its newest transcript; None without any."""
    for run in reversed(past_runs(store, media_id)):
        if not (run.conversation and store.has("conversation", run.conversation) and store.has("jobs", run.job)):
            continue
        try:
            conversation = from_json(store.read_json("conversation", run.conversation))
            job = Job.from_json(store.read_json("jobs", run.job))
            edits = read_edits(settings, media_id)
        except (ConversationError, FileNotFoundError, ValueError, KeyError, TypeError) as error:
            _log.warning("recording %s cannot be searched: %s", media_id, error)
            return None
        passages = make_passages(apply_edits(conversation, edits), heard=as_heard(conversation, edits))
        return _card(media_id, job, conversation), passages, run.conversation
    return None


def _vectors(
    index: Index, media_id: str, passages: Sequence[Passage], embedder: Callable[[], TextEmbedder]
) -> NDArray[np.float32]:
    """A vector of each passage; those of words that are in the index already are taken from there."""
    known = index.vectors(media_id)
    new = [text for text in dict.fromkeys(p.text for p in passages) if text not in known]
    known |= dict(zip(new, embedder().embed(new), strict=True)) if new else {}
    return np.asarray([known[p.text] for p in passages], np.float32)


def _card(media_id: str, job: Job, conversation: Conversation) -> Card:
    source = job.source
    return Card(
        id=media_id,
        title=conversation.title or source.title,
        started_at=conversation.started_at or source.started_at or "",
        server=(job.server or "") if source.in_mattermost else "",
        channel_id=(source.channel_id or "") if source.in_mattermost else "",
        post_id=(source.post_id or "") if source.in_mattermost else "",
        attended=conversation.participants,
        speakers=tuple((s.id, s.name, s.username or "") for s in conversation.speakers),
    )


def _files(settings: Settings, store: FileStore) -> _Files:
    return _Files(
        recordings=_states(store.results / RECORDINGS),
        conversations=_states(store.results / "conversation"),
        edits=edits_states(settings),
    )


def _states(folder: Path) -> dict[str, str]:
    """Files by name, each with what changes when it is written anew; one listing, wherever they lie."""
    far: Any = folder  # what an object store gives only looks like a path
    if isinstance(far, PurePath):
        if not folder.is_dir():
            return {}
        with os.scandir(folder) as entries:
            found = [(e.name, e.stat()) for e in entries if e.name.endswith(".json") and not e.name.startswith(".")]
        return {name.removesuffix(".json"): f"{at.st_mtime_ns}-{at.st_ino}-{at.st_size}" for name, at in found}
    try:
        with reached(folder):
            listed = far.fs.ls(far.path, detail=True, refresh=True)
    except FileNotFoundError:
        return {}
    except TypeError:
        with reached(folder):
            listed = far.fs.ls(far.path, detail=True)
    states = {}
    for entry in listed:
        name = str(entry["name"]).rpartition("/")[2]
        changed = entry.get("ETag") or entry.get("LastModified") or entry.get("mtime") or entry.get("created")
        if name.endswith(".json"):
            states[name.removesuffix(".json")] = f"{changed}-{entry.get('size')}".replace(" ", "_")
    return states


def _fingerprint(settings: Settings) -> str:
    from meetings.models import fingerprint

    return fingerprint(settings.text_embedding_model, settings.models_folder)


def _lock(settings: Settings) -> FileLock:
    """One process at a time changes the index."""
    folder = settings.home / FOLDER
    try:
        private_folder(folder)
    except OSError as error:
        raise StorageError(folder, error) from error
    return FileLock(folder / ".lock", mode=0o600)
