"""The message a person gets: headline, bullets in groups made for this reader, what was left out, and how it was made.

Everything that came from speech, names and titles is inert (`meetings.summary.markdown`); the only links lead to
the recording. A message never exceeds what Mattermost accepts.
"""

from __future__ import annotations

from collections.abc import Sequence

from meetings.conversation import Conversation, clock
from meetings.summary.contract import Bullet, Summary
from meetings.summary.markdown import inert, link
from meetings.summary.message import day_of, groups, notes, opening, remark, said, whose_and_when
from meetings.summary.phrases import Phrases, phrases

# Mattermost refuses longer posts (model.PostMessageMaxRunesV2).
MAX_MESSAGE = 16_383


def render_markdown(
    summary: Summary,
    conversation: Conversation,
    *,
    recording_url: str | None = None,
    heard_by: str = "",
    page_url: str | None = None,
) -> str:
    """The message for one reader.

    Args:
        summary: what they should know.
        conversation: what it is about: title, day, length, how many speakers have names.
        recording_url: where the recording can be opened; times then link to it, and the message says how to answer.
        heard_by: the model that wrote down what was said; then the message tells how sure it was of its words.
        page_url: the reader's own link to the meeting's page; times then lead to their moments there.
    """
    bullets = list(summary.bullets)
    dropped = 0
    while True:
        message = _message(summary, bullets, conversation, recording_url, dropped, heard_by, page_url)
        if len(message) <= MAX_MESSAGE:
            return message
        # Only absurdly long lists lead here: the weakest go first, as many as the message is too long by.
        share = 1 - MAX_MESSAGE / len(message)
        going = max(1, int(len(bullets) * share))
        weakest = sorted(range(len(bullets)), key=lambda n: bullets[n].score)[:going]
        bullets = [b for n, b in enumerate(bullets) if n not in set(weakest)]
        dropped += going


def _message(
    summary: Summary,
    bullets: Sequence[Bullet],
    conversation: Conversation,
    url: str | None,
    dropped: int,
    heard_by: str,
    page: str | None,
) -> str:
    words = phrases(summary.language)
    parts = [_title(conversation, url, words)]
    if summary.bullets:
        parts.append(f"_{opening(summary, words, _shown)}_")
    if headline := inert(summary.headline, limit=300):
        parts.append(f"**{headline}**")
    for heading, group in groups(bullets):
        if group:
            lines = [_bullet(b, summary, _moment(b, url, page), words, reasons=heading == "rest") for b in group]
            parts.append("\n".join([f"##### {words.text('groups', heading)}", *lines]))
    if left_out := summary.left_out + dropped:
        recording = link(words.text("recording"), url)
        parts.append(words.filled("left_out", "one" if left_out == 1 else "many", recording, n=left_out))
    parts.append(_footer(summary, conversation, words, heard_by=heard_by, answerable=url is not None))
    return "\n\n".join(parts)


def _title(conversation: Conversation, url: str | None, words: Phrases) -> str:
    title = inert(conversation.title, limit=200) or words.text("call")
    facts = [f"#### {link(title, url)}"]
    if day := day_of(conversation.started_at):
        facts.append(words.day(day, year=True))
    if conversation.duration >= 1:
        facts.append(words.length(conversation.duration))
    return " · ".join(facts)


def _moment(bullet: Bullet, url: str | None, page: str | None) -> str | None:
    """Where a bullet's time leads: to its moment on the page, else to the recording."""
    return url if page is None else f"{page}#t={int(bullet.start)}"


def _bullet(bullet: Bullet, summary: Summary, url: str | None, words: Phrases, *, reasons: bool) -> str:
    lock = "🔒 " if bullet.confidential else ""
    label = words.texts["labels"].get(bullet.kind, "")
    text = said(bullet, words, _shown)
    line = f"- {lock}{label}{text} — {inert(bullet.speaker, limit=100)}, {link(clock(bullet.start), url)}"
    facts = whose_and_when(bullet, summary, words, _shown)
    if facts:
        line += f" · **{', '.join(facts)}**"
    if told := remark(bullet, words, _shown, reasons=reasons):
        line += f" · _{told}_"
    return line


def _footer(summary: Summary, conversation: Conversation, words: Phrases, *, heard_by: str, answerable: bool) -> str:
    text = " · ".join(notes(summary, conversation, words, _shown, heard_by=heard_by, answerable=answerable))
    return f"_{text[:1].upper()}{text[1:]}._"


def _shown(text: str, limit: int) -> str:
    return inert(text, limit=limit)
