"""An incident, from the slash command to the text that support reads; nothing leaves the channel by itself."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
import uvicorn
from pydantic import SecretStr

from meetings.answering import make_intents
from meetings.cli.service import make_watchers
from meetings.config import Settings
from meetings.intents import Understood
from meetings.mattermost import MattermostClient
from meetings.positions import Positions
from meetings.sandbox import Sandbox, run_in_thread
from meetings.serving import Doors, make_app
from meetings.talkback import Talkback
from meetings.watchers import Watch
from tests.acceptance.sandbox_company import COMPANY, Api, api

TOKEN = "incident-token"
INCIDENT = [
    ("ana", "Opening this room: the gateway drops readings since 6:45. 89 buildings are without data."),
    ("ben", "12 customers called. They see old values and no alarm."),
    ("ana", "I suspect the connection pool on db-01, deploy of 4.0.1 is the only change."),
    ("ben", "Local alarms still work, Ana checked it."),
    ("ben", "Next update at 15:00."),
]


@dataclass
class Answering:
    """A queue that answers at once, as a worker would."""

    client: MattermostClient
    settings: Settings

    @property
    def talkback(self) -> Talkback:
        return Talkback(self.settings, self.client, make_intents(self.settings, self.client))

    def put(self, _post_id: str, *, cause: str = "") -> bool:
        raise AssertionError(cause)

    def put_ask(self, user_id: str, name: str, **ask: Any) -> bool:
        self.answer(self.talkback.understand_ask(user_id, name=name, **ask))
        return True

    def put_post(self, post_id: str) -> None:
        self.answer(self.talkback.understand(self.client.post(post_id)))

    def answer(self, understood: Understood | None) -> None:
        assert understood is not None
        for _ in range(2):  # the process died after the first time
            self.talkback.say(understood, self.talkback.change(understood))

    def waiting(self) -> int:
        return 0


@dataclass
class Company:
    """A sandbox with an incident in it, `meetings serve` before it, and what watches its channels."""

    sandbox: Sandbox
    url: str
    queue: Answering
    watch: Watch

    def as_(self, name: str) -> Api:
        return api(self.sandbox, name)

    def slash(self, name: str, text: str) -> str:
        """What they are answered by direct message."""
        person = self.as_(name).get("/users/me")["id"]
        channel = self.as_("ana").channel("incident-01")
        given = {"token": TOKEN, "text": text, "user_id": person, "channel_id": channel["id"], "command": "/incident"}
        answer = requests.post(
            f"{self.url}/commands/meetings", data={**given, "team_id": channel["team_id"]}, timeout=60
        )
        assert answer.json()["text"] == "I answer in our direct messages."
        return self.told(name)[-1]

    def say(self, name: str, text: str) -> str:
        """They write to the bot; what it answers."""
        post = self.as_(name).write(self.direct(name), text)
        self.queue.put_post(post["id"])
        return self.told(name)[-1]

    def told(self, name: str) -> list[str]:
        return self.written(self.direct(name))

    def written(self, channel_id: str) -> list[str]:
        me = self.queue.client.me().id
        posts = [*self.queue.client.latest_posts(channel_id, 100)]
        return [p.message for p in reversed(posts) if p.user_id == me and not p.type]

    def direct(self, name: str) -> str:
        return self.queue.client.direct_channel(self.queue.client.user_by_username(name).id)

    @property
    def support(self) -> list[str]:
        return self.written(self.as_("ana").channel("support")["id"])


@pytest.fixture
def company(tmp_path: Path) -> Iterator[Company]:
    channels = [
        *COMPANY["channels"],
        {"name": "incident-01", "display_name": "Incident 1", "type": "P", "members": ["ana", "ben", "meetings"]},
        {"name": "support", "display_name": "Support", "type": "O", "members": ["ana", "ben", "chloe", "meetings"]},
    ]
    posts = [
        {"channel": "incident-01", "user": user, "at": f"-1d 09:{10 + at}", "message": text}
        for at, (user, text) in enumerate(INCIDENT)
    ]
    positions = {"ana": "Backend Engineer", "ben": "Customer Support Lead", "chloe": "Product Manager"}
    users = [{**u, "position": positions[u["username"]]} for u in COMPANY["users"]]
    made = {**COMPANY, "users": users, "channels": channels, "posts": posts}
    settings = Settings(home=tmp_path / "home")
    with run_in_thread(tmp_path / "sandbox", company=made) as sandbox:
        client = MattermostClient(sandbox.url, sandbox.bot_token or "")
        queue = Answering(client=client, settings=settings)
        doors = Doors(
            client=client, queue=queue, webhook_token=None, command_token=None, incident_token=SecretStr(TOKEN)
        )
        watch = Watch(client, Positions(settings, kind="watched"), make_watchers(settings, client))
        watch.look()
        with serving(doors) as url:
            yield Company(sandbox=sandbox, url=url, queue=queue, watch=watch)


@contextmanager
def serving(doors: Doors) -> Iterator[str]:
    bound = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(make_app(doors), log_config=None, access_log=False))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]})
    thread.start()
    try:
        yield f"http://127.0.0.1:{bound.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        bound.close()


def test_an_incident_is_told_watched_and_shared_only_as_it_was_reviewed(company: Company) -> None:
    brief = company.slash("ben", "brief customers")
    assert "12 customers called" in brief
    assert "15:00" in brief
    assert "suspect" not in brief

    assert "suspect" not in company.slash("chloe", "brief engineering")  # she is not in the channel
    assert "buildings" not in company.slash("chloe", "share customers to ~support")

    company.slash("ana", "watch engineering")
    company.as_("ben").write(company.as_("ben").channel("incident-01")["id"], "The rollback is done in the first zone.")
    company.watch.note_all()
    company.watch.look()
    watched = [text for text in company.told("ana") if "I keep this up to date while" in text]
    assert len(watched) == 1
    assert "1 new post" in watched[0]
    assert "rollback" in watched[0]

    draft = company.slash("ben", "share customers to ~support")
    assert company.support == []
    shown = "\n".join(line[2:] for line in draft.splitlines() if line.startswith(">"))
    (code,) = re.findall(r"`approve ([a-z0-9]{8})`", draft)
    company.say("chloe", f"approve {code}")
    assert company.support == []
    assert company.say("ben", f"approve {code}").startswith("Posted")
    company.say("ben", f"approve {code}")
    assert company.support == [shown]
    assert "89 buildings are without data" in shown
    assert not re.search(r"ana|ben|db-01|pool|/pl/|incident", shown, re.IGNORECASE)
