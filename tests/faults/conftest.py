"""Faults are tried on the same command and media as acceptance, and on a clip whose speech is heard once for all."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock

from tests.acceptance.conftest import (
    SAMPLE,
    SAMPLE_PEOPLE,
    Meetings,
    after_speech,
    make_media,
    meetings,
    spoken,
    talk,
    warm,
)
from tests.faults.known_speech import KnownSpeech
from tests.warm import Warm

__all__ = ["after_speech", "make_media", "meetings", "spoken", "talk", "warm"]


@pytest.fixture(scope="session")
def short(make_media: Callable[..., Path]) -> Path:
    """Fifteen seconds of the sample call with two people in them."""
    return make_media("short.wav", "-ss", "24", "-t", "15", "-i", str(SAMPLE), "-ac", "1", "-ar", "16000")


@pytest.fixture(scope="session")
def heard(session_folder: Path, models_folder: Path, short: Path, warm: Warm | None) -> KnownSpeech:
    """What is said in `short`."""
    home = session_folder / "heard"
    with FileLock(session_folder / "heard.lock"):
        if not home.exists():
            made, work = session_folder / "heard.part", session_folder / "heard-work"
            work.mkdir()
            env = {"MEETINGS_HOME": str(made), "MEETINGS_MODELS": str(models_folder), "HOME": str(work)}
            done = Meetings(cwd=work, env=env, warm=warm)("process", short, "--people", SAMPLE_PEOPLE, "--out", "out")
            assert done.code == 0, done.err
            made.rename(home)
    return KnownSpeech.of(home)
