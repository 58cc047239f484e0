"""Where a server is, from what an admin writes."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from meetings.errors import ConfigError


def read_address(url: str) -> tuple[str, dict[str, Any]]:
    """A server's address without a slash at its end, and the same as the driver takes it.

    Args:
        url: `https://chat.example.org`, or with a port and path; without a scheme https is meant.

    Raises:
        ConfigError: it is no address.
    """
    parts = urlsplit(url if "://" in url else f"https://{url}")
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ConfigError(f"mattermost_url {url!r} is not an address like https://chat.example.org")
    try:
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError as error:
        raise ConfigError(f"mattermost_url {url!r} has no valid port") from error
    path = parts.path.rstrip("/")
    way = {"scheme": parts.scheme, "url": parts.hostname, "port": port, "basepath": f"{path}/api/v4"}
    return f"{parts.scheme}://{parts.netloc}{path}", way
