"""What the voices of a recording sound like, kept sealed so that names can be made again without the sound.

One file a diarization, encrypted with the key of the voiceprints. It remembers who each voice was ever taken for: when
that person is forgotten, their voice goes from here as well. Files go by themselves after `keep_voices_days`.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from filelock import FileLock

from meetings.config import Settings
from meetings.speech import Voice
from meetings.store import SealedFiles, private_folder
from meetings.voicebook import sealed_files

DAY = 24 * 3600.0


class KeptVoices:
    """The sealed voices of one data folder, by the key of their diarization."""

    def __init__(self, files: SealedFiles, *, days: int) -> None:
        self._files = files
        self._days = days

    @staticmethod
    def of(settings: Settings) -> KeptVoices:
        """Those of this data folder."""
        folder = settings.home / "results" / "voices"
        return KeptVoices(sealed_files(settings, folder), days=settings.keep_voices_days)

    def keep(self, key: str, voices: Sequence[Voice]) -> None:
        """Keep the voices of a diarization, and let go of those that are too old."""
        self.expire()
        if voices:
            self._write(key, {"voices": [_plain(v) for v in voices], "named": {}})

    def voices(self, key: str) -> tuple[Voice, ...]:
        """The voices of a diarization; none if they were never kept, or are gone.

        Raises:
            VoicesKeyError: they cannot be read with this key.
        """
        if not self._files.has(key):
            return ()
        return tuple(
            Voice(speaker=v["speaker"], embedding=tuple(v["embedding"]), seconds=v["seconds"])
            for v in self._files.read(key)["voices"]
        )

    def note_names(self, key: str, named: Mapping[str, str]) -> None:
        """Remember whom voices (by label) were taken for."""
        if not self._files.has(key) or not named:
            return
        with self._lock():
            data = self._files.read(key)
            known: dict[str, list[str]] = data["named"]
            merged = {
                label: sorted({*known.get(label, ()), *([named[label]] if label in named else ())})
                for label in {*known, *named}
            }
            if merged != known:
                self._rewrite(key, {**data, "named": merged})

    def forget(self, username: str) -> int:
        """Remove every voice that was ever taken for somebody; how many there were."""
        removed = 0
        with self._lock():
            for key in self._files.names():
                data = self._files.read(key)
                theirs = {label for label, names in data["named"].items() if username in names}
                left = [v for v in data["voices"] if v["speaker"] not in theirs]
                if theirs:
                    removed += len(data["voices"]) - len(left)
                    named = {label: names for label, names in data["named"].items() if label not in theirs}
                    self._rewrite(key, {"voices": left, "named": named})
        return removed

    def forget_all(self) -> int:
        """Remove the voices of every recording; how many recordings there were. Needs no key."""
        return sum(self._files.delete(key) for key in self._files.names())

    def release(self, key: str) -> None:
        """The run is over: where the settings keep voices for no days, they go now."""
        if not self._days:
            self._files.delete(key)

    def expire(self) -> None:
        """Remove what is older than the settings say; of no days at all, what a killed run left behind."""
        oldest = time.time() - max(self._days, 1) * DAY
        for key in self._files.names():
            if self._files.path(key).stat().st_mtime < oldest:
                self._files.delete(key)

    def _rewrite(self, key: str, data: Mapping[str, Any]) -> None:
        """Write without making the file younger than its voices are."""
        import os

        path = self._files.path(key)
        kept_at = path.stat().st_mtime
        self._write(key, data)
        os.utime(path, (kept_at, kept_at))

    def _write(self, key: str, data: Mapping[str, Any]) -> None:
        self._files.write(key, data)

    def _lock(self) -> FileLock:
        private_folder(self._files.folder)
        return FileLock(self._files.folder / ".lock", mode=0o600)


def _plain(voice: Voice) -> dict[str, Any]:
    return {"speaker": voice.speaker, "embedding": list(voice.embedding), "seconds": voice.seconds}
