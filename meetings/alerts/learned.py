"""Interests that nobody said, learned from what is known of people."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

from meetings.config import Settings
from meetings.mattermost import KeptContext, MattermostClient, Reading, person_of, read_contexts
from meetings.people import FeedbackBook, Persona, build_persona, read_profiles
from meetings.people.terms import terms

MAX_LEARNED = 5  # of one person
MAX_WORDS = 8  # of a phrase: a whole post is no interest
# What people say of themselves and ask for; what they once wrote is often over.
SOURCES = frozenset({"interest", "about", "feedback"})


def phrases_of(persona: Persona) -> tuple[str, ...]:
    """What of a persona can stand as an interest: short phrases of their own, heaviest first."""
    found = [i.text for i in persona.ingredients if i.source in SOURCES]
    return tuple(t for t in found if len(t.split()) <= MAX_WORDS and terms(t))[:MAX_LEARNED]


def learn_interests(settings: Settings, client: MattermostClient) -> Mapping[tuple[str, str], Sequence[str]]:
    """Interests of everybody in the bot's channels, by user id and username.

    Raises:
        MattermostError: the server does not answer.
    """
    members = {
        m for c in client.my_channels_everywhere() if c.type in {"O", "P"} for m in client.channel_member_ids(c.id)
    }
    users = [u for u in client.users(sorted(members)) if not u.is_bot and not u.delete_at and not u.is_guest]
    now = time.time()
    kept = KeptContext(settings, client.url)
    contexts = read_contexts(client, users, now=int(now * 1000), kept=kept, reading=Reading())
    book, profiles = FeedbackBook(settings), read_profiles(settings.profiles)
    found = {}
    for user in users:
        person, context = book.apply(person_of(user), contexts[user.username], now=now)
        if phrases := phrases_of(build_persona(person, context, profiles=profiles)):
            found[user.id, user.username] = phrases
    return found
