"""What `meetings serve` answers: Mattermost's outgoing webhook and slash command, health, and metrics.

Everything that comes in is a stranger's word until its token fits: the token is compared in constant time, bodies are
short, who asks too often has to wait, and what a request names is read from the server again before anything is done.
Nothing is worked on here: recordings are queued.
"""

from __future__ import annotations

import contextlib
import hmac
import json
import logging
import math
import time
import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import parse_qs

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.concurrency import run_in_threadpool
from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from pydantic import SecretStr

from meetings.arrivals import recording_of
from meetings.errors import (
    DatabaseError,
    MattermostError,
    MattermostForbiddenError,
    MattermostNotFoundError,
    MattermostUnreachableError,
    MeetingsError,
)
from meetings.mattermost import MattermostClient, find_recording, reference_id
from meetings.mattermost.calls import caption_of
from meetings.rates import Buckets
from meetings.report.forms import read_short
from meetings.report.http import HOME_COOKIE, PAGE_COOKIE
from meetings.store import digest

MAX_BODY = 64 * 1024  # bytes; a webhook of a post of 16,383 characters has less
MAX_ASK = 500  # characters of a request that are read
ASK_AGAIN = 600.0  # seconds in which asking for a recording again counts once
# Where strangers let the server be asked: a cookie that is made up anew each time buys nothing there.
WAYS_IN = frozenset(["/m/sign-in", "/m/signed-in", "/m/enter"])
READY_FOR = 10.0  # seconds that an answer of the server counts

HELP = """**/meetings** understands:
- `summarize LINK`: send everyone their summary of the recording behind a link of this server
- `status`: what is being worked on
- everything that you can ask me in a direct message; the answer comes there
- `help`: this"""

log = logging.getLogger("meetings.serve")


class Queue(Protocol):
    """Where recordings are queued."""

    def put(self, post_id: str, *, cause: str = "") -> bool:
        """Queue a recording; False if the same news of it was queued before."""

    def put_ask(self, user_id: str, name: str, **ask: Any) -> bool:
        """Queue the answer to a slash command; False if that was done before."""

    def waiting(self) -> int:
        """How many recordings are queued, waiting or being worked on."""


class Metrics:
    """Counters of one serving process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "meetings_requests_total", "Requests by kind and outcome", ["kind", "outcome"], registry=self.registry
        )
        self.queued = Counter(
            "meetings_recordings_queued_total", "Recordings queued by a request", registry=self.registry
        )
        self.waiting = Gauge(
            "meetings_recordings_waiting", "Recordings queued, waiting or being worked on", registry=self.registry
        )


@dataclass(slots=True, kw_only=True)
class Doors:
    """What the routes need: the bot, the queue, the tokens, and when the server last answered."""

    client: MattermostClient
    queue: Queue
    webhook_token: SecretStr | None
    command_token: SecretStr | None
    incident_token: SecretStr | None = None
    metrics: Metrics = field(default_factory=Metrics)
    buckets: Buckets = field(default_factory=Buckets)
    answered_at: float = float("-inf")
    pages: APIRouter | None = None  # pages of meetings, where there are any


def make_app(doors: Doors) -> FastAPI:
    """The application. It has no docs and no schema: nothing to see for who is not meant."""
    # No slash is mended by sending a browser elsewhere: where to, the request's own Host would say.
    app = FastAPI(title="meetings", docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False)

    @app.middleware("http")
    async def guard(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
        # Behind a reverse proxy everybody is the proxy: they share its bucket, which holds for a large company.
        # Readers of pages have a bucket each, by their cookie: a player asks often. Who makes cookies up gets a refusal
        # that costs little.
        peer = request.client.host if request.client else ""
        cookie = request.cookies.get(HOME_COOKIE) or request.cookies.get(PAGE_COOKIE)
        if cookie and request.url.path.startswith("/m/") and request.url.path not in WAYS_IN:
            peer = f"{peer} {digest(cookie)}"
        wait = doors.buckets.take(peer, now=time.monotonic())
        if wait:
            response = _counted(doors, "any", "too many", 429)
            response.headers["Retry-After"] = str(math.ceil(wait))
        else:
            response = await call_next(request)
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["X-Frame-Options"] = "DENY"
        # Pages of meetings say less strict things of their own.
        response.headers.setdefault("Referrer-Policy", "no-referrer")
        response.headers.setdefault("Cache-Control", "no-store")
        response.headers.setdefault("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
        return response

    if doors.pages is not None:
        app.include_router(doors.pages)

    @app.post("/hooks/mattermost")
    async def webhook(request: Request) -> Response:
        """An outgoing webhook: a post was written."""
        given = await _body(request)
        if given is None:
            return _counted(doors, "webhook", "malformed", 400)
        if not _token_fits(given, doors.webhook_token):
            return _counted(doors, "webhook", "refused", 403)
        return await run_in_threadpool(_heard, doors, str(given.get("post_id") or ""))

    @app.post("/commands/meetings")
    async def command(request: Request) -> Response:
        """A slash command; only who gave it sees the answer."""
        given = await _body(request)
        if given is None:
            return _counted(doors, "command", "malformed", 400)
        # Each slash command has a token of its own; which one it is says the token, not the name that comes with it.
        incident = _token_fits(given, doors.incident_token)
        if not incident and not _token_fits(given, doors.command_token):
            return _counted(doors, "command", "refused", 403)
        if incident:
            given = {**given, "command": "/incident", "text": str(given.get("text") or "help")}
        text = await run_in_threadpool(_answer, doors, given, incident=incident)
        doors.metrics.requests.labels("command", "answered").inc()
        return _json({"response_type": "ephemeral", "text": text})

    @app.get("/healthz")
    async def healthy() -> Response:
        """The process is alive."""
        return _json({"status": "ok"})

    @app.get("/readyz")
    async def ready() -> Response:
        """The server answers, and the queue can be read."""
        trouble = await run_in_threadpool(_trouble, doors)
        return _json({"status": trouble or "ok"}, status=503 if trouble else 200)

    @app.get("/metrics")
    async def metrics() -> Response:
        """For Prometheus."""

        def told() -> bytes:
            with contextlib.suppress(DatabaseError):  # meetings_queue_readable tells of that
                doors.metrics.waiting.set(doors.queue.waiting())
            return generate_latest(doors.metrics.registry)

        return Response(await run_in_threadpool(told), media_type=CONTENT_TYPE_LATEST)

    return app


async def _body(request: Request) -> Mapping[str, Any] | None:
    """The fields of a short JSON or form body; None for anything else."""
    kind, data = await read_short(request, MAX_BODY) or ("", b"")
    try:
        if kind == "application/json":
            found = json.loads(data)
            return found if isinstance(found, Mapping) else None
        if kind == "application/x-www-form-urlencoded":
            fields = parse_qs(data.decode("utf-8"), max_num_fields=100, keep_blank_values=True)
            return {name: values[0] for name, values in fields.items()}
    except (ValueError, RecursionError):
        return None
    return None


def _token_fits(given: Mapping[str, Any], token: SecretStr | None) -> bool:
    """Compared in constant time; without a token of ours nothing fits."""
    shown = given.get("token")
    if token is None or not token.get_secret_value() or not isinstance(shown, str):
        return False
    return hmac.compare_digest(shown.encode(errors="replace"), token.get_secret_value().encode())


def _heard(doors: Doors, post_id: str) -> Response:
    """Queue the recording that a webhook tells of, if the server says that it is one."""
    if reference_id(post_id) != post_id or not post_id:
        return _counted(doors, "webhook", "malformed", 400)
    try:
        post = doors.client.post(post_id)
    except MattermostNotFoundError:
        return _counted(doors, "webhook", "gone", 200)
    except MattermostError as error:
        # The sweep finds it later; Mattermost does not call again.
        log.warning("webhook: %s", error)
        return _counted(doors, "webhook", "failed", 503)
    recording = recording_of(post)
    if recording is None:
        return _counted(doors, "webhook", "ignored", 200)
    try:
        new = doors.queue.put(recording, cause=caption_of(post) or "")
    except MeetingsError as error:
        log.warning("webhook: %s", error)
        return _counted(doors, "webhook", "failed", 503)
    if new:
        doors.metrics.queued.inc()
        log.info("queued the recording of post %s, which a webhook told of", recording)
    return _counted(doors, "webhook", "queued", 200)


def _answer(doors: Doors, given: Mapping[str, Any], *, incident: bool = False) -> str:
    words = str(given.get("text") or "").split()
    user_id = str(given.get("user_id") or "")
    try:
        if incident:
            return _ask(doors, given)
        match [w.lower() for w in words[:1]]:
            case ["status"]:
                return _status(doors)
            case ["summarize" | "summarise"] if len(words) == 2 and _is_link(words[1]):
                return _summarize(doors, words[1], user_id)
            case [] | ["help"]:
                return HELP
            case _:
                return _ask(doors, given)
    except MeetingsError as error:
        log.warning("command: %s", error)
        return "That did not work just now; the log of the server that I run on says why."


def _is_link(word: str) -> bool:
    """Whether a word is meant as a recording's address: not a channel, nor a word such as `unread`."""
    return ("://" in word and "/channels/" not in word) or reference_id(word) is not None


def _ask(doors: Doors, given: Mapping[str, Any]) -> str:
    """Queue what somebody asks for; the answer is a direct message, as it is meant for them alone."""
    user_id = str(given.get("user_id") or "")
    if reference_id(user_id) != user_id or not user_id:
        return HELP
    # The server makes a trigger_id for each command; the same one sent again is the same request.
    trigger = str(given.get("trigger_id") or "") or uuid.uuid4().hex
    doors.queue.put_ask(
        user_id,
        f"ask:{digest([user_id, trigger])}",
        text=str(given.get("text") or "").strip()[:MAX_ASK],
        command=str(given.get("command") or "").lstrip("/")[:MAX_ASK],
        channel_id=str(given.get("channel_id") or ""),
        team_id=str(given.get("team_id") or ""),
        at=int(time.time() * 1000),
    )
    return "I answer in our direct messages."


def _status(doors: Doors) -> str:
    waiting = doors.queue.waiting()
    return "Nothing is being worked on." if not waiting else f"{waiting} recordings are being worked on or waiting."


def _summarize(doors: Doors, reference: str, user_id: str) -> str:
    """Queue a recording for somebody who may read it; who may not learns nothing of it."""
    unknown = "I know no recording there that you and I can both read."
    if reference_id(reference) is None or reference_id(user_id) != user_id:
        return "That is no link of a recording; use *Copy Link* on its post."
    try:
        recording = find_recording(doors.client, reference)
        if not doors.client.is_channel_member(recording.channel_id, user_id):
            return unknown
        if not doors.client.user(recording.author_id).is_bot:
            return "That was posted by a person; whoever runs me can process it by hand."
    except (MattermostNotFoundError, MattermostForbiddenError):
        return unknown
    except MattermostError as error:
        # What is no recording is told by an error of the same kind, but of no trouble with the server.
        if error.status or isinstance(error, MattermostUnreachableError):
            raise
        return unknown
    if doors.queue.put(recording.post_id):
        return "Everyone gets their summary when it is ready."
    # It may have been given up; one that is done is found done, and nobody gets a second message.
    doors.queue.put(recording.post_id, cause=f"asked:{int(time.time() // ASK_AGAIN)}")
    return "That one was taken on before; I look at it once more."


def _trouble(doors: Doors) -> str:
    now = time.monotonic()
    try:
        if now - doors.answered_at > READY_FOR:
            doors.client.ping()
            doors.answered_at = now
    except MeetingsError as error:
        log.warning("not ready: %s", error)
        return "the Mattermost server does not answer"
    try:
        doors.queue.waiting()
    except MeetingsError as error:
        log.warning("not ready: the queue cannot be read: %s", error)
        return "the queue cannot be read"
    return ""


def _counted(doors: Doors, kind: str, outcome: str, status: int) -> Response:
    doors.metrics.requests.labels(kind, outcome).inc()
    return _json({}, status=status)


def _json(data: Mapping[str, Any], *, status: int = 200) -> Response:
    return Response(json.dumps(data), status_code=status, media_type="application/json")
