"""What people may ask the bot for beside their summaries: the form that every such request has.

An intent reads a text and says whether it is meant (pure words, nothing is done), gives what is to be told, and later
does what it said it would. It is asked in a direct message or by a slash command; the answer goes to the asker alone,
by direct message, whatever channel they asked in.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from meetings.mattermost.entities import Post, User


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """A request: who, their words, and where they wrote them.

    `channel_id` is the direct channel with the bot or, for a slash command (`command`, as `/meetings`), the channel it
    was typed in, which nothing says that they or the bot may read; `at` is in milliseconds since the epoch.
    """

    asker: User
    text: str
    channel_id: str
    team_id: str = ""
    command: str = ""
    at: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What an intent makes of a request: the answer (Markdown; what others wrote is inert in it), and what to do.

    `effects` are (what, value) pairs for `Intent.change`, done before the answer is told.
    """

    text: str
    effects: tuple[tuple[str, str], ...] = ()


class Intent(Protocol):
    """A kind of request."""

    @property
    def name(self) -> str:
        """A word of its own, for effects and logs."""

    @property
    def help(self) -> str:
        """Lines of a Markdown list that say what can be asked."""

    def understand(self, ask: Ask) -> Outcome | None:
        """What a request comes to; None if it is not of this kind.

        May read the server for the asker and with their rights, and changes nothing.

        Raises:
            MeetingsError: it is of this kind and cannot be answered; the text says why.
        """

    def change(self, username: str, user_id: str, what: str, value: str) -> None:
        """Do one effect; done again, it leaves things as they are.

        Raises:
            MeetingsError: it cannot be done; the text says why.
        """


@runtime_checkable
class Reacting(Protocol):
    """An intent that can also be asked by an emoji on a message of the bot: a thumb, or eyes."""

    def understand_reaction(self, asker: User, post: Post, emoji_name: str) -> Outcome | None:
        """What an emoji comes to; None if the message is none of this intent's to this person. As `understand`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Understood:
    """What is to be done and said: plain values, kept between the steps of a durable answer.

    `effects` are (what, value) pairs on what `username` asked for, those of an intent as `NAME.WHAT`; `voice` is
    (recording, speaker, username) to be set; `again` is the recording whose runs are to be made again.
    """

    username: str
    user_id: str
    channel_id: str
    root_id: str
    answers: str
    text: str
    effects: tuple[tuple[str, str], ...] = ()
    voice: tuple[str, str, str] | None = None
    again: str = ""
