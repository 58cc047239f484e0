"""A channel is told once what the bot does there, so that nobody is summarised without having been told.

The notice carries our own key in its props, which is looked up before anything is posted: a process that died between
posting and noting it does not post again. A notice that somebody deleted stays deleted.
"""

from __future__ import annotations

import logging
from urllib.parse import urlsplit

from meetings.audit import AuditLog
from meetings.config import Settings
from meetings.errors import MattermostError
from meetings.llm import server_address
from meetings.mattermost import MattermostClient
from meetings.mattermost.entities import Channel
from meetings.store import Database
from meetings.summary import inert

KIND = "notices"
NOTICE_PROP = "meetings_notice"  # in the props of a notice: the channel it is for
LOOK_BACK = 1_000  # newest posts of a channel that are searched for a notice

_WHO = {
    "members": "every member of this channel (in a large one, those who were in the call)",
    "participants": "those who were in the call",
    "missed": "the members of this channel who missed the call",
}

log = logging.getLogger("meetings.notices")


class Notices:
    """The notices of one bot.

    Args:
        client: the bot.
        settings: whether and what is told, and the database in which it is noted.
    """

    def __init__(self, client: MattermostClient, settings: Settings) -> None:
        self._client = client
        self._settings = settings
        self._database = Database.of(settings)
        self._refused: set[str] = set()

    def give(self, channel: Channel) -> bool:
        """Tell a channel, unless it was told before, nobody gets anything there, or it is a direct one.

        Trouble is logged and waited out until the next look: no recording has to wait for it.

        Raises:
            StorageError: that it was told cannot be noted.
        """
        if not self._settings.notice or channel.type == "D" or channel.delete_at:
            return False
        if channel.id in self._refused or self._database.read(KIND, channel.id) is not None:
            return False
        try:
            audience = self._audience(channel)
            if audience == "nobody":
                return False
            new = not self._is_there(channel.id)
            if new:
                post = self._client.create_post(
                    channel.id,
                    notice(self._settings, audience),
                    props={NOTICE_PROP: channel.id},
                    key=f"notice:{channel.id}",
                )
                AuditLog(self._settings).note("notice", channel=channel.id, post=post.id)
        except MattermostError as error:
            log.warning("channel %s could not be told what the bot does: %s", channel.id, error)
            if not error.temporary:
                # Often a channel in which only some may write; once in a process's life is enough to ask.
                self._refused.add(channel.id)
            return False
        self._database.write(KIND, channel.id, "true")
        return new

    def _is_there(self, channel_id: str) -> bool:
        me = self._client.me().id
        return any(
            post.user_id == me and post.props.get(NOTICE_PROP) == channel_id
            for post in self._client.latest_posts(channel_id, LOOK_BACK)
        )

    def _audience(self, channel: Channel) -> str:
        if not self._settings.channels:
            return self._settings.audience
        rules = self._settings.channels.get(self._client.address_of(channel))
        return (rules.audience if rules else None) or self._settings.audience


def notice(settings: Settings, audience: str) -> str:
    """What a channel is told."""
    where = _model_elsewhere(settings)
    sent = f" For that, lines of the call are sent to a language model at {inert(where)}." if where else ""
    here = "on this company's own machine" if not where else "on this company's own machine, except as said below"
    contact = _as_code(settings.contact) if settings.contact else "whoever added me here"
    return (
        "Hello, I am a bot that summarises recorded calls and tells people what is new for them.\n"
        f"- **What I do:** when a call in this channel is recorded, it is written down {here}, and I send "
        f"{_WHO[audience]} a direct message with what matters to them. Other calls I do not hear.{sent}\n"
        "- **Who gets one:** nobody who is not a member of this channel at that moment.\n"
        "- **What I read:** the recording, and what is written in the channels I am in, to know what matters to whom. "
        "That is used for your own summary. Posts of this channel I quote to its members alone, who ask me what is new "
        "or to be told of something.\n"
        "- **How to say no:** write me **stop** in a direct message, and you get nothing more. Who removes me from "
        "this channel ends it for everybody.\n"
        f"- **Whom to ask**, also to see or delete what is kept about you: {contact}."
    )


def _as_code(text: str) -> str:
    """A contact as it can be copied; as code it pings nobody."""
    return f"`{' '.join(text.replace('`', ' ').split())}`"


def _model_elsewhere(settings: Settings) -> str:
    """The host that lines of a call are sent to; empty if the model runs on this machine or there is none."""
    address = server_address(settings)
    if not settings.language_model.startswith("server:") or not address:
        return ""
    host = urlsplit(address).hostname or ""
    return "" if host in {"localhost", "127.0.0.1", "::1"} else host
