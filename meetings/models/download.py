"""Fetches one file over HTTP, going on where an earlier try stopped.

What arrived stays beside the target as `NAME.part`, also when the process dies; the next call asks for the rest.
Whether the content is right is the caller's question: a part of something else is found by its hash.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path

from meetings.errors import ModelDownloadError
from meetings.progress import Progress, no_progress

CHUNK = 64 * 1024  # what is lost of a download that breaks off
PATIENCE = 5  # tries in a row that bring nothing
TIMEOUT = (10.0, 60.0)  # seconds to connect, seconds between bytes


class RefusedError(Exception):
    """The server does not want us like this: credentials, certificate or proxy; trying again will not help."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """How to reach a server: headers, the certificates to trust, the proxy."""

    headers: dict[str, str] = field(default_factory=dict)
    certificates: str | None = None
    proxy: str | None = None

    @property
    def verify(self) -> str | bool:
        """As requests wants it."""
        return self.certificates or True

    @property
    def proxies(self) -> dict[str, str]:
        """As requests wants it; without one of its own, the environment's."""
        return {"http": self.proxy, "https": self.proxy} if self.proxy else {}


def download(
    address: str,
    target: Path,
    *,
    what: str,
    connection: Connection | None = None,
    progress: Progress = no_progress,
    pause: float = 1.0,
) -> None:
    """Fetch `address` into `target`.

    Args:
        address: where it is.
        target: where it goes; it gets its name when all bytes are there.
        what: its name in an error.
        connection: how to reach the server.
        progress: told the fraction that is here.
        pause: seconds before the second try; doubled each time.

    Raises:
        RefusedError: the server refuses us.
        ModelDownloadError: it does not have the file, or breaks off again and again.
        OSError: the disk is full or cannot be written.
    """
    import requests

    part = part_of(target)
    failures = 0
    while True:
        before = _size(part)
        try:
            if _go_on(address, part, connection or Connection(), progress):
                part.replace(target)
                return
            trouble = "it ended early"
        except (requests.exceptions.SSLError, requests.exceptions.ProxyError) as error:
            raise RefusedError(type(error).__name__) from error
        except requests.HTTPError as error:
            status = error.response.status_code if error.response is not None else 0
            if status in {401, 403, 407}:
                raise RefusedError(f"HTTP {status}") from error
            if status < 500 and status not in {408, 429}:
                raise ModelDownloadError(f"{what} cannot be fetched (HTTP {status}); update this program") from error
            trouble = f"HTTP {status}"
        except requests.RequestException as error:
            trouble = type(error).__name__
        failures = 0 if _size(part) > before else failures + 1
        if failures == PATIENCE:
            raise ModelDownloadError(
                f"{what} cannot be fetched ({trouble}); check the network and run the command again: "
                "it goes on where it stopped"
            )
        time.sleep(min(pause * 2**failures, 15.0))


def part_of(target: Path) -> Path:
    """Where the bytes of an unfinished download are."""
    return target.with_name(f"{target.name}.part")


def _go_on(address: str, part: Path, connection: Connection, progress: Progress) -> bool:
    """One request for what is still missing; True if all of it came."""
    import requests

    have = _size(part)
    # Bytes are counted, so they must come as they are, not compressed on the way.
    headers = {**connection.headers, "Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if have else {})
    with requests.get(
        address,
        headers=headers,
        stream=True,
        timeout=TIMEOUT,
        verify=connection.verify,
        proxies=connection.proxies,
    ) as response:
        if response.status_code == 416:  # nothing is left to fetch, or the part is of something else
            return True
        response.raise_for_status()
        if response.status_code != 206:
            have = 0
        length = response.headers.get("Content-Length")
        total = have + int(length) if length else None
        with part.open("ab" if have else "wb") as out:
            for chunk in response.iter_content(CHUNK):
                out.write(chunk)
                have += len(chunk)
                if total:
                    progress(min(1.0, have / total))
        return total is None or have >= total


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
