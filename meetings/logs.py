"""The program's own log: what it says, in which form, and of which recording.

A line holds ids, stages, states and reasons; nothing that anybody said or wrote, and no name of a call or a channel,
above DEBUG. `about` notes what is being worked on, and every line that is logged meanwhile carries it.
"""

from __future__ import annotations

import contextlib
import json
import logging
import sys
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from datetime import UTC, datetime
from types import MappingProxyType

_NOTHING: Mapping[str, str] = MappingProxyType({})
_ABOUT: ContextVar[Mapping[str, str]] = ContextVar("about", default=_NOTHING)


@contextlib.contextmanager
def about(**facts: str | None) -> Iterator[None]:
    """Lines that are logged within are about this: `recording`, `channel`, `stage`; what is empty says nothing."""
    before = _ABOUT.set({**_ABOUT.get(), **{name: value for name, value in facts.items() if value}})
    try:
        yield
    finally:
        _ABOUT.reset(before)


def current(fact: str) -> str:
    """What is being worked on here: a fact that `about` was told, empty if none."""
    return _ABOUT.get().get(fact, "")


class JsonLines(logging.Formatter):
    """One JSON object a line: `time` (ISO 8601, UTC), `level`, `logger`, `message`, and what the line is about."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        line = {
            "time": datetime.fromtimestamp(record.created, tz=UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **_ABOUT.get(),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


def talk(*, form: str, verbose: bool) -> None:
    """Write this program's own log to stderr; what libraries log is theirs, and may hold what is private.

    Args:
        form: `text` or `json`.
        verbose: also what is for finding faults.
    """
    handler = logging.StreamHandler(sys.stderr)
    text = logging.Formatter("%(asctime)s %(levelname)s %(message)s")
    handler.setFormatter(JsonLines() if form == "json" else text)
    own = logging.getLogger("meetings")
    own.handlers = [handler]
    own.propagate = False
    own.setLevel(logging.DEBUG if verbose else logging.INFO)
