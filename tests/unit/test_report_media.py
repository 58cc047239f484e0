"""The recordings that pages play: only ever the one that the meeting was heard from."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

from meetings.report.media import Shelf


def test_a_file_that_took_another_recording_s_place_is_not_played_as_that_one(tmp_path: Path) -> None:
    path = tmp_path / "weekly.mp4"
    path.write_bytes(b"what was said this week")
    this, last = (sha256(said).hexdigest() for said in (b"what was said this week", b"what was said last week"))
    shelf = Shelf(None)
    assert shelf.near(path, this) is not None
    assert shelf.near(path, last) is None
