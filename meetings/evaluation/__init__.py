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
from meetings.evaluation.workspace import Item, Served, distinctness, mean, read_truth, serve

__all__ = [
    "ExpectedScore",
    "Item",
    "KindScore",
    "Labelled",
    "NamingScore",
    "PersonScore",
    "Said",
    "Served",
    "SpeechScore",
    "cp_word_error_rate",
    "diarization_error_rate",
    "distinctness",
    "mean",
    "read_rttm",
    "read_truth",
    "score_kinds",
    "score_names",
    "score_speech",
    "score_summaries",
    "serve",
    "true_speakers",
    "word_error_rate",
    "words_under_the_wrong_speaker",
]
