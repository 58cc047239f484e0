#!/usr/bin/env python3
"""How well briefings serve those who join a channel or come back to it, on a generated workspace whose truth is known.

    python scripts/bench/catchup.py joined [--people 50] [--weeks 8] [--seed 7]
    python scripts/bench/catchup.py back [--people 50] [--weeks 8] [--seed 7] [--days 9]

`joined`: four weeks of each channel that the bot is in, at three moments, for six of its members as if they were new.
Printed are, for decisions, the share of the true ones that the reading found, that were listed within the room there
is, and the share of the listed that are true (a decision of a call that is retold in its notes counts neither for nor
against); the same for open questions, once as it is and once with every second answer taken out of the channel, since
nearly every question in the workspace is answered in the end; and how often one of the first three to ask is somebody
who leads a storyline that matters to the reader, beside the three who wrote most.

`back`: everybody as if away for some days, over all channels that they share with the bot. Printed are the decisions
as above, the share of all lines that matter to the reader (what only touches them counts neither way), the share of
the topics that matter to them of which they got a line, and how long the message is.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from statistics import fmean
from typing import Any
from zlib import crc32

from workspace import Remembering, contexts, milliseconds, posts_of

from meetings.catchup import ChannelBrief, Place, brief_channel, read_lines, render_briefing, within_budget
from meetings.channels import Reader, Stretch, Written
from meetings.config import load_settings
from meetings.evaluation import Item, read_truth, serve
from meetings.llm import Embedder
from meetings.models import locate
from meetings.people import build_persona, read_people
from meetings.sandbox.company import Company, read_company
from meetings.sandbox.generate import generate_workspace

READERS = 6  # of a channel
FEWEST = 10  # posts


@dataclass
class Rates:
    """Right, wrong and missed of one thing."""

    right: int = 0
    wrong: int = 0
    missed: int = 0
    odd: Counter[str] = field(default_factory=Counter)

    def add(self, told: set[str], true: set[str], neutral: set[str], acts: Mapping[str, Item]) -> None:
        """Count what was told against what is true."""
        self.right += len(told & true)
        self.missed += len(true - told)
        wrong = told - true - neutral
        self.wrong += len(wrong)
        self.odd.update(acts[ref].act for ref in wrong)

    def __str__(self) -> str:
        found = self.right / max(1, self.right + self.missed)
        precise = self.right / max(1, self.right + self.wrong)
        odd = ", ".join(f"{act} {n}" for act, n in self.odd.most_common(4))
        return f"found {found:.2f} of {self.right + self.missed}, right {precise:.2f}" + (
            f" (not: {odd})" if odd else ""
        )


class Bench:
    """A generated workspace and what is known of it."""

    def __init__(self, folder: Path, until: datetime, embedder: Any) -> None:
        self.company: Company = read_company(folder)
        self.until = until
        self.embedder = embedder
        self.people = {p.username: p for p in read_people(folder / "people.yml")}
        self.truth = {i.ref: i for i in read_truth(folder / "truth" / "posts.jsonl")}
        with (folder / "truth" / "storylines.jsonl").open(encoding="utf-8") as lines:
            self.leads = {s["id"]: {s["owner"], s["helper"]} for s in map(json.loads, lines)}
        self.names = {u.username: (u.username, f"{u.first_name} {u.last_name}") for u in self.company.users}
        self.names |= {b.username: (b.username, b.display_name) for b in self.company.bots}
        self.bots = frozenset(b.username for b in self.company.bots)
        self.channels = [c for c in self.company.channels if "meetings" in c.members]

    def stretch(self, channel: str, since: datetime, end: datetime) -> Stretch:
        """What was written in a channel."""
        posts = (p for p in posts_of(self.company, self.until, channel))
        inside = [p for p in posts if milliseconds(since) < p.at <= milliseconds(end)]
        return Stretch(posts=tuple(sorted(inside, key=lambda p: (p.at, p.id))), since=milliseconds(since))

    def brief(self, place: Any, stretch: Stretch, reader: Reader, *, joined: bool) -> ChannelBrief:
        """A channel for a reader."""
        return brief_channel(
            Place(address=f"acme/{place.name}", title=place.display_name, purpose=place.purpose, joined=joined),
            stretch,
            reader,
            names=self.names,
            bots=self.bots,
            askable=frozenset(place.members) - self.bots,
            embedder=self.embedder,
        )

    def of(self, stretch: Stretch, act: str) -> set[str]:
        """The posts of a stretch that do something."""
        return {p.id for p in stretch.posts if self.truth[p.id].act == act}

    def open(self, stretch: Stretch) -> set[str]:
        """The questions of a stretch that nobody answered in it: an answer is the last question's of its thread."""
        pending: dict[str, list[str]] = defaultdict(list)
        for post in stretch.posts:
            thread = pending[post.root_id or post.id]
            if self.truth[post.id].act == "ask":
                thread.append(post.id)
            elif self.truth[post.id].act == "answer" and thread:
                thread.pop()
        return {ref for thread in pending.values() for ref in thread}

    def without_answers(self, stretch: Stretch) -> Stretch:
        """A stretch from which about every second answer was taken."""
        gone = {ref for ref in self.of(stretch, "answer") if crc32(ref.encode()) % 2}
        return Stretch(posts=tuple(p for p in stretch.posts if p.id not in gone), since=stretch.since)


def joined(bench: Bench) -> None:
    """Joining."""
    reading, told, asked, cut = Rates(), Rates(), Rates(), Rates()
    hits: list[bool] = []
    plain: list[bool] = []
    first: list[bool] = []
    most: list[bool] = []
    lengths: list[int] = []
    for weeks_ago in (0.0, 1.3, 2.6):
        end = bench.until - timedelta(weeks=weeks_ago)
        had = contexts(bench.company, bench.until, end)
        for place in bench.channels:
            stretch = bench.stretch(place.name, end - timedelta(weeks=4), end)
            if len(stretch.posts) < FEWEST:
                continue
            decided, notes = bench.of(stretch, "decide"), bench.of(stretch, "notes")
            lines = read_lines(stretch.posts, bench.names, bench.bots)
            reading.add({d.post.id for d in lines.decisions}, decided, notes, bench.truth)
            asked.add({q.post.id for q in lines.questions}, bench.open(stretch), set(), bench.truth)
            thinned = bench.without_answers(stretch)
            lines = read_lines(thinned.posts, bench.names, bench.bots)
            cut.add({q.post.id for q in lines.questions}, bench.open(thinned), set(), bench.truth)
            for username in [m for m in place.members if m in bench.people][:READERS]:
                reader = Reader(user_id=username, persona=build_persona(bench.people[username], had[username]))
                briefing = within_budget(username, [bench.brief(place, stretch, reader, joined=True)])
                (brief,) = briefing.channels
                told.add({d.post.id for d in brief.decisions}, decided, notes, bench.truth)
                lengths.append(len(shown(briefing, bench)))
                theirs = stories(stretch.posts, username, bench)
                if theirs:
                    hits.append(any(e.user_id in theirs for e in brief.experts))
                    wrote = Counter(p.user_id for p in stretch.posts if p.user_id not in bench.bots | {username})
                    plain.append(any(u in theirs for u, _ in wrote.most_common(3)))
                    first.append(bool(brief.experts) and brief.experts[0].user_id in theirs)
                    most.append(wrote.most_common(1)[0][0] in theirs)
    print(f"decisions, by the reading:         {reading}")
    print(f"decisions, listed:                 {told}")
    print(f"open questions:                    {asked}")
    print(f"open questions, answers taken out: {cut}")
    print(f"whom to ask, in three: {fmean(hits):.2f} of {len(hits)} readers (who wrote most: {fmean(plain):.2f})")
    print(f"whom to ask, the first: {fmean(first):.2f} (who wrote most: {fmean(most):.2f})")
    print(f"a briefing has {fmean(lengths):.0f} characters, at most {max(lengths)}")


def stories(posts: Sequence[Written], username: str, bench: Bench) -> set[str]:
    """Who leads a storyline of a stretch that matters to a reader, but for themselves."""
    found: set[str] = set()
    for post in posts:
        item = bench.truth[post.id]
        if item.topic in bench.leads and username in item.matters:
            found |= bench.leads[item.topic] - {username}
    return found


def back(bench: Bench, days: int) -> None:
    """Coming back."""
    end, since = bench.until, bench.until - timedelta(days=days)
    had = contexts(bench.company, bench.until, since)
    told = Rates()
    right: list[float] = []
    topics: list[float] = []
    lengths: list[int] = []
    lines_of: dict[str, int] = defaultdict(int)
    for username, person in bench.people.items():
        reader = Reader(user_id=username, persona=build_persona(person, had[username]))
        theirs = [c for c in bench.channels if username in c.members]
        stretches = {c.name: bench.stretch(c.name, since, end) for c in theirs}
        briefs = [bench.brief(c, stretches[c.name], reader, joined=False) for c in theirs if stretches[c.name].posts]
        briefing = within_budget(username, briefs)
        refs = {p.id: bench.truth[p.id] for s in stretches.values() for p in s.posts}
        decided = {ref for ref, item in refs.items() if item.act == "decide" and item.by != username}
        listed = {d.post.id for b in briefing.channels for d in b.decisions}
        told.add(listed, decided, {r for r, i in refs.items() if i.act == "notes" or i.by == username}, bench.truth)
        every = [{x.post.id} for b in briefing.channels for x in (*b.decisions, *b.questions, *b.concerns)]
        lines_of[username] = len(every)
        served = serve(username, every, refs)
        judged = [r for (r,) in map(tuple, every) if username not in refs[r].side and refs[r].by != username]
        if judged and served.recall is not None:
            right.append(fmean(username in refs[r].matters for r in judged))
        if served.recall is not None:
            topics.append(served.recall)
        lengths.append(len(shown(briefing, bench)))
    print(f"decisions, listed: {told}")
    print(f"lines that matter: {fmean(right):.2f}; topics that matter of which there is a line: {fmean(topics):.2f}")
    print(
        f"a message has {fmean(lines_of.values()):.1f} lines, {fmean(lengths):.0f} characters, at most {max(lengths)}"
    )


def shown(briefing: Any, bench: Bench) -> str:
    """The message."""
    return render_briefing(briefing, url="https://chat.example.org", names=bench.names, timezone="UTC")


def main() -> None:
    """Generate, run, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["joined", "back"])
    parser.add_argument("--people", type=int, default=50)
    parser.add_argument("--weeks", type=int, default=8)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--days", type=int, default=9)
    given = parser.parse_args()
    settings = load_settings()
    embedder = Embedder(locate("minilm-l6-v2", settings.models_folder), threads=settings.cpu_threads)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "workspace"
        print(generate_workspace(folder, people=given.people, weeks=given.weeks, seed=given.seed))
        until = datetime.fromisoformat(json.loads((folder / "workspace.json").read_text())["until"])
        bench = Bench(folder, until, Remembering(embedder))
        if given.what == "joined":
            joined(bench)
        else:
            back(bench, given.days)


if __name__ == "__main__":
    main()
