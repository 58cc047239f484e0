"""The queues: how work gets into them, and the names by which whoever works finds it.

Everything that finds recordings (the socket, a sweep, a webhook) only puts them here, under a name of their own: the
same news is queued once. The engine is DBOS's: one queue on one machine; where several machines share a database, a
queue for each kind of machine, and in each of them a partition for each team, of which a free worker takes one by lot.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from dbos import DBOS, DBOSClient, EnqueueOptions, error

from meetings.mattermost.entities import Reaction
from meetings.steps import plain_trouble
from meetings.store.locks import connect

APPLICATION = "meetings-service"
# Raised when the steps of a workflow change; what an earlier version left undone is then begun anew.
VERSION = "meetings-service-1"
RECORDINGS, ANSWERS = "recordings", "answers"
# The parts of the work on a recording, in order, each a queue of its own where several machines work.
PARTS = SPEECH, SUMMARY, DELIVERY = ("speech", "summary", "delivery")
# What is taken first, within a team: a call that just ended, one that ended long ago, a correction. Lower is sooner.
FRESH, LATE, CORRECTION = 1, 5, 9
WAITING = ["ENQUEUED", "PENDING", "DELAYED"]
# The workflows that a recording is in, one after the other.
OF_RECORDINGS = ["take_recording", "work_on"]


def workflow_id(post_id: str, cause: str, turn: int) -> str:
    """The name of one look at a recording: the same news of the same post is queued once."""
    return f"recording:{post_id}:{cause}:{turn}"


def errand(
    queue: str, workflow: str, name: str, *, delay: float = 0.0, priority: int = 0, share: str = ""
) -> EnqueueOptions:
    """What the engine is told of work that is to be queued.

    Args:
        queue: the queue.
        workflow: the workflow.
        name: the work's own name; what was queued under it before is not queued again.
        delay: seconds until it may be taken.
        priority: what is lower is taken first; 0 before all others.
        share: the partition: free workers are shared between partitions, whatever waits in each.
    """
    kind = "Answers" if queue == ANSWERS else "Recordings"
    options: EnqueueOptions = {
        "queue_name": queue,
        "workflow_name": workflow,
        "class_name": kind,
        "instance_name": kind.lower(),
        "workflow_id": name,
        "app_version": VERSION,
    }
    if delay > 0:
        options["delay_seconds"] = delay
    if priority:
        options["priority"] = priority
    if share:
        options["queue_partition_key"] = share
    return options


class Inbox:
    """Where what is heard is put. Each tells whether it was new, or raises DatabaseError."""

    _where = "the steps' database"
    _enqueue: Callable[..., Any]
    _list: Callable[..., Sequence[Any]]
    # Answers to one person are given one after the other, whichever machine gives them.
    _in_turn = False

    def put(self, post_id: str, *, cause: str = "") -> bool:
        """Queue a recording; False if the same news of it was queued before."""
        return self._put(errand(RECORDINGS, "take_recording", workflow_id(post_id, cause, 0)), post_id, cause, 0, 0)

    def put_answer(self, post_id: str, user_id: str) -> bool:
        """Queue an answer to somebody's post; False if that was done before."""
        return self._put(self._answer("answer_post", f"answer:{post_id}", user_id), post_id)

    def put_reaction(self, reaction: Reaction) -> bool:
        """Queue an answer to an emoji; False if that was done before."""
        name = f"reaction:{reaction.post_id}:{reaction.user_id}:{reaction.emoji_name}"
        options = self._answer("answer_reaction", name, reaction.user_id)
        return self._put(options, reaction.post_id, reaction.user_id, reaction.emoji_name)

    def put_ask(self, user_id: str, name: str, **ask: Any) -> bool:
        """Queue the answer to a slash command; False if that was done before.

        Args:
            user_id: who gave it.
            name: a name of its own.
            ask: the rest of what `Talkback.understand_ask` wants.
        """
        return self._put(self._answer("answer_ask", name, user_id), user_id, {"name": name, **ask})

    def put_gone(self, post_id: str, channel_id: str) -> bool:
        """Queue the removal of what is held of deleted recordings; False if that was done before."""
        return self._put(errand(RECORDINGS, "remove_gone", f"gone:{post_id}"), channel_id)

    def put_remake(self, media_id: str, name: str) -> bool:
        """Queue that a recording's runs are made again with what was corrected; False if that was done before.

        Args:
            media_id: the recording.
            name: a name of its own.
        """
        return self._put(errand(RECORDINGS, "correct_names", f"names:{name}", priority=CORRECTION), media_id)

    def waiting(self) -> int:
        """How many recordings are queued, waiting or being worked on."""
        with plain_trouble(self._where):
            return len(self._list(name=OF_RECORDINGS, status=WAITING, load_input=False, load_output=False))

    def _answer(self, workflow: str, name: str, user_id: str) -> EnqueueOptions:
        return errand(ANSWERS, workflow, name, share=user_id if self._in_turn else "")

    def _put(self, options: EnqueueOptions, *arguments: Any) -> bool:
        options["workflow_id_reuse_policy"] = "reject"
        try:
            with plain_trouble(self._where):
                self._enqueue(options, *arguments)
        except error.DBOSWorkflowIDInUseError:
            return False
        return True


class SharedInbox(Inbox):
    """The inbox of a database that several machines share; nothing is worked on here. A context manager."""

    _in_turn = True
    _where = "database_url"

    def __init__(self, url: str) -> None:
        """
        Raises:
            DatabaseError: the server cannot be reached.
        """
        connect(url).close()  # the engine would wait for it without a word
        DBOS.migrate(url)  # no worker may have been here before
        # Who waits for an answer is told that there is none; a listener looks again.
        self._client = DBOSClient(system_database_url=url, application_name=APPLICATION, retry_connection_errors=False)
        self._enqueue = self._client.enqueue
        self._list = self._client.list_workflows

    def __enter__(self) -> SharedInbox:
        return self

    def __exit__(self, *exc: object) -> None:
        self._client.destroy()
