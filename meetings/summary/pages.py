"""The conversation as a model reads it: numbered lines, one a sentence, in pages that fit its context.

What was said in confidence is on no page. A line is data: it has no line breaks and no chat markers, so that nothing
said can look like another line, another speaker or an order.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from meetings.llm import without_markers
from meetings.summary.evidence import Evidence, Talk
from meetings.summary.statements import Statement
from meetings.summary.text import is_hand_over, shorten

# Longer lines are cut at a clause: no sentence needs more to be understood.
MAX_LINE = 400
# A page may end this much before it is full, where the talk pauses longest.
SLACK = 0.25
# Sentences on either side that show what a sentence is about.
AROUND = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberedLine:
    """A sentence as it stands on a page; `number` is its own throughout the conversation, from 1."""

    number: int
    statement: Statement
    text: str
    tokens: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Lines in order that a model reads at once."""

    lines: tuple[NumberedLine, ...]

    @property
    def text(self) -> str:
        """The lines; a gap is marked, for what stands around it was not said in one go."""
        parts: list[str] = []
        for before, line in zip((None, *self.lines), self.lines, strict=False):
            if before is not None and line.number != before.number + 1:
                parts.append("…")
            parts.append(line.text)
        return "\n".join(parts)


def one_line(text: str) -> str:
    """Text that cannot look like another line of a prompt, or like chat markup."""
    return " ".join(re.sub(r"[<>\[\]{}`]", " ", without_markers(text)).split())


def number_lines(talk: Talk, count_tokens: Callable[[str], int]) -> tuple[NumberedLine, ...]:
    """The sentences that a model may read, in order."""
    lines: list[NumberedLine] = []
    asked = False
    for statement in talk.statements:
        # A bare `yes` counts after a question, and is nothing elsewhere.
        if statement.text and not statement.confidential and (asked or not is_hand_over(statement.raw)):
            number = len(lines) + 1
            said = one_line(shorten(statement.text, limit=MAX_LINE))
            text = f"{number} {one_line(statement.speaker.name)}: {said}"
            lines.append(
                NumberedLine(number=number, statement=statement, text=text, tokens=count_tokens(text + "\n") + 1)
            )
        asked = statement.raw.rstrip().endswith("?")
    return tuple(lines)


def cut_pages(lines: Sequence[NumberedLine], *, room: int) -> tuple[Page, ...]:
    """Pages of whole utterances, each of at most `room` tokens, cut where the talk pauses longest.

    A line that is longer than a page is left out, and an utterance that is longer is cut between its sentences.
    """
    pages: list[Page] = []
    rest = [line for line in lines if line.tokens <= room]
    while rest:
        end = _fits(rest, room)
        if end < len(rest):
            end = _best_cut(rest, end)
        pages.append(Page(lines=tuple(rest[:end])))
        rest = rest[end:]
    return tuple(pages)


def _fits(lines: Sequence[NumberedLine], room: int) -> int:
    used = 0
    for n, line in enumerate(lines):
        used += line.tokens
        if used > room:
            return n
    return len(lines)


def _best_cut(lines: Sequence[NumberedLine], end: int) -> int:
    """Of the last possible places for a cut the one between utterances with the longest pause; the latest of equals."""
    earliest = max(1, int(end * (1 - SLACK)))
    best, longest = end, -1.0
    for n in range(end, earliest - 1, -1):
        before, after = lines[n - 1].statement, lines[n].statement
        pause = max(0.0, after.start - before.end)
        if before.turns[-1] != after.turn and pause > longest + 1e-9:
            best, longest = n, pause
    return best


def page_for(lines: Sequence[NumberedLine], evidence: Evidence, *, room: int) -> Page:
    """The stretches that matter most to one reader, as many as fit: for a conversation that is longer than patience."""
    match = evidence.match
    worth = np.array([evidence.relevance[line.statement.turn] + match[line.statement.index] for line in lines])
    taken: set[int] = set()
    used = 0
    for best in np.argsort(-worth, kind="stable"):
        near = [n for n in range(max(0, best - AROUND), min(len(lines), best + AROUND + 1)) if n not in taken]
        cost = sum(lines[n].tokens + 2 for n in near)  # a gap costs two tokens at most
        if used + cost > room:
            if used > room * (1 - SLACK):
                break
            continue
        taken |= set(near)
        used += cost
    return Page(lines=tuple(lines[n] for n in sorted(taken)))
