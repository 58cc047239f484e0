"""Frames of the server's socket become events; what is no frame becomes nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meetings.mattermost.events import Hello, MemberChanged, Other, PostGone, PostWritten, Reacted, Reply, read_frame
from meetings.mattermost.socket import FIRST_WAIT, LONGEST_WAIT, Order, back_off, socket_address

RECORDED = Path(__file__).parents[1] / "data" / "mattermost" / "websocket.json"


def recorded() -> list[dict[str, Any]]:
    frames: list[dict[str, Any]] = json.loads(RECORDED.read_text())["bot"]
    return frames


def test_every_recorded_frame_is_understood() -> None:
    assert all(read_frame(json.dumps(frame)) is not None for frame in recorded())


def test_recorded_events_are_read_as_what_they_are() -> None:
    kinds = [type(read_frame(json.dumps(frame))) for frame in recorded()]
    assert kinds[:2] == [Hello, Reply]
    assert {PostWritten, PostGone, Reacted, MemberChanged, Other} <= set(kinds)


def test_a_posts_fields_come_out_of_the_string_they_are_in() -> None:
    frame = next(f for f in recorded() if f.get("event") == "posted" and "otherFile" in f["data"])
    event = read_frame(json.dumps(frame))
    assert isinstance(event, PostWritten)
    assert event.post.file_ids == tuple(json.loads(frame["data"]["post"])["file_ids"])
    assert event.channel_type == "O"
    assert not event.edited


def test_a_post_given_as_an_object_is_read_too() -> None:
    post = {"id": "p" * 26, "channel_id": "c" * 26, "message": "hello"}
    event = read_frame(json.dumps({"event": "post_edited", "data": {"post": post}, "seq": 4}))
    assert isinstance(event, PostWritten)
    assert event.edited
    assert event.post.message == "hello"


def test_who_was_removed_is_told_by_the_broadcast() -> None:
    frame = next(f for f in recorded() if f.get("event") == "user_removed")
    event = read_frame(json.dumps(frame))
    assert isinstance(event, MemberChanged)
    assert event.removed
    assert event.user_id == frame["broadcast"]["user_id"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=5),
    max_leaves=20,
)
NAMES = ["posted", "post_edited", "post_deleted", "reaction_added", "user_added", "user_removed", "hello", "typing"]


@given(st.text(max_size=200) | JSON.map(json.dumps))
def test_no_text_breaks_the_reader(text: str) -> None:
    read_frame(text)


@given(
    st.sampled_from(NAMES), st.dictionaries(st.sampled_from(["post", "reaction", "user_id", "channel_id"]), JSON), JSON
)
def test_no_event_breaks_the_reader(name: str, data: dict[str, Any], broadcast: Any) -> None:
    frame = read_frame(json.dumps({"event": name, "data": data, "broadcast": broadcast, "seq": 3}))
    assert frame is not None
    assert not isinstance(frame, Reply)
    assert frame.seq == 3


def test_events_in_order_are_all_new_and_none_is_missing() -> None:
    order = Order()
    assert [order.take(n) for n in range(5)] == [(False, True)] * 5


def test_a_number_left_out_is_noticed() -> None:
    order = Order()
    order.take(1)
    assert order.take(4) == (True, True)


def test_an_event_that_comes_twice_is_taken_once() -> None:
    order = Order()
    order.take(1)
    assert order.take(1) == (False, False)


def test_an_event_that_comes_late_is_taken_when_it_comes() -> None:
    order = Order()
    order.take(1)
    order.take(3)
    assert order.take(2) == (False, True)
    assert order.take(2) == (False, False)


@given(st.permutations(range(1, 40)))
def test_in_any_order_each_event_is_taken_once(numbers: list[int]) -> None:
    order = Order()
    taken = [n for n in numbers + numbers if order.take(n)[1]]
    assert sorted(taken) == list(range(1, 40))


@pytest.mark.parametrize(
    ("attempt", "ceiling"), [(0, FIRST_WAIT), (1, 1.0), (3, 4.0), (7, LONGEST_WAIT), (500, LONGEST_WAIT)]
)
def test_waits_grow_to_a_minute(attempt: int, ceiling: float) -> None:
    assert back_off(attempt, draw=lambda _low, high: high) == ceiling
    assert back_off(attempt, draw=lambda low, _high: low) == ceiling / 2


@pytest.mark.parametrize(
    ("site", "address"),
    [
        ("https://chat.example.org", "wss://chat.example.org/api/v4/websocket"),
        ("http://127.0.0.1:8065", "ws://127.0.0.1:8065/api/v4/websocket"),
        ("https://example.org/chat", "wss://example.org/chat/api/v4/websocket"),
    ],
)
def test_the_socket_is_where_the_site_is(site: str, address: str) -> None:
    assert socket_address(site) == address
