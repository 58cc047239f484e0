"""`meetings people`: who reads summaries, and everything that decides what they get."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from meetings.people import Persona

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
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def show(username: str, people: Path | None, why: bool, as_json: bool) -> None:
    """Show every ingredient of a person's interests, with its weight and where it comes from.

    What Mattermost tells of a person is theirs: show it to nobody else.
    """
    import json

    from meetings.people import explain_weight

    persona = _from_file(username, people) if people else _from_server(username)
    terms = sorted(persona.terms.items(), key=lambda item: (-item[1], item[0]))
    wants = sorted(persona.wants.items(), key=lambda item: (-item[1], item[0]))
    if as_json:
        data = {
            "username": username,
            "name": persona.person.name,
            "position": persona.person.position,
            "profiles": list(persona.profiles),
            "called": list(persona.names),
            "ingredients": [
                {
                    "weight": round(i.weight, 3),
                    "source": i.source,
                    "detail": i.detail,
                    "text": i.text,
                    "why": explain_weight(i),
                }
                for i in persona.ingredients
            ],
            "terms": {term: round(weight, 3) for term, weight in terms},
            "wants": {kind: round(weight, 3) for kind, weight in wants},
        }
        click.echo(json.dumps(data, ensure_ascii=False))
        return
    click.echo(f"{persona.person.name} ({username}) · {persona.person.position or 'no position'}")
    click.echo(f"role profiles: {', '.join(persona.profiles) or 'none matches the position'}")
    click.echo(f"called in speech: {', '.join(persona.names)}")
    click.echo("\nweight  source    what matters")
    for ingredient in persona.ingredients:
        origin = f" ({ingredient.detail})" if ingredient.detail else ""
        click.echo(f"{ingredient.weight:6.2f}  {ingredient.source:<9} {ingredient.text}{origin}")
        if why:
            click.echo(f"{'':17} {explain_weight(ingredient)}")
    if wants:
        click.echo("\nwants more than others: " + ", ".join(f"{kind} +{weight:.2f}" for kind, weight in wants))
    click.echo("words (stems): " + ", ".join(f"{term} {weight:.2f}" for term, weight in terms))


def _from_file(username: str, people: Path) -> Persona:
    import difflib

    from meetings.errors import PeopleError
    from meetings.people import build_persona, read_people

    readers = {p.username: p for p in read_people(people)}
    if username not in readers:
        near = difflib.get_close_matches(username, readers, n=1)
        hint = f"did you mean {near[0]}?" if near else f"it lists {', '.join(list(readers)[:10])}"
        raise PeopleError(f"{people}: no one called {username!r}; {hint}")
    return build_persona(readers[username])


def _from_server(username: str) -> Persona:
    import time

    from meetings.config import load_settings
    from meetings.errors import ConfigError
    from meetings.mattermost import MattermostClient, person_of, read_contexts
    from meetings.people import build_persona

    settings = load_settings()
    if settings.mattermost_url is None or settings.mattermost_token is None:
        raise ConfigError("whom to ask? name a people file (--people), or set MATTERMOST_URL and MATTERMOST_TOKEN")
    client = MattermostClient(settings.mattermost_url, settings.mattermost_token.get_secret_value())
    user = client.user_by_username(username.removeprefix("@"))
    return build_persona(person_of(user), read_contexts(client, [user], now=int(time.time() * 1000))[user.username])


@people.command(
    epilog="""\b
Example:
  meetings people check people.yml"""
)
@click.argument("file", type=click.Path(path_type=Path))
def check(file: Path) -> None:
    """Check a people file: keys, names, who has a role profile."""
    from meetings.people import match_profiles, read_people

    readers = read_people(file)
    for person in readers:
        profiles = ", ".join(p.name for p, _ in match_profiles(person.position))
        told = bool(profiles or person.about or person.interests)
        note = profiles or ("own words only" if told else "nothing known: add position, about or interests")
        click.echo(f"{person.username:<24} {person.name:<24} {person.position or '-':<32} {note}")
    click.echo(f"{file}: {len(readers)} {'person' if len(readers) == 1 else 'people'}, all well")
