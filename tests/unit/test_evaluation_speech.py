"""The measures, against values counted by hand."""

from dataclasses import replace

import pytest

from meetings.evaluation import (
    Said,
    cp_word_error_rate,
    diarization_error_rate,
    read_rttm,
    score_speech,
    word_error_rate,
    words_under_the_wrong_speaker,
)

TRUTH = [
    Said(speaker="ana", start=0, end=2, text="We ship on Friday."),
    Said(speaker="ben", start=2, end=4, text="Good, thank you."),
]


def test_a_perfect_transcript_scores_nothing_wrong() -> None:
    found = [
        Said(speaker="S1", start=0, end=2, text="we ship on friday"),
        Said(speaker="S2", start=2, end=4, text="Good thank you"),
    ]
    score = score_speech(TRUTH, found)
    assert (score.wer, score.cpwer, score.wrong_speaker, score.der) == (0, 0, 0, 0)
    assert (score.speakers, score.true_speakers) == (2, 2)


def test_one_wrong_and_one_missing_word_of_seven() -> None:
    found = [Said(speaker="S1", start=0, end=4, text="We ship on Monday. Good, thank")]
    assert word_error_rate(TRUTH, found) == pytest.approx(2 / 7)


def test_a_word_that_moves_to_the_other_speaker_counts_twice_in_cpwer_and_once_in_its_share() -> None:
    found = [
        Said(speaker="S1", start=0, end=2, text="We ship on"),
        Said(speaker="S2", start=2, end=4, text="Friday good thank you"),
    ]
    assert word_error_rate(TRUTH, found) == 0
    assert cp_word_error_rate(TRUTH, found) == pytest.approx(2 / 7)
    assert words_under_the_wrong_speaker(TRUTH, found) == pytest.approx(1 / 7)


def test_a_second_of_confusion_in_four_is_a_der_of_a_quarter() -> None:
    found = [Said(speaker="S1", start=0, end=3), Said(speaker="S2", start=3, end=4)]
    assert diarization_error_rate(TRUTH, found) == pytest.approx(0.25)


def test_speech_that_nobody_held_counts_as_false() -> None:
    found = [*TRUTH, Said(speaker="x", start=4, end=5)]
    assert diarization_error_rate(TRUTH, found) == pytest.approx(0.25)


def test_two_people_at_once_count_twice() -> None:
    both = [Said(speaker="ana", start=0, end=4), Said(speaker="ben", start=2, end=4)]
    assert diarization_error_rate(both, [Said(speaker="S1", start=0, end=4)]) == pytest.approx(2 / 6)


def test_a_hesitation_is_one_word_however_it_is_written() -> None:
    truth, found = Said(speaker="ana", start=0, end=1, text="Mm-hmm, yes."), Said(speaker="S1", start=0, end=1)
    assert word_error_rate([truth], [replace(found, text="mmhmm yes")]) == 0
    assert word_error_rate([truth], [replace(found, text="yes")]) == pytest.approx(1 / 2)


def test_an_empty_transcript_misses_everything() -> None:
    assert word_error_rate(TRUTH, []) == 1
    assert cp_word_error_rate(TRUTH, []) == 1
    assert diarization_error_rate(TRUTH, []) == 1
    assert words_under_the_wrong_speaker(TRUTH, []) == 0


def test_rttm_is_read_by_onset_and_duration() -> None:
    assert read_rttm("SPEAKER x 1 0.5 1.5 <NA> <NA> ana <NA> <NA>\n;; a comment\n") == (
        Said(speaker="ana", start=0.5, end=2.0),
    )
