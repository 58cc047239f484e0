"""What a message says of its bullets, apart from how it is dressed: opening, groups, owners and days, closing notes.

Whatever somebody said or wrote goes through `shown`, which makes it harmless where it will stand: for Mattermost that
is `meetings.summary.markdown.inert`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime

from meetings.conversation import Conversation
from meetings.summary.contract import Bullet, Summary
from meetings.summary.phrases import Phrases

# A text and the characters of it that are kept, as it may stand in a message.
Shown = Callable[[str, int], str]


def day_of(text: str | None) -> date | None:
    """The day of an ISO 8601 date or time; None where it is none."""
    try:
        return datetime.fromisoformat(text).date() if text else None
    except ValueError:
        return None


def opening(summary: Summary, words: Phrases, shown: Shown) -> str:
    """The sentence that greets a reader: whether they were there."""
    parts = summary.name.split()
    # Someone listed as "Project Manager" is not called "Project".
    is_role = {p.lower() for p in parts} <= {p.lower() for p in summary.position.split()}
    first = shown(summary.name if is_role or not parts else parts[0], 60)
    if summary.attended is None:
        return words.text("opening", "unknown")
    return words.filled("opening", "there" if summary.attended else "missed", first)


def groups(bullets: Sequence[Bullet]) -> list[tuple[str, list[Bullet]]]:
    """Bullets under the key of their heading (`groups` in `phrases.yml`): the reader's own first."""
    mine = [b for b in bullets if b.mine or b.kind == "for_you"]
    rest = [b for b in bullets if b not in mine]
    return [
        ("mine", mine),
        ("decisions", [b for b in rest if b.kind == "decision"]),
        ("actions", [b for b in rest if b.kind == "action"]),
        ("rest", [b for b in rest if b.kind not in {"decision", "action"}]),
    ]


def said(bullet: Bullet, words: Phrases, shown: Shown) -> str:
    """Its text; quotation marks stand around what somebody said, and around nothing else."""
    text = shown(bullet.text, 2_000)
    return words.filled("quotes", "", text) if bullet.writer == "extract" else text


def whose_and_when(bullet: Bullet, summary: Summary, words: Phrases, shown: Shown) -> list[str]:
    """Whose an action is and until when, as far as the line does not say so anyway."""
    facts = []
    if bullet.owner and bullet.kind == "action":
        # The speaker's own promise needs no owner; the reader's own task says `you`.
        others = [o for o in bullet.owner.split(", ") if o not in {bullet.speaker, summary.name}]
        who = ([words.text("you")] if bullet.mine else []) + [shown(o, 100) for o in others]
        if who:
            facts.append(f" {words.text('and')} ".join(who))
    if bullet.due:
        day = day_of(bullet.due)
        due = words.day(day) if day else shown(bullet.due, 60)
        facts.append(words.filled("due", "", due) if bullet.kind == "action" else due)
    return facts


def remark(bullet: Bullet, words: Phrases, shown: Shown, *, reasons: bool) -> str:
    """That it was said in confidence; else, with `reasons`, why the reader gets it; else nothing."""
    if bullet.confidential:
        return words.text("confidential")
    why = words.reason(bullet.why) if reasons else ""
    return shown(why, 160) if why else ""


def notes(
    summary: Summary | None,
    conversation: Conversation,
    words: Phrases,
    shown: Shown,
    *,
    heard_by: str,
    answerable: bool,
) -> list[str]:
    """How it was made: who put it into words, which voices have no name, who heard it, and where.

    Args:
        summary: None where there is only a transcript.
        conversation: tells of voices and of words.
        words: in the reader's language.
        shown: makes names of models harmless.
        heard_by: the recogniser; empty if nobody knows.
        answerable: whether the reader can answer where they read it.
    """

    def note(part: str, value: str = "", **places: object) -> str:
        return words.filled("footer", part, value, **places)

    found = _writing(summary, note, shown) if summary is not None else []
    voices = {u.speaker for u in conversation.utterances}
    unnamed = sum(s.id in voices and s.how == "unknown" for s in conversation.speakers)
    if voices and unnamed:
        found.append(note("unnamed_one" if unnamed == 1 else "unnamed", n=unnamed, of=len(voices)))
    if heard_by and (sure := _certainty(conversation)) is not None:
        found.append(note("heard", shown(heard_by, 100), n=round(100 * sure)))
    sent_to = summary.sent_to if summary is not None else None
    found.append(note("sent", shown(sent_to, 100)) if sent_to else note("here"))
    if answerable:
        found.append(note("change"))
    return found


def _writing(summary: Summary, note: Callable[..., str], shown: Shown) -> list[str]:
    found = []
    model = shown(summary.model or "a language model", 100)
    if summary.bullets:
        quoted = [b for b in summary.bullets if b.writer == "extract"]
        if len(quoted) == len(summary.bullets):
            found.append(note("quotations"))
        else:
            translated = any(b.translated for b in summary.bullets)
            made = note("some" if quoted else "all", model)
            found.append(f"{made}, {note('translated')}" if translated else made)
    if summary.unanswered:
        found.append(note("unanswered", model))
    if summary.model and summary.headline_by == summary.model:
        found.append(note("headline", model))
    return found


def _certainty(conversation: Conversation) -> float | None:
    """The recogniser's mean probability of its words, in [0, 1]; None where words have none."""
    found = [w.probability for u in conversation.utterances for w in u.words]
    return sum(found) / len(found) if found else None
