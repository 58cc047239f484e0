"""Ports that are known before anybody listens at them."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def held_port(port: int = 0) -> Iterator[int]:
    """A port of this machine that nobody else is given until the block ends; whoever is told of it may listen there.

    It is bound without listening, so that it refuses connections, and shared with servers that set SO_REUSEADDR, as
    they do on Unix. One that was only free a moment ago may be anybody's by now: tests open very many.

    Args:
        port: the port; 0 takes a free one.
    """
    with socket.socket() as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind(("127.0.0.1", port))
        yield int(holder.getsockname()[1])
