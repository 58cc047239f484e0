"""What is told of a call has the words that people corrected, and never what a correction would open."""

from __future__ import annotations

from pathlib import Path

import pytest

from meetings.config import Settings
from meetings.edits import Edit, add_edit, apply_edits
from meetings.recalled import told
from meetings.series import read_series
from tests.kept_results import keep_recording
from tests.unit.search_builders import conversation_of

SAID = conversation_of(
    "the parka ships on Friday",
    "this stays between us for now",
    "the zebra leaves the company in March",
    "back to the agenda, the price is five",
)


def edit(number: int, text: str) -> Edit:
    was = SAID.utterances[number]
    return Edit(utterance=was.id, before=was.text, text=text, by="ana", at="2026-11-25T10:00:00+00:00")


PARSER = edit(0, "The parser ships on Friday.")
OPENED = edit(1, "This stages between buses.")


def test_without_corrections_it_is_what_was_said() -> None:
    assert told(SAID, (), attended=False) is SAID


@pytest.mark.parametrize("attended", [True, False])
def test_the_corrected_words_are_told(attended: bool) -> None:
    assert told(SAID, [PARSER], attended=attended).utterances[0].text == "The parser ships on Friday."


@pytest.mark.parametrize("again", [True, False])
def test_who_was_not_there_is_not_told_what_a_correction_would_open(again: bool) -> None:
    kept = apply_edits(SAID, [OPENED]) if again else SAID
    assert [bool(u.text) for u in told(kept, [OPENED], attended=False).utterances] == [True, False, False, True]
    assert all(u.text for u in told(kept, [OPENED], attended=True).utterances)


def test_a_series_is_read_in_the_corrected_words(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home")
    keep_recording(settings, said=(("S1", "ana", "the parka ships on Friday"),))
    right = "The parser ships on Friday."
    add_edit(settings, "r" * 26, utterance="u1", before="the parka ships on Friday", text=right, by="ana")
    (said,) = read_series(["r" * 26], settings)[1]
    assert [u.text for u in said.utterances] == [right]
