"""When a server that is busy wants to be asked again: each platform says it in headers of its own.

Pure: headers and text in, seconds out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

# What OpenAI counts by (developers.openai.com/api/docs/guides/rate-limits), and Anthropic
# (platform.claude.com/docs/en/api/rate-limits).
_COUNTED = ("requests", "tokens", "input-tokens", "output-tokens")
_SPAN = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}
# Azure's message, and OpenAI's: "Please retry after 45 seconds", "Please try again in 1.2s".
_TOLD = re.compile(r"(?:retry after|try again in) (\d+(?:\.\d+)?) ?(ms|s|seconds?|minutes?|m)\b", re.IGNORECASE)


def wait_asked(headers: Mapping[str, str], message: str = "", *, now: datetime | None = None) -> float | None:
    """Seconds to wait, by what a refusal says; None if it does not.

    Args:
        headers: of the answer; names in any case.
        message: what it says in words.
        now: the time that dates are counted from.
    """
    now = datetime.now(tz=UTC) if now is None else now
    low = {name.lower(): value for name, value in headers.items()}
    if (after := _retry_after(low.get("retry-after"), now)) is not None:
        return after
    if (after := _number(low.get("retry-after-ms"))) is not None:
        return after / 1000
    waits = []
    for what in _COUNTED:
        # What is not used up resets too, and is not waited for.
        if low.get(f"x-ratelimit-remaining-{what}") == "0":
            waits.append(_span(low.get(f"x-ratelimit-reset-{what}")))
        if low.get(f"anthropic-ratelimit-{what}-remaining") == "0":
            waits.append(_until(low.get(f"anthropic-ratelimit-{what}-reset"), now))
    known = [w for w in waits if w is not None]
    if known:
        return max(known)
    told = _TOLD.search(message)
    if told is None:
        return None
    unit = told[2].lower()
    return float(told[1]) * _SECONDS["ms" if unit == "ms" else unit[0]]


def _retry_after(value: str | None, now: datetime) -> float | None:
    """By a Retry-After header, which holds seconds or a date (RFC 9110, 10.2.3)."""
    if value is None or (seconds := _number(value)) is not None:
        return None if value is None else seconds
    try:
        return max(0.0, (parsedate_to_datetime(value) - now).total_seconds())
    except (ValueError, TypeError):
        return None


def _number(value: str | None) -> float | None:
    return float(value) if value is not None and re.fullmatch(r"\d{1,12}(?:\.\d{1,12})?", value.strip()) else None


def _span(value: str | None) -> float | None:
    """Seconds of a span as OpenAI writes it: `6m0s`, `20ms`, or a bare number."""
    if value is None:
        return None
    parts = _SPAN.findall(value)
    if parts and "".join(n + unit for n, unit in parts) == value.strip():
        return sum(float(n) * _SECONDS[unit] for n, unit in parts)
    return _number(value)


def _until(value: str | None, now: datetime) -> float | None:
    """Seconds until a time (RFC 3339), as Anthropic writes it."""
    try:
        return max(0.0, (datetime.fromisoformat(value or "") - now).total_seconds())
    except (ValueError, TypeError):
        return None
