"""Two people who say at the same moment who two voices are lose nothing to each other."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import meetings.speakers
from meetings.config import Settings
from meetings.corrections import Correction, Setting, read_corrections
from meetings.recordings import past_runs
from meetings.speakers import correct
from meetings.store import FileStore
from tests.kept_results import keep_recording


def test_both_corrections_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(home=tmp_path / "home")
    kept = keep_recording(settings)
    media_id = kept.job.source.media_id
    run = past_runs(kept.store, media_id)[-1]

    def slowly(store: FileStore, recording: str) -> tuple[Correction, ...]:
        found = read_corrections(store, recording)
        time.sleep(0.5)  # the other one reads meanwhile, if it may
        return found

    monkeypatch.setattr(meetings.speakers, "read_corrections", slowly)
    wanted = [Setting(who="S1", name="Dr. Weber"), Setting(who="S2", name="Ms. Ito")]
    with ThreadPoolExecutor(2) as both:
        list(both.map(lambda setting: correct(run, [setting], settings, by="ana"), wanted))
    assert {c.name for c in read_corrections(kept.store, media_id)} == {"Dr. Weber", "Ms. Ito"}
