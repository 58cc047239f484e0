"""Reading a search line, and which posts it fits."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meetings.sandbox.search import FLAGS, Query, Term, parse

WORDS = st.text(alphabet="abcdefgäß123", min_size=1, max_size=8)


@pytest.mark.parametrize(
    ("line", "query"),
    [
        ("parser", Query(terms=(Term(words=("parser",)),))),
        ("Parser FRIDAY", Query(terms=(Term(words=("parser",)), Term(words=("friday",))))),
        ('"load test" plan', Query(terms=(Term(words=("load", "test")), Term(words=("plan",))))),
        ("pars*", Query(terms=(Term(words=("pars",), prefix=True),))),
        ("#release-9", Query(terms=(Term(words=("#release-9",), hashtag=True),))),
        ("-parser", Query(excluded=(Term(words=("parser",)),))),
        ("from:@ben.okafor", Query(authors=frozenset(["ben.okafor"]))),
        ("From: ben.okafor", Query(authors=frozenset(["ben.okafor"]))),
        ("from:ana from:ben", Query(authors=frozenset(["ana", "ben"]))),
        ("-from:ana", Query(other_authors=frozenset(["ana"]))),
        ("in:product channel:sales", Query(channels=frozenset(["product", "sales"]))),
        ("on:2026-11-02", Query(on=date(2026, 11, 2))),
        ("after:2026-11-01 before:2026-12-01", Query(after=date(2026, 11, 1), before=date(2026, 12, 1))),
        ("before:soon", Query()),
        ("release:9", Query(terms=(Term(words=("release", "9")),))),
        ("!!! ...", Query()),
        ("", Query()),
    ],
)
def test_a_search_line_is_read_as_mattermost_reads_it(line: str, query: Query) -> None:
    assert parse(line) == query


@pytest.mark.parametrize(
    ("line", "message", "fits"),
    [
        ("parser", "Shipping the **parser** on Friday", True),
        ("pars", "Shipping the **parser** on Friday", False),
        ("pars*", "Shipping the **parser** on Friday", True),
        ("parser monday", "Shipping the **parser** on Friday", False),
        ('"the parser"', "Shipping the **parser** on Friday", True),
        ('"parser the"', "Shipping the **parser** on Friday", False),
        ("parser -friday", "Shipping the **parser** on Friday", False),
        ("#release-9", "see #release-9", True),
        ("#release", "see #release-9", False),
        ("#rel*", "see #release-9", True),
    ],
)
def test_words_are_compared_whole_and_without_case(line: str, message: str, fits: bool) -> None:
    tags = " ".join(w for w in message.split() if w.startswith("#"))
    assert parse(line).matches(message, tags, any_term=False) is fits


def test_an_or_search_takes_any_word() -> None:
    assert parse("parser monday").matches("the parser", "", any_term=True)
    assert not parse("monday tuesday").matches("the parser", "", any_term=True)


@given(st.text(max_size=200))
def test_no_line_is_too_strange_to_read(line: str) -> None:
    query = parse(line)
    assert all(term.words and all(term.words) for term in query.terms + query.excluded)


@given(st.lists(WORDS, min_size=1, max_size=5), st.lists(WORDS, max_size=5))
def test_every_post_is_found_by_its_own_words(words: list[str], more: list[str]) -> None:
    message = " ".join(words + more)
    assert parse(" ".join(words)).matches(message, "", any_term=False)
    assert parse(f'"{message}"').matches(message, "", any_term=False)
    assert not parse(f"-{words[0]}").matches(message, "", any_term=False)


@given(st.sampled_from(sorted(FLAGS - {"before", "after", "on"})), WORDS, st.booleans())
def test_a_flags_value_may_follow_after_a_space(flag: str, value: str, space: bool) -> None:
    assert parse(f"{flag}:{value}") == parse(f"{flag}: {value}") != Query()
