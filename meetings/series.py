"""Finds the meetings of a series among what was processed here, for somebody who may read them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from meetings.config import Settings
from meetings.conversation import Conversation, read_conversation
from meetings.edits import read_edits
from meetings.errors import CorrectionError, MattermostForbiddenError
from meetings.job import Job
from meetings.mattermost import MattermostClient
from meetings.recalled import told
from meetings.recordings import STAGE, PastRun, past_runs
from meetings.speakers import conversation_of, find_run
from meetings.store import FileStore
from meetings.trends import Meeting, find_series


def read_series(
    references: Sequence[str], settings: Settings, *, person: str | None = None, talk: bool = False
) -> tuple[tuple[Meeting, ...], tuple[Conversation, ...]]:
    """The meetings of a series in order of time, and what was said in them.

    Args:
        references: one processed recording, whose series is meant, or several; or files `transcript.json`.
        settings: where results are.
        person: a username; only meetings that they may read now. None: whoever may read the data folder.
        talk: who talked how much will be shown: then they must have been in each meeting.

    Raises:
        CorrectionError: a recording was never processed here.
        ConversationError: a file is no transcript.
        MattermostForbiddenError: the person may not read it, or was not in one of the meetings.
        MattermostError: the server failed.
    """
    store = FileStore.of(settings)
    files = [Path(r) for r in references if r.endswith(".json")]
    if files and person is None and len(files) == len(references):
        given = [read_conversation(path) for path in files]
        said = sorted(given, key=lambda c: c.started_at or "")
        return tuple(_of_file(c) for c in said), tuple(said)
    runs = {m.id: (m, run) for m, run in (_meeting(find_run(r, settings), store) for r in references)}
    if len(references) == 1:
        (wanted, _) = next(iter(runs.values()))
        runs |= {m.id: (m, run) for m, run in _all(store) if m.id not in runs}
        chosen = find_series(wanted, [m for m, _ in runs.values()])
    else:
        chosen = tuple(sorted((m for m, _ in runs.values()), key=lambda m: (m.started_at, m.id)))
    if person is not None:
        chosen = _readable(chosen, person, settings, wanted=set(runs) if len(references) > 1 else {chosen[-1].id})
    conversations = tuple(
        told(conversation_of(runs[m.id][1], settings), read_edits(settings, m.id), attended=False) for m in chosen
    )
    if person is not None and talk and not all(person in c.participants for c in conversations):
        raise MattermostForbiddenError(f"{person} was not in all of these meetings; who talked is for those who were")
    return chosen, conversations


def _readable(meetings: Sequence[Meeting], person: str, settings: Settings, *, wanted: set[str]) -> tuple[Meeting, ...]:
    client = MattermostClient.required(settings, "whose channels?")
    user = client.user_by_username(person.removeprefix("@"))
    may = {c: bool(c) and client.is_channel_member(c, user.id) for c in {m.channel for m in meetings}}
    found = tuple(m for m in meetings if may[m.channel])
    if not wanted <= {m.id for m in found}:
        raise MattermostForbiddenError(f"{person} may not read the channel of that meeting")
    return found


def _all(store: FileStore) -> list[tuple[Meeting, PastRun]]:
    newest = [runs[-1] for media_id in store.keys(STAGE) if (runs := past_runs(store, media_id))]
    return [
        _meeting(r, store) for r in newest if store.has("conversation", r.conversation) and store.has("jobs", r.job)
    ]


def _meeting(run: PastRun, store: FileStore) -> tuple[Meeting, PastRun]:
    if not store.has("jobs", run.job):
        raise CorrectionError("what is known of that recording is incomplete; run: meetings process")
    source = Job.from_json(store.read_json("jobs", run.job)).source
    started = source.started_at or ""
    meeting = Meeting(id=source.media_id, title=source.title, channel=source.channel_id or "", started_at=started)
    return meeting, run


def _of_file(conversation: Conversation) -> Meeting:
    return Meeting(id=conversation.id, title=conversation.title, started_at=conversation.started_at or "")
