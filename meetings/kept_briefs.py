"""What briefs of incidents keep, as those see it who remove, show and age it: by the kinds of documents alone.

States and drafts are encrypted, as they hold what was written in a confidential channel.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from meetings.config import Settings
from meetings.errors import VoicesKeyError
from meetings.store import Database, Sealed

STATES = "incidents"  # sealed documents, by channel id: what was read of an incident's channel
DRAFTS = "incident-drafts"  # sealed documents, by USER_ID/CODE: texts that wait for somebody's word
WATCHES = "incident-watches"  # documents, by CHANNEL_ID/USER_ID/AUDIENCE: briefs that are kept up to date
KINDS = (STATES, DRAFTS, WATCHES)


def forget_briefs(settings: Settings, user_id: str | None, *, dry_run: bool) -> dict[str, int]:
    """Remove what briefs keep of somebody; how much of each kind.

    A state in which they are goes as a whole: what the server still has is read again when somebody asks.

    Args:
        settings: the database, and its key.
        user_id: their account; None: it cannot be told whose anything is, and all of it goes.
        dry_run: only count.
    """
    database = Database.of(settings)
    found = {
        "briefs kept up to date": [
            (WATCHES, n) for n in _names(database, WATCHES) if _is_of(n.split("/")[1:2], user_id)
        ],
        "drafts": [(DRAFTS, n) for n in _names(database, DRAFTS) if _is_of(n.split("/")[:1], user_id)],
        "states of incidents": [(STATES, n) for n, body in _states(settings) if body is None or _knows(body, user_id)],
    }
    for documents in found.values():
        for kind, name in () if dry_run else documents:
            database.delete(kind, name)
    return {what: len(documents) for what, documents in found.items()}


def briefs_of(settings: Settings, user_id: str) -> dict[str, Any]:
    """What briefs keep of somebody: which they have kept up to date, their drafts, what of theirs was read."""
    database = Database.of(settings)
    sealed = Sealed.of(settings, DRAFTS) if database.listed(DRAFTS) else None
    drafts = []
    for name in _names(database, DRAFTS):
        if sealed is not None and _is_of(name.split("/")[:1], user_id):
            try:
                drafts.append(sealed.read(name))
            except VoicesKeyError:
                continue  # nobody can read it
    found = {
        "kept_up_to_date": [
            dict(zip(("channel_id", "audience"), name.split("/")[::2], strict=False))
            for name in _names(database, WATCHES)
            if _is_of(name.split("/")[1:2], user_id)
        ],
        "drafts": drafts,
        "posts": [
            {"id": note[0], "channel_id": channel, "at": note[3], "sentences": [line[0] for line in note[7]]}
            for channel, body in _states(settings)
            for note in sorted((body or {}).get("notes", ()), key=lambda n: (n[3], n[0]))
            if note[1] == user_id
        ],
    }
    return found if any(found.values()) else {}


def _names(database: Database, kind: str) -> tuple[str, ...]:
    return tuple(one.name for one in database.listed(kind))


def _is_of(part: list[str], user_id: str | None) -> bool:
    return user_id is None or part == [user_id]


def _states(settings: Settings) -> Iterator[tuple[str, Any | None]]:
    """Each kept state by channel id; None of one that cannot be read."""
    names = _names(Database.of(settings), STATES)
    sealed = Sealed.of(settings, STATES) if names else None
    for name in names:
        assert sealed is not None
        try:
            yield name, sealed.read(name)
        except VoicesKeyError:
            yield name, None


def _knows(body: Any, user_id: str | None) -> bool:
    return user_id is None or user_id in body.get("people", {}) or any(n[1] == user_id for n in body.get("notes", ()))
