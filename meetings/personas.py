"""What matters to somebody right now: what Mattermost tells of them, and what they asked for."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import cache

from meetings.config import Settings
from meetings.llm import TextEmbedder
from meetings.mattermost import KeptContext, MattermostClient, Reading, person_of, read_contexts
from meetings.mattermost.entities import User
from meetings.people import FeedbackBook, Persona, build_persona, read_profiles


def persona_of(
    client: MattermostClient,
    user: User,
    settings: Settings,
    *,
    now: int | None = None,
    note: Callable[[str], None] = lambda _: None,
) -> Persona:
    """What matters to somebody; used for their own eyes alone.

    Args:
        client: the bot.
        user: who.
        settings: where contexts and wishes are kept, and the roles.
        now: the time that ages are counted from, in milliseconds since the epoch; None: the present.
        note: told what could not be read.

    Raises:
        MattermostError: the server does not answer or refuses.
        PeopleError: what they asked for is damaged.
    """
    now = int(time.time() * 1000) if now is None else now
    kept, reading = KeptContext(settings, client.url), Reading()
    context = read_contexts(client, [user], now=now, kept=kept, reading=reading)[user.username]
    for line in reading.notes:
        note(line)
    person, full = FeedbackBook(settings).apply(person_of(user), context, now=now / 1000)
    return build_persona(person, full, profiles=read_profiles(settings.profiles))


def kept_embedder(settings: Settings) -> Callable[[], TextEmbedder]:
    """Gives the sentence embeddings that the settings name, read from the disk when they are first wanted.

    Vectors are kept: what one person's answer embedded costs the next person nothing.
    """

    @cache
    def made() -> TextEmbedder:
        from meetings.llm import KeptVectors, open_embedder
        from meetings.models import fingerprint

        name, models = settings.text_embedding_model, settings.models_folder
        vectors = settings.home / "people" / "vectors.sqlite"
        return KeptVectors(open_embedder(settings), vectors, fingerprint=fingerprint(name, models))

    return made
