"""What a stretch of a channel consists of: threads together, links once, however they are written."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meetings.channels import Written, canonical_url, find_links, gather, moment_of
from meetings.channels.rank import names_in, plain_words
from meetings.channels.read import stretch_of
from meetings.errors import ConfigError
from meetings.mattermost.entities import Post

NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)


def post(name: str, text: str, *, by: str = "ana", at: int = 0, root: str = "", reactors: str = "") -> Written:
    return Written(
        id=name, user_id=by, root_id=root, at=at or int(name), text=text, reactors=frozenset(reactors.split())
    )


# Links


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com/a/b",
        "http://example.com/a/b",
        "https://www.example.com/a/b/",
        "https://EXAMPLE.com/a/b#comments",
        "https://example.com/a/b?utm_source=feed&utm_medium=rss",
        "https://example.com/a/b?fbclid=xyz&ref=newsletter",
        "https://example.com:443/a/b",
        "https://m.example.com/a/b/amp",
        "https://example.com/a/b/index.html",
    ],
)
def test_one_page_has_one_address_however_it_is_linked(url: str) -> None:
    assert canonical_url(url) == "example.com/a/b"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://example.com/a?id=1", "https://example.com/a?id=2"),
        ("https://example.com/A", "https://example.com/a"),
        ("https://example.com/a", "https://example.org/a"),
        ("https://example.com:8080/a", "https://example.com/a"),
        ("https://blog.example.com/a", "https://example.com/a"),
    ],
)
def test_two_pages_have_two_addresses(one: str, other: str) -> None:
    assert canonical_url(one) != canonical_url(other)


# What is taken away may leave something else that is.
PIECES = st.lists(st.sampled_from(["/amp", "/index.html", "/", "a", "?", "&", "=", "#", "utm_a=1", "%20", " "]))


@given(st.text(max_size=200) | PIECES.map("".join))
def test_an_address_of_any_kind_has_a_canonical_form_that_does_not_change_again(text: str) -> None:
    once = canonical_url(f"https://example.com/{text}")
    assert canonical_url(f"https://{once}") == once


@given(st.text(max_size=300))
def test_any_message_is_searched_for_links(text: str) -> None:
    links, _ = find_links(text)
    assert all(link.url.lower().startswith(("http://", "https://")) for link in links)


def test_a_message_gives_its_links_with_their_titles_and_the_rest() -> None:
    links, rest = find_links("Read [Heat pumps](https://example.com/1) and https://example.org/2. Good?")
    assert [(link.url, link.title) for link in links] == [
        ("https://example.com/1", "Heat pumps"),
        ("https://example.org/2", ""),
    ]
    assert rest == "Read and Good?"


# Items


def test_a_thread_stays_together_in_order_whatever_came_between() -> None:
    posts = [post("3", "yes", root="1", by="ben"), post("2", "other"), post("1", "question"), post("4", "no", root="1")]
    items = gather(posts)
    assert [[p.id for p in item.posts] for item in items] == [["1", "3", "4"], ["2"]]


def test_replies_whose_beginning_is_older_are_still_a_thread() -> None:
    (item,) = gather([post("5", "late reply", root="1"), post("6", "later", root="1")])
    assert [p.id for p in item.posts] == ["5", "6"]


def test_those_who_reply_or_react_took_part_and_the_one_who_began_did_not() -> None:
    (item,) = gather([post("1", "news", reactors="ben eve ana"), post("2", "yes", root="1", by="dan")])
    assert item.people == {"ben", "eve", "dan"}


def test_the_same_page_posted_again_is_one_item_that_knows_how_often() -> None:
    posts = [
        post("1", "[Heat pumps in old buildings](https://example.com/1)", by="bot"),
        post("2", "[Pumps](http://www.example.com/1/?utm_source=x)", by="bot", reactors="ben"),
        post("3", "good one", root="2", by="eve"),
    ]
    (item,) = gather(posts, bots={"bot"})
    assert (item.posts[0].id, item.again) == ("1", ("2",))
    assert [p.id for p in item.posts] == ["1", "3"]
    assert item.people == {"ben", "eve"}


def test_the_same_title_from_another_site_is_the_same_item() -> None:
    posts = [post(str(n), f"[Heat pumps in old buildings](https://{n}.example/x)", by="bot") for n in (1, 2)]
    assert len(gather(posts, bots={"bot"})) == 1


def test_a_short_title_alone_makes_no_two_pages_one() -> None:
    posts = [post(str(n), f"[Release notes](https://{n}.example/x)", by="bot") for n in (1, 2)]
    assert len(gather(posts, bots={"bot"})) == 2


def test_every_link_of_a_bots_digest_is_an_item_of_its_own() -> None:
    text = "\n".join(f"- [Story number {n} of today](https://example.com/{n})" for n in range(3))
    items = gather([post("1", text, by="bot")], bots={"bot"})
    assert [i.link.title for i in items if i.link] == [f"Story number {n} of today" for n in range(3)]
    assert len({i.id for i in items}) == 3


def test_a_person_who_explains_with_a_link_writes_a_thread_and_who_only_passes_it_on_a_link() -> None:
    long = "I tried this at home last winter and it halved our bill, see https://example.com/1 for how it works"
    explained, passed = gather([post("1", long), post("2", "Worth a read: https://example.com/2")])
    assert explained.link is None
    assert passed.link is not None
    assert passed.link.title == "Worth a read"


@given(
    st.lists(
        st.tuples(st.integers(1, 30), st.integers(0, 30), st.sampled_from("ab"), st.text(max_size=40)), max_size=30
    )
)
def test_no_post_is_lost_or_told_twice(rows: list[tuple[int, int, str, str]]) -> None:
    unique = {number: (root, by, text) for number, root, by, text in rows}
    posts = [
        post(str(n), text, by=by, root=str(root) if root and root != n else "")
        for n, (root, by, text) in unique.items()
    ]
    items = gather(posts, bots={"b"})
    told = [p.id for item in items for p in item.posts] + [a for item in items for a in item.again]
    links = {p.id for item in items if "/" in item.id for p in item.posts}
    assert set(told) == {p.id for p in posts}
    assert all(told.count(p.id) == 1 for p in posts if p.id not in links)


# Reading


def made(number: int, **more: object) -> Post:
    return Post(**{"id": str(number), "channel_id": "c", "user_id": "ana", "create_at": number, "message": "x", **more})  # type: ignore[arg-type]


def test_reading_stops_where_the_stretch_begins_and_leaves_out_what_nobody_wrote() -> None:
    posts = [made(9), made(8, type="system_join_channel"), made(7, delete_at=8), made(6, message=" "), made(5), made(4)]
    stretch = stretch_of(posts, since=4)
    assert [p.id for p in stretch.posts] == ["5", "9"]
    assert not stretch.cut


def test_of_a_stretch_that_is_too_long_the_newest_are_read_and_that_is_told() -> None:
    stretch = stretch_of((made(n) for n in range(100, 0, -1)), since=0, limit=10)
    assert [p.id for p in stretch.posts] == [str(n) for n in range(91, 101)]
    assert stretch.cut


@pytest.mark.parametrize(
    ("text", "ago"), [("12h", timedelta(hours=12)), ("7d", timedelta(days=7)), ("2w", timedelta(weeks=2))]
)
def test_since_counts_back_from_now(text: str, ago: timedelta) -> None:
    assert moment_of(text, now=NOW) == int((NOW - ago).timestamp() * 1000)


def test_since_may_be_a_date() -> None:
    assert moment_of("2026-11-16", now=NOW) == int(datetime(2026, 11, 16, tzinfo=UTC).timestamp() * 1000)


@pytest.mark.parametrize("text", ["", "7", "d", "0d", "-7d", "7 days", "2027-01-01", "9999w9999", "yesterday"])
def test_a_since_that_means_nothing_or_is_to_come_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="since"):
        moment_of(text, now=NOW)


# Words


def test_a_post_is_read_as_it_would_be_said() -> None:
    text = "> quoted\n- **Ship** `it` max_size, @ana.ruiz: [notes](https://example.com)\n```\nlog\n```\n:tada: @nobody"
    assert plain_words(text, {"ana.ruiz": "Ana Ruiz"}) == "quoted Ship max_size, Ana Ruiz: notes nobody"


def test_a_handle_at_the_end_of_a_sentence_names_its_owner() -> None:
    assert "ana" in names_in("Ask @ana.")


@given(st.text(max_size=200))
def test_any_post_can_be_read(text: str) -> None:
    assert "\n" not in plain_words(text, {})
