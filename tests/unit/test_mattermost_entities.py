"""What the server's JSON is read as; whatever else comes is said to be no Mattermost's."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meetings.errors import MattermostAnswerError
from meetings.mattermost import MattermostClient
from meetings.mattermost.entities import (
    channel_of,
    file_of,
    list_of,
    listed_of,
    many_of,
    post_of,
    posts_of,
    reaction_of,
    reactions_of,
    team_of,
    user_of,
)
from tests.odd_server import answer, odd_server

READERS: list[Callable[[Any], object]] = [
    user_of,
    team_of,
    channel_of,
    post_of,
    posts_of,
    listed_of,
    file_of,
    reaction_of,
    reactions_of,
    list_of,
]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["id", "username", "name", "order", "posts", "user_id", "channel_id", "create_at", "props"])
            | st.text(max_size=3),
            inner,
            max_size=6,
        )
    ),
    max_leaves=12,
)


@pytest.mark.parametrize("read", READERS, ids=lambda r: r.__name__)
@given(data=JSON)
def test_whatever_comes_is_read_or_refused_in_one_line(read: Callable[[Any], object], data: Any) -> None:
    with suppress(MattermostAnswerError):
        assert read(data) is not None


def test_an_answer_of_another_form_is_said_to_be_one() -> None:
    bodies: list[Any] = [{}, [], "words", 7]
    for body in bodies:
        with odd_server(answer(body)) as server, pytest.raises(MattermostAnswerError) as caught:
            MattermostClient(server.url, "token").user("x")
        assert "where Mattermost's has user" in str(caught.value)
        assert "\n" not in str(caught.value)


def test_null_for_a_list_is_an_empty_one() -> None:
    assert many_of(user_of, None) == ()
    assert posts_of({"order": None, "posts": None}) == ()


def test_copies_of_edited_posts_are_left_out_and_a_root_comes_once() -> None:
    posts = {
        "b": {"id": "b", "channel_id": "c", "create_at": 2},
        "a": {"id": "a", "channel_id": "c", "create_at": 1},
        "x": {"id": "x", "channel_id": "c", "create_at": 1, "original_id": "a"},
    }
    assert [p.id for p in posts_of({"order": ["a", "b", "x", "a"], "posts": posts})] == ["a", "b"]


@pytest.mark.parametrize(
    ("timezone", "zone"),
    [
        ({"useAutomaticTimezone": "true", "automaticTimezone": "Europe/Rome", "manualTimezone": "UTC"}, "Europe/Rome"),
        ({"useAutomaticTimezone": "false", "automaticTimezone": "UTC", "manualTimezone": "Asia/Tokyo"}, "Asia/Tokyo"),
        ({"useAutomaticTimezone": False, "manualTimezone": "Asia/Tokyo"}, "Asia/Tokyo"),
        ({"automaticTimezone": "Europe/Rome"}, "Europe/Rome"),
        ({}, ""),
        (None, ""),
        ("Europe/Rome", ""),
    ],
)
def test_the_zone_in_force_is_the_chosen_one_or_the_browsers(timezone: Any, zone: str) -> None:
    assert user_of({"id": "x", "username": "ana", "timezone": timezone}).timezone == zone


@pytest.mark.parametrize(
    ("roles", "guest", "admin"),
    [("system_user", False, False), ("system_guest", True, False), ("system_admin system_user", False, True)],
)
def test_roles_say_who_is_a_guest_and_who_an_admin(roles: str, guest: bool, admin: bool) -> None:
    user = user_of({"id": "x", "username": "ana", "roles": roles})
    assert (user.is_guest, user.is_admin) == (guest, admin)
