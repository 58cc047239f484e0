"""`meetings brief`: where an incident stands, for one audience."""

from __future__ import annotations

import click


@click.command(
    epilog="""\b
Examples:
  meetings brief acme/incident-01 --audience engineering --person ana.ruiz
  meetings brief acme/incident-01 --audience customers --person ana.ruiz --json"""
)
@click.argument("address", metavar="TEAM/CHANNEL")
@click.option(
    "--audience", type=click.Choice(["engineering", "customers", "pr"]), required=True, help="Whose view of it."
)
@click.option("--person", metavar="USER", help="For whom. [default: whose token it is, unless that is a bot]")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def brief(address: str, audience: str, person: str | None, as_json: bool) -> None:
    """Tell one person where an incident stands.

    Timeline, impact, what is known and what is not, who does what, when the next update is due: for engineering, for
    who talks to customers, or for public relations. Only what is new since the last brief is read. The bot and the
    person must both be in the channel; what is printed is for that person, and not to be passed on. A text for outside
    the channel is made and reviewed in Mattermost (docs/incidents.md).
    """
    import json

    from meetings.briefs import Incidents, channel_of, place_of, render_brief, state_to_json
    from meetings.channels import find_channel
    from meetings.config import load_settings
    from meetings.errors import IncidentError, MattermostForbiddenError, MattermostNotFoundError
    from meetings.mattermost import MattermostClient

    settings = load_settings()
    client = MattermostClient.required(settings)
    me = client.me()
    if person is None and me.is_bot:
        raise click.UsageError("for whom? the token is a bot's; name somebody (--person)")
    user = me if person is None else client.user_by_username(person.removeprefix("@"))
    try:
        place = channel_of(client, find_channel(client, address).id, user)
    except (IncidentError, MattermostForbiddenError, MattermostNotFoundError):
        # The same for every reason: who is not in a channel does not learn that there is one.
        raise IncidentError(f"there is no {address} in which both {user.username} and the bot are") from None
    found = Incidents(settings, client).look(place)
    if as_json:
        told = state_to_json(found.state, audience, channel=address)
        click.echo(json.dumps({**told, "posts_read": found.read, "whole": found.whole}, ensure_ascii=False))
        return
    note = "" if found.whole else f"posts read: {found.read}"
    shown = render_brief(
        found.state, audience, place=place_of(client, place), people=found.people, zone=user.timezone, note=note
    )
    click.echo(shown)
