"""`meetings alerts`: what people are alerted of, and what would have been told."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from meetings.cli.shown import one_line

if TYPE_CHECKING:
    from meetings.config import Settings
    from meetings.mattermost import MattermostClient
    from meetings.mattermost.entities import User

DEFAULT_SINCE = "7d"


@click.group(
    epilog="""\b
Examples:
  meetings alerts list ana.ruiz
  meetings alerts add ana.ruiz "the parser release"
  meetings alerts test ana.ruiz --since 7d"""
)
def alerts() -> None:
    """Show and set what people are alerted of.

    They do that themselves by writing to the bot, as: tell me when anyone talks about the parser release. See
    docs/alerts.md. What is theirs is shown to nobody else.
    """


def _user(username: str) -> tuple[Settings, MattermostClient, User]:
    from meetings.config import load_settings
    from meetings.mattermost import MattermostClient

    settings = load_settings()
    client = MattermostClient.required(settings)
    return settings, client, client.user_by_username(username.removeprefix("@"))


@alerts.command(
    "list",
    epilog="""\b
Examples:
  meetings alerts list ana.ruiz
  meetings alerts list ana.ruiz --json""",
)
@click.argument("username", metavar="USER")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON, with what they were told.")
def list_(username: str, as_json: bool) -> None:
    """Show what USER is alerted of, and how clearly each has to fit."""
    import json
    from dataclasses import asdict

    from meetings.interests import AlertBook

    settings, _, user = _user(username)
    wants = AlertBook(settings).of(user.id, user.username)
    if as_json:
        data = asdict(wants)
        data["interests"] = [
            {"id": i.id, **asdict(i), "bar": round(b, 3) if (b := wants.bar(i)) < 2 else None} for i in wants.interests
        ]
        click.echo(json.dumps(data, ensure_ascii=False))
        return
    if not wants.interests:
        click.echo("no alerts")
    for number, interest in enumerate(wants.interests, start=1):
        where = f" in ~{interest.channel}" if interest.channel else ""
        learned = ", learned" if interest.learned else ""
        click.echo(f"{number}. {one_line(interest.text)}{where} (bar {wants.bar(interest):.2f}{learned})")
    if wants.paused:
        click.echo("paused: they said that they want none")
    if wants.held:
        click.echo(f"{len(wants.held)} wait to be told")


@alerts.command(
    epilog="""\b
Examples:
  meetings alerts add ana.ruiz "the parser release"
  meetings alerts add ana.ruiz "water leaks" --channel acme/support"""
)
@click.argument("username", metavar="USER")
@click.argument("subject", metavar="SUBJECT")
@click.option("--channel", metavar="TEAM/CHANNEL", help="Only in this channel.")
def add(username: str, subject: str, channel: str | None) -> None:
    """Alert USER when SUBJECT comes up."""
    from meetings.channels import find_channel, require_member
    from meetings.interests import AlertBook, Interest

    settings, client, user = _user(username)
    place = find_channel(client, channel) if channel else None
    if place is not None:
        require_member(client, place, user)
    interest = Interest(text=subject, channel_id=place.id if place else "", channel=place.name if place else "")
    AlertBook(settings).add(user.id, user.username, interest)
    click.echo(f"{user.username} is alerted of: {one_line(subject)}")


@alerts.command(
    epilog="""\b
Examples:
  meetings alerts remove ana.ruiz 2
  meetings alerts remove ana.ruiz "the parser release\""""
)
@click.argument("username", metavar="USER")
@click.argument("subject", metavar="NUMBER|SUBJECT")
def remove(username: str, subject: str) -> None:
    """Alert USER no longer of one of their interests."""
    from meetings.alerts import chosen
    from meetings.errors import PeopleError
    from meetings.interests import AlertBook

    settings, _, user = _user(username)
    book = AlertBook(settings)
    interest = chosen(subject, book.of(user.id, user.username))
    if interest is None:
        raise PeopleError(f"{subject!r} is none of their alerts, or could be several; see: meetings alerts list")
    book.remove(user.id, user.username, (interest.id,))
    click.echo(f"{user.username} is no longer alerted of: {one_line(interest.text)}")


@alerts.command(
    epilog="""\b
Examples:
  meetings alerts test ana.ruiz
  meetings alerts test ana.ruiz --since 14d --below 0.1
  meetings alerts test ana.ruiz --about "the parser release" --json"""
)
@click.argument("username", metavar="USER")
@click.option("--since", metavar="AGO|DATE", default=DEFAULT_SINCE, show_default=True, help="12h, 7d, 2w or a date.")
@click.option("--about", metavar="SUBJECT", multiple=True, help="Try this instead of what they asked for.")
@click.option("--below", type=click.FloatRange(0, 1), default=0.0, help="Show also what missed the bar by so much.")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def test(username: str, since: str, about: tuple[str, ...], below: float, as_json: bool) -> None:
    """Show what USER would have been alerted of, and send nothing.

    Reads the channels that the bot and USER are both in. Each line has how well it fits, the bar it has to reach, the
    interest, and the words. What they were told already counts as new here.
    """
    import json
    from datetime import UTC, datetime

    from meetings.alerts import try_alerts
    from meetings.channels import moment_of
    from meetings.interests import AlertBook, Interest
    from meetings.personas import kept_embedder

    settings, client, user = _user(username)
    wants = AlertBook(settings).of(user.id, user.username)
    interests = tuple(Interest(text=text) for text in about) or wants.interests
    begin = moment_of(since, now=datetime.now(UTC))
    found = try_alerts(client, settings, user, interests, kept_embedder(settings)(), since=begin, below=below)
    if as_json:
        click.echo(json.dumps([one.to_json() for one in found], ensure_ascii=False))
        return
    for one in found:
        mark = "alert" if one.score >= one.bar else "below"
        what, said = one_line(one.interest), one_line(one.text)
        click.echo(f"{mark} {one.score:.2f} (bar {one.bar:.2f}) {what} | ~{one.channel}, {one_line(one.by)}: {said}")
    if not found:
        click.echo("nothing" if interests else "they have no alerts; try some: --about SUBJECT")
