"""One question to an OpenAI-compatible server: limits of time and size, what is tried again, what a user reads.

Prompts hold what was said in a meeting, so they go to the host that was named and to no other: redirects are not
followed. Neither prompts nor the API key are ever part of an error.
"""

from __future__ import annotations

import json
import random
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import requests
import urllib3

from meetings.errors import (
    ContextOverflowError,
    LanguageModelError,
    MalformedAnswerError,
    ModelServerAuthError,
    ModelServerBusyError,
    ModelServerError,
    ModelServerUnreachableError,
    RefusedAnswerError,
)
from meetings.llm.limits import wait_asked
from meetings.llm.platforms import PLATFORMS, Platform

CONNECT_TIMEOUT = 5.0  # seconds
MAX_ATTEMPTS = 5
# A question that took all the time it may is asked once more and no oftener: each attempt costs the server as much.
MAX_SLOW_ATTEMPTS = 2
MAX_WAIT = 60.0  # seconds
# No answer of a few hundred tokens is longer; more is not an answer.
MAX_BYTES = 4_000_000

_AGAIN = {0, 408, 425, 429, 500, 502, 503, 504, 529}
_OVERFLOW = re.compile(
    r"context.?(?:length|window|size)|exceed_context|(?:prompt|input) is too long|too many (?:input )?tokens|"
    r"request_too_large|tokens exceed",
    re.IGNORECASE,
)
_CONTEXT = re.compile(
    r"(?:maximum context length|context (?:length|window|size)|tokens >|configured limit of)\D{0,12}(\d+)",
    re.IGNORECASE,
)
_REQUESTED = re.compile(
    r"(?:requested|request has|prompt (?:has|contains|is too long:)|resulted in)\D{0,12}(\d+)", re.IGNORECASE
)
_FILTER = re.compile(r"content.?(?:filter|policy|management)|responsible.?ai|moderation|guardrail", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why an attempt brought no answer: `status` is the HTTP status, 0 when there was none.

    `slow` says that it ran out of time; `hopeless` that the same question will fail again.
    """

    status: int
    message: str = ""
    code: str = ""
    retry_after: float | None = None
    slow: bool = False
    hopeless: bool = False
    needed: int = 0
    context: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Again:
    """Try again after `wait` seconds."""

    wait: float


@dataclass(frozen=True, slots=True, kw_only=True)
class GiveUp:
    """Do not try again."""


def decide(failure: Failure, *, attempt: int) -> Again | GiveUp:
    """What to do after a failed attempt.

    | failure | policy |
    |---|---|
    | no answer, garbage | again, exponential back-off from 0.5 s |
    | out of time | once more |
    | 429, 503 with Retry-After | again after that, unless it is longer than `MAX_WAIT` s |
    | 408, 425, 429, 5xx | again, exponential back-off |
    | quota used up, context overflow, refusal, any other status | give up |

    Args:
        failure: what happened.
        attempt: attempts made so far, from 1.
    """
    limit = MAX_SLOW_ATTEMPTS if failure.slow else MAX_ATTEMPTS
    if failure.hopeless or failure.status not in _AGAIN or attempt >= limit:
        return GiveUp()
    if failure.retry_after is None:
        return Again(wait=0.5 * 2.0 ** (attempt - 1))
    # To come back earlier than asked is to be refused again.
    return Again(wait=max(0.1, failure.retry_after)) if failure.retry_after <= MAX_WAIT else GiveUp()


def explain(failure: Failure, *, server: str, model: str) -> LanguageModelError:
    """The error a user reads: cause and remedy in one line."""
    said = failure.message
    match failure.status:
        case 400 | 413 | 422 | 500 if failure.hopeless and failure.code == "overflow":
            return ContextOverflowError(f"{model} at {server}", needed=failure.needed, context=failure.context)
        case _ if failure.code == "filter":
            return RefusedAnswerError(f"{model} at {server} refused to answer ({said}); try another language_model")
        case 0:
            why = (
                "does not answer in time; raise llm_timeout" if failure.slow else f"does not answer ({said}); try again"
            )
            return ModelServerUnreachableError(f"{server} {why}, or check llm_url and that the server runs")
        case 401 | 403:
            return ModelServerAuthError(
                f"{server} refuses the API key ({failure.status}); set MEETINGS_LLM_API_KEY or llm_api_key_file",
                status=failure.status,
            )
        case 404:
            return ModelServerError(
                f"{server} has no model {model} ({said or 'not found'}); check language_model and that llm_url ends as "
                "the server wants it, mostly in /v1",
                status=404,
            )
        case 429:
            why = "says that a quota is used up" if failure.hopeless else "asks to slow down"
            return ModelServerBusyError(f"{server} {why} (429); try again later", retry_after=failure.retry_after)
        case status if 300 <= status < 400:
            return ModelServerError(
                f"{server} sends elsewhere ({status}), which is not followed; set llm_url to the final address",
                status=status,
            )
        case status:
            remedy = "try again; see the server's log" if status >= 500 else "see whether the server knows the model"
            return ModelServerError(f"{server}: {said or 'refused'} ({status}); {remedy}", status=status)


class Exchange:
    """Questions to one server."""

    def __init__(
        self,
        url: str,
        *,
        model: str,
        key: str | None,
        timeout: float,
        local: bool,
        platform: Platform = PLATFORMS["compatible"],
    ) -> None:
        """Remember whom to ask.

        Args:
            url: the base, as `https://llm.example.org/v1`.
            model: the name that errors show.
            key: the API key, if one is needed.
            timeout: seconds that one attempt may take.
            local: the server is on this machine; no proxy stands between.
            platform: says how the key is sent.
        """
        self._url, self._model, self._key, self._timeout = url.rstrip("/"), model, key, timeout
        self._headers = {"Accept": "application/json", **dict(platform.headers)}
        if key:
            self._headers[platform.key_header] = platform.key_scheme + key
        self._server = self._url.split("://", 1)[-1].split("/", 1)[0]
        self._local = local

    def ask(self, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The server's JSON answer to a POST of `body`, or to a GET without one; again as `decide` says.

        A path that begins with `..` stands beside the base's last part.

        Raises:
            LanguageModelError: the server refused, failed or did not answer, by the classes of `meetings.errors`.
        """
        attempt = 0
        while True:
            attempt += 1
            outcome = self._attempt(path, body)
            if not isinstance(outcome, Failure):
                return outcome
            decision = decide(outcome, attempt=attempt)
            if isinstance(decision, GiveUp):
                if outcome.status == 0 and outcome.code == "garbage":
                    raise MalformedAnswerError(
                        f"{self._server} answers with something that is no completion ({outcome.message}); "
                        "check llm_platform, and that llm_url is an OpenAI-compatible server"
                    )
                raise explain(outcome, server=self._server, model=self._model)
            # Jitter keeps several clients from coming back at the same moment.
            time.sleep(decision.wait * random.uniform(1.0, 1.25))

    def _attempt(self, path: str, body: Mapping[str, Any] | None) -> dict[str, Any] | Failure:
        deadline = time.monotonic() + self._timeout
        try:
            with requests.Session() as session:
                # For a server on this machine neither a proxy nor a .netrc has a say.
                session.trust_env = not self._local
                with session.request(
                    "GET" if body is None else "POST",
                    self._url.rpartition("/")[0] + path[2:] if path.startswith("..") else self._url + path,
                    headers=self._headers,
                    json=body,
                    timeout=(min(CONNECT_TIMEOUT, self._timeout), self._timeout),
                    allow_redirects=False,
                    # Else a .netrc with this host would send its password in the place of the key.
                    auth=_as_is,
                    stream=True,
                ) as response:
                    data = bytearray()
                    # What is there, not full pieces: a server that drips never lets the read time-out run off.
                    while piece := response.raw.read1(65_536, decode_content=True):
                        data += piece
                        if time.monotonic() > deadline:
                            return Failure(status=0, slow=True)
                        if len(data) > MAX_BYTES:
                            return Failure(status=0, code="garbage", message="endless", hopeless=True)
        except (requests.Timeout, urllib3.exceptions.TimeoutError):
            return Failure(status=0, slow=True)
        except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
            return Failure(status=0, message=type(error).__name__)
        if response.status_code < 300:
            return _read(bytes(data))
        return self._refusal(response, bytes(data))

    def _refusal(self, response: requests.Response, data: bytes) -> Failure:
        answer = _read(data)
        error = answer.get("error", answer) if isinstance(answer, dict) else {}
        if not isinstance(error, dict):
            error = {"message": error}
        # Llama API says `detail` and `title`, AWS `Message` with the kind in a header, gateways what they like.
        told = next((error[k] for k in ("message", "Message", "detail", "title") if error.get(k)), response.reason)
        message = " ".join(str(told or "").split())
        # Servers quote the key in their refusal.
        message = (message.replace(self._key, "…") if self._key else message)[:200]
        kinds = (error.get("code"), error.get("type"), response.headers.get("x-amzn-ErrorType"))
        code = " ".join(str(k) for k in kinds if k)
        everything = f"{code} {message}"
        kind = ""
        # A rate limit may speak of context too, so that only refusals of the question itself are looked at.
        if response.status_code in {400, 413, 422, 500}:
            kind = "overflow" if _OVERFLOW.search(everything) else "filter" if _FILTER.search(everything) else ""
        return Failure(
            status=response.status_code,
            message=message,
            code=kind,
            retry_after=wait_asked(response.headers, message),
            # llama-cpp-python says 500 where a question is wrong.
            hopeless=bool(kind) or "insufficient_quota" in everything or "validation error" in message,
            needed=_number(error.get("n_prompt_tokens"), _REQUESTED.search(message)),
            context=_number(error.get("n_ctx"), _CONTEXT.search(message)),
        )


def _as_is(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


def _read(data: bytes) -> dict[str, Any] | Failure:
    try:
        answer = json.loads(data)
    except ValueError:
        return Failure(status=0, code="garbage", message="no JSON")
    return answer if isinstance(answer, dict) else Failure(status=0, code="garbage", message="no object")


def _number(value: object, found: re.Match[str] | None) -> int:
    if isinstance(value, int):
        return value
    return int(found.group(1)) if found else 0
