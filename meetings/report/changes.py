"""What readers change on a meeting's page: who a voice is, the words of an utterance, and summaries made again.

The rules are those of an answer to the bot (`meetings.talkback`): only those who were in the call may say it, and a
voice can only be somebody who was in the call or is in its channel.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Protocol

from meetings.audit import AuditLog
from meetings.config import Settings
from meetings.corrections import Setting
from meetings.edits import add_edit, apply_edits, read_edits
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
        conversation = apply_edits(call.conversation, read_edits(self._settings, reader.meeting))
        wanted = form.get("utterance", "")
        utterance = next((u for u in conversation.utterances if u.id == wanted), None)
        if utterance is None:
            raise CorrectionError("That passage is there no longer; load the page again.")
        if " ".join(form.get("was", "").split()) != " ".join(utterance.text.split()):
            raise CorrectionError("Somebody changed that passage meanwhile; look at it again.")
        changed = add_edit(
            self._settings,
            reader.meeting,
            utterance=utterance.id,
            before=utterance.text,
            text=form.get("text", ""),
            by=reader.user.username,
        )
        if changed:
            AuditLog(self._settings).note(
                "edit",
                user=reader.user.username,
                by=reader.user.username,
                recording=reader.meeting,
                utterance=utterance.id,
            )

    def _speaker(self, reader: Reader, call: RecalledCall, form: Mapping[str, str]) -> None:
        speaker, who = form.get("speaker", ""), form.get("who", "")
        if not any(s.id == speaker for s in call.conversation.speakers):
            raise CorrectionError("There is no such speaker; load the page again.")
        kind, _, value = who.partition(":")
        guest = " ".join(form.get("guest", "").split())[:100]
        match kind:
            case "user" if value in {u.username for u in self._people(reader)}:
                setting = Setting(who=speaker, username=value)
            case "user":
                raise CorrectionError("Nobody in that call or its channel is called that.")
            case "guest" if guest:
                setting = Setting(who=speaker, name=guest)
            case "nobody":
                setting = Setting(who=speaker)
            case "auto":
                setting = Setting(who=speaker, withdrawn=True)
            case _:
                raise CorrectionError("Say who it is.")
        correct(call.run, [setting], self._settings, by=reader.user.username)

    def _people(self, reader: Reader) -> tuple[User, ...]:
        ids = set(reader.job.source.participant_ids)
        if reader.job.source.channel_id is not None:
            ids |= set(self._client.channel_member_ids(reader.job.source.channel_id))
        return tuple(u for u in self._client.users(ids) if not u.is_bot)
