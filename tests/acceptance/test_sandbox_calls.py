"""A recorded call arrives in the sandbox as the Calls plugin posts it, and the product's own client finds it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import websockets.sync.client

from meetings.errors import RecordingNotFoundError, SandboxError
from meetings.mattermost import MattermostClient, find_recording
from meetings.sandbox import Call, Sandbox, post_call, read_direct_messages
from tests.acceptance.sandbox_company import api, sandbox_in

VTT = """WEBVTT

00:00:00.500 --> 00:00:02.000
<v Ana Ruiz>(Ana Ruiz) Good morning
"""


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    with sandbox_in(tmp_path / "sandbox") as running:
        yield running


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    path = tmp_path / "call.mp4"
    path.write_bytes(b"\x00\x00\x00\x18ftypmp42" + bytes(5_000))
    return path


def call(sandbox: Sandbox, recording: Path, *, transcription: Path | None = None, once: bool = False) -> Call:
    return post_call(
        sandbox.tokens,
        recording,
        channel="product",
        title="Weekly",
        started_by="ana",
        participants=["ben"],
        duration=90,
        transcription=transcription,
        once=once,
    )


def test_the_posts_are_those_of_the_plugin(sandbox: Sandbox, recording: Path) -> None:
    posted = call(sandbox, recording)
    ana = api(sandbox, "ana")
    ids = {name: ana.get(f"/users/username/{name}")["id"] for name in ("ana", "ben", "calls")}
    thread = ana.get(f"/posts/{posted.call_post_id}/thread")["posts"]
    root, reply = thread[posted.call_post_id], thread[posted.recording_post_id]
    assert (root["type"], root["user_id"], root["message"]) == ("custom_calls", ids["ana"], "Call ended")
    assert root["props"]["end_at"] - root["props"]["start_at"] == 90_000
    assert root["props"]["title"] == "Weekly"
    assert root["props"]["participants"] == [ids["ana"], ids["ben"]]
    [(job, entry)] = root["props"]["recordings"].items()
    assert entry == {"file_id": posted.file_id, "post_id": reply["id"], "tr_id": ""}
    assert (reply["type"], reply["user_id"], reply["root_id"]) == ("custom_calls_recording", ids["calls"], root["id"])
    assert reply["message"].startswith("Here's the call recording of Weekly at ")
    assert reply["file_ids"] == [posted.file_id]
    assert reply["props"] == {"call_post_id": root["id"], "from_bot": "true", "recording_id": job}
    assert posted.permalink == sandbox.permalink(reply["id"])


def test_a_listening_bot_hears_of_it_in_the_plugins_order(sandbox: Sandbox, recording: Path) -> None:
    url = sandbox.url.replace("http", "ws") + "/api/v4/websocket"
    headers = {"Authorization": f"Bearer {sandbox.bot_token}"}
    heard = []
    with websockets.sync.client.connect(url, additional_headers=headers) as socket:
        call(sandbox, recording)
        while len(heard) < 5:
            frame = json.loads(socket.recv(timeout=60))
            if "post" in frame["data"]:
                post = json.loads(frame["data"]["post"])
                heard.append((frame["event"], post["type"], "end_at" in post["props"]))
    assert heard == [
        ("posted", "custom_calls", False),
        ("post_edited", "custom_calls", False),
        ("post_edited", "custom_calls", True),
        ("posted", "custom_calls_recording", False),
        ("post_edited", "custom_calls", True),
    ]


def test_the_products_client_finds_the_recording_and_its_captions(
    sandbox: Sandbox, recording: Path, tmp_path: Path
) -> None:
    vtt = tmp_path / "call.vtt"
    vtt.write_text(VTT)
    posted = call(sandbox, recording, transcription=vtt)
    client = MattermostClient(sandbox.url, sandbox.bot_token)
    found = find_recording(client, posted.permalink)
    assert found.file.id == posted.file_id
    assert found.file.name.startswith("Weekly_")
    assert found.transcript_file_id is not None
    assert client.read_file(found.transcript_file_id).decode() == VTT
    ana = api(sandbox, "ana")
    transcription = ana.get(f"/posts/{posted.transcription_post_id}")
    assert transcription["type"] == "custom_calls_transcription"
    assert client.read_file(transcription["file_ids"][0]).decode() == "Ana Ruiz: (Ana Ruiz) Good morning\n"
    root = ana.get(f"/posts/{posted.call_post_id}")["props"]
    [(tr_id, entry)] = root["transcriptions"].items()
    assert [r["tr_id"] for r in root["recordings"].values()] == [tr_id]
    assert entry["file_id"] == found.transcript_file_id
    assert ana.get(f"/posts/{posted.recording_post_id}")["props"]["captions"][0]["file_id"] == found.transcript_file_id


def test_whoever_is_not_in_the_channel_cannot_read_recording_or_captions(
    sandbox: Sandbox, recording: Path, tmp_path: Path
) -> None:
    vtt = tmp_path / "call.vtt"
    vtt.write_text(VTT)
    posted = call(sandbox, recording, transcription=vtt)
    captions = api(sandbox, "ana").get(f"/posts/{posted.recording_post_id}")["props"]["captions"][0]["file_id"]
    for file_id in (posted.file_id, captions):
        assert api(sandbox, "chloe").send("GET", f"/files/{file_id}").status_code == 403


def test_the_same_recording_is_posted_once_when_asked_so(sandbox: Sandbox, recording: Path) -> None:
    first, second, third = (call(sandbox, recording), call(sandbox, recording, once=True), call(sandbox, recording))
    assert (first.fresh, second.fresh, third.fresh) == (True, False, True)
    assert second.recording_post_id == first.recording_post_id != third.recording_post_id
    recording.write_bytes(b"another film")
    assert call(sandbox, recording, once=True).fresh


def test_without_participants_everybody_in_the_channel_was_there(sandbox: Sandbox, recording: Path) -> None:
    posted = post_call(sandbox.tokens, recording, channel="product", title="", started_by="ben", duration=1)
    ana = api(sandbox, "ana")
    wanted = [ana.get(f"/users/username/{name}")["id"] for name in ("ben", "ana")]
    assert ana.get(f"/posts/{posted.call_post_id}")["props"]["participants"] == wanted
    assert ana.get(f"/posts/{posted.recording_post_id}")["message"] == "Here's the call recording"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"channel": "none"}, "no channel 'none'"),
        ({"started_by": "eve"}, "no user 'eve'; known: ana, ben, chloe"),
        ({"started_by": "chloe"}, "chloe is not a member of product; its members: ana, ben"),
        ({"participants": ["chloe"]}, "chloe is not a member of product"),
    ],
)
def test_a_call_that_cannot_have_been_is_refused(
    sandbox: Sandbox, recording: Path, change: dict[str, object], says: str
) -> None:
    given: dict[str, Any] = {"channel": "product", "title": "T", "started_by": "ana", "duration": 1, **change}
    with pytest.raises(SandboxError, match=says):
        post_call(sandbox.tokens, recording, **given)
    product = api(sandbox, "ana").channel("product")["id"]
    assert len(api(sandbox, "ana").get(f"/channels/{product}/posts")["order"]) == 2


def test_a_recording_that_is_not_there_is_named(sandbox: Sandbox, tmp_path: Path) -> None:
    with pytest.raises(RecordingNotFoundError, match=r"none\.mp4"):
        call(sandbox, tmp_path / "none.mp4")


def test_the_bots_messages_are_listed_by_person(sandbox: Sandbox) -> None:
    bot = api(sandbox, "bot")
    for name in ("ben", "ana"):
        pair = [bot.get("/users/me")["id"], bot.get(f"/users/username/{name}")["id"]]
        channel_id = bot.post("/channels/direct", pair)["id"]
        for text in ("one", "two"):
            bot.write(channel_id, f"{text} for {name}")
        api(sandbox, name).write(channel_id, "thanks")
    found = read_direct_messages(sandbox.tokens)
    assert [(d.username, d.message) for d in found] == [
        ("ana", "one for ana"),
        ("ana", "two for ana"),
        ("ben", "one for ben"),
        ("ben", "two for ben"),
    ]
    assert (found[0].name, found[0].position) == ("Ana Ruiz", "Engineer")
    assert [d.username for d in read_direct_messages(sandbox.tokens, person="ben")] == ["ben", "ben"]
    with pytest.raises(SandboxError, match="no user 'eve'"):
        read_direct_messages(sandbox.tokens, person="eve")
