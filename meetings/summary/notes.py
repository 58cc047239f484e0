"""The form in which a model answers: notes, each a sentence and the numbers of the lines it stands on.

The form is asked for as a grammar (llama.cpp) and as a JSON schema (servers), and reading trusts neither: what is not
of the form is counted, never repaired by guessing. A broken-off answer keeps the notes that came whole.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from meetings.errors import MalformedAnswerError, PromptError
from meetings.llm import Form
from meetings.summary.text import MAX_CHARS

MAX_LINES = 3
NOTE_KINDS = ("decision", "action", "risk", "question", "info")
# A note of MAX_CHARS, its kind and its line numbers, in tokens: English has about four characters a token.
TOKENS_PER_NOTE = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """What a model wrote: a sentence, the numbers of one to three lines, and what it takes it for."""

    lines: tuple[int, ...]
    text: str
    kind: str = ""


@lru_cache(maxsize=64)
def notes_form(most: int, first: int, last: int) -> Form:
    """The form of at most `most` notes about the lines `first` to `last`."""
    item = {
        "type": "object",
        "properties": {
            "lines": _numbers(first, last),
            "kind": {"type": "string", "enum": list(NOTE_KINDS)},
            "text": _TEXT,
        },
        "required": ["lines", "kind", "text"],
        "additionalProperties": False,
    }
    schema = {
        "type": "object",
        "properties": {"notes": {"type": "array", "items": item, "maxItems": most}},
        "required": ["notes"],
        "additionalProperties": False,
    }
    kinds = " | ".join(f'"{k}"' for k in NOTE_KINDS)
    more = f'("," note){{0,{most - 1}}}' if most > 1 else ""
    grammar = (
        f'root ::= "{{\\"notes\\":[" (note {more})? "]}}"\n'
        f'note ::= "{{\\"lines\\":[" number ("," number){{0,{MAX_LINES - 1}}} "],\\"kind\\":\\"" kind "\\",'
        f'\\"text\\":\\"" text "\\"}}"\n'
        f"kind ::= {kinds}\n{_rules(last)}"
    )
    return Form(grammar=grammar, schema=schema)


@lru_cache(maxsize=8)
def sentence_form(last: int) -> Form:
    """The form of one sentence about the lines 1 to `last`."""
    schema = {
        "type": "object",
        "properties": {"lines": _numbers(1, last), "text": _TEXT},
        "required": ["lines", "text"],
        "additionalProperties": False,
    }
    more = f'("," number){{0,{min(last, MAX_LINES) - 1}}}' if last > 1 else ""
    grammar = f'root ::= "{{\\"lines\\":[" number {more} "],\\"text\\":\\"" text "\\"}}"\n'
    return Form(grammar=grammar + _rules(last), schema=schema)


def text_form(limit: int) -> Form:
    """The form of one text of at most `limit` characters."""
    schema = {
        "type": "object",
        "properties": {"text": {"type": "string", "maxLength": limit}},
        "required": ["text"],
        "additionalProperties": False,
    }
    return Form(grammar=f'root ::= "{{\\"text\\":\\"" {_CHARACTER}{{1,{limit}}} "\\"}}"\n', schema=schema)


# No chat markup, Markdown or line break is ever part of a sentence of minutes.
_CHARACTER = r'[^"\\<>{}`|\x00-\x1f]'
_TEXT: Mapping[str, Any] = {"type": "string", "maxLength": MAX_CHARS}


def _numbers(first: int, last: int) -> Mapping[str, Any]:
    number = {"type": "integer", "minimum": first, "maximum": last}
    return {"type": "array", "items": number, "minItems": 1, "maxItems": min(MAX_LINES, last - first + 1)}


def _rules(last: int) -> str:
    # As many digits as there are; which numbers there are is looked at afterwards, as a list of hundreds is slow.
    number = (
        " | ".join(f'"{n}"' for n in range(1, last + 1))
        if last <= MAX_LINES
        else f"[1-9] [0-9]{{0,{len(str(last)) - 1}}}"
    )
    return f"number ::= {number}\ntext ::= {_CHARACTER}{{8,{MAX_CHARS}}}\n"


def read_notes(answer: str | PromptError, *, numbers: Collection[int], most: int) -> tuple[tuple[Note, ...], int]:
    """The notes of an answer, and how many were not of the form.

    Args:
        answer: what came; an error counts as one note that was none, beside what came whole before it.
        numbers: the lines that may be named.
        most: notes that are read, at most.
    """
    wrong = 0
    if isinstance(answer, PromptError):
        broken = answer.text if isinstance(answer, MalformedAnswerError) else ""
        at = broken.rfind("}")
        if at < 0:
            return (), 1
        answer, wrong = broken[: at + 1] + "]}", 1
    try:
        found = json.loads(answer)
        items = found["notes"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return (), 1
    if not isinstance(items, list):
        return (), 1
    notes = [read_note(item, numbers=numbers) for item in items[:most]]
    return tuple(n for n in notes if n is not None), wrong + sum(n is None for n in notes)


def read_note(item: object, *, numbers: Collection[int]) -> Note | None:
    """One note out of JSON, as text or as an object; None if it is not of the form."""
    if isinstance(item, str):
        try:
            item = json.loads(item)
        except (ValueError, RecursionError):
            return None
    if not isinstance(item, dict):
        return None
    lines, text, kind = item.get("lines"), item.get("text"), item.get("kind", "")
    if not isinstance(text, str) or not isinstance(lines, list) or not 1 <= len(lines) <= MAX_LINES:
        return None
    # `true` is an integer to Python.
    if any(type(n) is not int or n not in numbers for n in lines):
        return None
    # Escapes that a schema lets through: such a text is refused as any other with a line break in it.
    if re.search(r"[\ud800-\udfff]", text):
        return None
    return Note(lines=tuple(dict.fromkeys(lines)), text=text, kind=kind if kind in NOTE_KINDS else "")
