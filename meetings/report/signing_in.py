"""Signing in through Mattermost where an admin set that up: a page without a link, for who may see it.

The way there and back is tied to one browser by a cookie, and leads to pages of ours alone: to a meeting's by its id,
to one of `PLACES` by its name, or to a search by its address.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Mapping
from urllib.parse import parse_qsl

from itsdangerous import BadSignature, URLSafeTimedSerializer

from meetings.config import Settings
from meetings.mattermost.entities import User
from meetings.mattermost.sign_in import authorize_url, user_of_code
from meetings.page_links import PageLinks, is_meeting
from meetings.report.home_view import Asked, asked_of

COOKIE = "meetings_signing_in"
PLACES: Mapping[str, str] = {"home": "", "search": "search", "work": "work"}  # by name, below /m/
# Characters of a search: Mattermost takes a state of 1,024, of which signing and encoding take their part.
LONGEST = 400
PATIENCE = 600  # seconds that somebody may take to sign in


class SigningIn:
    """Sends people to sign in, and knows them when they are back.

    Args:
        settings: the server, and the OAuth application that is registered there; both its id and its secret are set.
        links: the address of pages, and the key that the way is signed with.
    """

    def __init__(self, settings: Settings, links: PageLinks) -> None:
        assert settings.mattermost_url is not None
        assert settings.oauth_client_id is not None
        assert settings.oauth_client_secret is not None
        self._server = settings.mattermost_url.rstrip("/")
        self._id = settings.oauth_client_id
        self._secret = settings.oauth_client_secret
        self._back = f"{links.url}/m/signed-in"
        self._signer = URLSafeTimedSerializer(links.key, salt="meetings page state")

    @staticmethod
    def of(settings: Settings, links: PageLinks) -> SigningIn | None:
        """That of these settings; None where nobody set it up."""
        ready = settings.oauth_client_id and settings.oauth_client_secret and settings.mattermost_url
        return SigningIn(settings, links) if ready else None

    def begin(self, place: str) -> tuple[str, str] | None:
        """Where to send a browser that wants to see a place, and the cookie it has to bring back; None for no place."""
        if not is_place(place):
            return None
        nonce = secrets.token_urlsafe(16)
        state = self._signer.dumps([place, nonce])
        assert isinstance(state, str)
        return authorize_url(self._server, client_id=self._id, redirect_uri=self._back, state=state), nonce

    def meant(self, state: str, cookie: str) -> str | None:
        """The place that a browser went to sign in for; None if it was another browser, long ago, or nobody."""
        try:
            place, nonce = self._signer.loads(state, max_age=PATIENCE)
        except (BadSignature, ValueError, TypeError):
            return None
        known = hmac.compare_digest(str(nonce).encode(), cookie.encode(errors="replace"))
        return str(place) if known and is_place(str(place)) else None

    def user(self, code: str) -> User | None:
        """Whoever brought a code; raises as `user_of_code` does."""
        return user_of_code(
            self._server,
            client_id=self._id,
            client_secret=self._secret.get_secret_value(),
            redirect_uri=self._back,
            code=code,
        )


def is_place(text: str) -> bool:
    """Whether something names a page that one may want to sign in for; a search is one by its own address."""
    return text in PLACES or is_meeting(text) or (text.startswith("search?") and text == place_of(read_search(text)))


def place_of(asked: Asked) -> str:
    """The place where something is searched for; where that is too long, the search without it."""
    place = asked.address()
    return place if asked.q and len(place) <= LONGEST else "search"


def read_search(place: str) -> Asked:
    """What is searched for at a place; of what is no address of ours something else, or nothing."""
    return asked_of(dict(parse_qsl(place.partition("?")[2][:LONGEST])))


def address_of(links: PageLinks, place: str) -> str:
    """The address of a place, from the root of its server on."""
    return f"{links.path}/m/{PLACES.get(place, place)}"
