"""What a company's file may say, and the sandbox that comes of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from meetings.errors import SandboxError
from meetings.sandbox import channels, posts, reading, teams, users
from meetings.sandbox.company import check_company, read_company, sample_company
from meetings.sandbox.seed import check_seeded, seed
from meetings.sandbox.world import World

ANCHOR = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
COMPANY: dict[str, Any] = {
    "team": {"name": "acme", "display_name": "Acme"},
    "users": [
        {
            "username": "ana",
            "first_name": "Ana",
            "last_name": "Ruiz",
            "position": "Engineer",
            "timezone": "Europe/Madrid",
        },
        {"username": "ben", "first_name": "Ben", "last_name": "Okafor", "position": "Writer"},
    ],
    "bots": [
        {"username": "meetings", "display_name": "Meetings"},
        {"username": "calls", "display_name": "Calls"},
    ],
    "channels": [
        {"name": "product", "display_name": "Product", "type": "O", "purpose": "Building", "members": ["ana", "ben"]},
        {"name": "secret", "display_name": "Secret", "type": "P", "members": ["ana"]},
    ],
    "posts": [
        {
            "channel": "product",
            "user": "ana",
            "at": "-3d 09:30",
            "message": "Ship it @ben #release-9",
            "reactions": {"tada": ["ben"]},
            "replies": [
                {"user": "ben", "after": "12m", "message": "Done", "reactions": {"+1": ["ana"]}},
                {"user": "ana", "after": "2h", "message": "Thanks"},
            ],
        },
        {
            "channel": "product",
            "user": "ben",
            "at": "-1d 23:30",
            "message": "Late",
            "replies": [{"user": "ana", "after": "1d", "message": "Very late"}],
        },
    ],
}


def changed(change: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    company = deepcopy(COMPANY)
    change(company)
    return company


def milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World.open(tmp_path / "sandbox")
    yield world
    world.close()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda c: c["users"][0].update(salary=1), "unknown key 'users.0.salary'"),
        (lambda c: c.update(extra=1), "unknown key 'extra'"),
        (lambda c: c.pop("team"), "team: Field required"),
        (lambda c: c["users"].append(c["users"][0]), "username ana appears twice"),
        (lambda c: c["channels"].append(c["channels"][0]), "channel product appears twice"),
        (lambda c: c["channels"][0]["members"].append("eve"), "channel product: no such account eve"),
        (lambda c: c["posts"][0].update(user="calls"), "posts.0: calls is not a member of product"),
        (lambda c: c["posts"][0].update(channel="none"), "posts.0: no such channel none"),
        (lambda c: c["posts"][0]["reactions"].update(tada=["eve"]), "posts.0: eve is not a member of product"),
        (lambda c: c["posts"][0].update(at="yesterday"), "posts.0.at"),
        (lambda c: c["posts"][0].update(at="-0d 09:00"), "posts.0: at '-0d 09:00' is not before"),
        (lambda c: c["posts"][0].update(at="-1d 25:00"), "posts.0.at"),
        (lambda c: c["posts"][0]["replies"][0].update(after="soon"), "posts.0.replies.0.after"),
        (lambda c: c["bots"].pop(), "bots: calls is missing"),
        (lambda c: c["channels"][0].update(type="X"), "channels.0.type"),
    ],
)
def test_a_wrong_company_is_refused_and_the_reason_named(change: Callable[[dict[str, Any]], object], says: str) -> None:
    with pytest.raises(SandboxError) as refused:
        check_company(changed(change), origin="company.yml")
    assert str(refused.value).startswith("company.yml: ")
    assert says in str(refused.value)


def test_a_file_that_is_not_yaml_is_refused(tmp_path: Path) -> None:
    (tmp_path / "company.yml").write_text("team: [")
    with pytest.raises(SandboxError, match="not YAML"):
        read_company(tmp_path / "company.yml")


def test_the_company_that_comes_with_the_program_is_right_and_has_its_recording() -> None:
    company = read_company(sample_company())
    assert company.call is not None
    assert (sample_company().parent / company.call.recording).is_file()


def test_everything_happens_at_its_time_in_its_order(world: World) -> None:
    seed(world, check_company(COMPANY, origin="test"), anchor=ANCHOR)
    with world.change() as tx:
        team = teams.by_name(tx, "acme")
        assert team is not None
        product = channels.by_name(tx, team.id, "product")
        assert product is not None
        shown = reading.page(tx, product.id, page=0, per_page=10)
    written = [shown.posts[i] for i in reversed(shown.order)]
    first = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
    moments = [
        first,
        first + timedelta(minutes=12),
        first + timedelta(hours=2),
        datetime(2026, 11, 22, 23, 30, tzinfo=UTC),
    ]
    assert [p["message"] for p in written] == ["Ship it @ben #release-9", "Done", "Thanks", "Late", "Very late"]
    assert [p["create_at"] for p in written[:4]] == [milliseconds(m) for m in moments]
    # A reply that would come after the anchor comes at the anchor.
    assert abs(written[4]["create_at"] - milliseconds(ANCHOR)) < 100
    assert [p["root_id"] for p in written[1:3]] == [written[0]["id"]] * 2
    assert written[0]["hashtags"] == "#release-9"
    assert [r["emoji_name"] for r in written[0]["metadata"]["reactions"]] == ["tada"]
    assert product.total_msg_count == 5
    assert product.total_msg_count_root == 2


def test_everybody_is_there_and_has_read_everything(world: World) -> None:
    tokens = seed(world, check_company(COMPANY, origin="test"), anchor=ANCHOR)
    assert set(tokens.users) == {"ana", "ben"}
    with world.change() as tx:
        ana = users.by_token(tx, tokens.users["ana"])
        assert ana is not None
        assert (ana.name, ana.position, ana.timezone["automaticTimezone"]) == ("Ana Ruiz", "Engineer", "Europe/Madrid")
        team = teams.of_user(tx, ana.id)[0]
        mine = channels.of_user(tx, ana.id, team.id)
        assert {c.name for c in mine} == {"product", "secret", "town-square", "off-topic"}
        for channel in mine:
            member = channels.member(tx, channel.id, ana.id)
            assert member is not None
            assert (member.msg_count, member.mention_count) == (channel.total_msg_count, 0)
        assert users.by_token(tx, "wrong") is None


def test_the_same_anchor_gives_the_same_ids_but_never_the_same_tokens(tmp_path: Path) -> None:
    made = []
    for name in ("one", "two"):
        world = World.open(tmp_path / name)
        tokens = seed(world, check_company(COMPANY, origin="test"), anchor=ANCHOR)
        with world.change() as tx:
            made.append(([u.id for u in users.everybody(tx)], tokens))
        world.close()
    assert made[0][0] == made[1][0]
    assert made[0][1].bot_token != made[1][1].bot_token


def test_what_comes_after_seeding_comes_later_even_with_an_anchor_in_the_future(world: World) -> None:
    future = datetime(2199, 1, 1, tzinfo=UTC)
    tokens = seed(world, check_company(COMPANY, origin="test"), anchor=future)
    with world.change() as tx:
        ana = users.by_token(tx, tokens.users["ana"])
        assert ana is not None
        product = next(c for c in channels.of_user(tx, ana.id, teams.of_user(tx, ana.id)[0].id) if c.name == "product")
        shown = posts.create(tx, ana, posts.Draft(channel_id=product.id, message="now"))
    assert shown["create_at"] >= product.last_post_at > milliseconds(future - timedelta(days=2))


def test_a_seeded_folder_is_not_seeded_again_and_another_wish_is_refused(world: World) -> None:
    assert not check_seeded(world, anchor=None, empty=False)
    seed(world, check_company(COMPANY, origin="test"), anchor=ANCHOR)
    assert check_seeded(world, anchor=None, empty=False)
    assert check_seeded(world, anchor=ANCHOR, empty=False)
    with pytest.raises(SandboxError, match="reset"):
        check_seeded(world, anchor=ANCHOR + timedelta(days=1), empty=False)
    with pytest.raises(SandboxError, match="reset"):
        check_seeded(world, anchor=None, empty=True)
