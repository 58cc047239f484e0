"""What readers change on a meeting's page: who a voice is, the words of an utterance, and summaries made again.

The rules are those of an answer to the bot (`meetings.talkback`): only those who were in the call may say it, and a
voice can only be somebody who was in the call or is in its channel.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Mapping
from typing import Protocol

from meetings.audit import AuditLog
from meetings.config import Settings
from meetings.conversation import Conversation
from meetings.corrections import Setting
from meetings.edits import CHANGED, add_edit, apply_edits, read_edits
from meetings.errors import CorrectionError
from meetings.mattermost import MattermostClient
from meetings.mattermost.entities import User
from meetings.recalled import RecalledCall
from meetings.report.access import Gate, Reader
from meetings.speakers import correct

SAVED = {
    "edit": "Saved. Summaries change when you have them made again.",
    "speaker": "Saved. Names, summaries and messages are being corrected.",
    "remake": "Summaries are being made again; messages that change are corrected.",
}
MAX_LISTED = 500  # people that a voice can be


class Remakes(Protocol):
    """Where it is queued that runs are made again."""

    def put_remake(self, media_id: str, name: str) -> bool:
        """Queue it under a name of its own; False if that was done before."""


class Changes:
    """Does them.

    Args:
        settings: where meetings are kept.
        client: the bot.
        gate: tells what a reader looks at.
        queue: where it is queued that runs are made again.
    """

    def __init__(self, settings: Settings, client: MattermostClient, gate: Gate, queue: Remakes) -> None:
        self._settings = settings
        self._client = client
        self._gate = gate
        self._queue = queue

    def possible(self, reader: Reader) -> list[dict[str, str]] | None:
        """Whose a voice can be, by name; None for who may not say it."""
        call = self._gate.call(reader)
        if call is None or not call.attended(reader.user.username):
            return None
        people = sorted(self._people(reader), key=lambda u: (u.name.casefold(), u.username))
        return [{"username": u.username, "name": u.name} for u in people[:MAX_LISTED]]

    def do(self, what: str, reader: Reader, form: Mapping[str, str]) -> None:
        """Do what a form asks for.

        Raises:
            CorrectionError: it is not for this reader to say, or cannot be; the text says why.
            MattermostError: the server does not answer.
        """
        call = self._gate.call(reader)
        if call is None or not call.attended(reader.user.username):
            raise CorrectionError("Only those who were in the call can correct it.")
        if what == "edit":
            self._edit(reader, call, form)
        elif what == "speaker":
            self._speaker(reader, call, form)
            self._queue.put_remake(reader.meeting, uuid.uuid4().hex)
        else:
            AuditLog(self._settings).note(
                "remake", user=reader.user.username, by=reader.user.username, recording=reader.meeting
            )
            self._queue.put_remake(reader.meeting, uuid.uuid4().hex)

    def _edit(self, reader: Reader, call: RecalledCall, form: Mapping[str, str]) -> None:
        edit_words(
            self._settings, reader.meeting, call.conversation, form, user=reader.user.username, by=reader.user.username
        )

    def _speaker(self, reader: Reader, call: RecalledCall, form: Mapping[str, str]) -> None:
        setting = setting_of(form, call.conversation, lambda: {u.username for u in self._people(reader)})
        correct(call.run, [setting], self._settings, by=reader.user.username)

    def _people(self, reader: Reader) -> tuple[User, ...]:
        ids = set(reader.job.source.participant_ids)
        if reader.job.source.channel_id is not None:
            ids |= set(self._client.channel_member_ids(reader.job.source.channel_id))
        return tuple(u for u in self._client.users(ids) if not u.is_bot)


def edit_words(
    settings: Settings, meeting: str, conversation: Conversation, form: Mapping[str, str], *, user: str, by: str
) -> None:
    """Note the words that a form brings for an utterance.

    Args:
        settings: where they are kept.
        meeting: the recording's id.
        conversation: what was said, as it is stored.
        form: which utterance, what stood there, and what is to stand there.
        user: the account that changes them; empty for who sits at the machine.
        by: who it is, as it is shown.

    Raises:
        CorrectionError: it is there no longer, somebody was faster, or the words cannot be taken.
    """
    shown = apply_edits(conversation, read_edits(settings, meeting))
    wanted = form.get("utterance", "")
    stored = next((u for u in conversation.utterances if u.id == wanted), None)
    utterance = next((u for u in shown.utterances if u.id == wanted), None)
    if utterance is None:
        raise CorrectionError("That passage is there no longer; load the page again.")
    if " ".join(form.get("was", "").split()) != " ".join(utterance.text.split()):
        raise CorrectionError(CHANGED)
    changed = add_edit(
        settings,
        meeting,
        utterance=utterance.id,
        before=utterance.text,
        text=form.get("text", ""),
        by=by,
        heard=stored,
    )
    if changed:
        AuditLog(settings).note("edit", user=user, by=by, recording=meeting, utterance=utterance.id)


def setting_of(form: Mapping[str, str], conversation: Conversation, possible: Callable[[], Collection[str]]) -> Setting:
    """Whose voice it is by a form; `possible` gives the usernames that it can be, asked for when one is named.

    Raises:
        CorrectionError: there is no such speaker, nobody is named, or it can be none of theirs.
    """
    speaker, who = form.get("speaker", ""), form.get("who", "")
    if not any(s.id == speaker for s in conversation.speakers):
        raise CorrectionError("There is no such speaker; load the page again.")
    kind, _, value = who.partition(":")
    guest = " ".join(form.get("guest", "").split())[:100]
    match kind:
        case "user" if value in possible():
            return Setting(who=speaker, username=value)
        case "user":
            raise CorrectionError("Nobody in that call or its channel is called that.")
        case "guest" if guest:
            return Setting(who=speaker, name=guest)
        case "nobody":
            return Setting(who=speaker)
        case "auto":
            return Setting(who=speaker, withdrawn=True)
        case _:
            raise CorrectionError("Say who it is.")
