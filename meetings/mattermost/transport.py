"""How requests to Mattermost are made.

mattermostdriver builds the paths and parameters; this replaces its transport by one that keeps connections open,
verifies certificates, gives every answer a time and a size, follows no redirect and asks `policy.decide` whether to try
again. The token is put on a request at the last moment and on no other than this server's; no error, log line or
variable of a traceback holds it.
"""

from __future__ import annotations

import json as json_format
import logging
import random
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import requests
import urllib3.exceptions
from mattermostdriver.client import Client
from requests.auth import AuthBase

from meetings.mattermost.policy import GiveUp, Trouble, decide, explain, repeat_window, site_of, wait_of

# The driver logs every refusal as an error of its own; ours is the one that reaches a user.
for _name in ("mattermostdriver.api", "mattermostdriver.websocket"):
    logging.getLogger(_name).setLevel(logging.CRITICAL)

CONNECT_TIMEOUT = 5.0  # seconds
READ_TIMEOUT = 30.0  # seconds without a byte
ANSWER_TIMEOUT = 90.0  # seconds for a whole answer, however it trickles
MAX_ANSWER = 64 * 1024 * 1024  # bytes
MAX_REFUSAL = 64 * 1024  # bytes that are read of a refusal
CHUNK = 256 * 1024  # bytes

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A whole answer with a good status."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    data: Any = None

    def json(self) -> Any:
        """The body as JSON, which was read when it came; None of an answer that need be none."""
        return self.data


class AttemptFailedError(Exception):
    """One attempt failed. It never leaves this package: `explain` makes the error that a user reads of it."""

    def __init__(
        self,
        trouble: Trouble | int,
        *,
        said: str = "",
        status: int = 0,
        error_id: str = "",
        retry_after: float | None = None,
    ) -> None:
        self.trouble = trouble
        self.said = said
        self.status = status
        self.error_id = error_id
        self.retry_after = retry_after
        super().__init__(str(trouble))


class _Bearer(AuthBase):
    """Puts the token on a request. Without it requests would look for a password in ~/.netrc."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self._client.token:
            request.headers["Authorization"] = f"Bearer {self._client.token}"
        return request


class Transport(Client):  # type: ignore[misc]  # mattermostdriver ships no types
    """The driver's client over one session, with time-outs, retries and our errors."""

    def __init__(self, options: dict[str, Any]) -> None:
        super().__init__(options)
        self._session = requests.Session()
        self._bearer = _Bearer(self)
        self.sent = 0  # requests so far, repeated ones counted each time

    # What the driver's endpoints call

    def get(self, endpoint: str, options: Any = None, params: Any = None) -> Any:
        """GET; the answer's JSON."""
        return self.send("GET", endpoint, json=options, params=params).json()

    def post(self, endpoint: str, options: Any = None, params: Any = None, data: Any = None, files: Any = None) -> Any:
        """POST; the answer's JSON."""
        assert data is None
        assert files is None
        return self.send("POST", endpoint, json={} if options is None else options, params=params).json()

    def put(self, endpoint: str, options: Any = None, params: Any = None, data: Any = None) -> Any:
        """PUT; the answer's JSON."""
        assert data is None
        return self.send("PUT", endpoint, json={} if options is None else options, params=params).json()

    def delete(self, endpoint: str, options: Any = None, params: Any = None, data: Any = None) -> Any:
        """DELETE; the answer's JSON."""
        assert data is None
        return self.send("DELETE", endpoint, json=options, params=params).json()

    # What is sent

    def send(
        self,
        method: str,
        path: str,
        *,
        json: Any = None,
        params: Mapping[str, Any] | None = None,
        limit: int = MAX_ANSWER,
        raw: bool = False,
    ) -> Answer:
        """Send one request, again as `policy.decide` says, and read its answer.

        Args:
            method: GET, POST, PUT or DELETE.
            path: below /api/v4.
            json: the body.
            params: the query.
            limit: bytes that an answer may have.
            raw: whether anything but JSON is right too.

        Raises:
            MattermostError: the server refused, did not answer, or not with what it should.
        """

        def attempt() -> Answer:
            with self._open(method, path, json=json, params=params, headers={}) as response:
                body = _read(response, limit)
                data = None if raw else _parse(body, response)
                return Answer(status=response.status_code, headers=response.headers, body=body, data=data)

        return self._repeat(attempt, method, path, window=repeat_window(method, path, json))

    @contextmanager
    def stream(self, path: str, headers: Mapping[str, str]) -> Iterator[requests.Response]:
        """An answer whose body is read by the caller; `headers` go with the request. 416 is an answer too.

        Raises:
            MattermostError: as `send`.
        """
        response = self._repeat(lambda: self._begin("GET", path, headers=headers), "GET", path, window=float("inf"))
        try:
            yield response
        finally:
            response.close()

    def _repeat(self, attempt: Callable[[], T], method: str, path: str, *, window: float) -> T:
        began = time.monotonic()
        made = 0
        while True:
            made += 1
            try:
                return attempt()
            except AttemptFailedError as error:
                failed = error
            elapsed = time.monotonic() - began
            decision = decide(
                trouble=failed.trouble, attempt=made, elapsed=elapsed, window=window, retry_after=failed.retry_after
            )
            if isinstance(decision, GiveUp):
                # Outside the block above: what requests raised may hold the request with its token.
                raise explain(
                    trouble=failed.trouble,
                    server=site_of(self._url),
                    what=f"{method} {path.split('?')[0]}",
                    said=failed.said,
                    status=failed.status,
                    error_id=failed.error_id,
                    retry_after=failed.retry_after,
                    perhaps_done=window < float("inf") and _perhaps_done(failed.trouble),
                )
            # Jitter keeps several clients from coming back at the same moment.
            time.sleep(decision.wait * random.uniform(1.0, 1.25))

    @contextmanager
    def _open(self, method: str, path: str, **given: Any) -> Iterator[requests.Response]:
        response = self._begin(method, path, **given)
        try:
            yield response
        finally:
            response.close()

    def _begin(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str],
        json: Any = None,
        params: Mapping[str, Any] | None = None,
    ) -> requests.Response:
        """Send a request and read the answer's head. Raises AttemptFailedError, without what it came from."""
        failed = None
        self.sent += 1
        try:
            response = self._session.request(
                method,
                self._url + path,
                headers=dict(headers),
                auth=self._bearer,
                json=json,
                params=params,
                stream=True,
                verify=True,
                allow_redirects=False,
                timeout=(CONNECT_TIMEOUT, READ_TIMEOUT),
            )
        except requests.RequestException as error:
            trouble, said = _classify(error)
            failed = AttemptFailedError(trouble, said=said)
        if failed is not None:
            raise failed
        if response.status_code < 300 or response.status_code == 416:
            if "text/html" in response.headers.get("Content-Type", ""):
                response.close()
                raise AttemptFailedError(Trouble.WEB_PAGE, status=response.status_code)
            return response
        with response:
            raise _refusal(response)


def read_some(response: requests.Response) -> bytes:
    """The next bytes of an answer, as soon as some are there; none at its end. Raises AttemptFailedError."""
    try:
        data: bytes | None = response.raw.read1(CHUNK, decode_content=True)
    except urllib3.exceptions.ReadTimeoutError:
        failed = AttemptFailedError(Trouble.SILENT, status=response.status_code)
    except (urllib3.exceptions.HTTPError, OSError, ValueError):
        failed = AttemptFailedError(Trouble.BROKEN, status=response.status_code)
    else:
        return data or b""
    raise failed


def _read(response: requests.Response, limit: int) -> bytes:
    deadline = time.monotonic() + ANSWER_TIMEOUT
    body = bytearray()
    while data := read_some(response):
        body += data
        if len(body) > limit:
            raise AttemptFailedError(Trouble.OVERSIZED, said=f"more than {limit} bytes", status=response.status_code)
        if time.monotonic() > deadline:
            raise AttemptFailedError(Trouble.SILENT, status=response.status_code)
    return bytes(body)


def _parse(body: bytes, response: requests.Response) -> Any:
    try:
        return json_format.loads(body)
    except (ValueError, RecursionError):
        page = body.lstrip()[:1] == b"<"
    raise AttemptFailedError(Trouble.WEB_PAGE if page else Trouble.CUT, status=response.status_code)


def _refusal(response: requests.Response) -> AttemptFailedError:
    status = response.status_code
    if status < 400:
        return AttemptFailedError(Trouble.REDIRECT, said=site_of(response.headers.get("Location", "")), status=status)
    said, error_id = response.reason or "", ""
    try:
        body = json_format.loads(_read(response, MAX_REFUSAL))
    except (AttemptFailedError, ValueError, RecursionError):
        body = None
    if isinstance(body, dict):
        said, error_id = str(body.get("message") or said), str(body.get("id") or "")
    return AttemptFailedError(
        status, said=said, status=status, error_id=error_id, retry_after=wait_of(response.headers, now=time.time())
    )


def _perhaps_done(trouble: Trouble | int) -> bool:
    if isinstance(trouble, int):
        return trouble == 408 or trouble >= 500
    return trouble in {Trouble.SILENT, Trouble.BROKEN, Trouble.CUT}


def _classify(error: requests.RequestException) -> tuple[Trouble, str]:
    """What went wrong, and a word about it that cannot hold a secret: the kind of error, not its text."""
    causes = list(_causes(error))
    said = type(causes[-1]).__name__
    # A certificate that is refused comes wrapped in errors of every layer: look through them all.
    if any(isinstance(c, requests.exceptions.SSLError | urllib3.exceptions.SSLError) for c in causes):
        return Trouble.TLS, _tls_reason(causes)
    if any(isinstance(c, urllib3.exceptions.NameResolutionError) for c in causes):
        return Trouble.UNKNOWN_HOST, said
    if isinstance(error, requests.exceptions.ConnectTimeout):
        return Trouble.UNCONNECTED, said
    if any(isinstance(c, urllib3.exceptions.NewConnectionError) for c in causes):
        return Trouble.REFUSED, said
    if isinstance(error, requests.exceptions.ProxyError):
        return Trouble.REFUSED, "by the proxy"
    if isinstance(error, requests.exceptions.Timeout):
        return Trouble.SILENT, said
    if isinstance(error, requests.exceptions.ConnectionError | requests.exceptions.ChunkedEncodingError):
        return Trouble.BROKEN, said
    return Trouble.UNSENDABLE, type(error).__name__


def _causes(error: BaseException) -> Iterator[BaseException]:
    """An error and those it carries: requests and urllib3 put them into arguments as often as into `__cause__`."""
    waiting: list[BaseException] = [error]
    seen: set[int] = set()
    while waiting:
        one = waiting.pop(0)
        if id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        carried = [one.__cause__, one.__context__, getattr(one, "reason", None), *one.args]
        waiting += [c for c in carried if isinstance(c, BaseException)]


def _tls_reason(causes: list[BaseException]) -> str:
    """OpenSSL's word for it: `self-signed certificate`, `Hostname mismatch…`."""
    for cause in causes:
        if message := getattr(cause, "verify_message", ""):
            return str(message)
    reasons = [getattr(c, "reason", None) for c in causes]
    return next((r for r in reasons if isinstance(r, str)), "handshake failed")
