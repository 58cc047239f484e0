"""The main language is the vote of several windows; a window switches only when it is clear."""

from meetings.speech.chunks import Region, Window
from meetings.speech.languages import choose_language, is_doubtful, same_language, vote


def window(start: float, end: float) -> Window:
    return Window(pieces=(Region(start=start, end=end),))


def test_the_main_language_is_the_vote_of_all_windows_by_their_length() -> None:
    heard = [({"de": 0.9, "en": 0.1}, 5.0), ({"en": 0.8, "de": 0.2}, 28.0), ({"en": 0.6, "de": 0.4}, 25.0)]
    language, probability = vote(heard)
    assert language == "en"
    assert 0.5 < probability < 0.8


def test_a_window_that_clearly_speaks_another_language_is_written_in_it() -> None:
    assert choose_language({"de": 0.95, "en": 0.03}, "en") == "de"


def test_a_lead_alone_is_no_switch() -> None:
    assert choose_language({"cy": 0.5, "en": 0.3}, "en") == "en"
    assert choose_language({"nn": 0.65, "en": 0.3}, "en") == "en"


def test_a_window_without_a_clear_language_is_looked_at_in_parts() -> None:
    assert is_doubtful({"en": 0.7, "de": 0.3}, "en")
    assert not is_doubtful({"en": 0.97, "de": 0.02}, "en")


def test_neighbours_of_one_language_become_one_window_without_a_seam() -> None:
    parts = [window(0, 5), window(5, 10), window(12, 16), window(16, 20)]
    assert same_language(parts, ["en", "en", "de", "de"]) == [
        ((Region(start=0, end=10),), "en"),
        ((Region(start=12, end=20),), "de"),
    ]
