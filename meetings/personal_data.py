"""Everything that is held about one person, in one file for them. The format is in docs/privacy.md."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from meetings.audit import AuditLog
from meetings.catchup import CatchupBook
from meetings.config import Settings
from meetings.conversation import from_json
from meetings.digests import DigestBook
from meetings.edits import KIND as EDITS
from meetings.edits import parse_edits
from meetings.errors import ConversationError, MattermostError, PeopleError, VoicesKeyError
from meetings.holdings import files, read_json
from meetings.interests import AlertBook
from meetings.kept_briefs import briefs_of
from meetings.kept_voices import KeptVoices
from meetings.mattermost import MattermostClient
from meetings.mattermost.kept import CHANNELS, SUMMARIES, KeptChannel, KeptSummaries
from meetings.page_links import links_of
from meetings.page_sign_ins import signed_in
from meetings.people import FeedbackBook
from meetings.store import Database, FileStore, writing
from meetings.voicebook import VoiceBook

FORMAT = 1
README = """What `meetings` holds about {username}, as of {at}.

about.json       whose data this is, when it was gathered, and what could not be
feedback.json    what you asked for in your summaries
alerts.json      what you wanted to hear of, and which messages told you
context.json     what summaries for you were made from: your posts and channels, as they were read
posts.json       your posts in the channels the bot is in, as kept for the next summary, and what you reacted to
judged.json      which summaries you got, and your thumbs on them
catchup.json     how far you were told of which channel, and when you were last there
digest.json      whether you want a digest, how far you were told, and of which calls
summaries.json   the summaries made for you that are still kept
deliveries.json  which message of the bot is your summary
utterances.json  what you said in the recordings whose transcript is still kept
corrections.json what was said of whose voice is yours, and what you said of others'
edits.json       what you corrected in transcripts, and what stood there before
links.json       for which meetings' pages you have a link, and until when (seconds since 1970 in UTC) it holds
signed_in.json   until when links hold that sign you in to pages, and until when you are signed in (seconds since 1970)
incidents.json   briefs of incidents that are kept up to date for you, your drafts, what was read of your posts there
voice.json       your voiceprint, your consent to it, and your voice in recordings
audit.jsonl      what the audit log tells of you

Times are ISO 8601, or milliseconds since 1970 in UTC (fields in _at); of utterances seconds from the recording's start.
A voice is a list of numbers made by a neural network; nobody can be heard in it.
"""


def personal_data(username: str, settings: Settings, *, client: MattermostClient | None) -> dict[str, Any]:
    """Everything that is held about somebody, by the name of the file it goes into.

    Args:
        username: who.
        settings: the data folder.
        client: tells the id of their account, by which their posts are kept; None if there is none.
    """
    store = FileStore.of(settings)
    notes: list[str] = []
    user_id = _id(username, client, notes)
    try:
        wishes: Any = asdict(FeedbackBook(settings).of(username))
    except PeopleError as error:
        wishes = None
        notes.append(str(error))
    people = [
        entry for path in files(store.results / "people") for entry in read_json(path) or () if _is(entry, username)
    ]
    summaries = [
        s for path in files(store.results / "summaries") for s in read_json(path) or () if _is(s, username)
    ]  # fmt: skip
    found: dict[str, Any] = {
        "feedback.json": wishes,
        "alerts.json": [asdict(one) for one in AlertBook(settings).named(username)],
        "context.json": people,
        "posts.json": list(_posts(settings, user_id)) if user_id else [],
        "judged.json": _judged(settings, user_id) if user_id else [],
        "catchup.json": CatchupBook(settings).held(user_id) if user_id else {},
        "digest.json": DigestBook(settings).held(username, user_id),
        "summaries.json": summaries,
        "deliveries.json": [
            data
            for path in files(store.results / "delivered")
            if isinstance(data := read_json(path), dict) and data.get("username") == username
        ],
        "utterances.json": list(_utterances(store, username)),
        "corrections.json": list(_corrections(store, username)),
        "edits.json": list(_edits(settings, username)),
        "links.json": dict(links_of(settings, user_id)) if user_id else {},
        "signed_in.json": {kind: list(until) for kind, until in signed_in(settings, user_id).items()}
        if user_id
        else {},
        "incidents.json": briefs_of(settings, user_id) if user_id else {},
        "voice.json": _voice(username, settings, notes),
        "audit.jsonl": [
            {"n": e.n, "at": e.at, "event": e.event, "user": e.user, "by": e.by, **e.facts}
            for e in AuditLog(settings).entries(user=username)
        ],
    }
    about = {
        "format": FORMAT,
        "username": username,
        "user_id": user_id,
        "server": settings.mattermost_url,
        "at": datetime.now(tz=UTC).isoformat(timespec="seconds"),
        "notes": notes,
    }
    return {"about.json": about, **found}


def write_archive(data: dict[str, Any], out: Path) -> None:
    """Write it as a ZIP that only its owner may read.

    Raises:
        StorageError: the disk is full or the folder cannot be written.
    """
    about = data["about.json"]
    with writing(out) as part, zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("README.txt", README.format(username=about["username"], at=about["at"]))
        for name, value in data.items():
            lines = name.endswith(".jsonl")
            text = (
                "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in value)
                if lines
                else json.dumps(value, ensure_ascii=False, indent=2) + "\n"
            )
            archive.writestr(name, text)


def _id(username: str, client: MattermostClient | None, notes: list[str]) -> str | None:
    try:
        if client is not None:
            return client.user_by_username(username).id
        notes.append("no Mattermost is configured: kept posts are found by an account's id and are not in here")
    except MattermostError as error:
        notes.append(f"kept posts are found by an account's id and are not in here: {error}")
    return None


def _is(entry: Any, username: str) -> bool:
    """Whether an entry is about somebody: a reader with their context, a summary, or a line of a people file."""
    if not isinstance(entry, dict):
        return False
    person = entry.get("person")
    return (person if isinstance(person, dict) else entry).get("username") == username


def _posts(settings: Settings, user_id: str) -> Iterator[dict[str, Any]]:
    for document in Database.of(settings).documents(CHANNELS):
        try:
            kept = KeptChannel.from_json(json.loads(document.body)["kept"])
        except (KeyError, TypeError, ValueError, RecursionError):
            continue  # damaged: the next reading makes it anew
        for post in kept.posts:
            channel = document.name.rpartition("/")[2]
            told = {"id": post.id, "channel_id": channel, "create_at": post.create_at}
            if post.user_id == user_id:
                yield {**told, "root_id": post.root_id, "message": post.message}
            elif user_id in post.reacted:
                yield {**told, "reacted": True}


def _judged(settings: Settings, user_id: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for document in Database.of(settings).documents(SUMMARIES):
        if document.name.rpartition("/")[2] != user_id:
            continue
        try:
            found += [asdict(one) for one in KeptSummaries.from_json(json.loads(document.body)["kept"]).summaries]
        except (KeyError, TypeError, ValueError, RecursionError):
            continue
    return found


def _utterances(store: FileStore, username: str) -> Iterator[dict[str, Any]]:
    for path in files(store.results / "conversation"):
        try:
            conversation = from_json(read_json(path))
        except ConversationError:
            continue
        labels = {s.id for s in conversation.speakers if s.username == username}
        for u in conversation.utterances:
            if u.speaker in labels:
                yield {
                    "recording": conversation.id,
                    "title": conversation.title,
                    "started_at": conversation.started_at,
                    "id": u.id,
                    "start": u.start,
                    "end": u.end,
                    "text": u.text,
                }


def _corrections(store: FileStore, username: str) -> Iterator[dict[str, Any]]:
    for path in files(store.results / "corrections"):
        for correction in read_json(path) or ():
            if username in {correction.get("username"), correction.get("by")}:
                yield {"recording": path.stem, **correction}


def _edits(settings: Settings, username: str) -> Iterator[dict[str, Any]]:
    for document in Database.of(settings).documents(EDITS):
        for edit in parse_edits(document.body):
            if edit.by == username:
                yield {"recording": document.name, **asdict(edit)}


def _voice(username: str, settings: Settings, notes: list[str]) -> dict[str, Any]:
    try:
        entry = next((e for e in VoiceBook.of(settings).entries() if e.username == username), None)
        kept = KeptVoices.of(settings)
        heard = [
            {"recording_voices": key, **asdict(voice)}
            for key, labels in kept.taken_for(username).items()
            for voice in kept.voices(key)
            if voice.speaker in labels
        ]
    except VoicesKeyError as error:
        notes.append(f"voices could not be read: {error}")
        return {}
    print_ = {"consent": asdict(entry.consent), "samples": [asdict(s) for s in entry.samples]} if entry else None
    return {"voiceprint": print_, "in_recordings": heard}
