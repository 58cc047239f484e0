"""How far a stage is can be seen from outside, and costs the stage nothing when it cannot be told."""

from __future__ import annotations

from pathlib import Path

import pytest

from meetings.config import Settings
from meetings.errors import DatabaseError
from meetings.headway import EVERY, KIND, Headway, read_headway
from meetings.logs import about
from meetings.store import Database


class Clock:
    """Goes on when told."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_how_far_a_stage_is_can_be_read_by_others(either: Settings) -> None:
    with about(recording="post"):
        Headway(either).tell("transcription", 0.4321)
    assert read_headway(either) == {"post": {"transcription": 0.432}}


def test_two_stages_side_by_side_are_both_told(either: Settings) -> None:
    headway = Headway(either)
    with about(recording="post"):
        headway.tell("transcription", 0.5)
        headway.tell("diarization", 0.25)
    assert read_headway(either) == {"post": {"transcription": 0.5, "diarization": 0.25}}


def test_what_is_done_is_no_longer_told(either: Settings) -> None:
    headway = Headway(either)
    with about(recording="post"):
        headway.tell("transcription", 0.5)
        headway.done("transcription")
    assert read_headway(either) == {}


def test_it_is_written_now_and_then_only(tmp_path: Path) -> None:
    clock = Clock()
    settings = Settings(home=tmp_path / "home")
    headway = Headway(settings, clock=clock)
    with about(recording="post"):
        headway.tell("transcription", 0.1)
        clock.now = EVERY / 2
        headway.tell("transcription", 0.2)
        assert read_headway(settings)["post"] == {"transcription": 0.1}
        clock.now = EVERY
        headway.tell("transcription", 0.3)
    assert read_headway(settings)["post"] == {"transcription": 0.3}


def test_work_on_nothing_is_not_told(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home")
    Headway(settings).tell("transcription", 0.5)
    assert read_headway(settings) == {}


def test_a_database_that_is_away_ends_no_stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object) -> Database:
        raise DatabaseError("away")

    monkeypatch.setattr(Database, "of", away)
    headway = Headway(Settings(home=tmp_path / "home"))
    with about(recording="post"):
        headway.tell("transcription", 0.5)
        headway.done("transcription")


def test_what_nobody_can_read_is_told_as_nothing_and_written_over(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home")
    Database.of(settings).write(KIND, "post", "{damaged")
    assert read_headway(settings) == {"post": {}}
    with about(recording="post"):
        Headway(settings).tell("audio", 0.5)
    assert read_headway(settings) == {"post": {"audio": 0.5}}
