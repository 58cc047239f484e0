"""Text that nobody said is recognised as such, and short answers stay."""

import pytest

from meetings.conversation import Word
from meetings.speech.invention import cut_loops, doubtful, has_loop, invented, only_answers, only_sung, phrases


def words(text: str, probability: float = 0.9, *, each: float = 0.5) -> list[Word]:
    return [Word(word=w, start=float(i), end=i + each, probability=probability) for i, w in enumerate(text.split())]


def judged(text: str, probability: float = 0.9, *, no_speech: float = 0.1, each: float = 0.5) -> bool:
    return invented(text, words(text, probability, each=each), no_speech=no_speech, log_probability=-0.3)


@pytest.mark.parametrize("text", ["Yeah.", "Thank you.", "Bye.", "Okay.", "Bye bye.", "You.", "Merci.", "No, no, no."])
def test_short_answers_that_are_well_heard_stay(text: str) -> None:
    assert not judged(text, 0.9)


@pytest.mark.parametrize(
    "text",
    [
        "Thanks for watching!",
        "Vielen Dank fürs Zuschauen.",
        "Merci d'avoir regardé cette vidéo.",
        "¡Gracias por ver el video!",
        "Продолжение следует...",
        "ご視聴ありがとうございました",
    ],
)
def test_a_farewell_of_subtitles_that_is_badly_heard_goes(text: str) -> None:
    assert judged(text, 0.5)


@pytest.mark.parametrize("text", ["Subtitles by the Amara.org community", "Untertitel im Auftrag des ZDF, 2020"])
def test_credits_go_however_sure_the_model_is(text: str) -> None:
    assert judged(text, 0.95)


def test_a_tune_taken_for_one_syllable_goes() -> None:
    assert judged("Oh, oh, oh, oh.", 0.5)


def test_a_few_vowels_in_a_long_window_are_a_choir_and_one_alone_is_an_answer() -> None:
    assert only_sung(words("oh, ooh, ah"), 20.0)
    assert not only_sung(words("Oh."), 0.8)
    assert not only_sung(words("oh, the release"), 20.0)


def test_a_few_short_answers_in_a_long_window_are_listened_to_again() -> None:
    assert only_answers(words("Yeah. Uh-huh. okay"), 20.0) is False  # "huh" is none of them
    assert only_answers(words("Yeah. Mm-hmm. okay"), 20.0)
    assert not only_answers(words("Yeah."), 1.0)
    assert not only_answers(words("Yeah, Friday."), 20.0)


def test_weak_words_stretched_over_seconds_go() -> None:
    assert judged("Thank you so", 0.5, each=5.0)
    assert not judged("Thank you so", 0.5, each=0.4)


def test_what_looks_invented_is_heard_once_more() -> None:
    assert doubtful("Thank you.", words("Thank you.", 0.4), no_speech=0.0)
    assert doubtful("We ship on Friday.", words("We ship on Friday."), no_speech=0.5)
    assert not doubtful("We ship on Friday.", words("We ship on Friday."), no_speech=0.05)


def test_a_phrase_said_four_times_in_a_row_stays_once() -> None:
    kept = cut_loops(words("so we go on " + "and then we " * 6 + "stop here"))
    assert " ".join(w.word for w in kept) == "so we go on and then we stop here"


def test_a_phrase_said_three_times_is_a_person() -> None:
    said = words("very very good " * 3)
    assert cut_loops(said) == said
    assert not has_loop([w.word for w in said])


def test_letters_that_go_round_are_no_word_but_figures_are() -> None:
    assert [w.word for w in cut_loops(words("a NNNNNNNNNN b 1000000 hahahahahahaha"))] == ["a", "b", "1000000"]


def test_a_pause_a_break_and_a_full_stop_end_a_phrase() -> None:
    said = [
        Word(word="one", start=0.0, end=0.5),
        Word(word="two.", start=0.6, end=1.0),
        Word(word="three", start=1.1, end=1.5),
        Word(word="four", start=3.0, end=3.5),
        Word(word="five", start=3.6, end=4.0),
    ]
    found = phrases(said, breaks=[3.55])
    assert [[w.word for w in p] for p in found] == [["one", "two."], ["three"], ["four"], ["five"]]
