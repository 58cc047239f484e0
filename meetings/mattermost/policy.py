"""What is done when a request to Mattermost fails: one table, read by one pure function; and what the user is told.

The table knows what went wrong, `decide` adds what may be repeated: a request is sent again only where a second one
does no harm. Most do none (reading, editing, deleting, opening a direct channel, reacting). A new post would come
twice, unless it carries a `pending_post_id`: the server remembers those for 30 seconds after the request came in and
answers the second with the post that is there.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

from meetings.errors import (
    MattermostAnswerError,
    MattermostAuthError,
    MattermostConflictError,
    MattermostError,
    MattermostForbiddenError,
    MattermostNotFoundError,
    MattermostRateLimitError,
    MattermostTLSError,
    MattermostTooLargeError,
    MattermostUnreachableError,
)

MAX_ATTEMPTS = 5
FIRST_WAIT = 0.5  # seconds, doubled with each attempt
MAX_ELAPSED = 120.0  # seconds; after them nothing is sent again
MAX_WAIT = 60.0  # seconds; who is told to wait longer gives up and says for how long
# Seconds after the first attempt in which a post with a pending_post_id may be sent again. The server remembers it for
# 30 (PENDING_POST_IDS_CACHE_TTL); the rest is for the way there.
PENDING_WINDOW = 20.0
# What a person named, and what they are told where the server knows no such thing; it hides what the bot may not see.
NAMED = (
    (
        re.compile(r"GET /teams/name/([^/]+)/channels/name/([^/]+)"),
        "no channel {}/{} that the bot may see; check the name, and invite the bot to it",
    ),
    (re.compile(r"GET /users/username/([^/]+)"), "nobody here has the username {}; check its spelling"),
)


class Trouble(StrEnum):
    """What went wrong where there is no HTTP status to say it."""

    REFUSED = "connection refused"
    UNKNOWN_HOST = "host name not found"
    UNCONNECTED = "no connection in time"
    SILENT = "no answer in time"
    BROKEN = "connection broke off"
    CUT = "answer is no whole JSON"
    TLS = "TLS or certificate not accepted"
    WEB_PAGE = "a web page answers"
    OVERSIZED = "answer too large"
    REDIRECT = "redirected"
    UNSENDABLE = "request cannot be sent"


class Policy(StrEnum):
    """When a failed request is sent again. REPEATABLE: the server may have done it, so only if twice does no harm."""

    AGAIN = "again"
    REPEATABLE = "again if repeatable"
    NEVER = "never"


POLICIES: Mapping[Trouble | int, Policy] = {
    Trouble.REFUSED: Policy.AGAIN,
    Trouble.UNKNOWN_HOST: Policy.AGAIN,
    Trouble.UNCONNECTED: Policy.AGAIN,
    Trouble.SILENT: Policy.REPEATABLE,
    Trouble.BROKEN: Policy.REPEATABLE,
    Trouble.CUT: Policy.REPEATABLE,
    Trouble.TLS: Policy.NEVER,
    Trouble.WEB_PAGE: Policy.NEVER,
    Trouble.OVERSIZED: Policy.NEVER,
    Trouble.REDIRECT: Policy.NEVER,
    Trouble.UNSENDABLE: Policy.NEVER,
    408: Policy.REPEATABLE,
    429: Policy.AGAIN,
    500: Policy.REPEATABLE,
    502: Policy.REPEATABLE,
    503: Policy.REPEATABLE,
    504: Policy.REPEATABLE,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Again:
    """Try again after `wait` seconds."""

    wait: float


@dataclass(frozen=True, slots=True, kw_only=True)
class GiveUp:
    """Do not try again."""


def decide(
    *,
    trouble: Trouble | int,
    attempt: int,
    elapsed: float = 0.0,
    window: float = math.inf,
    retry_after: float | None = None,
) -> Again | GiveUp:
    """What to do after a failed request.

    | what happened | sent again |
    |---|---|
    | connection refused | again |
    | host name not found | again |
    | no connection in time | again |
    | no answer in time | again if repeatable |
    | connection broke off | again if repeatable |
    | answer is no whole JSON | again if repeatable |
    | TLS or certificate not accepted | never |
    | a web page answers | never |
    | answer too large | never |
    | redirected | never |
    | request cannot be sent | never |
    | 408 | again if repeatable |
    | 429 | again |
    | 500 | again if repeatable |
    | 502 | again if repeatable |
    | 503 | again if repeatable |
    | 504 | again if repeatable |
    | any other status | never |

    Waits grow from `FIRST_WAIT`, doubling; after 429 the server's own wait counts, and one above `MAX_WAIT` is left to
    the caller. After `MAX_ATTEMPTS`, or `MAX_ELAPSED` seconds, it is over in any case.

    Args:
        trouble: what went wrong: an HTTP status, or what kept one from coming.
        attempt: attempts made so far, from 1.
        elapsed: seconds since the first attempt was sent.
        window: seconds after the first attempt in which a second one does no harm even if the first was done: 0 for a
            request that must not be repeated.
        retry_after: seconds that the server asks to wait.
    """
    policy = POLICIES.get(trouble, Policy.NEVER)
    if policy is Policy.NEVER or attempt >= MAX_ATTEMPTS or elapsed > MAX_ELAPSED:
        return GiveUp()
    wait = FIRST_WAIT * 2.0 ** (attempt - 1)
    if trouble == 429 and retry_after is not None:
        wait = max(0.1, retry_after)
    if wait > MAX_WAIT or (policy is Policy.REPEATABLE and elapsed + wait > window):
        return GiveUp()
    return Again(wait=wait)


def repeat_window(method: str, path: str, body: Any = None) -> float:
    """Seconds after the first attempt in which a request may be sent again although it may have been done."""
    if method != "POST" or path in {"/users/ids", "/posts/ids/reactions", "/channels/direct", "/reactions"}:
        return math.inf
    if path == "/posts" and isinstance(body, Mapping) and body.get("pending_post_id"):
        return PENDING_WINDOW
    return 0.0


def wait_of(headers: Mapping[str, str], *, now: float) -> float | None:
    """Seconds that an answer's headers ask to wait.

    Mattermost sends Retry-After and X-RateLimit-Reset in seconds; a proxy may send Retry-After as a date (RFC 9110,
    10.2.3), and the documentation calls X-RateLimit-Reset a time of the epoch: both are understood.

    Args:
        headers: the answer's.
        now: the time in seconds since the epoch.
    """
    for name in ("Retry-After", "X-RateLimit-Reset"):
        value = headers.get(name, "").strip()
        if value and (seconds := _seconds(value, now)) is not None:
            return max(0.0, seconds)
    return None


def _seconds(value: str, now: float) -> float | None:
    try:
        number = float(value)
    except ValueError:
        try:
            return parsedate_to_datetime(value).timestamp() - now
        except (ValueError, OverflowError):
            return None
    if not math.isfinite(number):
        return None
    return number - now if number > 1e9 else number


def explain(
    *,
    trouble: Trouble | int,
    server: str,
    what: str,
    said: str = "",
    status: int = 0,
    error_id: str = "",
    retry_after: float | None = None,
    perhaps_done: bool = False,
) -> MattermostError:
    """The error a user reads for a request that failed for good: cause and remedy in one line.

    Args:
        trouble: what went wrong.
        server: the server's address.
        what: what was asked: method and path.
        said: the server's own words, or where a redirect led.
        status: the HTTP status that a `Trouble` came with, if one did.
        error_id: Mattermost's name for its refusal.
        retry_after: seconds that the server asks to wait.
        perhaps_done: whether the server may have done it.
    """
    words = "".join(c if c.isprintable() else " " for c in " ".join(said.split()))[:200]
    if isinstance(trouble, Trouble):
        return _explain_trouble(trouble, server, words, what, status=status, perhaps_done=perhaps_done)
    match trouble:
        case 401:
            return MattermostAuthError(
                f"{server} refuses the token (401); set MATTERMOST_TOKEN to a valid bot token",
                status=401,
                error_id=error_id,
            )
        case 403:
            return MattermostForbiddenError(
                f"{what}: forbidden (403); add the bot to the team and the channel", status=403, error_id=error_id
            )
        case 404:
            return MattermostNotFoundError(_not_found(what), status=404, error_id=error_id)
        case 409:
            return MattermostConflictError(
                f"{what}: {words or 'changed meanwhile'} (409); try again", status=409, error_id=error_id
            )
        case 413:
            return MattermostTooLargeError(
                f"{what}: too large (413); raise the limit of the server or of the proxy before it",
                status=413,
                error_id=error_id,
            )
        case 429:
            wait = 1.0 if retry_after is None else retry_after
            return MattermostRateLimitError(
                f"{server} asks to slow down (429); try again in {math.ceil(wait)} s",
                retry_after=wait,
                error_id=error_id,
            )
    remedy = "try again; see the server's log" if trouble >= 500 else "see the server's version and settings"
    return MattermostError(
        f"{what}: {words or 'refused'} ({trouble}); {remedy}",
        status=trouble,
        error_id=error_id,
        perhaps_done=perhaps_done,
    )


def _not_found(what: str) -> str:
    for pattern, told in NAMED:
        if named := pattern.fullmatch(what):
            return told.format(*named.groups())
    return f"{what}: not found (404); it may have been deleted"


def _explain_trouble(
    trouble: Trouble, server: str, said: str, what: str, *, status: int, perhaps_done: bool
) -> MattermostError:
    match trouble:
        case Trouble.TLS:
            return MattermostTLSError(
                f"{server}: {trouble} ({said}); repair it, or name its authority: REQUESTS_CA_BUNDLE=/path/to/ca.pem"
            )
        case Trouble.WEB_PAGE:
            return MattermostAnswerError(
                f"{server} answers {what} with a web page; check mattermost_url, and the proxy before the server",
                status=status,
            )
        case Trouble.REDIRECT:
            return MattermostAnswerError(
                f"{server} sends {what} to {said or 'another address'}; if that is your server, set mattermost_url "
                "to it (the token was not sent there)",
                status=status,
            )
        case Trouble.CUT:
            return MattermostAnswerError(
                f"{server} answers {what} with half an answer; try again; see the proxy before the server",
                status=status,
                perhaps_done=perhaps_done,
            )
        case Trouble.OVERSIZED:
            return MattermostAnswerError(f"{what}: {trouble}: {said}", status=status)
        case Trouble.UNSENDABLE:
            return MattermostUnreachableError(f"{server}: {trouble} ({said}); check mattermost_url and the token")
        case Trouble.UNKNOWN_HOST:
            return MattermostUnreachableError(
                f"{server} does not answer ({trouble}); check mattermost_url and the name server"
            )
    return MattermostUnreachableError(
        f"{server} does not answer ({trouble}); check mattermost_url and that the server runs",
        perhaps_done=perhaps_done,
    )


def site_of(url: str) -> str:
    """Scheme, host and port of an address, for an error: no path, no query, no password."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return ""
    return f"{parts.scheme}://{host}{port}" if parts.scheme and host else ""
