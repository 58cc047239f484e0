"""How far a stage is can be seen from outside, and costs the stage nothing when it cannot be told."""

from __future__ import annotations

from pathlib import Path

import pytest

from meetings.config import Settings
from meetings.errors import DatabaseError
from meetings.headway import EVERY, KIND, SILENT, TOGETHER, Headway, Told, read_headway, stages_of
from meetings.logs import about
from meetings.progress import STAGES
from meetings.store import Database


class Clock:
    """Goes on when told."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def far(settings: Settings) -> dict[str, dict[str, float]]:
    """How far stages are, by their recordings' posts."""
    return {
        post: {stage: told.far for stage, told in stages.items()} for post, stages in read_headway(settings).items()
    }


def test_how_far_a_stage_is_can_be_read_by_others(either: Settings) -> None:
    with about(recording="post"):
        Headway(either).tell("transcription", 0.4321)
    assert far(either) == {"post": {"transcription": 0.432}}


def test_two_stages_side_by_side_are_both_told(either: Settings) -> None:
    headway = Headway(either)
    with about(recording="post"):
        headway.tell("transcription", 0.5)
        headway.tell("diarization", 0.25)
    assert far(either) == {"post": {"transcription": 0.5, "diarization": 0.25}}


def test_what_is_done_is_no_longer_told(either: Settings) -> None:
    headway = Headway(either)
    with about(recording="post"):
        headway.tell("audio", 0.5)
        headway.done("audio")
    assert far(either) == {}


def test_of_two_stages_side_by_side_the_one_that_is_done_is_told_until_both_are(either: Settings) -> None:
    headway = Headway(either)
    with about(recording="post"):
        headway.done("transcription")  # found done: it told nothing
        headway.tell("diarization", 0.5)
        assert far(either) == {"post": {"transcription": 1.0, "diarization": 0.5}}
        headway.done("diarization")
    assert far(either) == {}


def test_a_stage_is_done_when_it_says_so_and_no_sooner(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home")
    with about(recording="post"):
        Headway(settings).tell("transcription", 1.0)
    (stage,) = [s for s in stages_of(TOGETHER, read_headway(settings)["post"], now=0.0) if s.name == "transcription"]
    assert stage.state == "now"


def test_it_is_written_now_and_then_only(tmp_path: Path) -> None:
    clock = Clock()
    settings = Settings(home=tmp_path / "home")
    headway = Headway(settings, clock=clock)
    with about(recording="post"):
        headway.tell("transcription", 0.1)
        clock.now = EVERY / 2
        headway.tell("transcription", 0.2)
        assert far(settings)["post"] == {"transcription": 0.1}
        clock.now = EVERY
        headway.tell("transcription", 0.3)
    assert far(settings)["post"] == {"transcription": 0.3}


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
    assert far(settings) == {"post": {"audio": 0.5}}


def test_what_an_earlier_version_wrote_is_read_and_has_no_rate(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home")
    Database.of(settings).write(KIND, "post", '{"audio": 0.25}')
    assert read_headway(settings) == {"post": {"audio": Told(far=0.25)}}
    assert Told(far=0.25).left(now=100.0) is None


# How fast it goes


def test_the_time_left_follows_from_what_was_done_since_it_first_told() -> None:
    # A tenth in 20 s, from 0.4 on; half is left, and of that 5 s are over.
    told = Told(far=0.5, at=120.0, since=100.0, base=0.4)
    assert told.left(now=125.0) == pytest.approx(95.0)


def test_what_tells_of_a_batch_at_a_time_is_as_fast_as_since_it_began() -> None:
    # The first batch took 240 s; from its first word to its last it seems to have taken 10.
    told = Told(far=0.57, at=250.0, began=0.001, since=240.0, base=0.29)
    assert told.left(now=250.0) == pytest.approx(0.43 * 250 / 0.57, rel=0.01)


def test_what_takes_longer_than_its_rate_said_has_no_time_left() -> None:
    told = Told(far=0.5, at=120.0, since=100.0)
    assert told.left(now=139.0) == pytest.approx(1.0)
    assert told.left(now=140.0) is None


@pytest.mark.parametrize(
    "told",
    [
        Told(far=0.5, at=105.0, since=100.0),  # too short a time
        Told(far=0.51, at=200.0, since=100.0, base=0.5),  # too little done
        Told(far=0.5, at=100.0, since=100.0, base=0.5),  # told once
        Told(far=0.3, at=200.0, since=100.0, base=0.5),  # it went back
        Told(far=1.0, at=200.0, since=100.0),
    ],
)
def test_without_a_rate_nobody_says_how_long_it_takes(told: Told) -> None:
    assert told.left(now=told.at) is None


def test_a_stage_that_fell_silent_has_no_time_left_and_says_that_it_is_silent() -> None:
    told = {"audio": Told(far=0.5, at=200.0, since=100.0)}
    (audio,) = [s for s in stages_of("audio", told, now=201.0 + SILENT) if s.state == "now"]
    assert (audio.left, audio.silent) == (None, 1.0 + SILENT)


def test_how_fast_a_stage_went_before_it_failed_says_nothing_of_its_next_try(tmp_path: Path) -> None:
    settings, clock, wall = Settings(home=tmp_path / "home"), Clock(), Clock()
    headway = Headway(settings, clock=clock, wall=wall)
    with about(recording="post"):
        headway.begin("audio")
        headway.tell("audio", 0.5)
        clock.now = wall.now = 60.0
        headway.begin("audio")
        headway.tell("audio", 0.1)
    assert read_headway(settings)["post"]["audio"] == Told(far=0.1, at=60.0, began=60.0, since=60.0, base=0.1)


# Which stages there are


def states(stage: str, **told: float) -> dict[str, str]:
    seen = stages_of(stage, {name: Told(far=far) for name, far in told.items()}, now=0.0)
    return {one.name: one.state for one in seen}


def test_what_comes_before_is_done_and_what_comes_after_is_still_to_come() -> None:
    seen = states("segmentation")
    assert [seen["audio"], seen["segmentation"], seen["transcription"]] == ["done", "now", "next"]
    assert list(seen) == list(STAGES)


def test_of_two_stages_that_take_turns_the_second_is_still_to_come() -> None:
    seen = states(TOGETHER, transcription=0.5)
    assert (seen["transcription"], seen["diarization"]) == ("now", "next")


def test_of_two_stages_that_take_turns_the_first_is_done() -> None:
    seen = states(TOGETHER, transcription=1.0, diarization=0.5)
    assert (seen["transcription"], seen["diarization"]) == ("done", "now")


def test_two_stages_that_told_nothing_both_may_work() -> None:
    seen = states(TOGETHER)
    assert (seen["transcription"], seen["diarization"]) == ("now", "now")


def test_what_a_dead_process_told_of_another_stage_is_not_taken_up() -> None:
    seen = stages_of("summaries", {"audio": Told(far=0.5)}, now=0.0)
    assert all(one.far is None for one in seen)


@pytest.mark.parametrize(("stage", "all_are"), [("looking at it", "next"), ("noting it", "done")])
def test_before_the_first_stage_and_after_the_last_none_works(stage: str, all_are: str) -> None:
    assert set(states(stage).values()) == {all_are}
