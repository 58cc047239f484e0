#!/usr/bin/env python3
"""How well the people of a generated workspace are served, by role.

    python scripts/bench/workspace.py calls [--people 50] [--weeks 8] [--seed 7] [--calls 24]
    python scripts/bench/workspace.py channels [--people 50] [--weeks 8] [--seed 7] [--days 7]
    python scripts/bench/workspace.py cost

`calls`: summaries of generated calls for everybody in the call's channel, once with the people file alone and once with
what each wrote and reacted to before. Prints precision at 5 (share of the first five bullets that stand on something
that matters to the reader), recall (share of the topics that matter to them of which they got a bullet) and
distinctness (1 - mean Jaccard index of the evidence of every two readers of a call). To some readers nothing in a call
matters: how many these are, and how many of the first five bullets they get all the same (noise).

`channels`: the last days of every channel that the bot is in, for each of its members, with what they wrote and reacted
to before these days. The same figures, with items instead of bullets; a link is a topic of its own. Beside it what the
newest five threads and links would give, and those with most people in them.

`cost`: one reader, a channel of 100, 1,000 and 10,000 posts: seconds of work and peak memory.
"""

from __future__ import annotations

import argparse
import json
import re
import resource
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from meetings.channels import Reader, Stretch, Written, gather, summarize_channel
from meetings.config import load_settings
from meetings.conversation import read_conversation
from meetings.evaluation import Item, Served, distinctness, mean, read_truth, serve
from meetings.llm import Embedder, TextEmbedder
from meetings.models import locate
from meetings.people import ChannelContext, PersonContext, PostContext, build_persona, read_people
from meetings.sandbox.company import Company, PostEntry, ReplyEntry, read_company
from meetings.sandbox.generate import generate_workspace
from meetings.summary import summarize

_HANDLE = re.compile(r"@([a-z0-9._-]+[a-z0-9])")
WEEKS = 8  # of posts that make up a person
MOST = 200  # posts of a person


class Remembering:
    """Embeddings that are made once: everybody in a channel reads the same."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self._known: dict[str, NDArray[np.float32]] = {}

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """As the embedder's own."""
        new = [t for t in dict.fromkeys(texts) if t not in self._known]
        self._known |= dict(zip(new, self._embedder.embed(new), strict=True))
        return np.stack([self._known[t] for t in texts]) if texts else self._embedder.embed([])


def contexts(company: Company, until: datetime, moment: datetime) -> dict[str, PersonContext]:
    """What everybody had written and reacted to by a moment."""
    found: dict[str, list[tuple[float, str, str, str]]] = defaultdict(list)
    read = {c.name for c in company.channels if "meetings" in c.members}
    for post in company.posts:
        at = post.moment(until)
        if post.channel not in read or not moment - timedelta(weeks=WEEKS) <= at < moment:
            continue
        thread: list[PostEntry | ReplyEntry] = [post, *post.replies]
        writers = {one.user for one in thread}
        for one in thread:
            age = max(0.0, (moment - at).total_seconds() / 86_400)
            kinds = dict.fromkeys(writers, "thread")
            kinds |= dict.fromkeys(_HANDLE.findall(one.message), "mentioned")
            kinds[one.user] = "own"
            for username, kind in kinds.items():
                found[username].append((age, one.message, kind, post.channel))
            for username in {u for users in one.reactions.values() for u in users}:
                found[username].append((age, one.message, "reacted", post.channel))
    channels: dict[str, list[ChannelContext]] = defaultdict(list)
    for place in company.channels:
        for username in place.members if place.name in read else ():
            told = ChannelContext(name=place.name, display_name=place.display_name, purpose=place.purpose)
            channels[username].append(told)
    return {
        user.username: PersonContext(
            channels=tuple(channels[user.username]),
            posts=tuple(
                PostContext(text=text, age_days=age, kind=kind, channel=channel)
                for age, text, kind, channel in sorted(found[user.username])[:MOST]
            ),
        )
        for user in company.users
    }


def calls(folder: Path, until: datetime, limit: int, embedder: TextEmbedder) -> None:
    """Summaries of calls, measured."""
    company = read_company(folder)
    people = {p.username: p for p in read_people(folder / "people.yml")}
    truth: dict[str, dict[str, Item]] = defaultdict(dict)
    for item in read_truth(folder / "truth" / "calls.jsonl"):
        call, _, utterance = item.ref.partition("#")
        truth[call][utterance] = item
    # The last ones: what people care about shows only after some weeks.
    names = sorted(truth)[-limit:]
    for title, known in (("people file alone", False), ("with what they wrote and reacted to", True)):
        served: list[Served] = []
        apart: list[float | None] = []
        for name in names:
            talk = read_conversation(folder / "calls" / f"{name}.json")
            channel = next(iter(truth[name].values())).channel
            (place,) = (c for c in company.channels if c.name == channel)
            readers = [people[m] for m in place.members if m in people]
            assert talk.started_at is not None
            had = contexts(company, until, datetime.fromisoformat(talk.started_at)) if known else {}
            shown = summarize(
                talk,
                [build_persona(p, had.get(p.username)) for p in readers],
                writer="extract",
                embedder=embedder,
                attended=set(talk.participants),
            )
            here = [
                serve(s.username, [b.evidence for b in sorted(s.bullets, key=lambda b: -b.score)], truth[name])
                for s in shown
            ]
            served += here
            apart.append(distinctness([s.shown for s in here]))
        report(f"{len(names)} calls, {title}", served, folder)
        print(f"  distinctness {_shown(mean(apart))}")


def channels(folder: Path, until: datetime, days: int, embedder: TextEmbedder) -> None:
    """Channels read for their members, measured, beside what needs no persona."""
    company = read_company(folder)
    people = {p.username: p for p in read_people(folder / "people.yml")}
    since = until - timedelta(days=days)
    truth: dict[str, dict[str, Item]] = defaultdict(dict)
    for item in read_truth(folder / "truth" / "posts.jsonl"):
        truth[item.channel][item.ref] = item
    had = contexts(company, until, since)
    personas = {name: build_persona(person, had[name]) for name, person in people.items()}
    names = {u.username: (u.username, f"{u.first_name} {u.last_name}") for u in company.users}
    names |= {b.username: (b.username, b.display_name) for b in company.bots}
    bots = frozenset(b.username for b in company.bots)
    served: dict[str, list[Served]] = defaultdict(list)
    apart: list[float | None] = []
    brought = merged = 0
    for place in company.channels:
        if "meetings" not in place.members:
            continue
        written = [w for w in posts_of(company, until, place.name) if w.at > milliseconds(since)]
        stretch = Stretch(posts=tuple(written), since=milliseconds(since))
        items = gather(written, bots=bots)
        known = {w.id: truth[place.name][w.id] for w in written}
        first = [i for i in items if i.link]
        pushed = [known[i.posts[0].id].topic for i in first]
        brought += len({w.id for w in written if known[w.id].act == "link"}) - len(set(pushed))
        merged += sum(len(i.again) for i in first)
        here = []
        for username in (m for m in place.members if m in people):
            told = summarize_channel(
                stretch,
                Reader(user_id=username, persona=personas[username]),
                channel=f"t/{place.name}",
                names=names,
                bots=bots,
                embedder=embedder,
            )
            theirs = unread(known, username)
            here.append(serve(username, [{p.post.id} for p in told.picks], theirs))
            room = 10
            newest = sorted(items, key=lambda i: -i.at)[:room]
            busiest = sorted(items, key=lambda i: (-len(i.people), -i.at))[:room]
            served["newest"].append(serve(username, [{i.posts[0].id} for i in newest], theirs))
            served["most people"].append(serve(username, [{i.posts[0].id} for i in busiest], theirs))
        served["ours"] += here
        apart.append(distinctness([s.shown for s in here]))
    for title in ("newest", "most people", "ours"):
        report(f"last {days} days of all channels: {title}", served[title], folder)
    print(f"  distinctness {_shown(mean(apart))}; duplicates merged {merged} of {brought}")


def unread(known: Mapping[str, Item], username: str) -> dict[str, Item]:
    """The truth for a reader: of a thread that they wrote in, what came before is neither right nor wrong to show."""
    last: dict[str, int] = {}
    places = {ref: n for n, ref in enumerate(known)}
    for ref, item in known.items():
        if item.by == username:
            last[ref.partition(".")[0]] = places[ref]
    found = {}
    for ref, item in known.items():
        read = places[ref] < last.get(ref.partition(".")[0], -1)
        matters = {name: why for name, why in item.matters.items() if name != username}
        found[ref] = replace(item, matters=matters, side=item.side | {username}) if read else item
    return found


def posts_of(company: Company, until: datetime, channel: str | None) -> list[Written]:
    """The posts of a channel, or of all, by the refs that the truth calls them."""
    found = []
    for number, post in enumerate(company.posts):
        if channel is None or post.channel == channel:
            said: list[PostEntry | ReplyEntry] = [post, *post.replies]
            for place, one in enumerate(said):
                delay = one.delay if isinstance(one, ReplyEntry) else timedelta()
                found.append(
                    Written(
                        id=f"{number}.{place - 1}" if place else str(number),
                        user_id=one.user,
                        root_id=str(number) if place else "",
                        at=milliseconds(post.moment(until) + delay),
                        text=one.message,
                        reactors=frozenset(u for users in one.reactions.values() for u in users),
                    )
                )
    return found


def milliseconds(moment: datetime) -> int:
    """Since the epoch."""
    return round(moment.timestamp() * 1000)


def cost(folder: Path, until: datetime, embedder: Embedder) -> None:
    """Seconds and memory for one reader against the size of a channel."""
    company = read_company(folder)
    person = read_people(folder / "people.yml")[1]
    persona = build_persona(person, contexts(company, until, until)[person.username])
    names = {u.username: (u.username, f"{u.first_name} {u.last_name}") for u in company.users}
    names |= {b.username: (b.username, b.display_name) for b in company.bots}
    bots = frozenset(b.username for b in company.bots)
    written = posts_of(company, until, None)
    print(f"\n  {'posts':>7}{'seconds':>10}{'CPU':>8}{'peak MB':>9}")
    # Loads what is loaded once.
    few = Stretch(posts=tuple(written[-20:]), since=0)
    reader = Reader(user_id=person.username, persona=persona)
    summarize_channel(few, reader, channel="t/c", names=names, bots=bots, embedder=embedder)
    for count in (100, 1_000, 10_000):
        stretch = Stretch(posts=tuple(written[-count:]), since=0)
        began, used = time.monotonic(), time.process_time()
        summarize_channel(stretch, reader, channel="t/c", names=names, bots=bots, embedder=embedder)
        seconds, cpu = time.monotonic() - began, time.process_time() - used
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"  {len(stretch.posts):>7}{seconds:>10.1f}{cpu:>8.1f}{peak:>9.0f}")


def report(title: str, served: Sequence[Served], folder: Path) -> None:
    """A table by role."""
    roles = {k["username"]: k["role"] for k in _known(folder)}
    by_role: dict[str, list[Served]] = defaultdict(list)
    for one in served:
        by_role[roles[one.username]].append(one)
    print(f"\n{title}\n  {'role':<14}{'answers':>8}{'P@5':>8}{'recall':>8}{'nothing':>9}{'noise':>8}")
    for role, those in [*sorted(by_role.items()), ("all", list(served))]:
        precision, recall = mean([s.precision for s in those]), mean([s.recall for s in those])
        without = [s for s in those if s.recall is None]
        noise = mean([float(s.first) for s in without])
        print(
            f"  {role:<14}{len(those):>8}{_shown(precision):>8}{_shown(recall):>8}{len(without):>9}{_shown(noise):>8}"
        )


def _known(folder: Path) -> Iterable[Mapping[str, Any]]:
    with (folder / "truth" / "people.jsonl").open() as lines:
        return [json.loads(line) for line in lines]


def _shown(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def main() -> None:
    """Generate, run, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["calls", "channels", "cost"])
    parser.add_argument("--people", type=int, default=50)
    parser.add_argument("--weeks", type=int, default=8)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--calls", type=int, default=24)
    parser.add_argument("--days", type=int, default=7)
    given = parser.parse_args()
    settings = load_settings()
    embedder = Embedder(locate("minilm-l6-v2", settings.models_folder), threads=settings.cpu_threads)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "workspace"
        people, weeks = (200, 27) if given.what == "cost" else (given.people, given.weeks)
        print(generate_workspace(folder, people=people, weeks=weeks, seed=given.seed))
        until = datetime.fromisoformat(json.loads((folder / "workspace.json").read_text())["until"])
        if given.what == "calls":
            calls(folder, until, given.calls, Remembering(embedder))
        elif given.what == "channels":
            channels(folder, until, given.days, Remembering(embedder))
        else:
            cost(folder, until, embedder)


if __name__ == "__main__":
    main()
