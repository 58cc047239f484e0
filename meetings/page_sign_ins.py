"""Being signed in to pages: links that sign their one reader in, once and soon, and what lasts from then on.

A link to a meeting opens that meeting alone (`meetings.page_links`); what opens everything that somebody may read is
never in a message for long. A home link is made when its reader asks the bot for it, holds for `LINK` seconds and signs
in once. Signing in, by such a link or through Mattermost, begins a session, which ends after `SESSION` seconds or when
its reader signs out. Both are noted in the one document that an account's links have, so that revoking and forgetting
end them with all others: what is noted there no longer counts no longer, whatever its signature says.
"""

from __future__ import annotations

import hmac
import re
import secrets
import time
from collections.abc import Mapping
from typing import Any, Literal

from meetings.audit import AuditLog
from meetings.config import Settings
from meetings.intents import Ask, Outcome
from meetings.page_links import LONGEST, Holder, PageLinks, kept_of

LINK = 15 * 60  # seconds that a home link holds
SESSION = 12 * 3600  # seconds that somebody stays signed in: a working day, and not the night
MOST = 10  # sessions, and links not used yet, of an account; the oldest go
_TOKEN = re.compile(r"([a-z0-9]{26})\.([0-9a-f]{1,12})\.([A-Za-z0-9_-]{22})\.([A-Za-z0-9_-]{43})")
_NOTED = re.compile(r"([A-Za-z0-9_-]{22}):([0-9]{1,15})")

Kind = Literal["home links", "sessions"]


class SignIns:
    """Makes and checks home links and sessions.

    Args:
        links: the key and the documents of links.
    """

    def __init__(self, links: PageLinks) -> None:
        self._links = links

    # Home links

    def offer(self, user_id: str) -> tuple[str, str]:
        """A home link, and what to `note` so that it holds; nothing is kept yet."""
        holder = self._holder(user_id, LINK)
        token = self._signed("home links", holder)
        return f"{self._links.url}/m/enter?k={token}", f"{holder.generation}:{holder.expires}"

    def note(self, user_id: str, username: str, offered: str) -> None:
        """Let an offered link hold; done again, it is the same. What is none, or too old, is left."""
        if match := _NOTED.fullmatch(offered):
            self._keep("home links", username, Holder(user_id=user_id, expires=int(match[2]), generation=match[1]))

    def invited(self, token: str) -> Holder | None:
        """Whose home link this is; None of one that was altered, used, revoked or is too old. It is not used yet."""
        return self._known("home links", token)

    def use(self, token: str) -> Holder | None:
        """Take a home link; of two who do so at once one has it, and the other None."""
        holder = self.invited(token)
        return holder if holder is not None and self._end("home links", holder) else None

    # Sessions

    def begin(self, user_id: str, username: str) -> Holder:
        """Somebody signed in."""
        holder = self._holder(user_id, SESSION)
        self._keep("sessions", username, holder)
        return holder

    def cookie(self, holder: Holder) -> str:
        """What the browser keeps."""
        return self._signed("sessions", holder)

    def holder(self, cookie: str) -> Holder | None:
        """Whose session this is; None of one that was altered, ended, revoked or is too old."""
        return self._known("sessions", cookie)

    def end(self, holder: Holder) -> bool:
        """Sign out; whether they were signed in."""
        return self._end("sessions", holder)

    # Both

    def _holder(self, user_id: str, seconds: int) -> Holder:
        return Holder(user_id=user_id, expires=int(self._links.now()) + seconds, generation=secrets.token_urlsafe(16))

    def _signed(self, kind: Kind, holder: Holder) -> str:
        value = f"{holder.user_id}.{holder.expires:x}.{holder.generation}"
        return f"{value}.{self._links.signature(kind, value)}"

    def _known(self, kind: Kind, token: str) -> Holder | None:
        match = _TOKEN.fullmatch(token) if len(token) <= LONGEST else None
        if match is None:
            return None
        holder = Holder(user_id=match[1], expires=int(match[2], 16), generation=match[3])
        # As text: one signature can be spelt in several ways, and only ours is taken.
        if not hmac.compare_digest(self._signed(kind, holder), token) or holder.expires <= self._links.now():
            return None
        return holder if holder.generation in _listed(self._links.kept(holder.user_id), kind) else None

    def _keep(self, kind: Kind, username: str, holder: Holder) -> None:
        now = self._links.now()

        def kept(document: dict[str, Any]) -> None:
            left = {one: until for one, until in _listed(document, kind).items() if until > now}
            if holder.expires > now:
                left[holder.generation] = holder.expires
            newest = sorted(left, key=lambda one: -left[one])[:MOST]
            document |= {"username": username, kind: {one: left[one] for one in newest}}

        self._links.change(holder.user_id, kept)

    def _end(self, kind: Kind, holder: Holder) -> bool:
        was = False
        if holder.generation not in _listed(self._links.kept(holder.user_id), kind):
            return False

        def ended(document: dict[str, Any]) -> None:
            nonlocal was
            left = _listed(document, kind)
            was = left.pop(holder.generation, None) is not None
            document[kind] = left

        self._links.change_kept(holder.user_id, ended)
        return was


def signed_in(settings: Settings, user_id: str, *, now: float | None = None) -> Mapping[Kind, tuple[int, ...]]:
    """Until when home links and sessions of somebody hold (seconds since the epoch); a kind without any is left out."""
    kept, at = kept_of(settings, user_id), time.time() if now is None else now
    kinds: tuple[Kind, ...] = ("home links", "sessions")
    held = {kind: tuple(sorted(until for until in _listed(kept, kind).values() if until > at)) for kind in kinds}
    return {kind: until for kind, until in held.items() if until}


def _listed(kept: Mapping[str, Any] | None, kind: Kind) -> dict[str, int]:
    """What is noted of a kind; of what is damaged nothing, so that it does not hold."""
    found = (kept or {}).get(kind)
    if not isinstance(found, dict):
        return {}
    return {one: until for one, until in found.items() if isinstance(until, int)}


class HomeLink:
    """`my meetings`: somebody wants to see all that they may read, on a page. An intent (`meetings.intents`)."""

    name = "page"
    help = (
        "- **my meetings**: a link that opens all your meetings, with search over them; it is good once, for 15 minutes"
    )
    _meant = re.compile(
        r"\W*(?:please\s+)?(?:(?:open|show|list)\s+)?(?:me\s+)?(?:my\s+(?:meetings|page)|page|sign\s+in|log\s+in)"
        r"(?:\s+please)?\W*",
        re.IGNORECASE,
    )

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def understand(self, ask: Ask) -> Outcome | None:
        """Understand these words alone."""
        if len(ask.text) > LONGEST or not self._meant.fullmatch(ask.text):
            return None
        if ask.asker.is_guest:
            return Outcome(text="Pages are for members of this server; guests have none.")
        link, offered = SignIns(PageLinks(self._settings)).offer(ask.asker.id)
        text = (
            f"[Your meetings]({link}): the link is yours alone, works once, and for {LINK // 60} minutes. You stay "
            f"signed in in that browser for {SESSION // 3600} hours, or until you sign out there; **revoke my links** "
            "ends it everywhere."
        )
        return Outcome(text=text, effects=(("offer", offered),))

    def change(self, username: str, user_id: str, what: str, value: str) -> None:
        """Let the link hold."""
        del what
        SignIns(PageLinks(self._settings)).note(user_id, username, value)
        AuditLog(self._settings).note("home link", user=username, by=username)
