"""Who talked how much. Shown to those who were there, and only where somebody asked for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from meetings.conversation import Conversation


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """One speaker's part: seconds in each meeting in order (None: did not speak), and their share of all talk."""

    name: str
    username: str | None
    seconds: tuple[float | None, ...]
    share: float


def talk_time(meetings: Sequence[Conversation]) -> tuple[Share, ...]:
    """How long each speaker talked in meetings of one series, most first; voices without a name are one together.

    Overlapping talk counts for everybody who talks.
    """
    found: dict[str, list[float | None]] = {}
    called: dict[str, tuple[str, str | None]] = {}
    for number, meeting in enumerate(meetings):
        speakers = {s.id: s for s in meeting.speakers}
        for utterance in meeting.utterances:
            speaker = speakers.get(utterance.speaker)
            known = speaker is not None and speaker.how != "unknown"
            # A label says nothing beyond its meeting.
            key = (speaker.username or speaker.name) if speaker is not None and known else ""
            called[key] = (speaker.name, speaker.username) if speaker is not None and known else ("not named", None)
            row = found.setdefault(key, [None] * len(meetings))
            row[number] = (row[number] or 0.0) + max(0.0, utterance.end - utterance.start)
    total = sum(s or 0.0 for row in found.values() for s in row)
    shares = [
        Share(
            name=called[key][0],
            username=called[key][1],
            seconds=tuple(row),
            share=sum(s or 0.0 for s in row) / total if total else 0.0,
        )
        for key, row in found.items()
    ]
    return tuple(sorted(shares, key=lambda s: (-s.share, s.name)))
