"""A call in Mattermost, from its recording to everybody's direct message, over a real socket."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from meetings.mattermost import MattermostClient, find_recording, read_contexts
from meetings.mattermost.delivery import INTRODUCTION, KEY_PROP, deliver, find_delivered
from meetings.sandbox import Sandbox, post_call, run_in_thread
from tests.acceptance.conftest import Meetings

COMPANY = Path(__file__).parents[2] / "meetings" / "sandbox" / "data" / "company.yml"
PARTICIPANTS = ["maya.chen", "ben.okafor", "laura.stein", "oscar.lind", "nadia.haddad"]


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    with run_in_thread(tmp_path / "sandbox", company=COMPANY, now=datetime(2026, 11, 19, 10, tzinfo=UTC)) as running:
        yield running


@pytest.fixture
def client(sandbox: Sandbox) -> MattermostClient:
    return MattermostClient(sandbox.url, sandbox.bot_token)


def env(sandbox: Sandbox) -> dict[str, str]:
    return {"MATTERMOST_URL": sandbox.url, "MATTERMOST_TOKEN": sandbox.bot_token}


def messages(sandbox: Sandbox, client: MattermostClient, username: str) -> list[str]:
    """What the bot wrote to one person, oldest first."""
    direct = client.direct_channel(client.user_by_username(username).id)
    me = client.me().id
    return [p.message for p in reversed(list(client.latest_posts(direct, 50))) if p.user_id == me]


@pytest.mark.models
@pytest.mark.slow
def test_each_member_gets_one_message_of_their_own(
    sandbox: Sandbox, client: MattermostClient, meetings: Meetings, talk: Path
) -> None:
    call = post_call(
        sandbox.tokens,
        talk,
        channel="product",
        title="Weekly",
        started_by="maya.chen",
        participants=PARTICIPANTS,
        duration=40.0,
    )
    done = meetings("process", call.permalink, "--deliver", "--out", "out", "--json", env=env(sandbox))
    assert done.code == 0, done.err
    report = done.json()
    members = {
        client.user(u).username
        for u in client.channel_member_ids(client.post(call.call_post_id).channel_id)
        if not client.user(u).is_bot
    }
    assert {d["username"] for d in report["deliveries"]} == members
    assert {d["status"] for d in report["deliveries"]} == {"sent"}
    texts = {m: messages(sandbox, client, m) for m in members}
    assert all(len(t) == 1 for t in texts.values())
    assert messages(sandbox, client, "sara.novak") == []  # not a member of the channel

    again = meetings("process", call.permalink, "--deliver", "--out", "out", "--json", env=env(sandbox))
    assert again.code == 0, again.err
    assert {m: messages(sandbox, client, m) for m in members} == texts

    (meetings.cwd / "two.yml").write_text(
        "- username: laura.stein\n  name: Laura Stein\n  position: Head of Content\n"
        "- username: sara.novak\n  name: Sara Novak\n  position: Finance Manager\n"
    )
    listed = meetings(
        "process", call.recording_post_id, "--people", "two.yml", "--deliver", "--out", "o2", "--json", env=env(sandbox)
    )
    assert listed.code == 0, listed.err
    assert [d["username"] for d in listed.json()["deliveries"]] == ["laura.stein"]
    assert any("sara.novak gets no summary" in n for n in listed.json()["notes"])
    assert len(messages(sandbox, client, "laura.stein")) == 1
    assert all(
        s["reused"] for s in listed.json()["stages"] if s["stage"] in {"fetch", "audio", "transcription", "diarization"}
    )


def test_a_message_is_posted_once_then_corrected(sandbox: Sandbox, client: MattermostClient) -> None:
    def tell(text: str) -> str:
        return deliver(client, "ben.okafor", text, recording="r1", channel_id=None).status

    assert [tell("one"), tell("one"), tell("two"), tell("two")] == ["sent", "unchanged", "edited", "unchanged"]
    (message,) = messages(sandbox, client, "ben.okafor")
    assert message.startswith("two\n")
    assert message.endswith(INTRODUCTION)


def test_a_message_posted_just_before_death_is_found_again(sandbox: Sandbox, client: MattermostClient) -> None:
    user = client.user_by_username("ben.okafor")
    direct = client.direct_channel(user.id)
    client.create_post(direct, "hello", props={KEY_PROP: f"r1:{user.id}"})
    assert deliver(client, "ben.okafor", "hello", recording="r1", channel_id=None).status == "unchanged"
    assert find_delivered(client, direct, f"r2:{user.id}") is None


@pytest.mark.parametrize(
    ("username", "channel", "reason"),
    [
        ("sara.novak", "product", "not a member of the recording's channel"),
        ("calls", "product", "the account is a bot"),
        ("nobody.here", "product", "no such account on this server"),
    ],
)
def test_the_wrong_people_get_nothing_and_the_reason_is_said(
    client: MattermostClient, username: str, channel: str, reason: str
) -> None:
    where = client.channel_by_name("paperlane", channel)
    outcome = deliver(client, username, "secret", recording="r1", channel_id=where.id)
    assert (outcome.status, outcome.reason) == ("skipped", reason)


def test_a_recording_is_found_by_link_post_file_and_call(
    sandbox: Sandbox, client: MattermostClient, tmp_path: Path
) -> None:
    (tmp_path / "call.mp4").write_bytes(b"not really a film")
    call = post_call(
        sandbox.tokens,
        tmp_path / "call.mp4",
        channel="product",
        title="Weekly",
        started_by="maya.chen",
        participants=PARTICIPANTS,
        duration=40.0,
    )
    found = [
        find_recording(client, ref) for ref in (call.permalink, call.recording_post_id, call.file_id, call.call_post_id)
    ]
    assert all(f == found[0] for f in found)
    assert found[0].title == "Weekly"
    assert {client.user(u).username for u in found[0].participant_ids} == set(PARTICIPANTS)
    client.download(found[0].file, tmp_path / "again.mp4")
    assert (tmp_path / "again.mp4").read_bytes() == b"not really a film"


def test_a_persons_context_comes_from_shared_channels_only(sandbox: Sandbox, client: MattermostClient) -> None:
    grace = client.user_by_username("grace.adams")
    now = int(datetime(2026, 11, 19, 10, tzinfo=UTC).timestamp() * 1000)
    context = read_contexts(client, [grace], now=now)["grace.adams"]
    names = {c.name for c in context.channels}
    assert "sales" in names
    assert "leadership" not in names  # the bot is not in it
    assert {p.kind for p in context.posts} >= {"own", "reacted"}
    assert {p.channel for p in context.posts} <= names


@pytest.mark.parametrize(
    ("change", "code", "says"),
    [
        ({"MATTERMOST_TOKEN": "wrong"}, 1, "refuses the token"),
        ({"MATTERMOST_URL": "http://127.0.0.1:9"}, 1, "does not answer"),
        ({"MATTERMOST_URL": "not a url"}, 1, "mattermost_url"),
    ],
)
def test_a_server_that_cannot_be_used_is_named(
    sandbox: Sandbox, meetings: Meetings, change: dict[str, str], code: int, says: str
) -> None:
    done = meetings("process", f"{sandbox.url}/paperlane/pl/{'a' * 26}", env={**env(sandbox), **change})
    assert done.code == code
    assert says in done.error_line()


def test_a_recording_in_a_channel_the_bot_is_not_in_is_refused(
    sandbox: Sandbox, meetings: Meetings, tmp_path: Path
) -> None:
    (tmp_path / "call.mp4").write_bytes(b"x" * 100)
    call = post_call(
        sandbox.tokens,
        tmp_path / "call.mp4",
        channel="leadership",
        title="Board",
        started_by="grace.adams",
        participants=["grace.adams", "maya.chen"],
        duration=40.0,
    )
    done = meetings("process", call.permalink, env=env(sandbox))
    assert done.code == 1
    assert "add the bot" in done.error_line()


def test_a_deleted_recording_is_said_to_be_gone(sandbox: Sandbox, meetings: Meetings) -> None:
    done = meetings("process", "a" * 26, env=env(sandbox))
    assert done.code == 1
    assert "deleted" in done.error_line()


def test_the_doctor_proves_each_permission(sandbox: Sandbox, meetings: Meetings) -> None:
    done = meetings("doctor", "--json", env=env(sandbox))
    found = {f["check"]: f["state"] for f in json.loads(done.out)}
    assert done.code == 0, done.out
    proved = (
        "account",
        "channels",
        "reading posts",
        "reading members",
        "reading recordings",
        "direct messages",
        "socket",
    )
    assert {check: found[check] for check in proved} == dict.fromkeys(proved, "ok")
    broken = meetings("doctor", env={**env(sandbox), "MATTERMOST_TOKEN": "wrong"})
    assert broken.code == 1
    assert "MATTERMOST_TOKEN" in broken.out


def test_what_mattermost_knows_of_a_person_is_laid_open_with_reasons(sandbox: Sandbox, meetings: Meetings) -> None:
    shown = meetings("people", "show", "nadia.haddad", "--json", env=env(sandbox))
    assert shown.code == 0, shown.err
    found = shown.json()
    sources = {i["source"] for i in found["ingredients"]}
    assert {"position", "profile", "own post", "channel"} <= sources
    assert all(i["why"] for i in found["ingredients"])
    plain = meetings("people", "show", "@nadia.haddad", "--why", env=env(sandbox))
    assert "a post of their own weighs 0.7, half of it after 14 days" in plain.out
    nobody = meetings("people", "show", "nobody.here", env=env(sandbox))
    assert nobody.code == 1
    assert len(nobody.err.strip().splitlines()) == 1


def test_without_a_server_and_a_file_nobody_can_be_shown(meetings: Meetings) -> None:
    done = meetings("people", "show", "ana")
    assert done.code == 1
    assert "--people" in done.err
    assert "MATTERMOST_URL" in done.err
