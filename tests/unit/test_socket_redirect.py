"""The bot's token goes to the server that was named, and nowhere that it points to."""

from __future__ import annotations

import asyncio

import pytest

from meetings.mattermost.socket import Lost, listen


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_of_the_socket_is_not_followed(status: int) -> None:
    reached: list[bytes] = []

    async def thief(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        reached.append(await reader.read(100))
        writer.close()

    async def main() -> Lost:
        async with await asyncio.start_server(thief, "127.0.0.1", 0) as other:
            port = other.sockets[0].getsockname()[1]

            async def redirect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                await reader.readuntil(b"\r\n\r\n")
                location = f"http://localhost:{port}/api/v4/websocket"
                writer.write(
                    f"HTTP/1.1 {status} Elsewhere\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n".encode()
                )
                await writer.drain()
                writer.close()

            async with await asyncio.start_server(redirect, "127.0.0.1", 0) as server:
                events = listen(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", "s3cr3t")
                try:
                    found = await anext(events)
                finally:
                    await events.aclose()  # type: ignore[attr-defined]
        assert isinstance(found, Lost)
        return found

    lost = asyncio.run(asyncio.wait_for(main(), 30))
    assert reached == []
    assert str(status) in str(lost.error)
