"""Ports for servers that are told theirs: by a process that starts later, or again after they ended."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def reserved_port() -> Iterator[int]:
    """A port of loopback that nobody else is given during the block: a server that is told of it can answer there.

    It is held by a socket that does not listen. Who asks for any free port is given another, by the kernel, and who
    asks for this one may have it beside the holder, as every server that sets SO_REUSEADDR.
    """
    with socket.socket() as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind(("127.0.0.1", 0))
        yield holder.getsockname()[1]
