"""A call that somebody talks about, and whom they mean by a name."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from meetings.conversation import Conversation, from_json
from meetings.edits import Edit, apply_edits, as_heard
from meetings.job import Job
from meetings.mattermost.entities import User
from meetings.recordings import PastRun, past_runs
from meetings.store import FileStore
from meetings.summary.withheld import in_confidence


@dataclass(frozen=True, slots=True, kw_only=True)
class RecalledCall:
    """The call that somebody talks about: their newest run of it, what was said, and what they got."""

    run: PastRun
    job: Job
    conversation: Conversation
    summary: Mapping[str, Any]

    def attended(self, username: str) -> bool:
        return username in self.conversation.participants or any(
            s.username == username for s in self.conversation.speakers
        )


def recall(store: FileStore, media_id: str, username: str, *, read_only: bool = False) -> RecalledCall | None:
    """The newest run of a recording in which somebody got a summary, as far as it is kept.

    Args:
        store: the results.
        media_id: the recording.
        username: who.
        read_only: without a summary of theirs the newest run whose transcript is kept will do; its summary is empty.
    """
    spare: PastRun | None = None
    for run in reversed(past_runs(store, media_id)):
        if not (store.has("conversation", run.conversation) and store.has("jobs", run.job)):
            continue
        spare = spare or run
        if not run.summaries or not store.has("summaries", run.summaries):
            continue
        for summary in store.read_json("summaries", run.summaries):
            if summary["person"]["username"] == username:
                return _recalled(store, run, summary)
    return _recalled(store, spare, {}) if read_only and spare is not None else None


def told(conversation: Conversation, edits: Sequence[Edit], *, attended: bool) -> Conversation:
    """What is told of a call: its words as people corrected them; a correction opens no confidence.

    Args:
        conversation: what was said, as it is kept.
        edits: what people changed in its words.
        attended: whether it is told to somebody who was there; if not, what was said in confidence before words were
            corrected, or is after, is silent. Without corrections whoever reads it sees to that as ever.
    """
    shown = apply_edits(conversation, edits)
    if attended or not edits:
        return shown
    secret = in_confidence(as_heard(conversation, edits), shown)
    said = tuple(replace(u, text="", words=()) if n in secret else u for n, u in enumerate(shown.utterances))
    return replace(shown, utterances=said)


def headline_of(store: FileStore, media_id: str, username: str) -> str:
    """What the newest summary that somebody got of a recording says first; empty if there is none."""
    for run in reversed(past_runs(store, media_id)):
        if run.summaries and store.has("conversation", run.conversation) and store.has("summaries", run.summaries):
            for summary in store.read_json("summaries", run.summaries):
                if summary["person"]["username"] == username:
                    return str(summary.get("headline") or "")
    return ""


def _recalled(store: FileStore, run: PastRun, summary: Mapping[str, Any]) -> RecalledCall:
    return RecalledCall(
        run=run,
        job=Job.from_json(store.read_json("jobs", run.job)),
        conversation=from_json(store.read_json("conversation", run.conversation)),
        summary=summary,
    )


def named(who: str, people: Sequence[User]) -> tuple[User, ...]:
    """Who of these is meant: by username, by name, by nickname, else by first name."""
    wanted = who.strip().removeprefix("@").casefold()
    ways: tuple[Callable[[User], Collection[str]], ...] = (
        lambda u: {u.username},
        lambda u: {u.name, u.nickname},
        lambda u: {u.first_name},
    )
    for way in ways:
        found = tuple(u for u in people if wanted in {n.casefold() for n in way(u) if n})
        if found:
            return found
    return ()
