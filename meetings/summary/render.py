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

# Mattermost refuses longer posts (model.PostMessageMaxRunesV2).
MAX_MESSAGE = 16_383

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_LABELS = {"risk": "Risk: ", "question": "Open: "}
_NEUTRAL_OPENING = "What matters to you from this call:"


def render_markdown(summary: Summary, conversation: Conversation, *, recording_url: str | None = None) -> str:
    """The message for one reader.

    Args:
        summary: what they should know.
        conversation: what it is about: title, day, length, how many speakers have names.
        recording_url: where the recording can be opened; times then link to it.
    """
    bullets = list(summary.bullets)
    dropped = 0
    while True:
        message = _message(summary, bullets, conversation, recording_url, dropped)
        if len(message) <= MAX_MESSAGE:
            return message
        # Only absurdly long lists lead here: the weakest go first, as many as the message is too long by.
        share = 1 - MAX_MESSAGE / len(message)
        going = max(1, int(len(bullets) * share))
        weakest = sorted(range(len(bullets)), key=lambda n: bullets[n].score)[:going]
        bullets = [b for n, b in enumerate(bullets) if n not in set(weakest)]
        dropped += going


def _message(
    summary: Summary, bullets: Sequence[Bullet], conversation: Conversation, url: str | None, dropped: int
) -> str:
    parts = [_title(conversation, url)]
    if summary.bullets:
        parts.append(f"_{_opening(summary)}_")
    if headline := inert(summary.headline, limit=300):
        parts.append(f"**{headline}**")
    for heading, group in _groups(bullets):
        if group:
            lines = [_bullet(b, summary, url, reasons=heading == "Worth knowing") for b in group]
            parts.append("\n".join([f"##### {heading}", *lines]))
    if left_out := summary.left_out + dropped:
        what = "One more point was" if left_out == 1 else f"{left_out} more points were"
        parts.append(f"{what} left out to keep this short; {link('the recording', url)} and its transcript hold all.")
    parts.append(_footer(summary, conversation))
    return "\n\n".join(parts)


def _title(conversation: Conversation, url: str | None) -> str:
    title = inert(conversation.title, limit=200) or "Call"
    facts = [f"#### {link(title, url)}"]
    if day := _day(conversation.started_at):
        facts.append(f"{_DAYS[day.weekday()]} {day.day} {_MONTHS[day.month - 1]} {day.year}")
    if conversation.duration >= 1:
        facts.append(f"{max(1, round(conversation.duration / 60))} min")
    return " · ".join(facts)


def _day(text: str | None) -> date | None:
    try:
        return datetime.fromisoformat(text).date() if text else None
    except ValueError:
        return None


def _opening(summary: Summary) -> str:
    parts = summary.name.split()
    # Someone listed as "Project Manager" is not called "Project".
    is_role = {p.lower() for p in parts} <= {p.lower() for p in summary.position.split()}
    first = inert(summary.name if is_role or not parts else parts[0], limit=60)
    if summary.attended is None:
        return _NEUTRAL_OPENING
    if summary.attended:
        return f"You were there, {first}. What to take with you:"
    return f"You missed this one, {first}. What you should know:"


def _groups(bullets: Sequence[Bullet]) -> list[tuple[str, list[Bullet]]]:
    mine = [b for b in bullets if b.mine or b.kind == "for_you"]
    rest = [b for b in bullets if b not in mine]
    return [
        ("For you", mine),
        ("Decisions", [b for b in rest if b.kind == "decision"]),
        ("Actions", [b for b in rest if b.kind == "action"]),
        ("Worth knowing", [b for b in rest if b.kind not in {"decision", "action"}]),
    ]


def _bullet(bullet: Bullet, summary: Summary, url: str | None, *, reasons: bool) -> str:
    lock = "🔒 " if bullet.confidential else ""
    label = _LABELS.get(bullet.kind, "")
    line = f"- {lock}{label}{_text(bullet)} — {inert(bullet.speaker, limit=100)}, {link(clock(bullet.start), url)}"
    facts = []
    if bullet.owner and bullet.kind == "action":
        # The speaker's own promise needs no owner; the reader's own task says `you`.
        others = [o for o in bullet.owner.split(", ") if o not in {bullet.speaker, summary.name}]
        who = (["you"] if bullet.mine else []) + [inert(o, limit=100) for o in others]
        if who:
            facts.append(" and ".join(who))
    if bullet.due:
        facts.append(f"due {_due(bullet.due)}" if bullet.kind == "action" else _due(bullet.due))
    if facts:
        line += f" · **{', '.join(facts)}**"
    if bullet.confidential:
        line += " · _said in confidence: stays with those who were there_"
    elif reasons and bullet.why:
        line += f" · _{inert(bullet.why, limit=160)}_"
    return line


def _text(bullet: Bullet) -> str:
    """Quotation marks stand around what somebody said, and around nothing else."""
    return f"“{inert(bullet.text)}”" if bullet.writer == "extract" else inert(bullet.text)


def _due(due: str) -> str:
    day = _day(due)
    return f"{_DAYS[day.weekday()]} {day.day} {_MONTHS[day.month - 1]}" if day else inert(due, limit=60)


def _footer(summary: Summary, conversation: Conversation) -> str:
    notes = []
    if summary.bullets:
        quoted = any(b.writer == "extract" for b in summary.bullets)
        model = inert(summary.model or "a language model", limit=100)
        if all(b.writer == "extract" for b in summary.bullets):
            notes.append("Lines are quotations without filler words")
        else:
            where = "Lines without quotation marks" if quoted else "Lines"
            notes.append(f"{where} were put into words by {model} and checked against what was said")
    if summary.model and summary.headline_by == summary.model:
        notes.append(f"headline by {inert(summary.model, limit=100)}, checked against them")
    voices = {u.speaker for u in conversation.utterances}
    unnamed = [s for s in conversation.speakers if s.id in voices and s.how == "unknown"]
    if voices and unnamed:
        whose = "1 voice" if len(unnamed) == 1 else f"{len(unnamed)} voices"
        notes.append(f"{whose} of {len(voices)} could not be named")
    if summary.sent_to:
        notes.append(
            f"the language model runs at {inert(summary.sent_to, limit=100)}: lines of this call were sent there"
        )
    else:
        notes.append("made on your own server")
    return f"_{' · '.join(notes)[:1].upper()}{' · '.join(notes)[1:]}._"
