"""Damaged media files: each gives sound or one of our errors, soon, and leaves nothing behind.

The files are small and made once; the damage is the same in every run. Three hundred are tried by default, two thousand
with the slow tests.
"""

from __future__ import annotations

import contextlib
import os
import random
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from meetings.errors import RecordingError
from meetings.speech import decode_audio
from meetings.speech.media import ffmpeg_binary
from tests.mutations import damaged_bytes

AT_ONCE = 60.0  # seconds for one file, on a machine that does other things too
TONE = ("-f", "lavfi", "-i", "sine=f=440:d=0.7:r=16000")
PICTURE = ("-f", "lavfi", "-i", "testsrc=d=0.7:s=32x32:r=5")
SEEDS = {
    "call.mp4": (*PICTURE, *TONE, "-c:v", "libx264", "-c:a", "aac"),
    "fragmented.mp4": (*TONE, "-c:a", "aac", "-movflags", "frag_keyframe+empty_moov"),
    "call.webm": (*PICTURE, *TONE, "-c:v", "libvpx", "-c:a", "libopus", "-ac", "2"),
    "tracks.mkv": (*TONE, *TONE, "-map", "0", "-map", "1", "-c:a", "libvorbis"),
    "call.wav": TONE,
    "adpcm.wav": (*TONE, "-c:a", "adpcm_ms"),
    "call.ogg": (*TONE, "-c:a", "libopus"),
    "call.flac": (*TONE, "-c:a", "flac"),
    "call.mp3": (*TONE, "-c:a", "libmp3lame"),
    "call.aac": (*TONE, "-c:a", "aac"),
}


@pytest.fixture(scope="module")
def seeds(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("seeds")
    for name, how in SEEDS.items():
        command = [str(ffmpeg_binary()), "-loglevel", "error", "-nostdin", *how, "-bitexact", str(folder / name)]
        subprocess.run(command, check=True)
    return {name: (folder / name).read_bytes() for name in SEEDS}


@pytest.fixture
def no_process_left() -> Iterator[None]:
    """ffmpeg that runs after the test is one too many."""
    before = _children()
    yield
    assert _children() <= before


def _children() -> set[str]:
    """Processes that this one has started and not buried."""
    me = Path(f"/proc/{os.getpid()}/task")
    if not me.exists():
        return set()
    found: set[str] = set()
    for task in me.iterdir():
        # A thread of a library may end between being listed and being read.
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            found |= set((task / "children").read_text().split())
    return found


def try_one(seeds: dict[str, bytes], case: int, folder: Path) -> str:
    """Decode a damaged file; what became of it."""
    chance = random.Random(f"media:{case}")
    name = chance.choice(list(SEEDS))
    home = folder / f"{case}"
    # The name that is shown is the sender's; where we keep it is not.
    kept = home / "store" / name
    kept.parent.mkdir(parents=True)
    kept.write_bytes(damaged_bytes(seeds[name], chance))
    began = time.monotonic()
    try:
        info = decode_audio(kept, home / "out" / "audio.wav", name=name, shown=name)
        outcome, said = "decoded", f"{name}: {info.warnings}"
        assert info.duration > 0
    except RecordingError as error:
        outcome, said = "refused", str(error)
    except Exception as error:
        raise AssertionError(f"case {case} ({name}): {type(error).__name__}: {error}") from error
    assert said.startswith(f"{name}: ")
    assert str(folder) not in said
    assert time.monotonic() - began < AT_ONCE, f"case {case} ({name}) took too long"
    left = {p.name for p in home.rglob("*") if p.is_file()} - {name}
    assert left <= ({"audio.wav", "audio.sides.wav"} if outcome == "decoded" else set()), f"case {case}: {left}"
    for path in home.rglob("*.wav"):
        path.unlink()
    return outcome


def outcomes(seeds: dict[str, bytes], cases: range, folder: Path) -> dict[str, int]:
    with ThreadPoolExecutor(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 2) as pool:
        found = list(pool.map(lambda case: try_one(seeds, case, folder), cases))
    return {outcome: found.count(outcome) for outcome in ("decoded", "refused")}


Temporary = Callable[[], set[str]]


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Temporary:
    """What lies in the folder for temporary files."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    return lambda: {p.name for p in folder.iterdir()}


@pytest.mark.usefixtures("no_process_left")
def test_damaged_media_is_decoded_or_refused(seeds: dict[str, bytes], tmp_path: Path, temporary: Temporary) -> None:
    found = outcomes(seeds, range(300), tmp_path / "cases")
    assert not temporary()
    # Damage that always, or never, gets through tests nothing.
    assert found["decoded"] > 30
    assert found["refused"] > 30


@pytest.mark.slow
@pytest.mark.usefixtures("no_process_left")
def test_two_thousand_damaged_files_do_no_harm(seeds: dict[str, bytes], tmp_path: Path, temporary: Temporary) -> None:
    found = outcomes(seeds, range(300, 2000), tmp_path / "cases")
    assert sum(found.values()) == 1700
    assert not temporary()
