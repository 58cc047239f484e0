"""Passages and queries: every word is found again, and whatever is typed is words."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from meetings.people.terms import words
from meetings.search.passages import LONGEST, SILENCE, WORDS, make_passages
from meetings.search.query import MAX_TERMS, parse_query
from tests.unit.search_builders import conversation_of

SAID = st.lists(st.text(alphabet="abc déß,.?!* \"'\n", max_size=60), max_size=12)


@settings(max_examples=60, deadline=None)
@given(SAID, st.floats(0, 60))
def test_every_word_that_was_said_stands_in_one_passage_and_in_its_order(said: list[str], pause: float) -> None:
    conversation = conversation_of(*said, pause=pause)
    found = [w for p in make_passages(conversation) for part in p.parts for w in words(part.text)]
    assert found == [w for text in said for w in words(text)]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(1, 200), min_size=1, max_size=20))
def test_a_passage_is_never_longer_than_two_and_a_long_utterance_goes_over_several(lengths: list[int]) -> None:
    conversation = conversation_of(*("wordword " * n for n in lengths))
    assert all(len(words(p.text)) <= max(2 * WORDS, LONGEST) for p in make_passages(conversation))


def test_a_long_silence_ends_a_passage() -> None:
    conversation = conversation_of("We begin with the budget.", "And now the office party.", pause=SILENCE + 1)
    assert len(make_passages(conversation)) == 2


def test_talk_without_a_silence_stands_in_one_passage() -> None:
    conversation = conversation_of("We begin with the budget.", "It is forty thousand.", pause=1)
    (passage,) = make_passages(conversation)
    assert passage.utterances == ("u0", "u1")
    assert passage.speakers == ("ana", "ben")


def test_what_was_said_in_confidence_stands_in_no_passage_with_what_was_not() -> None:
    conversation = conversation_of(
        "The release is on Friday.",
        "Between us, this stays in this room: the merger with Northgate is agreed.",
        pause=1,
    )
    secret = [p for p in make_passages(conversation) if p.confidential]
    assert [p.utterances for p in secret] == [("u1",)]


def test_a_decision_marks_its_passage() -> None:
    conversation = conversation_of("We decided to ship the parser on Friday.", "The weather is fine today.", pause=60)
    assert ["decision" in p.kinds for p in make_passages(conversation)] == [True, False]


def test_a_piece_of_a_long_utterance_begins_later_than_the_one_before() -> None:
    conversation = conversation_of("wordword " * 500)
    starts = [p.start for p in make_passages(conversation)]
    assert starts == sorted(set(starts))
    assert len(starts) >= 4


def test_an_utterance_that_ends_before_it_begins_is_a_passage_all_the_same() -> None:
    conversation = conversation_of("The parser is fine.")
    odd = replace(conversation, utterances=(replace(conversation.utterances[0], start=9.0, end=3.0),))
    assert [p.start for p in make_passages(odd)] == [9.0]


# Queries


@given(st.text(max_size=600))
def test_whatever_is_typed_is_a_query(text: str) -> None:
    query = parse_query(text)
    assert len(query.terms) <= MAX_TERMS
    assert all(len(p) > 1 for p in query.phrases)
    for begin, end in query.marks(text):
        assert text[begin:end].strip()


@given(st.lists(st.sampled_from(["NEAR", "OR", "AND", "NOT", "text:", "{a b}:", "^", "(", ")", "+", "-", ";", "--"])))
def test_words_of_other_query_languages_are_words(pieces: list[str]) -> None:
    query = parse_query(" ".join([*pieces, "budget"]))
    assert "budget" in query.terms
    assert not query.phrases
    assert not query.prefixes


def test_a_phrase_a_beginning_and_words_are_told_apart() -> None:
    query = parse_query('the "battery life" warrant* pricing')
    assert query.phrases == (("battery", "lif"),)
    assert query.prefixes == ("warrant",)
    assert query.terms == ("pric",)


def test_small_words_count_where_there_are_no_others() -> None:
    assert parse_query("who is it").terms == ("who", "is", "it")
    assert parse_query("who is the owner").terms == ("owner",)


def test_a_star_after_one_letter_is_no_beginning() -> None:
    assert parse_query("a* budget").prefixes == ()


def test_the_words_that_were_looked_for_are_marked_in_every_inflection() -> None:
    text = "The prices, pricing and the warranty."
    marks = [text[b:e] for b, e in parse_query("price warr*").marks(text)]
    assert marks == ["prices", "pricing", "warranty"]
