"""Calls as they are written down: who asked to hear of something is told when it was said in a call they were not in.

Who gets a summary of the call anyway, and has it there, is not told twice. What was said in confidence is never told.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

from meetings.alerts.find import Note
from meetings.alerts.message import conversation_of
from meetings.alerts.send import Sender, outside_quiet_hours
from meetings.alerts.watch import Alerts
from meetings.config import Settings
from meetings.conversation import Conversation
from meetings.errors import MattermostForbiddenError, MattermostNotFoundError, MeetingsError, StorageError
from meetings.interests import AlertBook
from meetings.job import Job
from meetings.llm import TextEmbedder
from meetings.mattermost import MattermostClient
from meetings.mattermost.entities import Channel
from meetings.personas import kept_embedder
from meetings.recordings import past_runs
from meetings.store import FileStore
from meetings.summary.statements import build_statements

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
    if job.audience == "nobody":
        return 0  # of this channel's calls nothing is sent
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
    if job.listed:
        readers = [w for w in readers if w.username in job.listed]
    note = note_of_call(talk, channel, post=source.post_id, media_id=source.media_id)
    if not readers or not note.parts:
        return 0
    names = {w.user_id: w.username for w in readers}
    hits = Alerts(settings, client, embedder).finder().find([note], readers, names)
    had = summarised(store, source.media_id, {str(d["username"]) for d in deliveries if d["status"] in GOT_IT})
    new = [h for h in hits if not _is_near(h.moment.part, had.get(names[h.user_id], frozenset()))]
    return Sender(client, settings, may_send=outside_quiet_hours(settings)).tell(new)


def alert_of_call(settings: Settings, job: Job, deliveries: Iterable[Mapping[str, Any]]) -> None:
    """Tell who asked to hear of what was said; that it fails is logged, and is no failure of the recording's work."""
    try:
        client = MattermostClient.required(settings)
        told = tell_of_call(settings, client, job, deliveries, kept_embedder(settings))
    except MeetingsError as error:
        log.warning("recording %s: alerts could not be sent: %s", job.source.post_id, error)
        return
    if told:
        log.info("recording %s: %d alerts", job.source.post_id, told)


def note_of_call(talk: Conversation, channel: Channel, *, post: str, media_id: str) -> Note:
    """A call as it is compared: what says something, by the number of its utterance; nothing said in confidence."""
    said = build_statements(talk)
    secret = {turn for s in said if s.confidential for turn in s.turns}
    return Note(
        post=post,
        thread=post,
        channel_id=channel.id,
        channel=f"{channel.name} {channel.display_name} {talk.title}",
        author="",
        text="",
        parts=tuple((s.turn, s.text) for s in said if s.substantial and not secret.intersection(s.turns)),
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
