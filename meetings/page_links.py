"""Links to the pages of meetings: signed, personal, for one meeting, expiring, revocable.

A token says whose it is, until when it holds, and of which generation of that account's links it is; it is signed
together with the meeting's id, so that it opens no other. Of each account one document holds the generation: without
it no link of that account holds, so that revoking and forgetting are the same, its removal. What a token opens is
decided at every view anew (`meetings.report.access`): a signature only says who asks.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from itsdangerous import Signer

from meetings.audit import AuditLog
from meetings.config import Settings
from meetings.errors import ConfigError, StorageError
from meetings.intents import Ask, Outcome
from meetings.store import Database
from meetings.store.files import make_secret

KIND = "page links"  # documents: one an account, by its id
KEY_FILE = Path("page") / "key"
DAY = 86_400.0  # seconds
# A file in Mattermost, or the SHA-256 of a local one.
MEETING = re.compile(r"[a-z0-9]{26}|[0-9a-f]{64}")
LONGEST = 200  # characters of a token
_TOKEN = re.compile(r"([a-z0-9]{26})\.([0-9a-f]{1,12})\.([A-Za-z0-9_-]{11})\.([A-Za-z0-9_-]{43})")

Purpose = Literal["link", "cookie"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """Whose token it is (an account's id), and until when it holds (seconds since the epoch).

    `generation` is that of the account's links; of what holds by itself (`meetings.page_sign_ins`) its own id.
    """

    user_id: str
    expires: int
    generation: str


class PageLinks:
    """Makes, checks and revokes links.

    Args:
        settings: where pages are reached, how long links hold, and the key; `page_url` must be set.
        clock: seconds since the epoch.
    """

    def __init__(self, settings: Settings, *, clock: Callable[[], float] = time.time) -> None:
        assert settings.page_url is not None
        self.url = settings.page_url.rstrip("/")
        self._settings = settings
        self._clock = clock
        self._database = Database.of(settings)
        self.key = read_key(settings)

    @staticmethod
    def of(settings: Settings) -> PageLinks | None:
        """Those of these settings; None where there are no pages.

        Raises:
            ConfigError: several machines share the database, and the key that all of them need is not set.
        """
        return None if settings.page_url is None else PageLinks(settings)

    @property
    def origin(self) -> str:
        """Scheme, host and port of the pages, as browsers write them: in small letters, without the usual port."""
        parts = urlsplit(self.url)
        usual = ":443" if parts.scheme == "https" else ":80"
        return f"{parts.scheme}://{parts.netloc.lower().removesuffix(usual)}"

    @property
    def path(self) -> str:
        """The path under which pages are, without a slash at its end."""
        return urlsplit(self.url).path.rstrip("/")

    def link(self, user_id: str, username: str, meeting: str) -> str:
        """Somebody's link to a meeting's page; the same one again until a quarter of its days is left."""
        holder = self.holding(user_id, username, meeting)
        return f"{self.url}/m/{meeting}?k={self._signed('link', meeting, holder)}"

    def holding(self, user_id: str, username: str, meeting: str) -> Holder:
        """What somebody holds of a meeting: noted, so that it can be revoked."""
        days = self._settings.page_days * DAY
        now = self.now()
        expires = 0

        def noted(kept: dict[str, Any]) -> None:
            nonlocal expires
            meetings = {m: int(until) for m, until in kept["meetings"].items() if until > now}
            expires = meetings.get(meeting, 0)
            if expires - now < days / 4:
                expires = int(now + days)
            kept |= {"username": username, "meetings": {**meetings, meeting: expires}}

        kept = self.change(user_id, noted)
        return Holder(user_id=user_id, expires=expires, generation=kept["generation"])

    def now(self) -> float:
        """Seconds since the epoch."""
        return self._clock()

    def kept(self, user_id: str) -> Mapping[str, Any] | None:
        """What is kept of an account; None of nothing, and of what is damaged."""
        return _kept(self._database, user_id)

    def change(self, user_id: str, change: Callable[[dict[str, Any]], None]) -> Mapping[str, Any]:
        """Change what is kept of an account, all at once; what there is now. Without any it begins a generation."""

        def changed(body: str | None) -> str:
            kept = _read(body) or {"generation": secrets.token_urlsafe(8), "meetings": {}}
            change(kept)
            return json.dumps(kept)

        kept = _read(self._database.change(KIND, user_id, changed))
        assert kept is not None
        return kept

    def change_kept(self, user_id: str, change: Callable[[dict[str, Any]], None]) -> None:
        """Change what is kept of an account, if there is anything: what was revoked meanwhile stays so."""

        def changed(body: str | None) -> str | None:
            if (kept := _read(body)) is None:
                return body
            change(kept)
            return json.dumps(kept)

        self._database.change(KIND, user_id, changed)

    def holder(self, purpose: Purpose, meeting: str, token: str) -> Holder | None:
        """Whose token this is; None of one that was altered, is another meeting's, too old, or revoked."""
        match = _TOKEN.fullmatch(token) if len(token) <= LONGEST else None
        if match is None or not MEETING.fullmatch(meeting):
            return None
        user_id, until, generation, _ = match.groups()
        expires = int(until, 16)
        holder = Holder(user_id=user_id, expires=expires, generation=generation)
        # As text: one signature can be spelt in several ways, and only ours is taken.
        if not hmac.compare_digest(self._signed(purpose, meeting, holder), token) or expires <= self.now():
            return None
        kept = self.kept(user_id)
        if kept is None or not hmac.compare_digest(str(kept["generation"]), generation):
            return None
        return holder

    def cookie(self, holder: Holder, meeting: str) -> str:
        """What a browser keeps instead of the link's token; it holds as long."""
        return self._signed("cookie", meeting, holder)

    def form_token(self, cookie: str) -> str:
        """What a form has to bring along besides the cookie: nobody but our own page knows it."""
        return self.signature("form", cookie)

    def form_fits(self, cookie: str, shown: str) -> bool:
        """Whether a form was ours; compared in constant time."""
        return hmac.compare_digest(self.form_token(cookie).encode(), shown.encode(errors="replace"))

    def _signed(self, purpose: Purpose, meeting: str, holder: Holder) -> str:
        value = f"{holder.user_id}.{holder.expires:x}.{holder.generation}"
        return f"{value}.{self.signature(purpose, f'{meeting}.{value}')}"

    def signature(self, purpose: str, text: str) -> str:
        """Of a text, by a key for each purpose: a link is no cookie, and neither is a form's token."""
        salt = f"meetings page {purpose}"
        signer = Signer(self.key, salt=salt, key_derivation="hmac", digest_method=hashlib.sha256)
        return signer.get_signature(text.encode()).decode()


def links_of(settings: Settings, user_id: str) -> Mapping[str, int]:
    """The links that somebody has: meetings, and until when each holds (seconds since the epoch)."""
    kept = kept_of(settings, user_id)
    now = time.time()
    return {} if kept is None else {m: int(u) for m, u in kept["meetings"].items() if u > now}


def kept_of(settings: Settings, user_id: str) -> Mapping[str, Any] | None:
    """What is kept of an account; None of nothing, and of what is damaged."""
    return _kept(Database.of(settings), user_id)


def username_of(body: str) -> str:
    """Whose links a document holds."""
    return str((_read(body) or {}).get("username", ""))


def revoke(settings: Settings, user_id: str) -> bool:
    """Let no link of somebody hold any more, and no page that they have open; whether there were any."""
    return Database.of(settings).delete(KIND, user_id)


class RevokeLinks:
    """`revoke my links`: somebody lost a link, or passed it on. An intent (`meetings.intents`)."""

    name = "links"
    help = (
        "- **revoke my links**: the links to pages in my messages so far stop working, and you are signed out of pages"
    )
    _meant = re.compile(r"\W*(?:please\s+)?revoke\s+(?:all\s+)?(?:of\s+)?(?:my|the)\s+links?\W*", re.IGNORECASE)

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def understand(self, ask: Ask) -> Outcome | None:
        """Understand these words alone."""
        if len(ask.text) > LONGEST or not self._meant.fullmatch(ask.text):
            return None
        text = (
            "Done: no link in my messages so far opens a page any more, and you are signed out of pages everywhere. My "
            "next message brings a new link."
        )
        return Outcome(text=text, effects=(("revoke", ""),))

    def change(self, username: str, user_id: str, what: str, value: str) -> None:
        """Revoke them."""
        del what, value
        revoke(self._settings, user_id)
        AuditLog(self._settings).note("links revoked", user=username, by=username)


def _kept(database: Database, user_id: str) -> Mapping[str, Any] | None:
    document = database.read(KIND, user_id)
    return _read(document.body if document else None)


def _read(body: str | None) -> dict[str, Any] | None:
    """What is kept of an account; None of nothing, and of what is damaged: then no link holds."""
    try:
        kept = json.loads(body) if body else None
        if isinstance(kept, dict) and isinstance(kept["generation"], str) and isinstance(kept["meetings"], dict):
            return kept
    except (ValueError, KeyError, RecursionError):
        pass
    return None


def read_key(settings: Settings) -> bytes:
    """The key that links are signed with, made when there is none.

    Raises:
        ConfigError: several machines share the database, and the key that all of them need is not set.
        StorageError: it cannot be read or written.
    """
    if settings.page_key is not None:
        return settings.page_key.get_secret_value().encode()
    if settings.database_url is not None:
        raise ConfigError(
            "links to pages are signed, and every machine needs the same key: set MEETINGS_PAGE_KEY on each "
            "(openssl rand -base64 32)"
        )
    file = settings.home / KEY_FILE
    try:
        if not file.is_file():
            make_secret(file, secrets.token_urlsafe(32).encode())
        return file.read_bytes().strip()
    except OSError as error:
        raise StorageError(file, error) from error


def is_meeting(text: str) -> bool:
    """Whether something has the form of a meeting's id."""
    return MEETING.fullmatch(text) is not None
