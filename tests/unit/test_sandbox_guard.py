"""Who may see what of a sandbox that answers to more than its own machine."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from meetings.sandbox import users
from meetings.sandbox.app import create_app
from meetings.sandbox.world import World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World.open(tmp_path / "sandbox")
    yield world
    world.close()


def status(
    world: World, path: str, *, bound_to: str, client: str, host: str, origin: str | None = None, token: str = ""
) -> int:
    """The status of a GET, as the server calls the application."""
    headers = [(b"host", host.encode())] + ([(b"origin", origin.encode())] if origin else [])
    headers += [(b"authorization", f"Bearer {token}".encode())] if token else []
    scope: dict[str, Any] = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": headers,
        "client": (client, 50_000),
        "server": (bound_to, 8065),
    }
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(create_app(world, host=bound_to)(scope, receive, send))
    return int(sent[0]["status"])


@pytest.mark.parametrize(
    ("bound_to", "client", "host", "origin", "page", "rest"),
    [
        ("127.0.0.1", "127.0.0.1", "127.0.0.1:8065", None, 200, 200),
        ("127.0.0.1", "127.0.0.1", "localhost:8065", "http://localhost:8065", 200, 200),
        ("::1", "::1", "[::1]:8065", None, 200, 200),
        ("127.0.0.1", "127.0.0.1", "evil.example", None, 403, 403),
        ("127.0.0.1", "127.0.0.1", "", None, 403, 403),
        ("127.0.0.1", "127.0.0.1", "127.0.0.1:8065", "http://evil.example", 403, 403),
        ("127.0.0.1", "127.0.0.1", "127.0.0.1:8065", "http://127.0.0.1:9000", 403, 403),
        # Told to answer to others: they get REST, for which they need a token, but not the page, which asks for none.
        ("0.0.0.0", "10.0.0.5", "chat.example", None, 403, 200),
        ("0.0.0.0", "127.0.0.1", "127.0.0.1:8065", None, 200, 200),
    ],
)
def test_the_page_is_for_this_machine_and_rest_for_whom_the_address_is(
    world: World, bound_to: str, client: str, host: str, origin: str | None, page: int, rest: int
) -> None:
    given: dict[str, Any] = {"bound_to": bound_to, "client": client, "host": host, "origin": origin}
    assert (status(world, "/", **given), status(world, "/api/v4/system/ping", **given)) == (page, rest)


def test_a_page_on_a_wider_address_is_still_guarded_against_other_sites(world: World) -> None:
    given: dict[str, Any] = {"bound_to": "0.0.0.0", "client": "127.0.0.1", "host": "evil.example"}
    assert status(world, "/", **given) == 403


@pytest.mark.parametrize(
    ("client", "host", "expected"),
    [
        ("127.0.0.1", "127.0.0.1:8065", 200),
        ("10.0.0.5", "127.0.0.1:8065", 403),
        ("127.0.0.1", "chat.example", 403),
    ],
)
def test_a_sandbox_that_others_can_reach_is_not_theirs_to_break(
    world: World, client: str, host: str, expected: int
) -> None:
    with world.change() as tx:
        admin = users.create(tx, users.Profile(username="boss", email="boss@x.example"), password=None)
        _, token = users.new_token(tx, admin, description="test")
    given: dict[str, Any] = {"bound_to": "0.0.0.0", "client": client, "host": host, "token": token}
    assert status(world, "/api/sandbox/misbehave", **given) == expected
    assert status(world, "/api/v4/users/me", **given) == 200
