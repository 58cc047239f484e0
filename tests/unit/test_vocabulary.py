"""A term comes in where the sound agrees, and nowhere else."""

from collections.abc import Sequence
from typing import Any

import pytest

from meetings.speech.recogniser import Placed
from meetings.speech.vocabulary import Vocabulary, likeness, sound_key


def words(text: str, probability: float = 0.5) -> tuple[Placed, ...]:
    return tuple(
        Placed(text=f" {w}", tokens=(hash(w) % 1000,), start=float(i), end=i + 0.5, probabilities=(probability,))
        for i, w in enumerate(text.split())
    )


class Judge:
    """A recogniser that gives every token of a text one probability: 0.5 as written, `new` with a term in it."""

    def __init__(self, new: float) -> None:
        self.new = new

    def tokens(self, text: str) -> tuple[int, ...]:
        return (-1,)

    def score(
        self, heard: Sequence[Any], texts: Sequence[Sequence[int]], languages: Sequence[str]
    ) -> list[list[float]]:
        return [[self.new if -1 in text else 0.5 for _ in text] for text in texts]


def corrected(terms: list[str], text: str, *, new: float = 0.5, probability: float = 0.5) -> str:
    heard: Any = [None]
    judge: Any = Judge(new)
    (found,) = Vocabulary(terms).correct(judge, heard, [words(text, probability)], ["en"])
    return "".join(w.text for w in found).strip()


@pytest.mark.parametrize(
    ("written", "term"),
    [
        ("Bright water", "Brightwater"),
        ("Oka for", "Okafor"),
        ("North Gate", "Northgate"),
        ("Nadja", "Nadia"),
        ("Lora", "Laura"),
        ("get hub", "GitHub"),
        ("Paper lane", "Paperlane"),
    ],
)
def test_what_sounds_like_a_term_is_proposed_and_spelled_as_given(written: str, term: str) -> None:
    assert corrected([term], f"we asked {written} today") == f"we asked {term} today"


def test_marks_and_genitives_stay() -> None:
    assert corrected(["Okafor"], "that is Okafer's, right") == "that is Okafor's, right"


def test_nothing_that_sounds_otherwise_comes_in() -> None:
    terms = ["Maya Chen", "Brightwater", "Okafor", "Paperlane", "Northgate", "Laura Stein"]
    text = "the remote has big buttons and we should make it easy to find in a living room"
    assert corrected(terms, text, new=0.99) == text


def test_the_recogniser_has_the_last_word() -> None:
    assert corrected(["Okafor"], "we asked Okafer today", new=0.001) == "we asked Okafer today"


def test_what_is_surely_heard_stays() -> None:
    assert corrected(["Okafor"], "we asked Okafer today", probability=0.98) == "we asked Okafer today"


def test_a_mere_capital_is_not_put_on_an_ordinary_word() -> None:
    assert corrected(["Product"], "the product is good") == "the product is good"


def test_function_words_and_syllables_are_no_terms() -> None:
    assert Vocabulary(["the", "IT", "", "  "]).terms == ()


def test_a_full_name_may_be_said_by_either_part() -> None:
    assert set(Vocabulary(["Maya Chen"]).terms) == {"Maya Chen", "Maya", "Chen"}


def test_letters_that_sound_alike_have_one_key() -> None:
    assert sound_key("Bright water") == sound_key("Brytwatter")
    assert likeness("Okafer", "Okafor") > likeness("Oscar", "Okafor")
