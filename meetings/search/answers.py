"""An answer, for a message, for a terminal and as JSON. What people said is inert wherever it is shown."""

from __future__ import annotations

from meetings.search.find import Looked
from meetings.search.questions import Answer, Quote
from meetings.search.render import Place, linked, post_link, when
from meetings.summary import inert
from meetings.summary.markdown import link

NOTHING = "I found nothing that answers that in the calls that you may read."
_LACKING = {
    "decision": "no decision",
    "action": "nobody who was given it",
    "when": "no time",
    "number": "no number",
    "why": "no reason",
    "risk": "no risk",
}


def answer_to_markdown(answer: Answer, place: Place | None = None) -> str:
    """What the bot says; each quotation's time leads to its place."""
    if not answer.quotes:
        return f"{NOTHING}{_after_nothing(answer)}"
    head = (
        (f"{inert(answer.sentence)}\n\n" if answer.sentence else "") + "From what was said:"
        if answer.answers
        else f"{lacking(answer)} What was said:"
    )
    lines = []
    for quote in answer.quotes:
        title = link(inert(quote.card.title, limit=120) or "a call", post_link(quote.card))
        at = linked(quote.card, quote.start, place)
        where = ", ".join(part for part in (title, when(quote.card), at) if part)
        asked = f"asked “{inert(quote.replies_to, limit=200)}”: " if quote.replies_to else ""
        earlier = "Earlier: " if quote.earlier else ""
        lines.append(f"- {earlier}{asked}“{inert(quote.text, limit=400)}” — {inert(quote.speaker, limit=100)}, {where}")
    return "\n".join([head, *lines])


def answer_to_json(answer: Answer) -> dict[str, object]:
    """Plain values."""
    looked = answer.looked
    return {
        "question": answer.question.text,
        "asks_for": answer.question.kind,
        "answered": answer.answers,
        "unsure": answer.unsure,
        "sentence": answer.sentence or None,
        "quotes": [_quote_to_json(q) for q in answer.quotes],
        "looked_at": None
        if looked is None
        else {
            "meetings": looked.meetings,
            "since": looked.since or None,
            "until": looked.until or None,
            "words": list(looked.words),
            "never_said": list(looked.unsaid),
        },
    }


def _after_nothing(answer: Answer) -> str:
    """What was looked at, and how to look on where some of the words were said."""
    looked = answer.looked
    if looked is None:
        return ""
    said = [w for w in looked.words if w not in looked.unsaid]
    on = f" **search {inert(' '.join(said), limit=80)}** shows where that was spoken of." if said else ""
    return f" {inert(looked_at(looked), limit=300)}{on}"


def lacking(answer: Answer) -> str:
    """That it is not sure whether this answers; or that the subject was spoken of without what was asked for."""
    if answer.unsure:
        return "I am not sure that this answers it."
    return f"I found {_LACKING.get(answer.question.kind, 'no answer')} in what was said."


def looked_at(looked: Looked) -> str:
    """What was looked at, where nothing answers: how many meetings, of when, and which words nobody said."""
    if not looked.meetings:
        return "There is no call to look at."
    days = f" from {looked.since} to {looked.until}" if looked.since and looked.since != looked.until else ""
    meetings = "one call" if looked.meetings == 1 else f"{looked.meetings} calls"
    said = f" Nobody said {', '.join(looked.unsaid)}." if looked.unsaid else ""
    return f"I looked at {meetings}{days}.{said}"


def _quote_to_json(quote: Quote) -> dict[str, object]:
    return {
        "text": quote.text,
        "replies_to": quote.replies_to or None,
        "earlier": quote.earlier,
        "speaker": quote.speaker,
        "meeting": quote.card.id,
        "title": quote.card.title,
        "started_at": quote.card.started_at or None,
        "start": round(quote.start, 3),
        "utterance": quote.utterance,
        "link": post_link(quote.card),
    }
