"""A small company, one recorded call of it that counts as heard, and the pages that `meetings serve` makes of it."""

from __future__ import annotations

import json
import os
import random
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import requests
import uvicorn
from pydantic import SecretStr

from meetings.config import Settings
from meetings.conversation import Conversation, Speaker, Utterance, Word, to_json
from meetings.errors import DatabaseError
from meetings.job import Job, Source
from meetings.mattermost import MattermostClient
from meetings.page_links import PageLinks
from meetings.rates import Buckets
from meetings.recordings import remember_run
from meetings.report import Report, report_router
from meetings.report.changes import Changes
from meetings.report.http import HOME_COOKIE
from meetings.report.work import Lookout, Members, WorkPage
from meetings.sandbox import Sandbox, post_call, run_in_thread
from meetings.serving import Doors, make_app
from meetings.store import FileStore, digest
from meetings.watching import Seen
from tests.acceptance.sandbox_company import Api, api

DATA = Path(__file__).parents[1] / "meetings" / "sandbox" / "data" / "sample_call"
# The starter models, by which meetings are found.
MODELS = Path(os.environ.get("MEETINGS_MODELS", Path(__file__).parents[1] / "models"))
SAMPLE = DATA / "weekly-product-call.mp4"
TRUTH: dict[str, Any] = json.loads((DATA / "weekly-product-call.truth.json").read_text(encoding="utf-8"))
ANCHOR = datetime(2026, 11, 25, 10, 0, tzinfo=UTC)
STAFF = {
    "maya.chen": ("Maya", "Chen", "Director of Product Engineering"),
    "ben.okafor": ("Ben", "Okafor", "Senior Engineer"),
    "laura.stein": ("Laura", "Stein", "Head of Content"),
    "oscar.lind": ("Oscar", "Lind", "Sales"),
    "nadia.haddad": ("Nadia", "Haddad", "Security Lead"),
    "tom.becker": ("Tom", "Becker", "Engineer"),  # in the channel, not in the call
    "eve.stone": ("Eve", "Stone", "Accountant"),  # not in the channel
}
IN_CALL = tuple(list(STAFF)[:5])
FIRST, SECOND = "1" * 26, "2" * 26  # the calls of a series
TITLE = "Launch weekly"
WITHOUT_LAURA = ("maya.chen", "ben.okafor", "oscar.lind")
COMPANY: dict[str, Any] = {
    "team": {"name": "acme", "display_name": "Acme"},
    "users": [
        {"username": u, "first_name": first, "last_name": last, "position": position}
        for u, (first, last, position) in STAFF.items()
    ],
    "bots": [
        {"username": "meetings", "display_name": "Meetings", "description": "Summarises calls"},
        {"username": "calls", "display_name": "Calls"},
    ],
    "channels": [
        {
            "name": "product",
            "display_name": "Product",
            "type": "O",
            "purpose": "Building",
            "members": [*IN_CALL, "tom.becker", "meetings", "calls"],
        },
        {"name": "books", "display_name": "Books", "type": "P", "members": ["eve.stone", "meetings"]},
    ],
    "posts": [],
}
# Of whom, which turn, of which kind, and what else is told of it.
POINTS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("action", "open the job posting", {"mine": True, "owner": "Maya Chen, Tom Becker", "due": "2026-11-30"}),
    ("decision", "tenth of December", {}),
    ("decision", "two factor login is required", {"due": "2026-11-30"}),
    ("decision", "fifteen dollars", {}),
    ("action", "load test", {"owner": "Ben Okafor", "due": "2026-11-27"}),
    ("risk", "memory", {"why": "close to a post you reacted to"}),
    ("risk", "leave us in March", {"confidential": True}),
)


def sample_conversation(media_id: str) -> Conversation:
    """The sample call as it was really said; one voice has no name, and some words were hard to hear."""
    chance = random.Random(7)
    labels = {username: f"S{n}" for n, username in enumerate(TRUTH["speakers"], 1)}
    utterances = []
    for n, turn in enumerate(TRUTH["turns"], 1):
        said = turn["text"].split()
        step = (turn["end"] - turn["start"]) / max(1, len(said))
        words = tuple(
            Word(
                word=w,
                start=turn["start"] + i * step,
                end=turn["start"] + (i + 1) * step,
                probability=0.35 if chance.random() < 0.03 else 0.97,
            )
            for i, w in enumerate(said)
        )
        utterances.append(
            Utterance(
                id=f"u{n}",
                speaker=labels[turn["speaker"]],
                start=turn["start"],
                end=turn["end"],
                text=" ".join(said),
                words=words,
            )
        )
    speakers = tuple(
        Speaker(id=label, name="Speaker 5")
        if username == "nadia.haddad"
        else Speaker(
            id=label, name=" ".join(STAFF[username][:2]), username=username, confidence=0.97, how="transcript+voice"
        )
        for username, label in labels.items()
    )
    return Conversation(
        id=media_id,
        title="Weekly product call",
        language="en",
        duration=TRUTH["duration"],
        started_at="2026-11-25T09:50:00+00:00",
        participants=IN_CALL,
        speakers=speakers,
        utterances=tuple(utterances),
    )


def sample_summary(username: str, conversation: Conversation) -> dict[str, Any]:
    """A summary as a run leaves it, of sentences that were said."""
    name = " ".join(STAFF[username][:2])
    bullets = []
    for n, (kind, words, more) in enumerate(POINTS):
        found = next((u for u in conversation.utterances if words.lower() in u.text.lower()), None)
        if found is None:
            continue
        bullets.append(
            {
                "kind": kind,
                "text": found.text,
                "evidence": [found.id],
                "start": round(found.start, 3),
                "speaker": conversation.speaker_of(found).name,
                "why": "",
                "writer": "extract",
                "score": 1.0 - n / 100,
                **more,
            }
        )
    return {
        "person": {"username": username, "name": name, "position": STAFF[username][2]},
        "headline": f"Job posting, parser release, prices: what concerns {STAFF[username][0]}",
        "bullets": bullets,
        "model": None,
        "writer": "extract",
        "conversation": conversation.id,
        "attended": username in IN_CALL,
        "language": "en",
    }


@dataclass
class Noted:
    """A queue that notes what is put."""

    remade: list[str] = field(default_factory=list)

    def put_remake(self, media_id: str, name: str) -> bool:
        self.remade.append(media_id)
        return True

    def put(self, post_id: str, *, cause: str = "") -> bool:
        return True

    def put_ask(self, user_id: str, name: str, **ask: Any) -> bool:
        return True

    def waiting(self) -> int:
        return 0


class Moving:
    """A clock that is put forward by hand."""

    def __init__(self, start: float) -> None:
        self.now = start

    def __call__(self) -> float:
        return self.now


@dataclass
class Desk:
    """What is seen of the work, as a test wants it; how often somebody looked."""

    seen: Seen = field(default_factory=lambda: Seen(at=0.0))
    away: bool = False
    looks: int = 0

    def __call__(self, settings: Settings) -> Seen:
        self.looks += 1
        if self.away:
            raise DatabaseError("the queue cannot be reached: postgresql://somebody:s3cret@host")
        return self.seen


@dataclass
class Site:
    """Pages that are served, and everything around them."""

    url: str
    sandbox: Sandbox
    settings: Settings
    links: PageLinks
    report: Report
    queue: Noted
    meeting: str
    post_id: str
    channel_id: str
    rights_clock: Moving
    doors: Doors
    work: WorkPage
    desk: Desk

    def id_of(self, username: str) -> str:
        return str(self.as_("admin").get(f"/users/username/{username}")["id"])

    def as_(self, name: str) -> Api:
        return api(self.sandbox, name)

    def link(self, username: str) -> str:
        """The link in somebody's message."""
        return self.links.link(self.id_of(username), username, self.meeting)

    def home_link(self, username: str) -> str:
        """The link that the bot gives to who asks for all their meetings."""
        link, offered = self.report.gate.sign_ins.offer(self.id_of(username))
        self.report.gate.sign_ins.note(self.id_of(username), username, offered)
        return link

    def signed_in(self, username: str) -> requests.Session:
        """A browser of somebody who is signed in."""
        session = requests.Session()
        holder = self.report.gate.sign_ins.begin(self.id_of(username), username)
        session.cookies.set(HOME_COOKIE, self.report.gate.sign_ins.cookie(holder))
        return session

    def visit(self, username: str) -> requests.Session:
        """A browser of somebody who followed their link."""
        session = requests.Session()
        answer = session.get(self.link(username), timeout=60)
        assert answer.status_code == 200, answer.text
        return session

    @property
    def page(self) -> str:
        return f"{self.url}/m/{self.meeting}"

    def see_what_is_new(self) -> None:
        """Wait until every meeting is in the index."""
        self.report.finder._filled_at = float("-inf")
        state = self.report.finder.refresh(patience=600.0)
        assert state.complete, state

    def work_is(self, seen: Seen) -> None:
        """From now on whoever looks at the work sees this."""
        self.desk.seen, self.desk.away = seen, False
        self.work.lookout.again()

    def rights_age(self) -> None:
        """Time goes by until the server is asked about rights again."""
        self.rights_clock.now += 31


@contextmanager
def served(folder: Path, *, sign_in: bool = False) -> Iterator[Site]:
    """The company, its call, and the pages, for the time of a `with` block."""
    with run_in_thread(folder / "sandbox", company=COMPANY, now=ANCHOR) as sandbox:
        call = post_call(
            sandbox.tokens,
            SAMPLE,
            channel="product",
            title="Weekly product call",
            started_by="maya.chen",
            participants=IN_CALL,
            duration=TRUTH["duration"],
        )
        bound = socket.create_server(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{bound.getsockname()[1]}"
        settings = Settings(
            home=folder / "home",
            mattermost_url=sandbox.url,
            mattermost_token=SecretStr(sandbox.bot_token or ""),
            page_url=url,
            models=MODELS if MODELS.is_dir() else None,
            **_oauth(sandbox, url) if sign_in else {},
        )
        client = MattermostClient.required(settings)
        people = client.users(client.channel_member_ids(call.channel_id))
        ids = tuple(u.id for u in people if u.username in IN_CALL)
        keep_sample(settings, call.file_id, call.recording_post_id, call.channel_id, ids, client.url)
        links = PageLinks(settings)
        report = Report(settings, client, links)
        clock = Moving(0.0)
        report.gate._clock = clock
        queue = Noted()
        desk = Desk()
        lookout = Lookout(settings, client, clock=clock, looking=desk)
        work = WorkPage(settings, client, lookout=lookout, members=Members(client, clock=clock))
        doors = Doors(
            client=client,
            queue=queue,
            webhook_token=None,
            command_token=None,
            buckets=Buckets(per_second=1e6, burst=1e6),
            pages=report_router(report, Changes(settings, client, report.gate, queue), work),
        )
        server = uvicorn.Server(uvicorn.Config(make_app(doors), log_config=None, access_log=False))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]})
        thread.start()
        try:
            yield Site(
                url=url,
                sandbox=sandbox,
                settings=settings,
                links=links,
                report=report,
                queue=queue,
                meeting=call.file_id,
                post_id=call.recording_post_id,
                channel_id=call.channel_id,
                rights_clock=clock,
                doors=doors,
                work=work,
                desk=desk,
            )
        finally:
            server.should_exit = True
            thread.join()
            bound.close()


def _oauth(sandbox: Sandbox, url: str) -> dict[str, Any]:
    """An application by which people sign in to pages."""
    body = {"name": "Meetings", "homepage": url, "description": "Pages", "callback_urls": [f"{url}/m/signed-in"]}
    made = api(sandbox, "admin").post("/oauth/apps", body)
    return {"oauth_client_id": made["id"], "oauth_client_secret": SecretStr(made["client_secret"])}


def keep_sample(
    settings: Settings, media_id: str, post_id: str, channel_id: str, participant_ids: tuple[str, ...], server: str
) -> Job:
    """Leave behind what a run over the sample call leaves behind, but for what is heard."""
    store = FileStore.of(settings)
    roles = ("recogniser", "segmentation", "speaker_embedding", "text_embedding", "language_model")
    job = Job(
        source=Source(
            media_id=media_id,
            name="weekly-product-call",
            title="Weekly product call",
            post_id=post_id,
            channel_id=channel_id,
            participant_ids=participant_ids,
            url=f"{server}/_redirect/pl/{post_id}",
            size=SAMPLE.stat().st_size,
        ),
        people_key=None,
        deliver=True,
        writer="extract",
        language=None,
        device="cpu",
        models=dict.fromkeys(roles, "m"),
        fingerprints=dict.fromkeys(roles, "f"),
        server=server,
    )
    conversation = sample_conversation(media_id)
    keys = digest("conversation", media_id), digest("summaries", media_id)
    store.write_json("conversation", keys[0], to_json(conversation))
    store.write_json("summaries", keys[1], [sample_summary(u, conversation) for u in IN_CALL])
    remember_run(store, job, conversation=keys[0], diarization="d", summaries=keys[1])
    return job


def keep_spoken(
    site: Site,
    media_id: str,
    said: Sequence[tuple[str, str]],
    *,
    title: str,
    started_at: str,
    channel: str = "product",
    participants: Sequence[str] = IN_CALL,
    seen: bool = True,
) -> None:
    """Leave behind what a run over another call leaves behind: (username, what they said), and no summaries.

    `seen`: it is in the index, too, when this returns.
    """
    channel_id = str(site.as_("admin").get(f"/teams/name/acme/channels/name/{channel}")["id"])
    store = FileStore.of(site.settings)
    labels = {username: f"S{n}" for n, username in enumerate(dict.fromkeys(u for u, _ in said), 1)}
    utterances, at = [], 1.0
    for n, (username, text) in enumerate(said, 1):
        end = at + 0.4 * len(text.split())
        utterances.append(Utterance(id=f"u{n}", speaker=labels[username], start=at, end=end, text=text))
        at = end + 1.0
    conversation = Conversation(
        id=media_id,
        title=title,
        language="en",
        duration=at,
        started_at=started_at,
        participants=tuple(participants),
        speakers=tuple(
            Speaker(id=label, name=" ".join(STAFF[u][:2]), username=u, confidence=0.97, how="transcript")
            for u, label in labels.items()
        ),
        utterances=tuple(utterances),
    )
    key = digest("conversation", media_id)
    store.write_json("conversation", key, to_json(conversation))
    roles = ("recogniser", "segmentation", "speaker_embedding", "text_embedding", "language_model")
    job = Job(
        source=Source(
            media_id=media_id, name="call", title=title, started_at=started_at, channel_id=channel_id, url="", size=1
        ),
        people_key=None,
        deliver=True,
        writer="extract",
        language=None,
        device="cpu",
        models=dict.fromkeys(roles, "m"),
        fingerprints=dict.fromkeys(roles, "f"),
        server=site.sandbox.url,
    )
    remember_run(store, job, conversation=key, diarization="d", summaries="")
    if seen:
        site.see_what_is_new()


def keep_series(site: Site) -> None:
    """Two calls of a series, in which a task is done, another is carried, and a decision is changed."""
    keep_spoken(
        site,
        FIRST,
        [
            ("ben.okafor", "I will send the signed license agreement to the Northwind legal team by Friday."),
            ("maya.chen", "We decided that the launch date of the new parser is the tenth of December."),
            ("oscar.lind", "I will write the price list for the reseller portal."),
        ],
        title=f"{TITLE} 2026-11-03",
        started_at="2026-11-03T09:00:00+00:00",
        participants=WITHOUT_LAURA,
    )
    keep_spoken(
        site,
        SECOND,
        [
            ("ben.okafor", "The signed license agreement was sent to the Northwind legal team."),
            ("laura.stein", "We decided that the launch date of the new parser is the twentieth of January."),
            ("oscar.lind", "The price list for the reseller portal is still not written, I will write it."),
        ],
        title=f"{TITLE} 2026-11-10",
        started_at="2026-11-10T09:00:00+00:00",
    )
