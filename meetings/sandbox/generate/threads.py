"""Threads of a generated week: on storylines and themes, between two, and small talk; each post with its truth."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from random import Random

from meetings.sandbox.generate.staff import Member, Place, Squad, Staff
from meetings.sandbox.generate.story import EVERYBODY, MENTIONED, Storyline, Talk, make_facts, why, why_theme

WORKDAYS = 5
# Chance that somebody reacts or replies: to what interests them beside their role, to their business, to anything.
KEEN, CONCERNED, ANYBODY = 0.6, 0.12, 0.02
REPLIES_KEEN = 0.5
MOST_REACTIONS = 12
EMOJIS = {
    "decide": ("white_check_mark", "+1"),
    "chat": ("joy", "smile", "cake"),
    "theme": ("eyes", "heart", "bulb"),
    "link": ("eyes", "bookmark", "bulb"),
    "announce": ("+1", "tada"),
    "direct": ("+1",),
}
PLAIN = ("+1", "eyes", "pray")


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A post; `after` in minutes from its thread's first one. `matters` and `side` as in the truth."""

    by: str
    after: int
    text: str
    act: str
    matters: dict[str, list[str]] = field(default_factory=dict)
    side: list[str] = field(default_factory=list)
    to: str | None = None
    reactions: dict[str, list[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Thread:
    """Posts that belong together; `day` 0 is the week's Monday, `minute` of that day in UTC.

    `link` is the item that it pushes in, `duplicate` whether that was pushed in before.
    """

    place: Place
    day: int
    minute: int
    said: tuple[Said, ...]
    story: Storyline | None = None
    theme: str | None = None
    link: str | None = None
    duplicate: bool = False
    confidential: bool = False

    @property
    def when(self) -> tuple[int, int, str, str]:
        """Sorts threads by time."""
        return self.day, self.minute, self.place.name, self.said[0].text


class Threads:
    """Makes the threads of a week."""

    def __init__(self, staff: Staff, talk: Talk, chance: Random) -> None:
        self._staff = staff
        self._talk = talk
        self._chance = chance

    def on_story(self, story: Storyline) -> Iterator[Thread]:
        """A week of a storyline: a thread or two, the last of them with its decision."""
        last = story.left <= 0
        count = self._chance.choice((1, 1, 2))
        days = sorted(self._chance.sample(range(WORKDAYS), count))
        for number, day in enumerate(days, start=1):
            decide = last and number == count and not story.decides_in_call
            yield self._story_thread(story, day, decide=decide)

    def _story_thread(self, story: Storyline, day: int, *, decide: bool) -> Thread:
        chance, talk = self._chance, self._talk
        readers = self._staff.members(story.place)
        lines = talk.course(story, readers, turns=chance.randint(1, 4), decide=decide, call=False)
        said: list[Said] = []
        spoke: list[str] = []
        at = 0
        for number, line in enumerate(lines):
            text = line.text
            if number == 0 and chance.random() < 0.35:
                text = f"{talk.phrase('starts', story.facts)} {text}"
            elif number and chance.random() < 0.15:
                thanks = [
                    m for m in readers if m is not line.by and m.username in spoke[:-1] and m.username != spoke[-1]
                ]
                if thanks:
                    said.append(
                        Said(by=chance.choice(thanks).username, after=at, text=talk.phrase("thanks", {}), act="thanks")
                    )
                    at += chance.randint(1, 20)
            matters, side = why(line, story, readers, spoke=spoke)
            said.append(
                Said(
                    by=line.by.username,
                    after=at,
                    text=text,
                    act=line.act,
                    matters=matters,
                    side=side,
                    to=line.to.username if line.to else None,
                    reactions=self.reactions(line.act, line.by.username, readers, concerned=matters),
                )
            )
            spoke.append(line.by.username)
            at += chance.randint(2, 55)
        return Thread(place=story.place, day=day, minute=self._minute(), said=tuple(said), story=story)

    def on_theme(self, place: Place, squad: Squad) -> Thread:
        """Somebody brings up what they care about, and those who care as well join in."""
        chance, talk = self._chance, self._talk
        readers = self._staff.members(place)
        theme = chance.choice(list(talk.grammar.themes))
        keen = [m for m in readers if theme in (*m.stated, *m.hidden)]
        by = chance.choice(keen if keen and chance.random() < 0.7 else readers)
        facts = make_facts(talk.grammar, squad, chance)
        first = self._theme_post(theme, by, readers, talk.theme(theme, facts), 0)
        return Thread(
            place=place,
            day=chance.randrange(WORKDAYS),
            minute=self._minute(),
            said=(first, *self.joined(theme, by, readers, facts)),
            theme=theme,
        )

    def joined(self, theme: str, by: Member | None, readers: Sequence[Member], facts: dict[str, str]) -> Iterator[Said]:
        """Replies of those who care about a theme, three at most."""
        keen = [m for m in readers if m is not by and theme in (*m.stated, *m.hidden)]
        joining = [m for m in keen if self._chance.random() < REPLIES_KEEN]
        at = 0
        for member in joining[:3]:
            at += self._chance.randint(5, 90)
            yield self._theme_post(theme, member, readers, self._talk.theme(theme, facts), at)

    def _theme_post(self, theme: str, by: Member, readers: Sequence[Member], text: str, at: int) -> Said:
        matters = why_theme(theme, by, readers)
        reactions = self.reactions("theme", by.username, readers, keen=matters)
        return Said(by=by.username, after=at, text=text, act="theme", matters=matters, reactions=reactions)

    def small_talk(self) -> Thread:
        """A thread that is no work."""
        chance, talk = self._chance, self._talk
        place = self._staff.places["off-topic"]
        readers = self._staff.members(place)
        by = chance.choice(readers)
        facts = make_facts(talk.grammar, chance.choice(self._staff.squads), chance)
        said = [self._chat(by.username, talk.phrase("chatter", facts), 0, readers)]
        at = 0
        for _ in range(chance.randint(0, 3)):
            at += chance.randint(1, 40)
            said.append(self._chat(chance.choice(readers).username, talk.phrase("chat_replies", facts), at, readers))
        return Thread(place=place, day=chance.randrange(WORKDAYS), minute=self._minute(), said=tuple(said))

    def _chat(self, by: str, text: str, at: int, readers: Sequence[Member]) -> Said:
        return Said(by=by, after=at, text=text, act="chat", reactions=self.reactions("chat", by, readers))

    def announcement(self) -> Thread:
        """Something that everybody should know."""
        chance, talk = self._chance, self._talk
        place = self._staff.places["town-square"]
        readers = self._staff.members(place)
        by = chance.choice([m for m in readers if m.role in {"people", "executive", "operations"}] or readers)
        facts = make_facts(talk.grammar, chance.choice(self._staff.squads), chance)
        matters = {m.username: [EVERYBODY] for m in readers if m is not by}
        said = Said(
            by=by.username,
            after=0,
            text=talk.phrase("announcements", facts),
            act="announce",
            matters=matters,
            reactions=self.reactions("announce", by.username, readers),
        )
        return Thread(place=place, day=chance.randrange(WORKDAYS), minute=self._minute(), said=(said,))

    def direct(self, story: Storyline) -> Thread:
        """The two who know a storyline, among themselves."""
        chance, talk = self._chance, self._talk
        pair = sorted((story.owner.username, story.helper.username))
        place = Place(name="__".join(pair), display_name="", type="D", purpose="", members=tuple(pair), bots=())
        said = []
        at = 0
        for number in range(chance.randint(2, 5)):
            by, other = (story.owner, story.helper) if number % 2 == 0 else (story.helper, story.owner)
            text = talk.phrase("direct" if number % 2 == 0 else "direct_replies", story.facts)
            matters = {other.username: [MENTIONED]}
            said.append(Said(by=by.username, after=at, text=text, act="direct", matters=matters))
            at += chance.randint(1, 30)
        return Thread(place=place, day=chance.randrange(WORKDAYS), minute=self._minute(), said=tuple(said), story=story)

    def reactions(
        self,
        act: str,
        by: str,
        readers: Sequence[Member],
        *,
        concerned: dict[str, list[str]] | None = None,
        keen: dict[str, list[str]] | None = None,
    ) -> dict[str, list[str]]:
        """Who reacts to a post, and how."""
        found: dict[str, list[str]] = {}
        emojis = EMOJIS.get(act, PLAIN)
        # In a crowd the keen still react, others are as many as in a room.
        anybody = min(ANYBODY, 1 / len(readers))
        for reader in readers:
            name = reader.username
            chance = KEEN if keen and name in keen else CONCERNED if concerned and name in concerned else anybody
            if name != by and self._chance.random() < chance:
                found.setdefault(self._chance.choice(emojis), []).append(name)
            if sum(map(len, found.values())) >= MOST_REACTIONS:
                break
        return found

    def _minute(self) -> int:
        return self._chance.randint(7 * 60, 16 * 60)
