"""What an alert says: what was written, by whom and where, and why somebody is told.

What an alert is about is kept as places; its words are read from the server each time the message is written, so that
an alert that grows shows what stands there now, and nothing that was taken away.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from meetings.alerts.find import parts_of
from meetings.config import Settings
from meetings.conversation import Conversation, clock, from_json
from meetings.edits import read_edits
from meetings.errors import MattermostForbiddenError, MattermostNotFoundError, StorageError
from meetings.interests import Interest, Moment
from meetings.mattermost import MattermostClient
from meetings.mattermost.entities import Channel
from meetings.recalled import told
from meetings.recordings import past_runs
from meetings.store import FileStore
from meetings.summary import inert
from meetings.summary.kinds import read_sentence
from meetings.summary.markdown import link
from meetings.summary.text import clean

MAX_QUOTE = 400  # characters
LABELS = {"decision": "Decision: ", "risk": "Risk: "}
HOW = "👍 more like this · 👎 less · **my alerts** lists what you hear of"


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """Words with who said them, where, and the address of the place; `at` orders them (milliseconds)."""

    text: str
    by: str
    where: str
    url: str
    at: int


class Quoter:
    """Reads what moments are about."""

    def __init__(self, client: MattermostClient, settings: Settings) -> None:
        self._client = client
        self._settings = settings
        self._channels: dict[str, Channel] = {}

    def quote(self, moment: Moment) -> Quote | None:
        """The words; None if they are gone or are others by now.

        Raises:
            MattermostError: the server does not answer.
        """
        try:
            post = self._client.post(moment.post)
            channel = self._channel(moment.channel_id)
        except (MattermostNotFoundError, MattermostForbiddenError):
            return None
        if post.delete_at or post.channel_id != moment.channel_id:
            return None
        url = f"{self._client.url}/{self._client.address_of(channel).partition('/')[0] or '_redirect'}/pl/{post.id}"
        where = f"~{channel.name}"
        if moment.call:
            return self._said(moment, where, url, post.create_at)
        (author,) = self._client.users([post.user_id]) or (None,)
        parts = dict(parts_of(post.message, {}))
        if moment.part not in parts:
            return None
        by = author.name if author else "somebody"
        return Quote(text=parts[moment.part], by=by, where=where, url=url, at=post.create_at)

    def _said(self, moment: Moment, where: str, url: str, at: int) -> Quote | None:
        talk = conversation_of(FileStore.of(self._settings), moment.call)
        if talk is None or moment.part >= len(talk.utterances):
            return None
        said = told(talk, read_edits(self._settings, moment.call), attended=False).utterances[moment.part]
        if not said.text:
            return None
        where = f"“{talk.title}”, {clock(said.start)}" if talk.title else f"the call in {where}, {clock(said.start)}"
        return Quote(
            text=clean(said.text), by=talk.speaker_of(said).name, where=where, url=url, at=at + round(said.start * 1000)
        )

    def _channel(self, channel_id: str) -> Channel:
        if channel_id not in self._channels:
            self._channels[channel_id] = self._client.channel(channel_id)
        return self._channels[channel_id]


def conversation_of(store: FileStore, media_id: str) -> Conversation | None:
    """What was said in a recording, by its newest run; None if that is kept no longer."""
    for run in reversed(past_runs(store, media_id)):
        try:
            if store.has("conversation", run.conversation):
                return from_json(store.read_json("conversation", run.conversation))
        except StorageError:
            continue
    return None


def render(found: Sequence[tuple[Interest, Sequence[Quote]]], *, late: bool = False, left_out: int = 0) -> str:
    """The message, in Markdown; what others wrote is shown and does nothing.

    Args:
        found: quotations by interest.
        late: they were over a day's number, and come together.
        left_out: how many there were besides.
    """
    lines: list[str] = []
    if late:
        lines += ["More that you asked to hear of; it was over a day's alerts:", ""]
    for interest, quotes in found:
        lines.append(_why(interest))
        for quote in sorted(quotes, key=lambda q: q.at):
            lines += [line(quote), ""]
    if left_out:
        lines += [f"_{left_out} more of these are left out._", ""]
    return "\n".join([*lines, f"_{HOW}_"])


def _why(interest: Interest) -> str:
    what = f"**{inert(interest.text)}**"
    where = f" in {inert('~' + interest.channel)}" if interest.channel else ""
    if interest.learned:
        return f"{what}: close to what you care about, by what I know of you{where}"
    return f"{what}: you asked to hear of it{where}"


def line(quote: Quote) -> str:
    """A quotation as it stands in the message: one line, which ends with its address."""
    label = LABELS.get(read_sentence(clean(quote.text)).kind, "")
    said = f"“{inert(quote.text, limit=MAX_QUOTE)}”"
    return f"> {label}{said} — {inert(quote.by, limit=100)}, {link(inert(quote.where, limit=120), quote.url)}"


def by_interest(
    moments: Sequence[tuple[Interest, Quote]],
) -> list[tuple[Interest, list[Quote]]]:
    """Quotations put together by interest, in the order in which they come first."""
    found: dict[str, tuple[Interest, list[Quote]]] = {}
    for interest, quote in moments:
        found.setdefault(interest.id, (interest, []))[1].append(quote)
    return list(found.values())
