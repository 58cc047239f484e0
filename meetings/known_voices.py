"""What is known of a recording's voices beyond the recording: sounds, voiceprints, and what humans said.

Gathered into one value for naming, with a fingerprint for the key of what is named with it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from meetings.config import Settings
from meetings.corrections import Correction, plain, read_corrections
from meetings.edits import edits_stamp, read_edits
from meetings.errors import VoicesKeyError
from meetings.kept_voices import KeptVoices
from meetings.speech import Voice, Voiceprint
from meetings.store import FileStore, digest
from meetings.voicebook import VoiceBook


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownVoices:
    """`heard_before` are the people that voices, no longer kept, were known by; `notes` says what could not be used."""

    voices: tuple[Voice, ...] = ()
    prints: tuple[Voiceprint, ...] = ()
    heard_before: Mapping[str, str] = field(default_factory=dict)
    corrections: tuple[Correction, ...] = ()
    notes: tuple[str, ...] = ()

    def fingerprint(self) -> str:
        """Changes when any of it does; tells nothing of the voices."""
        if not (self.voices or self.prints or self.heard_before or self.corrections):
            return ""
        sounds = sorted((v.speaker, digest(v.embedding)) for v in self.voices)
        prints = sorted((p.username, digest(p.embedding)) for p in self.prints)
        return digest(sounds, prints, dict(self.heard_before), plain(self.corrections))


def known_voices(
    settings: Settings,
    store: FileStore,
    *,
    media_id: str,
    diarization: str,
    embedding_model: str,
    usernames: Collection[str],
) -> KnownVoices:
    """Everything that is known when a recording's voices are named.

    Args:
        settings: where the voices are.
        store: where the corrections are.
        media_id: the recording.
        diarization: the key of its diarization.
        embedding_model: fingerprint of the network that made the voices; prints of another cannot be compared.
        usernames: those who may be named: nobody else's print is read.
    """
    voices: Sequence[Voice] = ()
    prints: Sequence[Voiceprint] = ()
    before: dict[str, str] = {}
    notes = []
    try:
        kept = KeptVoices.of(settings)
        voices = kept.voices(diarization)
        prints = [p for p in VoiceBook.of(settings).prints(embedding_model) if p.username in usernames]
        if not voices:
            agreed = {p.username for p in prints}
            before = {label: who for label, who in kept.named_by_voice(diarization).items() if who in agreed}
    except VoicesKeyError as error:
        voices, prints, before = (), (), {}
        notes.append(f"named without voiceprints: {error}")
    return KnownVoices(
        voices=tuple(voices),
        prints=tuple(prints),
        heard_before=before,
        corrections=read_corrections(store, media_id),
        notes=tuple(notes),
    )


def names_stamp(settings: Settings, store: FileStore, media_id: str) -> str:
    """Changes when names or words may: a correction, an edit, a print learnt or forgotten. Needs no key."""
    corrections = read_corrections(store, media_id)
    book = VoiceBook.of(settings).stamp()
    edits = edits_stamp(read_edits(settings, media_id))
    if not (corrections or book or edits):
        return ""
    return digest("names", plain(corrections), book, *([edits] if edits else []))
