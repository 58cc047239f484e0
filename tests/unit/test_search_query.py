"""What is typed finds what was said: every word of a passage, any two that stand together, and any beginning."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from meetings.people.terms import WORD, words
from meetings.search import OPERATOR, Index, search
from meetings.search.asked import Question, read_question
from meetings.search.query import MAX_TERMS, MAX_TEXT, MIN_PREFIX, Query, composed, parse_query
from tests.unit.search_builders import put

SAID = (
    "Die Übergabe an das Straßenverkehrsamt läuft über Jörg, und zwar heute.",
    "Version 2.5 ships in Q3, write to ana.ruiz@example.org or call R&D.",
    "We decided that the battery life is two years’ worth.",
)
typed = st.one_of(st.text(), st.text(alphabet="aß É\"*„“”2.5 -_@’'\t\u0308İ"))
spoken = st.text(alphabet=st.characters(codec="utf-8", categories=("L", "N", "P", "Zs")), max_size=60)


def found(text: str, *said: str) -> bool:
    with tempfile.TemporaryDirectory() as folder, Index(Path(folder) / "index.sqlite") as index:
        put(index, "m", *said)
        return bool(search(index, text, OPERATOR, embedder=None))


@given(typed)
def test_whatever_is_typed_is_a_query_of_bounded_size(text: str) -> None:
    query = parse_query(text)
    assert len(query.text) <= MAX_TEXT
    assert max(len(query.terms), len(query.phrases), len(query.prefixes)) <= MAX_TERMS
    assert all(len(phrase) > 1 for phrase in query.phrases)
    assert all(len(prefix) >= MIN_PREFIX for prefix in query.prefixes)


@pytest.mark.parametrize("read", [parse_query, read_question])
def test_bytes_of_a_terminal_that_are_no_text_are_looked_for_by_no_model(
    read: Callable[[str], Query | Question],
) -> None:
    text = read(b"caf\xe9 battery life".decode(errors="surrogateescape")).text
    assert text.encode().decode() == text
    assert "battery life" in text


@given(typed)
def test_a_query_with_a_word_in_it_looks_for_something(text: str) -> None:
    assert parse_query(text).empty == (not words(" ".join(text[:MAX_TEXT].split())))


@given(typed, typed)
def test_marks_stand_on_words_one_after_the_other(text: str, shown: str) -> None:
    marks = parse_query(text).marks(shown)
    assert list(marks) == sorted(marks)
    assert all(WORD.fullmatch(shown[begin:end]) for begin, end in marks)


@settings(max_examples=60, deadline=None)
@given(spoken, st.data())
def test_every_word_of_a_passage_finds_it_and_is_marked(text: str, data: st.DataObject) -> None:
    there = WORD.findall(" ".join(text.split()))
    assume(there)
    word = data.draw(st.sampled_from(there))
    assert found(word, text)
    assert parse_query(word).marks(composed(text))  # as passages have it


@settings(max_examples=60, deadline=None)
@given(spoken, st.data())
def test_words_that_stand_together_find_their_passage_in_quotation_marks(text: str, data: st.DataObject) -> None:
    there = WORD.findall(" ".join(text.split()))
    assume(len(there) > 1)
    at = data.draw(st.integers(0, len(there) - 2))
    assert found(f'"{there[at]} {there[at + 1]}"', text)


@pytest.mark.parametrize(
    "text",
    [
        "übergabe", "ÜBERGABE", "Jörg", "Straßenverkehr*", "straßenverkehrsamt", '"an das"', "2.5", '"version 2.5"',
        "q3", "ana.ruiz@example.org", '"ana.ruiz@example.org"', "R&D", "r&d", "batteries", "decide", "year's",
        "„battery life“", "u\u0308bergabe",
    ],
)  # fmt: skip
def test_what_people_type_finds_what_was_said(text: str) -> None:
    assert found(text, *SAID)


@pytest.mark.parametrize("text", ['"life battery"', "umlaut", "9.7", "verkehrsamt"])
def test_what_was_not_said_is_not_found(text: str) -> None:
    assert not found(text, *SAID)


def test_a_transcript_that_spells_letters_and_their_marks_apart_is_found() -> None:
    assert found("übergabe", "Die u\u0308bergabe an Jo\u0308rg")
