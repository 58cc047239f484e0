"""Writers: from a choice of statements to a bullet.

`extract` quotes: it leaves out what speech adds and keeps what was said, attributed. It needs no model and is always
there. `rewrite` puts a choice into a model's words, `compose` lets a model read and choose as well; both are for
language models that passed their admission test. Which writer runs is decided by `choose_writer`, once, from what was
asked for and what is admitted.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from meetings.conversation import Conversation
from meetings.errors import WriterNotAdmittedError
from meetings.summary.contract import Bullet
from meetings.summary.quotation import check_extract
from meetings.summary.referents import with_referent
from meetings.summary.rewrite import Said
from meetings.summary.select import Choice
from meetings.summary.statements import Statement
from meetings.summary.text import MAX_CHARS, finish, plain, shorten

# Best first: what `auto` picks from.
_BY_QUALITY = ("compose", "rewrite", "extract")


def choose_writer(asked: str, *, model: str | None, admitted: Collection[str] = ()) -> str:
    """The writer that runs.

    Args:
        asked: `auto` or a writer.
        model: the language model's name; None if there is none.
        admitted: the writers that the model is admitted for; extract needs no admission.

    Raises:
        WriterNotAdmittedError: a writer was asked for by name that the model is not admitted for.
    """
    allowed = {"extract", *admitted} if model else {"extract"}
    if asked == "auto":
        return next(w for w in _BY_QUALITY if w in allowed)
    if asked not in allowed:
        raise WriterNotAdmittedError(asked, model)
    return asked


def extract(choice: Choice, conversation: Conversation) -> tuple[Bullet, bool]:
    """The bullet that quotes a choice, and whether grounding sent it back to the raw words."""
    point = choice.point
    text, refused = _quotation(choice.statements)
    turns = dict.fromkeys(t for s in choice.statements for t in s.turns)
    return (
        Bullet(
            kind=choice.kind,
            text=text,
            evidence=tuple(conversation.utterances[t].id for t in turns),
            start=choice.statements[0].start,
            speaker=point.speaker.name,
            owner=", ".join(o.shown for o in point.owners) or None,
            due=point.reading.due.shown if point.reading.due and choice.kind in {"action", "decision"} else None,
            why=choice.why,
            writer="extract",
            score=choice.score,
            confidential=any(s.confidential for s in choice.statements),
            mine=choice.mine,
        ),
        refused,
    )


def in_own_words(choice: Choice, known_names: Sequence[str]) -> Said:
    """What a model gets of a choice to put into its own words; `known_names` must not come in unsaid."""
    said = tuple((s.speaker.name, s.text) for s in choice.statements)
    return Said(sentences=said, known_names=tuple(known_names))


def _quotation(statements: Sequence[Statement]) -> tuple[str, bool]:
    text = " ".join(s.text for s in statements)
    raw = " ".join(plain(s.raw) for s in statements)
    due = statements[-1].reading.due
    short = shorten(_without_address(text), keep=due.phrase if due else "")
    if check_extract(short, raw).ok:
        return _with_bracket(short, statements), False
    return shorten(finish(raw), limit=MAX_CHARS), True


def _with_bracket(text: str, statements: Sequence[Statement]) -> str:
    """The quotation with what its opening pronoun stands for, if that fits and the opening is still there."""
    found = statements[0].referent
    if found is None or not statements[0].text.startswith(text[: found.at]):
        return text
    told = with_referent(text, found)
    return told if len(told) <= MAX_CHARS else text


def _without_address(text: str) -> str:
    """A quotation without the empty politeness at its end: `..., okay?`, `..., right?`, `..., please.`"""
    return re.sub(r",? (?:okay|ok|right|alright|yeah|you know)\s*([?.!])$", r"\1", text, flags=re.IGNORECASE)
