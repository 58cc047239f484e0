"""What a sentence does in a meeting: decides, promises or assigns work, warns, asks, counts, or informs.

Rules over words, in English, tuned for precision: a wrong "decision" costs a reader's trust, a missed one is still
found as something worth knowing. Whom a task falls to is read here as it was said (`me`, `you`, a name).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from meetings.summary import wording
from meetings.summary.dates import Due, find_due

# Questions below this strength are small talk or run the meeting: heard as questions, worth next to nothing.
QUIET = 0.5
KINDS = ("decision", "action", "risk", "question", "number", "info")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a sentence does. `owners` says how those responsible are called: `me`, `you`, or a name."""

    kind: str
    strength: float
    owners: tuple[str, ...] = ()
    due: Due | None = None
    named: str | None = None


def read_sentence(text: str, *, names: Sequence[str] = (), said_on: date | None = None) -> Reading:
    """What a cleaned sentence does, to whom it falls and until when.

    Args:
        text: the sentence.
        names: how people are called (first names, full names), for `Ana, can you ...` and `Ben will ...`.
        said_on: the day of the meeting, for due dates.
    """
    asks = text.rstrip().endswith("?")
    if not asks and wording.BROKEN_OFF.search(text):
        return Reading(kind="info", strength=0.2, named=_named(text, names))
    due = find_due(text, said_on)
    named = _named(text, names)
    action = _action(text, names=names, named=named, due=due, asks=asks)
    hedged = bool(wording.HEDGED.search(text))
    decided = _decided(text, asks=asks, hedged=hedged)
    if decided is not None and decided not in wording.WEAK_DECISION:
        return Reading(kind="decision", strength=1.0, due=due, named=named)
    if action is not None:
        return action
    laid_down = not asks and not hedged and not wording.PAST.search(text) and wording.LAID_DOWN.search(text)
    if laid_down and (due or wording.RULED.search(laid_down.group())):
        return Reading(kind="decision", strength=0.9 if due else 0.7, due=due, named=named)
    if decided is not None:
        return Reading(kind="decision", strength=0.7, due=due, named=named)
    if asks:
        return Reading(kind="question", strength=0.6 if _is_asked(text) else 0.2, named=named)
    if wording.OPEN.search(text) and not wording.NOT_OPEN.search(text) and not wording.MEETING.search(text):
        return Reading(kind="question", strength=0.9, due=due, named=named)
    if wording.RISK.search(text) and not wording.NO_RISK.search(text) and not wording.SHARE.search(text):
        return Reading(kind="risk", strength=0.7 if hedged or wording.PAST.search(text) else 0.9, due=due, named=named)
    if (wording.NUMBER.search(text) or wording.SPOKEN_POINT.search(text)) and not wording.NO_NUMBER.search(text):
        return Reading(kind="number", strength=0.6, due=due, named=named)
    return Reading(kind="info", strength=0.3, due=due, named=named)


def _decided(text: str, *, asks: bool, hedged: bool) -> int | None:
    """Which of the ways to decide is in the sentence; None if none."""
    if asks and not wording.TAG.search(text):
        return None
    way = _first(wording.DECISION, text)
    if way is None:
        return None
    if way == 0:
        # What follows `we decided that` may be as hedged as it likes.
        match = wording.DECISION[0].search(text)
        return way if match and not wording.HEDGED.search(text[: match.end()]) else None
    return None if hedged or (way in wording.SOFT and wording.MEETING.search(text)) else way


def _is_asked(text: str) -> bool:
    """Whether a question is about the work, and not small talk or the running of the meeting."""
    length = len(text.split())
    if length < 5 or wording.SMALL_QUESTION.search(text) or wording.TAG.search(text) or wording.MEETING.search(text):
        return False
    return length >= 7 or bool(wording.QUESTION_START.search(text) or wording.QUESTION_WORD.search(text))


def _first(patterns: Sequence[re.Pattern[str]], text: str) -> int | None:
    return next((i for i, p in enumerate(patterns) if p.search(text)), None)


def _action(text: str, *, names: Sequence[str], named: str | None, due: Due | None, asks: bool) -> Reading | None:
    """The sentence as a task: promised, taken, asked for, or laid down; None if it is none."""
    dated = 0.2 if due else 0.0
    hedged = bool(wording.HEDGED.search(text))
    others = () if asks or hedged else _others(text, names)
    if not asks and not wording.MAYBE_I.search(text):
        will = wording.I_WILL.search(text)
        promised = will and ((due and will.group("verb").lower() != "have") or _is_promise(text, will))
        if promised or (wording.I_OWN.search(text) and not wording.ON_THE_SPOT.search(text)):
            return Reading(
                kind="action",
                strength=0.7 + dated,
                owners=_once("me", *others, *_with(text, names)),
                due=due,
                named=named,
            )
    if others:
        return Reading(kind="action", strength=0.8 + dated, owners=others, due=due, named=named)
    asked = wording.YOU.search(text)
    # `You'll have to change it in a week` may be anybody, unless it is said to somebody.
    if (
        asked
        and (named or (due and not asked.group().lower().startswith("you")))
        and (due or not wording.YOU_TALK.search(text))
    ):
        strength = (0.8 if named else 0.6) + dated
        return Reading(kind="action", strength=strength, owners=(named or "you",), due=due, named=named)
    if (
        wording.ASSIGNED.search(text)
        and (not asks or wording.TAG.search(text))
        and not hedged
        and not wording.ON_THE_SPOT.search(text)
    ):
        return Reading(kind="action", strength=0.7 + dated, owners=(named or "you",), due=due, named=named)
    if wording.ACTION_ITEM.search(text) and not asks:
        return Reading(kind="action", strength=0.8 + dated, owners=_once(named), due=due, named=named)
    needed = wording.WE_NEED.search(text)
    if due and not asks and needed and needed.group("verb").lower() != "have" and not hedged:
        return Reading(kind="action", strength=0.7, due=due, named=named)
    return None


def _is_promise(text: str, will: re.Match[str]) -> bool:
    """Whether `I will ...` without a date promises work that outlasts the meeting."""
    if not wording.FIRM.search(will.group()) or wording.TALK.search(text):
        return False
    if wording.AFTERWARDS.search(text, will.start()) and not re.search(r"\balready\b", text):
        return True
    verb = will.group("verb").lower()
    if verb.split()[0] in wording.SMALL_VERBS and not wording.WORK.search(text, will.start()):
        return False
    return verb not in wording.NEEDS_DATE and not wording.ON_THE_SPOT.search(text)


def _once(*owners: str | None) -> tuple[str, ...]:
    return tuple(dict.fromkeys(o for o in owners if o))


def _others(text: str, names: Sequence[str]) -> tuple[str, ...]:
    """Those who are said to do something: `Ben will send`, `and Ben checks the facts`, `ask Emma to update`."""
    if not names:
        return ()
    pattern = wording.expression(wording.OWNED_BY.format(names=_alternatives(names), doing=wording.DOING))
    found = (m.group("name") or m.group("told") for m in pattern.finditer(text))
    # `Mark will send it` is a person, `the mark will do` is none.
    return _once(*(name.lower() for name in found if name[0].isupper()))


def _with(text: str, names: Sequence[str]) -> tuple[str, ...]:
    """Those with whom the speaker promises to do something: `together with Tom`."""
    if not names:
        return ()
    return _once(
        *(
            m.group(1).lower()
            for m in wording.expression(rf"\b(?:together with|along with) ({_alternatives(names)})\b").finditer(text)
        )
    )


def _named(text: str, names: Sequence[str]) -> str | None:
    """The person whom the sentence addresses: `Ana, can you ...`, `... right, Ben?`."""
    if not names:
        return None
    match = wording.expression(wording.VOCATIVE.format(names=_alternatives(names))).search(text)
    return (match.group("name") or match.group("last")) if match else None


def _alternatives(names: Iterable[str]) -> str:
    return "|".join(re.escape(n) for n in sorted(set(names), key=lambda n: (-len(n), n)))
