"""Calls as they are written down: who asked to hear of something is told when it was said in a call they were not in.

Who gets a summary of the call anyway, and has it there, is not told twice. What was said in confidence is never told.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

from meetings.alerts.find import Finder, Note
from meetings.alerts.message import conversation_of
from meetings.alerts.send import Sender
from meetings.config import Settings
from meetings.conversation import Conversation
from meetings.errors import MattermostForbiddenError, MattermostNotFoundError, StorageError
from meetings.interests import AlertBook
from meetings.job import Job
from meetings.llm import TextEmbedder
from meetings.mattermost import MattermostClient
from meetings.recordings import past_runs
from meetings.store import FileStore
from meetings.summary.statements import build_statements

BEFORE = 3  # utterances before one that belong to what it is about
NEAR = 1  # a summary that has the utterance next to it has it, too
GOT_IT = frozenset({"sent", "edited", "unchanged"})

log = logging.getLogger("meetings.alerts")


def tell_of_call(
    settings: Settings,
    client: MattermostClient,
    job: Job,
    deliveries: Iterable[Mapping[str, Any]],
    embedder: Callable[[], TextEmbedder],
) -> int:
    """Tell who asked to hear of something that it was said in a call; how many messages were new.

    Args:
        settings: who gets how many.
        client: the bot.
        job: the run; of a recording in a channel, else nobody is told.
        deliveries: who got a summary.
        embedder: gives sentence embeddings; asked when somebody wants alerts.

    Raises:
        MattermostError: the server failed; told again, nobody gets anything twice.
    """
    source = job.source
    everybody = [w for w in AlertBook(settings).everybody() if w.interests and not w.paused]
    if not everybody or not settings.alerts.per_day or source.channel_id is None or source.post_id is None:
        return 0
    store = FileStore.of(settings)
    talk = conversation_of(store, source.media_id)
    if talk is None:
        return 0
    try:
        channel = client.channel(source.channel_id)
    except (MattermostNotFoundError, MattermostForbiddenError):
        return 0
    there = set(source.participant_ids)
    in_call = {*talk.participants, *(s.username for s in talk.speakers if s.username)}
    readers = [w for w in everybody if w.user_id not in there and w.username not in in_call]
    note = note_of_call(
        talk, source.post_id, channel.id, f"{channel.name} {channel.display_name} {talk.title}", source.media_id
    )
    if not readers or not note.parts:
        return 0
    hits = Finder(embedder()).find([note], readers, {w.user_id: w.username for w in readers})
    had = summarised(store, source.media_id, {str(d["username"]) for d in deliveries if d["status"] in GOT_IT})
    names = {w.user_id: w.username for w in readers}
    new = [h for h in hits if not _is_near(h.moment.part, had.get(names[h.user_id], frozenset()))]
    return Sender(client, settings).tell(new)


def note_of_call(talk: Conversation, post: str, channel_id: str, channel: str, media_id: str) -> Note:
    """A call as it is compared: what says something, by the number of its utterance; nothing said in confidence."""
    secret = {turn for s in build_statements(talk) if s.confidential for turn in s.turns}
    parts = [
        (s.turn, s.text)
        for s in build_statements(talk)
        if s.substantial and not s.confidential and not secret.intersection(s.turns)
    ]
    return Note(
        post=post,
        thread=post,
        channel_id=channel_id,
        channel=channel,
        author="",
        text="",
        parts=tuple(parts),
        call=media_id,
    )


def summarised(store: FileStore, media_id: str, usernames: Collection[str]) -> dict[str, frozenset[int]]:
    """The numbers of the utterances that people's summaries stand on, by username."""
    talk = conversation_of(store, media_id)
    places = {u.id: n for n, u in enumerate(talk.utterances)} if talk else {}
    found: dict[str, frozenset[int]] = {}
    for run in past_runs(store, media_id):
        try:
            summaries = store.read_json("summaries", run.summaries) if run.summaries else ()
        except StorageError:
            continue
        for summary in summaries:
            username = str(summary["person"]["username"])
            if username in usernames:
                told = (places[e] for b in summary["bullets"] for e in b["evidence"] if e in places)
                found[username] = found.get(username, frozenset()) | frozenset(told)
    return found


def _is_near(turn: int, told: Collection[int]) -> bool:
    return any(abs(turn - other) <= NEAR for other in told)
