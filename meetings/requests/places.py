"""Which channel somebody means: of those that the bot and they are both in, and of no other anything is said."""

from __future__ import annotations

from meetings.errors import MattermostForbiddenError, MattermostNotFoundError
from meetings.mattermost.client import MattermostClient
from meetings.mattermost.entities import Channel, User

UNKNOWN = "I know no such channel that you and I are both in."


def find_places(client: MattermostClient, asker: User, name: str, *, channel_id: str = "") -> tuple[Channel, ...]:
    """The channels that a name may mean, none that the asker or the bot is not in.

    Args:
        client: the bot.
        asker: who asks; membership is asked of the server now.
        name: the channel's name, TEAM/NAME, or the name that is shown; empty: the channel of `channel_id`.
        channel_id: the channel that the request was made in.

    Raises:
        MattermostError: the server does not answer.
    """
    team, slash, bare = name.rpartition("/")
    wanted = bare.casefold()
    found = []
    for channel in client.my_channels_everywhere():
        if channel.type not in {"O", "P"} or channel.delete_at:
            continue
        if name:
            fits = wanted in {channel.name.casefold(), channel.display_name.casefold()}
            fits = fits and (not slash or client.address_of(channel).partition("/")[0] == team)
        else:
            fits = channel.id == channel_id
        if fits and _is_member(client, channel, asker):
            found.append(channel)
    # A channel's own name counts before what another one is shown as.
    exact = tuple(c for c in found if c.name.casefold() == wanted)
    return exact or tuple(found)


def _is_member(client: MattermostClient, channel: Channel, user: User) -> bool:
    try:
        return client.is_channel_member(channel.id, user.id)
    except (MattermostForbiddenError, MattermostNotFoundError):
        return False
