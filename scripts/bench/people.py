#!/usr/bin/env python3
"""What it costs to know everybody: a generated workspace in the sandbox, read whole, read again, embedded.

    python scripts/bench/people.py [--people 500] [--channels 40] [--posts 20000] [--new 50] [--no-embed]

The server is `meetings sandbox` on this machine; people and channels are made by its own code, posts are put into its
database at once. Each reading is a process of its own, so that its peak memory is its own. Prints requests, seconds and
memory of the first reading, of one when nothing changed, of one after new posts, and of all contexts put together; then
the seconds that embedding everybody's ingredients takes, and takes again.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

WORDS = (
    *("release", "parser", "invoice", "customer", "pricing", "roadmap", "latency", "index", "backup", "audit"),
    *("contract", "newsletter", "campaign", "design", "prototype", "survey", "budget", "hiring", "onboarding"),
    *("incident", "rollback", "migration", "dashboard", "forecast", "renewal", "prospect", "ticket", "translation"),
    *("webinar", "vendor", "licence", "privacy", "token", "cluster", "deploy", "import", "export", "search"),
    *("report", "quarter", "plan", "feature"),
)
TITLES = (
    *("Backend Engineer", "Product Manager", "Head of Content", "Account Executive", "Support Lead", "Security Lead"),
    *("Finance Manager", "Recruiter", "Product Designer", "Data Scientist", "SRE", "Project Manager"),
)
WEEKS = 8


def company(people: int, channels: int, chance: random.Random) -> dict[str, Any]:
    """A company of so many people, each in four channels or so."""
    names = [f"person{n:04d}" for n in range(people)]
    per_channel = max(5, people * 4 // channels)
    return {
        "team": {"name": "acme", "display_name": "Acme"},
        "users": [
            {"username": n, "first_name": n.title(), "last_name": "Doe", "position": TITLES[i % len(TITLES)]}
            for i, n in enumerate(names)
        ],
        "bots": [
            {"username": "meetings", "display_name": "Meetings", "description": "Summarises calls"},
            {"username": "calls", "display_name": "Calls"},
        ],
        "channels": [
            {
                "name": f"channel-{n}",
                "display_name": f"Channel {n}",
                "type": "O",
                "purpose": " ".join(chance.sample(WORDS, 4)),
                "members": [*chance.sample(names, min(per_channel, people)), "meetings"],
            }
            for n in range(channels)
        ],
        "posts": [],
    }


def write_posts(world: Any, count: int, chance: random.Random, *, since_ms: int, until_ms: int) -> None:
    """Posts by members of each channel, a third of them replies, a tenth reacted to, straight into the database."""
    from sqlalchemy import insert, select, update

    from meetings.sandbox import model

    with world.change() as tx:
        members: dict[str, list[str]] = {}
        # Every channel but the two that everybody is in, and direct ones.
        wanted = select(model.channels.c.id).where(model.channels.c.name.like("channel-%"))
        for (channel,) in tx.db.execute(wanted):
            rows = select(model.members.c.user_id).where(model.members.c.channel_id == channel)
            members[channel] = list(tx.db.execute(rows).scalars())
        posts: list[dict[str, Any]] = []
        reactions: list[dict[str, Any]] = []
        roots: dict[str, list[str]] = {c: [] for c in members}
        for at in sorted(chance.randrange(since_ms, until_ms) for _ in range(count)):
            channel = chance.choice(list(members))
            post = model.Post(
                id=tx.new_id(),
                create_at=at,
                update_at=at,
                user_id=chance.choice(members[channel]),
                channel_id=channel,
                root_id=chance.choice(roots[channel]) if roots[channel] and chance.random() < 0.33 else "",
                message=" ".join(chance.choices(WORDS, k=chance.randrange(6, 40))),
                has_reactions=chance.random() < 0.1,
            )
            if not post.root_id:
                roots[channel] = [*roots[channel][-20:], post.id]
            posts.append(asdict(post))
            if post.has_reactions:
                who = chance.choice(members[channel])
                one = model.Reaction(user_id=who, post_id=post.id, emoji_name="tada", create_at=at, update_at=at)
                reactions.append(asdict(one))
        for start in range(0, len(posts), 1000):
            tx.db.execute(insert(model.posts), posts[start : start + 1000])
        if reactions:
            tx.db.execute(insert(model.reactions), reactions)
        for channel in members:
            newest = max((p["create_at"] for p in posts if p["channel_id"] == channel), default=0)
            table = model.channels
            tx.db.execute(update(table).where(table.c.id == channel).values(last_post_at=newest))


def work(step: str, url: str, token: str, home: Path) -> dict[str, Any]:
    """One reading, or everybody's vectors, in a process of its own."""
    from meetings.config import Settings
    from meetings.mattermost import KeptContext, MattermostClient, Reading, person_of, read_contexts, refresh

    client = MattermostClient(url, token)
    kept = KeptContext(Settings(home=home), client.url)
    now = int(time.time() * 1000)
    if step == "refresh":
        return asdict(refresh(client, kept, now=now))
    bots = {client.me().id}
    ids = {u for t in client.my_teams() for c in client.my_channels(t.id) for u in client.channel_member_ids(c.id)}
    users = [u for u in client.users(sorted(ids - bots)) if not u.is_bot]
    reading = Reading()
    contexts = read_contexts(client, users, now=now, kept=kept, reading=reading)
    if step == "contexts":
        return asdict(reading)
    from meetings.config import load_settings
    from meetings.llm import Embedder, KeptVectors
    from meetings.models import fingerprint, locate
    from meetings.people import build_persona

    settings = load_settings()
    began = time.monotonic()
    personas = [build_persona(person_of(u), contexts[u.username]) for u in users]
    building = time.monotonic() - began
    texts = [i.text for p in personas for i in p.ingredients]
    embedder = Embedder(locate("minilm-l6-v2", settings.models_folder), threads=settings.cpu_threads)
    vectors = KeptVectors(
        embedder, home / "people" / "vectors.sqlite", fingerprint=fingerprint("minilm-l6-v2", settings.models_folder)
    )
    began = time.monotonic()
    vectors.embed(list(dict.fromkeys(texts)))
    return {
        "people": len(personas),
        "ingredients": len(texts),
        "distinct": len(set(texts)),
        "embedded": vectors.made,
        "building": building,
        "seconds": time.monotonic() - began,
    }


def apart(step: str, url: str, token: str, home: Path) -> dict[str, Any]:
    """`work` in a process of its own, with its peak memory in MB."""
    command = [sys.executable, __file__, "--step", step, "--url", url, "--token", token, "--home", str(home)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def main() -> None:
    """Build the workspace, read it, print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=500)
    parser.add_argument("--channels", type=int, default=40)
    parser.add_argument("--posts", type=int, default=20_000)
    parser.add_argument("--new", type=int, default=50)
    parser.add_argument("--no-embed", action="store_true")
    for hidden in ("--step", "--url", "--token", "--home"):
        parser.add_argument(hidden, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.step:
        result = work(given.step, given.url, given.token, Path(given.home))
        result["peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(json.dumps(result))
        return

    from meetings.sandbox import run_in_thread

    chance = random.Random(1)
    with tempfile.TemporaryDirectory() as folder:
        began = time.monotonic()
        made = company(given.people, given.channels, chance)
        with run_in_thread(Path(folder) / "sandbox", company=made) as sandbox:
            home, now = Path(folder) / "home", int(time.time() * 1000)
            age = WEEKS * 7 * 24 * 3600 * 1000
            write_posts(sandbox.world, given.posts, chance, since_ms=now - age, until_ms=now - 3_600_000)
            print(f"workspace made in {time.monotonic() - began:.0f} s\n", flush=True)
            print("| reading | requests | posts | seconds | peak MB |\n|---|---|---|---|---|", flush=True)
            for name, step in (
                ("first", "refresh"),
                ("nothing changed", "refresh"),
                (f"{given.new} new posts", "refresh"),
                ("every person's context", "contexts"),
            ):
                if name.endswith("new posts"):
                    now = int(time.time() * 1000)
                    write_posts(sandbox.world, given.new, chance, since_ms=now - 60_000, until_ms=now)
                got = apart(step, sandbox.url, sandbox.bot_token, home)
                print(f"| {name} | {got['requests']} | {got['posts']} | {got['seconds']:.1f} | {got['peak_mb']:.0f} |")
            kept = sum(p.stat().st_size for p in home.rglob("*.json"))
            print(f"\nkept on disk: {kept / 1e6:.1f} MB\n", flush=True)
            if given.no_embed:
                return
            print("| vectors | people | ingredients | different | embedded | seconds |\n|---|---|---|---|---|---|")
            for name in ("cold", "kept"):
                got = apart("embed", sandbox.url, sandbox.bot_token, home)
                row = [got[k] for k in ("people", "ingredients", "distinct", "embedded")]
                print(f"| {name} | {' | '.join(map(str, row))} | {got['seconds']:.1f} |", flush=True)


if __name__ == "__main__":
    main()
