"""What the voices of a recording sound like, kept sealed so that names can be made again without the sound.

Two files a diarization, encrypted with the key of the voiceprints: the voices, which go by themselves after
`keep_voices_days`, and a note of whom each was ever taken for, by which they are found when that person is forgotten.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from typing import Any

from filelock import FileLock

from meetings.config import Settings
from meetings.speech import Voice
from meetings.store import SealedFiles, private_folder
from meetings.voicebook import sealed_files

DAY = 24 * 3600.0
NOTE = ".note"  # ends the name of the file that says whom voices were taken for


class KeptVoices:
    """The sealed voices of one data folder, by the key of their diarization."""

    def __init__(self, files: SealedFiles, *, days: int | None) -> None:
        self._files = files
        self._days = days

    @staticmethod
    def of(settings: Settings) -> KeptVoices:
        """Those of this data folder."""
        folder = settings.home / "results" / "voices"
        return KeptVoices(sealed_files(settings, folder), days=settings.days_kept("voices"))

    def keep(self, key: str, voices: Sequence[Voice]) -> None:
        """Keep the voices of a diarization, and let go of those that are too old."""
        self.expire()
        if voices:
            self._files.write(key, [_plain(v) for v in voices])

    def voices(self, key: str) -> tuple[Voice, ...]:
        """The voices of a diarization; none if they were never kept, or are gone.

        Raises:
            VoicesKeyError: they cannot be read with this key.
        """
        if not self._files.has(key):
            return ()
        return tuple(
            Voice(speaker=v["speaker"], embedding=tuple(v["embedding"]), seconds=v["seconds"])
            for v in self._files.read(key)
        )

    def note_names(self, key: str, named: Mapping[str, str], by_voice: Mapping[str, str]) -> None:
        """Remember whom voices (by label) were taken for, and which of these by their sound."""
        with self._lock():
            before = self._note(key)
            taken = {
                label: sorted({*before["taken"].get(label, ()), *([named[label]] if label in named else ())})
                for label in {*before["taken"], *named}
            }
            # Once the voices are gone nothing new is heard of them: what was heard stays.
            after = {"taken": taken, "by_voice": dict(by_voice) if self._files.has(key) else before["by_voice"]}
            if after != before:
                self._files.write(key + NOTE, after)

    def named_by_voice(self, key: str) -> dict[str, str]:
        """Labels whose voice a voiceprint named when the voices were last there, with their usernames.

        Raises:
            VoicesKeyError: the note cannot be read with this key.
        """
        return dict(self._note(key)["by_voice"])

    def forget(self, username: str) -> int:
        """Remove every voice that was ever taken for somebody; how many there were.

        Raises:
            VoicesKeyError: voices cannot be read with this key.
        """
        removed = 0
        with self._lock():
            for name in self._files.names():
                if not name.endswith(NOTE):
                    continue
                key, note = name.removesuffix(NOTE), self._files.read(name)
                theirs = {label for label, names in note["taken"].items() if username in names}
                if not theirs:
                    continue
                removed += self._drop(key, theirs)
                left = {part: {k: v for k, v in labels.items() if k not in theirs} for part, labels in note.items()}
                self._files.write(name, left)
        return removed

    def taken_for(self, username: str) -> dict[str, tuple[str, ...]]:
        """The labels of voices that were ever taken for somebody, by the key of their diarization.

        Raises:
            VoicesKeyError: notes cannot be read with this key.
        """
        found = {}
        for name in self._files.names():
            if name.endswith(NOTE):
                taken = self._files.read(name)["taken"]
                if labels := tuple(sorted(label for label, names in taken.items() if username in names)):
                    found[name.removesuffix(NOTE)] = labels
        return found

    def forget_all(self) -> int:
        """Remove the voices of every recording; how many recordings there were. Needs no key."""
        return len({name.removesuffix(NOTE) for name in self._files.names() if self._files.delete(name)})

    def release(self, key: str) -> None:
        """The run is over: where the settings keep voices for no days, they go now."""
        if self._days == 0:
            self._files.delete(key)

    def expire(self) -> None:
        """Remove voices older than the settings say; of no days at all, what a killed run left behind."""
        if self._days is None:
            return
        oldest = time.time() - max(self._days, 1) * DAY
        for name in self._files.names():
            if not name.endswith(NOTE) and self._files.path(name).stat().st_mtime < oldest:
                self._files.delete(name)

    def _note(self, key: str) -> dict[str, Any]:
        if not self._files.has(key + NOTE):
            return {"taken": {}, "by_voice": {}}
        note: dict[str, Any] = self._files.read(key + NOTE)
        return note

    def _drop(self, key: str, labels: set[str]) -> int:
        """Take voices out of a file without making the rest younger than it is."""
        if not self._files.has(key):
            return 0
        path = self._files.path(key)
        kept_at = path.stat().st_mtime
        voices = self._files.read(key)
        left = [v for v in voices if v["speaker"] not in labels]
        self._files.write(key, left)
        os.utime(path, (kept_at, kept_at))
        return len(voices) - len(left)

    def _lock(self) -> FileLock:
        private_folder(self._files.folder)
        return FileLock(self._files.folder / ".lock", mode=0o600)


def _plain(voice: Voice) -> dict[str, Any]:
    return {"speaker": voice.speaker, "embedding": list(voice.embedding), "seconds": voice.seconds}
