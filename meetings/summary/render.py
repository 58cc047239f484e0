"""The message a person gets: headline, bullets in groups made for this reader, what was left out, and how it was made.

Everything that came from speech, names and titles is inert (`meetings.summary.markdown`); the only links lead to
the recording. A message never exceeds what Mattermost accepts.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from meetings.conversation import Conversation, clock
from meetings.summary.contract import Bullet, Summary
from meetings.summary.markdown import inert, link
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
        parts.append(f"_{_opening(summary, words)}_")
    if headline := inert(summary.headline, limit=300):
        parts.append(f"**{headline}**")
    for heading, group in grouped(bullets):
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
    if day := _day(conversation.started_at):
        facts.append(words.day(day, year=True))
    if conversation.duration >= 1:
        facts.append(words.filled("minutes", "", str(max(1, round(conversation.duration / 60)))))
    return " · ".join(facts)


def _day(text: str | None) -> date | None:
    try:
        return datetime.fromisoformat(text).date() if text else None
    except ValueError:
        return None


def _opening(summary: Summary, words: Phrases) -> str:
    parts = summary.name.split()
    # Someone listed as "Project Manager" is not called "Project".
    is_role = {p.lower() for p in parts} <= {p.lower() for p in summary.position.split()}
    first = inert(summary.name if is_role or not parts else parts[0], limit=60)
    if summary.attended is None:
        return words.text("opening", "unknown")
    return words.filled("opening", "there" if summary.attended else "missed", first)


def _moment(bullet: Bullet, url: str | None, page: str | None) -> str | None:
    """Where a bullet's time leads: to its moment on the page, else to the recording."""
    return url if page is None else f"{page}#t={int(bullet.start)}"


def grouped(bullets: Sequence[Bullet]) -> list[tuple[str, list[Bullet]]]:
    """Bullets under the headings of a message: the reader's own, decisions, actions, the rest."""
    mine = [b for b in bullets if b.mine or b.kind == "for_you"]
    rest = [b for b in bullets if b not in mine]
    return [
        ("mine", mine),
        ("decisions", [b for b in rest if b.kind == "decision"]),
        ("actions", [b for b in rest if b.kind == "action"]),
        ("rest", [b for b in rest if b.kind not in {"decision", "action"}]),
    ]


def _bullet(bullet: Bullet, summary: Summary, url: str | None, words: Phrases, *, reasons: bool) -> str:
    lock = "🔒 " if bullet.confidential else ""
    label = words.texts["labels"].get(bullet.kind, "")
    line = (
        f"- {lock}{label}{_text(bullet, words)} — {inert(bullet.speaker, limit=100)}, {link(clock(bullet.start), url)}"
    )
    facts = []
    if bullet.owner and bullet.kind == "action":
        # The speaker's own promise needs no owner; the reader's own task says `you`.
        others = [o for o in bullet.owner.split(", ") if o not in {bullet.speaker, summary.name}]
        who = ([words.text("you")] if bullet.mine else []) + [inert(o, limit=100) for o in others]
        if who:
            facts.append(f" {words.text('and')} ".join(who))
    if bullet.due:
        due = _due(bullet.due, words)
        facts.append(words.filled("due", "", due) if bullet.kind == "action" else due)
    if facts:
        line += f" · **{', '.join(facts)}**"
    if bullet.confidential:
        line += f" · _{words.text('confidential')}_"
    elif reasons and (why := words.reason(bullet.why)):
        line += f" · _{inert(why, limit=160)}_"
    return line


def _text(bullet: Bullet, words: Phrases) -> str:
    """Quotation marks stand around what somebody said, and around nothing else."""
    return words.filled("quotes", "", inert(bullet.text)) if bullet.writer == "extract" else inert(bullet.text)


def _due(due: str, words: Phrases) -> str:
    day = _day(due)
    return words.day(day) if day else inert(due, limit=60)


def _footer(summary: Summary, conversation: Conversation, words: Phrases, *, heard_by: str, answerable: bool) -> str:
    def note(part: str, value: str = "", **places: object) -> str:
        return words.filled("footer", part, value, **places)

    notes = []
    model = inert(summary.model or "a language model", limit=100)
    if summary.bullets:
        quoted = [b for b in summary.bullets if b.writer == "extract"]
        if len(quoted) == len(summary.bullets):
            notes.append(note("quotations"))
        else:
            translated = any(b.translated for b in summary.bullets)
            made = note("some" if quoted else "all", model)
            notes.append(f"{made}, {note('translated')}" if translated else made)
    if summary.unanswered:
        notes.append(note("unanswered", model))
    if summary.model and summary.headline_by == summary.model:
        notes.append(note("headline", model))
    voices = {u.speaker for u in conversation.utterances}
    unnamed = sum(s.id in voices and s.how == "unknown" for s in conversation.speakers)
    if voices and unnamed:
        notes.append(note("unnamed_one" if unnamed == 1 else "unnamed", n=unnamed, of=len(voices)))
    if heard_by and (sure := _certainty(conversation)) is not None:
        notes.append(note("heard", inert(heard_by, limit=100), n=round(100 * sure)))
    notes.append(note("sent", inert(summary.sent_to, limit=100)) if summary.sent_to else note("here"))
    if answerable:
        notes.append(note("change"))
    return f"_{' · '.join(notes)[:1].upper()}{' · '.join(notes)[1:]}._"


def _certainty(conversation: Conversation) -> float | None:
    """The recogniser's mean probability of its words, in [0, 1]; None where words have none."""
    found = [w.probability for u in conversation.utterances for w in u.words]
    return sum(found) / len(found) if found else None
