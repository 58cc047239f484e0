"""A whole generated workspace, written week by week: what the sandbox is filled with, calls, people, and the truth.

The same people, weeks and seed give the same bytes. No more than a week and who works there is held in memory.

DIR/
  company.yml      the company in the sandbox's own format; its posts lie in posts.jsonl
  posts.jsonl      a thread a line, in order of time
  people.yml       who reads summaries, as `meetings summarize --people` takes it
  calls/           each call as NAME.json (a conversation) and NAME.vtt
  truth/           posts.jsonl, calls.jsonl, people.jsonl, storylines.jsonl (docs/sandbox.md)
  workspace.json   what it was made with, and how much there is of everything
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import IO, Any

from meetings.conversation import to_json, to_vtt
from meetings.errors import SandboxError
from meetings.progress import Progress, no_progress
from meetings.sandbox.credentials import BOT, CALLS_BOT
from meetings.sandbox.generate.calls import Call, hold_call
from meetings.sandbox.generate.grammar import load_grammar
from meetings.sandbox.generate.incident import incident, weeks_of_incidents
from meetings.sandbox.generate.news import News
from meetings.sandbox.generate.staff import NEWS_BOT, Member, Place, Staff, hire
from meetings.sandbox.generate.story import Stories, Storyline, Talk
from meetings.sandbox.generate.threads import WORKDAYS, Said, Thread, Threads

MIN_PEOPLE, MAX_PEOPLE = 5, 500
MAX_WEEKS = 52
FORMAT = 1
# The moment that the weeks lead up to: a Monday, fixed so that the same seed gives the same bytes.
UNTIL = datetime(2026, 11, 23, 10, tzinfo=UTC)
LINKS = 12  # a week
MOST_SMALL_TALK = 8  # threads a week
DIRECT = 0.3  # of the storylines have a word between two each week
ON_THEME = 0.6  # of the squads have a thread beside their work each week
NOTES = 20  # minutes after a call that its notes are posted


@dataclass(slots=True, kw_only=True)
class Counts:
    """How much there is of everything."""

    people: int = 0
    channels: int = 0
    threads: int = 0
    posts: int = 0
    links: int = 0
    duplicates: int = 0
    calls: int = 0
    utterances: int = 0
    storylines: int = 0
    decisions: int = 0
    actions: int = 0


def generate_workspace(folder: Path, *, people: int, weeks: int, seed: int, progress: Progress = no_progress) -> Counts:
    """Write a workspace.

    Args:
        folder: where to; must not be there yet, or be empty.
        people: how many work there, 5 to 500.
        weeks: how many weeks lie behind them, 1 to 52.
        seed: the same one gives the same workspace.
        progress: told the share of weeks done.

    Raises:
        SandboxError: a number is out of range, or the folder is not empty or cannot be written.
    """
    if not MIN_PEOPLE <= people <= MAX_PEOPLE:
        raise SandboxError(f"people: {people} is not between {MIN_PEOPLE} and {MAX_PEOPLE}")
    if not 1 <= weeks <= MAX_WEEKS:
        raise SandboxError(f"weeks: {weeks} is not between 1 and {MAX_WEEKS}")
    try:
        if folder.exists() and any(folder.iterdir()):
            raise SandboxError(f"{folder} is not empty; name a new folder")
        for part in (folder, folder / "calls", folder / "truth"):
            part.mkdir(parents=True, exist_ok=True)
        with ExitStack() as stack:
            return _Writing(folder, people=people, weeks=weeks, seed=seed, stack=stack).run(progress)
    except OSError as error:
        raise SandboxError(f"{folder}: the workspace cannot be written ({error.strerror})") from error


class _Writing:
    """One workspace being written."""

    def __init__(self, folder: Path, *, people: int, weeks: int, seed: int, stack: ExitStack) -> None:
        self.folder = folder
        self.weeks = weeks
        self.seed = seed
        self.counts = Counts(people=people)
        # A generator of its own for each part, so that a change to one leaves the others as they were.
        self._seeds = f"{people} {weeks} {seed}"
        grammar = load_grammar()
        self.staff = hire(grammar, people, self._chance("staff"))
        self.talk = Talk(grammar, self._chance("talk"))
        self.stories = Stories(grammar, self.staff, self._chance("stories"))
        self.threads = Threads(self.staff, self.talk, self._chance("threads"))
        self.news = News(self.staff, self.talk, self.threads, self._chance("news"))
        self.chance = self._chance("weeks")
        self.places: dict[str, Place] = dict(self.staff.places)
        self.first_link: dict[str, str] = {}
        self.files: dict[str, IO[str]] = {
            name: stack.enter_context((folder / name).open("w", encoding="utf-8", newline="\n"))
            for name in ("posts.jsonl", "truth/posts.jsonl", "truth/calls.jsonl", "truth/storylines.jsonl")
        }

    def _chance(self, part: str) -> Random:
        return Random(f"{self._seeds} {part}")  # text seeds do not depend on the process (random.seed, version 2)

    def run(self, progress: Progress) -> Counts:
        """Write everything; workspace.json comes last, so that a broken-off one is seen."""
        incidents = weeks_of_incidents(self.weeks)
        for week in range(self.weeks):
            stories = self.stories.week(self.weeks - week)
            found = [*self._calls(week, stories)]
            threads = [*self._talked(stories), *found]
            if week in incidents:
                place, posts = incident(self.staff, self.talk, self.chance, incidents.index(week) + 1)
                self.places[place.name] = place
                threads += posts
            for thread in sorted(threads, key=lambda t: t.when):
                self._write_thread(thread, week)
            for story in self.stories.ended():
                self.counts.storylines += 1
                self._line("truth/storylines.jsonl", story.to_json())
            progress((week + 1) / self.weeks)
        self.counts.channels = len(self.places)
        self._people()
        self._company()
        made = {"format": FORMAT, "people": self.counts.people, "weeks": self.weeks, "seed": self.seed}
        report = {**made, "until": UNTIL.isoformat(), "counts": asdict(self.counts)}
        (self.folder / "workspace.json").write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
        return self.counts

    # A week

    def _talked(self, stories: Iterable[Storyline]) -> Iterable[Thread]:
        chance, staff = self.chance, self.staff
        for story in stories:
            yield from self.threads.on_story(story)
            if chance.random() < DIRECT:
                yield self._remembered(self.threads.direct(story))
        for squad in staff.squads:
            if chance.random() < ON_THEME and staff.places[squad.channel].members:
                yield self.threads.on_theme(staff.places[squad.channel], squad)
        for name in ("engineering", "marketing", "support", "sales"):
            if name in staff.places and chance.random() < ON_THEME:
                yield self.threads.on_theme(staff.places[name], chance.choice(staff.squads))
        for _ in range(min(MOST_SMALL_TALK, 1 + len(staff.people) // 15)):
            yield self.threads.small_talk()
        if chance.random() < 0.7:
            yield self.threads.announcement()
        yield from self.news.week(LINKS)
        yield from self.news.passed_on()

    def _remembered(self, thread: Thread) -> Thread:
        self.places.setdefault(thread.place.name, thread.place)
        return thread

    def _calls(self, week: int, stories: Iterable[Storyline]) -> Iterable[Thread]:
        """The week's calls, written at once, and the notes that are posted after each."""
        on = list(stories)
        for squad in self.staff.squads:
            day, minute = squad.number % WORKDAYS, 9 * 60 + 15 * (squad.number % 9)
            call = hold_call(
                self.staff,
                squad,
                [s for s in on if s.place.name == squad.channel],
                self.talk,
                self.chance,
                name=f"w{week + 1:02d}-{squad.channel}",
                started_at=self._moment(week, day, minute).isoformat(),
                day=day,
                minute=minute,
            )
            if call is not None:
                self._write_call(call)
                yield from self._notes(call)

    def _notes(self, call: Call) -> Iterable[Thread]:
        kept = [s.said for s in call.spoken if s.said.act in {"decide", "assign"}]
        if not kept or self.chance.random() < 0.4:
            return
        matters: dict[str, list[str]] = {}
        for said in kept:
            matters |= {name: matters.get(name, []) or reasons for name, reasons in said.matters.items()}
        by = kept[0].by
        matters.pop(by, None)
        text = "\n".join(["Notes of the call:", *(f"- {said.text}" for said in kept)])
        length = int(call.conversation.duration // 60)
        said = Said(by=by, after=0, text=text, act="notes", matters=matters)
        yield Thread(place=call.place, day=call.day, minute=call.minute + length + NOTES, said=(said,))

    def _moment(self, week: int, day: int, minute: int) -> datetime:
        monday = UNTIL.replace(hour=0) - timedelta(weeks=self.weeks - week, days=UNTIL.weekday())
        return monday + timedelta(days=day, minutes=minute)

    # Writing

    def _line(self, name: str, data: Mapping[str, Any]) -> None:
        self.files[name].write(json.dumps(data, ensure_ascii=False, separators=(",", ":")) + "\n")

    def _write_thread(self, thread: Thread, week: int) -> None:
        number = self.counts.threads
        day = (UNTIL.date() - self._moment(week, thread.day, 0).date()).days
        first, *replies = thread.said
        entry: dict[str, Any] = {
            "channel": thread.place.name,
            "user": first.by,
            "at": f"-{day}d {thread.minute // 60:02d}:{thread.minute % 60:02d}",
            "message": first.text,
        }
        if first.reactions:
            entry["reactions"] = first.reactions
        if replies:
            entry["replies"] = [_reply(said) for said in replies]
        self._line("posts.jsonl", entry)
        for reply, said in enumerate(thread.said):
            ref = str(number) if reply == 0 else f"{number}.{reply - 1}"
            more: dict[str, Any] = {"channel": thread.place.name}
            if thread.link is not None and reply == 0:
                more["link"] = thread.link
                self.counts.links += 1
                if thread.duplicate:
                    more["duplicate_of"] = self.first_link[thread.link]
                    self.counts.duplicates += 1
                self.first_link.setdefault(thread.link, ref)
            if thread.confidential:
                more["confidential"] = True
            self._truth("truth/posts.jsonl", ref, said, thread.story, thread.theme, more)
        self.counts.threads += 1
        self.counts.posts += len(thread.said)

    def _write_call(self, call: Call) -> None:
        name = call.conversation.id
        base = self.folder / "calls" / name
        text = json.dumps(to_json(call.conversation), ensure_ascii=False, indent=1)
        base.with_suffix(".json").write_text(text + "\n", encoding="utf-8")
        base.with_suffix(".vtt").write_text(to_vtt(call.conversation), encoding="utf-8")
        for one, utterance in zip(call.spoken, call.conversation.utterances, strict=True):
            more = {"call": name, "channel": call.place.name}
            self._truth("truth/calls.jsonl", f"{name}#{utterance.id}", one.said, one.story, one.theme, more)
        self.counts.calls += 1
        self.counts.utterances += len(call.spoken)

    def _truth(
        self, name: str, ref: str, said: Said, story: Storyline | None, theme: str | None, more: Mapping[str, Any]
    ) -> None:
        item: dict[str, Any] = {"ref": ref, **more, "by": said.by, "act": said.act}
        if story is not None:
            item["storyline"] = story.id
            if said.act == "decide":
                story.decisions.append({"ref": ref, "text": said.text})
                self.counts.decisions += 1
            if said.act == "assign" and said.to is not None:
                story.actions.append({"ref": ref, "owner": said.to, "due": story.facts["day"]})
                self.counts.actions += 1
        if theme is not None:
            item["theme"] = theme
        if said.to is not None:
            item["to"] = said.to
        if said.side:
            item["side"] = said.side
        self._line(name, {**item, "matters": said.matters})

    def _people(self) -> None:
        import yaml

        grammar = self.talk.grammar
        readers = []
        with (self.folder / "truth" / "people.jsonl").open("w", encoding="utf-8", newline="\n") as out:
            for member in self.staff.people:
                readers.append(_reader(member, [grammar.themes[t].interest for t in member.stated]))
                out.write(json.dumps(_known(member, self.staff), ensure_ascii=False) + "\n")
        _dump(yaml, self.folder / "people.yml", readers)

    def _company(self) -> None:
        import yaml

        staff = self.staff
        team = "".join(c for c in staff.company.lower() if c.isalnum())
        bots = {
            BOT: "Summarises calls for each person",
            CALLS_BOT: "Posts recordings of calls",
            NEWS_BOT: "Posts links from technology news sites",
        }
        company = {
            "team": {"name": team, "display_name": staff.company},
            "users": [
                {
                    "username": m.username,
                    "first_name": m.first,
                    "last_name": m.last,
                    "position": m.position,
                    "timezone": m.timezone,
                }
                for m in staff.people
            ],
            "bots": [
                {"username": name, "display_name": name.capitalize(), "description": text}
                for name, text in bots.items()
            ],
            "channels": [
                {
                    "name": p.name,
                    "display_name": p.display_name or p.name,
                    "type": p.type,
                    "purpose": p.purpose,
                    "members": [*p.members, *p.bots],
                }
                for p in self.places.values()
            ],
            "posts": "posts.jsonl",
        }
        _dump(yaml, self.folder / "company.yml", company)


def _dump(yaml: Any, path: Path, data: object) -> None:
    path.write_text(yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=120), encoding="utf-8")


def _reply(said: Said) -> dict[str, Any]:
    reply: dict[str, Any] = {"user": said.by, "after": f"{said.after}m", "message": said.text}
    return {**reply, "reactions": said.reactions} if said.reactions else reply


def _reader(member: Member, interests: list[str]) -> dict[str, Any]:
    reader: dict[str, Any] = {"username": member.username, "name": member.name, "position": member.position}
    return {**reader, "interests": interests} if interests else reader


def _known(member: Member, staff: Staff) -> dict[str, Any]:
    """What is true of somebody."""
    return {
        "username": member.username,
        "role": member.role,
        "head": member.head,
        "manager": member.manager,
        "product": None if member.squad is None else staff.squads[member.squad].product,
        "stated": list(member.stated),
        "hidden": list(member.hidden),
    }
