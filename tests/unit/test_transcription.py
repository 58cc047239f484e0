"""Text that nobody said is recognised as such."""

import pytest

from meetings.conversation import Word
from meetings.speech.invention import cut_loops, invented
from meetings.speech.recogniser import Placed, as_words
from meetings.speech.transcription import Transcription, _in_order


def words(text: str, probability: float = 0.9) -> list[Word]:
    return [Word(word=w, start=float(i), end=i + 0.5, probability=probability) for i, w in enumerate(text.split())]


@pytest.mark.parametrize(
    ("text", "probability", "no_speech", "log_probability", "expected"),
    [
        ("We ship on Friday.", 0.9, 0.1, -0.3, False),
        ("Thank you.", 0.9, 0.1, -0.3, False),
        ("Thanks for watching!", 0.5, 0.1, -0.6, True),
        ("We ship on Friday.", 0.9, 0.9, -1.5, True),
        ("We ship on Friday.", 0.9, 0.9, -0.2, False),
        ("We ship on Friday.", 0.2, 0.1, -0.3, True),
        ("no no no " * 60, 0.9, 0.1, -0.3, True),
        ("", 0.9, 0.1, -0.3, True),
    ],
)
def test_invented_text_is_told_from_speech(
    text: str, probability: float, no_speech: float, log_probability: float, expected: bool
) -> None:
    found = words(text, probability)
    assert invented(text, found, no_speech=no_speech, log_probability=log_probability) is expected


def test_a_stuck_word_is_said_four_times_at_most() -> None:
    assert [w.word for w in cut_loops(words("go go go go go go go on"))] == ["go"] * 4 + ["on"]


def test_words_stay_in_order_and_inside_the_sound() -> None:
    mixed = [Word(word="b", start=2.0, end=9.0), Word(word="a", start=1.0, end=0.5)]
    found = _in_order(mixed, 5.0)
    assert [(w.word, w.start, w.end) for w in found] == [("a", 1.0, 1.0), ("b", 2.0, 5.0)]


def test_pieces_without_a_space_belong_to_the_word_before() -> None:
    pieces = [
        Placed(text=text, tokens=(1,), start=start, end=start + 1.0, probabilities=(probability,))
        for text, start, probability in [(" two", 0.0, 0.9), ("-factor", 1.0, 0.5), (" login", 2.0, 0.8)]
    ]
    assert [(w.word, w.start, w.end, w.probability) for w in as_words(pieces)] == [
        ("two-factor", 0, 2, 0.5),
        ("login", 2, 3, 0.8),
    ]


def test_a_transcription_is_the_same_after_storage() -> None:
    before = Transcription(language="en", language_probability=0.9, duration=3.0, words=tuple(words("hi there")))
    assert Transcription.from_json(before.to_json()) == before


def test_a_transcription_stored_before_languages_were_told_is_read() -> None:
    data = Transcription(language="en", language_probability=0.9, duration=3.0, words=()).to_json()
    del data["languages"]
    assert Transcription.from_json(data).languages == ()
