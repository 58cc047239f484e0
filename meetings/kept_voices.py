"""What the voices of a recording sound like, kept sealed so that names can be made again without the sound.

Two documents a diarization, encrypted with the key of the voiceprints: the voices, which go by themselves after
`keep_voices_days`, and a note of whom each was ever taken for, by which they are found when that person is forgotten.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from meetings.config import Settings
from meetings.speech import Voice
from meetings.store import Sealed

KIND = "recording voices"
DAY = 24 * 3600.0
NOTE = ".note"  # ends the name of what says whom voices were taken for


class KeptVoices:
    """The sealed voices of recordings, by the key of their diarization."""

    def __init__(self, sealed: Sealed, *, days: int | None) -> None:
        self._sealed = sealed
        self._days = days

    @staticmethod
    def of(settings: Settings) -> KeptVoices:
        """Those in the database that the settings name.

        Raises:
            ConfigError: the key that several machines need is not set.
        """
        return KeptVoices(Sealed.of(settings, KIND), days=settings.days_kept("voices"))

    def keep(self, key: str, voices: Sequence[Voice]) -> None:
        """Keep the voices of a diarization, and let go of those that are too old."""
        self.expire()
        if voices:
            self._sealed.write(key, [_plain(v) for v in voices])

    def voices(self, key: str) -> tuple[Voice, ...]:
        """The voices of a diarization; none if they were never kept, or are gone.

        Raises:
            VoicesKeyError: they cannot be read with this key.
        """
        return tuple(
            Voice(speaker=v["speaker"], embedding=tuple(v["embedding"]), seconds=v["seconds"])
            for v in self._sealed.read(key) or ()
        )

    def note_names(self, key: str, named: Mapping[str, str], by_voice: Mapping[str, str]) -> None:
        """Remember whom voices (by label) were taken for, and which of these by their sound."""
        there = self._sealed.has(key)

        def noted(note: dict[str, Any] | None) -> dict[str, Any] | None:
            before = note or _nobody()
            taken = {
                label: sorted({*before["taken"].get(label, ()), *([named[label]] if label in named else ())})
                for label in {*before["taken"], *named}
            }
            # Once the voices are gone nothing new is heard of them: what was heard stays.
            after = {"taken": taken, "by_voice": dict(by_voice) if there else before["by_voice"]}
            return note if after == before else after

        self._sealed.change(key + NOTE, noted)

    def named_by_voice(self, key: str) -> dict[str, str]:
        """Labels whose voice a voiceprint named when the voices were last there, with their usernames.

        Raises:
            VoicesKeyError: the note cannot be read with this key.
        """
        return dict((self._sealed.read(key + NOTE) or _nobody())["by_voice"])

    def forget(self, username: str) -> int:
        """Remove every voice that was ever taken for somebody; how many there were.

        Raises:
            VoicesKeyError: voices cannot be read with this key.
        """
        removed = 0
        for name in self._sealed.names():
            if not name.endswith(NOTE):
                continue
            note = self._sealed.read(name) or _nobody()
            theirs = {label for label, names in note["taken"].items() if username in names}
            if not theirs:
                continue
            removed += self._drop(name.removesuffix(NOTE), theirs)
            self._sealed.change(name, partial(_without, labels=theirs))
        return removed

    def taken_for(self, username: str) -> dict[str, tuple[str, ...]]:
        """The labels of voices that were ever taken for somebody, by the key of their diarization.

        Raises:
            VoicesKeyError: notes cannot be read with this key.
        """
        found = {}
        for name in self._sealed.names():
            if name.endswith(NOTE):
                taken = (self._sealed.read(name) or _nobody())["taken"]
                if labels := tuple(sorted(label for label, names in taken.items() if username in names)):
                    found[name.removesuffix(NOTE)] = labels
        return found

    def forget_all(self) -> int:
        """Remove the voices of every recording; how many recordings there were. Needs no key."""
        return len({name.removesuffix(NOTE) for name in self._sealed.names() if self._sealed.delete(name)})

    def release(self, key: str) -> None:
        """The run is over: where the settings keep voices for no days, they go now."""
        if self._days == 0:
            self._sealed.delete(key)

    def expire(self) -> None:
        """Remove voices older than the settings say; of no days at all, what a killed run left behind."""
        if self._days is None:
            return
        oldest = time.time() - max(self._days, 1) * DAY
        for one in self._sealed.listed():
            if not one.name.endswith(NOTE) and one.changed_at < oldest:
                self._sealed.delete(one.name)

    def _drop(self, key: str, labels: set[str]) -> int:
        """Take voices out without making the rest younger than it is; how many there were."""
        removed = 0

        def dropped(voices: list[dict[str, Any]] | None) -> list[dict[str, Any]] | None:
            nonlocal removed
            if voices is None:
                return None
            left = [v for v in voices if v["speaker"] not in labels]
            removed = len(voices) - len(left)
            return left

        self._sealed.change(key, dropped, aged=True)
        return removed


def _nobody() -> dict[str, Any]:
    return {"taken": {}, "by_voice": {}}


def _without(note: dict[str, Any] | None, labels: set[str]) -> dict[str, Any] | None:
    if note is None:
        return None
    return {part: {k: v for k, v in told.items() if k not in labels} for part, told in note.items()}


def _plain(voice: Voice) -> dict[str, Any]:
    return {"speaker": voice.speaker, "embedding": list(voice.embedding), "seconds": voice.seconds}
