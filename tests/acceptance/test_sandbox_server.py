"""The sandbox over a real socket: what the recordings do not show, and the driver that the product uses."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests
from mattermostdriver import Driver

from meetings.errors import SandboxError, StorageError
from meetings.sandbox import Credentials, Sandbox, posts, run_in_thread
from tests.acceptance.sandbox_company import COMPANY, Api, api, sandbox_in

CONTENT = bytes(range(256)) * 40


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    with sandbox_in(tmp_path / "sandbox", max_file_size=100_000) as running:
        yield running


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """For tests that leave it as it was, or do not mind what others left."""
    with sandbox_in(tmp_path_factory.mktemp("shared") / "sandbox", max_file_size=100_000) as running:
        yield running


def refusal(response: requests.Response) -> tuple[int, str]:
    return response.status_code, response.json()["id"]


def test_the_real_driver_logs_in_by_token_posts_and_downloads(shared: Sandbox) -> None:
    port = int(shared.url.rsplit(":", 1)[1])
    options = {"scheme": "http", "url": "127.0.0.1", "port": port, "token": shared.bot_token}
    driver = Driver(options)
    driver.login()
    assert driver.client.username == "meetings"
    ana = driver.users.get_user_by_username("ana")
    direct = driver.channels.create_direct_message_channel([driver.client.userid, ana["id"]])
    uploaded = driver.files.upload_file(direct["id"], {"files": ("notes.bin", CONTENT)})
    file_id = uploaded["file_infos"][0]["id"]
    post = driver.posts.create_post({"channel_id": direct["id"], "message": "#### Weekly", "file_ids": [file_id]})
    assert post["props"]["from_bot"] == "true"
    assert driver.files.get_file(file_id).content == CONTENT
    read = api(shared, "ana").get(f"/channels/{direct['id']}/posts")
    assert [read["posts"][i]["message"] for i in read["order"]] == ["#### Weekly"]


def test_everything_survives_a_restart(tmp_path: Path) -> None:
    with sandbox_in(tmp_path / "sandbox") as first:
        ana = api(first, "ana")
        channel = ana.channel("product")
        file = ana.upload(channel["id"], "call.mp4", CONTENT)
        before = ana.write(channel["id"], "before", file_ids=[file["id"]])
        tokens = first.tokens
    with run_in_thread(tmp_path / "sandbox", company=COMPANY) as second:
        ana = api(second, "ana")
        assert second.tokens.users == tokens.users
        assert ana.get(f"/posts/{before['id']}")["message"] == "before"
        assert ana.send("GET", f"/files/{file['id']}").content == CONTENT
        assert ana.write(channel["id"], "after")["create_at"] > before["create_at"]


def test_a_start_that_fails_leaves_no_data_without_tokens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(Credentials, "save", full)
        with pytest.raises(StorageError, match="No space"), sandbox_in(tmp_path / "sandbox"):
            pass
    with sandbox_in(tmp_path / "sandbox") as again:
        assert api(again, "ana").get("/users/me")["username"] == "ana"


def test_a_damaged_database_is_said_to_be_one(tmp_path: Path) -> None:
    folder = tmp_path / "sandbox"
    folder.mkdir()
    (folder / "sandbox.db").write_bytes(b"no database" * 1000)
    with pytest.raises(SandboxError, match="meetings sandbox reset"), sandbox_in(folder):
        pass


def test_one_process_serves_a_folder_at_a_time(sandbox: Sandbox) -> None:
    with pytest.raises(SandboxError, match="another process"), sandbox_in(sandbox.folder):
        pass


def test_tokens_lie_in_a_file_that_only_its_owner_reads(shared: Sandbox) -> None:
    path = shared.folder / "credentials.json"
    assert path.stat().st_mode & 0o777 == 0o600
    assert shared.folder.stat().st_mode & 0o777 == 0o700
    kept = json.loads(path.read_text())
    assert set(kept) == {"url", "team", "bot_token", "calls_token", "admin_token", "users"}
    database = b"".join(p.read_bytes() for p in shared.folder.glob("sandbox.db*"))
    assert kept["bot_token"].encode() not in database


@pytest.mark.parametrize(
    ("given", "status", "part"),
    [
        ("bytes=0-9", 206, slice(0, 10)),
        ("bytes=1000-", 206, slice(1000, None)),
        ("bytes=-100", 206, slice(-100, None)),
        ("bytes=10-99999999", 206, slice(10, None)),
        ("bytes=99999999-", 416, None),
    ],
)
def test_a_part_of_a_file_is_answered_with_that_part(
    shared: Sandbox, given: str, status: int, part: slice | None
) -> None:
    ana = api(shared, "ana")
    file = ana.upload(ana.channel("product")["id"], "call.mp4", CONTENT)
    answer = ana.send("GET", f"/files/{file['id']}", headers={"Range": given})
    assert answer.status_code == status
    if part is not None:
        assert answer.content == CONTENT[part]
        start, end, _ = part.indices(len(CONTENT))
        assert answer.headers["Content-Range"] == f"bytes {start}-{end - 1}/{len(CONTENT)}"


def test_a_file_too_large_is_refused_and_leaves_nothing(sandbox: Sandbox) -> None:
    ana = api(sandbox, "ana")
    channel_id = ana.channel("product")["id"]
    large = bytes(100_001)
    raw = ana.send("POST", "/files", params={"channel_id": channel_id, "filename": "a.bin"}, data=large)
    form = ana.send("POST", "/files", data={"channel_id": channel_id}, files={"files": ("a.bin", large)})
    assert refusal(raw) == refusal(form) == (413, "api.file.upload_file.too_large_detailed.app_error")
    assert list((sandbox.folder / "files").iterdir()) == []
    body = {"data": bytes(1_200_000), "headers": {"Content-Type": "multipart/form-data; boundary=x"}}
    assert ana.send("POST", "/files", **body).status_code == 413


def test_a_file_goes_onto_one_post_of_its_own_uploader_only(shared: Sandbox) -> None:
    ana, ben = api(shared, "ana"), api(shared, "ben")
    channel_id = ana.channel("product")["id"]
    file_id = ana.upload(channel_id, "a.txt", b"words")["id"]
    assert "file_ids" not in ben.write(channel_id, "not mine", file_ids=[file_id])
    assert ana.write(channel_id, "mine", file_ids=[file_id])["file_ids"] == [file_id]
    assert "file_ids" not in ana.write(channel_id, "again", file_ids=[file_id])
    assert [f["name"] for f in ben.get(f"/posts/{ana.get(f'/files/{file_id}/info')['post_id']}/files/info")] == [
        "a.txt"
    ]


def test_a_page_in_an_upload_is_never_run(shared: Sandbox) -> None:
    ana = api(shared, "ana")
    file = ana.upload(ana.channel("product")["id"], "../x.html", b"<script>alert(1)</script>")
    answer = ana.send("GET", f"/files/{file['id']}")
    assert file["name"] == "x.html"
    assert answer.headers["Content-Type"].startswith("text/plain")
    assert answer.headers["Content-Disposition"].startswith("attachment;")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    ("who", "method", "path", "body", "expected"),
    [
        (
            "ana",
            "POST",
            "/posts",
            {"channel_id": "{secret}", "message": "x"},
            (403, "api.context.permissions.app_error"),
        ),
        ("ana", "POST", "/posts", {"channel_id": "x"}, (403, "api.context.permissions.app_error")),
        ("ana", "POST", "/posts", [], (400, "api.context.invalid_body_param.app_error")),
        (
            "ana",
            "POST",
            "/posts",
            {"channel_id": "{product}", "props": {"a": "x" * 8_000}},
            (400, "model.post.is_valid.props.app_error"),
        ),
        (
            "ana",
            "POST",
            "/posts",
            {"channel_id": "{product}", "root_id": "z" * 26},
            (400, "api.post.create_post.root_id.app_error"),
        ),
        (
            "ana",
            "POST",
            "/posts",
            {"channel_id": "{product}", "type": "system_join_channel"},
            (400, "api.context.invalid_body_param.app_error"),
        ),
        ("ana", "GET", "/channels/{secret}/posts", None, (403, "api.context.permissions.app_error")),
        ("ana", "GET", "/channels/{secret}", None, (403, "api.context.permissions.app_error")),
        ("ana", "GET", "/channels/{product}/posts?since=soon", None, (400, "api.context.invalid_body_param.app_error")),
        ("ana", "GET", "/channels/{product}/posts?before=x", None, (400, "api.context.invalid_body_param.app_error")),
        (
            "ana",
            "GET",
            "/teams/name/acme/channels/name/secret",
            None,
            (404, "app.channel.get_by_name.missing.app_error"),
        ),
        ("ana", "DELETE", "/users/{ben}", None, (403, "api.context.permissions.app_error")),
        ("ana", "POST", "/users/{ben}/tokens", {"description": "x"}, (403, "api.context.permissions.app_error")),
        ("ana", "POST", "/bots", {"username": "x"}, (403, "api.context.permissions.app_error")),
        ("ana", "POST", "/hooks/outgoing", {"team_id": "{team}"}, (403, "api.context.permissions.app_error")),
        ("ana", "POST", "/reactions", {}, (400, "api.reaction.save_reaction.invalid.app_error")),
        ("ana", "POST", "/channels/direct", ["z" * 26], (400, "api.context.invalid_body_param.app_error")),
        ("ana", "PATCH", "/posts", {}, (404, "api.context.404.app_error")),
    ],
)
def test_what_is_not_allowed_is_refused_by_name(
    shared: Sandbox, who: str, method: str, path: str, body: Any, expected: tuple[int, str]
) -> None:
    admin = api(shared, "admin")
    known = {name: admin.channel(name)["id"] for name in ("product", "secret")}
    known["team"] = admin.get("/teams/name/acme")["id"]
    known["ben"] = admin.get("/users/username/ben")["id"]
    text = json.dumps(body)
    for name, value in known.items():
        path, text = path.replace(f"{{{name}}}", value), text.replace(f"{{{name}}}", value)
    answer = api(shared, who).send(method, path, json=json.loads(text))
    assert refusal(answer) == expected


def test_posts_of_others_cannot_be_edited_or_deleted(shared: Sandbox) -> None:
    ana, ben = api(shared, "ana"), api(shared, "ben")
    post = ana.write(ana.channel("product")["id"], "mine")
    assert ben.send("PUT", f"/posts/{post['id']}/patch", json={"message": "yours"}).status_code == 403
    assert ben.send("DELETE", f"/posts/{post['id']}").status_code == 403
    assert ana.get(f"/posts/{post['id']}")["message"] == "mine"


def test_more_than_200_a_page_are_200_without_a_word(tmp_path: Path) -> None:
    many = [{"channel": "product", "user": "ana", "at": "-1d 09:00", "message": str(n)} for n in range(205)]
    with run_in_thread(tmp_path / "sandbox", company={**COMPANY, "posts": many}) as sandbox:
        ana = api(sandbox, "ana")
        path = f"/channels/{ana.channel('product')['id']}/posts"
        assert len(ana.get(f"{path}?per_page=500")["order"]) == 200
        assert len(ana.get(path)["order"]) == 60


def test_a_pending_post_id_is_forgotten_after_a_while(shared: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    ana = api(shared, "ana")
    channel_id = ana.channel("product")["id"]

    def write() -> str:
        return str(ana.write(channel_id, "once", pending_post_id="ana:1")["id"])

    first = write()
    assert write() == first
    monkeypatch.setattr(posts, "PENDING_SECONDS", 0.0)
    assert write() != first


def test_a_deactivated_account_is_out_until_it_comes_back(shared: Sandbox) -> None:
    ana, admin = api(shared, "ana"), api(shared, "admin")
    user_id = ana.get("/users/me")["id"]
    admin.delete(f"/users/{user_id}")
    assert ana.send("GET", "/users/me").status_code == 401
    assert admin.get(f"/users/{user_id}")["delete_at"] > 0
    admin.put(f"/users/{user_id}/active", {"active": True})
    assert ana.get("/users/me")["delete_at"] == 0


def test_a_session_ends_with_logout(shared: Sandbox) -> None:
    body = {"username": "eve", "email": "eve@acme.example", "password": "long enough"}
    requests.post(f"{shared.url}/api/v4/users", json=body, timeout=60)
    login = {"login_id": "eve@acme.example", "password": "long enough"}
    answer = requests.post(f"{shared.url}/api/v4/users/login", json=login, timeout=60)
    eve = Api(shared.url, answer.headers["Token"])
    assert eve.get("/users/me")["roles"] == "system_user"
    eve.post("/users/logout", {})
    assert eve.send("GET", "/users/me").status_code == 401


def test_an_unchanged_answer_is_304(shared: Sandbox) -> None:
    ana = api(shared, "ana")
    path = f"/channels/{ana.channel('product')['id']}/posts"
    etag = ana.send("GET", path).headers["Etag"]
    same = ana.send("GET", path, headers={"If-None-Match": etag})
    assert (same.status_code, same.content) == (304, b"")
    ana.write(ana.channel("product")["id"], "news")
    assert ana.send("GET", path, headers={"If-None-Match": etag}).status_code == 200


def test_search_stays_in_the_searchers_channels(sandbox: Sandbox) -> None:
    ana, chloe = api(sandbox, "ana"), api(sandbox, "chloe")
    team_id = ana.get("/teams/name/acme")["id"]

    def find(who: Api, terms: str) -> int:
        return len(who.post(f"/teams/{team_id}/posts/search", {"terms": terms, "is_or_search": False})["order"])

    assert [find(ana, "nobody"), find(chloe, "nobody")] == [0, 1]
    assert [find(ana, "from:ana"), find(ana, "from:ben"), find(ana, "in:product")] == [1, 1, 2]
    assert [find(ana, "on:2026-11-21"), find(ana, "after:2026-11-21"), find(ana, "before:2026-11-21")] == [2, 0, 0]


def test_a_webhook_fires_for_its_words_in_open_channels_only(sandbox: Sandbox) -> None:
    heard: list[tuple[Mapping[str, str], bytes]] = []
    done = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            heard.append((dict(self.headers), self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()
            if b"text=last" in heard[-1][1]:
                done.set()

        def log_message(self, format: str, *args: object) -> None:
            return

    admin = api(sandbox, "admin")
    server = HTTPServer(("127.0.0.1", 0), Handler)
    listener = threading.Thread(target=server.serve_forever)
    listener.start()
    try:
        hook = {
            "team_id": admin.get("/teams/name/acme")["id"],
            "display_name": "words",
            "trigger_words": ["Here's", "last"],
            "callback_urls": [f"http://127.0.0.1:{server.server_port}/"],
        }
        admin.post("/hooks/outgoing", hook)
        ana, chloe = api(sandbox, "ana"), api(sandbox, "chloe")
        product = ana.channel("product")["id"]
        ana.write(product, "nothing Here's")
        ana.write(product, "Here's the recording")
        chloe.write(chloe.channel("secret")["id"], "Here's a secret")
        ana.write(product, "last")
        assert done.wait(30)
    finally:
        server.shutdown()
        server.server_close()
        listener.join()
    texts = sorted(body.split(b"text=")[1].split(b"&")[0] for _, body in heard)
    assert texts == [b"Here%27s+the+recording", b"last"]
    assert {headers["Content-Type"] for headers, _ in heard} == {"application/x-www-form-urlencoded"}


def test_a_pending_post_id_whose_post_is_gone_is_refused_as_the_server_does(shared: Sandbox) -> None:
    ana = api(shared, "ana")
    channel_id = ana.channel("product")["id"]
    post = ana.write(channel_id, "gone", pending_post_id="ana:gone")
    ana.delete(f"/posts/{post['id']}")
    again = {"channel_id": channel_id, "message": "gone", "pending_post_id": "ana:gone"}
    refused = refusal(ana.send("POST", "/posts", json=again))
    assert refused == (500, "api.post.deduplicate_create_post.failed_to_get")
