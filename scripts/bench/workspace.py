#!/usr/bin/env python3
"""How well the people of a generated workspace are served, by role.

    python scripts/bench/workspace.py calls [--people 50] [--weeks 8] [--seed 7] [--calls 24]

`calls`: summaries of generated calls for everybody in the call's channel, once with the people file alone and once with
what each wrote and reacted to before. Prints precision at 5 (share of the first five bullets that stand on something
that matters to the reader), recall (share of the topics that matter to them of which they got a bullet) and
distinctness (1 - mean Jaccard index of the evidence of every two readers of a call). To some readers nothing in a call
matters: how many these are, and how many of the first five bullets they get all the same (noise).
"""

from __future__ import annotations

import argparse
import json
import re
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from meetings.config import load_settings
from meetings.conversation import read_conversation
from meetings.evaluation import Item, Served, distinctness, mean, read_truth, serve
from meetings.llm import Embedder
from meetings.models import locate
from meetings.people import ChannelContext, PersonContext, PostContext, build_persona, read_people
from meetings.sandbox.company import Company, PostEntry, ReplyEntry, read_company
from meetings.sandbox.generate import generate_workspace
from meetings.summary import summarize

_HANDLE = re.compile(r"@([a-z0-9._-]+[a-z0-9])")
WEEKS = 8  # of posts that make up a person
MOST = 200  # posts of a person


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


def calls(folder: Path, until: datetime, limit: int, embedder: Embedder) -> None:
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
    parser.add_argument("what", choices=["calls"])
    parser.add_argument("--people", type=int, default=50)
    parser.add_argument("--weeks", type=int, default=8)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--calls", type=int, default=24)
    given = parser.parse_args()
    settings = load_settings()
    embedder = Embedder(locate("minilm-l6-v2", settings.models_folder), threads=settings.cpu_threads)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "workspace"
        print(generate_workspace(folder, people=given.people, weeks=given.weeks, seed=given.seed))
        until = datetime.fromisoformat(json.loads((folder / "workspace.json").read_text())["until"])
        calls(folder, until, given.calls, embedder)


if __name__ == "__main__":
    main()
