"""`meetings people`: who reads summaries, and everything that decides what they get."""

from __future__ import annotations

from pathlib import Path

import click

_PEOPLE = click.option(
    "--people",
    type=click.Path(path_type=Path),
    required=True,
    help="People file (YAML).",
)


@click.group(
    epilog="""\b
Examples:
  meetings people check people.yml
  meetings people show ana --people people.yml"""
)
def people() -> None:
    """Show who reads summaries and what matters to them."""


@people.command(
    epilog="""\b
Example:
  meetings people show ana --people people.yml"""
)
@click.argument("username")
@_PEOPLE
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def show(username: str, people: Path, as_json: bool) -> None:
    """Show every ingredient of a person's interests, with its weight and where it comes from."""
    import json

    from meetings.errors import PeopleError
    from meetings.people import build_persona, read_people

    readers = {p.username: p for p in read_people(people)}
    if username not in readers:
        import difflib

        near = difflib.get_close_matches(username, readers, n=1)
        hint = f"did you mean {near[0]}?" if near else f"it lists {', '.join(list(readers)[:10])}"
        raise PeopleError(f"{people}: no one called {username!r}; {hint}")
    persona = build_persona(readers[username])
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
                {"weight": round(i.weight, 3), "source": i.source, "detail": i.detail, "text": i.text}
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
    if wants:
        click.echo("\nwants more than others: " + ", ".join(f"{kind} +{weight:.2f}" for kind, weight in wants))
    click.echo("words (stems): " + ", ".join(f"{term} {weight:.2f}" for term, weight in terms))


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
