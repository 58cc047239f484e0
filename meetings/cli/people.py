"""`meetings people`: who reads summaries, and everything that decides what they get."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from meetings.cli.shown import one_line

if TYPE_CHECKING:
    from meetings.config import Settings
    from meetings.people import Person, Persona, PersonContext

_PEOPLE = click.option(
    "--people",
    type=click.Path(path_type=Path),
    help="People file (YAML). Default: what Mattermost knows of the person, as a summary would use it now.",
)


@click.group(
    epilog="""\b
Examples:
  meetings people check people.yml
  meetings people show ana --people people.yml
  meetings people show ana.ruiz --why"""
)
def people() -> None:
    """Show who reads summaries and what matters to them."""


@people.command(
    epilog="""\b
Examples:
  meetings people show ana --people people.yml
  meetings people show ana.ruiz --why"""
)
@click.argument("username")
@_PEOPLE
@click.option("--why", is_flag=True, help="Tell of each ingredient how it came by its weight.")
@click.option("--fresh", is_flag=True, help="Read everything from the server, nothing from what is kept.")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def show(username: str, people: Path | None, why: bool, fresh: bool, as_json: bool) -> None:
    """Show every ingredient of a person's interests, with its weight and where it comes from.

    What Mattermost tells of a person is theirs: show it to nobody else.
    """
    import json

    from meetings.config import load_settings
    from meetings.people import explain_weight, read_profiles

    settings = load_settings()
    profiles = read_profiles(settings.profiles)
    username = username.removeprefix("@")
    person, context = _from_file(username, people) if people else _from_server(username, settings, fresh=fresh)
    persona = _persona(person, context, settings)
    origins = {p.name: p.origin for p in profiles if p.origin and p.name in persona.profiles}
    ingredients = (*persona.ingredients, *persona.unwanted)
    terms = sorted(persona.terms.items(), key=lambda item: (-item[1], item[0]))
    wants = sorted(persona.wants.items(), key=lambda item: (-item[1], item[0]))
    if as_json:
        data = {
            "username": username,
            "name": persona.person.name,
            "position": persona.person.position,
            "length": persona.person.length,
            "profiles": list(persona.profiles),
            "profiles_from": origins,
            "called": list(persona.names),
            "ingredients": [
                {
                    "weight": round(i.weight, 3),
                    "source": i.source,
                    "detail": i.detail,
                    "text": i.text,
                    "why": explain_weight(i),
                }
                for i in ingredients
            ],
            "terms": {term: round(weight, 3) for term, weight in terms},
            "wants": {kind: round(weight, 3) for kind, weight in wants},
        }
        click.echo(json.dumps(data, ensure_ascii=False))
        return
    click.echo(f"{persona.person.name} ({username}) · {persona.person.position or 'no position'}")
    shown = [f"{name} ({origins[name]})" if name in origins else name for name in persona.profiles]
    click.echo(f"role profiles: {', '.join(shown) or 'none matches the position'}")
    click.echo(f"called in speech: {', '.join(persona.names)}")
    if persona.person.length:
        click.echo(f"length of summaries: {persona.person.length}")
    click.echo("\nweight  source    what matters")
    for ingredient in ingredients:
        origin = f" ({ingredient.detail})" if ingredient.detail else ""
        click.echo(f"{ingredient.weight:6.2f}  {ingredient.source:<9} {ingredient.text}{origin}")
        if why:
            click.echo(f"{'':17} {explain_weight(ingredient)}")
    if wants:
        click.echo("\nwants more than others: " + ", ".join(f"{kind} +{weight:.2f}" for kind, weight in wants))
    click.echo("words (stems): " + ", ".join(f"{term} {weight:.2f}" for term, weight in terms))


@people.command(
    epilog="""\b
Examples:
  meetings people links ana.ruiz
  meetings people links ana.ruiz --revoke"""
)
@click.argument("username")
@click.option("--revoke", "revoked", is_flag=True, help="Let none of them hold any more, and sign them out.")
def links(username: str, revoked: bool) -> None:
    """Show, or revoke, somebody's links to the pages of meetings, and where they are signed in (docs/report.md)."""
    from datetime import UTC, datetime

    from meetings.audit import AuditLog
    from meetings.cli.who import login_name
    from meetings.config import load_settings
    from meetings.mattermost import MattermostClient
    from meetings.page_links import links_of, revoke
    from meetings.page_sign_ins import signed_in

    settings = load_settings()
    username = username.removeprefix("@")
    user = MattermostClient.required(settings, "whose account?").user_by_username(username)
    if revoked:
        there = revoke(settings, user.id)
        AuditLog(settings).note("links revoked", user=username, by=login_name())
        click.echo(f"{username}: links revoked" if there else f"{username} has no links")
        return
    held = links_of(settings, user.id)
    for meeting, until in sorted(held.items(), key=lambda item: -item[1]):
        click.echo(f"{meeting}  until {datetime.fromtimestamp(until, tz=UTC):%Y-%m-%d}")
    now_in = signed_in(settings, user.id)
    for kind, many in now_in.items():
        latest = datetime.fromtimestamp(many[-1], tz=UTC)
        click.echo(f"{len(many)} {kind}  until {latest:%Y-%m-%d %H:%M}")
    if not held and not now_in:
        click.echo(f"{username} has no links")


def _persona(person: Person, context: PersonContext | None, settings: Settings) -> Persona:
    import time

    from meetings.people import FeedbackBook, build_persona, read_profiles

    told, full = FeedbackBook(settings).apply(person, context, now=time.time())
    return build_persona(told, full, profiles=read_profiles(settings.profiles))


def _from_file(username: str, people: Path) -> tuple[Person, None]:
    import difflib

    from meetings.errors import PeopleError
    from meetings.people import read_people

    readers = {p.username: p for p in read_people(people)}
    if username not in readers:
        near = difflib.get_close_matches(username, readers, n=1)
        hint = f"did you mean {near[0]}?" if near else f"it lists {', '.join(list(readers)[:10])}"
        raise PeopleError(f"{people}: no one called {username!r}; {hint}")
    return readers[username], None


def _from_server(username: str, settings: Settings, *, fresh: bool) -> tuple[Person, PersonContext]:
    import time

    from meetings.mattermost import KeptContext, MattermostClient, Reading, person_of, read_contexts

    client = MattermostClient.required(settings, "whom to ask? name a people file (--people), or a server")
    user = client.user_by_username(username)
    kept = None if fresh else KeptContext(settings, client.url)
    reading = Reading()
    contexts = read_contexts(client, [user], now=int(time.time() * 1000), kept=kept, reading=reading)
    _tell(reading.notes)
    return person_of(user), contexts[user.username]


def _tell(notes: list[str]) -> None:
    for note in notes:
        click.echo(f"note: {one_line(note)}", err=True)


@people.command(
    epilog="""\b
Examples:
  meetings people refresh
  meetings people refresh --json"""
)
@click.option("--fresh", is_flag=True, help="Read every channel whole again.")
@click.option("--json", "as_json", is_flag=True, help="Print what was done as JSON.")
def refresh(fresh: bool, as_json: bool) -> None:
    """Bring what is kept of everybody's context up to date.

    One pass over the bot's channels serves all their members; of a channel read before, only what changed is read.
    Without it the next call does the same for the channels of its readers. What is kept: docs/privacy.md
    """
    import json
    import time
    from dataclasses import asdict

    from meetings.cli.progress import bar
    from meetings.config import load_settings
    from meetings.mattermost import KeptContext, MattermostClient
    from meetings.mattermost import refresh as refresh_context

    settings = load_settings()
    client = MattermostClient.required(settings)
    kept = KeptContext(settings, client.url)
    if fresh:
        kept.forget()
    with bar("Reading channels") as progress:
        done = refresh_context(client, kept, now=int(time.time() * 1000), progress=progress)
    if as_json:
        click.echo(json.dumps(asdict(done), ensure_ascii=False))
        return
    _tell(done.notes)
    click.echo(
        f"{done.people} people, {done.channels} channels: {done.whole} read whole, {done.changed} changed, "
        f"{done.unchanged} as they were; {done.requests} requests in {done.seconds:.1f} s"
    )


@people.command(
    epilog="""\b
Examples:
  meetings people feedback ana.ruiz --more "prices and competitors" --less hiring
  meetings people feedback ana.ruiz --length short
  meetings people feedback ana.ruiz --list"""
)
@click.argument("user")
@click.option("--more", multiple=True, metavar="TEXT", help="A subject they want more of.")
@click.option("--less", multiple=True, metavar="TEXT", help="A subject they want less of.")
@click.option("--length", type=click.Choice(["short", "medium", "long"]), help="How many points they like.")
@click.option("--list", "listed", is_flag=True, help="Print what they asked for.")
@click.option("--forget", is_flag=True, help="Remove what they asked for.")
@click.option("--json", "as_json", is_flag=True, help="Print what they asked for as JSON.")
def feedback(
    user: str,
    more: tuple[str, ...],
    less: tuple[str, ...],
    length: str | None,
    listed: bool,
    forget: bool,
    as_json: bool,
) -> None:
    """Note what USER wants more or less of in their summaries.

    It counts for their next summary, less with every month. Decisions and what falls to them they get in any case. A
    thumb up or down on a summary in Mattermost does the same, more gently.
    """
    import json
    import time
    from dataclasses import asdict

    from meetings.audit import AuditLog
    from meetings.cli.who import login_name
    from meetings.config import load_settings
    from meetings.people import FeedbackBook

    if not (more or less or length or listed or forget or as_json):
        raise click.UsageError("say what to note: --more, --less or --length; or --list, or --forget")
    if forget and (more or less or length):
        raise click.UsageError("--forget stands alone")
    username = user.removeprefix("@").lower()
    settings = load_settings()
    book = FeedbackBook(settings)
    if forget:
        there = book.forget(username)
        if there:
            # It also takes back that they wanted no messages.
            AuditLog(settings).note("forget", user=username, by=login_name(), what="feedback")
        click.echo(f"{username}: forgotten" if there else f"{username}: there was nothing to forget")
        return
    for kind, texts in (("more", more), ("less", less)):
        for text in texts:
            book.add(username, kind, text)
    if length:
        book.set_length(username, length)
    wishes = book.of(username)
    if as_json:
        click.echo(json.dumps({"username": username, **asdict(wishes)}, ensure_ascii=False))
        return
    if not wishes.wishes and not wishes.length:
        click.echo(f"{username} asked for nothing")
    for wish in wishes.wishes:
        click.echo(f"{wish.kind}  {time.strftime('%Y-%m-%d', time.localtime(wish.at))}  {wish.text}")
    if wishes.length:
        click.echo(f"length  {wishes.length}")


@people.command(
    epilog="""\b
Example:
  meetings people check people.yml"""
)
@click.argument("file", type=click.Path(path_type=Path))
def check(file: Path) -> None:
    """Check a people file: keys, names, who has a role profile."""
    from meetings.config import load_settings
    from meetings.people import match_profiles, read_people, read_profiles

    readers = read_people(file)
    known = read_profiles(load_settings().profiles)
    for person in readers:
        profiles = ", ".join(p.name for p, _ in match_profiles(person.position, known))
        told = bool(profiles or person.about or person.interests)
        note = profiles or ("own words only" if told else "nothing known: add position, about or interests")
        click.echo(f"{person.username:<24} {person.name:<24} {person.position or '-':<32} {note}")
    click.echo(f"{file}: {len(readers)} {'person' if len(readers) == 1 else 'people'}, all well")
