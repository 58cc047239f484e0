"""A few REST calls to a running sandbox, as one of its accounts, from this or another process."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import IO, Any

import requests

from meetings.errors import MattermostError, SandboxError
from meetings.sandbox.credentials import Credentials

TIMEOUT = (5.0, 120.0)  # seconds to connect, to answer


class Rest:
    """One account's view of the server.

    Args:
        url: where it answers.
        token: the account's token.
    """

    def __init__(self, url: str, token: str) -> None:
        self._url = url
        self._session = requests.Session()
        self._session.headers["Authorization"] = f"Bearer {token}"

    def __enter__(self) -> Rest:
        return self

    def __exit__(self, *_: object) -> None:
        self._session.close()

    def get(self, path: str, *, missing: str = "") -> Any:
        """GET; `missing` says what is not there when it is not."""
        try:
            return self._send("GET", path)
        except MattermostError as error:
            if missing and error.status == 404:
                raise SandboxError(f"the sandbox has no {missing}") from error
            raise

    def post(self, path: str, body: Any) -> Any:
        """POST a JSON body."""
        return self._send("POST", path, data=json.dumps(body).encode("utf-8"))

    def put(self, path: str, body: Any) -> Any:
        """PUT a JSON body."""
        return self._send("PUT", path, data=json.dumps(body).encode("utf-8"))

    def upload(self, channel_id: str, name: str, data: IO[bytes] | bytes) -> str:
        """Upload a file, as it is read; its id."""
        answer = self._send("POST", "/files", data=data, params={"channel_id": channel_id, "filename": name})
        return str(answer["file_infos"][0]["id"])

    def _send(
        self, method: str, path: str, *, data: IO[bytes] | bytes | None = None, params: Mapping[str, str] | None = None
    ) -> Any:
        try:
            response = self._session.request(
                method, f"{self._url}/api/v4{path}", data=data, params=params, timeout=TIMEOUT
            )
        except requests.RequestException as error:
            raise SandboxError(
                f"the sandbox at {self._url} does not answer ({type(error).__name__}); run: meetings sandbox start"
            ) from error
        try:
            answer = response.json()
        except ValueError:
            answer = {"message": response.reason}
        if response.status_code >= 400:
            said = answer.get("message", "") if isinstance(answer, dict) else ""
            raise MattermostError(
                f"the sandbox refuses {method} {path}: {said} ({response.status_code})", status=response.status_code
            )
        return answer


def change_faults(credentials: Credentials, plan: Mapping[str, Any] | None) -> Any:
    """Let a running sandbox follow a plan of faults, or, without one, ask for the plan in force.

    Raises:
        SandboxError: the sandbox is empty and has no admin, or does not answer.
    """
    if credentials.admin_token is None:
        raise SandboxError("the sandbox is empty: it has no admin who could let it misbehave")
    headers = {"Authorization": f"Bearer {credentials.admin_token}"}
    url = f"{credentials.url}/api/sandbox/misbehave"
    try:
        if plan is None:
            response = requests.get(url, headers=headers, timeout=TIMEOUT)
        else:
            response = requests.put(url, json=plan, headers=headers, timeout=TIMEOUT)
        shown = response.json()
    except requests.RequestException as error:
        raise SandboxError(
            f"the sandbox at {credentials.url} does not answer ({type(error).__name__}); run: meetings sandbox start"
        ) from error
    if response.status_code != 200:
        raise SandboxError(f"the sandbox refuses the plan: {shown.get('message', '')} ({response.status_code})")
    return shown
