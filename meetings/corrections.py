"""What humans said of who speaks: kept with the recording, and above every signal.

A correction is tied to the times at which the voice is heard, not to a label, so that it holds when the speech is done
again with other models and the labels are others.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from meetings.conversation import Utterance
from meetings.errors import CorrectionError
from meetings.speech import Answer
from meetings.store import FileStore

STAGE = "corrections"
COVERED = 0.6  # of a voice's time that lies in a correction's: it is the voice that was meant
GUEST = re.compile(r"guest:\s*(.+)", re.IGNORECASE | re.DOTALL)
USERNAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """Whose voice is heard in `spans` (start, end in seconds): an account's, a guest's `name`, or nobody's known."""

    username: str | None
    name: str
    spans: tuple[tuple[float, float], ...]
    by: str = ""
    at: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What a user asked for: `who` as it is shown, and the answer; `withdrawn` takes an earlier answer back."""

    who: str
    username: str | None = None
    name: str = ""
    withdrawn: bool = False


def parse_setting(text: str) -> Setting:
    """`Speaker 2=ana.ruiz`, `Speaker 2=Guest: Dr. Weber`, `Speaker 2=?` (nobody knows), `Speaker 2=auto`.

    Raises:
        CorrectionError: it is none of these.
    """
    who, equals, value = (part.strip() for part in text.partition("="))
    if not equals or not who or not value:
        raise CorrectionError(
            f"--set {text!r} is no correction; write 'Speaker 2=ana.ruiz', 'Speaker 2=Guest: Dr. Weber', "
            "'Speaker 2=?' or 'Speaker 2=auto'"
        )
    if value == "?":
        return Setting(who=who)
    if value.lower() == "auto":
        return Setting(who=who, withdrawn=True)
    if guest := GUEST.fullmatch(value):
        return Setting(who=who, name=" ".join(guest[1].split())[:100])
    username = value.removeprefix("@").lower()
    if not USERNAME.fullmatch(username):
        raise CorrectionError(
            f"--set {text!r}: {value!r} is no username; somebody without an account: 'Guest: {value}'"
        )
    return Setting(who=who, username=username)


def read_corrections(store: FileStore, media_id: str) -> tuple[Correction, ...]:
    """All corrections of a recording."""
    if not store.has(STAGE, media_id):
        return ()
    return tuple(
        Correction(**{**c, "spans": tuple((s, e) for s, e in c["spans"])}) for c in store.read_json(STAGE, media_id)
    )


def write_corrections(store: FileStore, media_id: str, corrections: Sequence[Correction]) -> None:
    """Keep these, and no others."""
    if corrections:
        store.write_json(STAGE, media_id, plain(corrections))
    else:
        store.path(STAGE, media_id).unlink(missing_ok=True)


def plain(corrections: Sequence[Correction]) -> list[dict[str, Any]]:
    """Corrections as JSON."""
    return [asdict(c) for c in corrections]


def answers_of(corrections: Sequence[Correction], utterances: Sequence[Utterance]) -> tuple[Answer, ...]:
    """Which label each correction means, by the times at which it is heard."""
    spoken: defaultdict[str, float] = defaultdict(float)
    common: defaultdict[tuple[str, int], float] = defaultdict(float)
    for u in utterances:
        spoken[u.speaker] += u.end - u.start
        for index, correction in enumerate(corrections):
            common[u.speaker, index] += sum(max(0.0, min(e, u.end) - max(s, u.start)) for s, e in correction.spans)
    answers = []
    for label, seconds in spoken.items():
        best = max(range(len(corrections)), key=lambda i: common[label, i], default=-1)
        if best >= 0 and seconds > 0 and common[label, best] >= COVERED * seconds:
            meant = corrections[best]
            answers.append(Answer(speaker=label, username=meant.username, name=meant.name))
    return tuple(answers)


def without(corrections: Sequence[Correction], spans: Sequence[tuple[float, float]]) -> tuple[Correction, ...]:
    """The corrections that concern other voices than the one heard in `spans`."""

    def common(correction: Correction) -> float:
        return sum(max(0.0, min(e, end) - max(s, start)) for s, e in correction.spans for start, end in spans)

    mine = sum(end - start for start, end in spans)
    return tuple(c for c in corrections if common(c) < COVERED * min(mine, sum(e - s for s, e in c.spans)))


def spans_of(labels: Sequence[str], utterances: Sequence[Utterance]) -> tuple[tuple[float, float], ...]:
    """When the voices with these labels are heard."""
    return tuple((round(u.start, 3), round(u.end, 3)) for u in utterances if u.speaker in labels)
