"""Guests, group channels, archived channels, threads in direct messages, and slash commands."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
import requests

from meetings.mattermost import MattermostClient
from meetings.sandbox import Sandbox
from tests.acceptance.sandbox_company import Api, api, sandbox_in
from tests.acceptance.test_sandbox_misbehave import listening


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    with sandbox_in(tmp_path / "sandbox") as running:
        yield running


def id_of(sandbox: Sandbox, name: str) -> str:
    return str(api(sandbox, "admin").get(f"/users/username/{name}")["id"])


def refusal(response: requests.Response) -> tuple[int, str]:
    return response.status_code, response.json()["id"]


def test_a_guest_sees_only_what_they_were_invited_to(sandbox: Sandbox) -> None:
    admin, ana = api(sandbox, "admin"), api(sandbox, "ana")
    town = ana.channel("town-square")
    other = ana.post("/channels", {"team_id": town["team_id"], "name": "other", "display_name": "Other", "type": "O"})
    ben = id_of(sandbox, "ben")
    admin.post(f"/users/{ben}/demote", {})
    client = MattermostClient(sandbox.url, sandbox.bot_token)
    assert client.user(ben).is_guest
    guest = api(sandbox, "ben")
    post = ana.write(other["id"], "for members")
    assert guest.send("GET", f"/posts/{post['id']}").status_code == 403
    assert guest.send("POST", f"/channels/{other['id']}/members", json={"user_id": ben}).status_code == 403
    assert guest.get(f"/channels/{ana.channel('product')['id']}/posts")["order"]
    assert guest.send("DELETE", f"/channels/{ana.channel('product')['id']}").status_code == 403
    assert admin.send("POST", f"/users/{ben}/demote").status_code == 501
    assert ana.send("POST", f"/users/{ben}/promote").status_code == 403
    admin.post(f"/users/{ben}/promote", {})
    assert not client.user(ben).is_guest
    assert guest.get(f"/posts/{post['id']}")["message"] == "for members"


def test_a_group_has_one_channel_that_only_its_people_see(sandbox: Sandbox) -> None:
    ana = api(sandbox, "ana")
    three = [id_of(sandbox, name) for name in ("ana", "ben", "meetings")]
    with listening(sandbox, "bot") as bot, listening(sandbox, "chloe") as outsider:
        group = ana.post("/channels/group", three[1:])
        assert ana.post("/channels/group", three)["id"] == group["id"]
        ana.write(group["id"], "just us")
        assert bot.heard() == ["group_added", "posted"]
        assert outsider.heard() == []
    assert (group["type"], group["display_name"], len(group["name"])) == ("G", "ana, ben, meetings", 40)
    client = MattermostClient(sandbox.url, sandbox.bot_token)
    assert [c.id for c in client.my_direct_channels() if c.type == "G"] == [group["id"]]
    assert set(client.channel_member_ids(group["id"])) == set(three)
    assert api(sandbox, "chloe").send("GET", f"/channels/{group['id']}/posts").status_code == 403
    assert ana.send("POST", "/channels/group", json=three[:2]).status_code == 400
    assert ana.send("POST", f"/channels/{group['id']}/members", json={"user_id": three[0]}).status_code == 400
    assert requests.get(f"{sandbox.url}/people/ben", timeout=60).status_code == 200
    assert requests.get(f"{sandbox.url}/channels/{group['id']}", timeout=60).status_code == 200


def test_an_archived_channel_takes_no_posts_and_is_listed_no_more(sandbox: Sandbox) -> None:
    ana, client = api(sandbox, "ana"), MattermostClient(sandbox.url, sandbox.bot_token)
    product = ana.channel("product")
    with listening(sandbox, "bot") as bot:
        ana.delete(f"/channels/{product['id']}")
        assert bot.heard() == ["posted", "channel_deleted"]
    assert client.channel(product["id"]).delete_at > 0
    assert product["id"] not in {c.id for c in client.my_channels(product["team_id"])}
    refused = ana.send("POST", "/posts", json={"channel_id": product["id"], "message": "late"})
    assert refusal(refused) == (400, "api.post.create_post.can_not_post_to_deleted.error")
    assert len(list(client.latest_posts(product["id"], 10))) == 3
    assert ana.send("DELETE", f"/channels/{ana.channel('town-square')['id']}").status_code == 400


def test_a_reply_in_a_direct_message_is_heard_in_its_thread(sandbox: Sandbox) -> None:
    client, ben = MattermostClient(sandbox.url, sandbox.bot_token), api(sandbox, "ben")
    root = client.create_post(client.direct_channel(id_of(sandbox, "ben")), "your summary")
    with listening(sandbox, "bot") as bot:
        reply = ben.write(root.channel_id, "shorter", root_id=root.id)
        heard = bot.next()
        assert (heard["event"], heard["data"]["channel_type"]) == ("posted", "D")
        assert json.loads(heard["data"]["post"])["root_id"] == root.id
        ben.put(f"/posts/{reply['id']}/patch", {"message": "much shorter"})
        ben.post("/reactions", {"user_id": id_of(sandbox, "ben"), "post_id": root.id, "emoji_name": "+1"})
        ben.delete(f"/users/me/posts/{root.id}/reactions/+1")
        ben.delete(f"/posts/{reply['id']}")
        assert bot.heard() == ["post_edited", "reaction_added", "reaction_removed", "post_deleted"]
    assert [p.id for p in client.thread(root.id)] == [root.id]


# Slash commands


@contextmanager
def called(*answers: tuple[int, str, bytes]) -> Iterator[tuple[str, list[tuple[dict[str, str], dict[str, str]]]]]:
    """A program that slash commands call: what it heard, headers and form; it answers one after another."""
    heard: list[tuple[dict[str, str], dict[str, str]]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode(), keep_blank_values=True)
            heard.append((dict(self.headers), {k: v[0] for k, v in form.items()}))
            status, kind, body = answers[len(heard) - 1]
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            return

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/command", heard
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def register(sandbox: Sandbox, url: str) -> dict[str, Any]:
    admin = api(sandbox, "admin")
    team_id = admin.get("/teams/name/acme")["id"]
    command: dict[str, Any] = admin.post("/commands", {"team_id": team_id, "trigger": "meetings", "url": url})
    return command


def run(who: Api, channel_id: str, line: str, **more: str) -> requests.Response:
    return who.send("POST", "/commands/execute", json={"channel_id": channel_id, "command": line, **more})


JSON = "application/json"


def test_a_command_calls_its_program_as_the_server_does_and_answers_the_caller_alone(sandbox: Sandbox) -> None:
    ana = api(sandbox, "ana")
    product = ana.channel("product")
    with called((200, JSON, b'{"text": "Only decisions from now on."}')) as (url, heard):
        command = register(sandbox, url)
        with listening(sandbox, "ana") as own, listening(sandbox, "ben") as other:
            answer = run(ana, product["id"], "/meetings only decisions")
            assert answer.json()["text"] == "Only decisions from now on."
            shown = own.next()
            assert (shown["event"], json.loads(shown["data"]["post"])["type"]) == (
                "ephemeral_message",
                "system_ephemeral",
            )
            assert other.heard() == []
    [(headers, form)] = heard
    assert (headers["Authorization"], headers["Content-Type"]) == (
        f"Token {command['token']}",
        "application/x-www-form-urlencoded",
    )
    assert {k: form[k] for k in ("token", "team_domain", "channel_name", "user_name", "command", "text")} == {
        "token": command["token"],
        "team_domain": "acme",
        "channel_name": "product",
        "user_name": "ana",
        "command": "/meetings",
        "text": "only decisions",
    }
    assert form["response_url"].startswith(f"{sandbox.url}/hooks/commands/")
    assert [c["id"] for c in api(sandbox, "admin").get(f"/commands?team_id={product['team_id']}")] == [command["id"]]


def test_a_command_may_answer_everybody_later_and_in_plain_text(sandbox: Sandbox) -> None:
    ana = api(sandbox, "ana")
    product = ana.channel("product")["id"]
    loud = b'{"response_type": "in_channel", "text": "Hello all"}'
    with called((200, JSON, loud), (200, "text/plain", b"Just words"), (200, JSON, b"")) as (url, heard):
        register(sandbox, url)
        run(ana, product, "/meetings")
        newest = ana.get(f"/channels/{product}/posts?per_page=1")
        assert newest["posts"][newest["order"][0]]["message"] == "Hello all"
        assert run(ana, product, "/meetings help").json()["text"] == "Just words"
        assert run(ana, product, "/meetings later").json()["text"] == ""
        with listening(sandbox, "ana") as own:
            later = heard[-1][1]["response_url"]
            assert requests.post(later, json={"text": "Done"}, timeout=60).status_code == 200
            assert json.loads(own.next()["data"]["post"])["message"] == "Done"
        for _ in range(4):
            requests.post(later, json={"text": "again"}, timeout=60)
        assert requests.post(later, json={"text": "too often"}, timeout=60).status_code == 404


@pytest.mark.parametrize(
    ("answer", "line", "expected"),
    [
        ((200, JSON, b"not JSON"), "/meetings x", (500, "api.command.execute_command.failed.app_error")),
        ((200, JSON, b"[]"), "/meetings x", (500, "api.command.execute_command.failed.app_error")),
        ((403, JSON, b"{}"), "/meetings x", (500, "api.command.execute_command.failed.app_error")),
        ((200, JSON, b"{}"), "/dance x", (404, "api.command.execute_command.not_found.app_error")),
        ((200, JSON, b"{}"), "meetings x", (404, "api.command.execute_command.not_found.app_error")),
    ],
)
def test_a_command_that_fails_is_refused(
    sandbox: Sandbox, answer: tuple[int, str, bytes], line: str, expected: tuple[int, str]
) -> None:
    ana = api(sandbox, "ana")
    with called(answer) as (url, _):
        register(sandbox, url)
        assert refusal(run(ana, ana.channel("product")["id"], line)) == expected


def test_commands_are_for_the_members_of_a_channel_and_made_by_those_who_manage_the_team(sandbox: Sandbox) -> None:
    ana, chloe = api(sandbox, "ana"), api(sandbox, "chloe")
    team_id = ana.get("/teams/name/acme")["id"]

    def make(**given: str) -> Callable[[Api], requests.Response]:
        body = {"team_id": team_id, "trigger": "meetings", "url": "http://127.0.0.1:9/", **given}
        return lambda who: who.send("POST", "/commands", json=body)

    admin = api(sandbox, "admin")
    assert make()(ana).status_code == 403
    assert make(trigger="no words")(admin).status_code == 400
    assert make(url="ftp://x")(admin).status_code == 400
    assert make()(admin).status_code == 201
    assert refusal(make()(admin)) == (400, "api.command.duplicate_trigger.app_error")
    assert run(chloe, ana.channel("product")["id"], "/meetings").status_code == 403
    assert run(ana, ana.channel("product")["id"], "/meetings").status_code == 500
    assert ana.send("GET", f"/commands?team_id={team_id}").status_code == 403
