"""Measures: how good transcripts and summaries are."""

from meetings.evaluation.expected import ExpectedScore, PersonScore, score_summaries
from meetings.evaluation.kinds import KindScore, Labelled, score_kinds
from meetings.evaluation.naming import NamingScore, score_names, true_speakers
from meetings.evaluation.speech import (
    Said,
    SpeechScore,
    cp_word_error_rate,
    diarization_error_rate,
    read_rttm,
    score_speech,
    word_error_rate,
    words_under_the_wrong_speaker,
)

__all__ = [
    "ExpectedScore",
    "KindScore",
    "Labelled",
    "NamingScore",
    "PersonScore",
    "Said",
    "SpeechScore",
    "cp_word_error_rate",
    "diarization_error_rate",
    "read_rttm",
    "score_kinds",
    "score_names",
    "score_speech",
    "score_summaries",
    "true_speakers",
    "word_error_rate",
    "words_under_the_wrong_speaker",
]
