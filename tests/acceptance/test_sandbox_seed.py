"""A real server is filled with the sample company through its public API; here the sandbox, empty, is that server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from meetings.errors import MattermostAuthError, MattermostError, SandboxError
from meetings.mattermost import MattermostClient
from meetings.sandbox import load_credentials, post_call, run_in_thread
from meetings.sandbox.company import Company, check_company
from meetings.sandbox.faults import read_plan
from meetings.sandbox.real_server import Seeded, folder_for, seed_server
from tests.acceptance.conftest import Meetings
from tests.acceptance.sandbox_company import COMPANY, Api

PASSWORD = "of the admin"


def admin_of(url: str) -> Api:
    """The admin of a server that was just set up: its first account."""
    body = {"username": "boss", "email": "boss@server.example", "password": PASSWORD}
    requests.post(f"{url}/api/v4/users", json=body, timeout=60)
    answer = requests.post(f"{url}/api/v4/users/login", json={"login_id": "boss", "password": PASSWORD}, timeout=60)
    return Api(url, answer.headers["Token"])


@pytest.fixture
def admin(tmp_path: Path) -> Iterator[Api]:
    with run_in_thread(tmp_path / "server") as running:
        yield admin_of(running.url)


@pytest.fixture
def company() -> Company:
    return check_company(COMPANY, origin="company")


def seed(admin: Api, company: Company, folder: Path) -> Seeded:
    return seed_server(admin.url, admin.token, company, folder)


def texts(seeded: Seeded, channel: str) -> list[str]:
    assert seeded.credentials.bot_token is not None
    client = MattermostClient(seeded.credentials.url, seeded.credentials.bot_token)
    found = client.latest_posts(client.channel_by_name("acme", channel).id, 100)
    return [p.message for p in found if not p.type]


def test_an_empty_server_has_the_company_afterwards(admin: Api, company: Company, tmp_path: Path) -> None:
    seeded = seed(admin, company, tmp_path / "out")
    assert seeded.counts == {
        "people": (3, 3),
        "bots": (2, 2),
        "teams": (1, 1),
        "channels": (2, 2),
        "posts": (3, 3),
        "reactions": (1, 1),
    }
    client = MattermostClient(admin.url, seeded.credentials.bot_token or "")
    ana = client.user_by_username("ana")
    product = client.channel_by_name("acme", "product")
    assert (ana.name, ana.position, ana.timezone) == ("Ana Ruiz", "Engineer", "UTC")
    assert (client.me().username, client.me().is_bot, product.purpose) == ("meetings", True, "Building")
    assert client.is_channel_member(product.id, ana.id)
    assert not client.is_channel_member(product.id, client.user_by_username("chloe").id)
    root, reply = sorted((p for p in client.latest_posts(product.id, 9) if not p.type), key=lambda p: p.create_at)
    assert (root.user_id, reply.root_id, reply.message) == (ana.id, root.id, "Done")
    assert [r.emoji_name for r in client.reactions_to(root.id)] == ["tada"]
    assert "system_admin" not in ana.roles


def test_a_second_run_makes_nothing_twice_and_what_is_missing_again(
    admin: Api, company: Company, tmp_path: Path
) -> None:
    first = seed(admin, company, tmp_path / "out")
    again = seed(admin, company, tmp_path / "out")
    assert all(made == 0 for made, _ in again.counts.values())
    assert again.credentials == first.credentials
    assert texts(again, "product") == ["Done", "Ship **it** <script>alert(1)</script>"]
    ana = Api(admin.url, first.credentials.users["ana"])
    product = ana.channel("product")["id"]
    reply = next(p for p in ana.get(f"/channels/{product}/posts")["posts"].values() if p["message"] == "Done")
    admin.delete(f"/posts/{reply['id']}")
    admin.delete(f"/users/{ana.get('/users/me')['id']}")
    repaired = seed(admin, company, tmp_path / "out")
    assert repaired.counts["posts"] == (1, 3)
    assert Api(admin.url, repaired.credentials.users["ana"]).get("/users/me")["delete_at"] == 0


def test_a_run_without_its_folder_makes_new_tokens_and_nothing_else(
    admin: Api, company: Company, tmp_path: Path
) -> None:
    first = seed(admin, company, tmp_path / "one")
    second = seed(admin, company, tmp_path / "two")
    assert all(made == 0 for made, _ in second.counts.values())
    assert second.credentials.bot_token != first.credentials.bot_token
    assert len(texts(second, "product")) == 2


def test_a_run_that_was_cut_off_is_finished_by_the_next(admin: Api, company: Company, tmp_path: Path) -> None:
    def fault(spec: str) -> None:
        plan = read_plan(spec).model_dump(mode="json")
        headers = {"Authorization": f"Bearer {admin.token}"}
        answer = requests.put(f"{admin.url}/api/sandbox/misbehave", json=plan, headers=headers, timeout=60)
        assert answer.status_code == 200

    for spec in ("path=/channels,method=POST,after=1,times=1", "path=/posts,after=1"):
        fault(f"error:status=501,{spec}")
        with pytest.raises(MattermostError, match="501"):
            seed(admin, company, tmp_path / "out")
    fault("")
    done = seed(admin, company, tmp_path / "out")
    assert texts(done, "product") == ["Done", "Ship **it** <script>alert(1)</script>"]


def test_every_token_is_for_its_owner_alone_and_none_is_told(admin: Api, company: Company, tmp_path: Path) -> None:
    told: list[str] = []
    folder = tmp_path / "out"
    seeded = seed_server(admin.url, admin.token, company, folder, tell=told.append)
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {p.name: p.stat().st_mode & 0o777 for p in folder.iterdir()} == {
        "credentials.json": 0o600,
        "bot-token": 0o600,
    }
    assert (folder / "bot-token").read_text().strip() == seeded.credentials.bot_token
    tokens = [seeded.credentials.bot_token, seeded.credentials.calls_token, *seeded.credentials.users.values()]
    assert not any(str(t) in line for t in tokens for line in told)
    assert admin.token not in (folder / "credentials.json").read_text()
    assert load_credentials(folder).admin_token is None


def test_a_name_that_is_somebody_elses_is_left_alone(admin: Api, company: Company, tmp_path: Path) -> None:
    other = admin.post("/users", {"username": "ben", "email": "ben@real.example", "password": "long enough"})
    with pytest.raises(SandboxError, match="account ben that is not the sample company's"):
        seed(admin, company, tmp_path / "out")
    assert admin.get(f"/users/{other['id']}")["email"] == "ben@real.example"
    assert not (tmp_path / "out" / "credentials.json").exists()


def test_the_calls_plugins_own_bot_is_left_alone(admin: Api, company: Company, tmp_path: Path) -> None:
    plugins = admin.post("/bots", {"username": "calls", "display_name": "Calls", "description": "of the plugin"})
    seeded = seed(admin, company, tmp_path / "out")
    mine = Api(admin.url, seeded.credentials.calls_token or "").get("/users/me")
    assert (mine["username"], mine["id"] != plugins["user_id"]) == ("acme-calls", True)
    assert seed(admin, company, tmp_path / "out").counts["bots"] == (0, 2)


def test_only_an_admin_can_seed(admin: Api, company: Company, tmp_path: Path) -> None:
    seeded = seed(admin, company, tmp_path / "out")
    with pytest.raises(SandboxError, match="ana is no system admin"):
        seed_server(admin.url, seeded.credentials.users["ana"], company, tmp_path / "more")
    with pytest.raises(MattermostAuthError):
        seed_server(admin.url, "wrong", company, tmp_path / "more")
    assert not (tmp_path / "more").exists()


def test_the_tokens_of_one_server_are_not_used_on_another(admin: Api, company: Company, tmp_path: Path) -> None:
    seed(admin, company, tmp_path / "out")
    kept = json.loads((tmp_path / "out" / "credentials.json").read_text())
    (tmp_path / "out" / "credentials.json").write_text(json.dumps({**kept, "url": "https://chat.test"}))
    with pytest.raises(SandboxError, match=r"holds the tokens of https://chat\.test"):
        seed(admin, company, tmp_path / "out")


def test_each_server_has_a_folder_of_its_own(tmp_path: Path) -> None:
    folders = {
        folder_for(u, tmp_path).name for u in ("https://a.test", "a.test", "http://a.test:8065", "https://b.test")
    }
    assert folders == {"a.test", "a.test-8065", "b.test"}


def test_a_call_can_be_posted_there_by_accounts_that_may_do_nothing_special(
    admin: Api, company: Company, tmp_path: Path
) -> None:
    given: dict[str, Any] = {**COMPANY, "channels": [dict(c) for c in COMPANY["channels"]]}
    given["channels"][0]["members"] = ["ana", "ben", "meetings", "calls"]
    seeded = seed(admin, check_company(given, origin="company"), tmp_path / "out")
    (tmp_path / "call.mp4").write_bytes(b"no film")
    posted = post_call(
        seeded.credentials, tmp_path / "call.mp4", channel="product", title="Weekly", started_by="ana", duration=60
    )
    ana = Api(admin.url, seeded.credentials.users["ana"])
    props = ana.get(f"/posts/{posted.call_post_id}")["props"]
    assert [r["post_id"] for r in props["recordings"].values()] == [posted.recording_post_id]


@pytest.mark.slow
def test_from_the_command_line_with_the_company_that_comes_with_the_program(
    admin: Api, meetings: Meetings, tmp_path: Path
) -> None:
    (tmp_path / "admin").write_text(f"{admin.token}\n")
    done = meetings("sandbox", "seed", admin.url, "--admin-token-file", tmp_path / "admin")
    assert done.code == 0, done.err
    assert "people: 11 made, 0 there already" in done.out
    assert "channels: " in done.out
    assert admin.token not in done.out + done.err
    token_file = Path(next(line for line in done.out.splitlines() if "the bot's token" in line).split(": ")[1])
    bot = MattermostClient(admin.url, token_file.read_text().strip())
    assert bot.me().username == "meetings"
    again = meetings("sandbox", "seed", admin.url, "--json", env={"MEETINGS_LIVE_ADMIN_TOKEN": admin.token})
    assert set(again.json()["made"].values()) == {0}
    folder = again.json()["folder"]
    assert meetings("sandbox", "call", "--folder", folder, "--once", "--permalink").out.startswith(admin.url)
    assert meetings("sandbox", "dms", "--folder", folder).out == "no direct messages yet\n"
    assert f"MATTERMOST_URL={admin.url}" in meetings("sandbox", "env", "--folder", folder).out
    assert meetings("sandbox", "seed", admin.url).code == 2


def test_what_two_wrote_to_each_other_is_seeded_between_them_once(admin: Api, tmp_path: Path) -> None:
    direct = {"name": "ana__chloe", "display_name": "ana__chloe", "type": "D", "members": ["ana", "chloe"]}
    said = {"channel": "ana__chloe", "user": "chloe", "at": "-1d 11:00", "message": "Between us"}
    content = {
        **COMPANY,
        "channels": [*COMPANY["channels"], direct],
        "posts": [*COMPANY["posts"], said],
    }
    for _ in range(2):
        seeded = seed(admin, check_company(content, origin="company"), tmp_path / "out")
    ana = MattermostClient(admin.url, seeded.credentials.users["ana"])
    chloe = ana.user_by_username("chloe")
    assert [p.message for p in ana.latest_posts(ana.direct_channel(chloe.id), 9)] == ["Between us"]
