"""Who works at a generated company: people with roles, squads with a product each, channels and who is in them."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import count
from random import Random
from typing import Any

from meetings.sandbox.credentials import BOT, CALLS_BOT
from meetings.sandbox.generate.grammar import Grammar

NEWS_BOT = "newsbot"
# About so many people build one product.
SQUAD = 12
MAX_SQUADS = 40
# They work for the whole company, not for one product.
COMPANY_WIDE = frozenset({"executive", "finance", "people", "legal"})
STATED = 0.4  # of the people say one of their interests in the people file
SECOND = 0.4  # of them have a second hidden interest


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """Somebody who works there.

    `squad` is the number of their product's, None for the company's own; `stated` are themes that the people file
    tells, `hidden` those that only behaviour shows.
    """

    username: str
    first: str
    last: str
    position: str
    role: str
    head: bool
    manager: str | None
    timezone: str
    squad: int | None = None
    stated: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """First and last name."""
        return f"{self.first} {self.last}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Squad:
    """Those who build one product; `channel` is theirs."""

    number: int
    product: str
    kind: str
    components: tuple[str, ...]
    channel: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A channel; `type` as in the company's file. `members` are people, `bots` the bots in it."""

    name: str
    display_name: str
    type: str
    purpose: str
    members: tuple[str, ...]
    bots: tuple[str, ...] = (BOT,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Staff:
    """The company as it stands over all weeks."""

    company: str
    people: tuple[Member, ...]
    squads: tuple[Squad, ...]
    places: Mapping[str, Place]
    by_name: Mapping[str, Member] = field(repr=False)

    def members(self, place: Place) -> list[Member]:
        """The people of a channel."""
        return [self.by_name[name] for name in place.members]


def hire(grammar: Grammar, people: int, chance: Random) -> Staff:
    """A company of so many people."""
    words = grammar.words
    products = chance.sample(words["products"], max(1, min(MAX_SQUADS, people // SQUAD)))
    kinds = list(words["kinds"])
    squads = tuple(
        Squad(
            number=n,
            product=product,
            kind=kinds[n % len(kinds)],
            components=tuple(words["kinds"][kinds[n % len(kinds)]]),
            channel=product.lower(),
        )
        for n, product in enumerate(products)
    )
    members = tuple(_with_interests(m, grammar, chance) for m in _members(words, people, len(products), chance))
    places = {place.name: place for place in _places(words, members, squads)}
    return Staff(
        company=chance.choice(words["companies"]),
        people=members,
        squads=squads,
        places=places,
        by_name={m.username: m for m in members},
    )


def _members(words: Mapping[str, Any], people: int, squads: int, chance: Random) -> Iterator[Member]:
    roles = list(words["positions"])
    shares: dict[str, int] = words["shares"]
    # Every role once, in the order of the file, then by shares.
    found = roles[:people] + chance.choices(list(shares), list(shares.values()), k=max(0, people - len(roles)))
    names = chance.sample([(f, n) for f in words["first"] for n in words["last"]], people)
    heads: dict[str, str] = {}
    # Each role begins with another squad, so that all are about as large.
    next_squad = {role: count(n) for n, role in enumerate(r for r in roles if r not in COMPANY_WIDE)}
    for role, (first, last) in zip(found, names, strict=True):
        username = f"{_plain(first)}.{_plain(last)}"
        head = role not in heads
        titles = words["positions"][role]
        chief = heads.get("executive")
        yield Member(
            username=username,
            first=first,
            last=last,
            position=titles[0] if head else chance.choice(titles[1:]),
            role=role,
            head=head,
            manager=chief if head else heads[role],
            timezone=chance.choice(words["timezones"]),
            squad=None if role in COMPANY_WIDE else next(next_squad[role]) % squads,
        )
        heads.setdefault(role, username)


def _with_interests(member: Member, grammar: Grammar, chance: Random) -> Member:
    themes = chance.sample(list(grammar.themes), 3)
    stated = tuple(themes[:1]) if chance.random() < STATED else ()
    hidden = tuple(themes[1:3]) if chance.random() < SECOND else tuple(themes[1:2])
    return replace(member, stated=stated, hidden=hidden)


def _places(words: Mapping[str, Any], people: tuple[Member, ...], squads: tuple[Squad, ...]) -> Iterator[Place]:
    everybody = tuple(m.username for m in people)
    yield Place(name="town-square", display_name="Town Square", type="O", purpose="For everybody.", members=everybody)
    yield Place(
        name="off-topic",
        display_name="Off-Topic",
        type="O",
        purpose="Everything that is not work.",
        members=everybody,
        bots=(),
    )
    yield Place(
        name="news",
        display_name="News",
        type="O",
        purpose="Links from technology news, pushed in by a bot.",
        members=everybody,
        bots=(BOT, NEWS_BOT),
    )
    for squad in squads:
        yield Place(
            name=squad.channel,
            display_name=squad.product,
            type="O",
            purpose=f"The {squad.kind} {squad.product}: {', '.join(squad.components[:4])}. Weekly call.",
            members=tuple(m.username for m in people if m.squad == squad.number),
            bots=(BOT, CALLS_BOT),
        )
    for name, entry in words["departments"].items():
        inside = tuple(m.username for m in people if m.role in entry["roles"])
        if name == "leadership":
            inside = tuple(m.username for m in people if m.head or m.role == "executive")
        if len(inside) > 1:
            yield Place(
                name=name,
                display_name=name.capitalize(),
                type="P" if entry["private"] else "O",
                purpose=entry["purpose"],
                members=inside,
                # What leadership says stays with people.
                bots=() if name == "leadership" else (BOT,),
            )


def _plain(name: str) -> str:
    decomposed = unicodedata.normalize("NFKD", name.lower())
    return "".join(c for c in decomposed if c.isascii() and c.isalnum())
