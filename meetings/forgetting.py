"""Somebody is forgotten: what is held about them goes, and on request their words in kept transcripts.

Every step finds what it removes by itself and leaves nothing to do when it is done again, so a process that dies on the
way is followed by the same command. Words are redacted from the bottom up: first what the recogniser heard, then what
was made of it, last the transcripts that say who spoke; what is still to be redacted is noted before anything is
changed. The audit log keeps that somebody was forgotten, and who got what; docs/privacy.md tells why.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from filelock import Timeout

from meetings.audit import AuditLog
from meetings.catchup import CatchupBook
from meetings.config import Settings
from meetings.conversation import Conversation, from_json, to_json
from meetings.digests import DigestBook
from meetings.edits import KIND as EDITS
from meetings.edits import Edit, change_edits
from meetings.ended_runs import delete_runs, ended_runs, engines
from meetings.errors import (
    BusyError,
    ConversationError,
    MattermostError,
    MattermostNotFoundError,
    PeopleError,
    VoicesKeyError,
)
from meetings.holdings import Held, Holdings, files, read_json
from meetings.interests import KIND as ALERTS
from meetings.interests import AlertBook
from meetings.kept_briefs import forget_briefs
from meetings.kept_voices import KeptVoices
from meetings.mattermost import MattermostClient
from meetings.mattermost.kept import CHANNELS, SUMMARIES
from meetings.page_links import KIND as PAGE_LINKS
from meetings.page_links import username_of
from meetings.people import FeedbackBook
from meetings.recordings import recording_lock
from meetings.redaction import Spans, redacted, redacted_words, spans_of, touched
from meetings.search import drop_changed
from meetings.store import Database, Document, FileStore, digest, remove_sqlite, sqlite_files, write_text
from meetings.voicebook import VoiceBook

REDACTING = "redacting"  # what of whose words is still to be redacted, by a hash of their username


@dataclass(slots=True, kw_only=True)
class Forgotten:
    """How much of each kind there was, and what people should know besides."""

    username: str
    counts: dict[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    complete: bool = True

    def add(self, kind: str, count: int = 1) -> None:
        """Count something."""
        if count:
            self.counts[kind] = self.counts.get(kind, 0) + count


def forget(
    username: str, settings: Settings, *, client: MattermostClient | None, redact: bool, dry_run: bool, by: str
) -> Forgotten:
    """Remove what is held about somebody; done again, it finds nothing.

    Args:
        username: who.
        settings: the data folder.
        client: tells the id of their account, by which their posts are kept; None if there is none.
        redact: also replace their words in kept transcripts by a mark.
        dry_run: only count.
        by: who asks for it.

    Raises:
        BusyError: a recording in which they spoke is being worked on.
        StorageError: the disk is full or a folder cannot be written.
    """
    log = AuditLog(settings)
    if not dry_run:
        log.note("forget", user=username, by=by, status="begun", redact="yes" if redact else "no")
    forgotten = Forgotten(username=username)
    forgetting = _Forgetting(forgotten, settings, dry_run=dry_run)
    if redact:
        # While their names still stand in the transcripts: by these their words are found.
        forgetting.redact()
    forgetting.voices()
    forgetting.feedback()
    forgetting.alerts(client)
    forgetting.context(client)
    forgetting.catchup()
    forgetting.digests()
    forgetting.summaries()
    forgetting.answers()
    forgetting.pages()
    forgetting.briefs()
    if not dry_run:
        drop_changed(settings)  # what was redacted is not to be found any more, by nobody
        total = ", ".join(f"{kind} {count}" for kind, count in forgotten.counts.items())
        log.note("forget", user=username, by=by, status="done" if forgotten.complete else "incomplete", removed=total)
    return forgotten


class _Forgetting:
    def __init__(self, forgotten: Forgotten, settings: Settings, *, dry_run: bool) -> None:
        self._told = forgotten
        self._username = forgotten.username
        self._settings = settings
        self._dry = dry_run
        self._store = FileStore.of(settings)
        self._database = Database.of(settings)
        self._gone: set[Path] = set()
        self._user_id: str | None = None  # of their account, once the server was asked

    # What is theirs

    def voices(self) -> None:
        """Voiceprint, consent, and their voice in every recording."""
        kept, book = KeptVoices.of(self._settings), VoiceBook.of(self._settings)
        try:
            self._told.add("voices in recordings", len(kept.taken_for(self._username)))
            self._told.add("voiceprint", int(any(e.username == self._username for e in book.entries())))
            if not self._dry:
                kept.forget(self._username)
                book.forget(self._username)
        except VoicesKeyError as error:
            self._told.complete = False
            self._told.notes.append(f"their voice could not be looked for: {error}")

    def feedback(self) -> None:
        """What they asked for. That they want no messages stays: else they would get them again."""
        book = FeedbackBook(self._settings)
        try:
            wishes = book.of(self._username)
        except PeopleError:
            wishes = None  # damaged: there is no reading it, but there is removing it
        if wishes is not None and wishes == replace(type(wishes)(), stopped=wishes.stopped, user_id=wishes.user_id):
            if wishes.stopped:
                self._told.notes.append("that they want no messages is kept, so that they get none")
            return
        self._told.add("feedback")
        if self._dry:
            return
        # What cannot be read may have been a stop: the safe side is to keep one.
        book.keep_only_stop(self._username, stopped=wishes is None or wishes.stopped)

    def alerts(self, client: MattermostClient | None) -> None:
        """What they wanted to hear of, and which messages told them."""
        named = {w.user_id for w in AlertBook(self._settings).named(self._username)}
        user_id = self._id(client) if client is not None else None
        for name in sorted(named | ({user_id} if user_id else set())):
            if self._database.read(ALERTS, name) is not None:
                self._drop(ALERTS, name, "alerts")

    def context(self, client: MattermostClient | None) -> None:
        """Their posts and reactions in what is kept of channels, which summaries they got, and what they were shown as.

        Without their account's id what is kept of channels cannot be told apart: all of it goes, and is read again.
        """
        user_id = self._user_id = self._id(client)
        for document in self._database.documents(CHANNELS):
            self._channel(document, user_id)
        for one in self._database.listed(SUMMARIES):
            if user_id is None or one.name.rpartition("/")[2] == user_id:
                self._drop(one.kind, one.name, "kept notes of their summaries")
        # Of whose words a vector was made cannot be told: all go, and are made again when they are needed.
        vectors = self._settings.home / "people" / "vectors.sqlite"
        self._told.add("vectors", sum(path.is_file() for path in sqlite_files(vectors)))
        if not self._dry:
            remove_sqlite(vectors)
        for path in files(self._store.results / "people"):
            self._rewrite(path, self._without_context, "context of a summary")

    def catchup(self) -> None:
        """How far they were told of channels, and when they were last there; not that they want no such messages."""
        book = CatchupBook(self._settings)
        self._told.add("notes for catching up", book.forget(self._username, self._user_id, dry_run=self._dry))

    def digests(self) -> None:
        """That they want a digest, and how far they were told."""
        book = DigestBook(self._settings)
        self._told.add("wishes for digests", book.forget(self._username, self._user_id, dry_run=self._dry))

    def summaries(self) -> None:
        """Summaries made for them, and the notes of which message was theirs."""
        for path in files(self._store.results / "summaries"):
            self._rewrite(path, lambda data: [s for s in data if _username(s) != self._username], "summaries")
        for path in files(self._store.results / "delivered"):
            data = read_json(path)
            if isinstance(data, dict) and data.get("username") == self._username:
                self._remove(path, "notes of delivery")

    def _channel(self, document: Document, user_id: str | None) -> None:
        rows = _posts(document.body) if user_id is not None else None
        if rows is None or user_id is None:
            self._drop(document.kind, document.name, "kept channels")  # a damaged one would be read anew
            return
        theirs = sum(r[1] == user_id or user_id in r[5] for r in rows)
        self._told.add("kept posts and reactions", theirs)
        if theirs and not self._dry:
            # A listener may be reading the channel at this moment: what goes is taken out of what is there then.
            self._database.change(
                document.kind, document.name, lambda body: body and _without_posts(body, user_id), aged=True
            )

    def briefs(self) -> None:
        """Briefs of incidents that are kept up to date for them, their drafts, and states that hold posts of theirs."""
        for what, count in forget_briefs(self._settings, self._user_id, dry_run=self._dry).items():
            self._told.add(what, count)

    def answers(self) -> None:
        """What the bot answered to anybody, as the step engine keeps it: it may quote what was said.

        Whose words they are is not kept with them. The messages themselves are in Mattermost.
        """
        for database in engines(self._settings):
            ended = ended_runs(database, names=("answer_post", "answer_reaction", "answer_ask"))
            self._told.add("kept answers", len(ended))
            if ended and not self._dry:
                delete_runs(database, ended)

    def pages(self) -> None:
        """Their links to pages, which hold no more, and that it was they who corrected words."""
        for document in self._database.documents(PAGE_LINKS):
            # By their account's id as well: it is the link's, whatever they were called when it was made.
            if self._username == username_of(document.body) or self._user_id == document.name:
                self._drop(PAGE_LINKS, document.name, "links to pages")
        for one in self._database.listed(EDITS):
            self._edits(one.name, lambda e: e if e.by != self._username else replace(e, by=""))

    def _edits(self, media_id: str, change: Callable[[Edit], Edit | None]) -> None:
        changed = change_edits(self._settings, media_id, change, dry_run=self._dry)
        self._told.add("corrections of words", changed)

    def _without_context(self, data: list[Any]) -> list[Any]:
        left = []
        for entry in data:
            if _username(entry) == self._username:
                continue  # a reader with their context
            if isinstance(entry, dict) and entry.get("username") == self._username:
                # A people file's list says who may read: an empty one would say everybody. So the name alone stays.
                entry = {**entry, "name": self._username, "position": "", "about": "", "interests": []}
                entry |= {"speaks_as": None, "tone": None, "locale": None, "length": None}
            elif isinstance(entry, dict) and isinstance(entry.get("context"), dict):
                # Whose the posts are that somebody else answered or reacted to is not kept with them.
                posts = [post for post in entry["context"].get("posts", ()) if post.get("kind") == "own"]
                entry = {**entry, "context": {**entry["context"], "posts": posts}}
            left.append(entry)
        return left

    def _id(self, client: MattermostClient | None) -> str | None:
        if client is None:
            self._told.notes.append("no Mattermost is configured: what is kept of channels is removed as a whole")
            return None
        try:
            return client.user_by_username(self._username).id
        except MattermostNotFoundError:
            self._told.notes.append("the server has no such account: what is kept of channels is removed as a whole")
        except MattermostError as error:
            self._told.notes.append(f"what is kept of channels is removed as a whole, for the server said: {error}")
        return None

    # Their words

    def redact(self) -> None:
        """Replace their words by a mark, in everything from which transcripts and summaries are made."""
        holdings = Holdings(self._settings)
        journal = digest(self._username)[:16]
        spans = _noted_spans(self._database.read(REDACTING, journal))
        for media_id, held in holdings.recordings.items():
            found = [span for _, c in _conversations(held) for span in spans_of(c, self._username)]
            if found:
                spans[media_id] = tuple(sorted({*spans.get(media_id, ()), *found}))
        if not self._dry and spans:
            self._database.write(REDACTING, journal, json.dumps(spans))
        for media_id, theirs in spans.items():
            if self._dry:
                self._redact_recording(holdings.of(media_id), theirs)
                continue
            lock = recording_lock(self._settings, media_id)
            try:
                with lock.acquire(timeout=0):
                    self._redact_recording(holdings.of(media_id), theirs)
            except Timeout:
                raise BusyError(
                    f"{holdings.of(media_id).title} is being worked on; wait for it, then run the command again"
                ) from None
        for path in holdings.orphans:
            # No transcript says whose words these are, and no run finds them again.
            if path.parent.name in {"transcription", "media", "audio", "segmentation"}:
                self._remove(path, "results of no recording")
        if not self._dry:
            self._database.delete(REDACTING, journal)

    def _redact_recording(self, held: Held, spans: Spans) -> None:
        for path in sorted(held.words):
            if path.parent.name == "transcription":
                self._rewrite(path, lambda data: redacted_words(data, spans), "recognised words")
        for path in sorted(held.sound):
            self._remove(path, "sound")
        for path in sorted(held.summaries):
            # Everybody's: a bullet may stand on their words, or quote them.
            self._remove(path, "summaries with their words")
        for path in sorted(held.words):
            if path.parent.name == "corrections":
                self._rewrite(path, self._without_corrections, "corrections")
        edited = {u.id for _, c in _conversations(held) for u in c.utterances if touched(u, spans)}
        self._edits(held.media_id, lambda e: None if e.utterance in edited else e)
        kept = sorted(_conversations(held), key=lambda pair: bool(spans_of(pair[1], self._username)))
        for path, conversation in kept:
            changed = redacted(conversation, self._username, spans)
            if changed != conversation:
                self._told.add("transcripts")
                if not self._dry:
                    write_text(path, json.dumps(to_json(changed), ensure_ascii=False))
        if held.folders:
            self._told.notes.append(
                f"{held.title}: results were also written to {', '.join(sorted(held.folders))}; not touched"
            )

    def _without_corrections(self, data: list[Any]) -> list[Any]:
        left = [c for c in data if c.get("username") != self._username]
        return [{**c, "by": ""} if c.get("by") == self._username else c for c in left]

    # Files and documents

    def _drop(self, kind: str, name: str, counted: str) -> None:
        self._told.add(counted)
        if not self._dry:
            self._database.delete(kind, name)

    def _rewrite(self, path: Path, change: Callable[[Any], Any], kind: str) -> None:
        before = None if path in self._gone else read_json(path)
        if before is None:
            return
        after = change(before)
        if after == before:
            return
        self._told.add(kind)
        if not self._dry:
            write_text(path, json.dumps(after, ensure_ascii=False))

    def _remove(self, path: Path, kind: str) -> None:
        if path.is_file() and path not in self._gone:
            self._told.add(kind)
            self._gone.add(path)
            if not self._dry:
                path.unlink(missing_ok=True)


def _posts(body: str) -> list[Any] | None:
    """The rows of a kept channel; None of a damaged one."""
    try:
        rows: list[Any] = json.loads(body)["kept"]["posts"]
        return rows if all(len(r) > 5 and isinstance(r[5], list) for r in rows) else None
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


def _without_posts(body: str, user_id: str) -> str | None:
    """A kept channel without somebody's posts and reactions; a damaged one goes."""
    rows = _posts(body)
    if rows is None:
        return None
    data = json.loads(body)
    left = [[*r[:5], [u for u in r[5] if u != user_id]] for r in rows if r[1] != user_id]
    changed = {**data, "kept": {**data["kept"], "posts": left}}
    return json.dumps(changed, ensure_ascii=False, separators=(",", ":"))


def _username(entry: Any) -> str | None:
    person = entry.get("person") if isinstance(entry, dict) else None
    return person.get("username") if isinstance(person, dict) else None


def _conversations(held: Held) -> list[tuple[Path, Conversation]]:
    found = []
    for path in sorted(held.conversations):
        try:
            found.append((path, from_json(read_json(path))))
        except ConversationError:
            continue
    return found


def _noted_spans(document: Document | None) -> dict[str, Spans]:
    """What an earlier run noted; nothing of a damaged note, which goes when this run is done."""
    try:
        noted = json.loads(document.body) if document else {}
        return {str(media): tuple((float(s), float(e)) for s, e in pairs) for media, pairs in noted.items()}
    except (ValueError, TypeError, AttributeError, RecursionError):
        return {}
