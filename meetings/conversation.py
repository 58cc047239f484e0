"""Utterances in order: the data that everything above and below shares.

A recording becomes a `Conversation`; a channel already is one. This module holds the data, reads and writes the
`transcript.json` contract, and renders VTT, SRT, Markdown and RTTM. It knows nothing of audio or of models.
All times are seconds from the recording's start.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from meetings.errors import ConversationError

TRANSCRIPT = "transcript.json"  # in a folder of results
LARGEST = 1e8  # seconds, three years


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """One recognised word with its time in seconds and the recogniser's probability in [0, 1]."""

    word: str
    start: float
    end: float
    probability: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Utterance:
    """What one speaker says without being interrupted. `speaker` is a `Speaker.id`."""

    id: str
    speaker: str
    start: float
    end: float
    text: str
    words: tuple[Word, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Speaker:
    """A voice in the conversation: `name` is shown, `username` is set once it is known who it is.

    `confidence` is the probability of the name in [0, 1]; `how` says where the name comes from: `given` by a human,
    else the signals it stands on, joined by `+` (`transcript`, `voice`, `talk`), or `unknown`. `joined` are further
    labels of the diarization that are the same person.
    """

    id: str
    name: str
    username: str | None = None
    confidence: float = 0.0
    how: str = "unknown"
    joined: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """What was said, by whom and when."""

    id: str
    title: str = ""
    language: str = ""
    duration: float = 0.0
    started_at: str | None = None
    participants: tuple[str, ...] = ()
    speakers: tuple[Speaker, ...] = ()
    utterances: tuple[Utterance, ...] = ()
    _speakers_by_id: dict[str, Speaker] = field(default_factory=dict, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_speakers_by_id", {s.id: s for s in self.speakers})

    def speaker_of(self, utterance: Utterance) -> Speaker:
        """The speaker of an utterance; an id without an entry is a speaker named by its id."""
        found = self._speakers_by_id.get(utterance.speaker)
        return found or Speaker(id=utterance.speaker, name=utterance.speaker)


def clock(seconds: float) -> str:
    """`75.2` as `1:15`, `3675` as `1:01:15`: how times are shown to people."""
    total = max(0, int(seconds))
    hours, minutes, secs = total // 3600, total % 3600 // 60, total % 60
    return f"{hours}:{minutes:02d}:{secs:02d}" if hours else f"{minutes}:{secs:02d}"


# JSON (the transcript.json contract)


def to_json(conversation: Conversation) -> dict[str, Any]:
    """The conversation as the plain object that `transcript.json` holds."""
    utterances: list[dict[str, Any]] = []
    for u in conversation.utterances:
        entry: dict[str, Any] = {
            "id": u.id,
            "speaker": u.speaker,
            "start": round(u.start, 3),
            "end": round(u.end, 3),
            "text": u.text,
        }
        if u.words:
            entry["words"] = [
                {
                    "word": w.word,
                    "start": round(w.start, 3),
                    "end": round(w.end, 3),
                    "probability": round(w.probability, 4),
                }
                for w in u.words
            ]
        utterances.append(entry)
    return {
        "id": conversation.id,
        "title": conversation.title,
        "language": conversation.language,
        "duration": round(conversation.duration, 3),
        "started_at": conversation.started_at,
        "participants": list(conversation.participants),
        "speakers": [
            {
                "id": s.id,
                "name": s.name,
                "username": s.username,
                "confidence": round(s.confidence, 4),
                "how": s.how,
                **({"joined": list(s.joined)} if s.joined else {}),
            }
            for s in conversation.speakers
        ],
        "utterances": utterances,
    }


def from_json(data: object) -> Conversation:
    """Read the `transcript.json` object.

    Raises:
        ConversationError: a required field is missing or of the wrong kind; the message names it.
    """
    if not isinstance(data, Mapping):
        raise ConversationError("a conversation must be a JSON object with 'utterances'; see docs/formats.md")
    try:
        utterances = tuple(_utterance(i, u) for i, u in enumerate(data["utterances"]))
        speakers = tuple(
            Speaker(
                id=_text(s["id"]),
                name=_text(s.get("name") or s["id"]),
                username=None if s.get("username") is None else _text(s["username"]),
                confidence=_number(s.get("confidence", 0.0)),
                how=_text(s.get("how", "given")),
                joined=tuple(_text(j) for j in s.get("joined", ())),
            )
            for s in data.get("speakers", ())
        )
        known = {s.id for s in speakers}
        unnamed = dict.fromkeys(u.speaker for u in utterances if u.speaker not in known)
        speakers += tuple(Speaker(id=s, name=s) for s in unnamed)
        conversation = Conversation(
            id=_text(data.get("id", "conversation")),
            title=_text(data.get("title") or ""),
            language=_text(data.get("language") or ""),
            duration=_number(data.get("duration") or (utterances[-1].end if utterances else 0.0)),
            started_at=None if data.get("started_at") is None else _text(data["started_at"]),
            participants=tuple(_text(p) for p in data.get("participants", ())),
            speakers=speakers,
            utterances=utterances,
        )
    except KeyError as error:
        raise ConversationError(f"the conversation lacks {error}; see docs/formats.md") from error
    except (TypeError, ValueError, AttributeError, OverflowError, RecursionError) as error:
        raise ConversationError(
            f"the conversation does not follow the format ({error}); see docs/formats.md"
        ) from error
    ids = [u.id for u in conversation.utterances]
    if len(set(ids)) != len(ids):
        twice = next(i for i in ids if ids.count(i) > 1)
        raise ConversationError(f"utterance id {twice!r} stands twice; ids must be unique")
    return conversation


def _number(value: Any) -> float:
    """A time or a probability; JSON knows infinity, and numbers that no clock can show."""
    number = float(value)
    if not abs(number) <= LARGEST:
        raise ValueError(f"{number} is no number of seconds")
    return number


def _text(value: object) -> str:
    """Text that can be written: JSON can hold halves of characters."""
    return str(value).encode(errors="replace").decode()


def _utterance(index: int, data: Mapping[str, Any]) -> Utterance:
    start = _number(data.get("start", 0.0))
    return Utterance(
        id=_text(data.get("id", index)),
        speaker=_text(data["speaker"]),
        start=start,
        end=_number(data.get("end", start)),
        text=_text(data["text"]),
        words=tuple(
            Word(
                word=_text(w["word"]),
                start=_number(w["start"]),
                end=_number(w["end"]),
                probability=_number(w.get("probability", 1.0)),
            )
            for w in data.get("words", ())
        ),
    )


def read_conversation(path: Path) -> Conversation:
    """Read a conversation file.

    Raises:
        ConversationError: the file is missing, is not JSON or does not follow the contract.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        if path.name == TRANSCRIPT and path.parent.is_dir():
            raise ConversationError(
                f"{path.parent}: holds no {TRANSCRIPT}, so it is no folder that meetings process wrote"
            ) from error
        raise ConversationError(f"{path}: no such file") from error
    except OSError as error:
        raise ConversationError(f"{path}: cannot be read ({error.strerror})") from error
    except (ValueError, RecursionError) as error:  # among them numbers with thousands of digits
        raise ConversationError(f"{path}: not JSON ({error})") from error
    return from_json(data)


# Text formats


def _stamp(seconds: float) -> str:
    """`3675.25` as `01:01:15.250` (WebVTT, section 3.3)."""
    millis = max(0, round(seconds * 1000))
    hours, rest = divmod(millis, 3_600_000)
    minutes, rest = divmod(rest, 60_000)
    secs, millis = divmod(rest, 1000)
    return f"{hours:02d}:{minutes:02d}:{secs:02d}.{millis:03d}"


def _vtt_escape(text: str) -> str:
    """Escape cue text (WebVTT, section 3.4): `&`, `<`, `>`; a cue must not hold an empty line or an arrow."""
    return " ".join(text.split()).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def to_vtt(conversation: Conversation) -> str:
    """WebVTT (W3C) with a voice span `<v NAME>` a cue."""
    cues = ["WEBVTT", ""]
    for u in conversation.utterances:
        name = _vtt_escape(conversation.speaker_of(u).name)
        cues += [
            f"{_stamp(u.start)} --> {_stamp(u.end)}",
            f"<v {name}>{_vtt_escape(u.text)}</v>",
            "",
        ]
    return "\n".join(cues)


def to_rttm(turns: Iterable[tuple[float, float, str]], *, recording: str) -> str:
    """RTTM (NIST Rich Transcription evaluation plan): one `SPEAKER` line a turn of (start, end, label)."""
    name = "".join(c if c.isalnum() or c in "._-" else "_" for c in recording) or "recording"
    lines = [
        f"SPEAKER {name} 1 {start:.3f} {end - start:.3f} <NA> <NA> {label.replace(' ', '_')} <NA> <NA>"
        for start, end, label in turns
    ]
    return "\n".join(lines) + ("\n" if lines else "")
