"""Brackets: what an opening pronoun stands for, told only where it is plain, and never a word changed."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from meetings.summary.referents import Before, Referent, find_referent, said_near, with_referent, without_brackets
from tests.unit.summary_builders import talk

LABELLED = Path(__file__).parents[1] / "data" / "referents" / "labelled.yml"
SPOKEN = st.lists(
    st.sampled_from(
        [
            *(
                "It",
                "They",
                "is",
                "are",
                "the",
                "battery",
                "charger",
                "Brightwater",
                "needs",
                "a",
                "quote",
                "costs",
                "but",
            )
        ]
    ),
    min_size=1,
    max_size=12,
).map(" ".join)


def bracketed(text: str, *before: tuple[str, str], speaker: str = "ana", people: tuple[str, ...] = ()) -> str:
    lines = [Before(speaker=who, text=said) for who, said in before]
    return with_referent(text, find_referent(text, lines, speaker, people=people))


def test_the_subject_of_the_speakers_sentence_before_is_told() -> None:
    said = bracketed("It costs two Euros.", ("ana", "The iPod spinning wheel is really complicated."))
    assert said == "It [The iPod spinning wheel] costs two Euros."


def test_what_somebody_asked_about_is_told_in_the_answer() -> None:
    assert bracketed("It's too expensive for us.", ("ben", "Do we need an LCD display?")).startswith(
        "It's [an LCD display]"
    )


def test_a_company_named_alone_is_they() -> None:
    said = bracketed("They need the quote by Tuesday.", ("ana", "I called Brightwater again."))
    assert said == "They [Brightwater] need the quote by Tuesday."


@pytest.mark.parametrize(
    ("text", "before"),
    [
        ("It seems that nobody tested.", ("ana", "The parser is ready.")),
        ("It costs two Euros.", ("ben", "The parser is ready.")),
        ("They are too heavy.", ("ana", "The parser is ready.")),
        ("It has a parser inside.", ("ana", "The parser is ready.")),
        ("It costs two Euros.", ("ana", "That one is nice.")),
        ("They need it.", ("ana", "I called Laura again.")),
    ],
)
def test_what_is_not_plain_gets_no_bracket(text: str, before: tuple[str, str]) -> None:
    assert bracketed(text, before, people=("Laura Stein",)) == text


@given(SPOKEN, st.lists(st.tuples(st.sampled_from(["ana", "ben"]), SPOKEN), max_size=3))
def test_brackets_never_change_the_words_said(text: str, before: list[tuple[str, str]]) -> None:
    assert without_brackets(bracketed(text, *before)) == text


@given(SPOKEN, st.lists(st.tuples(st.sampled_from(["ana", "ben"]), SPOKEN), max_size=3))
def test_what_a_bracket_holds_was_said_close_by(text: str, before: list[tuple[str, str]]) -> None:
    lines = [Before(speaker=who, text=said) for who, said in before]
    found = find_referent(text, lines, "ana")
    assert found is None or said_near(found.named, lines)


def test_a_text_with_brackets_of_its_own_gets_none() -> None:
    found = Referent(at=2, named="the parser", rule="subject")
    assert with_referent("It [sic] works.", found) == "It [sic] works."


def test_the_labelled_brackets_are_right_as_often_as_is_claimed() -> None:
    rows = yaml.safe_load(LABELLED.read_text(encoding="utf-8"))["brackets"]
    put_in = [r for r in rows if (found := _again(r)) is not None and found.named == r["bracket"]]
    assert put_in
    assert sum(r["right"] for r in put_in) / len(put_in) >= 0.85


def _again(row: dict[str, str]) -> Referent | None:
    return find_referent(row["text"], [Before(speaker=row["by"], text=row["before"])], "ana")


def test_a_bracket_reaches_the_bullet_and_its_quotation_stays_grounded() -> None:
    from meetings.summary.select import Choice
    from meetings.summary.statements import build_statements
    from meetings.summary.write import extract

    call = talk(("ben", "I called Brightwater again. They need the written quote by Tuesday."))
    statement = build_statements(call)[-1]
    choice = Choice(statements=(statement,), kind="info", why="", score=1.0, mine=False)
    bullet, refused = extract(choice, call)
    assert (bullet.text, refused) == ("They [Brightwater] need the written quote by Tuesday.", False)
