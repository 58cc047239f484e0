"""Search and questions as something that people ask the bot, in a direct message or by a slash command.

What `meetings.replies` understands of an answer to a summary stays its own, for there a question is about that call;
and what names a ~channel is about posts. In a slash command there is no summary that could be meant.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache

from meetings import replies
from meetings.config import Settings
from meetings.intents import Ask, Outcome
from meetings.llm import TextEmbedder, open_embedder
from meetings.mattermost import MattermostClient
from meetings.mattermost.entities import User
from meetings.page_links import PageLinks, is_meeting
from meetings.search.answers import answer_to_markdown
from meetings.search.find import Found, search
from meetings.search.questions import Answer, ask
from meetings.search.readers import reader_of
from meetings.search.render import Place, to_markdown
from meetings.search.shelf import Card
from meetings.search.upkeep import catch_up, open_index
from meetings.search.wording import admitted_model, put_into_words
from meetings.summary import inert

MEETINGS = 5  # that are told of in a message
# Meetings that are put into the index before an answer: people wait for it, and others behind them.
AT_ONCE = 10

# How many is not said: the asker may not know of all of them.
LATER = "\n\nSome older calls are not in my index yet; ask again later."

_ADDRESSED = re.compile(r"^(?:(?:hi|hello|hey|hallo|please|bitte|@\S+)[\s,:!]+)+", re.IGNORECASE)
_SEARCH = re.compile(r"(?:search|find|suche|finde)(?:\s+for|\s+nach)?[\s:]+(.+)", re.IGNORECASE)
_ASK = re.compile(r"(?:ask|frage)[\s:]+(.+)", re.IGNORECASE)
_QUESTION = re.compile(
    r"(?:what (?:did|have) we (?:decided?|sa(?:y|id)|agreed?|discuss(?:ed)?|conclude[d]?)\b|"
    r"what was (?:decided|said|agreed)\b|who (?:said|mentioned|promised|decided)\b|"
    r"(?:when|why|how) did we\b).*",
    re.IGNORECASE,
)
_CHANNEL = re.compile(r"(?<!\S)~[\w-]")


def read_request(text: str, *, command: bool) -> tuple[str, str] | None:
    """`("search" or "ask", what)` for a text that asks for it; None for any other.

    Args:
        text: what somebody wrote.
        command: it was a slash command, and no message that may be about a summary.
    """
    bare = _ADDRESSED.sub("", " ".join(text[: replies.MAX_TEXT].split())).strip()
    if _CHANNEL.search(bare):
        return None
    for name, pattern in (("search", _SEARCH), ("ask", _ASK)):
        if match := pattern.fullmatch(bare):
            return name, match[1].strip()
    if _QUESTION.fullmatch(bare) and (command or replies.read_reply(text) == replies.Help(understood=False)):
        return "ask", bare
    return None


class SearchIntent:
    """`search ...` and `ask ...`: what the asker may read, and nothing else."""

    name = "search"
    help = (
        "- **search pricing**: where it was said, in all calls of channels that you are in\n"
        "- **ask when does the beta start?**: the sentences that answer it, with who said them and where"
    )

    def __init__(
        self, settings: Settings, client: MattermostClient, embedder: Callable[[], TextEmbedder] | None = None
    ) -> None:
        """`embedder` gives sentence embeddings; None: those that settings name."""
        self._settings = settings
        self._client = client
        self._embedder = cache(embedder or (lambda: open_embedder(settings)))

    def understand(self, ask: Ask) -> Outcome | None:
        """What was found; nothing is changed."""
        found = read_request(ask.text, command=bool(ask.command))
        return None if found is None else Outcome(text=self._answered(ask, *found))

    def change(self, username: str, user_id: str, what: str, value: str) -> None:
        """Nothing: no search has an effect."""

    def _answered(self, asked: Ask, what: str, text: str) -> str:
        with open_index(self._settings) as index:
            left = catch_up(self._settings, index, self._embedder, most=AT_ONCE).left
            reader = reader_of(self._client, asked.asker, index.shelf().cards)
            place = self._place(asked.asker)
            if what == "ask":
                told = answer_to_markdown(self._in_words(ask(index, text, reader, embedder=self._embedder())), place)
            else:
                told = _listed(text, search(index, text, reader, embedder=self._embedder(), limit=MEETINGS), place)
        return told + (LATER if left else "")

    def _place(self, asker: User) -> Place | None:
        """Moments lead to the asker's own page of the meeting, where there are pages."""
        links = PageLinks.of(self._settings)
        if links is None:
            return None

        def place(card: Card, start: float) -> str | None:
            return f"{links.link(asker.id, asker.username, card.id)}#t={int(start)}" if is_meeting(card.id) else None

        return place

    def _in_words(self, answer: Answer) -> Answer:
        if not answer.answers:
            return answer
        return put_into_words(answer, admitted_model(self._settings), self._embedder())


def _listed(text: str, found: tuple[Found, ...], place: Place | None) -> str:
    about = inert(text, limit=80)
    if not found:
        return f"I found nothing about {about} in the calls that you may read."
    return f"About {about}:\n\n{to_markdown(found, place)}"
