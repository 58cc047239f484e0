"""A message goes to the right people, once, and not after what it is about has gone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from meetings.mattermost import MattermostClient, Outcome, deliver
from meetings.sandbox import Sandbox
from tests.acceptance.sandbox_company import api, sandbox_in


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    with sandbox_in(tmp_path / "sandbox") as running:
        yield running


def send(sandbox: Sandbox, username: str = "ana", message: str = "Your summary", **more: Any) -> Outcome:
    client = MattermostClient(sandbox.url, sandbox.bot_token or "")
    channel = client.channel_by_name("acme", "product").id
    return deliver(client, username, message, recording="r" * 26, channel_id=channel, **more)


def test_a_changed_summary_edits_the_message_that_is_there(sandbox: Sandbox) -> None:
    first = send(sandbox)
    second = send(sandbox, message="Your summary, corrected")
    assert (first.status, second.status) == ("sent", "edited")
    assert second.post_id == first.post_id


def test_a_message_that_somebody_deleted_is_not_sent_again(sandbox: Sandbox) -> None:
    sent = send(sandbox)
    MattermostClient(sandbox.url, sandbox.bot_token or "").delete_post(sent.post_id)
    again = send(sandbox, noted=sent.post_id, noted_key=sent.key)
    assert (again.status, again.reason) == ("skipped", "the message was deleted")


def test_a_message_of_who_had_the_username_before_is_left_alone(sandbox: Sandbox) -> None:
    anas = send(sandbox, "ana", "for Ana alone")
    bens = send(sandbox, "ben", "for Ben alone", noted=anas.post_id, noted_key=anas.key)
    client = MattermostClient(sandbox.url, sandbox.bot_token or "")
    assert bens.post_id != anas.post_id
    assert client.post(anas.post_id).message.startswith("for Ana alone")


def test_a_recording_that_was_deleted_is_told_to_nobody(sandbox: Sandbox) -> None:
    ana = api(sandbox, "ana")
    post = ana.write(ana.channel("product")["id"], "the recording")
    assert send(sandbox, post_id=post["id"]).status == "sent"
    ana.delete(f"/posts/{post['id']}")
    gone = send(sandbox, "ben", post_id=post["id"])
    assert (gone.status, gone.reason) == ("skipped", "the recording was deleted")


def test_who_left_the_channel_meanwhile_gets_nothing(sandbox: Sandbox) -> None:
    ben = api(sandbox, "ben")
    ben.delete(f"/channels/{ben.channel('product')['id']}/members/{ben.get('/users/me')['id']}")
    assert send(sandbox, "ben").reason == "not a member of the recording's channel"


def test_who_is_deactivated_meanwhile_gets_nothing(sandbox: Sandbox) -> None:
    admin = api(sandbox, "admin")
    ben = admin.get("/users/username/ben")["id"]
    admin.delete(f"/users/{ben}")
    assert send(sandbox, "ben").reason == "the account is deactivated"


def test_the_first_message_introduces_the_bot_and_the_next_does_not(sandbox: Sandbox) -> None:
    client = MattermostClient(sandbox.url, sandbox.bot_token or "")
    channel = client.channel_by_name("acme", "product").id
    posts = [
        client.post(deliver(client, "ana", "Your summary", recording=name * 26, channel_id=channel).post_id)
        for name in "ab"
    ]
    assert ["**stop**" in p.message for p in posts] == [True, False]
    # Corrected, the first one still introduces.
    deliver(client, "ana", "Corrected", recording="a" * 26, channel_id=channel)
    assert "**stop**" in client.post(posts[0].id).message
