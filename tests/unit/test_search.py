"""Search: what is asked for is found, by those who may read it and by nobody else, and what is gone is gone."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from meetings.errors import MattermostForbiddenError, MattermostUnreachableError
from meetings.mattermost.entities import User
from meetings.search import OPERATOR, Card, Filters, Found, Index, Reader, reader_of, search
from meetings.search.render import to_json, to_markdown
from tests.unit.search_builders import URL, Words, bytes_of, put

ANA = Reader(username="ana", server=URL, channels=frozenset({"c1"}))


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    with Index(tmp_path / "search" / "index.sqlite", fingerprint="words") as opened:
        yield opened


def ids(found: tuple[Found, ...]) -> list[str]:
    return [f.card.id for f in found]


def look(index: Index, text: str, reader: Reader = OPERATOR, filters: Filters | None = None) -> tuple[Found, ...]:
    return search(index, text, reader, embedder=Words(), filters=filters)


# Finding


def test_the_meeting_that_says_it_comes_first_with_the_moment(index: Index) -> None:
    put(index, "m1", "The weather is fine today.", "The price of the license goes up in May.")
    put(index, "m2", "Lunch is at noon today.", "We hired two people for support.")
    found = look(index, "pricing license")
    assert found[0].card.id == "m1"
    (moment,) = found[0].moments
    assert moment.utterances == ("u1",)
    assert moment.speakers == ("Ben",)
    assert [moment.text[b:e] for b, e in moment.marks] == ["price", "license"]


def test_a_phrase_must_be_there_as_it_stands(index: Index) -> None:
    put(index, "m1", "Life with a dead battery is hard for everybody here.")
    put(index, "m2", "The battery life is ten hours.")
    assert ids(look(index, '"battery life"')) == ["m2"]


def test_a_phrase_does_not_go_over_the_end_of_a_passage(index: Index) -> None:
    put(index, "m1", "We talked about the battery", "life is good in Bergen", pause=60)
    assert look(index, '"battery life"') == ()


def test_a_beginning_finds_every_word_that_begins_so(index: Index) -> None:
    put(index, "m1", "Warranty is two years.")
    put(index, "m2", "They warranted the pump.")
    put(index, "m3", "The war room is booked.")
    assert set(ids(look(index, "warrant*"))) == {"m1", "m2"}


def test_passages_of_one_meeting_stand_together(index: Index) -> None:
    put(index, "m1", "The budget is tight.", "The budget was cut.", "The budget is done.", "The budget, again.")
    put(index, "m2", "One budget here.")
    found = look(index, "budget")
    assert sorted(ids(found)) == ["m1", "m2"]
    assert max(len(f.moments) for f in found) == 3


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        (Filters(channel_id="c1"), ["m1"]),
        (Filters(since=datetime(2026, 11, 1, tzinfo=UTC)), ["m1"]),
        (Filters(speaker="ben"), ["m2"]),
        (Filters(speaker="@ANA"), ["m1"]),
        (Filters(speaker="nobody"), []),
    ],
)
def test_filters_keep_to_what_they_say(index: Index, filters: Filters, expected: list[str]) -> None:
    put(index, "m1", "The budget is tight.", channel_id="c1")
    put(index, "m2", "Fine.", "The budget was cut.", channel_id="c2", started_at="2026-01-05T09:00:00+00:00")
    assert ids(look(index, "budget", filters=filters)) == expected


def test_nothing_is_found_for_a_query_without_a_word(index: Index) -> None:
    put(index, "m1", "The budget is tight.")
    assert look(index, "?!* \"\"") == ()  # fmt: skip


# Who may find what


class Members:
    """Who is in which channel, as a server says it."""

    url = URL

    def __init__(self, members: dict[str, set[str]], error: Exception | None = None) -> None:
        self._members = members
        self._error = error
        self.asked: list[str] = []

    def is_channel_member(self, channel_id: str, user_id: str) -> bool:
        self.asked.append(channel_id)
        if self._error is not None:
            raise self._error
        return user_id in self._members.get(channel_id, set())


def cards(*channels: str, server: str = URL) -> list[Card]:
    return [Card(id=f"m{i}", title="", server=server, channel_id=c) for i, c in enumerate(channels)]


def user(user_id: str = "id-ana", **facts: int) -> User:
    return User(id=user_id, username="ana", **facts)  # type: ignore[arg-type]


def test_only_channels_that_one_is_in_now_are_read(index: Index) -> None:
    members = Members({"c1": {"id-ana"}, "c2": {"id-ben"}})
    reader = reader_of(members, user(), cards("c1", "c2", ""))
    assert reader.channels == {"c1"}
    assert members.asked == ["c1", "c2"]


def test_a_channel_of_another_server_is_nobodys_here() -> None:
    reader = reader_of(Members({"c1": {"id-ana"}}), user(), cards("c1", server="https://other.test"))
    assert not reader.channels
    assert not Reader(username="ana", server=URL, channels=frozenset({"c1"})).may_read(
        cards("c1", server="https://other.test")[0]
    )


def test_a_channel_that_the_bot_may_not_see_is_not_searched() -> None:
    refusing = Members({}, MattermostForbiddenError("no"))
    assert not reader_of(refusing, user(), cards("c1")).channels


def test_a_server_that_is_away_ends_the_search_and_opens_nothing() -> None:
    away = Members({}, MattermostUnreachableError("away"))
    with pytest.raises(MattermostUnreachableError):
        reader_of(away, user(), cards("c1"))


def test_an_account_that_is_switched_off_reads_nothing() -> None:
    assert not reader_of(Members({"c1": {"id-ana"}}), user(delete_at=1), cards("c1")).channels


@pytest.mark.parametrize("kind", ["is_guest", "is_bot"])
def test_a_guest_or_a_bot_reads_nothing_of_the_channels_that_they_are_in(kind: str) -> None:
    assert not reader_of(Members({"c1": {"id-ana"}}), user(**{kind: True}), cards("c1")).channels


def test_somebody_finds_nothing_of_a_channel_they_are_not_in(index: Index) -> None:
    put(index, "m1", "The budget is forty thousand.", channel_id="c1")
    put(index, "m2", "The budget of the merger is secret.", channel_id="c2")
    put(index, "m3", "The budget of a local file.")
    assert ids(look(index, "budget", ANA)) == ["m1"]
    assert look(index, "merger", ANA) == ()
    assert look(index, '"budget of the merger"', ANA) == ()
    assert look(index, "merg*", ANA) == ()


def test_what_was_said_in_confidence_is_found_by_those_who_were_there_alone(index: Index) -> None:
    secret = "Between us, this stays in this room: the merger with Northgate is agreed."
    put(index, "m1", "The release is on Friday.", secret, channel_id="c1", attended=("ben",))
    assert not any("merger" in m.text for f in look(index, "merger Northgate", ANA) for m in f.moments)
    ben = Reader(username="ben", server=URL, channels=frozenset({"c1"}))
    assert ids(look(index, "merger Northgate", ben)) == ["m1"]


TALK = st.lists(
    st.lists(
        st.sampled_from(["budget", "pump", "price", "merger", "parser", "battery", "the", "we", "life"]),
        min_size=3,
        max_size=9,
    ).map(" ".join),
    min_size=1,
    max_size=4,
)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    mine=st.lists(TALK, min_size=1, max_size=3),
    others=st.lists(TALK, max_size=3),
    query=st.sampled_from(["budget price", '"price merger"', "pa*", "battery life"]),
)
def test_what_others_said_changes_neither_what_one_finds_nor_its_order(
    tmp_path_factory: pytest.TempPathFactory, mine: list[list[str]], others: list[list[str]], query: str
) -> None:
    alone, together = (tmp_path_factory.mktemp("index") / "index.sqlite" for _ in range(2))
    with Index(alone) as a, Index(together) as b:
        for number, said in enumerate(others):
            put(b, f"x{number}", *said, channel_id="c9")
        for number, said in enumerate(mine):
            put(a, f"m{number}", *said, channel_id="c1")
            put(b, f"m{number}", *said, channel_id="c1")
        assert to_json(look(a, query, ANA)) == to_json(look(b, query, ANA))


# Words of others


def test_what_was_said_is_inert_in_a_message_and_its_words_are_marked(index: Index) -> None:
    put(index, "m1", "The budget @channel [click](http://evil.example) **now**.", title="@all [x](http://y.example)")
    text = to_markdown(look(index, "budget"))
    assert "**budget**" in text
    assert "@channel" not in text
    assert "@all" not in text
    assert "](http" not in text


# What is gone


def test_a_meeting_that_is_removed_leaves_nothing_in_the_file(tmp_path: Path, index: Index) -> None:
    path = tmp_path / "search" / "index.sqlite"
    for number in range(20):
        put(
            index, f"m{number}", f"Zebrafish{number} are striped animals.", "We ship on Friday.", title=f"Tapir{number}"
        )
    assert b"zebrafish7" in bytes_of(path)
    assert index.remove(["m7"]) == 1
    left = bytes_of(path)
    assert b"zebrafish7" not in left
    assert b"Tapir7" not in left
    assert b"zebrafish8" in left
    assert look(index, "zebrafish7") == ()


def test_what_was_corrected_leaves_nothing_of_what_was_there(tmp_path: Path, index: Index) -> None:
    put(index, "m1", "Zebrafish are striped animals.", "We ship on Friday.")
    put(index, "m1", "Giraffes are tall animals.", "We ship on Friday.")
    assert b"zebrafish" not in bytes_of(tmp_path / "search" / "index.sqlite")
    assert ids(look(index, "giraffe")) == ["m1"]


def test_another_reader_sees_at_once_that_a_meeting_is_gone(tmp_path: Path, index: Index) -> None:
    put(index, "m1", "The budget is tight.")
    with Index(tmp_path / "search" / "index.sqlite", fingerprint="words") as other:
        assert ids(look(other, "budget")) == ["m1"]
        index.remove(["m1"])
        assert look(other, "budget") == ()


def test_an_index_of_another_model_is_made_anew(tmp_path: Path, index: Index) -> None:
    put(index, "m1", "The zebrafish is striped.")
    path = tmp_path / "search" / "index.sqlite"
    with Index(path, fingerprint="another") as other:
        assert other.stamps() == {}
        other.settle()
        assert b"zebrafish" not in bytes_of(path)


def test_a_damaged_file_is_made_anew(tmp_path: Path) -> None:
    path = tmp_path / "index.sqlite"
    path.write_bytes(b"no database at all" * 1000)
    with Index(path) as index:
        put(index, "m1", "The budget is tight.")
        assert ids(look(index, "budget")) == ["m1"]


def _die_while_putting(path: Path) -> None:
    import os

    with Index(path, fingerprint="words") as index:
        index._db.execute("BEGIN IMMEDIATE")
        index._db.execute("DELETE FROM meetings")
        os._exit(9)


def test_a_process_that_dies_while_it_writes_leaves_the_index_as_it_was(tmp_path: Path, index: Index) -> None:
    put(index, "m1", "The budget is tight.")
    dying = multiprocessing.get_context("spawn").Process(
        target=_die_while_putting, args=(tmp_path / "search" / "index.sqlite",)
    )
    dying.start()
    dying.join()
    assert dying.exitcode == 9
    assert ids(look(index, "budget")) == ["m1"]
