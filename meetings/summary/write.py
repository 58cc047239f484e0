"""Writers: from a choice of statements to a bullet.

`extract` quotes: it leaves out what speech adds and keeps what was said, attributed. It needs no model and is always
there. `rewrite` puts a choice into a model's words and is for language models that passed the admission test; which
writer runs is decided by `choose_writer`, once, from what was asked for and what is admitted.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import replace

from meetings.conversation import Conversation
from meetings.errors import WriterNotAdmittedError
from meetings.llm import LanguageModel
from meetings.summary.contract import Bullet
from meetings.summary.ground import TextEmbedder, check_extract
from meetings.summary.referents import with_referent
from meetings.summary.rewrite import rewrite
from meetings.summary.select import Choice
from meetings.summary.statements import Statement
from meetings.summary.text import MAX_CHARS, finish, plain, shorten

WRITERS = ("auto", "extract", "rewrite", "compose")
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


def in_own_words(
    bullet: Bullet,
    choice: Choice,
    model: LanguageModel,
    *,
    answers: dict[tuple[str, int], str],
    embedder: TextEmbedder | None = None,
    refused: bool = False,
) -> tuple[Bullet, bool]:
    """A quoted bullet in a model's words, if they stand; and whether grounding sent the bullet back.

    What was said in confidence stays a quotation: it is weighed word by word.
    """
    if bullet.confidential:
        return bullet, refused
    said = [(s.speaker.name, s.text) for s in choice.statements]
    names = {n.shown for s in choice.statements for n in (*s.owners, *s.mentioned)} | {s for s, _ in said}
    text = rewrite(said, model, known_names=sorted(names), embedder=embedder, answers=answers)
    return (bullet, True) if text is None else (replace(bullet, text=text, writer="rewrite"), refused)


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
