"""What a batch will do, decided from plain facts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from meetings.batch import Found, Planned, decide_delivery, estimate, find_files, folder_name
from meetings.errors import RecordingError
from meetings.job import Job, Source

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
JOB = Job(
    source=Source(media_id="m", name="n", title="t"),
    people_key=None,
    deliver=False,
    writer="extract",
    language=None,
    device="cpu",
    models={},
    fingerprints={},
)


@pytest.mark.parametrize(
    ("age", "asked", "usual", "told"),
    [
        (timedelta(hours=2), None, True, True),
        (timedelta(days=1, seconds=1), None, True, False),
        (timedelta(days=300), None, True, False),
        (timedelta(hours=2), None, False, False),
        (timedelta(days=300), True, False, True),
        (timedelta(hours=2), False, True, False),
        (None, None, True, False),
    ],
)
def test_nobody_is_told_of_old_recordings_unless_it_is_said(
    age: timedelta | None, asked: bool | None, usual: bool, told: bool
) -> None:
    made = None if age is None else NOW - age
    assert decide_delivery(made, now=NOW, asked=asked, usual=usual) is told


def test_the_estimate_counts_speech_that_is_not_known_yet() -> None:
    hour = Found(reference="a", title="A", seconds=3600)
    steps = [
        Planned(found=hour, job=JOB),
        Planned(found=hour, job=JOB, speech_known=True),
        Planned(found=hour, job=None, state="left out"),
        Planned(found=Found(reference="b", title="B"), job=JOB),
    ]
    assert estimate(steps, 0.1) == 360


def test_folders_are_told_apart() -> None:
    step = Planned(found=Found(reference="a", title="Weekly / sync", made=NOW), job=JOB)
    taken: set[str] = set()
    assert [folder_name(step, taken) for _ in range(3)] == [
        "2026-11-26_Weekly___sync",
        "2026-11-26_Weekly___sync-2",
        "2026-11-26_Weekly___sync-3",
    ]


def test_a_title_cannot_leave_the_folder() -> None:
    step = Planned(found=Found(reference="a", title="../../etc/passwd"), job=JOB)
    name = folder_name(step, set())
    assert "/" not in name
    assert not name.startswith(".")


def test_folders_are_searched_for_recordings(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    for name in ("a.mp4", "deep/b.WAV", "notes.txt", ".hidden.mp4"):
        (tmp_path / name).touch()
    found = find_files([tmp_path, tmp_path / "a.mp4"])
    assert [f.title for f in found] == ["a", "b"]


def test_a_path_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match="no such file"):
        find_files([tmp_path / "nowhere"])
