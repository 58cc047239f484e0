"""A small company for tests of the sandbox, and short ways to talk to it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import requests

from meetings.sandbox import Sandbox, run_in_thread

ANCHOR = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
COMPANY: dict[str, Any] = {
    "team": {"name": "acme", "display_name": "Acme"},
    "users": [
        {"username": "ana", "first_name": "Ana", "last_name": "Ruiz", "position": "Engineer"},
        {"username": "ben", "first_name": "Ben", "last_name": "Okafor", "position": "Writer"},
        {"username": "chloe", "first_name": "Chloe", "last_name": "O'Neil", "position": "Security"},
    ],
    "bots": [
        {"username": "meetings", "display_name": "Meetings", "description": "Summarises calls"},
        {"username": "calls", "display_name": "Calls"},
    ],
    "channels": [
        {
            "name": "product",
            "display_name": "Product",
            "type": "O",
            "purpose": "Building",
            "members": ["ana", "ben", "meetings"],
        },
        {"name": "secret", "display_name": "Secret", "type": "P", "members": ["chloe"]},
    ],
    "posts": [
        {
            "channel": "product",
            "user": "ana",
            "at": "-2d 09:30",
            "message": "Ship **it** <script>alert(1)</script>",
            "reactions": {"tada": ["ben"]},
            "replies": [{"user": "ben", "after": "12m", "message": "Done"}],
        },
        {"channel": "secret", "user": "chloe", "at": "-1d 09:30", "message": "Nobody reads this"},
    ],
}


class Api:
    """One account's REST calls: `api.get("/users/me")` gives the JSON, `api.send` the whole answer."""

    def __init__(self, url: str, token: str) -> None:
        self.url = url
        self.token = token

    def send(self, method: str, path: str, **given: Any) -> requests.Response:
        headers = {"Authorization": f"Bearer {self.token}", **given.pop("headers", {})}
        return requests.request(method, f"{self.url}/api/v4{path}", headers=headers, timeout=60, **given)

    def get(self, path: str) -> Any:
        return self._checked(self.send("GET", path))

    def post(self, path: str, body: Any) -> Any:
        return self._checked(self.send("POST", path, json=body))

    def put(self, path: str, body: Any) -> Any:
        return self._checked(self.send("PUT", path, json=body))

    def delete(self, path: str) -> Any:
        return self._checked(self.send("DELETE", path))

    def channel(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = self.get(f"/teams/name/acme/channels/name/{name}")
        return found

    def write(self, channel_id: str, message: str, **more: Any) -> dict[str, Any]:
        written: dict[str, Any] = self.post("/posts", {"channel_id": channel_id, "message": message, **more})
        return written

    def upload(self, channel_id: str, name: str, content: bytes) -> dict[str, Any]:
        answer = self.send("POST", "/files", params={"channel_id": channel_id, "filename": name}, data=content)
        info: dict[str, Any] = self._checked(answer)["file_infos"][0]
        return info

    def _checked(self, response: requests.Response) -> Any:
        assert response.status_code < 400, response.text
        return response.json()


@contextmanager
def sandbox_in(folder: Path, *, max_file_size: int | None = None) -> Iterator[Sandbox]:
    """The small company, served from a folder."""
    with run_in_thread(folder, company=COMPANY, now=ANCHOR, max_file_size=max_file_size) as running:
        yield running


def api(sandbox: Sandbox, name: str) -> Api:
    """An account's REST calls: a username, or `bot`, `calls`, `admin`."""
    own = {"bot": sandbox.tokens.bot_token, "calls": sandbox.tokens.calls_token, "admin": sandbox.tokens.admin_token}
    token = own.get(name) or sandbox.tokens.users[name]
    return Api(sandbox.url, token)
