"""Which channel is meant, and whether somebody may see a brief of it: asked of the server each time, never remembered.

To who may not, every reason reads the same: not even that there is such a channel is told.
"""

from __future__ import annotations

import re

from meetings.errors import IncidentError, MattermostForbiddenError, MattermostNotFoundError
from meetings.mattermost.client import MattermostClient
from meetings.mattermost.entities import Channel, User

NOTHING = (
    "I can make no brief of that. You and I must both be in the channel, and it must be a channel of a team: "
    "type `/incident brief engineering` in it, or name it, as in `brief engineering on ~incident-01`."
)
NO_TARGET = "I find no channel of that name in this team that you and I are both in."
_NAME = re.compile(r"(?:([a-z0-9][a-z0-9_-]*)/)?~?([a-z0-9][a-z0-9._-]*)", re.IGNORECASE)


def may_read(client: MattermostClient, channel: Channel, user: User) -> bool:
    """Whether somebody is in a channel at this moment, and it is one of a team."""
    if channel.type not in {"O", "P"} or user.delete_at or user.is_bot:
        return False
    try:
        return client.is_channel_member(channel.id, user.id)
    except (MattermostForbiddenError, MattermostNotFoundError):
        return False  # the bot is not in it


def channel_of(client: MattermostClient, channel_id: str, user: User) -> Channel:
    """A channel by id, for one of its members.

    Raises:
        IncidentError: they are not in it, or the bot is not.
    """
    try:
        channel = client.channel(channel_id)
        if client.is_channel_member(channel.id, client.me().id) and may_read(client, channel, user):
            return channel
    except (MattermostForbiddenError, MattermostNotFoundError):
        pass
    raise IncidentError(NOTHING)


def channel_named(client: MattermostClient, name: str, user: User, *, team_id: str = "") -> Channel:
    """The channel that `~NAME` or `TEAM/~NAME` means to one of its members; without a team, in any that they share.

    Raises:
        IncidentError: there is none, or several.
    """
    match = _NAME.fullmatch(name.strip())
    if match is None:
        raise IncidentError(NOTHING)
    team, wanted = match.groups()
    teams = {t.id: t.name for t in client.my_teams()}
    found = [
        c
        for c in client.my_channels_everywhere()
        if c.name == wanted.lower()
        and (not team or teams.get(c.team_id) == team.lower())
        and (team or not team_id or c.team_id == team_id)
        and may_read(client, c, user)
    ]
    if len(found) > 1:
        raise IncidentError(f"there are several; name the team too: {teams[found[0].team_id]}/~{found[0].name}")
    if not found:
        raise IncidentError(NOTHING)
    return found[0]


def target_named(client: MattermostClient, name: str, user: User, *, source: Channel) -> Channel:
    """Where a text may be posted: another channel of the same team, in which both the bot and the person are.

    Raises:
        IncidentError: there is none; it is the same whatever the reason.
    """
    match = _NAME.fullmatch(name.strip())
    if match is not None and not match.group(1):
        for channel in client.my_channels_everywhere():
            if channel.name == match.group(2).lower() and _is_target(client, channel, user, source=source):
                return channel
    raise IncidentError(NO_TARGET)


def still_target(client: MattermostClient, channel_id: str, user: User, *, source: Channel) -> Channel:
    """The channel that was named before, if it still may be posted to.

    Raises:
        IncidentError: it may not.
    """
    try:
        channel = client.channel(channel_id)
        if client.is_channel_member(channel.id, client.me().id) and _is_target(client, channel, user, source=source):
            return channel
    except (MattermostForbiddenError, MattermostNotFoundError):
        pass
    raise IncidentError(NO_TARGET)


def _is_target(client: MattermostClient, channel: Channel, user: User, *, source: Channel) -> bool:
    same_team = channel.team_id == source.team_id and bool(channel.team_id)
    return same_team and channel.id != source.id and not channel.delete_at and may_read(client, channel, user)
