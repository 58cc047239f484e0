"""Answers to what people write to the bot and to the emojis they put on their summaries, each a durable workflow."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import asdict
from functools import cache
from typing import Any

from dbos import DBOS, DBOSConfiguredInstance

from meetings.alerts import AlertsIntent
from meetings.briefs import BriefIntent
from meetings.catchup import CatchupIntent
from meetings.config import Settings
from meetings.digests import DigestIntent
from meetings.errors import MattermostForbiddenError, MattermostNotFoundError
from meetings.intents import Intent, Understood
from meetings.mattermost import MattermostClient
from meetings.mattermost.entities import Reaction
from meetings.page_links import RevokeLinks
from meetings.page_sign_ins import HomeLink
from meetings.personas import kept_embedder
from meetings.queueing import CORRECTION, RECORDINGS, errand
from meetings.requests import ChannelIntent
from meetings.search.intent import SearchIntent
from meetings.steps import plain
from meetings.talkback import Talkback

# A server that is away for some minutes is waited for; then the answer is given up, as its question has grown old.
PATIENTLY: Any = {"retries_allowed": True, "max_attempts": 6, "interval_seconds": 5.0, "backoff_rate": 2.0}
# Work that kills the process this many times is given up, so that what is behind it gets its turn.
DEATHS = 60

log = logging.getLogger("meetings.service")


@DBOS.dbos_class()
class Answers(DBOSConfiguredInstance):
    """Answers to what people write and to the emojis they put on their summaries."""

    _settings: Settings

    def __init__(self) -> None:
        super().__init__("answers")

    def take(self, settings: Settings) -> None:
        """What the work is done with."""
        self._settings = settings

    @DBOS.workflow(name="answer_post", max_recovery_attempts=DEATHS)
    def answer_post(self, post_id: str) -> str:
        """Answer somebody's post."""
        return self._answer(lambda: self.understand(post_id))

    @DBOS.workflow(name="answer_reaction", max_recovery_attempts=DEATHS)
    def answer_reaction(self, post_id: str, user_id: str, emoji_name: str) -> str:
        """Answer somebody's emoji."""
        return self._answer(lambda: self.understand_reaction(post_id, user_id, emoji_name))

    @DBOS.workflow(name="answer_ask", max_recovery_attempts=DEATHS)
    def answer_ask(self, user_id: str, ask: dict[str, Any]) -> str:
        """Answer somebody's slash command, by direct message."""
        return self._answer(lambda: self.understand_ask(user_id, ask))

    def _answer(self, understand: Callable[[], dict[str, Any] | None]) -> str:
        try:
            found = understand()
            if found is None:
                return "nothing to answer"
            self.say(found, self.change(found))
        except Exception as error:  # noqa: BLE001 - the next one gets their answer
            log.warning("an answer could not be given: %s", plain(error))
            return f"failed: {plain(error)}"
        if found["again"]:
            # A voice got a name: every run of the recording is made again from there, and messages are corrected.
            again = errand(RECORDINGS, "correct_names", f"names:{found['answers']}", priority=CORRECTION)
            DBOS.enqueue_workflow_with_options(again, found["again"])
        return "answered"

    @DBOS.step(**PATIENTLY)
    def understand(self, post_id: str) -> dict[str, Any] | None:
        """The first step for a post."""
        client = MattermostClient.required(self._settings)
        try:
            post = client.post(post_id)
        except (MattermostNotFoundError, MattermostForbiddenError):
            return None
        return _plain(self._talkback().understand(post))

    @DBOS.step(**PATIENTLY)
    def understand_reaction(self, post_id: str, user_id: str, emoji_name: str) -> dict[str, Any] | None:
        """The first step for an emoji."""
        reaction = Reaction(user_id=user_id, post_id=post_id, emoji_name=emoji_name)
        return _plain(self._talkback().understand_reaction(reaction))

    @DBOS.step(**PATIENTLY)
    def understand_ask(self, user_id: str, ask: dict[str, Any]) -> dict[str, Any] | None:
        """The first step for a slash command."""
        return _plain(self._talkback().understand_ask(user_id, **ask))

    @DBOS.step(**PATIENTLY)
    def change(self, found: dict[str, Any]) -> str:
        """The second step."""
        return self._talkback().change(_understood(found))

    @DBOS.step(**PATIENTLY)
    def say(self, found: dict[str, Any], text: str) -> None:
        """The third step."""
        self._talkback().say(_understood(found), text)

    def _talkback(self) -> Talkback:
        client = MattermostClient.required(self._settings)
        return Talkback(self._settings, client, make_intents(self._settings, client))


def make_intents(settings: Settings, client: MattermostClient) -> tuple[Intent, ...]:
    """What can be asked for beside what concerns summaries of calls."""
    embedder = kept_embedder(settings)
    pages: tuple[Intent, ...] = () if settings.page_url is None else (RevokeLinks(settings), HomeLink(settings))
    return (
        *pages,
        BriefIntent(settings, client),
        AlertsIntent(settings, client),
        CatchupIntent(settings, client, embedder),
        DigestIntent(settings, client, embedder),
        SearchIntent(settings, client),
        ChannelIntent(settings, client, embedder),
    )


def _understood(found: Mapping[str, Any]) -> Understood:
    return Understood(
        **{
            **found,
            "effects": tuple((what, value) for what, value in found["effects"]),
            "voice": tuple(found["voice"]) if found["voice"] else None,
        }
    )


def _plain(understood: Understood | None) -> dict[str, Any] | None:
    return None if understood is None else asdict(understood)


@cache
def shared_answers() -> Answers:
    """The process's one: DBOS takes an instance of a name once."""
    return Answers()
