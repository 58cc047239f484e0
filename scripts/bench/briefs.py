#!/usr/bin/env python3
"""What a brief of an incident costs when only what is new is read, and whether each audience gets its own view.

    python scripts/bench/briefs.py quality [--seeds 1,2,3,4,5,6]
    python scripts/bench/briefs.py cost

`quality`: incidents of generated companies, each post of which is labelled with whose view it belongs in, and one of a
web shop that was written by hand and labelled before any rule was tried on it (`briefs_shop.yml`). By audience: the
share of posts that belong in the view that stand in the brief (recall), the share of posts in the brief that belong
there (precision), and leaks: posts that belong in engineering's view alone and of which something stands in the brief.
A post stands in a brief if there is a link to it. Beside it what a brief of all posts would give.

`cost`: an incident of 100, 1,000 and 5,000 posts in a sandbox on this machine: seconds of work, requests and posts read
of a first brief, of one after five more posts, of one with nothing new, and of one without anything kept.
"""

from __future__ import annotations

import argparse
import json
import re
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import yaml

from meetings.briefs import AUDIENCES, Colleague, Incidents, Place, add_notes, desk_of, render_brief, state_of
from meetings.briefs.keeping import notes_of
from meetings.briefs.rules import read_rules
from meetings.config import Settings
from meetings.mattermost import MattermostClient
from meetings.mattermost.entities import Post
from meetings.sandbox import run_in_thread
from meetings.sandbox.generate import generate_workspace
from meetings.sandbox.generate.grammar import load_grammar

SHOP = Path(__file__).with_name("briefs_shop.yml")
START = 1_760_000_000_000
SIZES = (100, 1_000, 5_000)
NEW = 5  # posts
TIMES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """Posts, who wrote them, and by post id whose view each belongs in."""

    name: str
    posts: tuple[Post, ...]
    people: dict[str, Colleague]
    truth: dict[str, frozenset[str]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["quality", "cost"])
    parser.add_argument("--seeds", default="1,2,3,4,5,6")
    given = parser.parse_args()
    if given.what == "quality":
        quality([int(seed) for seed in given.seeds.split(",")])
    else:
        cost()


# Quality


def quality(seeds: Sequence[int]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        generated = [incident for seed in seeds for incident in _generated(Path(folder), seed)]
    _told(f"{len(generated)} generated incidents, {sum(len(i.posts) for i in generated)} posts", generated)
    _told("the web shop, not seen before", [_shop()])


def _told(title: str, incidents: Sequence[Incident]) -> None:
    print(f"\n{title}")
    print(f"{'':12} {'recall':>7} {'precision':>10} {'leaks':>6} {'of':>4}   all posts: precision")
    for audience in AUDIENCES:
        found = [(incident, _standing(incident, audience)) for incident in incidents]
        wanted = sum(len(_wanted(i, audience)) for i, _ in found)
        hit = sum(len(_wanted(i, audience) & standing) for i, standing in found)
        shown = sum(len(standing) for _, standing in found)
        internal = [(i, {p for p, to in i.truth.items() if to == {"engineering"}}, standing) for i, standing in found]
        leaks = 0 if audience == "engineering" else sum(len(inner & standing) for _, inner, standing in internal)
        among = sum(len(inner) for _, inner, _ in internal)
        every = sum(len(i.posts) for i in incidents)
        recall, precision = hit / wanted, hit / max(1, shown)
        print(f"{audience:12} {recall:7.2f} {precision:10.2f} {leaks:6} {among:4}   {wanted / every:20.2f}")
        if len(incidents) == 1:
            for incident, standing in found:
                texts = {p.id: p.message for p in incident.posts}
                for post in sorted(_wanted(incident, audience) ^ standing):
                    print(f"    {'missed' if post not in standing else 'extra '}: {texts[post]}")


def _wanted(incident: Incident, audience: str) -> set[str]:
    return {post for post, to in incident.truth.items() if audience in to}


def _standing(incident: Incident, audience: str) -> set[str]:
    """The posts that a brief links to."""
    state = state_of(add_notes({}, notes_of(incident.posts, incident.people, read_rules())).values())
    place = Place(channel=incident.name, permalinks="http://chat.example/acme/pl/")
    return set(re.findall(r"/pl/(\w+)", render_brief(state, audience, place=place, people=incident.people)))


def _generated(folder: Path, seed: int) -> Iterator[Incident]:
    made = folder / str(seed)
    generate_workspace(made, people=50, weeks=3, seed=seed)
    company = yaml.safe_load((made / "company.yml").read_text(encoding="utf-8"))
    people = {
        u["username"]: Colleague(
            username=u["username"], name=f"{u['first_name']} {u['last_name']}", desk=desk_of(u["position"])
        )
        for u in company["users"]
    }
    rows = [json.loads(line) for line in (made / "posts.jsonl").read_text(encoding="utf-8").splitlines()]
    course: Any = load_grammar().incident["posts"]
    inside = [r for r in rows if str(r["channel"]).startswith("incident-")]
    assert len(inside) == len(course), "one incident in three weeks"
    posts, truth = [], {}
    for at, (row, entry) in enumerate(zip(inside, course, strict=True)):
        posts.append(_post(at, row["user"], row["message"], entry["after"]))
        truth[posts[-1].id] = frozenset(entry["to"])
    yield Incident(name=str(inside[0]["channel"]), posts=tuple(posts), people=people, truth=truth)


def _shop() -> Incident:
    entries = yaml.safe_load(SHOP.read_text(encoding="utf-8"))["posts"]
    people = {e["by"]: Colleague(username="", name="", desk=desk_of(e["by"])) for e in entries}
    posts = tuple(_post(at, e["by"], e["text"], e["after"]) for at, e in enumerate(entries))
    truth = {p.id: frozenset(e["to"]) for p, e in zip(posts, entries, strict=True)}
    return Incident(name="shop", posts=posts, people=people, truth=truth)


def _post(number: int, user: str, text: str, minutes: int) -> Post:
    at = START + minutes * 60_000
    return Post(id=f"p{number:02}", channel_id="c", user_id=user, message=text, create_at=at, update_at=at)


# Cost


def cost() -> None:
    print(f"{'posts':>6} {'brief':>12} {'read':>6} {'requests':>9} {'seconds':>8}")
    for size in SIZES:
        with tempfile.TemporaryDirectory() as folder:
            _measure(Path(folder), size)


def _measure(folder: Path, size: int) -> None:
    texts = [p["text"] for p in yaml.safe_load(SHOP.read_text(encoding="utf-8"))["posts"]]
    company = folder / "company.yml"
    company.write_text(yaml.safe_dump(_company(texts, size)), encoding="utf-8")
    with run_in_thread(folder / "sandbox", company=company) as sandbox:
        client = MattermostClient(sandbox.url, sandbox.bot_token or "")
        channel = client.channel_by_name("acme", "incident-01")
        kept = Settings(home=folder / "home")
        _row(size, "first", [_brief(kept, client, channel)])
        rounds = []
        for at in range(TIMES):
            _write(client, channel.id, texts, at)
            rounds.append(_brief(kept, client, channel))
        _row(size, f"after {NEW} more", rounds)
        _row(size, "nothing new", [_brief(kept, client, channel) for _ in range(TIMES)])
        full = [_brief(Settings(home=folder / f"new-{n}"), client, channel) for n in range(2)]
        _row(size, "full again", full)


def _write(client: MattermostClient, channel_id: str, texts: Sequence[str], round_: int) -> None:
    time.sleep(2.5)  # longer than the stretch that two looks share
    for at in range(NEW):
        client.create_post(channel_id, texts[(round_ * NEW + at) % len(texts)], key=f"{round_}:{at}")


def _brief(settings: Settings, client: MattermostClient, channel: Any) -> tuple[int, int, float]:
    """Posts read, requests sent, and seconds of work (CPU of this thread: the sandbox works in another)."""
    before, began = client.requests, time.thread_time()
    found = Incidents(settings, client).look(channel)
    render_brief(found.state, "engineering", place=Place(channel="incident-01"), people=found.people)
    return found.read, client.requests - before, time.thread_time() - began


def _row(size: int, what: str, rounds: Sequence[tuple[int, int, float]]) -> None:
    read, requests, seconds = (median(column) for column in zip(*rounds, strict=True))
    print(f"{size:6} {what:>12} {read:6.0f} {requests:9.0f} {seconds:8.3f}")


def _company(texts: Sequence[str], size: int) -> dict[str, Any]:
    """A company of one incident: the web shop's posts over and over, numbered so that none is another's."""
    names = ["ana", "ben", "eve"]
    users = [
        {"username": n, "first_name": n.title(), "last_name": "Doe", "position": p}
        for n, p in zip(names, ("Engineer", "Support", "Chief Executive Officer"), strict=True)
    ]
    posts = []
    for at in range(size):
        day, minute = divmod(at, 900)
        posts.append(
            {
                "channel": "incident-01",
                "user": names[at % 3],
                "at": f"-{30 - day}d {6 + minute // 60:02}:{minute % 60:02}",
                "message": f"{texts[at % len(texts)]} ({at})",
            }
        )
    return {
        "team": {"name": "acme", "display_name": "Acme"},
        "users": users,
        "bots": [{"username": n, "display_name": n.title()} for n in ("meetings", "calls")],
        "channels": [
            {"name": "incident-01", "display_name": "Incident 1", "type": "P", "members": [*names, "meetings"]}
        ],
        "posts": posts,
    }


if __name__ == "__main__":
    main()
