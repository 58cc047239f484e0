"""Subtitles: WebVTT and SubRip, in cues short enough to be read while the recording plays.

`transcript.vtt` holds one cue an utterance, as the transcript of Calls does; here an utterance is cut where its words
were said. Two lines of 42 characters and seven seconds are the usual bounds for people who read along (BBC Subtitle
Guidelines, "Line length", "Timing").
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from meetings.conversation import Conversation, Utterance
from meetings.exports.paper import NEAR, UNSURE
from meetings.exports.text import plain

LINE = 42  # characters
CUE = 2 * LINE
LONGEST = 7.0  # seconds
SHORTEST = 0.2  # seconds; a cue without length is shown by nobody
# A full stop from here on ends a cue.
FULL_ENOUGH = 24  # characters
ZERO_WIDTH = "\u200b"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A word with its time in seconds, and whether the recogniser is unsure of it."""

    text: str
    start: float
    end: float
    unsure: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Cue:
    """What stands on the screen at once; `opens` marks the first one of an utterance."""

    start: float
    end: float
    speaker: str
    parts: tuple[Part, ...]
    opens: bool


def cues(conversation: Conversation) -> list[Cue]:
    """All cues by their start, as WebVTT (section 3.1) wants them; people who talk at once overlap."""
    found = [c for u in conversation.utterances for c in _cut(u, plain(conversation.speaker_of(u).name, 100))]
    return sorted(found, key=lambda c: (c.start, c.end))


def to_subtitles_vtt(conversation: Conversation) -> str:
    """WebVTT: a voice span a cue, unsure words in class `unsure`, in italics where players know styles."""
    blocks = ["WEBVTT", "STYLE\n::cue(.unsure) { font-style: italic }"]
    for cue in cues(conversation):
        text = "\n".join(" ".join(map(_vtt_part, line)) for line in _lines(cue.parts))
        voice = f"<v {_vtt_escape(cue.speaker)}>{text}</v>" if cue.speaker else text
        blocks.append(f"{_stamp(cue.start, '.')} --> {_stamp(cue.end, '.')}\n{voice}")
    return "\n\n".join(blocks) + "\n"


def to_subtitles_srt(conversation: Conversation) -> str:
    """SubRip: numbered cues; the speaker stands before a colon where an utterance begins."""
    blocks = []
    for number, cue in enumerate(cues(conversation), start=1):
        text = "\n".join(" ".join(_srt_escape(p.text) for p in line) for line in _lines(cue.parts))
        name = f"{_srt_escape(cue.speaker)}: " if cue.opens and cue.speaker else ""
        blocks.append(f"{number}\n{_stamp(cue.start, ',')} --> {_stamp(cue.end, ',')}\n{name}{text}\n")
    return "\n".join(blocks)


def _cut(utterance: Utterance, speaker: str) -> Iterator[Cue]:
    opens = True
    for sentence in _sentences(_parts(utterance)):
        for parts in _evenly(sentence):
            yield _cue(parts, speaker, opens=opens)
            opens = False


def _sentences(parts: Sequence[Part]) -> Iterator[list[Part]]:
    """Parts up to a full stop; what is short goes together with what follows."""
    held: list[Part] = []
    for part in parts:
        if held and held[-1].text[-1] in ".?!…。？！" and _length(held) >= FULL_ENOUGH:
            yield held
            held = []
        held.append(part)
    if held:
        yield held


def _evenly(parts: Sequence[Part]) -> list[list[Part]]:
    """As few pieces as fit, all of about the same length: no cue holds a last word alone."""
    length = _length(parts)
    least = math.ceil(max(length / CUE, (parts[-1].end - parts[0].start) / LONGEST))
    found: list[list[Part]] = [list(parts)]
    for wanted in range(max(1, least), len(parts) + 1):
        found, done = [], 0
        for part in parts:
            piece = int((done + len(part.text) / 2) / length * wanted)
            while len(found) <= piece:
                found.append([])
            found[piece].append(part)
            done += len(part.text) + 1
        found = [piece for piece in found if piece]
        if all(_fits(piece) for piece in found):
            break
    return found


def _fits(parts: Sequence[Part]) -> bool:
    return len(parts) == 1 or (_length(parts) <= CUE and parts[-1].end - parts[0].start <= LONGEST)


def _length(parts: Sequence[Part]) -> int:
    """Characters, spaces between among them."""
    return sum(len(p.text) + 1 for p in parts) - 1


def _cue(parts: Sequence[Part], speaker: str, *, opens: bool) -> Cue:
    start = max(0.0, parts[0].start)
    end = max(parts[-1].end, start + SHORTEST)
    return Cue(start=start, end=end, speaker=speaker, parts=tuple(parts), opens=opens)


def _parts(utterance: Utterance) -> list[Part]:
    """The words of the text with times: their own where the recogniser gave them, in between by length."""
    text = plain(utterance.text)
    tokens = [t for word in text.split() for t in (textwrap.wrap(word, CUE) if len(word) > CUE else (word,))]
    if not tokens:
        return []
    timed = _known_times(utterance, text)
    seconds = max(utterance.end - utterance.start, 0.0) / max(len(text), 1)
    found: list[Part] = []
    at = 0
    for token in tokens:
        begins = text.index(token, at)
        at = begins + len(token)
        own = [(s, e, sure) for b, s, e, sure in timed if begins <= b < at]
        start = own[0][0] if own else utterance.start + begins * seconds
        end = own[-1][1] if own else utterance.start + at * seconds
        start = max(start, found[-1].start if found else 0.0)
        found.append(Part(text=token, start=start, end=max(start, end), unsure=any(s < UNSURE for *_, s in own)))
    return found


def _known_times(utterance: Utterance, text: str) -> list[tuple[int, float, float, float]]:
    """Of each recognised word that stands in the text: where, its start and end in seconds, its probability."""
    found, at = [], 0
    for word in utterance.words:
        token = plain(word.word)
        begins = text.find(token, at, at + NEAR + len(token)) if token else -1
        if begins >= 0:
            found.append((begins, word.start, word.end, word.probability))
            at = begins + len(token)
    return found


def _lines(parts: Sequence[Part]) -> list[list[Part]]:
    """One line, or two of about the same length."""
    length = _length(parts)
    if length <= LINE or len(parts) < 2:
        return [list(parts)]
    sizes = [_length(parts[:n]) for n in range(1, len(parts))]
    cut = min(range(len(sizes)), key=lambda n: abs(sizes[n] - length / 2)) + 1
    return [list(parts[:cut]), list(parts[cut:])]


def _stamp(seconds: float, separator: str) -> str:
    millis = max(0, round(seconds * 1000))
    minutes, millis = divmod(millis, 60_000)
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{millis // 1000:02d}{separator}{millis % 1000:03d}"


def _vtt_part(part: Part) -> str:
    text = _vtt_escape(part.text)
    return f"<c.unsure>{text}</c>" if part.unsure else text


def _vtt_escape(text: str) -> str:
    """Cue text knows `&`, `<` and `>` as entities (WebVTT, section 3.4); with them goes the arrow of a time line."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _srt_escape(text: str) -> str:
    """SubRip has no escapes. What players take for a tag, a time or a command of SSA gets a mark nobody sees."""
    for opening in ("<", "{", "--"):
        text = text.replace(opening, f"{opening}{ZERO_WIDTH}")
    return text
