"""Which channel somebody means: only of those that they and the bot are both in now.

A channel that exists and that the asker is not in is answered exactly as one that does not exist.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from meetings.mattermost.client import MattermostClient
from meetings.mattermost.entities import Channel, User
from meetings.requests.words import Reference


def channels_meant(
    client: MattermostClient, asker: User, reference: Reference, *, team_id: str = ""
) -> tuple[Channel, ...]:
    """The channels that a reference may mean, the asker and the bot being in each; archived ones are none.

    Args:
        client: the bot.
        asker: who asks.
        reference: how they named it.
        team_id: the team they are in as they ask; of several channels, the one of that team is meant.

    Raises:
        MattermostError: the server does not answer.
    """
    shared = [c for c in client.my_channels_everywhere() if c.type != "D" and not c.delete_at]
    found = tuple(c for c in _called(client, shared, reference) if client.is_channel_member(c.id, asker.id))
    here = tuple(c for c in found if team_id and c.team_id == team_id)
    return here if len(here) == 1 and not reference.team else found


def channel_here(client: MattermostClient, asker: User, channel_id: str) -> Channel | None:
    """The channel that something was asked in; None unless both are in it, and it is no direct one."""
    here = next((c for c in client.my_channels_everywhere() if c.id == channel_id), None)
    if here is None or here.type == "D" or here.delete_at or not client.is_channel_member(here.id, asker.id):
        return None
    return here


def _called(client: MattermostClient, channels: Sequence[Channel], reference: Reference) -> list[Channel]:
    """By name, else by the name that is shown."""
    wanted = reference.name.casefold()
    ways: tuple[Callable[[Channel], str], ...] = (lambda c: c.name, lambda c: c.display_name)
    for way in ways:
        found = [c for c in channels if way(c).casefold() == wanted]
        if reference.team:
            found = [c for c in found if client.address_of(c).partition("/")[0] == reference.team]
        if found:
            return found
    return []
