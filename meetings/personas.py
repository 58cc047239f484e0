"""What matters to one person right now: what Mattermost tells of them, and what they asked for."""

from __future__ import annotations

from collections.abc import Callable

from meetings.config import Settings
from meetings.mattermost import KeptContext, MattermostClient, Reading, person_of, read_contexts
from meetings.mattermost.entities import User
from meetings.people import FeedbackBook, Persona, build_persona, read_profiles


def persona_of(
    client: MattermostClient,
    user: User,
    settings: Settings,
    *,
    now: int,
    noted: Callable[[str], None] = lambda _note: None,
) -> Persona:
    """Somebody's persona, from the channels that the bot and they share.

    Args:
        client: the bot.
        user: the person.
        settings: where contexts and wishes are kept.
        now: the time that ages are counted from, in milliseconds since the epoch.
        noted: is told what could not be kept or read.

    Raises:
        MattermostError: the server does not answer or refuses.
        PeopleError: what they asked for is damaged.
    """
    kept, reading = KeptContext(settings, client.url), Reading()
    context = read_contexts(client, [user], now=now, kept=kept, reading=reading)[user.username]
    for note in reading.notes:
        noted(note)
    person, full = FeedbackBook(settings).apply(person_of(user), context, now=now / 1000)
    return build_persona(person, full, profiles=read_profiles(settings.profiles))
