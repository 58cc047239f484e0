"""Links of a generated week: pushed in by a bot, some of them twice, and passed on by people.

A link comes again under another address of the same page (tracking parameters, `www.`, a slash at the end) or with the
same title from another site; both are duplicates of what was there first.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from random import Random

from meetings.sandbox.generate.staff import NEWS_BOT, Member, Place, Staff
from meetings.sandbox.generate.story import Talk, make_facts, why_theme
from meetings.sandbox.generate.threads import WORKDAYS, Said, Thread, Threads

SITES = ("news.example.com", "daily.example.org", "review.example.net")
AGAIN = 0.2  # of the links were there before
REMEMBERED = 40
PASSED_ON = 0.15
_SAME_PAGE = (
    "https://{site}/{path}?utm_source=feed&utm_medium=rss",
    "http://{site}/{path}",
    "https://www.{site}/{path}/",
    "https://{site}/{path}#comments",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Link:
    title: str
    site: str
    path: str
    theme: str


class News:
    """Makes the links of a week. `link` of a thread is the item's own name, the same for its duplicates."""

    def __init__(self, staff: Staff, talk: Talk, threads: Threads, chance: Random) -> None:
        self._staff = staff
        self._talk = talk
        self._threads = threads
        self._chance = chance
        self._known: deque[_Link] = deque(maxlen=REMEMBERED)
        self._number = 0

    def week(self, count: int) -> Iterator[Thread]:
        """So many links, in order of time."""
        chance = self._chance
        place = self._staff.places["news"]
        moments = sorted((chance.randrange(WORKDAYS), chance.randint(6 * 60, 17 * 60)) for _ in range(count))
        for day, minute in moments:
            again = bool(self._known) and chance.random() < AGAIN
            link = chance.choice(self._known) if again else self._fresh()
            address = self._address(link) if again else f"https://{link.site}/{link.path}"
            yield self._pushed(place, link, address, day, minute, again=again)
            if not again:
                self._known.append(link)

    def passed_on(self) -> Iterator[Thread]:
        """Some links of late, put into a channel of theirs by people who care."""
        chance = self._chance
        for link in list(self._known)[-8:]:
            keen = [m for m in self._staff.people if link.theme in m.hidden]
            if keen and chance.random() < PASSED_ON:
                by = chance.choice(keen)
                place = self._own_channel(by)
                if place is not None:
                    yield self._shared(place, link, by)

    def _fresh(self) -> _Link:
        chance = self._chance
        theme = chance.choice(list(self._talk.grammar.themes))
        title = self._talk.link(theme, make_facts(self._talk.grammar, chance.choice(self._staff.squads), chance))
        self._number += 1
        slug = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")
        return _Link(title=title, site=chance.choice(SITES), path=f"{self._number}/{slug[:60]}", theme=theme)

    def _address(self, link: _Link) -> str:
        if self._chance.random() < 0.3:
            other = self._chance.choice([site for site in SITES if site != link.site])
            return f"https://{other}/{link.path}"
        return self._chance.choice(_SAME_PAGE).format(site=link.site, path=link.path)

    def _pushed(self, place: Place, link: _Link, address: str, day: int, minute: int, *, again: bool) -> Thread:
        readers = self._staff.members(place)
        matters: Mapping[str, list[str]] = {} if again else why_theme(link.theme, None, readers)
        keen = why_theme(link.theme, None, readers)
        said = Said(
            by=NEWS_BOT,
            after=0,
            text=f"[{link.title}]({address})",
            act="link",
            matters=dict(matters),
            reactions={} if again else self._threads.reactions("link", NEWS_BOT, readers, keen=keen),
        )
        facts = make_facts(self._talk.grammar, self._chance.choice(self._staff.squads), self._chance)
        talk = () if again or self._chance.random() < 0.6 else self._threads.joined(link.theme, None, readers, facts)
        return Thread(
            place=place,
            day=day,
            minute=minute,
            said=(said, *talk),
            theme=link.theme,
            link=link.path,
            duplicate=again,
        )

    def _shared(self, place: Place, link: _Link, by: Member) -> Thread:
        readers = self._staff.members(place)
        said = Said(
            by=by.username,
            after=0,
            text=f"Worth a read: [{link.title}](https://{link.site}/{link.path}?ref=newsletter)",
            act="link",
            matters=why_theme(link.theme, by, readers),
        )
        return Thread(
            place=place,
            day=WORKDAYS - 1,
            minute=self._chance.randint(17 * 60, 18 * 60),
            said=(said,),
            theme=link.theme,
            link=link.path,
            duplicate=True,
        )

    def _own_channel(self, member: Member) -> Place | None:
        if member.squad is not None:
            return self._staff.places[self._staff.squads[member.squad].channel]
        return next((p for p in self._staff.places.values() if p.type == "P" and member.username in p.members), None)
