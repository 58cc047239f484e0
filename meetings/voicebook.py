"""Voiceprints that people agreed to: whose, with which consent, from which recordings.

The book is one sealed document; without a recorded consent nothing enters it, and who is forgotten is out at once. A
person's print is the mean of their samples, each of one recording, so that learning twice changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

from meetings.config import Settings
from meetings.errors import ConsentError
from meetings.speech import Voice, Voiceprint, mean_voice
from meetings.store import Sealed

KIND = "voices"
BOOK = "book"
MAX_SAMPLES = 20  # newest of each person


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """Who recorded it, when (ISO 8601), and how it was given, in their words."""

    by: str
    at: str
    how: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One recording's worth of a voice: `seconds` of clean speech, by the embedding network `model`."""

    embedding: tuple[float, ...] = field(repr=False)
    seconds: float
    source: str
    model: str
    at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One person of the book."""

    username: str
    consent: Consent
    samples: tuple[Sample, ...] = ()

    def print_of(self, model: str) -> Voiceprint | None:
        """The voiceprint in the space of one network, if there is any sample in it."""
        voices = [
            Voice(speaker=self.username, embedding=s.embedding, seconds=s.seconds)
            for s in self.samples
            if s.model == model
        ]
        if not voices:
            return None
        mean = mean_voice(self.username, voices)
        return Voiceprint(username=self.username, embedding=mean.embedding, seconds=mean.seconds)


class VoiceBook:
    """The book in the database that the settings name."""

    def __init__(self, sealed: Sealed) -> None:
        self._sealed = sealed

    @staticmethod
    def of(settings: Settings) -> VoiceBook:
        """The book of these settings.

        Raises:
            ConfigError: the key that several machines need is not set.
        """
        return VoiceBook(Sealed.of(settings, KIND))

    def entries(self) -> tuple[Entry, ...]:
        """Everybody in it, by username.

        Raises:
            VoicesKeyError: it cannot be read with this key.
        """
        data = self._sealed.read(BOOK) or {}
        return tuple(_entry(username, data[username]) for username in sorted(data))

    def entry(self, username: str) -> Entry:
        """One person of it.

        Raises:
            ConsentError: they are not in it.
        """
        for entry in self.entries():
            if entry.username == username:
                return entry
        raise ConsentError(username)

    def prints(self, model: str) -> tuple[Voiceprint, ...]:
        """Every voiceprint in the space of one network."""
        return tuple(p for e in self.entries() if (p := e.print_of(model)) is not None)

    def record_consent(self, username: str, consent: Consent) -> None:
        """Note that somebody agreed; an earlier consent is replaced, their samples stay."""

        def change(book: dict[str, Entry]) -> None:
            samples = book[username].samples if username in book else ()
            book[username] = Entry(username=username, consent=consent, samples=samples)

        self._change(change)

    def add_sample(self, username: str, sample: Sample) -> None:
        """Take up a sample; one of the same recording is replaced.

        Raises:
            ConsentError: they did not agree.
        """

        def change(book: dict[str, Entry]) -> None:
            if username not in book:
                raise ConsentError(username)
            entry = book[username]
            others = [s for s in entry.samples if (s.source, s.model) != (sample.source, sample.model)]
            kept = tuple([*others, sample][-MAX_SAMPLES:])
            book[username] = Entry(username=username, consent=entry.consent, samples=kept)

        self._change(change)

    def forget(self, username: str) -> bool:
        """Take somebody out, with their consent and all samples; whether they were in it."""
        gone: list[Entry] = []

        def change(book: dict[str, Entry]) -> None:
            gone[:] = [book.pop(username)] if username in book else []

        self._change(change)
        return bool(gone)

    def forget_all(self) -> None:
        """Remove the book and the key of this folder: copies of it can be read no more."""
        self._sealed.delete(BOOK)
        self._sealed.delete_key()

    def stamp(self) -> str:
        """Changes when the book does; empty without a book. Needs no key."""
        return self._sealed.stamp(BOOK)

    def _change(self, change: Callable[[dict[str, Entry]], None]) -> None:
        """Change the book, which nobody else does meanwhile."""

        def changed(data: dict[str, Any] | None) -> dict[str, Any] | None:
            book = {username: _entry(username, one) for username, one in (data or {}).items()}
            change(book)
            return {e.username: _plain(e) for e in book.values()} if book or data is not None else None

        self._sealed.change(BOOK, changed)


def _plain(entry: Entry) -> dict[str, Any]:
    return {"consent": asdict(entry.consent), "samples": [asdict(s) for s in entry.samples]}


def _entry(username: str, data: dict[str, Any]) -> Entry:
    return Entry(
        username=username,
        consent=Consent(**data["consent"]),
        samples=tuple(Sample(**{**s, "embedding": tuple(s["embedding"])}) for s in data["samples"]),
    )
