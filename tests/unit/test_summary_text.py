"""Cleaning speech: what goes, what stays, and that it never adds or turns a word."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meetings.people.terms import words
from meetings.summary.text import MAX_CHARS, clean, is_hand_over, plain, sentences, shorten

WORDS = [
    *("um", "so", "well", "I", "we", "will", "won't", "not", "no", "never", "send", "the", "the", "report", "report"),
    *("by", "Friday", "5", "five", ",", ".", "?", "-", "th-", "you", "know", ",", "like", "and", "okay", "...", "Ben"),
    *("budget", "{noise}", "[Music]", "is", "is", "are", "$15", "10%", "\n", "é", "会議", "it's"),
]
SPEECH = st.lists(st.sampled_from(WORDS), max_size=40).map(" ".join)


@pytest.mark.parametrize(
    ("said", "cleaned"),
    [
        ("um so we we need to uh ship it", "We need to ship it."),
        ("Okay, so, the the API is, you know, slow.", "The API is slow."),
        ("I th- I think th- that works {vocalsound}", "I think that works."),
        ("we need, we need to test the parser", "We need to test the parser."),
        ("Yeah .", "Yeah."),
        ("it costs five five zero dollars", "It costs five five zero dollars."),
        ("So that we can ship, we test.", "So that we can ship, we test."),
        ("Right is where the button goes.", "Right is where the button goes."),
        ("I do n't know , it 's late .", "I don't know, it's late."),
        ("Yes, I will finish the load test.", "I will finish the load test."),
        ("No, we won't ship it.", "No, we won't ship it."),
        ("that that is fine, very very good", "That that is fine, very very good."),
        ("[BLANK_AUDIO]", ""),
        ("um, uh", ""),
    ],
)
def test_what_speech_adds_is_left_out(said: str, cleaned: str) -> None:
    assert clean(said) == cleaned


@given(SPEECH)
def test_cleaning_keeps_words_in_their_order_and_adds_none(said: str) -> None:
    rest = iter(words(plain(said)))
    assert all(any(word == other for other in rest) for word in words(clean(said)))


@given(SPEECH)
def test_cleaning_twice_changes_nothing_more(said: str) -> None:
    once = clean(said)
    assert clean(clean(once)) == clean(once)


@given(SPEECH)
def test_negations_and_numbers_survive_cleaning(said: str) -> None:
    telling = {"not", "won't", "never", "5", "five"}
    assert telling & set(words(plain(said))) == telling & set(words(clean(said)))


@pytest.mark.parametrize(
    "said",
    [
        "Ben, over to you for the parser.",
        "Thanks, Ana.",
        "Good morning everyone.",
        "Any questions?",
        "Can you see my screen?",
        "Next slide please.",
        "Okay, sure, thanks.",
        "Um.",
        "Sounds good.",
        "I'll hand over to Laura.",
    ],
)
def test_sentences_that_only_run_the_meeting_are_known(said: str) -> None:
    assert is_hand_over(said)


@pytest.mark.parametrize(
    "said", ["The release moves to the tenth.", "No, we keep the old price.", "Can you see the error in the log file?"]
)
def test_sentences_with_content_are_not_taken_for_hand_overs(said: str) -> None:
    assert not is_hand_over(said)


def test_sentences_are_cut_at_their_ends_and_not_at_abbreviations_or_decimals() -> None:
    text = "It costs 3.5 million, says Dr. Stone. Is that ok? Yes!"
    assert sentences(text) == ["It costs 3.5 million, says Dr. Stone.", "Is that ok?", "Yes!"]


def test_a_run_without_full_stops_is_cut_into_readable_pieces() -> None:
    text = " and then ".join(f"we looked at part number {n} of the whole thing" for n in range(20))
    pieces = sentences(text)
    assert len(pieces) > 3
    assert " ".join(pieces) == text


@given(st.text(max_size=2_000), st.sampled_from(["", "by Friday"]))
def test_a_shortened_text_fits(text: str, keep: str) -> None:
    assert len(shorten(text, keep=keep)) <= MAX_CHARS


def test_shortening_keeps_the_due_date_and_shows_the_cut() -> None:
    text = "We talked about many things, " * 8 + "and I will send the report by Friday, " + "and so on, " * 20
    short = shorten(text, keep="by Friday")
    assert "by Friday" in short
    assert short.startswith("…")
    assert short.endswith("…")


@pytest.mark.parametrize(
    ("said", "cleaned"),
    [
        ("I think we d I think we decided on both .", "I think we decided on both."),
        ("an L_C_D_ screen for the T_V_ costs more", "An LCD screen for the TV costs more."),
        ("We should we need to ship it", "We need to ship it."),
        ("If I can I will do it.", "If I can I will do it."),
        ("The device has to you know listen and so.", "The device has to listen."),
        ("Do you know the price of it?", "Do you know the price of it?"),
        ("Plan b is fine for us.", "Plan b is fine for us."),
        ("I really think so.", "I really think so."),
    ],
)
def test_speech_without_commas_is_cleaned_too(said: str, cleaned: str) -> None:
    assert clean(said) == cleaned
