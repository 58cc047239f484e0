"""Grounding: what was not said is refused, what was said passes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from meetings.summary.ground import check, numbers
from meetings.summary.quotation import check_extract

SAID = (
    "Ben Okafor: I will finish the load test by Friday and post the numbers in the engineering channel.",
    "We decided that the team plan goes to fifteen dollars per seat for new customers from January.",
    "We will not ship the old importer.",
)


@pytest.mark.parametrize(
    "text",
    [
        "Ben will finish the load test by Friday.",
        "The team plan goes to 15 dollars per seat from January.",
        "We will not ship the old importer.",
        "Team plan decided: fifteen dollars per seat for new customers",
    ],
)
def test_what_was_said_passes(text: str) -> None:
    assert check(text, SAID, known_names=("Ben", "Ana")).ok


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("The team plan goes to 50 dollars per seat.", "number not said"),
        ("The team plan goes to fifty dollars per seat.", "number not said"),
        ("Ana will finish the load test by Friday.", "name not said"),
        ("Ben will finish the load test by Monday.", "date not said"),
        ("The team plan goes to fifteen dollars per seat from March.", "date not said"),
        ("We will ship the old importer.", "negation differs"),
        ("Ben will not finish the load test by Friday.", "negation differs"),
        ("Ben must finish the load test by Friday.", "commitment not said: must"),
        ("The webinar brought visitors and a library told a lovely story.", "not said"),
        ("So it is.", "says nothing"),
    ],
)
def test_what_was_not_said_is_refused_with_its_reason(text: str, reason: str) -> None:
    verdict = check(text, SAID, known_names=("Ben", "Ana"))
    assert not verdict.ok
    assert reason in "; ".join(verdict.reasons)


def test_a_text_about_something_else_is_refused_by_similarity() -> None:
    class Elsewhere:
        def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
            return np.eye(len(texts), dtype=np.float32)

    verdict = check("Ben will finish the load test by Friday.", SAID, embedder=Elsewhere())
    assert "says something else (similarity 0.00)" in verdict.reasons


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("twenty five percent", {"25"}),
        ("two hundred and fifty users", {"250"}),
        ("three million", {"3000000"}),
        ("1,000 files and 3.5 hours", {"1000", "3.5"}),
        ("the tenth of December", {"10"}),
        ("one more thing", set()),
        ("", set()),
    ],
)
def test_numbers_are_read_in_words_and_digits(text: str, found: set[str]) -> None:
    assert set(numbers(text)) == found


@given(st.text(max_size=300))
def test_any_text_stands_on_itself(text: str) -> None:
    verdict = check(text, [text])
    assert verdict.ok or verdict.reasons == ("says nothing",)


@given(st.text(max_size=200), st.text(max_size=200))
def test_any_two_texts_get_a_verdict(text: str, raw: str) -> None:
    assert check(text, [raw]).ok in {True, False}
    assert check_extract(text, raw).ok in {True, False}


def test_a_cleaned_quotation_passes() -> None:
    assert check_extract("We need to ship it.", "um so we we need to uh ship it").ok


@pytest.mark.parametrize(
    ("text", "raw"),
    [
        ("We will ship it.", "We will not ship it."),
        ("We ship it.", "We ship it in 5 weeks."),
        ("Ship we it.", "We ship it."),
        ("We ship the parser.", "We ship it."),
    ],
)
def test_a_quotation_that_lost_or_gained_meaning_is_refused(text: str, raw: str) -> None:
    assert not check_extract(text, raw).ok


def test_an_honest_cut_at_the_end_is_allowed() -> None:
    assert check_extract("We ship the parser …", "We ship the parser and 12 other things.").ok


TWO_FACTOR = "Two-factor login is required for all admin accounts."


@pytest.mark.parametrize(
    ("text", "said", "ok"),
    [
        (TWO_FACTOR.replace("Two", "One"), TWO_FACTOR, False),
        (TWO_FACTOR.replace("Two-factor login", "One-factor-login"), TWO_FACTOR, False),
        (TWO_FACTOR, TWO_FACTOR, True),
        ("The second release needs a load test.", "The third release needs a load test.", False),
        ("One release needs a load test.", "Three releases need a load test.", False),
        ("One customer asked for the export.", "One customer asked for the export, two customers did not.", True),
    ],
)
def test_an_ambiguous_number_word_is_a_number_where_another_number_was_said(text: str, said: str, ok: bool) -> None:
    assert check(text, [said]).ok is ok
