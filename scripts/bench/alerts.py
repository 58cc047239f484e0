"""How precise alerts are, on a generated workspace whose truth is known (docs/alerts.md has the figures).

    python scripts/bench/alerts.py [--people 50] [--weeks 8] [--seed 7] [--replay 4] [--learned] [--wrong 20]

Everybody gets three interests, in words that a person would say, of what is going on in their channels: two subjects of
a product or customer, one of a theme. The last weeks are then played post by post, in order of time, through the real
watcher and its messages against a server in memory, with the day's limit and by everybody's membership. Beside it what
two simpler ways give on the same stream, with the same limit and one message a thread: all words of the phrase are in
the post (as Mattermost's own keywords do, by stems and in any order), and the cosine of post and phrase alone, at the
bar that is best for it by F1 on this very stream (which flatters it).

Precision is the share of quotations that are of a topic which the interest means; recall the share of these topics of
which somebody who was not part of them was told something. A topic is a storyline, or a theme's thread. What call notes
and the incident's channel say is neither right nor wrong: they speak of many storylines at once.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any, cast

import numpy as np
from workspace import Remembering, contexts, milliseconds

from meetings.alerts import Alerts, phrases_of
from meetings.alerts.send import ALERT_PROP
from meetings.config import Settings, load_settings
from meetings.config_tables import AlertSettings
from meetings.errors import MattermostNotFoundError
from meetings.interests import AlertBook, Interest
from meetings.llm import Embedder
from meetings.mattermost import MattermostClient
from meetings.mattermost.entities import Channel, Post, Reaction, User
from meetings.models import locate
from meetings.people import build_persona, read_people
from meetings.people.terms import terms
from meetings.sandbox.company import Company, ReplyEntry, read_company
from meetings.sandbox.generate import generate_workspace
from meetings.watchers import News

# How people name what they want to hear of; the texts seldom use these words together.
SUBJECTS = {
    "performance": "how fast {product} is",
    "release": "the {product} release",
    "bug": "bugs in the {component}",
    "deal": "the {customer} deal",
    "pricing": "prices of {product}",
    "hiring": "new people for the {product} team",
    "supply": "chips and parts for {product}",
    "support load": "customer complaints about {product}",
    "schedule": "milestones of the {product} project",
    "strategy": "the strategy for {product}",
    "security review": "security of {product}",
    "budget": "the {product} budget",
    "contract": "the contract for {product}",
    "infrastructure": "servers and hosting of {product}",
    "campaign": "marketing of {product}",
    "usability": "how easy the {component} is to use",
    "documentation": "the manual of {product}",
    "model quality": "accuracy of the {product} forecast",
}
THEMES = {
    "accessibility": "accessibility",
    "energy saving": "saving energy",
    "open source": "open source licences",
    "repairability": "repair and spare parts",
    "mentoring": "mentoring of juniors",
    "charts": "charts and diagrams",
    "radio": "radio range",
    "batteries": "battery life",
    "classroom air": "CO2 in classrooms",
    "water leaks": "water leaks",
    "typography": "typefaces and fonts",
    "test automation": "automated tests",
    "public tenders": "public procurement",
    "carbon reporting": "carbon reports",
}
PER_DAY = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Meant:
    """What a post is of: its topic (a storyline, or a theme's thread or link), and which storyline or theme."""

    topic: str
    about: str
    neutral: bool


class Server:
    """What alerts need of a server, in memory; only what was written up to now is there."""

    url = "https://chat.example.org"

    def __init__(self, company: Company, until: datetime) -> None:
        self.now = 0
        self.channels = {
            c.name: Channel(id=c.name, team_id="t", type="O", name=c.name, display_name=c.display_name)
            for c in company.channels
            if "meetings" in c.members
        }
        self.members = {c.name: frozenset(c.members) for c in company.channels}
        self.accounts = {
            u.username: User(id=u.username, username=u.username, first_name=u.first_name, last_name=u.last_name)
            for u in company.users
        }
        self.accounts |= {b.username: User(id=b.username, username=b.username, is_bot=True) for b in company.bots}
        self.posts = {p.id: p for p in _posts(company, until) if p.channel_id in self.channels}
        self.threads: dict[str, list[Post]] = defaultdict(list)
        for post in self.posts.values():
            self.threads[post.root_id or post.id].append(post)
        self.sent: dict[str, Post] = {}

    def me(self) -> User:
        return User(id="meetings", username="meetings", is_bot=True)

    def user(self, user_id: str) -> User:
        return self.accounts[user_id]

    def users(self, ids: Iterable[str]) -> tuple[User, ...]:
        return tuple(self.accounts[i] for i in dict.fromkeys(ids) if i in self.accounts)

    def channel(self, channel_id: str) -> Channel:
        return self.channels[channel_id]

    def my_channels_everywhere(self) -> tuple[Channel, ...]:
        return tuple(self.channels.values())

    def address_of(self, channel: Channel) -> str:
        return f"team/{channel.name}"

    def is_channel_member(self, channel_id: str, user_id: str) -> bool:
        return user_id in self.members[channel_id]

    def post(self, post_id: str) -> Post:
        if post_id in self.sent:
            return self.sent[post_id]
        if post_id not in self.posts:
            raise MattermostNotFoundError("no such post", status=404)
        return self.posts[post_id]

    def thread(self, root: str) -> tuple[Post, ...]:
        return tuple(p for p in self.threads[root] if p.create_at <= self.now)

    def latest_posts(self, channel_id: str, limit: int) -> Iterator[Post]:
        if channel_id.startswith("direct "):
            found = [p for p in self.sent.values() if p.channel_id == channel_id]
        else:
            found = [p for p in self.posts.values() if p.channel_id == channel_id and p.create_at < self.now]
        return iter(sorted(found, key=lambda p: -p.create_at)[:limit])

    def reactions(self, _ids: Iterable[str]) -> tuple[Reaction, ...]:
        return ()

    def direct_channel(self, user_id: str) -> str:
        return f"direct {user_id}"

    def create_post(self, channel_id: str, message: str, *, props: Mapping[str, Any], key: str) -> Post:
        post = Post(id=key, channel_id=channel_id, user_id="meetings", message=message, props=props, create_at=self.now)
        self.sent[key] = post
        return post

    def edit_post(self, post_id: str, message: str) -> Post:
        self.sent[post_id] = replace(self.sent[post_id], message=message)
        return self.sent[post_id]


def _posts(company: Company, until: datetime) -> Iterator[Post]:
    for number, entry in enumerate(company.posts):
        for place, one in enumerate([entry, *entry.replies]):
            delay = one.delay if isinstance(one, ReplyEntry) else timedelta()
            at = milliseconds(entry.moment(until) + delay)
            yield Post(
                id=f"{number}.{place - 1}" if place else str(number),
                channel_id=entry.channel,
                user_id=one.user,
                root_id=str(number) if place else "",
                message=one.message,
                create_at=at,
                update_at=at,
            )


def read_stream(folder: Path) -> dict[str, Meant]:
    """What is true of each post."""
    found = {}
    with (folder / "truth" / "posts.jsonl").open() as lines:
        for line in lines:
            data = json.loads(line)
            root = data["ref"].partition(".")[0]
            about = data.get("storyline") or data.get("theme") or ""
            topic = data.get("storyline") or (f"{about} {data.get('link') or root}" if about else "")
            neutral = data["act"] == "notes" or data["channel"].startswith("incident")
            found[data["ref"]] = Meant(topic=topic, about=about, neutral=neutral)
    return found


def interests_of(
    folder: Path, server: Server, truth: Mapping[str, Meant], start: int, chance: Random
) -> dict[str, dict[str, frozenset[str]]]:
    """Three phrases of everybody with the storylines, or the theme, that each means."""
    with (folder / "truth" / "storylines.jsonl").open() as lines:
        lives = [json.loads(line) for line in lines]
    meant: dict[str, set[str]] = defaultdict(set)
    for one in lives:
        meant[_phrase(one)].add(one["id"])
    where = defaultdict(set)
    for ref, one in truth.items():
        if ref in server.posts and server.posts[ref].create_at >= start and one.about:
            where[one.about].add(server.posts[ref].channel_id)
    found: dict[str, dict[str, frozenset[str]]] = {}
    for username, user in sorted(server.accounts.items()):
        mine = {c for c in server.channels if username in server.members[c]}
        if user.is_bot or not mine:
            continue
        stories = sorted(p for p, ids in meant.items() if any(where[i] & mine for i in ids))
        themes = sorted(t for t in THEMES if where[t] & mine)
        picked = {p: frozenset(meant[p]) for p in chance.sample(stories, min(2, len(stories)))}
        picked |= {THEMES[t]: frozenset({t}) for t in chance.sample(themes, min(1, len(themes)))}
        found[username] = picked
    return found


def _phrase(storyline: Mapping[str, Any]) -> str:
    return SUBJECTS[storyline["subject"]].format(**{**storyline["facts"], "product": storyline["product"]})


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """Something that somebody was shown: because of which phrase, and which post; `message` counts as one alert."""

    username: str
    phrase: str
    post: str
    message: str


def main() -> None:
    """Generate, replay, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=50)
    parser.add_argument("--weeks", type=int, default=8)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--replay", type=int, default=4, help="weeks that are played")
    parser.add_argument("--learned", action="store_true", help="also what people files say, at the learned bar")
    parser.add_argument("--wrong", type=int, default=0, help="show so many quotations that were wrong")
    given = parser.parse_args()
    settings = load_settings()
    embedder = Remembering(Embedder(locate("minilm-l6-v2", settings.models_folder), threads=settings.cpu_threads))
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "workspace"
        print(generate_workspace(folder, people=given.people, weeks=given.weeks, seed=given.seed))
        until = datetime.fromisoformat(json.loads((folder / "workspace.json").read_text())["until"])
        company = read_company(folder)
        truth = read_stream(folder)
        start = milliseconds(until - timedelta(weeks=given.replay))
        server = Server(company, until)
        if given.learned:
            wants = learned_of(folder, company, until, given.replay, server)
        else:
            wants = interests_of(folder, server, truth, start, Random(given.seed))
        for name in ("this", "keywords", "meaning alone"):
            began = time.monotonic()
            server = Server(company, until)
            shown = (
                replay(server, Path(scratch) / "home", wants, start, embedder, truth, learned=given.learned)
                if name == "this"
                else simpler(server, wants, start, embedder, truth, keywords=name == "keywords")
            )
            report(name, shown, wants, server, truth, start, given.replay)
            if name == "this":
                posts = sum(p.create_at >= start for p in server.posts.values())
                print(f"  {posts} posts in {time.monotonic() - began:.0f} s")
                wrong = [s for s in shown if judge(s, wants, truth) is False]
                for one in wrong[: given.wrong]:
                    print(f"  wrong: [{one.phrase}] {server.posts[one.post].message[:140]}")


def replay(
    server: Server,
    home: Path,
    wants: Mapping[str, Mapping[str, frozenset[str]]],
    start: int,
    embedder: Remembering,
    truth: Mapping[str, Meant],
    *,
    learned: bool,
) -> list[Shown]:
    """Through the real watcher."""
    settings = Settings(home=home, alerts=AlertSettings(per_day=PER_DAY, learned=learned))
    book = AlertBook(settings)
    if not learned:
        for username, phrases in wants.items():
            for phrase in phrases:
                book.add(username, username, Interest(text=phrase, at=start / 1000))
    texts = {(u, u): tuple(phrases) for u, phrases in wants.items()}
    client = cast(MattermostClient, server)
    watcher = Alerts(settings, client, lambda: embedder, learn=lambda: texts, clock=lambda: server.now / 1000)
    server.now = start
    ticked = 0
    for post in sorted((p for p in server.posts.values() if p.create_at >= start), key=lambda p: (p.create_at, p.id)):
        while ticked + 3_600_000 <= post.create_at:
            ticked = max(ticked + 3_600_000, start)
            server.now = ticked
            watcher.tick(ticked / 1000)
        server.now = post.create_at
        watcher.look(News(channel=server.channels[post.channel_id], posts=(post,), since=post.create_at - 1))
    found = []
    for one in book.everybody():
        by_id = {i.id: i.text for i in one.interests}
        for told in one.told:
            for moment in told.moments:
                phrase = by_id[told.interests[0]]
                for other in (by_id[i] for i in told.interests[1:]):
                    # A message that waited may be about several; each moment is of the one that it fits.
                    phrase = other if truth[moment.post].about in wants[one.username][other] else phrase
                found.append(Shown(username=one.username, phrase=phrase, post=moment.post, message=told.key))
    assert {t.props[ALERT_PROP] for t in server.sent.values()} == {s.message for s in found}
    return found


def simpler(
    server: Server,
    wants: Mapping[str, Mapping[str, frozenset[str]]],
    start: int,
    embedder: Remembering,
    truth: Mapping[str, Meant],
    *,
    keywords: bool,
) -> list[Shown]:
    """What all words of a phrase, or its cosine alone, would have told."""
    posts = sorted((p for p in server.posts.values() if p.create_at >= start), key=lambda p: (p.create_at, p.id))
    phrases = sorted({p for mine in wants.values() for p in mine})
    if keywords:
        said = [set(terms(p.message)) for p in posts]
        scores = np.array([[float(set(terms(phrase)) <= one) for phrase in phrases] for one in said])
        return _told(server, wants, posts, phrases, scores, 0.5)
    scores = embedder.embed([p.message for p in posts]) @ embedder.embed(phrases).T
    tried = [_told(server, wants, posts, phrases, scores, bar) for bar in np.arange(0.3, 0.8, 0.05)]
    return max(tried, key=lambda shown: _f1(shown, wants, server, truth, start))


def _told(
    server: Server,
    wants: Mapping[str, Mapping[str, frozenset[str]]],
    posts: Sequence[Post],
    phrases: Sequence[str],
    scores: np.ndarray[Any, Any],
    bar: float,
) -> list[Shown]:
    place = {p: n for n, p in enumerate(phrases)}
    found = []
    for username, mine in wants.items():
        days: Counter[int] = Counter()
        known: set[str] = set()
        for number, post in enumerate(posts):
            thread = post.root_id or post.id
            took_part = any(p.user_id == username and p.create_at <= post.create_at for p in server.threads[thread])
            if took_part or thread in known or username not in server.members[post.channel_id]:
                continue
            best = max(mine, key=lambda p: scores[number, place[p]], default=None)
            day = post.create_at // 86_400_000
            if best is not None and scores[number, place[best]] >= bar and days[day] < PER_DAY:
                days[day] += 1
                known.add(thread)
                found.append(Shown(username=username, phrase=best, post=post.id, message=f"{username} {post.id}"))
    return found


def learned_of(
    folder: Path, company: Company, until: datetime, weeks: int, server: Server
) -> dict[str, dict[str, frozenset[str]]]:
    """What the people file says of everybody, as learned interests, with the themes that it means."""
    had = contexts(company, until, until - timedelta(weeks=weeks))
    with (folder / "truth" / "people.jsonl").open() as lines:
        stated = {d["username"]: d["stated"] for d in map(json.loads, lines)}
    found = {}
    for person in read_people(folder / "people.yml"):
        if person.username in server.accounts:
            themes = frozenset(stated.get(person.username, ()))
            found[person.username] = dict.fromkeys(phrases_of(build_persona(person, had[person.username])), themes)
    return found


def judge(shown: Shown, wants: Mapping[str, Mapping[str, frozenset[str]]], truth: Mapping[str, Meant]) -> bool | None:
    """Whether something is what the phrase means; None where nobody could say."""
    one = truth[shown.post]
    return None if one.neutral else one.about in wants[shown.username][shown.phrase]


def missed_and_found(
    shown: Sequence[Shown],
    wants: Mapping[str, Mapping[str, frozenset[str]]],
    server: Server,
    truth: Mapping[str, Meant],
    start: int,
) -> tuple[int, int]:
    """Topics that somebody would have wanted to hear of and was not part of; and those of which they were told."""
    wanted: set[tuple[str, str]] = set()
    part: set[tuple[str, str]] = set()
    for post in server.posts.values():
        one = truth[post.id]
        if post.create_at < start or not one.topic or one.neutral:
            continue
        for username, mine in wants.items():
            if username in server.members[post.channel_id] and any(one.about in ids for ids in mine.values()):
                wanted.add((username, one.topic))
                if any(p.user_id == username for p in server.threads[post.root_id or post.id]):
                    part.add((username, one.topic))
    wanted -= part
    told = {(s.username, truth[s.post].topic) for s in shown if judge(s, wants, truth)}
    return len(wanted), len(wanted & told)


def _f1(
    shown: Sequence[Shown],
    wants: Mapping[str, Mapping[str, frozenset[str]]],
    server: Server,
    truth: Mapping[str, Meant],
    start: int,
) -> float:
    judged = [j for s in shown if (j := judge(s, wants, truth)) is not None]
    wanted, found = missed_and_found(shown, wants, server, truth, start)
    if not judged or not wanted or not found:
        return 0.0
    precision, recall = sum(judged) / len(judged), found / wanted
    return 2 * precision * recall / (precision + recall) if precision else 0.0


def report(
    name: str,
    shown: Sequence[Shown],
    wants: Mapping[str, Mapping[str, frozenset[str]]],
    server: Server,
    truth: Mapping[str, Meant],
    start: int,
    weeks: int,
) -> None:
    """A line for all, and one for subjects and themes each."""
    for kind, which in (("all", None), ("subjects", False), ("themes", True)):

        def of_kind(phrase: str, which: bool | None = which) -> bool:
            return which is None or (phrase in THEMES.values()) == which

        some = {u: {p: ids for p, ids in mine.items() if of_kind(p)} for u, mine in wants.items()}
        theirs = [s for s in shown if of_kind(s.phrase)]
        judged = [j for s in theirs if (j := judge(s, wants, truth)) is not None]
        wanted, found = missed_and_found(theirs, some, server, truth, start)
        days = weeks * 5 * max(1, len(wants))
        messages = len({s.message for s in theirs})
        print(
            f"{name:<14}{kind:<10} precision {_share(sum(judged), len(judged)):>6} of {len(judged):<5}"
            f"recall {_share(found, wanted):>6} of {wanted:<5}alerts a person and working day {messages / days:.2f}"
        )


def _share(some: int, of: int) -> str:
    return f"{some / of:.2f}" if of else "-"


if __name__ == "__main__":
    main()
