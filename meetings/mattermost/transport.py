"""How requests to Mattermost are made and what is done when they fail.

mattermostdriver builds the paths and parameters; this replaces its transport by one that keeps connections open, gives
every request a time-out, maps refusals to our errors and asks a pure function whether to try again. No message holds
the token.
"""

from __future__ import annotations

import logging
import random
import time
from dataclasses import dataclass
from typing import Any

import requests
from mattermostdriver.client import Client

from meetings.errors import (
    MattermostAuthError,
    MattermostError,
    MattermostForbiddenError,
    MattermostNotFoundError,
    MattermostRateLimitError,
    MattermostUnreachableError,
)

# The driver logs every refusal as an error of its own; ours is the one that reaches a user.
for _name in ("mattermostdriver.api", "mattermostdriver.websocket"):
    logging.getLogger(_name).setLevel(logging.CRITICAL)

CONNECT_TIMEOUT = 5.0
READ_TIMEOUT = 30.0
MAX_ATTEMPTS = 5
MAX_WAIT = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Again:
    """Try again after `wait` seconds."""

    wait: float


@dataclass(frozen=True, slots=True, kw_only=True)
class GiveUp:
    """Do not try again."""


def decide(*, status: int, attempt: int, retry_after: float | None = None) -> Again | GiveUp:
    """What to do after a failed request.

    | status | policy |
    |---|---|
    | 0 (no answer) | again, exponential back-off from 0.5 s |
    | 429 | again after Retry-After, at most `MAX_WAIT` s |
    | 500, 502, 503, 504 | again, exponential back-off |
    | any other | give up: the same request would be refused again |

    Args:
        status: HTTP status; 0 when the server did not answer.
        attempt: attempts made so far, from 1.
        retry_after: the server's Retry-After in seconds.
    """
    if attempt >= MAX_ATTEMPTS or status not in {0, 429, 500, 502, 503, 504}:
        return GiveUp()
    backoff: float = 0.5 * 2.0 ** (attempt - 1)
    if status == 429 and retry_after is not None:
        return Again(wait=min(MAX_WAIT, max(0.1, retry_after)))
    return Again(wait=min(MAX_WAIT, backoff))


def explain(*, status: int, server: str, message: str, what: str, retry_after: float | None = None) -> MattermostError:
    """The error a user reads for a refused request: cause and remedy in one line."""
    said = " ".join(message.split())[:200]
    match status:
        case 0:
            return MattermostUnreachableError(
                f"{server} does not answer ({said}); check mattermost_url and that the server runs"
            )
        case 401:
            return MattermostAuthError(
                f"{server} refuses the token (401); set MATTERMOST_TOKEN to a valid bot token", status=401
            )
        case 403:
            return MattermostForbiddenError(
                f"{what}: forbidden (403); add the bot to the team and the channel", status=403
            )
        case 404:
            return MattermostNotFoundError(f"{what}: not found (404); it may have been deleted", status=404)
        case 429:
            return MattermostRateLimitError(
                f"{server} asks to slow down (429); try again later", retry_after=retry_after or 1.0
            )
        case _:
            remedy = "try again; see the server's log" if status >= 500 else "see the server's version and settings"
            return MattermostError(f"{what}: {said or 'refused'} ({status}); {remedy}", status=status)


class Transport(Client):  # type: ignore[misc]  # mattermostdriver ships no types
    """The driver's client over one session, with time-outs, retries and our errors."""

    def __init__(self, options: dict[str, Any]) -> None:
        super().__init__(options)
        self._session = requests.Session()
        self.sent = 0

    def make_request(
        self,
        method: str,
        endpoint: str,
        options: Any = None,
        params: Any = None,
        data: Any = None,
        files: Any = None,
        basepath: str | None = None,
    ) -> requests.Response:
        """One request with retries; the driver's endpoints all come through here."""
        del basepath  # only the driver's websocket uses it
        return self.send(method, endpoint, json=options or {}, params=params, data=data, files=files)

    def send(
        self,
        method: str,
        endpoint: str,
        *,
        json: Any = None,
        params: Any = None,
        data: Any = None,
        files: Any = None,
        headers: dict[str, str] | None = None,
        stream: bool = False,
    ) -> requests.Response:
        """Send one request, again as `decide` says.

        Raises:
            MattermostError: the server refused or did not answer.
        """
        attempt = 0
        while True:
            attempt += 1
            self.sent += 1
            status, message, retry_after = 0, "", None
            try:
                response = self._session.request(
                    method.upper(),
                    self._url + endpoint,
                    headers={**(self.auth_header() or {}), **(headers or {})},
                    json=None if files else json,
                    params=params,
                    data=data,
                    files=files,
                    stream=stream,
                    verify=self._verify,
                    timeout=(CONNECT_TIMEOUT, READ_TIMEOUT),
                )
            except requests.RequestException as error:
                message = type(error).__name__
            else:
                status = response.status_code
                if status < 400:
                    return response
                message, retry_after = _message(response), _retry_after(response)
                response.close()
            decision = decide(status=status, attempt=attempt, retry_after=retry_after)
            if isinstance(decision, GiveUp):
                server = f"{self._scheme}://{self._options['url']}:{self._port}"
                raise explain(
                    status=status,
                    server=server,
                    message=message,
                    what=f"{method.upper()} {endpoint.split('?')[0]}",
                    retry_after=retry_after,
                )
            # Jitter keeps several clients from coming back at the same moment.
            time.sleep(decision.wait * random.uniform(1.0, 1.25))


def _message(response: requests.Response) -> str:
    try:
        body = response.json()
    except ValueError:
        return response.reason or ""
    return str(body.get("message", "")) if isinstance(body, dict) else ""


def _retry_after(response: requests.Response) -> float | None:
    # Mattermost sends Retry-After in seconds; X-RateLimit-Reset is the same number on older servers.
    value = response.headers.get("Retry-After") or response.headers.get("X-RateLimit-Reset")
    try:
        return float(value) if value is not None else None
    except ValueError:
        return None
