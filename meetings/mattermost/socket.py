"""The bot's own socket: events as they happen, over a connection that comes back by itself.

mattermostdriver's socket verifies nothing or fails on wss (a server-side TLS context), so this is our own, on
`websockets` with a verifying context. It promises no event twice and none lost on one connection; what happened while
there was none is told by `Gap`, and it is for the listener to ask what that was.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import random
import ssl
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidHandshake, WebSocketException

from meetings.errors import MattermostAuthError, MattermostError, MattermostUnreachableError
from meetings.mattermost.events import Event, Hello, Reply, read_frame

OPEN_TIMEOUT = 10.0  # seconds for connection, TLS and token together
PING_INTERVAL = 20.0  # seconds between pings; a connection whose pong stays out for PING_TIMEOUT is dead
PING_TIMEOUT = 20.0
MAX_FRAME = 8 * 1024 * 1024  # bytes; a post holds 16,383 characters and its props 8,000 on a stock server
FIRST_WAIT, LONGEST_WAIT = 0.5, 60.0  # seconds before a connection is tried again
REMEMBERED = 256  # numbers of missing events that are still waited for
STEADY = 60.0  # a connection that held this long was a good one: the next wait is short again

# At DEBUG, websockets writes every frame down: the token is in the first, people's words in the rest. This logger
# stands outside the tree, so that no configuration wakes it.
_SILENT = logging.Logger("meetings.mattermost.frames")
_SILENT.disabled = True


class _Connect(connect):
    """A connection to the server that was named: websockets itself would take our token wherever a redirect points."""

    def process_redirect(self, exc: Exception) -> Exception:
        """A redirect is a refusal like any other."""
        return exc


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """There is a connection (again): what happened before it was not heard."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lost:
    """The connection is gone; the next try is in `wait` seconds."""

    error: MattermostError
    wait: float


def back_off(attempt: int, *, draw: Callable[[float, float], float] = random.uniform) -> float:
    """Seconds to wait before a try, after `attempt` failures in a row: doubled each time, with full jitter.

    The jitter is "full jitter" over the upper half (M. Brooker, Exponential Backoff And Jitter, AWS Architecture Blog
    2015): a thousand clients of a server that restarts do not come back in the same moment.
    """
    ceiling = min(LONGEST_WAIT, FIRST_WAIT * 2.0 ** min(attempt, 16))
    return draw(ceiling / 2, ceiling)


def socket_address(url: str) -> str:
    """The socket's address of a site: wss for https."""
    parts = urlsplit(url)
    scheme = "wss" if parts.scheme == "https" else "ws"
    return f"{scheme}://{parts.netloc}{parts.path.rstrip('/')}/api/v4/websocket"


class Order:
    """The numbers of one connection's events: the server counts from 0, the `hello`."""

    def __init__(self) -> None:
        self._highest = 0
        self._late: deque[int] = deque(maxlen=REMEMBERED)

    def take(self, seq: int) -> tuple[bool, bool]:
        """Whether events are missing before this one, and whether it is new."""
        if seq > self._highest:
            missing = range(self._highest + 1, seq)
            self._highest = seq
            self._late.extend(missing[-REMEMBERED:])
            return bool(missing), True
        if seq in self._late:  # it comes after all, out of order
            self._late.remove(seq)
            return False, True
        return False, seq == 0


async def listen(
    url: str,
    token: str,
    *,
    context: ssl.SSLContext | None = None,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> AsyncGenerator[Event | Gap | Lost, None]:
    """Events without end. Every connection begins with `Gap`; between two stands `Lost`.

    Args:
        url: the site's address.
        token: the bot's access token.
        context: TLS; default one that verifies against the system's authorities.
        sleep: waits.
    """
    loop = asyncio.get_running_loop()
    failures = 0
    while True:
        began = loop.time()
        try:
            async with contextlib.aclosing(_connection(url, token, context)) as events:
                async for event in events:
                    yield event
            raise MattermostUnreachableError(f"{url} ended the connection")
        except MattermostError as error:
            failures = 0 if loop.time() - began > STEADY else failures + 1
            wait = back_off(failures)
            yield Lost(error=error, wait=wait)
        await sleep(wait)


async def _connection(url: str, token: str, context: ssl.SSLContext | None) -> AsyncGenerator[Event | Gap, None]:
    """One connection's events, until it ends."""
    options: dict[str, Any] = {}
    if url.startswith("https:"):
        # The same authorities as requests takes for the rest of the API.
        options["ssl"] = context or ssl.create_default_context(cafile=os.environ.get("REQUESTS_CA_BUNDLE") or None)
    try:
        connection = await _Connect(
            socket_address(url),
            open_timeout=OPEN_TIMEOUT,
            ping_interval=PING_INTERVAL,
            ping_timeout=PING_TIMEOUT,
            max_size=MAX_FRAME,
            logger=_SILENT,
            **options,
        )
    except (OSError, WebSocketException, TimeoutError) as error:
        raise _refused(url, error) from None
    try:
        async with asyncio.timeout(OPEN_TIMEOUT):
            await _sign_in(connection, token, url)
        yield Gap()
        order = Order()
        async for text in connection:
            frame = read_frame(text)
            if frame is None or isinstance(frame, Reply):
                continue
            missing, fresh = order.take(frame.seq)
            if missing:
                yield Gap()
            if fresh and not isinstance(frame, Hello):
                yield frame
    except (OSError, WebSocketException, TimeoutError) as error:
        raise MattermostUnreachableError(f"{url} broke the connection ({_short(error)})") from None
    finally:
        await connection.close()


async def _sign_in(connection: ClientConnection, token: str, url: str) -> None:
    """Show the token and wait until it is taken. A wrong one ends the connection without a word (seen on 5.37)."""
    challenge = {"seq": 1, "action": "authentication_challenge", "data": {"token": token}}
    try:
        await connection.send(json.dumps(challenge))
        async for text in connection:
            frame = read_frame(text)
            if isinstance(frame, Reply) and frame.seq_reply == 1:
                if frame.ok:
                    return
                break
    except WebSocketException:
        pass
    raise MattermostAuthError(
        f"{url} refuses the token on its socket; set MATTERMOST_TOKEN to a valid bot token", status=401
    )


def _refused(url: str, error: Exception) -> MattermostError:
    if isinstance(error, ssl.SSLCertVerificationError):
        return MattermostUnreachableError(
            f"{url} shows a certificate that cannot be verified ({error.verify_message}); renew it, or add its "
            "authority to the system's"
        )
    if isinstance(error, InvalidHandshake):
        return MattermostUnreachableError(
            f"{url} does not open a socket ({_short(error)}); let the reverse proxy pass /api/v4/websocket on"
        )
    return MattermostUnreachableError(
        f"{url} does not answer ({_short(error)}); check mattermost_url and that the server runs"
    )


def _short(error: Exception) -> str:
    return (" ".join(str(error).split()) or type(error).__name__)[:120]
