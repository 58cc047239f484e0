"""Signing in through Mattermost (OAuth 2.0, authorization code): who somebody is, as their own server says.

The server's access token is used for that one question and then given up; it is kept nowhere. PKCE is left out: servers
before 11 do not know it. Seen in the server's sources (web/oauth.go, api4/oauth.go).
"""

from __future__ import annotations

import contextlib
import json
from urllib.parse import urlencode

import requests
import urllib3.exceptions

from meetings.errors import MattermostAnswerError, MattermostError, MattermostUnreachableError
from meetings.mattermost.client import MattermostClient
from meetings.mattermost.entities import User

TIMEOUT = (5.0, 15.0)  # seconds to connect, and without a byte
MAX_ANSWER = 64 * 1024  # bytes
LONGEST_CODE = 200  # characters


def authorize_url(url: str, *, client_id: str, redirect_uri: str, state: str) -> str:
    """Where a browser is sent to sign in."""
    query = {"response_type": "code", "client_id": client_id, "redirect_uri": redirect_uri, "state": state}
    return f"{url}/oauth/authorize?{urlencode(query)}"


def user_of_code(url: str, *, client_id: str, client_secret: str, redirect_uri: str, code: str) -> User | None:
    """Whoever signed in, by the code that their browser brought; None of a code that the server does not know.

    Raises:
        MattermostError: the server does not answer, or not with what it should.
    """
    if not 0 < len(code) <= LONGEST_CODE:
        return None
    token = _access_token(
        url,
        {
            "grant_type": "authorization_code",
            "client_id": client_id,
            "client_secret": client_secret,
            "redirect_uri": redirect_uri,
            "code": code,
        },
    )
    if token is None:
        return None
    theirs = MattermostClient(url, token)
    user = theirs.me()
    with contextlib.suppress(MattermostError):  # it runs out by itself, too
        theirs.call("POST", "/users/logout")
    return user


def _access_token(url: str, form: dict[str, str]) -> str | None:
    failed = ""
    try:
        with requests.post(
            f"{url}/oauth/access_token", data=form, timeout=TIMEOUT, allow_redirects=False, stream=True
        ) as answer:
            status = answer.status_code
            body = answer.raw.read(MAX_ANSWER, decode_content=True)
    except (requests.RequestException, urllib3.exceptions.HTTPError) as error:  # what is read raw comes as it is
        failed = type(error).__name__  # its text may hold what was sent
    if failed:
        raise MattermostUnreachableError(f"{url} does not answer ({failed})")
    if status in {400, 401, 403}:
        return None
    try:
        token = json.loads(body)["access_token"] if status == 200 else None
    except (ValueError, KeyError, TypeError, RecursionError):
        token = None
    if not isinstance(token, str) or not token:
        raise MattermostAnswerError(f"{url} answers a sign-in with {status} and no token; see its log")
    return token
